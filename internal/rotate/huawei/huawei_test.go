package huawei

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/auth/signature"
	"coffer/internal/csms"
	"coffer/internal/outgoing"
	"coffer/internal/rotate"
	"coffer/internal/rotate/database"
	"coffer/internal/rotate/function"
)

const (
	project = "cloudproject0000000000000000000a"
	urn     = "urn:fss:cn-north-4:" + project + ":function:default:rotate:latest"
	secret  = "CANARY-pass-1"
)

// reply is one scripted answer.
type reply struct {
	status int
	body   string
}

// cloud is the other end: it checks every signature, notes every call and answers as
// scripted.
type cloud struct {
	t       *testing.T
	key     *signature.Key
	replies []reply
	calls   []string // method, path with query, and body
	headers []http.Header
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the sender gave up
	}
	header, err := signature.ParseHeader(r.Header.Get("Authorization"))
	if err != nil {
		c.t.Errorf("authorization: %v", err)
		return
	}
	message := signature.NewMessage(r, signature.BodyHash(body))
	if err := c.key.Verify(&header, &message, signature.RefuseUnsigned); err != nil {
		c.t.Errorf("signature: %v", err)
	}
	if r.Header.Get("X-Project-Id") != project || r.Header.Get("Content-Type") != "application/json" {
		c.t.Errorf("headers %v", r.Header)
	}
	c.calls = append(c.calls, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
	c.headers = append(c.headers, r.Header)
	next := reply{status: 200, body: "{}"}
	if len(c.replies) > 0 {
		next, c.replies = c.replies[0], c.replies[1:]
	}
	w.WriteHeader(next.status)
	_, _ = io.WriteString(w, next.body)
}

