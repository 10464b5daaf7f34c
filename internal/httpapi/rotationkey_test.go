package httpapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coffer/internal/rotate"
	"coffer/internal/testkit"
)

// functionKey is a Coffer whose rotation function is fn, called with the key of its task.
type functionKey struct {
	*testkit.Kit
	t  *testing.T
	fn func(key temporary) error
}

func newFunctionKey(t *testing.T) *functionKey {
	t.Helper()
	f := &functionKey{t: t}
	f.Kit = testkit.New(t, testkit.Options{Engines: func(context.Context, *rotate.Rotation) (rotate.Engine, error) { return f, nil }})
	return f
}

// Change makes the key as the engine of functions does.
func (f *functionKey) Change(ctx context.Context, r *rotate.Rotation, _ *rotate.Values) error {
	made, err := f.Identity.RotationKey(ctx, r.TaskID, r.DomainID)
	if err != nil {
		return err
	}
	var key temporary
	key.Credential.Access, key.Credential.Secret = made.Access, made.Secret
	key.Credential.SecurityToken, key.Credential.ExpiresAt = made.SecurityToken, made.ExpiresAt
	return f.fn(key)
}

// secret makes a secret that rotates, under a key or the default one.
func (f *functionKey) secret(project, name, keyID string) {
	f.t.Helper()
	body := `{"name":"` + name + `","secret_type":"RDS-FG","secret_string":"v","rotation_func_urn":"urn","kms_key_id":"` + keyID + `",
		"rotation_config":"{\"InstanceId\":\"i\",\"SecretSubType\":\"SingleUser\"}"}`
	if keyID == "" {
		body = strings.Replace(body, `"kms_key_id":"",`, "", 1)
	}
	askOwner(f.t, f.Kit, "POST", "/v1/"+project+"/secrets", body, 200, nil)
}

// rotate has a secret rotated once.
func (f *functionKey) rotate(name string, fn func(key temporary) error) {
	f.t.Helper()
	f.fn = fn
	f.Move(time.Second)
	askOwner(f.t, f.Kit, "POST", path("secrets/"+name+"/rotate"), "", 200, nil)
	f.run()
}

