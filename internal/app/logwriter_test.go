package app

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestGroupWriterKeepsLinesWhole fills groups with lines of many lengths: each group
// ends with the end of a line, so that what others write to the same place does not
// come between.
func TestGroupWriterKeepsLinesWhole(t *testing.T) {
	var groups groups
	w := newGroupWriter(&groups)
	var want strings.Builder
	for i := range 5000 {
		line := fmt.Appendf(nil, "%d %s\n", i, strings.Repeat("x", i%700))
		if i == 2500 {
			line = append(bytes.Repeat([]byte("y"), 100<<10), '\n')
		}
		want.Write(line)
		if n, err := w.Write(line); n != len(line) || err != nil {
			t.Fatalf("Write: %d, %v", n, err)
		}
	}
	if err := w.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i, group := range groups {
		if !strings.HasSuffix(group, "\n") {
			t.Errorf("group %d ends in the middle of a line: %q", i, group[max(0, len(group)-50):])
		}
	}
	if got := strings.Join(groups, ""); got != want.String() || len(groups) < 10 {
		t.Errorf("%d groups hold %d bytes, want %d", len(groups), len(got), want.Len())
	}
}

// groups keeps what is written, one piece for each call.
type groups []string

func (g *groups) Write(b []byte) (int, error) {
	*g = append(*g, string(b))
	return len(b), nil
}
