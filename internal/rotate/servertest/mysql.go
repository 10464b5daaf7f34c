package servertest

import (
	"database/sql"
	"fmt"
	"io"
	"log"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// MariaDB starts a MariaDB that logs every statement.
func MariaDB(t *testing.T) *Server {
	t.Helper()
	s, dir := newMySQL(t, find(t, "/usr/sbin/mariadbd", "/usr/*/sbin/mariadbd"))
	s.run(t, find(t, "/usr/bin/mariadb-install-db", "/usr/*/bin/mariadb-install-db"), "--no-defaults", "--datadir="+filepath.Join(dir, "data"),
		"--auth-root-authentication-method=normal", "--skip-test-db", "--user=root")
	s.args = append(s.args, "--performance-schema=OFF")
	return s.administered(t)
}

// MySQL starts a MySQL that logs every statement. Where the set-up found none to fetch,
// it has written down why, and the test is skipped with that reason.
func MySQL(t *testing.T) *Server {
	t.Helper()
	s, dir := newMySQL(t, mysqld(t))
	s.run(t, s.program, "--no-defaults", "--initialize-insecure", "--datadir="+filepath.Join(dir, "data"), "--user=root", "--innodb-flush-method=nosync")
	s.args = append(s.args, "--mysqlx=OFF", "--skip-log-bin", "--secure-file-priv=")
	return s.administered(t)
}

// mysqld returns the program of MySQL that scripts/setup-tests.sh has unpacked into the
// top folder of the sources.
func mysqld(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "scripts", "setup-tests.sh")); err == nil {
			break
		}
	}
	tools := filepath.Join(dir, ".tools", "mysql")
	if why, err := os.ReadFile(filepath.Join(tools, "unavailable")); err == nil {
		t.Skipf("no MySQL on this machine: %s", why)
	}
	return find(t, filepath.Join(tools, "mysqld"))
}

// newMySQL returns what servers of both makes have in common.
func newMySQL(t *testing.T, program string) (s *Server, dir string) {
	t.Helper()
	s = &Server{Port: freePort(t), Authority: NewAuthority(t), program: program, ready: "ready for connections", quit: syscall.SIGKILL}
	dir = s.folder(t)
	s.Log = filepath.Join(dir, "log")
	certificate, key := s.Authority.Issue(t)
	paths := map[string]string{"ca": s.Authority.PEM, "cert": certificate, "key": key}
	for name, text := range paths {
		paths[name] = filepath.Join(dir, name+".pem")
		s.write(t, paths[name], text)
	}
	socket := filepath.Join(dir, "socket")
	s.args = []string{
		"--no-defaults", "--user=root", "--datadir=" + filepath.Join(dir, "data"), "--socket=" + socket, "--pid-file=" + filepath.Join(dir, "pid"),
		"--bind-address=127.0.0.1", fmt.Sprint("--port=", s.Port), "--skip-name-resolve", "--general-log", "--general-log-file=" + s.Log,
		"--ssl-ca=" + paths["ca"], "--ssl-cert=" + paths["cert"], "--ssl-key=" + paths["key"],
		// What is committed outlives the process, if not the machine.
		"--innodb-flush-log-at-trx-commit=2", "--innodb-buffer-pool-size=24M",
	}
	s.session = func(text string) ([][]string, error) { return query(socket, text) }
	return s, dir
}

// administered starts the server and makes its administrator.
func (s *Server) administered(t *testing.T) *Server {
	t.Helper()
	s.own(t)
	who := "`" + Administrator + "`@`%`"
	s.Exec(t, "CREATE USER "+who+" IDENTIFIED BY "+Text(Password)+"; GRANT ALL PRIVILEGES ON *.* TO "+who+" WITH GRANT OPTION")
	return s
}

// Text quotes a text for MySQL and MariaDB, for the set-up of tests.
func Text(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(text) + "'"
}

// query runs statements over the socket as root, who has no password, and returns the
// rows of the first one.
func query(socket, text string) (found [][]string, err error) {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.MultiStatements, c.Logger = "unix", socket, "root", true, log.New(io.Discard, "", 0)
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	rows, err := db.Query(text)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		row, into := make([]sql.NullString, len(names)), make([]any, len(names))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, err
		}
		var texts []string
		for _, column := range row {
			texts = append(texts, column.String)
		}
		found = append(found, texts)
	}
	for rows.NextResultSet() {
	}
	return found, rows.Err()
}
