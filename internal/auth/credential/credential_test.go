package credential_test

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"coffer/internal/auth/credential"
	"coffer/internal/csms"
	"coffer/internal/seal"
	"coffer/internal/store"
)

func TestNewToken_has_the_form_that_scanners_look_for(t *testing.T) {
	form := regexp.MustCompile(`^cofft_[0-9A-Za-z]{49}$`)
	seen := map[string]bool{}
	for range 1000 {
		token, hash, err := credential.NewToken(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if !form.MatchString(token) || seen[token] {
			t.Fatalf("token %q", token)
		}
		seen[token] = true
		if got, ok := credential.HashToken(token); !ok || got != hash || hash != sha256.Sum256([]byte(token)) {
			t.Fatalf("HashToken(%q) is %x, %v; want %x", token, got, ok, hash)
		}
	}
}

// A text that differs from a token in one character never reaches the store.
func TestHashToken_refuses_a_token_with_a_typo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 256, 256).Draw(t, "seed")
		token, _, err := credential.NewToken(bytes.NewReader(seed))
		if err != nil {
			t.Skip("seed used up")
		}
		at := rapid.IntRange(0, len(token)-1).Draw(t, "at")
		c := rapid.SampledFrom([]byte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_")).Draw(t, "c")
		if token[at] == c {
			return
		}
		changed := token[:at] + string(c) + token[at+1:]
		if _, ok := credential.HashToken(changed); ok {
			t.Errorf("%q was taken for a token; it is %q with a change at %d", changed, token, at)
		}
	})
}

