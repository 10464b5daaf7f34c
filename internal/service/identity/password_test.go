package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coffer/internal/csms"
	"coffer/internal/store"
)

func devPasswords() *passwords { return newPasswords(DevPasswordParams(), rand.Reader, 2) }

func TestPasswords_verify_what_they_hashed(t *testing.T) {
	p := devPasswords()
	rapid.Check(t, func(t *rapid.T) {
		password, other := Credential(rapid.String().Draw(t, "password")), Credential(rapid.String().Draw(t, "other"))
		stored, err := p.hash(context.Background(), password)
		if err != nil {
			t.Fatal(err)
		}
		for _, tried := range []Credential{password, other} {
			ok, err := p.verify(context.Background(), stored, tried)
			if err != nil || ok != (tried == password) {
				t.Errorf("verify is %v, %v", ok, err)
			}
		}
		if again, err := p.hash(context.Background(), password); err != nil || again == stored {
			t.Errorf("the same salt twice, or %v", err)
		}
	})
}

// A known answer of the reference implementation: password "password", salt "somesalt".
func TestPasswords_verify_a_hash_of_the_reference_implementation(t *testing.T) {
	const stored = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	ok, err := devPasswords().verify(t.Context(), stored, "password")
	if err != nil || !ok {
		t.Errorf("got %v and %v", ok, err)
	}
}

func TestPasswords_match_nothing_without_a_stored_hash(t *testing.T) {
	for _, tried := range []Credential{"", "password"} {
		if ok, err := devPasswords().verify(t.Context(), "", tried); ok || err != nil {
			t.Errorf("got %v and %v", ok, err)
		}
	}
}

func TestPasswords_give_up_with_the_context(t *testing.T) {
	p := newPasswords(DevPasswordParams(), rand.Reader, 1)
	p.slots <- struct{}{} // somebody is at it
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.hash(ctx, "password"); !errors.Is(err, context.Canceled) {
		t.Errorf("hash: got %v", err)
	}
	if _, err := p.verify(ctx, "", "password"); !errors.Is(err, context.Canceled) {
		t.Errorf("verify: got %v", err)
	}
}

func TestParsePHC_refuses_other_forms(t *testing.T) {
	good := phc{params: DefaultPasswordParams(), salt: make([]byte, saltSize), hash: make([]byte, hashSize)}.String()
	if _, err := parsePHC(good); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"argon2id", "argon2i"},
		{"v=19", "v=16"},
		{"m=19456", "m=0"},
		{"m=19456", "m=1048577"},
		{"t=2", "t=65"},
		{"p=1", "p=65"},
		{"p=1", "p=256"},
		{"m=19456", "m=019456"},
		{"m=19456", "m=+19456"},
		{"t=2,", ""},
		{"t=2,p=1", "p=1,t=2"},
		{"$AAAA", "$AAA$A"},
		{"$AAAA", "$===="},
		{"$argon2id", "argon2id"},
	} {
		text := strings.Replace(good, change[0], change[1], 1)
		if text == good {
			t.Fatalf("%v changes nothing", change)
		}
		if _, err := parsePHC(text); !errors.Is(err, errPHC) {
			t.Errorf("%s: got %v", text, err)
		}
	}
	if _, err := devPasswords().verify(t.Context(), "plain", "plain"); !errors.Is(err, errPHC) {
		t.Errorf("verify with a damaged record: got %v", err)
	}
}

// What is read is what is written, and its costs are within the limits.
func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parsePHC(text)
		if err != nil {
			return
		}
		if p.String() != text || p.params.MemoryKiB > maxMemoryKiB || p.params.Passes > maxPasses || p.params.Threads > maxThreads || p.params.Threads == 0 {
			t.Errorf("%q was read as %q", text, p)
		}
	})
}

func TestCheckPassword(t *testing.T) {
	tests := []struct {
		name     string
		password Credential
		ok       bool
	}{
		{"alice", "dev-Passw0rd", true},
		{"alice", "eight888", true},
		{"alice", "seven77", false},
		{"alice", "ünïçödé8", true}, // characters count, not bytes
		{"alice", "ünïçöd7", false},
		{"alice", Credential(strings.Repeat("x", 128)), true},
		{"alice", Credential(strings.Repeat("x", 129)), false},
		{"alice", "a password of only words", true},
		{"alice", "with\x00zero byte", false},
		{"alice", "with\na line", false},
		{"alice", "not UTF-8 \xff", false},
		{"longname", "LongName", false},
		{"longname", "emangnol", false},
		{"alice", "", false},
	}
	for _, tt := range tests {
		err := CheckPassword(tt.name, tt.password)
		if (err == nil) != tt.ok || err != nil && csms.CodeOf(err) != csms.CodeIAMInvalid {
			t.Errorf("CheckPassword(%q) = %v, want ok %v", string(tt.password), err, tt.ok)
		}
		if err != nil && tt.password != "" && strings.Contains(err.Error(), string(tt.password)) {
			t.Errorf("the error holds the password: %v", err)
		}
	}
}

