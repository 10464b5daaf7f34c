package httpapi_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"coffer/internal/testkit"
)

// The canary is a value that must be seen nowhere but in the answer to who may read
// it.
const canary = "canary-5f0c1e9b7a"

// canaryForms are the canary and what an encoder can have made of it.
func canaryForms() []string {
	return []string{canary, canary[7:], base64.StdEncoding.EncodeToString([]byte(canary))[:20], hex.EncodeToString([]byte(canary))}
}

// watch is a kit whose log, metrics and error answers are searched for the canary.
type watch struct {
	*corpusCase
}

func newWatch(t *testing.T) *watch {
	w := &watch{&corpusCase{t: t, kit: testkit.New(t, testkit.Options{Identities: corpusUsers, Limits: corpusLimits})}}
	w.step(`POST secrets {"name":"a","secret_string":"` + canary + `"}`)
	return w
}

// refused sends a request that must fail, and searches the answer.
func (w *watch) refused(user, method, path, body string) {
	w.t.Helper()
	answer := w.kit.Do(user, method, projectPath+path, body)
	if answer.Code < 400 {
		w.t.Errorf("%s %s %.60s: %d", method, path, body, answer.Code)
	}
	w.search("the answer to "+method+" "+path, answer.Body.String())
	w.searchHeaders(answer)
}

func (w *watch) searchHeaders(answer *httptest.ResponseRecorder) {
	w.t.Helper()
	for name, values := range answer.Header() {
		w.search("header "+name, strings.Join(values, ","))
	}
}

func (w *watch) search(where, text string) {
	w.t.Helper()
	for _, form := range canaryForms() {
		if i := strings.Index(text, form); i >= 0 {
			w.t.Errorf("the canary is in %s: %.200s", where, text[max(0, i-80):])
		}
	}
}

// finish searches what was written beside the answers.
func (w *watch) finish() {
	w.t.Helper()
	w.search("the log", w.kit.Log.String())
	w.search("the metrics", w.kit.Do("", "GET", "/metrics", "").Body.String())
	if w.kit.Log.Len() == 0 {
		w.t.Error("nothing was logged; the search proves nothing")
	}
}

// TestCanaryInBadBodies sends the canary in bodies that are refused for their form.
func TestCanaryInBadBodies(t *testing.T) {
	w := newWatch(t)
	long := strings.Repeat(canary, 32769/len(canary)+1)
	bodies := []string{
		canary, `"` + canary + `"`, `["` + canary + `"]`, `{"` + canary, `{"secret_string":"` + canary, `{"secret_string":"` + canary + `"`,
		`{"secret_string":"` + canary + `"}` + canary, "{\"secret_string\":\"" + canary + "\xff\"}", "{\"secret_string\":\"" + canary + "\n\"}",
		`{"secret_string":"` + canary + `","name":5}`, `{"secret_string":["` + canary + `"]}`, `{"secret_string":{"` + canary + `":1}}`,
		`{"secret_string":"` + canary + `\ud83d"}`, `{"secret_string":"` + canary + `","secret_binary":"1010"}`, `{"secret_binary":"` + canary + `"}`,
		`{"secret_string":"` + long + `"}`, `{"secret_binary":"` + long + `"}`, `{"secret_string":"` + canary + `","expire_time":"` + canary + `"}`,
		`{"secret_string":"` + canary + `","version_stages":["` + canary + `!"]}`, `{"secret_string":"` + canary + `","version_stages":"` + canary + `"}`,
		`{"secret_string":"` + canary + `","name":"` + canary + `!"}`, `{"secret_string":"` + canary + `","name":"b","secret_type":"` + canary + `"}`,
		`{"secret_string":"` + canary + `","name":"b","rotation_period":"` + canary + `"}`, `{"secret_string":"` + canary + `","name":"b","kms_key_id":"k"}`,
		`{"secret_string":"` + canary + `","name":"b","event_subscriptions":["` + canary + `!"]}`, `{"recovery_window_in_days":"` + canary + `"}`,
		`{"instance_type":"` + canary + `"}`, `{"secret_name_list":["` + canary + `!"]}`, `{"version_id":"` + canary + `"}`, `{"expire_time":"` + canary + `"}`,
		`{"description":["` + canary + `"]}`, `{"name":"` + canary + `!","version_id":"v1"}`, strings.Repeat(canary, (6<<20)/len(canary)+1),
	}
	for i := range operations {
		if o := &operations[i]; o.body != "" {
			for _, body := range bodies {
				if answer := w.kit.Do("", o.method, projectPath+o.path, body); answer.Code < 400 {
					t.Errorf("%s without credentials: %d", o.name, answer.Code)
				}
				for _, user := range []string{testkit.Owner, "nobody"} {
					answer := w.kit.Do(user, o.method, projectPath+o.path, body)
					if answer.Code >= 400 {
						w.search("the answer of "+o.name, answer.Body.String())
						w.searchHeaders(answer)
					}
				}
			}
		}
	}
	w.finish()
}

