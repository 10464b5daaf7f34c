package rotation

import (
	"encoding/json"
	"fmt"
	"testing"

	"coffer/internal/rotate/servertest"
)

const secretsPath = "/v1/{project_id}/secrets"

// site is a Coffer beside a database server.
type site struct {
	*process
	kind     kind
	database *servertest.Server
	data     string
}

// newSite starts a Coffer of its own for a database. It knows it as the target "db" and
// reaches it directly, with TLS, or through a proxy, if there is one.
func newSite(t *testing.T, k kind, db *servertest.Server, p *proxy, accounts ...string) *site {
	t.Helper()
	s := &site{kind: k, database: db, data: t.TempDir()}
	s.process = serve(t, s.data)
	s.call(t, "POST", secretsPath, map[string]any{"name": "admin", "secret_string": value(login{servertest.Administrator, servertest.Password})}, nil)
	target := map[string]any{
		"instance_id": "db", "engine": k.name, "host": "localhost", "port": db.Port, "tls_mode": "verify-full",
		"ca_certificate": db.Authority.PEM, "admin_secret": "admin", "accounts": accounts,
	}
	if p != nil {
		target["host"], target["port"], target["tls_mode"] = "127.0.0.1", p.port(), "disable"
	}
	s.call(t, "POST", "/coffer/v1/{project_id}/database-targets", target, nil)
	return s
}

func value(l login) string {
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // two texts
	}
	return string(text)
}

// SecretSubType of rotation_config.
const (
	singleUser = "SingleUser"
	multiUser  = "MultiUser"
)

// store makes accounts in the database, one for SingleUser and two for MultiUser, and
// the secret that rotates them: each account is in a version, the last one is current.
func (s *site) store(t *testing.T, name, subType string, automatic bool) (accounts []login) {
	t.Helper()
	in := map[string]any{
		"name": name, "secret_type": "RDS-FG", "rotation_config": `{"InstanceId":"db","SecretSubType":"` + subType + `"}`,
	}
	if automatic {
		in["auto_rotation"], in["rotation_period"] = true, "4h"
		in["rotation_func_urn"] = "urn:fss:cn-north-4:" + devProject + ":function:builtin:" + s.kind.name + ":latest"
	}
	for n := range map[string]int{singleUser: 1, multiUser: 2}[subType] {
		l := login{fmt.Sprintf("%s_%d", name, n+1), fmt.Sprintf("first-%s-%d", name, n+1)}
		accounts = append(accounts, l)
		s.database.Exec(t, fmt.Sprintf(s.kind.create, l.Username, l.Password))
		if n > 0 {
			s.call(t, "POST", secretsPath+"/"+name+"/versions", map[string]any{"secret_string": value(l)}, nil)
			continue
		}
		in["secret_string"] = value(l)
		s.call(t, "POST", secretsPath, in, nil)
	}
	return accounts
}

// version is a version of a secret with what it holds.
type version struct {
	ID     string
	Stages []string
	login
}

// read returns a version, by its id or by a label.
func (s *site) read(t *testing.T, name, id string) version {
	t.Helper()
	v, err := s.tryRead(t, name, id)
	if err != nil {
		t.Fatalf("reading %s of %s: %v\n%s", id, name, err, s.logs)
	}
	return v
}

func (s *site) tryRead(t *testing.T, name, id string) (v version, err error) {
	var answer struct {
		Version struct {
			Text     string `json:"secret_string"`
			Metadata struct {
				ID     string   `json:"id"`
				Stages []string `json:"version_stages"`
			} `json:"version_metadata"`
		}
	}
	if _, err := s.Do(t.Context(), "GET", secretsPath+"/"+name+"/versions/"+id, nil, &answer); err != nil {
		return version{}, err
	}
	v.ID, v.Stages = answer.Version.Metadata.ID, answer.Version.Metadata.Stages
	return v, json.Unmarshal([]byte(answer.Version.Text), &v.login)
}
