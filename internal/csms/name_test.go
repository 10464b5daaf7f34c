package csms_test

import (
	"regexp"
	"strings"
	"testing"

	"coffer/internal/csms"
)

func TestNamesAreOneTo64LettersDigitsUnderscoresAndHyphens(t *testing.T) {
	newName := func(name string) error { return csms.CheckNewName(name, false) }
	newDotted := func(name string) error { return csms.CheckNewName(name, true) }
	lookUp := func(name string) error { return csms.CheckName("secret_name", name) }
	event := func(name string) error { return csms.CheckEventName("event_name", name) }
	for _, c := range []struct {
		name    string
		text    string
		good    bool // for new secrets, events and labels
		goodOld bool // in look-ups, and for new secrets while the switch of N2 is on
	}{
		{"N1 one letter", "a", true, true},
		{"N1 64 characters", strings.Repeat("a", 64), true, true},
		{"N1 65 characters", strings.Repeat("a", 65), false, false},
		{"N1 none", "", false, false},
		{"N1 every kind", "aZ09_-", true, true},
		{"N1 a hyphen first", "-a", true, true},
		{"N1 digits alone", "123", true, true},
		{"RT1 the word restore", "restore", true, true},
		{"RT1 the word batch-get-secret-value", "batch-get-secret-value", true, true},
		{"N2 a dot", "a.b", false, true},
		{"N2 dots alone", "..", false, true},
		{"N1 a space", "a b", false, false},
		{"N1 a slash", "a/b", false, false},
		{"N1 a line break at the end", "a\n", false, false},
		{"N1 a NUL", "a\x00", false, false},
		{"N1 a letter outside ASCII", "é", false, false},
		{"N1 a digit outside ASCII", "١", false, false},
		{"N1 a byte that is no UTF-8", "a\xff", false, false},
		{"N1 a neighbour of the ranges: @", "@", false, false},
		{"N1 a neighbour of the ranges: [", "[", false, false},
		{"N1 a neighbour of the ranges: `", "`", false, false},
		{"N1 a neighbour of the ranges: {", "{", false, false},
		{"N1 a neighbour of the ranges: :", ":", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			for rule, check := range map[string]func(string) error{
				"a new secret": newName, "an event": event, "a label (L1)": csms.CheckStageName,
			} {
				if err := check(c.text); (err == nil) != c.good {
					t.Errorf("%s: got %v, want accepted %t", rule, err, c.good)
				}
			}
			for rule, check := range map[string]func(string) error{"a new secret with dots": newDotted, "a look-up": lookUp} {
				if err := check(c.text); (err == nil) != c.goodOld {
					t.Errorf("%s: got %v, want accepted %t", rule, err, c.goodOld)
				}
			}
		})
	}
}

// patterns are the published patterns beside the functions that stand for them.
var patterns = []struct {
	of      string
	expr    *regexp.Regexp
	accepts func(string) bool
}{
	{"a new secret", plainName, accepts(func(s string) error { return csms.CheckNewName(s, false) })},
	{"a new secret with dots", dottedName, accepts(func(s string) error { return csms.CheckNewName(s, true) })},
	{"a secret in a look-up", dottedName, accepts(func(s string) error { return csms.CheckName("secret_name", s) })},
	{"an event", plainName, accepts(func(s string) error { return csms.CheckEventName("event_name", s) })},
	{"a label", plainName, accepts(csms.CheckStageName)},
	{"a version in a path", regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$`), accepts(csms.CheckVersionPath)},
	{"a version in a body", versionID, accepts(csms.CheckVersionID)},
	{"the form of a version id", versionID, csms.IsVersionID},
	{"the id of a version that can be", regexp.MustCompile(`^v[1-9][0-9]{0,9}$`), func(s string) bool { _, ok := csms.ParseVersionID(s); return ok }},
	{"an id", regexp.MustCompile(`^[0-9a-z]{8}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{12}$`), csms.IsUUID},
}

var (
	plainName  = regexp.MustCompile(`^[a-zA-Z0-9_-]{1,64}$`)
	dottedName = regexp.MustCompile(`^[a-zA-Z0-9._-]{1,64}$`)
	versionID  = regexp.MustCompile(`^v[0-9]{1,10}$`)
)

func accepts(check func(string) error) func(string) bool {
	return func(text string) bool { return check(text) == nil }
}

// agreeWithPatterns checks every function against its pattern on text.
func agreeWithPatterns(t *testing.T, text string) {
	t.Helper()
	for _, p := range patterns {
		if got, want := p.accepts(text), p.expr.MatchString(text); got != want {
			t.Errorf("%s: %q is accepted %t, want %t", p.of, text, got, want)
		}
	}
}

func TestFormsAgreeWithThePublishedPatterns_N1_N2_N12_L1_L14_V8(t *testing.T) {
	uuid := "bb6a3d22-dc93-47ac-b5bd-88df7ad35f1e"
	texts := []string{
		"", "v", "v0", "v1", "v01", "v9999999999", "v10000000000", "V1", "1", "v1 ", " v1", "v-1", "v+1", "v1\n", "v١",
		"latest", "-latest", ".", "_", "a.b", strings.Repeat("a", 64), strings.Repeat("a", 65), strings.Repeat("é", 32),
		uuid, strings.ToUpper(uuid), uuid[1:], uuid + "0", strings.ReplaceAll(uuid, "-", "0"),
		strings.Replace(uuid, "b", "z", 1), strings.Replace(uuid, "b", "g", 1), strings.Replace(uuid, "6", "-", 1),
	}
	for i := range len(uuid) {
		for _, c := range "-_0A/:`{" {
			texts = append(texts, uuid[:i]+string(c)+uuid[i+1:])
		}
	}
	for b := range 256 {
		texts = append(texts, string([]byte{byte(b)}), "a"+string([]byte{byte(b)}), "v"+string([]byte{byte(b)}))
	}
	for _, text := range texts {
		agreeWithPatterns(t, text)
	}
}

func FuzzNames(f *testing.F) {
	for _, text := range []string{
		"", "a", "a.b", "-a", "v1", "latest", "a\n", "é", "\xff", strings.Repeat("a", 64), strings.Repeat("b", 65),
		"bb6a3d22-dc93-47ac-b5bd-88df7ad35f1e",
	} {
		f.Add(text)
	}
	f.Fuzz(agreeWithPatterns)
}

func FuzzParseVersionID(f *testing.F) {
	for _, id := range []string{"", "v", "v0", "v1", "v01", "v20", "v9999999999", "v10000000000", "latest", "v+1", "v1_0", "v\xff"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		number, ok := csms.ParseVersionID(id)
		agreeWithPatterns(t, id)
		switch {
		case !ok && number != 0:
			t.Errorf("%q is no version id and yields the number %d", id, number)
		case ok && csms.VersionPosition(id) != number:
			t.Errorf("%q is version %d at the position %d", id, number, csms.VersionPosition(id))
		case ok && (number < 1 || csms.VersionID(number) != id):
			t.Errorf("%q yields %d, which is written %q", id, number, csms.VersionID(number))
		}
	})
}