func newKey(t *testing.T) *signature.Key {
	t.Helper()
	key, err := signature.NewKey("CLOUDACCESSKEY000001", []byte("cloudSecretKey0123456789"))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newCloud(t *testing.T, replies ...reply) (*cloud, *Client) {
	t.Helper()
	c := &cloud{t: t, key: newKey(t), replies: replies}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	return c, client(t, server.URL, netip.MustParsePrefix("127.0.0.0/8"))
}

func client(t *testing.T, endpoint string, allow ...netip.Prefix) *Client {
	t.Helper()
	made, err := NewClient(Options{
		Endpoint: endpoint, Project: project, Key: newKey(t), Now: time.Now, Client: outgoing.New(outgoing.Options{Allow: allow}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(made.Close)
	return made
}

// noted is a timer that is over at once, and remembers how long it should have been.
func noted(waits *[]time.Duration) func(time.Duration) <-chan time.Time {
	return func(d time.Duration) <-chan time.Time {
		*waits = append(*waits, d)
		over := make(chan time.Time, 1)
		over <- time.Time{}
		return over
	}
}

func engine(t *testing.T, c *Client, kind string, waits *[]time.Duration) *Database {
	t.Helper()
	d, err := NewDatabase(c, kind, "in/1", noted(waits))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (c *cloud) want(want ...string) {
	c.t.Helper()
	if diff := cmp.Diff(want, c.calls); diff != "" {
		c.t.Errorf("calls (-want +got):\n%s", diff)
	}
	c.calls = nil
}

// neighbours.md 4.1: the call for an account, and that for an administrator.
func TestRDS(t *testing.T) {
	cloud, c := newCloud(t)
	d := engine(t, c, RDS, nil)
	for _, account := range []string{`app"1`, "root", "rdsuser"} {
		if err := d.Change(t.Context(), account, []byte(secret)); err != nil {
			t.Error(err)
		}
	}
	at := "POST /v3/" + project + "/instances/in%2F1/"
	cloud.want(at+`db_user/resetpwd {"name":"app\"1","password":"`+secret+`"}`, at+`password {"db_user_pwd":"`+secret+`"}`, at+`password {"db_user_pwd":"`+secret+`"}`)
	// Nothing can log in there, so a login is the same call again.
	if err := d.Verify(t.Context(), "app", []byte(secret)); err != nil {
		t.Error(err)
	}
	cloud.want(at + `db_user/resetpwd {"name":"app","password":"` + secret + `"}`)
	if err := d.Discard(t.Context(), "app"); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"", strings.Repeat("x", 33), "é1234567"} {
		if got := database.CodeOf(d.Change(t.Context(), "app", []byte(bad))); got != database.PasswordPolicy {
			t.Errorf("%q: %s", bad, got)
		}
	}
	cloud.want()
	if p := d.Policy(); p.Length != 24 || p.MaxLength != 32 {
		t.Errorf("policy %+v", p)
	}
}

// neighbours.md 4.1: the check of an instance, before anything is changed.
func TestInspect(t *testing.T) {
	cloud, c := newCloud(t, reply{200, `{"instances":[{"id":"other"},{"id":"in/1"}]}`}, reply{200, `{"instances":[]}`}, reply{401, `{}`})
	d := engine(t, c, RDS, nil)
	for _, want := range []database.Code{"", database.Unreachable, database.AdminRefused} {
		if got := database.CodeOf(d.Inspect(t.Context(), "app")); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	ask := "GET /v3/" + project + "/instances?id=in%2F1"
	cloud.want(ask, ask, ask)
}

// neighbours.md 4.1: TaurusDB answers with a job, which is looked at until it has ended.
func TestTaurusDB(t *testing.T) {
	running := reply{200, `{"job":{"status":"Running"}}`}
	cloud, c := newCloud(t, reply{202, `{"job_id":"j&1"}`}, running, running, running, running, running, reply{200, `{"job":{"status":"Completed"}}`})
	var waits []time.Duration
	d := engine(t, c, TaurusDB, &waits)
	if err := d.Change(t.Context(), "app@10.0.0.%", []byte(secret)); err != nil {
		t.Fatal(err)
	}
	job := "GET /v3/" + project + "/jobs?id=j%261"
	put := "PUT /v3/" + project + `/instances/in%2F1/db-users/password {"users":[{"host":"HOST","name":"NAME","password":"` + secret + `"}]}`
	named := func(name, host string) string { return strings.NewReplacer("NAME", name, "HOST", host).Replace(put) }
	cloud.want(named("app", "10.0.0.%"), job, job, job, job, job, job)
	if diff := cmp.Diff([]time.Duration{1e9, 2e9, 4e9, 8e9, 10e9, 10e9}, waits); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}

	cloud.replies = []reply{{202, `{"job_id":"j"}`}, {200, `{"job":{"status":"Failed","fail_reason":"CANARY"}}`}}
	if err := d.Change(t.Context(), "app", []byte(secret)); database.CodeOf(err) != database.Failed || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("a job that failed: %v", err)
	}
	if cloud.calls[0] != named("app", "%") {
		t.Errorf("call %s", cloud.calls[0])
	}
	cloud.replies = []reply{{202, `{"job":"j"}`}}
	if err := d.Change(t.Context(), "app", []byte(secret)); database.CodeOf(err) != database.Failed {
		t.Errorf("no job: %v", err)
	}
	cloud.replies = []reply{{202, `{"job_id":"j"}`}}
	waits = nil
	err := d.Change(t.Context(), "app", []byte(secret))
	var sum time.Duration
	for _, w := range waits {
		sum += w
	}
	if database.CodeOf(err) != database.Timeout || sum < jobTime || sum > jobTime+longPoll {
		t.Errorf("a job without an end: %v after %s", err, sum)
	}
	cloud.replies = []reply{{202, `{"job_id":"j"}`}}
	ctx, cancel := context.WithCancel(t.Context())
	d.after = func(time.Duration) <-chan time.Time { cancel(); return nil }
	if err := d.Change(ctx, "app", []byte(secret)); !errors.Is(err, context.Canceled) {
		t.Errorf("a server that stops: %v", err)
	}
}

// RO8: every refusal has the code of its cause, and its text nothing of the answer's.
func TestRefusalsOfDatabases(t *testing.T) {
	for _, c := range []struct {
		reply
		want database.Code
		text string
	}{
		{reply{400, `{"error_code":"DBS.200823","error_msg":"CANARY"}`}, database.Failed, "DBS.200823"},
		{reply{401, `{"error_code":"APIGW.0301","error_msg":"CANARY"}`}, database.AdminRefused, "APIGW.0301"},
		{reply{403, `{"errCode":"DBS.200010","externalMessage":"CANARY"}`}, database.Permission, "DBS.200010"},
		{reply{404, `CANARY`}, database.Unknown, "no code"},
		{reply{409, `{"error_code":"` + secret + `"}`}, database.Unavailable, "no code"},
		{reply{429, ``}, database.Unavailable, "429"},
		{reply{500, `{}`}, database.Unavailable, "500"},
		{reply{302, ``}, database.Failed, "302"},
	} {
		for _, kind := range []string{RDS, TaurusDB} {
			_, made := newCloud(t, c.reply)
			err := engine(t, made, kind, nil).Change(t.Context(), "app", []byte(secret))
			if database.CodeOf(err) != c.want || !strings.Contains(err.Error(), c.text) || strings.Contains(err.Error(), "CANARY") {
				t.Errorf("%s %d %s: %v", kind, c.status, c.body, err)
			}
		}
	}
	server := httptest.NewServer(http.NotFoundHandler())
	if err := engine(t, client(t, server.URL), RDS, nil).Change(t.Context(), "app", []byte(secret)); database.CodeOf(err) != database.Unreachable {
		t.Errorf("an address that may not be called: %v", err)
	}
	server.Close()
	down := engine(t, client(t, server.URL, netip.MustParsePrefix("127.0.0.0/8")), RDS, nil)
	if err := down.Change(t.Context(), "app", []byte(secret)); database.CodeOf(err) != database.Unreachable || strings.Contains(err.Error(), secret) {
		t.Errorf("a server that is down: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := down.Change(ctx, "app", []byte(secret)); database.CodeOf(err) != database.Timeout {
		t.Errorf("no time: %v", err)
	}
}

var rotation = &rotate.Rotation{TaskID: "t1", Attempt: 1, OperateType: csms.OperateAuto, SecretName: "db", SecretType: csms.GaussDB, FuncURN: urn, CurrentVersion: "v3"}

// neighbours.md 3.2, 3.3: the invocation, whose request never holds a key.
func TestFunctionGraph(t *testing.T) {
	cloud, c := newCloud(t, reply{200, `{"request_id":"r","result":"{\"version_id\":\"v4\"}","log":"","status":200}`})
	if err := NewFunctionGraph(c, urn, "https://coffer.example.org").Change(t.Context(), rotation, nil); err != nil {
		t.Fatal(err)
	}
	body, err := function.Request(rotation, "https://coffer.example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(body, []byte("credential")) || cloud.headers[0].Get("X-Cff-Request-Version") != "v1" {
		t.Errorf("headers %v, body %s", cloud.headers[0], body)
	}
	cloud.want("POST /v2/" + project + "/fgs/functions/" + urn + "/invocations " + string(body))
}

func TestAnswersOfFunctionGraph(t *testing.T) {
	for _, c := range []struct {
		reply
		want rotate.Error
	}{
		{reply{200, `{"result":{"version_id":"v4"},"status":200}`}, rotate.Error{}},
		{reply{200, `{"result":"null","status":0}`}, rotate.Error{}},
		{reply{200, `{"result":"{\"error_code\":\"DB.1\",\"error_msg\":\"refused\"}","status":200}`}, rotate.Error{Code: "DB.1", Msg: "refused"}},
		{reply{200, `{"result":{"error_code":"DB.1"},"status":200}`}, rotate.Error{Code: "DB.1", Msg: "The function ended with status 200."}},
		{reply{200, `{"error_code":"FSS.1100","result":"","status":500}`}, rotate.Error{Code: "FSS.1100", Msg: "The function ended with status 500."}},
		{reply{200, `{"result":"","status":500}`}, rotate.Error{Code: function.CodeFailed, Msg: "The function ended with status 500."}},
		{reply{200, `<html>`}, rotate.Error{Code: function.CodeFailed, Msg: "FunctionGraph answers with something else than the result of an invocation."}},
		{reply{404, `{"error_code":"FSS.0404","error_msg":"no"}`}, rotate.Error{Code: rotate.CodeFunctionNotFound, Final: true, Msg: "FunctionGraph does not have the function " + urn + "."}},
		{reply{403, `{"error_code":"FSS.0403","error_msg":"no right"}`}, rotate.Error{Code: "FSS.0403", Msg: "no right"}},
		{reply{429, ``}, rotate.Error{Code: function.CodeFailed, Msg: "FunctionGraph answers 429."}},
		{reply{202, `{"request_id":"r"}`}, rotate.Error{Code: function.CodeFailed, Msg: "FunctionGraph answers 202."}},
	} {
		_, made := newCloud(t, c.reply)
		err := NewFunctionGraph(made, urn, "").Change(t.Context(), rotation, nil)
		if c.want.Code == "" {
			if err != nil {
				t.Errorf("%s: %v", c.body, err)
			}
			continue
		}
		if diff := cmp.Diff(&c.want, rotate.Explain(err)); diff != "" {
			t.Errorf("%d %s (-want +got):\n%s", c.status, c.body, diff)
		}
	}
	server := httptest.NewServer(http.NotFoundHandler())
	if e := rotate.Explain(NewFunctionGraph(client(t, server.URL), urn, "").Change(t.Context(), rotation, nil)); e.Code != function.CodeAddress || !e.Final {
		t.Errorf("an address that may not be called: %+v", e)
	}
	server.Close()
	down := NewFunctionGraph(client(t, server.URL, netip.MustParsePrefix("127.0.0.0/8")), urn, "")
	if e := rotate.Explain(down.Change(t.Context(), rotation, nil)); e.Code != function.CodeUnreachable || e.Final {
		t.Errorf("a server that is down: %+v", e)
	}
	down.Close()
}

func TestClientsThatAreRefused(t *testing.T) {
	for _, o := range []Options{
		{Project: project}, {Endpoint: "ftp://h", Project: project}, {Endpoint: "https://h/v3", Project: project},
		{Endpoint: "https://u:p@h", Project: project}, {Endpoint: "https://h?x", Project: project}, {Endpoint: "https://h"},
	} {
		if _, err := NewClient(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	if _, err := NewDatabase(nil, "rds", "i", nil); err == nil {
		t.Error("an unknown engine is taken")
	}
}

// FuzzAnswers: whatever the cloud answers, nothing of a text of it is shown beside codes.
func FuzzAnswers(f *testing.F) {
	f.Add(400, []byte(`{"error_code":"DBS.200823","error_msg":"x"}`))
	f.Add(200, []byte(`{"result":"{}","status":200}`))
	c := &Client{host: "h"}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		answer := &outgoing.Answer{Status: status, Body: body}
		err := (&Database{c: c, instance: "i"}).refusal(answer)
		if (err == nil) != (status >= 200 && status < 300) || err != nil && len(err.Error()) > 120 {
			t.Errorf("%d: %v", status, err)
		}
		if err := (&FunctionGraph{c: c}).judge(answer); err == nil && status != 200 {
			t.Errorf("%d is a success", status)
		}
	})
}
