package function

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/outgoing"
	"coffer/internal/rotate"
)

const wall = 1_767_225_600

var (
	secret   = bytes.Repeat([]byte{7}, 24)
	loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	rotation = &rotate.Rotation{
		TaskID: "t1", Attempt: 2, OperateType: csms.OperateManual, Region: "cn-north-4", DomainID: "d1", ProjectID: "p1",
		SecretID: "s1", SecretName: "db-main", SecretType: csms.RDSFG, Config: `{"InstanceId":"i","SecretSubType":"MultiUser"}`, CurrentVersion: "v3",
	}
)

func newFunction(t *testing.T, url string, allow []netip.Prefix) *Function {
	t.Helper()
	f, err := New(Options{
		URL: url, Secret: secret, Client: outgoing.New(outgoing.Options{Allow: allow, Timeout: Timeout}),
		Now: func() time.Time { return time.Unix(wall, 0) }, Endpoint: "https://coffer.example.org",
	})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// answering returns a function in front of a server that answers so, and what the
// server has got.
func answering(t *testing.T, status int, answer string) (f *Function, body func() string, header func() http.Header) {
	t.Helper()
	var got []byte
	var head http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head = r.Header
		got, _ = io.ReadAll(r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	f = newFunction(t, server.URL+"/CANARY-path", loopback)
	return f, func() string { return string(got) }, func() http.Header { return head }
}

// TestTheFormOnTheWire protects neighbours.md 3.3: version 1 of the contract, signed.
func TestTheFormOnTheWire(t *testing.T) {
	f, body, header := answering(t, 200, `{"version_id":"v4"}`)
	if err := f.Change(t.Context(), rotation, nil); err != nil {
		t.Fatal(err)
	}
	want := `{"version":"1","task_id":"t1","attempt":2,"operate_type":"MANUAL","region":"cn-north-4","domain_id":"d1","project_id":"p1",` +
		`"secret_id":"s1","secret_name":"db-main","secret_type":"RDS-FG","rotation_config":"{\"InstanceId\":\"i\",\"SecretSubType\":\"MultiUser\"}",` +
		`"csms_endpoint":"https://coffer.example.org","current_version":"v3","idempotency_key":"t1:2"}`
	if diff := cmp.Diff(want, body()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("t1:2.1767225600." + want))
	for name, value := range map[string]string{
		"Content-Type": "application/json; charset=UTF-8", "Webhook-Id": "t1:2", "Webhook-Timestamp": "1767225600",
		"Webhook-Signature": "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	} {
		if got := header().Get(name); got != value {
			t.Errorf("%s = %q; want %q", name, got, value)
		}
	}
}

// neighbours.md 3.3: every call brings a key of its own, and what the function says of it
// is not shown.
func TestTheCredentialOfACall(t *testing.T) {
	f, body, _ := answering(t, 200, `{"error_code":"CANARYsecret","error_msg":"key CANARYsecret, token CANARYtoken."}`)
	calls := 0
	f.o.Credential = func(_ context.Context, r *rotate.Rotation) (*Credential, error) {
		calls++
		return &Credential{Access: "A" + r.TaskID, Secret: "CANARYsecret", SecurityToken: "CANARYtoken", ExpiresAt: "2026-01-01T00:15:00.000000Z"}, nil
	}
	for range 2 {
		err := rotate.Explain(f.Change(t.Context(), rotation, nil))
		if err.Code != CodeFailed || err.Msg != "key ***, token ***." {
			t.Errorf("failure %+v", err)
		}
	}
	want := `"credential":{"access":"At1","secret":"CANARYsecret","securitytoken":"CANARYtoken","expires_at":"2026-01-01T00:15:00.000000Z"}}`
	if !strings.HasSuffix(body(), want) || calls != 2 {
		t.Errorf("%d keys, request %s", calls, body())
	}
	broken := errors.New("no key")
	f.o.Credential = func(context.Context, *rotate.Rotation) (*Credential, error) { return nil, broken }
	if err := f.Change(t.Context(), rotation, nil); !errors.Is(err, broken) {
		t.Errorf("without a key: %v", err)
	}
	if text := fmt.Sprintf("%v %+v", Credential{Access: "A", Secret: "CANARY"}, &Credential{Access: "A", SecurityToken: "CANARY"}); strings.Contains(text, "CANARY") {
		t.Errorf("printed: %s", text)
	}
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct {
		status int
		answer string
		want   rotate.Error
	}{
		{200, `{}`, rotate.Error{}},
		{200, ``, rotate.Error{}},
		{200, `{"error_code":"","error_msg":""}`, rotate.Error{}},
		{200, `{"error_code":"DB.1","error_msg":"login refused"}`, rotate.Error{Code: "DB.1", Msg: "login refused"}},
		{200, `{"error_msg":"line 1\nline\u0000 2"}`, rotate.Error{Code: CodeFailed, Msg: "line 1 line  2"}},
		{200, `{"error_code":"not <a> code","error_msg":"x"}`, rotate.Error{Code: CodeFailed, Msg: "x"}},
		{201, `{}`, rotate.Error{Code: CodeFailed}},
		{302, ``, rotate.Error{Code: CodeFailed}},
		{409, `{"error_msg":"busy"}`, rotate.Error{Code: rotate.CodeNotApplied, Msg: "busy"}},
		{500, `<html>CANARY`, rotate.Error{Code: CodeFailed}},
		{500, `{"error_code":"X"}`, rotate.Error{Code: "X"}},
	} {
		f, _, _ := answering(t, c.status, c.answer)
		err := f.Change(t.Context(), rotation, nil)
		if c.want.Code == "" {
			if err != nil {
				t.Errorf("%d %s: %v", c.status, c.answer, err)
			}
			continue
		}
		got := rotate.Explain(err)
		if got.Code != c.want.Code || c.want.Msg != "" && got.Msg != c.want.Msg || got.Msg == "" || got.Final || strings.Contains(got.Error(), "CANARY") {
			t.Errorf("%d %s: %+v", c.status, c.answer, got)
		}
	}
}

func TestFunctionsThatCannotBeCalled(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	address := server.URL
	if e := rotate.Explain(newFunction(t, address, nil).Change(t.Context(), rotation, nil)); e.Code != CodeAddress || !e.Final {
		t.Errorf("an address that was not allowed: %+v", e)
	}
	server.Close()
	if e := rotate.Explain(newFunction(t, address, loopback).Change(t.Context(), rotation, nil)); e.Code != CodeUnreachable || e.Final {
		t.Errorf("a server that is down: %+v", e)
	}
	for _, bad := range []string{"", "ftp://h/x", "//h", "http:///x", "https://user:pass@h/x", "http://h:%"} {
		if _, err := New(Options{URL: bad}); err == nil || strings.Contains(err.Error(), "pass") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzJudge: whatever a function answers, what is shown of it is one short line.
func FuzzJudge(f *testing.F) {
	f.Add(200, []byte(`{"error_code":"DB.1","error_msg":"login refused"}`))
	f.Add(500, []byte(`{"error_msg":"`+strings.Repeat("é", 600)+`"}`))
	function := &Function{host: "h"}
	f.Fuzz(func(t *testing.T, status int, answer []byte) {
		err := function.judge(status, answer, nil)
		if err == nil {
			if status != 200 {
				t.Errorf("%d is a success", status)
			}
			return
		}
		e := rotate.Explain(err)
		if e.Msg == "" || utf8.RuneCountInString(e.Msg) > maxText || !utf8.ValidString(e.Msg) || strings.ContainsAny(e.Msg, "\n\r\x00") || !codeForm.MatchString(string(e.Code)) {
			t.Errorf("%q: %q", e.Code, e.Msg)
		}
	})
}
