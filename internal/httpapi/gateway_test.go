package httpapi_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coffer/internal/testkit"
)

const projectPath = "/v1/" + testkit.ProjectID + "/"

// TestNoSuchAPI protects GWE3 and V5: what is no operation is 404 APIGW.0101, never
// 405 and never a redirect, and nobody needs credentials to hear it.
func TestNoSuchAPI(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	for _, line := range []string{
		"GET /nothing", "GET /v1", "GET /v1/", "GET /v2/x/secrets", "GET " + projectPath, "POST /healthz",
		"PATCH " + projectPath + "secrets", "DELETE " + projectPath + "secrets", "PUT " + projectPath + "secrets",
		"POST " + projectPath + "secrets/a", "PATCH " + projectPath + "secrets/a", "OPTIONS " + projectPath + "secrets/a", "TRACE " + projectPath + "secrets/a",
		"DELETE " + projectPath + "secrets/a/versions/v1", "PUT " + projectPath + "secrets/a/versions/", "POST " + projectPath + "secrets/a/versions/v1",
		"GET " + projectPath + "secrets/a/stages", "GET " + projectPath + "secrets/a/stages/", "POST " + projectPath + "secrets/a/stages/blue",
		"GET " + projectPath + "secrets/a/scheduled-deleted-tasks/create", "POST " + projectPath + "secrets/a/scheduled-deleted-tasks/",
		"GET " + projectPath + "secrets/a/nothing", "GET " + projectPath + "secrets/a/versions/v1/x",
		"HEAD /nothing", "GET /V1/" + testkit.ProjectID + "/secrets", "GET /dev/clock",
	} {
		method, target, _ := strings.Cut(line, " ")
		w := kit.Do("", method, target, "")
		if w.Code != 404 {
			t.Errorf("%s: %d %s", line, w.Code, w.Body)
			continue
		}
		checkAnswer(t, w, 404, "APIGW.0101")
	}
}

// TestDotSegments protects S6 of the clients: the mux would answer a redirect, which
// no SDK follows.
func TestDotSegments(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	for _, path := range []string{"./secrets", "../secrets", "secrets/..", "secrets/.", "secrets/a/../b", "secrets//./a", "secrets/../../../etc/passwd"} {
		checkAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+path, ""), 404, "APIGW.0101")
	}
	// Encoded they are no segments but a name, which the look-up takes (N2).
	checkAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets/%2e%2e", ""), 404, "CSMS.0106")
}

// TestPlaceholder protects T13 of the clients: a path parameter that was not filled
// in is 400 with a hint, before anything is known of the caller.
func TestPlaceholder(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	for path, hint := range map[string]string{
		"/v1/%7Bproject_id%7D/secrets":                       "{project_id}; project id missing in client configuration.",
		"/v1/%7bproject_id%7d/secrets":                       "{project_id}; project id missing",
		"/v1/{project_id}/secrets":                           "{project_id}; project id missing",
		projectPath + "secrets/%7Bsecret_name%7D":            "{secret_name}; secret name missing",
		projectPath + "secrets/a/versions/%7Bversion_id%7D":  "{version_id}; version id missing",
		projectPath + "secrets/a/versions/x%7Bversion_id%7D": "{version_id}",
	} {
		w := kit.Do("", "GET", path, "")
		checkAnswer(t, w, 400, "APIGW.0201")
		if !strings.Contains(w.Body.String(), hint) {
			t.Errorf("%s: %s has no %s", path, w.Body, hint)
		}
	}
	// What looks like none is a name like any other.
	for _, name := range []string{"%7B%7D", "%7Bx", "%7BA%7D", "%7D%7Bx", "%7B" + strings.Repeat("x", 33) + "%7D"} {
		checkAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets/"+name, ""), 400, "CSMS.0002")
	}
}

// TestHead protects the ledger: HEAD is answered as GET, without a body.
func TestHead(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	server := httptest.NewServer(kit.API)
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodHead, server.URL+projectPath+"secrets", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	kit.Sign(testkit.Owner, r, "")
	answer, err := server.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusOK || len(body) > 0 || err != nil || answer.ContentLength < 20 || answer.Header.Get("X-Request-Id") == "" {
		t.Errorf("HEAD: %v, %q, %v", answer, body, err)
	}
}

