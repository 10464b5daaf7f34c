package kv_test

import (
	"bytes"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/internal/kv"

	"pgregory.net/rapid"
)

func TestPrefix(t *testing.T) {
	for _, c := range []struct{ prefix, end string }{
		{"a", "b"},
		{"a/", "a0"},
		{"a\xff", "b"},
		{"a\xff\xff", "b"},
		{"\x00", "\x01"},
		{"\xfe\xff", "\xff"},
		{"\xff", ""},
		{"\xff\xff", ""},
		{"", ""},
	} {
		r := kv.Prefix([]byte(c.prefix))
		if string(r.From) != c.prefix || string(r.To) != c.end {
			t.Errorf("Prefix(%q) is [%q, %q), want the end %q", c.prefix, r.From, r.To, c.end)
		}
	}
}

// TestPrefixHoldsExactlyItsKeys compares the range with strings.HasPrefix.
func TestPrefixHoldsExactlyItsKeys(t *testing.T) {
	few := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 0xfe, 0xff}), 1, 4)
	rapid.Check(t, func(t *rapid.T) {
		prefix, key := few.Draw(t, "prefix"), few.Draw(t, "key")
		kept := bytes.Clone(prefix)
		r := kv.Prefix(prefix)
		if r.Check() != nil {
			if !bytes.Equal(prefix, bytes.Repeat([]byte{0xff}, len(prefix))) {
				t.Fatalf("no range for the prefix %q", prefix)
			}
			return
		}
		inside := bytes.Compare(r.From, key) <= 0 && bytes.Compare(key, r.To) < 0
		if inside != bytes.HasPrefix(key, prefix) {
			t.Errorf("key %q is inside [%q, %q): %t", key, r.From, r.To, inside)
		}
		if !bytes.Equal(prefix, kept) {
			t.Errorf("Prefix wrote to its argument: %q is now %q", kept, prefix)
		}
	})
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		name       string
		key, value int
		refused    bool
	}{
		{"the smallest item", 1, 0, false},
		{"the largest item", kv.MaxKey, kv.MaxValue, false},
		{"an empty key", 0, 1, true},
		{"a long key", kv.MaxKey + 1, 1, true},
		{"a long value", 1, kv.MaxValue + 1, true},
	} {
		err := kv.CheckPut(make([]byte, c.key), make([]byte, c.value))
		if errors.Is(err, kv.ErrLimit) != c.refused || (err != nil) != c.refused {
			t.Errorf("%s: %v, want refused = %t", c.name, err, c.refused)
		}
	}
	for to, refused := range map[string]bool{"": true, "a": false} {
		err := kv.Range{From: []byte("b"), To: []byte(to)}.Check()
		if errors.Is(err, kv.ErrLimit) != refused {
			t.Errorf("range up to %q: %v, want refused = %t", to, err, refused)
		}
	}
}

func TestGate(t *testing.T) {
	var g kv.Gate
	for range 2 {
		if err := g.Enter(); err != nil {
			t.Fatalf("Enter of an open gate: %v", err)
		}
	}
	g.Leave()
	var shut atomic.Int64
	var waiting sync.WaitGroup
	for range 3 {
		waiting.Go(func() {
			if g.Shut() {
				shut.Add(100)
			}
			shut.Add(1)
		})
	}
	for g.Enter() == nil { // until Shut has begun
		g.Leave()
		runtime.Gosched()
	}
	if err := g.Enter(); !errors.Is(err, kv.ErrClosed) {
		t.Errorf("Enter of a shut gate returned %v, want kv.ErrClosed", err)
	}
	if n := shut.Load(); n != 0 {
		t.Errorf("Shut returned (%d) while a call was inside", n)
	}
	g.Leave()
	waiting.Wait()
	if n := shut.Load(); n != 103 {
		t.Errorf("three calls of Shut give %d, want 103: all return, one is the first", n)
	}
	if g.Shut() {
		t.Error("a later Shut says that it is the first")
	}
}

// TestGateUnderLoad shuts a gate through which calls stream: none may be inside
// after Shut has returned.
func TestGateUnderLoad(t *testing.T) {
	for range 50 {
		var g kv.Gate
		var inside atomic.Int64
		var callers sync.WaitGroup
		for range 4 {
			callers.Go(func() {
				for g.Enter() == nil {
					inside.Add(1)
					runtime.Gosched()
					inside.Add(-1)
					g.Leave()
				}
			})
		}
		g.Shut()
		if n := inside.Load(); n != 0 {
			t.Errorf("%d calls are inside a gate that is shut", n)
		}
		callers.Wait()
	}
}
