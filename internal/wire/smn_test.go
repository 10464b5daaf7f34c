package wire

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTexts(t *testing.T) {
	for text, want := range map[string]Texts{`"a"`: {"a"}, `["a","b"]`: {"a", "b"}, `[]`: {}, `null`: nil, `""`: {""}} {
		var got Texts
		if err := json.Unmarshal([]byte(text), &got); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%s is %q, %v", text, got, err)
		}
	}
	for _, text := range []string{`1`, `{}`, `[1]`, `[["a"]]`, `true`} {
		var got Texts
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

// The cloud writes instants in UTC, without fractions.
func TestUTC(t *testing.T) {
	b, err := json.Marshal(UTC(1_767_225_600_999))
	if err != nil || string(b) != `"2026-01-01T00:00:00Z"` {
		t.Errorf("%s, %v", b, err)
	}
}
