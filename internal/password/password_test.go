package password

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"coffer/internal/csms"
)

// drawRules draws rules, of which not all permit a password.
func drawRules(t *rapid.T) Rules {
	flag := func(name string) bool { return rapid.Bool().Draw(t, name) }
	return Rules{
		Length:            rapid.IntRange(0, 40).Draw(t, "length"),
		ExcludeCharacters: rapid.StringMatching(`[ -~é]{0,60}`).Draw(t, "exclude"),
		ExcludeLowercase:  flag("lower"), ExcludeUppercase: flag("upper"), ExcludeNumbers: flag("numbers"),
		ExcludePunctuation: flag("punctuation"), IncludeSpace: flag("space"), RequireEachIncludedType: flag("each"),
	}
}

// K3, K4: what is generated keeps every rule, and what no password can keep is
// refused. The rules are read here character by character, as the API page has them.
func TestAPasswordKeepsItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRules(t)
		allowed := map[string]bool{}
		for c := range 128 {
			if kind := kindOf(byte(c), &r); kind != "" {
				allowed[kind] = true
			}
		}
		possible := r.Length >= 1 && len(allowed) > 0 && (!r.RequireEachIncludedType || len(allowed) <= r.Length)
		text, err := Generate(rand.Reader, r)
		if !possible {
			if csms.CodeOf(err) != csms.CodeInvalid {
				t.Fatalf("no password is possible, and the error is %v", err)
			}
			return
		}
		if err != nil || len(text) != r.Length {
			t.Fatalf("%d characters, %v; want %d", len(text), err, r.Length)
		}
		for _, c := range text {
			kind := kindOf(c, &r)
			if kind == "" {
				t.Fatalf("%q is not permitted", c)
			}
			delete(allowed, kind)
		}
		if r.RequireEachIncludedType && len(allowed) > 0 {
			t.Fatalf("the password lacks %v", allowed)
		}
	})
}

// kindOf returns the type of a character that r permits, else "".
func kindOf(c byte, r *Rules) string {
	if strings.IndexByte(r.ExcludeCharacters, c) >= 0 {
		return ""
	}
	kind, included := "", false
	switch {
	case c >= 'a' && c <= 'z':
		kind, included = "lower", !r.ExcludeLowercase
	case c >= 'A' && c <= 'Z':
		kind, included = "upper", !r.ExcludeUppercase
	case c >= '0' && c <= '9':
		kind, included = "number", !r.ExcludeNumbers
	case c == ' ':
		kind, included = "space", r.IncludeSpace
	case c > ' ' && c < 127:
		kind, included = "punctuation", !r.ExcludePunctuation
	}
	if !included {
		return ""
	}
	return kind
}

// The source in which every byte comes equally often gives every character equally
// often: no alphabet is favoured at its beginning.
func TestNoCharacterIsFavoured(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for size := 1; size <= len(lowercase); size++ {
		r := Rules{ExcludeUppercase: true, ExcludeNumbers: true, ExcludePunctuation: true, ExcludeCharacters: lowercase[size:]}
		r.Length = 256 - 256%size // as many as one round of the source gives
		text, err := Generate(bytes.NewReader(all), r)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []byte(lowercase[:size]) {
			if got := bytes.Count(text, []byte{c}); got != 256/size {
				t.Errorf("alphabet of %d: %c comes %d times, want %d", size, c, got, 256/size)
			}
		}
	}
}

// With a required type too: of the passwords of two characters over {a, b, 0} that
// hold a letter and a digit, a0, b0, 0a and 0b, each comes equally often. To put the
// missing type in its place afterwards would not give that.
func TestNoPasswordIsFavouredWhereTypesAreRequired(t *testing.T) {
	r := Rules{
		Length: 2, ExcludeUppercase: true, ExcludePunctuation: true, RequireEachIncludedType: true,
		ExcludeCharacters: lowercase[2:] + numbers[1:],
	}
	const rounds = 40000
	seen := map[string]int{}
	for range rounds {
		text, err := Generate(rand.Reader, r)
		if err != nil {
			t.Fatal(err)
		}
		seen[string(text)]++
	}
	var distance float64 // chi squared with 3 degrees of freedom
	for _, want := range []string{"a0", "b0", "0a", "0b"} {
		off := float64(seen[want]) - rounds/4
		distance += off * off / (rounds / 4)
	}
	if len(seen) != 4 || distance > 60 { // a fair source goes beyond 60 once in 10^12 runs
		t.Errorf("passwords %v, chi squared %.1f", seen, distance)
	}
}

func TestBoundsOfTheLength(t *testing.T) {
	for length, ok := range map[int]bool{-1: false, 0: false, 1: true, 4096: true, 4097: false} {
		text, err := Generate(rand.Reader, Rules{Length: length})
		if (err == nil) != ok || ok && len(text) != length {
			t.Errorf("length %d: %d characters, %v", length, len(text), err)
		}
	}
}

// The rarest passwords that rules can ask for are found.
func TestTheRarestPasswordsAreFound(t *testing.T) {
	r := Rules{Length: 5, IncludeSpace: true, RequireEachIncludedType: true, ExcludeCharacters: lowercase[1:] + numbers[1:]}
	for range 20 {
		if _, err := Generate(rand.Reader, r); err != nil {
			t.Fatal(err)
		}
	}
}

// constant is a source of one byte.
type constant byte

func (c constant) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(c)
	}
	return len(p), nil
}

func TestABrokenSourceIsAnError(t *testing.T) {
	broken := errors.New("broken")
	r := Rules{Length: 300, RequireEachIncludedType: true}
	for name, source := range map[string]io.Reader{"fails": iotest.ErrReader(broken), "ends": strings.NewReader(strings.Repeat("x", 299))} {
		if text, err := Generate(source, r); err == nil || text != nil || csms.CodeOf(err) != csms.CodeInternal {
			t.Errorf("source that %s: %v, %v", name, text, err)
		}
	}
	if _, err := Generate(iotest.ErrReader(broken), r); !errors.Is(err, broken) {
		t.Errorf("error %v does not tell the cause", err)
	}
	r.Length = 4
	if _, err := Generate(constant(0), r); err == nil {
		t.Error("a source that repeats itself gives a password with each type")
	}
}

func BenchmarkGenerate(b *testing.B) {
	r := Rules{Length: DefaultLength, RequireEachIncludedType: true}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Generate(rand.Reader, r); err != nil {
			b.Fatal(err)
		}
	}
}