// TestBodyLimit protects the 413 of section 15, whether the client announces the
// size or not.
func TestBodyLimit(t *testing.T) {
	const limit = 6 << 20
	kit := testkit.New(t, testkit.Options{})
	body := strings.Repeat(" ", limit-2) + "{}"
	send := func(body string, announced int64) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, projectPath+"secrets", strings.NewReader(body))
		kit.Sign(testkit.Owner, r, body)
		r.ContentLength = announced
		return kit.Send(r)
	}
	checkAnswer(t, send(body, limit), 400, "CSMS.0002")
	checkAnswer(t, send(body, -1), 400, "CSMS.0002")
	checkAnswer(t, send(" "+body, limit+1), 413, "APIGW.0201")
	checkAnswer(t, send(" "+body, -1), 413, "APIGW.0201")
	checkAnswer(t, send("", 1<<40), 413, "APIGW.0201")
}

// TestURILimit protects the 414 of the gateway.
func TestURILimit(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	target := func(n int) string {
		start := projectPath + "secrets?x="
		return start + strings.Repeat("x", n-len(start))
	}
	checkAnswer(t, kit.Do(testkit.Owner, "GET", target(32<<10), ""), 200, "")
	checkAnswer(t, kit.Do(testkit.Owner, "GET", target(32<<10+1), ""), 414, "APIGW.0201")
}

// exchangeRaw sends bytes over a connection and returns the one answer.
func exchangeRaw(t *testing.T, address, request string, half bool) (*http.Response, string) {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if half {
		_ = conn.(*net.TCPConn).CloseWrite()
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	return answer, string(body)
}

// TestOnTheWire sends what net/http does not let a client send.
func TestOnTheWire(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	server := httptest.NewServer(kit.API)
	defer server.Close()
	address := server.Listener.Addr().String()
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 1<<20, strings.Repeat("x", 1<<20))
	tests := map[string]struct {
		request string
		half    bool
		status  int
		code    string
	}{
		"an absolute form without a path": {request: "GET http://" + address + " HTTP/1.1\r\nHost: x\r\n\r\n", status: 300},
		"an absolute form":                {request: "GET http://" + address + projectPath + "secrets HTTP/1.1\r\nHost: x\r\n\r\n", status: 401, code: "APIGW.0301"},
		"an asterisk":                     {request: "GET * HTTP/1.1\r\nHost: x\r\n\r\n", status: 400},
		"a chunked body that is too large": {
			request: "POST " + projectPath + "secrets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat(chunk, 6) + "1\r\nx\r\n0\r\n\r\n",
			status:  413, code: "APIGW.0201",
		},
		"a body that is announced too large": {
			request: "POST " + projectPath + "secrets HTTP/1.1\r\nHost: x\r\nContent-Length: 6291457\r\n\r\n", status: 413, code: "APIGW.0201",
		},
		"a body that ends too early": {
			request: "POST " + projectPath + "secrets HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{}", half: true, status: 400, code: "APIGW.0201",
		},
		"a chunk that is none": {
			request: "POST " + projectPath + "secrets HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", status: 400, code: "APIGW.0201",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			answer, body := exchangeRaw(t, address, tt.request, tt.half)
			if answer.StatusCode != tt.status || !strings.Contains(body, tt.code) || answer.Header.Get("X-Request-Id") == "" {
				t.Errorf("answer %d %v %q; want %d %s", answer.StatusCode, answer.Header, body, tt.status, tt.code)
			}
		})
	}
}

// TestTimeout protects ER4: an operation that takes too long is 504 in the flat
// envelope of the gateway.
func TestTimeout(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	ctx, cancel := context.WithDeadline(t.Context(), time.UnixMilli(int64(testkit.Epoch)))
	defer cancel()
	r := httptest.NewRequest(http.MethodPost, projectPath+"secrets", strings.NewReader(`{"name":"a","secret_string":"x"}`)).WithContext(ctx)
	kit.Sign(testkit.Owner, r, `{"name":"a","secret_string":"x"}`)
	checkAnswer(t, kit.Send(r), 504, "APIGW.0201")
}

// TestProbes protects the paths that need no credentials.
func TestProbes(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	for path, want := range map[string]string{"/healthz": `{"status":"ok"}`, "/readyz": `{"status":"ready"}`} {
		w := kit.Do("", "GET", path, "")
		if w.Code != 200 || w.Body.String() != want || w.Header().Get("X-Request-Id") == "" {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	kit.API.Ready = func() error { return fmt.Errorf("the disk is full") }
	w := kit.Do("", "GET", "/readyz", "")
	if w.Code != 503 || strings.Contains(w.Body.String(), "disk") || !strings.Contains(kit.Log.String(), "the disk is full") {
		t.Errorf("not ready: %d %s", w.Code, w.Body)
	}
	checkAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets", ""), 200, "")
	metrics := kit.Do("", "GET", "/metrics", "")
	if !bytes.Contains(metrics.Body.Bytes(), []byte(`coffer_requests_total{code="",operation="ListSecrets",status="200"} 1`)) {
		t.Errorf("metrics: %s", metrics.Body)
	}
}