func (f *functionKey) run() {
	f.t.Helper()
	if _, err := f.Service.RunTasks(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *functionKey) send(key temporary, method, target, body string, status int) *httptest.ResponseRecorder {
	f.t.Helper()
	w := sendTemporary(f.t, f.Kit, key, method, target, body)
	if w.Code != status {
		f.t.Errorf("%s %s: %d %s; want %d", method, target, w.Code, w.Body, status)
	}
	return w
}

// customerKey makes a key of the KMS.
func (f *functionKey) customerKey(alias string) string {
	f.t.Helper()
	var made struct {
		Info struct {
			ID string `json:"key_id"`
		} `json:"key_info"`
	}
	askOwner(f.t, f.Kit, "POST", "/v1.0/"+testkit.ProjectID+"/kms/create-key", `{"key_alias":"`+alias+`"}`, 200, &made)
	return made.Info.ID
}

// neighbours.md 3.1, 3.3: the key of a rotation opens its secret and no other one,
// whatever the operation, the project or the key.
func TestTheKeyOfARotationIsForOneSecret(t *testing.T) {
	f := newFunctionKey(t)
	own, other := f.customerKey("own"), f.customerKey("other")
	f.secret(testkit.ProjectID, "db", own)
	f.secret(testkit.ProjectID, "db2", own)
	f.secret(testkit.ProjectID, "plain", "")
	f.secret(testkit.OtherProjectID, "db", "")
	var dataKey struct {
		Cipher string `json:"cipher_text"`
	}
	askOwner(t, f.Kit, "POST", "/v1.0/"+testkit.ProjectID+"/kms/create-datakey", `{"key_id":"`+own+`","key_spec":"AES_256"}`, 200, &dataKey)
	elsewhere := func(below string) string { return "/v1/" + testkit.OtherProjectID + "/" + below }
	kms := func(operation string) string { return "/v1.0/" + testkit.ProjectID + "/kms/" + operation }

	f.rotate("db", func(key temporary) error {
		f.send(key, "GET", path("secrets/db"), "", 200)
		f.send(key, "GET", path("secrets/db/versions"), "", 200)
		f.send(key, "GET", path("secrets/db/versions/latest"), "", 200)
		f.send(key, "GET", path("secrets/db/stages/SYSCURRENT"), "", 200)
		f.send(key, "POST", path("secrets/db/versions"), `{"secret_string":"next","version_stages":["PENDING"]}`, 200)
		for _, r := range [][3]string{
			{"GET", path("secrets/db2"), ""}, {"GET", path("secrets/db2/versions/latest"), ""}, {"GET", path("secrets/plain/versions/latest"), ""},
			{"GET", path("secrets/unknown"), ""}, {"POST", path("secrets/db2/versions"), `{"secret_string":"x"}`},
			{"PUT", path("secrets/db2/stages/SYSCURRENT"), `{"version_id":"v1"}`},
			{"GET", elsewhere("secrets/db"), ""}, {"GET", elsewhere("secrets/db/versions/latest"), ""},
			{"GET", path("secrets"), ""}, {"DELETE", path("secrets/db"), ""}, {"PUT", path("secrets/db"), `{"description":"x"}`},
			{"POST", path("secrets/db/rotate"), ""}, {"DELETE", path("secrets/db/stages/PENDING"), ""}, {"POST", path("secrets"), `{"name":"n","secret_string":"x"}`},
			{"POST", path("secrets/batch-query"), `{"secret_names":["db"]}`},
			{"POST", kms("create-datakey"), `{"key_id":"` + own + `","key_spec":"AES_256"}`},
			{"POST", kms("decrypt-datakey"), `{"key_id":"` + own + `","cipher_text":"` + dataKey.Cipher + `","datakey_cipher_length":"64"}`},
			{"POST", kms("describe-key"), `{"key_id":"` + other + `"}`},
			{"POST", "/v3.0/OS-CREDENTIAL/securitytokens", `{"auth":{"identity":{"methods":["token"],"token":{}}}}`},
			{"POST", "/v3.0/OS-CREDENTIAL/credentials", `{"credential":{"user_id":""}}`},
		} {
			w := sendTemporary(t, f.Kit, key, r[0], r[1], r[2])
			if w.Code != 403 && w.Code != 404 || strings.Contains(w.Body.String(), `"v"`) {
				t.Errorf("%s %s: %d %s", r[0], r[1], w.Code, w.Body)
			}
		}
		f.send(key, "PUT", path("secrets/db/stages/SYSCURRENT"), `{"version_id":"v2"}`, 200)
		w := f.send(key, "GET", "/v5/caller-identity", "", 200)
		if !strings.Contains(w.Body.String(), `"principal_id":"rotation:`) {
			t.Errorf("caller identity: %s", w.Body)
		}
		return nil
	})
	var value struct {
		Version struct {
			Text string `json:"secret_string"`
		}
	}
	askOwner(t, f.Kit, "GET", path("secrets/db/versions/latest"), "", 200, &value)
	if value.Version.Text != "next" {
		t.Errorf("SYSCURRENT is %q; the function moved it", value.Version.Text)
	}
}

// neighbours.md 3.3: the key ends with its task, with its secret, and after 15 minutes.
// One task may have several, one for each call.
func TestTheKeyOfARotationEnds(t *testing.T) {
	f := newFunctionKey(t)
	for _, name := range []string{"a", "b", "c"} {
		f.secret(testkit.ProjectID, name, "")
	}
	var last temporary
	f.rotate("a", func(key temporary) error {
		last = key
		if want := "2026-01-01T00:15:01.000000Z"; key.Credential.ExpiresAt != want {
			t.Errorf("the key lives until %s; want %s", key.Credential.ExpiresAt, want)
		}
		f.send(key, "POST", path("secrets/a/versions"), `{"secret_string":"next"}`, 200)
		return nil
	})
	f.send(last, "GET", path("secrets/a"), "", 401)

	f.rotate("b", func(key temporary) error {
		last = key
		return errors.New("again")
	})
	f.send(last, "GET", path("secrets/b"), "", 200) // the task runs, so its function may still end its work
	f.Move(15*time.Minute - time.Millisecond)
	f.send(last, "GET", path("secrets/b"), "", 200)
	f.Move(time.Millisecond)
	f.send(last, "GET", path("secrets/b"), "", 401)
	f.fn = func(key temporary) error {
		f.send(key, "POST", path("secrets/b/versions"), `{"secret_string":"next"}`, 200)
		return nil
	}
	f.run()

	f.rotate("c", func(key temporary) error {
		last = key
		f.send(key, "GET", path("secrets/c"), "", 200)
		askOwner(t, f.Kit, "DELETE", path("secrets/c"), "", 204, nil)
		f.secret(testkit.ProjectID, "c", "") // another one of the same name
		f.send(key, "GET", path("secrets/c"), "", 401)
		f.send(key, "GET", path("secrets/c/versions/latest"), "", 401)
		return nil
	})
}

// ADR 24: the log names the task for everything that its key does, and the key nowhere.
func TestTheLogNamesTheRotation(t *testing.T) {
	f := newFunctionKey(t)
	f.secret(testkit.ProjectID, "db", "")
	var key temporary
	f.rotate("db", func(made temporary) error {
		key = made
		f.send(key, "POST", path("secrets/db/versions"), `{"secret_string":"next"}`, 200)
		f.send(key, "GET", path("secrets"), "", 403)
		return nil
	})
	f.send(key, "GET", path("secrets/db"), "", 401)
	var list struct{ Tasks []json.RawMessage }
	askOwner(t, f.Kit, "GET", path("csms/tasks?secret_name=db"), "", 200, &list)
	var task struct {
		ID string `json:"task_id"`
	}
	if err := json.Unmarshal(list.Tasks[0], &task); err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, line := range strings.Split(f.Log.String(), "\n") {
		for _, text := range []string{`"rotation key made"`, "msg=request ", `"not authenticated"`} {
			if strings.Contains(line, text) && strings.Contains(line, key.Credential.Access) && strings.Contains(line, "rotation_task_id="+task.ID) {
				counts[text]++
			}
		}
	}
	if counts[`"rotation key made"`] != 1 || counts["msg=request "] != 2 || counts[`"not authenticated"`] != 1 {
		t.Errorf("lines with the task: %v\n%s", counts, f.Log)
	}
	if strings.Contains(f.Log.String(), key.Credential.Secret) || strings.Contains(f.Log.String(), key.Credential.SecurityToken) {
		t.Error("the log holds a credential")
	}
}
