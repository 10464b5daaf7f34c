package servertest

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

// hba says how roles log in.
const hba = `local all all trust
host all "the trusted" 127.0.0.1/32 trust
host all "the cleartext" 127.0.0.1/32 password
host all "the refused" 127.0.0.1/32 reject
host all all 127.0.0.1/32 scram-sha-256
`

// PostgreSQL starts a PostgreSQL that logs every statement. A role "the trusted" logs in
// without a password, "the cleartext" with the password itself, "the refused" never.
func PostgreSQL(t *testing.T) *Server {
	t.Helper()
	s := &Server{
		Port: freePort(t), Authority: NewAuthority(t), unrooted: true,
		ready: "database system is ready to accept connections", quit: syscall.SIGQUIT,
	}
	dir := s.folder(t)
	s.Log = filepath.Join(dir, "log")
	data, passwords := filepath.Join(dir, "data"), filepath.Join(dir, "password")
	s.write(t, passwords, Password)
	s.run(t, find(t, "/usr/lib/postgresql/*/bin/initdb", "/usr/*/bin/initdb"), "--pgdata="+data, "--username="+Administrator,
		"--pwfile="+passwords, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	s.write(t, filepath.Join(data, "pg_hba.conf"), hba)
	certificate, key := s.Authority.Issue(t)
	s.write(t, filepath.Join(data, "server.crt"), certificate)
	s.write(t, filepath.Join(data, "server.key"), key)
	s.program = find(t, "/usr/lib/postgresql/*/bin/postgres", "/usr/*/bin/postgres")
	s.args = []string{
		"-D", data, "-p", fmt.Sprint(s.Port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + dir,
		"-c", "fsync=off", "-c", "ssl=on", "-c", "log_statement=all", "-c", "log_min_messages=info", "-c", "shared_buffers=16MB",
		"-c", "authentication_timeout=10s", // a crash may have to wait for who is about to log in
	}
	s.session = func(sql string) ([][]string, error) { return s.postgresql(dir, sql) }
	return s.own(t)
}

func (s *Server) postgresql(dir, sql string) (rows [][]string, err error) {
	ctx := context.Background()
	c, err := pgconn.Connect(ctx, fmt.Sprintf("host=%s port=%d user='%s' dbname=postgres", dir, s.Port, Administrator))
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	results, err := c.Exec(ctx, sql).ReadAll()
	if err != nil || len(results) == 0 {
		return nil, err
	}
	for _, row := range results[len(results)-1].Rows {
		var columns []string
		for _, column := range row {
			columns = append(columns, strings.Clone(string(column)))
		}
		rows = append(rows, columns)
	}
	return rows, nil
}
