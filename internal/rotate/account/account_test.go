package account

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/rotate"
	"coffer/internal/rotate/database"
	"coffer/internal/rotate/postgresql"
)

func value(text string) csms.Plaintext { return csms.Plaintext(text) }

// newAccount returns an Account in front of a port that nobody listens on: what is
// tested here never gets as far as a server.
func newAccount(t *testing.T, rotates ...string) *Account {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := l.Addr().(*net.TCPAddr).Port
	l.Close()
	who := func(context.Context) (database.Credential, error) { return database.Credential{User: "admin"}, nil }
	engine, err := postgresql.New(database.Target{Host: "127.0.0.1", Port: closed, Administrator: who}, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return New(engine, rand.Reader, &csms.DatabaseTarget{
		InstanceID: "i", Engine: csms.PostgreSQL, Host: "127.0.0.1", Port: closed, AdminSecret: "admin", Accounts: rotates,
	})
}

// TestNewValue protects neighbours.md 4.2 step 1 and B4: the first name counts, and
// everything but the password stays as it was written.
func TestNewValue(t *testing.T) {
	for before, after := range map[string]string{
		`{"username":"app","password":"old"}`:                                  `{"username":"app","password":"NEW"}`,
		"{ \"pwd\" :\t\"old\" , \"account\":\"app\", \"port\":5432.0 }\n":      "{ \"pwd\" :\t\"NEW\" , \"account\":\"app\", \"port\":5432.0 }\n",
		`{"passwd":"other","user":"app","password":"a\"b","x":{"password":1}}`: `{"passwd":"other","user":"app","password":"NEW","x":{"password":1}}`,
		`{"name":"A full name","username":"app","password":"\u0061"}`:          `{"name":"A full name","username":"app","password":"NEW"}`,
		`{"x":1,"x":2,"user":"app","password":""}`:                             `{"x":1,"x":2,"user":"app","password":"NEW"}`,
	} {
		got, err := newAccount(t, "app").NewValue(t.Context(), &rotate.Rotation{}, value(before))
		if err != nil {
			t.Errorf("%s: %v", before, err)
			continue
		}
		l, err := parse(got)
		if err != nil {
			t.Fatal(err)
		}
		if len(l.password) != 24 || l.account != "app" {
			t.Errorf("%s: account %s with a password of %d characters", before, l.account, len(l.password))
		}
		if diff := cmp.Diff(after, strings.Replace(string(got), string(l.password), "NEW", 1)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
}

func TestValuesThatNameNoAccount(t *testing.T) {
	for _, text := range []string{
		``, `x`, `[]`, `"text"`, `null`, `{}`, `{"username":"app"}`, `{"password":"p"}`, `{"username":"","password":"p"}`, `{"username":1,"password":"p"}`,
		`{"username":"app","password":null}`, `{"username":"app","password":{"a":"b"}}`, `{"username":"app","password":"p"} {}`, `{"username":"app","password":"p"`,
		`{"Username":"app","password":"p"}`, `{"username":"app","username":"root","password":"p"}`, `{"username":"app","password":"p","password":"q"}`,
	} {
		_, err := newAccount(t, "app").NewValue(t.Context(), &rotate.Rotation{}, value(text))
		if e := rotate.Explain(err); e.Code != CodeValueUnreadable || !e.Final {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestASecondAccountIsNeeded(t *testing.T) {
	_, err := newAccount(t, "app").NewValue(t.Context(), &rotate.Rotation{SecretName: "db"}, nil)
	if e := rotate.Explain(err); e.Code != CodeNoSecondAccount || !e.Final {
		t.Error(err)
	}
}

// TestOnlyListedAccountsRotate: at every step, since the value may have been written by
// anybody who may write the secret.
func TestOnlyListedAccountsRotate(t *testing.T) {
	a, v := newAccount(t, "app"), &rotate.Values{New: value(`{"username":"root","password":"p"}`)}
	_, made := a.NewValue(t.Context(), &rotate.Rotation{}, v.New)
	for _, err := range []error{made, a.Change(t.Context(), nil, v), a.Verify(t.Context(), nil, v)} {
		if e := rotate.Explain(err); e.Code != CodeAccountNotAllowed || !e.Final {
			t.Error(err)
		}
	}
}

func TestFailuresKeepTheirCode(t *testing.T) {
	a := newAccount(t, "app", "a\x00b")
	for text, want := range map[string]rotate.Error{
		`{"username":"app","password":"p"}`:      {Code: "HOST_UNREACHABLE", Final: false},
		`{"username":"a\u0000b","password":"p"}`: {Code: "ACCOUNT_UNKNOWN", Final: true},
	} {
		v := &rotate.Values{New: value(text)}
		for _, err := range []error{a.Change(t.Context(), nil, v), a.Verify(t.Context(), nil, v)} {
			if e := rotate.Explain(err); e.Code != want.Code || e.Final != want.Final || e.Msg == "" {
				t.Errorf("%s: %+v", text, e)
			}
		}
	}
}

// What the rotation acts upon are the words of the engines, and only an answer that was
// lost leaves open what the source has.
func TestTheWordsOfEngines(t *testing.T) {
	for code, want := range map[database.Code]rotate.Error{
		database.LoginRefused:   {Code: rotate.CodeLoginRefused},
		database.PasswordPolicy: {Code: rotate.CodePasswordPolicy, Final: true},
		database.Timeout:        {Code: "TIMEOUT", Unsure: true},
		database.Unavailable:    {Code: "SERVER_UNAVAILABLE", Unsure: true},
		database.Failed:         {Code: "ENGINE_FAILED", Unsure: true},
		database.Unreachable:    {Code: "HOST_UNREACHABLE"},
	} {
		e := rotate.Explain(explain(database.Errorf(code, "text")))
		if e.Code != want.Code || e.Final != want.Final || e.Unsure != want.Unsure {
			t.Errorf("%s: %+v", code, e)
		}
	}
}

// RO9: the account that clients log in with is not the one to change.
func TestAPairIsTwoAccounts(t *testing.T) {
	a := newAccount(t)
	app, app2 := value(`{"username":"app","password":"a"}`), value(`{"user":"app2","pwd":"b"}`)
	if err := errors.Join(a.CheckPair(&rotate.Rotation{}, app, app2), a.CheckPair(&rotate.Rotation{}, app, value("not a login"))); err != nil {
		t.Error(err)
	}
	if e := rotate.Explain(a.CheckPair(&rotate.Rotation{SecretName: "db"}, app, value(`{"name":"app","pwd":"b"}`))); e.Code != CodeNoSecondAccount || !e.Final {
		t.Errorf("%+v", e)
	}
}

func TestCredential(t *testing.T) {
	got, err := Credential(value(`{"user":"admin","pwd":"p\u00e9"}`))
	if err != nil || got.User != "admin" || string(got.Password) != "pé" {
		t.Errorf("%q, %v", got.User, err)
	}
	if _, err := Credential(value("admin:p")); rotate.Explain(err).Code != CodeAdminUnreadable {
		t.Error(err)
	}
}

// FuzzParse: what is read has one account and one password, and a new password changes
// nothing but the password.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"username":"app","password":"old","x":[1,{"password":2}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		l, err := parse(text)
		if err != nil {
			return
		}
		changed := l.with(text, value("new"))
		again, err := parse(changed)
		if err != nil || again.account != l.account || string(again.password) != "new" {
			t.Fatalf("%q became %q", text, []byte(changed))
		}
		if !bytes.Equal(changed[:l.from], text[:l.from]) || !bytes.HasSuffix(changed, text[l.to:]) || !json.Valid(changed) {
			t.Fatalf("%q became %q", text, []byte(changed))
		}
	})
}

// TestPreview: the checks come in the order of a rotation, and what comes after one that
// failed was not looked at.
func TestPreview(t *testing.T) {
	a, passed, failed, skipped := newAccount(t, "app"), rotate.Passed, rotate.Failed, rotate.Skipped
	for text, want := range map[string]struct {
		account  string
		statuses []rotate.Status
	}{
		`{"username":"app","password":"CANARY"}`:  {"app", []rotate.Status{passed, passed, passed, failed, skipped, skipped}},
		`{"username":"root","password":"CANARY"}`: {"root", []rotate.Status{passed, failed, passed, failed, skipped, skipped}},
		`CANARY`: {"", []rotate.Status{failed, skipped, passed, failed, skipped, skipped}},
	} {
		p := a.Preview(t.Context(), &rotate.Rotation{}, value(text))
		var statuses []rotate.Status
		for _, f := range p.Findings {
			statuses = append(statuses, f.Status)
			if strings.Contains(f.Msg, "CANARY") {
				t.Errorf("a finding holds the value: %+v", f)
			}
		}
		if diff := cmp.Diff(want.statuses, statuses); diff != "" || p.Account != want.account || p.Password.Length != 24 {
			t.Errorf("%s: account %q (-want +got):\n%s", text, p.Account, diff)
		}
	}
	want := rotate.Binding{Kind: rotate.BoundTarget, InstanceID: "i", Engine: csms.PostgreSQL, AdminSecret: "admin"}
	got := a.Binding()
	if got.Address == "" {
		t.Error("no address")
	}
	if got.Address = ""; got != want {
		t.Errorf("bound to %+v", got)
	}
}
