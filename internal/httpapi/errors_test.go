package httpapi_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"coffer/internal/httpapi"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// errorLines returns the lines of a log at level ERROR.
func errorLines(log *bytes.Buffer) []string {
	var lines []string
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "level=ERROR") {
			lines = append(lines, line)
		}
	}
	return lines
}

const internalError = `{"error_code":"CSMS.0001","error_msg":"Internal error."}`

// TestInternalErrorOfTheStore protects law 10: whatever operation meets a store that
// fails, the caller gets the fixed text, and the log the cause, once.
func TestInternalErrorOfTheStore(t *testing.T) {
	for i := range operations {
		o := &operations[i]
		t.Run(o.name, func(t *testing.T) {
			c := o.newCase(t)
			if err := c.kit.DB.Close(); err != nil {
				t.Fatal(err)
			}
			c.kit.Log.Reset()
			w := o.request(c, testkit.Owner, o.body, nil)
			if o.parts {
				checkAnswer(t, w, o.status, "")
				return
			}
			checkAnswer(t, w, 500, "CSMS.0001")
			if string(unwrapped(w.Body.Bytes())) != internalError {
				t.Errorf("answer: %s", w.Body)
			}
			lines := errorLines(c.kit.Log)
			if len(lines) != 1 || !strings.Contains(lines[0], "closed") || !strings.Contains(lines[0], "request_id=") {
				t.Errorf("log: %q", lines)
			}
		})
	}
}

// TestInternalErrorOfAValue protects law 10 for a value that is damaged: it does not
// open, and nothing of it is told.
func TestInternalErrorOfAValue(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"a","secret_string":"x"}`)
	sec, err := kit.Store.Secret(t.Context(), testkit.ProjectID, "a")
	if err != nil {
		t.Fatal(err)
	}
	err = kit.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.PutValue(sec.ID, 1, []byte("canary of a damaged value")) })
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []operation{
		{method: "GET", path: "secrets/a/versions/latest"},
		{method: "POST", path: "secrets/batch-get-secret-value", body: `{"secret_name_list":["a"]}`},
	} {
		kit.Log.Reset()
		w := kit.Do(testkit.Owner, o.method, projectPath+o.path, o.body)
		checkAnswer(t, w, 500, "CSMS.0001")
		if w.Body.String() != internalError || len(errorLines(kit.Log)) != 1 || strings.Contains(kit.Log.String(), "canary") {
			t.Errorf("answer %s, log %q", w.Body, errorLines(kit.Log))
		}
	}
	checkAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets/a", ""), 200, "")
}

// newBare returns an API without services whose POST /dev/reset does what reset does.
func newBare(log *slog.Logger, reset func() error) *httpapi.API {
	return httpapi.New(httpapi.Options{
		Logger: log, Access: log, Metrics: httpapi.NewMetrics(prometheus.NewRegistry()),
		NewRequestID: func() string { return strings.Repeat("7", 32) }, WallNow: func() time.Time { return time.UnixMilli(int64(testkit.Epoch)) },
		BodyLimit: 1 << 20, Timeout: time.Minute,
		Dev: &httpapi.Dev{Reset: func(context.Context) error { return reset() }},
	})
}

func resetRequest() *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/dev/reset", nil)
	r.RemoteAddr = "127.0.0.1:5000"
	return r
}

// TestPanic protects the caller and the log: a panic is a 500 with the fixed text,
// told once with its place, and counted.
func TestPanic(t *testing.T) {
	var out bytes.Buffer
	api := newBare(slog.New(slog.NewTextHandler(&out, nil)), func() error { panic("the canary of a panic") })
	w := httptest.NewRecorder()
	api.ServeHTTP(w, resetRequest())
	checkAnswer(t, w, 500, "CSMS.0001")
	if w.Body.String() != internalError {
		t.Errorf("answer: %s", w.Body)
	}
	lines := errorLines(&out)
	if len(lines) != 1 || !strings.Contains(lines[0], "the canary of a panic") || !strings.Contains(lines[0], "errors_test.go") {
		t.Errorf("log: %q", lines)
	}
	if n := strings.Count(out.String(), "msg=request "); n != 1 || !strings.Contains(out.String(), "operation=ResetDev") {
		t.Errorf("the access log has %d lines: %s", n, out.String())
	}
	w = httptest.NewRecorder()
	api.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if !strings.Contains(w.Body.String(), `coffer_requests_total{code="CSMS.0001",operation="ResetDev",status="500"} 1`) {
		t.Errorf("metrics: %s", w.Body)
	}
}

// TestPanicOfAnAbort protects net/http, which wants this panic for itself.
func TestPanicOfAnAbort(t *testing.T) {
	var out bytes.Buffer
	api := newBare(slog.New(slog.NewTextHandler(&out, nil)), func() error { panic(http.ErrAbortHandler) })
	defer func() {
		if p := recover(); p != http.ErrAbortHandler { //nolint:errorlint // as net/http compares it
			t.Errorf("recovered %v", p)
		}
		if len(errorLines(&out)) != 0 || strings.Count(out.String(), "msg=request ") != 1 {
			t.Errorf("log: %s", out.String())
		}
	}()
	api.ServeHTTP(httptest.NewRecorder(), resetRequest())
}

// TestInternalTextStaysInside protects law 10 for an error of any text.
func TestInternalTextStaysInside(t *testing.T) {
	var out bytes.Buffer
	api := newBare(slog.New(slog.NewTextHandler(&out, nil)), func() error { return errors.New("dialling 10.0.0.7: no route") })
	w := httptest.NewRecorder()
	api.ServeHTTP(w, resetRequest())
	if w.Body.String() != internalError || len(errorLines(&out)) != 1 || !strings.Contains(out.String(), "10.0.0.7") {
		t.Errorf("answer %s, log %s", w.Body, out.String())
	}
}