func TestCredential_does_not_print(t *testing.T) {
	c := Credential("hidden")
	if got := fmt.Sprintf("%v %s %q %x %+v %#v", c, c, c, c, struct{ C Credential }{c}, []Credential{c}); strings.Contains(got, "hidden") || strings.Contains(got, "68696464656e") {
		t.Errorf("got %s", got)
	}
	if out, err := c.MarshalJSON(); err == nil {
		t.Errorf("got %s", out)
	}
}

// The limiter against the definition: so many failures, and one leaks every interval.
func TestLimiter_is_a_leaking_bucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const interval = 10
		burst := rapid.Int64Range(1, 5).Draw(t, "burst")
		l, level, last := newLimiter(burst, interval, 100), float64(0), csms.Millis(0)
		now := csms.Millis(1000)
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += csms.Millis(rapid.IntRange(0, 15).Draw(t, "pass"))
			level = max(0, level-float64(now-last)/interval)
			last = now
			if got, want := l.blocked("k", now), level > float64(burst-1)+1e-9; got != want {
				t.Fatalf("blocked is %v at level %v of %d", got, level, burst)
			}
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0:
				l.forgive("k")
				level = 0
			default:
				l.fail("k", now)
				level = min(level+1, float64(burst))
			}
			if l.blocked("other", now) {
				t.Fatal("another key is blocked")
			}
		}
	})
}

func TestLimiter_remembers_a_bounded_number_of_keys(t *testing.T) {
	l := newLimiter(3, 1000, 50)
	for range 3 {
		l.fail("victim", 1_000_000)
	}
	for i := range 10_000 {
		l.fail(fmt.Sprint("key", i), 1_000_000)
		if len(l.buckets) > 50 {
			t.Fatalf("%d keys are kept", len(l.buckets))
		}
	}
	// The one with most failures outlives those with a single one, which the sample
	// of a full table nearly always holds.
	if !l.blocked("victim", 1_000_000) {
		t.Error("failures were flooded away by single failures of others")
	}
	l.fail("late", 2_000_000)
	if len(l.buckets) > 50 {
		t.Errorf("%d keys are kept", len(l.buckets))
	}
}

// The proof and the token are made at different instants; what changed between
// counts.
func TestStanding_refuses_a_login_that_no_longer_holds(t *testing.T) {
	s, st := serviceOverMemory(t)
	u := &store.User{ID: "u", DomainID: "d", Name: "u", Enabled: true, PasswordHash: "new"}
	d := &store.Domain{ID: "d", Name: "d", Enabled: true}
	ask := func(l *login) error {
		return st.Update(t.Context(), func(tx *store.Tx) error {
			if err := errors.Join(tx.PutUser(u), tx.PutDomain(d)); err != nil {
				return err
			}
			return s.issue(tx, &issue{token: &store.Token{Hash: [32]byte{1}}}, l, &Scope{}, 1)
		})
	}
	if err := ask(&login{userID: "u", passwordHash: "new"}); err != nil {
		t.Fatal(err)
	}
	refused := func(what string, l *login) {
		t.Helper()
		if e := (*KeystoneError)(nil); !errors.As(ask(l), &e) || e.Code != 401 {
			t.Errorf("%s: got %v", what, ask(l))
		}
	}
	refused("password changed meanwhile", &login{userID: "u", passwordHash: "old"})
	refused("user deleted meanwhile", &login{userID: "gone", passwordHash: "new"})
	refused("token revoked meanwhile", &login{userID: "u", from: &[32]byte{2}})
	u.Enabled = false
	refused("user disabled meanwhile", &login{userID: "u", passwordHash: "new"})
	u.Enabled, d.Enabled = true, false
	refused("domain disabled meanwhile", &login{userID: "u", passwordHash: "new"})
}
