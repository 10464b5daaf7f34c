package sealtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"

	"coffer/internal/seal"
)

func dataKeyRoundTrip(t *testing.T, h Harness) {
	for name, key := range map[string]seal.Key{
		"created": h.CreateKey(t, h.Project),
		"default": defaultKey(t, h, h.Project),
	} {
		for _, n := range []int{0, 1, 32, seal.MaxAAD} {
			t.Run(fmt.Sprintf("%s_with_%d_bytes_of_aad", name, n), func(t *testing.T) {
				aad := bytes.Repeat([]byte{0xa5}, n)
				plain, wrapped := newDataKey(t, h, key, aad)
				expectOpen(t, h, key, wrapped, aad, plain)
				expectOpen(t, h, key, wrapped, aad, plain)
			})
		}
	}
}

func dataKeysDiffer(t *testing.T, h Harness) {
	key := h.CreateKey(t, h.Project)
	seen := make(map[string]bool)
	for range 64 {
		plain, wrapped := newDataKey(t, h, key, []byte("same"))
		if seen[string(plain)] || seen[string(wrapped)] {
			t.Fatal("NewDataKey repeated a data key or a wrapped key")
		}
		seen[string(plain)], seen[string(wrapped)] = true, true
	}
}

func wrappedHides(t *testing.T, h Harness) {
	plain, wrapped := newDataKey(t, h, h.CreateKey(t, h.Project), nil)
	if bytes.Contains(wrapped, plain[:8]) || bytes.Contains(wrapped, plain[24:]) {
		t.Error("wrapped key holds the data key in the clear")
	}
	if bytes.Equal(plain, make([]byte, len(plain))) {
		t.Error("data key is all zero")
	}
}

func otherAAD(t *testing.T, h Harness) {
	key := h.CreateKey(t, h.Project)
	plain, wrapped := newDataKey(t, h, key, []byte("here"))
	for _, aad := range []string{"", "her", "here ", "Here", "there"} {
		expectTampered(t, h, key, fmt.Sprintf("additional data %q", aad), wrapped, []byte(aad))
	}
	expectOpen(t, h, key, wrapped, []byte("here"), plain)
}

func otherKey(t *testing.T, h Harness) {
	a, b := h.CreateKey(t, h.Project), h.CreateKey(t, h.Project)
	_, byA := newDataKey(t, h, a, nil)
	_, byDefault := newDataKey(t, h, defaultKey(t, h, h.Project), nil)
	expectTampered(t, h, b, "wrapped by another key", byA, nil)
	expectTampered(t, h, b, "wrapped by the default key", byDefault, nil)
}

func flippedBits(t *testing.T, h Harness) {
	key := h.CreateKey(t, h.Project)
	plain, wrapped := newDataKey(t, h, key, []byte("place"))
	for i := range wrapped {
		for bit := range 8 {
			wrapped[i] ^= 1 << bit
			expectTampered(t, h, key, fmt.Sprintf("byte %d, bit %d", i, bit), wrapped, []byte("place"))
			wrapped[i] ^= 1 << bit
		}
	}
	expectOpen(t, h, key, wrapped, []byte("place"), plain)
}

func truncations(t *testing.T, h Harness) {
	key := h.CreateKey(t, h.Project)
	_, wrapped := newDataKey(t, h, key, nil)
	for n := range wrapped {
		expectTampered(t, h, key, fmt.Sprintf("first %d bytes", n), wrapped[:n], nil)
		if n > 0 {
			expectTampered(t, h, key, fmt.Sprintf("without the first %d bytes", n), wrapped[n:], nil)
		}
	}
}

func trailing(t *testing.T, h Harness) {
	key := h.CreateKey(t, h.Project)
	_, wrapped := newDataKey(t, h, key, nil)
	expectTampered(t, h, key, "one zero byte more", append(slices.Clone(wrapped), 0), nil)
	expectTampered(t, h, key, "twice", append(slices.Clone(wrapped), wrapped...), nil)
}

