package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/notify"
	"coffer/internal/notify/notifytest"
)

func TestSuite(t *testing.T) {
	notifytest.Run(t, func(t *testing.T) *notifytest.Harness {
		dir := filepath.Join(t.TempDir(), "d")
		path := filepath.Join(dir, "events.jsonl")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		s := New(path)
		t.Cleanup(func() { closed(t, s) })
		return &notifytest.Harness{
			Sink: s, Received: func() []string { return lines(t, path) },
			Answer: func(class notify.Class) bool {
				switch class {
				case notify.Retry: // the disk is not there
					must(t, os.Rename(dir, dir+" away"))
				case notify.Delivered:
					must(t, os.Rename(dir+" away", dir))
				default:
					return false
				}
				return true
			},
		}
	})
}

// A line that was cut off stays alone: what follows is whole.
func TestAHalfLineIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.jsonl")
	must(t, os.WriteFile(path, []byte("{\"whole\":1}\n{\"half\":"), 0o600))
	s := New(path)
	defer closed(t, s)
	send(t, s, 1)
	want := []string{`{"whole":1}`, `{"half":`, string(notifytest.Message(1).Document)}
	if diff := cmp.Diff(want, lines(t, path)); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

func TestTheFileCanBeMovedAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.jsonl")
	s := New(path)
	defer closed(t, s)
	send(t, s, 1)
	must(t, os.Rename(path, path+".1"))
	send(t, s, 2)
	for file, n := range map[string]int{path + ".1": 1, path: 2} {
		if diff := cmp.Diff([]string{string(notifytest.Message(n).Document)}, lines(t, file)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestADocumentOfTwoLinesIsRefused(t *testing.T) {
	s := New(filepath.Join(t.TempDir(), "events.jsonl"))
	defer closed(t, s)
	m := notifytest.Message(1)
	m.Document = []byte("{\n}")
	if err := s.Deliver(t.Context(), m); notify.ClassOf(err) != notify.Failed {
		t.Errorf("Deliver: %v", err)
	}
}

func send(t *testing.T, s *Sink, n int) {
	t.Helper()
	must(t, s.Deliver(t.Context(), notifytest.Message(n)))
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return nil
	}
	must(t, err)
	var out []string
	for line := range strings.Lines(string(text)) {
		out = append(out, strings.TrimSuffix(line, "\n"))
	}
	return out
}

func closed(t *testing.T, s *Sink) {
	t.Helper()
	must(t, s.Close())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
