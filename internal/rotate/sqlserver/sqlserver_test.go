package sqlserver

import (
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"pgregory.net/rapid"

	"coffer/internal/csms"
	"coffer/internal/rotate/database"
	"coffer/internal/rotate/servertest"
)

const password = "CANARY it's a ] password"

func (p *peer) engine(change ...func(*database.Target)) *Engine {
	p.t.Helper()
	target := database.Target{Host: "localhost", Port: p.port, Timeout: 20 * time.Second, Administrator: servertest.As("admin", "CANARY-admin")}
	if p.config == nil {
		target.TLS.Mode = csms.TLSDisable
	} else {
		target.TLS.Roots = x509.NewCertPool()
		target.TLS.Roots.AppendCertsFromPEM([]byte(p.authority.PEM))
	}
	for _, c := range change {
		c(&target)
	}
	e, err := New(target)
	if err != nil {
		p.t.Fatal(err)
	}
	return e
}

func code(t *testing.T, what string, err error, want database.Code) {
	t.Helper()
	if got := database.CodeOf(err); got != want || err != nil && strings.Contains(err.Error(), "CANARY") {
		t.Errorf("%s: code %q: %v; want %q", what, got, err, want)
	}
}

// credentials returns user and password of a record LOGIN7, where the password is hidden
// by nothing but a swap of half bytes.
func credentials(record []byte) (user, password string) {
	field := func(at int) []byte {
		offset, units := binary.LittleEndian.Uint16(record[at:]), binary.LittleEndian.Uint16(record[at+2:])
		return append([]byte(nil), record[offset:offset+2*units]...)
	}
	hidden := field(44)
	for i, b := range hidden {
		b ^= 0xa5
		hidden[i] = b<<4 | b>>4
	}
	return fromUTF16(field(40)), fromUTF16(hidden)
}

// The administrator logs in, one batch does the change, the account logs in.
func TestTheConversation(t *testing.T) {
	for _, protected := range []bool{false, true} {
		p := newPeer(t, protected)
		e := p.engine()
		code(t, "change", e.Change(t.Context(), "app]; DROP LOGIN [sa", []byte(password)), "")
		code(t, "verify", e.Verify(t.Context(), "app]; DROP LOGIN [sa", []byte(password)), "")
		if len(p.logins) != 2 || len(p.batches) != 1 {
			t.Fatalf("%d logins, %d batches", len(p.logins), len(p.batches))
		}
		if user, secret := credentials(p.logins[0]); user != "admin" || secret != "CANARY-admin" {
			t.Errorf("administrator %s %s", user, secret)
		}
		if user, secret := credentials(p.logins[1]); user != "app]; DROP LOGIN [sa" || secret != password {
			t.Errorf("account %s %s", user, secret)
		}
		if !strings.HasSuffix(p.batches[0], "\nALTER LOGIN [app]]; DROP LOGIN [sa] WITH PASSWORD = N'CANARY it''s a ] password';") {
			t.Errorf("batch %s", p.batches[0])
		}
	}
}

// A preview looks and changes nothing.
func TestInspect(t *testing.T) {
	p := newPeer(t, false)
	code(t, "inspect", p.engine().Inspect(t.Context(), "it's"), "")
	code(t, "inspect the server", p.engine().Inspect(t.Context(), ""), "")
	if len(p.batches) != 2 || !strings.Contains(p.batches[0], "WHERE name = N'it''s';") || strings.Contains(strings.Join(p.batches, ""), "ALTER LOGIN [") {
		t.Errorf("batches %q", p.batches)
	}
	code(t, "a name of Windows", p.engine().Inspect(t.Context(), `D\u`), database.External)
	p.batch = []answer{{50004, 16, "coffer"}}
	code(t, "no right", p.engine().Inspect(t.Context(), "app"), database.Permission)
}