// TestCanaryInRefusals sends good bodies with the canary to where they are refused
// for any other reason there is.
func TestCanaryInRefusals(t *testing.T) {
	w := newWatch(t)
	create := func(name, more string) string {
		return `{"name":"` + name + `","secret_string":"` + canary + `"` + more + `}`
	}
	value := `{"secret_string":"` + canary + `"}`

	w.refused("", "POST", "secrets", create("b", ""))
	w.refused("nobody", "POST", "secrets", create("b", ""))
	w.refused(testkit.Owner, "POST", "secrets", create("a", ""))
	w.refused(testkit.Owner, "POST", "secrets", create("b.c", ""))
	w.refused(testkit.Owner, "POST", "secrets", create("b", `,"kms_key_id":"bb6a3d22-93ac-47ac-b5bd-88df7ad35f1e"`))
	w.refused(testkit.Owner, "POST", "secrets", create("b", `,"event_subscriptions":["nightly"]`))
	w.refused(testkit.Owner, "POST", "secrets", create("b", `,"enterprise_project_id":"1"`))
	w.refused(testkit.Owner, "POST", "secrets/b/versions", value)
	w.refused(testkit.Owner, "POST", "nothing", value)
	w.refused(testkit.Owner, "POST", "secrets/%7Bsecret_name%7D/versions", value)
	w.refused(testkit.Owner, "POST", "secrets/../versions", value)
	w.refused(testkit.Owner, "POST", "secrets/a/versions", `{"secret_string":"`+canary+`","version_stages":["x","x"]}`)
	w.refused(testkit.Owner, "POST", "secrets/a/versions", `{"secret_string":"`+canary+`","expire_time":1}`)

	w.step("state a DISABLED")
	w.refused(testkit.Owner, "POST", "secrets/a/versions", value)
	w.refused(testkit.Owner, "GET", "secrets/a/versions/latest", "")
	w.step("state a FROZEN")
	w.refused(testkit.Owner, "POST", "secrets/a/versions", value)
	w.step("state a ENABLED")
	w.step("POST secrets/a/scheduled-deleted-tasks/create")
	w.refused(testkit.Owner, "POST", "secrets/a/versions", value)
	w.refused(testkit.Owner, "POST", "secrets/batch-get-secret-value", `{"secret_name_list":["a"]}`)
	for _, name := range []string{"q1", "q2", "q3", "q4"} {
		w.step("POST secrets " + create(name, ""))
	}
	w.refused(testkit.Owner, "POST", "secrets", create("q5", ""))
	w.finish()
}

// TestCanaryInSuccess reads and writes the canary: only the answers that carry values
// hold it.
func TestCanaryInSuccess(t *testing.T) {
	w := newWatch(t)
	for _, line := range []string{
		"POST secrets/a/versions {\"secret_string\":\"" + canary + "\"}", "GET secrets", "GET secrets/a", "GET secrets/a/versions",
		"PUT secrets/a/stages/blue {\"version_id\":\"v1\"}", "GET secrets/a/stages/blue", "PUT secrets/a/versions/v1 {\"expire_time\":1767229200000}",
		"PUT secrets/a {\"description\":\"x\"}", "POST secrets/a/scheduled-deleted-tasks/create", "POST secrets/a/scheduled-deleted-tasks/cancel",
		"POST secrets/a/replicas {\"region\":\"cn-east-3\"}",
	} {
		answer := w.send(line)
		if answer.Code >= 300 {
			t.Errorf("%s: %d", line, answer.Code)
		}
		w.search("the answer to "+line, answer.Body.String())
	}
	w.step("clock 1s") // makes the replica
	replica := "/v1/" + testkit.EastProjectID + "/secrets/a/versions/latest"
	for _, line := range []string{"GET secrets/a/versions/latest", "GET " + replica, `POST secrets/batch-get-secret-value {"secret_name_list":["a"]}`} {
		if answer := w.send(line); !strings.Contains(answer.Body.String(), canary) {
			t.Errorf("%s has no value; the search proves nothing", line)
		}
	}
	w.finish()
}

// TestCanaryInInternalErrors sends the canary to a store that fails.
func TestCanaryInInternalErrors(t *testing.T) {
	w := newWatch(t)
	if err := w.kit.DB.Close(); err != nil {
		t.Fatal(err)
	}
	w.refused(testkit.Owner, "POST", "secrets", `{"name":"b","secret_string":"`+canary+`"}`)
	w.refused(testkit.Owner, "POST", "secrets/a/versions", `{"secret_string":"`+canary+`"}`)
	w.refused(testkit.Owner, "GET", "secrets/a/versions/latest", "")
	w.finish()
}

// TestCanaryInCredentials sends the canary as every credential there is.
func TestCanaryInCredentials(t *testing.T) {
	w := newWatch(t)
	for _, header := range []string{
		"X-Auth-Token: " + canary, "Authorization: Bearer " + canary, "Authorization: SDK-HMAC-SHA256 " + canary,
		"Authorization: SDK-HMAC-SHA256 Access=NOBODYACCESSKEY00001, SignedHeaders=x-sdk-date, Signature=" + fmt.Sprintf("%064x", canary),
		"Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(canary)),
	} {
		name, value, _ := strings.Cut(header, ": ")
		r := httptest.NewRequest(http.MethodGet, projectPath+"secrets", nil)
		r.Header.Set(name, value)
		r.Header.Set("X-Security-Token", canary)
		answer := w.kit.Send(r)
		checkAnswer(t, answer, 401, "APIGW.0301")
		w.search("the answer to "+name, answer.Body.String())
	}
	login := `{"auth":{"identity":{"methods":["password"],"password":{"user":{"name":"owner","password":"` + canary + `","domain":{"name":"acme"}}}}}}`
	answer := w.kit.Do("", "POST", "/v3/auth/tokens", login)
	if answer.Code != 401 {
		t.Errorf("login: %d", answer.Code)
	}
	w.search("the answer to a login", answer.Body.String())
	w.finish()
}
