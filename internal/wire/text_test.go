package wire_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"coffer/internal/csms"
	"coffer/internal/wire"
)

// FuzzText holds the reader of values against encoding/json: the same text, but for
// half a surrogate pair, which encoding/json replaces and we refuse.
func FuzzText(f *testing.F) {
	for _, seed := range []string{
		`""`, `"a"`, `"\u0061\n\\\/"`, `"\ud83d\udd11"`, `"\ud83d"`, `"\udd11\ud83d"`, `"\ud83dx"`, `"\ud83d\\udd11"`, `"\uFFFD"`, `null`, `5`, `"é🔑"`, `"\ud83d\u0041"`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if !utf8.ValidString(body) || !json.Valid([]byte(body)) {
			return // Decode lets nothing else through
		}
		var got wire.Text
		err := json.Unmarshal([]byte(body), &got)
		var want *string
		if json.Unmarshal([]byte(body), &want) != nil {
			if csms.CodeOf(err) != csms.CodeInvalid {
				t.Errorf("%s reads as %q, %v", body, []byte(got), err)
			}
			return
		}
		switch {
		case want == nil:
			if err != nil || got != nil {
				t.Errorf("null reads as %q, %v", []byte(got), err)
			}
		case err != nil:
			if csms.CodeOf(err) != csms.CodeInvalid || !strings.Contains(*want, "\ufffd") {
				t.Errorf("%s is refused: %v", body, err)
			}
		case string(got) != *want:
			t.Errorf("%s reads as %q; want %q", body, []byte(got), *want)
		}
	})
}

func TestTextIsOverwrittenByTheNextOne(t *testing.T) {
	var text wire.Text
	if err := text.UnmarshalJSON([]byte(`"first"`)); err != nil {
		t.Fatal(err)
	}
	first := text
	if err := text.UnmarshalJSON([]byte(`"second"`)); err != nil {
		t.Fatal(err)
	}
	if string(first) != "\x00\x00\x00\x00\x00" || string(text) != "second" {
		t.Errorf("texts are %q, %q", []byte(first), []byte(text))
	}
}
