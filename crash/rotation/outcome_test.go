package rotation

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/rotate/servertest"
)

// outcome is what is seen of a task.
type outcome struct {
	Status string `json:"task_status"`
	Code   string `json:"task_error_code"`
}

var success = outcome{Status: "SUCCESS"}

// tasks lists the tasks of a secret, the newest first.
func (s *site) tasks(t *testing.T, name string) []outcome {
	t.Helper()
	var list struct{ Tasks []outcome }
	s.call(t, "GET", "/v1/{project_id}/csms/tasks?secret_name="+name, nil, &list)
	return list.Tasks
}

// begin has a secret rotated; the rotation may begin at once.
func (s *site) begin(t *testing.T, name string) {
	t.Helper()
	s.call(t, "POST", secretsPath+"/"+name+"/rotate", nil, nil)
}

// end moves the clock until the newest task of a secret has ended: it has three tries.
func (s *site) end(t *testing.T, name string) outcome {
	t.Helper()
	for range 3 {
		s.advance(t, 20*time.Minute)
		if all := s.tasks(t, name); len(all) > 0 && all[0].Status != "RUNNING" {
			return all[0]
		}
	}
	t.Fatalf("%s: %+v\n%s", name, s.tasks(t, name), s.logs)
	return outcome{}
}

func (s *site) rotate(t *testing.T, name string) outcome {
	t.Helper()
	s.begin(t, name)
	return s.end(t, name)
}

func (s *site) wantRotation(t *testing.T, name string, want outcome) {
	t.Helper()
	if diff := cmp.Diff(want, s.rotate(t, name)); diff != "" {
		t.Fatalf("rotation of %s (-want +got):\n%s%s", name, diff, s.logs)
	}
}

// works reports whether l logs in. Anything but yes and no is a failure of the test.
func (s *site) works(t *testing.T, l login) bool {
	t.Helper()
	err := s.kind.login(t.Context(), s.database, l)
	if err != nil && !refused(err) {
		t.Fatalf("login of %s: %v", l.Username, err)
	}
	return err == nil
}

func (s *site) wantLogin(t *testing.T, l login, want bool) {
	t.Helper()
	if got := s.works(t, l); got != want {
		t.Errorf("login of %s: %t; want %t\n%s", l.Username, got, want, s.logs)
	}
}

// TestRotation: RotateSecret changes the password on a real server, and what it cannot
// do ends with the code of its cause, and with the old password in force (RO7 to RO10).
func TestRotation(t *testing.T) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			db := k.start(t)
			s := newSite(t, k, db, nil, "single_1", "multi_1", "multi_2", "nobody_there")
			t.Run("SingleUser", func(t *testing.T) { testSingleUser(t, s) })
			t.Run("MultiUser", func(t *testing.T) { testMultiUser(t, s) })
			t.Run("refusals", func(t *testing.T) { testRefusals(t, s) })
			for _, canary := range []string{"first-", servertest.Password} {
				if strings.Contains(s.logs.String(), canary) {
					t.Errorf("the log of Coffer holds %s", canary)
				}
			}
		})
	}
}

func testSingleUser(t *testing.T, s *site) {
	old := s.store(t, "single", singleUser, true)[0]
	s.wantRotation(t, "single", success)
	now := s.read(t, "single", "latest").login
	if now.Username != old.Username || len(now.Password) != 24 {
		t.Errorf("account %s with a password of %d characters", now.Username, len(now.Password))
	}
	s.wantLogin(t, now, true)
	s.wantLogin(t, old, s.kind.keeps)
	s.database.Crash()
	s.wantRotation(t, "single", outcome{"FAILED", "HOST_UNREACHABLE"})
	s.database.Start(t)
	if same := s.read(t, "single", "latest").login; same != now {
		t.Error("a failed rotation has moved SYSCURRENT")
	}
	s.wantLogin(t, now, true)
}

// testMultiUser: the accounts change places, and what is current always works (RO9).
func testMultiUser(t *testing.T, s *site) {
	s.create(t, "lonely", `{"username":"single_1","password":"p"}`, multiUser, "")
	s.wantRotation(t, "lonely", outcome{"FAILED", "SECOND_ACCOUNT_MISSING"})
	accounts := s.store(t, "multi", multiUser, false)
	for n := range 3 {
		s.wantRotation(t, "multi", success)
		now := s.read(t, "multi", "latest").login
		if want := accounts[n%2].Username; now.Username != want {
			t.Errorf("%s is current; want %s", now.Username, want)
		}
		s.wantLogin(t, now, true)
	}
}

func testRefusals(t *testing.T, s *site) {
	for name, c := range map[string]struct{ value, urn, code string }{
		"gone":    {`{"username":"nobody_there","password":"p"}`, "", "ACCOUNT_UNKNOWN"},
		"foreign": {`{"username":"coffer admin","password":"p"}`, "", "ACCOUNT_NOT_ALLOWED"},
		"text":    {`single_1:first`, "", "SECRET_VALUE_UNREADABLE"},
		"other":   {`{"username":"single_1","password":"p"}`, "urn:fss:r:p:function:builtin:sqlserver:latest", "ROTATION_FUNCTION_NOT_FOUND"},
		"cloud":   {`{"username":"single_1","password":"p"}`, "urn:fss:r:p:function:default:mine:latest", "ROTATION_FUNCTION_NOT_FOUND"},
	} {
		s.create(t, name, c.value, singleUser, c.urn)
		s.wantRotation(t, name, outcome{"FAILED", c.code})
		if now, _ := s.tryRead(t, name, "latest"); now.ID != "v1" { // not every value can be read as a login
			t.Errorf("%s: %s is current after a refused rotation", name, now.ID)
		}
	}
}

// create makes a secret for the target as it is told.
func (s *site) create(t *testing.T, name, value, subType, urn string) {
	t.Helper()
	in := map[string]any{
		"name": name, "secret_type": "RDS-FG", "secret_string": value,
		"rotation_config": `{"InstanceId":"db","SecretSubType":"` + subType + `"}`,
	}
	if urn != "" {
		in["rotation_func_urn"] = urn
	}
	s.call(t, "POST", secretsPath, in, nil)
}
