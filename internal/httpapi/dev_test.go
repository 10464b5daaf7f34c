package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"coffer/internal/testkit"
)

// dev sends a request to the controls of dev mode from this host.
func dev(kit *testkit.Kit, method, target, body string) *httptest.ResponseRecorder {
	return devFrom(kit, "127.0.0.1:5000", method, target, body)
}

func devFrom(kit *testkit.Kit, remote, method, target, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.RemoteAddr = remote
	return kit.Send(r)
}

const statePath = "/dev/projects/" + testkit.ProjectID + "/secrets/a/state"

// TestDevClock protects the held clock: advancing it does everything that has become
// due before it answers.
func TestDevClock(t *testing.T) {
	kit := testkit.New(t, testkit.Options{Dev: true})
	kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"a","secret_string":"x"}`)
	kit.Do(testkit.Owner, "POST", projectPath+"secrets/a/scheduled-deleted-tasks/create", `{"recovery_window_in_days":7}`)
	for _, tt := range []struct{ method, body, want string }{
		{"GET", "", `{"now":1767225600000}`},
		{"POST", `{"advance":"167h59m59.999s"}`, `{"now":1767830399999}`},
		{"GET", "", `{"now":1767830399999}`},
	} {
		if w := dev(kit, tt.method, "/dev/clock", tt.body); w.Code != 200 || w.Body.String() != tt.want {
			t.Errorf("%s %s: %d %s; want %s", tt.method, tt.body, w.Code, w.Body, tt.want)
		}
	}
	checkAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets/a", ""), 200, "")
	checkAnswer(t, dev(kit, "POST", "/dev/clock", `{"advance":"1ms"}`), 200, "")
	checkAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets/a", ""), 404, "CSMS.0106")
	if !strings.Contains(kit.Log.String(), "secret destroyed as scheduled") {
		t.Error("the sweep had not run when the answer came")
	}
}

func TestDevClockRefuses(t *testing.T) {
	kit := testkit.New(t, testkit.Options{Dev: true})
	for body, code := range map[string]string{
		`{}`: "CSMS.0002", `{"advance":"0s"}`: "CSMS.0002", `{"advance":"-1h"}`: "CSMS.0002", `{"advance":"7d"}`: "CSMS.0002",
		`{"advance":168}`: "CSMS.0002", ``: "CSMS.0004", `{"advance"`: "CSMS.0004",
	} {
		checkAnswer(t, dev(kit, "POST", "/dev/clock", body), 400, code)
	}
	if w := dev(kit, "GET", "/dev/clock", ""); w.Body.String() != `{"now":1767225600000}` {
		t.Errorf("the clock moved: %s", w.Body)
	}
}

// TestDevState protects the switch of S6: what no operation of the API does.
func TestDevState(t *testing.T) {
	kit := testkit.New(t, testkit.Options{Dev: true})
	kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"a","secret_string":"x"}`)
	for _, state := range []string{"DISABLED", "FROZEN", "ENABLED"} {
		w := dev(kit, "PUT", statePath, `{"state":"`+state+`"}`)
		checkAnswer(t, w, 200, "")
		if !strings.Contains(w.Body.String(), `"state":"`+state+`"`) {
			t.Errorf("%s: %s", state, w.Body)
		}
	}
	for _, body := range []string{`{}`, `{"state":"PENDING_DELETE"}`, `{"state":"enabled"}`, `{"state":1}`} {
		checkAnswer(t, dev(kit, "PUT", statePath, body), 400, "CSMS.0002")
	}
	checkAnswer(t, dev(kit, "PUT", strings.Replace(statePath, "/a/", "/b/", 1), `{"state":"DISABLED"}`), 404, "CSMS.0106")
	kit.Do(testkit.Owner, "POST", projectPath+"secrets/a/scheduled-deleted-tasks/create", "")
	checkAnswer(t, dev(kit, "PUT", statePath, `{"state":"ENABLED"}`), 400, "CSMS.0103")
}

// TestDevOnLoopbackOnly protects the controls, which need no credentials: from other
// hosts, and from web pages that a browser on this one has open, they are not there.
func TestDevOnLoopbackOnly(t *testing.T) {
	kit := testkit.New(t, testkit.Options{Dev: true})
	for _, line := range []string{"GET /dev/clock", "POST /dev/clock", "POST /dev/reset", "PUT " + statePath} {
		method, target, _ := strings.Cut(line, " ")
		for _, remote := range []string{"192.0.2.1:5000", "[2001:db8::1]:5000", "127.0.0.1", "", "localhost:5000", "0.0.0.0:1"} {
			checkAnswer(t, devFrom(kit, remote, method, target, "{}"), 404, "APIGW.0101")
		}
		r := httptest.NewRequest(method, target, strings.NewReader("{}"))
		r.RemoteAddr = "127.0.0.1:5000"
		r.Header.Set("Origin", "http://127.0.0.1:8080")
		checkAnswer(t, kit.Send(r), 404, "APIGW.0101")
	}
	for _, remote := range []string{"127.0.0.1:5000", "127.9.9.9:1", "[::1]:5000", "[::ffff:127.0.0.1]:5000"} {
		checkAnswer(t, devFrom(kit, remote, "GET", "/dev/clock", ""), 200, "")
	}
}

// TestDevForwardedIsNotBelieved protects the controls behind a proxy: the peer
// counts, not what he says.
func TestDevForwardedIsNotBelieved(t *testing.T) {
	kit := testkit.New(t, testkit.Options{Dev: true})
	r := httptest.NewRequest(http.MethodGet, "/dev/clock", nil)
	r.RemoteAddr = "192.0.2.1:5000"
	r.Header.Set("X-Forwarded-For", "127.0.0.1")
	checkAnswer(t, kit.Send(r), 404, "APIGW.0101")
}

func TestNoDevControlsElsewhere(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	for _, line := range []string{"GET /dev/clock", "POST /dev/clock", "POST /dev/reset", "PUT " + statePath} {
		method, target, _ := strings.Cut(line, " ")
		checkAnswer(t, dev(kit, method, target, "{}"), 404, "APIGW.0101")
	}
}
