package kvtest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"coffer/internal/kv"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var modelCases = []testCase{
	{"random_histories_equal_a_map", randomHistories},
}

// randomHistories compares the store with a map after random transactions. Every
// history lives under a prefix of its own, so that one store serves them all.
func randomHistories(t *testing.T, s kv.Store) {
	history := 0
	rapid.Check(t, func(rt *rapid.T) {
		history++
		m := &model{store: s, prefix: fmt.Sprintf("history/%d/", history), want: map[string]string{}}
		rt.Repeat(map[string]func(*rapid.T){
			"update": m.update,
			"get":    m.get,
			"scan":   m.scan,
		})
		m.compare(rt, kv.Prefix([]byte(m.prefix)))
	})
}

type model struct {
	store  kv.Store
	prefix string
	want   map[string]string
}

// key draws from few keys, so that histories meet them again. Some are prefixes
// of others.
func (m *model) key(t *rapid.T) string {
	return m.prefix + rapid.StringOfN(rapid.SampledFrom([]rune{0, 'a', 'b', 'é'}), 0, 3, -1).Draw(t, "key")
}

// step is one call inside a transaction.
type step struct{ verb, key, value string }

func (m *model) step(t *rapid.T) step {
	return step{
		verb:  rapid.SampledFrom([]string{"get", "put", "put", "delete"}).Draw(t, "verb"),
		key:   m.key(t),
		value: string(rapid.SliceOfN(rapid.Byte(), 0, 64).Draw(t, "value")),
	}
}

func (m *model) update(t *rapid.T) {
	var steps []step
	for range rapid.IntRange(0, 12).Draw(t, "steps") {
		steps = append(steps, m.step(t))
	}
	commit := rapid.IntRange(0, 3).Draw(t, "commit") > 0
	var next map[string]string
	err := m.store.Update(t.Context(), func(tx kv.Txn) error {
		next = maps.Clone(m.want)
		for _, st := range steps {
			if err := st.run(tx, next); err != nil {
				return err
			}
		}
		if !commit {
			return errStop
		}
		return nil
	})
	switch {
	case commit && err == nil:
		m.want = next
	case commit || err != errStop:
		t.Fatalf("Update of %v returned %v", steps, err)
	}
}

// run does one step to the transaction and to the model.
func (st step) run(tx kv.Txn, model map[string]string) error {
	switch st.verb {
	case "put":
		model[st.key] = st.value
		return tx.Put([]byte(st.key), []byte(st.value))
	case "delete":
		delete(model, st.key)
		return tx.Delete([]byte(st.key))
	default:
		got, err := find(tx, st.key)
		want, ok := model[st.key]
		if !ok {
			want = absent
		}
		if err == nil && got != want {
			err = fmt.Errorf("inside the transaction %q is %q, want %q", st.key, got, want)
		}
		return err
	}
}

func (m *model) get(t *rapid.T) {
	key := m.key(t)
	want, ok := m.want[key]
	if !ok {
		want = absent
	}
	err := m.store.View(t.Context(), func(r kv.Reader) error {
		got, err := find(r, key)
		if err == nil && got != want {
			t.Errorf("%q is %q, want %q", key, got, want)
		}
		return err
	})
	if err != nil {
		t.Fatalf("View: %v", err)
	}
}

func (m *model) scan(t *rapid.T) {
	m.compare(t, span(m.key(t), m.key(t)))
}

func (m *model) compare(t *rapid.T, rng kv.Range) {
	var want []pair
	for _, key := range slices.Sorted(maps.Keys(m.want)) {
		if key >= string(rng.From) && key < string(rng.To) {
			want = append(want, pair{key, m.want[key]})
		}
	}
	err := m.store.View(t.Context(), func(r kv.Reader) error {
		got, err := collect(r, rng)
		if diff := cmp.Diff(got, want); err == nil && diff != "" {
			t.Errorf("scan of [%q, %q) (-got +want):\n%s", rng.From, rng.To, diff)
		}
		return err
	})
	if err != nil {
		t.Fatalf("View: %v", err)
	}
}