// RO8: the cause of each error number.
func TestCauses(t *testing.T) {
	for number, want := range map[int32]database.Code{
		50001: database.Unknown, 50002: database.External, 50003: database.Locked, 15151: database.Permission, 15247: database.Permission,
		15118: database.PasswordPolicy, 18463: database.PasswordPolicy, 3906: database.Unavailable, 40613: database.Unavailable, 1222: database.Timeout, 102: database.Failed,
	} {
		p := newPeer(t, false)
		p.batch = []answer{{number, 16, "CANARY " + password}}
		code(t, fmt.Sprint("change: ", number), p.engine().Change(t.Context(), "app", []byte(password)), want)
	}
	for number, want := range map[int32]database.Code{
		18456: database.LoginRefused, 18470: database.Locked, 18486: database.Locked, 18487: database.Expired, 18488: database.Expired,
		18452: database.External, 17142: database.Unavailable, 18461: database.Unavailable,
	} {
		p := newPeer(t, true)
		p.login = []answer{{number, 14, "CANARY"}}
		code(t, fmt.Sprint("verify: ", number), p.engine().Verify(t.Context(), "app", []byte(password)), want)
		if want == database.LoginRefused {
			want = database.AdminRefused
		}
		code(t, fmt.Sprint("administrator: ", number), p.engine().Change(t.Context(), "app", []byte(password)), want)
	}
	p := newPeer(t, false)
	p.login = []answer{{4060, 11, "CANARY"}, {18456, 14, "CANARY"}}
	code(t, "a login that may not use the database", p.engine().Verify(t.Context(), "app", []byte(password)), "")
	code(t, "an administrator who may not", p.engine().Change(t.Context(), "app", []byte(password)), database.AdminRefused)
}

func TestConnectionsThatFail(t *testing.T) {
	ctx := t.Context()
	p := newPeer(t, false)
	p.breaks = true
	code(t, "a connection that breaks", p.engine().Change(ctx, "app", []byte(password)), database.Unavailable)
	p.silent = true
	code(t, "no answer", p.engine(func(t *database.Target) { t.Timeout = 100 * time.Millisecond }).Verify(ctx, "app", []byte(password)), database.Timeout)
	refused := errors.New("this address is not allowed")
	barred := p.engine(func(t *database.Target) {
		t.Dial = func(_ context.Context, _, address string) (net.Conn, error) {
			if !strings.HasPrefix(address, "localhost:") {
				return nil, errors.New("the name was resolved before it was judged")
			}
			return nil, &net.OpError{Op: "dial", Err: refused}
		}
	})
	err := barred.Verify(ctx, "app", []byte(password))
	code(t, "an address that is barred", err, database.Unreachable)
	if !errors.Is(err, refused) {
		t.Errorf("an address that is barred: %v", err)
	}
	broken := p.engine(func(t *database.Target) {
		t.Administrator = func(context.Context) (database.Credential, error) { return database.Credential{}, refused }
	})
	if err := broken.Change(ctx, "app", []byte(password)); !errors.Is(err, refused) {
		t.Errorf("no administrator: %v", err)
	}
}

// No mode falls back to a weaker one.
func TestTLS(t *testing.T) {
	ctx, secret := t.Context(), []byte(password)
	mode := func(m csms.TLSMode, host string) func(*database.Target) {
		return func(t *database.Target) {
			port := t.Port
			t.TLS.Mode, t.Host = m, host
			t.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, network, fmt.Sprintf("127.0.0.1:%d", port))
			}
		}
	}
	protected, stranger, plain := newPeer(t, true), newPeer(t, true), newPeer(t, false)
	foreign := func(t *database.Target) {
		t.TLS.Roots = x509.NewCertPool()
		t.TLS.Roots.AppendCertsFromPEM([]byte(stranger.authority.PEM))
	}
	code(t, "verify-full", protected.engine().Verify(ctx, "app", secret), "")
	code(t, "another name", protected.engine(mode(csms.TLSVerifyFull, "db.example.org")).Verify(ctx, "app", secret), database.TLSFailed)
	code(t, "verify-ca, another name", protected.engine(mode(csms.TLSVerifyCA, "db.example.org")).Verify(ctx, "app", secret), "")
	code(t, "another authority", protected.engine(foreign).Verify(ctx, "app", secret), database.TLSFailed)
	code(t, "verify-ca, another authority", protected.engine(foreign, mode(csms.TLSVerifyCA, "localhost")).Verify(ctx, "app", secret), database.TLSFailed)
	code(t, "require, another authority", protected.engine(foreign, mode(csms.TLSRequire, "localhost")).Verify(ctx, "app", secret), "")
	code(t, "a server without TLS", plain.engine(mode(csms.TLSRequire, "localhost")).Verify(ctx, "app", secret), database.TLSFailed)
	if len(plain.logins) != 0 {
		t.Error("the password was sent to a server without TLS")
	}
}