func sliceOwnership(t *testing.T, h Harness) {
	key := h.CreateKey(t, h.Project)
	aad := []byte("place")
	plain, wrapped := newDataKey(t, h, key, aad)
	want, stored := slices.Clone(plain), slices.Clone(wrapped)
	clear(plain)
	clear(wrapped)
	clear(aad)
	for range 2 {
		given, place := slices.Clone(stored), []byte("place")
		got, err := h.KMS.OpenDataKey(context.Background(), key.Project, key.ID, given, place)
		if err != nil {
			t.Fatalf("OpenDataKey after the caller cleared its slices: %v", err)
		}
		if !bytes.Equal(got, want) {
			t.Fatal("OpenDataKey after the caller cleared its slices: another data key")
		}
		if !bytes.Equal(given, stored) || string(place) != "place" {
			t.Error("OpenDataKey changed its arguments")
		}
		clear(got)
	}
}

func concurrentUse(t *testing.T, h Harness) {
	const workers, rounds = 8, 16
	var keys []seal.Key
	for range 2 {
		keys = append(keys, h.CreateKey(t, h.Project), h.CreateKey(t, h.Other))
	}
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := range rounds {
				key, aad := keys[(w+i)%len(keys)], fmt.Appendf(nil, "%d/%d", w, i)
				plain, wrapped, err := h.KMS.NewDataKey(context.Background(), key, aad)
				if err != nil {
					t.Errorf("NewDataKey: %v", err)
					return
				}
				expectOpen(t, h, key, wrapped, aad, plain)
			}
		})
	}
	all.Wait()
}

// cancelled allows an engine that waits for nothing to answer all the same.
func cancelled(t *testing.T, h Harness) {
	key := h.CreateKey(t, h.Project)
	_, wrapped := newDataKey(t, h, key, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()

	_, errDefault := h.KMS.DefaultKey(ctx, h.Other)
	_, errDescribe := h.KMS.Describe(ctx, h.Project, key.ID)
	_, _, errNew := h.KMS.NewDataKey(ctx, key, nil)
	_, errOpen := h.KMS.OpenDataKey(ctx, h.Project, key.ID, wrapped, nil)
	for call, err := range map[string]error{
		"DefaultKey": errDefault, "Describe": errDescribe, "NewDataKey": errNew, "OpenDataKey": errOpen,
	} {
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context: error %v, want %v", call, err, context.Canceled)
		}
	}
	if defaultKey(t, h, h.Other).State != seal.StateEnabled {
		t.Error("default key is not enabled after a cancelled call")
	}
}

func rotation(t *testing.T, h Harness) {
	key := h.CreateKey(t, h.Project)
	type made struct{ plain, wrapped []byte }
	var all []made
	for range 3 {
		plain, wrapped := newDataKey(t, h, key, []byte("place"))
		all = append(all, made{plain, wrapped})
		h.Rotate(t, key)
		if got := describe(t, h, h.Project, key.ID); got != key {
			t.Errorf("rotation changed the key to %+v, want %+v", got, key)
		}
	}
	for _, m := range all {
		expectOpen(t, h, key, m.wrapped, []byte("place"), m.plain)
	}
}

func restart(t *testing.T, h Harness) {
	keys := []seal.Key{h.CreateKey(t, h.Project), defaultKey(t, h, h.Project), h.CreateKey(t, h.Other)}
	again := h
	again.KMS = h.Reopen(t)
	for _, key := range keys {
		plain, wrapped := newDataKey(t, h, key, nil)
		if got := describe(t, again, key.Project, key.ID); got != key {
			t.Errorf("key after a restart is %+v, want %+v", got, key)
		}
		expectOpen(t, again, key, wrapped, nil, plain)
	}
	if got := defaultKey(t, again, h.Project); got != keys[1] {
		t.Errorf("default key after a restart is %+v, want %+v", got, keys[1])
	}
}