func FuzzHashToken(f *testing.F) {
	token, _, err := credential.NewToken(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(token)
	f.Add("cofft_")
	f.Fuzz(func(t *testing.T, text string) {
		if hash, ok := credential.HashToken(text); ok && (len(text) != credential.TokenLength || hash != sha256.Sum256([]byte(text))) {
			t.Errorf("HashToken(%q) is %x", text, hash)
		}
	})
}

func TestNewAccessKey_has_the_form_of_the_cloud(t *testing.T) {
	id, secret := regexp.MustCompile(`^[A-Z0-9]{20}$`), regexp.MustCompile(`^[A-Za-z0-9]{40}$`)
	counts := map[byte]int{}
	for range 1000 {
		accessKey, sk, err := credential.NewAccessKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if !id.MatchString(accessKey) || !secret.Match(sk) {
			t.Fatalf("access key %q, secret of %d bytes", accessKey, len(sk))
		}
		if err := credential.CheckAccessKey(accessKey, string(sk)); err != nil {
			t.Fatal(err)
		}
		for _, c := range sk {
			counts[c]++
		}
	}
	// 40000 characters of 62 kinds: 645 of each, with a deviation of 25.
	for c, n := range counts {
		if n < 645-6*25 || n > 645+6*25 {
			t.Errorf("%q was drawn %d times", c, n)
		}
	}
	if len(counts) != 62 {
		t.Errorf("%d kinds of characters were drawn", len(counts))
	}
}

func TestNew_reports_short_randomness(t *testing.T) {
	if _, _, err := credential.NewToken(strings.NewReader("short")); err == nil {
		t.Error("NewToken made a token of five bytes")
	}
	if _, _, err := credential.NewAccessKey(iotest.ErrReader(errors.New("no entropy"))); err == nil {
		t.Error("NewAccessKey made a key of nothing")
	}
}

func TestCheckAccessKey(t *testing.T) {
	good := "cofferDevSecretKeyDoNotUseInProduction01"
	tests := []struct {
		accessKey, secret string
		ok                bool
	}{
		{"COFFERDEVACCESSKEY01", good, true},
		{"my-key_01", "sixteen-letters!", true},
		{"SHORT01", good, false},
		{strings.Repeat("A", 65), good, false},
		{"WITH/SLASH", good, false},
		{"WITH BLANK", good, false},
		{"COFFERDEVACCESSKEY01", "fifteen-letters", false},
		{"COFFERDEVACCESSKEY01", "with a blank in it", false},
		{"COFFERDEVACCESSKEY01", "with-ü-umlaut-in-it", false},
		{"COFFERDEVACCESSKEY01", strings.Repeat("x", 129), false},
		{"", good, false},
		{"COFFERDEVACCESSKEY01", "", false},
	}
	for _, tt := range tests {
		err := credential.CheckAccessKey(tt.accessKey, tt.secret)
		if (err == nil) != tt.ok {
			t.Errorf("CheckAccessKey(%q, %q) = %v", tt.accessKey, tt.secret, err)
		}
		if err != nil && tt.secret != "" && strings.Contains(err.Error(), tt.secret) {
			t.Errorf("the error holds the secret: %v", err)
		}
	}
}

// A sealed secret opens for its key of its user only.
func TestOpenSecret_refuses_a_secret_of_another_key(t *testing.T) {
	box, err := seal.NewBox(rand.Reader, bytes.Repeat([]byte{7}, seal.KeySize), seal.PurposeAccessKey, 0)
	if err != nil {
		t.Fatal(err)
	}
	k := store.AccessKey{AccessKey: "AK1", UserID: "u1", DomainID: "d1"}
	if k.SealedSecret, err = credential.SealSecret(box, &k, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(k.SealedSecret, []byte("secret")) {
		t.Error("the secret is not sealed")
	}
	got, err := credential.OpenSecret(box, &k)
	if err != nil || string(got) != "secret" {
		t.Errorf("got %q and %v", []byte(got), err)
	}
	if text := fmt.Sprint(got); text != "[redacted]" {
		t.Errorf("it prints as %q", text)
	}
	for _, moved := range []store.AccessKey{
		{AccessKey: "AK2", UserID: "u1", DomainID: "d1", SealedSecret: k.SealedSecret},
		{AccessKey: "AK1", UserID: "u2", DomainID: "d1", SealedSecret: k.SealedSecret},
		{AccessKey: "AK1", UserID: "u1", DomainID: "d2", SealedSecret: k.SealedSecret},
		{AccessKey: "AK1", UserID: "u1d1", DomainID: "", SealedSecret: k.SealedSecret},
	} {
		if _, err := credential.OpenSecret(box, &moved); !errors.Is(err, seal.ErrTampered) {
			t.Errorf("%s of %s in %s: got %v, want %v", moved.AccessKey, moved.UserID, moved.DomainID, err, seal.ErrTampered)
		}
	}
}

// However often tokens are voided and issued in one instant, the order counts.
func TestVoid_follows_the_order_of_events(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u, d := &store.User{DomainID: "d", Enabled: true}, &store.Domain{ID: "d", Enabled: true}
		now := csms.Millis(1_000_000)
		var alive, dead []*store.Token
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				alive = append(alive, &store.Token{IssuedAt: credential.IssueTime(u, now)})
			case 1:
				credential.VoidTokens(u, now)
				dead, alive = append(dead, alive...), nil
			case 2:
				now += csms.Millis(rapid.IntRange(0, 3).Draw(t, "pass"))
			}
		}
		for _, k := range alive {
			if credential.Void(k, u, d) {
				t.Fatalf("a token issued at %d is void; the limit is %d", k.IssuedAt, u.NotBefore)
			}
		}
		for _, k := range dead {
			if !credential.Void(k, u, d) {
				t.Fatalf("a token issued at %d is in force; the limit is %d", k.IssuedAt, u.NotBefore)
			}
		}
	})
}

func TestFormatTime_has_six_digits(t *testing.T) {
	for _, tt := range []struct {
		at   csms.Millis
		want string
	}{{1_795_248_000_000, "2026-11-21T08:00:00.000000Z"}, {1_795_248_000_123, "2026-11-21T08:00:00.123000Z"}} {
		if got := credential.FormatTime(tt.at); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}