func TestNamesThatAreRefused(t *testing.T) {
	e := newPeer(t, false).engine()
	for name, want := range map[string]database.Code{
		"": database.Unknown, "a\x00b": database.Unknown, "\xff": database.Unknown, strings.Repeat("x", 129): database.Unknown,
		strings.Repeat("😀", 65): database.Unknown, `DOMAIN\user`: database.External,
	} {
		code(t, name, e.Change(t.Context(), name, []byte(password)), want)
		code(t, name, e.Verify(t.Context(), name, []byte(password)), want)
	}
	code(t, "longest", e.Change(t.Context(), strings.Repeat("😀", 64), []byte(password)), "")
	code(t, "password", e.Change(t.Context(), "app", []byte("é")), database.PasswordPolicy)
	windows := newPeer(t, false).engine(func(t *database.Target) { t.Administrator = servertest.As(`D\admin`, "x") })
	code(t, "administrator", windows.Change(t.Context(), "app", []byte(password)), database.AdminRefused)
	for _, bad := range []database.Target{{}, {Host: "h", Port: 70000, Administrator: servertest.As("a", "b")}} {
		if _, err := New(bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if e.Discard(t.Context(), "app") != nil || e.Policy() != database.DefaultPolicy() {
		t.Error("policy, or a second password")
	}
}

// literals reads a batch as the lexical rules of T-SQL have it: texts and names, and what
// stands between them.
func literals(t *rapid.T, batch string) (texts, names []string, code string) {
	runes := []rune(batch)
	quoted := func(i int, end rune) (string, int) {
		var out []rune
		for ; ; i++ {
			switch {
			case i >= len(runes):
				t.Fatalf("a literal without an end: %s", batch)
			case runes[i] == end && i+1 < len(runes) && runes[i+1] == end:
				out = append(out, end)
				i++
			case runes[i] == end:
				return string(out), i
			default:
				out = append(out, runes[i])
			}
		}
	}
	for i := 0; i < len(runes); i++ {
		var text string
		switch runes[i] {
		case '\'':
			text, i = quoted(i+1, '\'')
			texts, code = append(texts, text), code+"''"
		case '[':
			text, i = quoted(i+1, ']')
			names, code = append(names, text), code+"[]"
		default:
			code += string(runes[i])
		}
	}
	return texts, names, code
}

// A name or a password of whatever characters stays one literal: the code between the
// literals is the same for all.
func TestNothingBecomesSQL(t *testing.T) {
	hostile := rapid.SampledFrom([]rune("'[]\"{}-/*;\\ \n@#%aé😀ʼ＇"))
	const shape = "SELECT @type = type, @off = is_disabled FROM sys.server_principals WHERE name = N'';"
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.StringOf(hostile), rapid.SampledFrom([]string{"{name}", "{login}{password}"})).Draw(t, "name")
		secret := rapid.OneOf(rapid.String(), rapid.StringOf(hostile)).Draw(t, "password")
		texts, names, code := literals(t, batch(name, secret))
		_, _, plain := literals(t, batch("app", "secret"))
		if code != plain || !strings.Contains(code, shape) || len(names) != 1 || names[0] != name {
			t.Fatalf("code %s, names %q", code, names)
		}
		want := []string{name, "coffer", "S", "coffer", name, "IsLocked", "coffer", name, secret, secret}
		if strings.Join(texts, "\x00") != strings.Join(want, "\x00") {
			t.Fatalf("texts %q; want %q", texts, want)
		}
	})
	if units := utf16.Encode([]rune(change)); len(units) > 4000 {
		t.Error("the batch is long")
	}
}
