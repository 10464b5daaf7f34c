package kvtest

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"coffer/internal/kv"
)

// access is what one transaction did to one key: the list of writers it read
// there, and whether it appended itself.
type access struct {
	key    string
	read   []string
	append bool
}

// event is one committed transaction. began and ended are ticks of one counter
// taken around the call, so that ended < began means "was over before".
type event struct {
	name         string
	accesses     []access
	began, ended int64
}

// serializableHistory runs random transactions at once and looks for a cycle in
// who must come before whom. Values are lists of the names of their writers, so
// that every read tells exactly which version it saw (the list-append test of
// Elle, Kingsbury and Alvaro 2020).
func serializableHistory(t *testing.T, s kv.Store) {
	const goroutines, each, keys = 8, 25, 4
	var clock atomic.Int64
	var mu sync.Mutex
	var history []event
	together(goroutines, func(g int) {
		chance := rand.New(rand.NewPCG(uint64(g), 1))
		for i := range each {
			e := event{name: fmt.Sprintf("%d.%d", g, i), began: clock.Add(1)}
			plan := planAccesses(chance, keys)
			var err error
			if chance.IntN(4) == 0 {
				err = s.View(t.Context(), func(r kv.Reader) error { return e.perform(r, nil, plan) })
			} else {
				err = s.Update(t.Context(), func(tx kv.Txn) error { return e.perform(tx, tx, plan) })
			}
			e.ended = clock.Add(1)
			if err != nil {
				t.Errorf("transaction %s: %v", e.name, err)
				continue
			}
			mu.Lock()
			history = append(history, e)
			mu.Unlock()
		}
	})
	final := map[string][]string{}
	view(t, s, func(r kv.Reader) error {
		for k := range keys {
			list, err := readList(r, listKey(k))
			if err != nil {
				return err
			}
			final[listKey(k)] = list
		}
		return nil
	})
	if err := checkHistory(history, final); err != nil {
		t.Errorf("history of %d transactions: %v", len(history), err)
	}
}

// planAccesses decides in advance, because the function may run twice.
func planAccesses(chance *rand.Rand, keys int) []access {
	var plan []access
	for _, k := range chance.Perm(keys)[:1+chance.IntN(3)] {
		plan = append(plan, access{key: listKey(k), append: chance.IntN(2) == 0})
	}
	return plan
}

func listKey(k int) string { return fmt.Sprint("list/", k) }

// perform reads every key of the plan and, if w is not nil, appends to some.
func (e *event) perform(g getter, w kv.Txn, plan []access) error {
	e.accesses = nil
	for _, a := range plan {
		list, err := readList(g, a.key)
		if err != nil {
			return err
		}
		a.read = list
		a.append = a.append && w != nil
		e.accesses = append(e.accesses, a)
		runtime.Gosched()
		if !a.append {
			continue
		}
		next := strings.Join(append(slices.Clone(list), e.name), " ")
		if err := w.Put([]byte(a.key), []byte(next)); err != nil {
			return err
		}
	}
	return nil
}

func readList(g getter, key string) ([]string, error) {
	text, err := find(g, key)
	if err != nil || text == absent {
		return nil, err
	}
	return strings.Fields(text), nil
}

// checkHistory returns an error unless some order of the events explains all
// reads, ends in final, and lets no event pass one that was over before it began.
func checkHistory(history []event, final map[string][]string) error {
	index := map[string]int{}
	for i, e := range history {
		index[e.name] = i
	}
	before := make([][]int, len(history)) // before[i] lists what must follow event i
	edge := func(from, to string) error {
		a, okA := index[from]
		b, okB := index[to]
		if !okA || !okB {
			return fmt.Errorf("%s or %s is in a list but did not commit", from, to)
		}
		before[a] = append(before[a], b)
		return nil
	}
	for key, list := range final {
		for i := 1; i < len(list); i++ {
			if err := edge(list[i-1], list[i]); err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
		}
	}
	for _, e := range history {
		for _, a := range e.accesses {
			if err := orderByRead(e, a, final[a.key], edge); err != nil {
				return err
			}
		}
	}
	orderByTime(history, before)
	return findCycle(history, before)
}

// orderByRead puts the writer of what was read before the reader, and the reader
// before the writer of the next version.
func orderByRead(e event, a access, list []string, edge func(from, to string) error) error {
	n := len(a.read)
	if n > len(list) || !slices.Equal(a.read, list[:n]) {
		return fmt.Errorf("%s read %v from %s, which ended as %v", e.name, a.read, a.key, list)
	}
	if a.append && !slices.Contains(list, e.name) {
		return fmt.Errorf("the write of %s to %s is lost", e.name, a.key)
	}
	if n > 0 {
		if err := edge(a.read[n-1], e.name); err != nil {
			return err
		}
	}
	if n < len(list) && list[n] != e.name {
		return edge(e.name, list[n])
	}
	return nil
}

func orderByTime(history []event, before [][]int) {
	for i, a := range history {
		for j, b := range history {
			if a.ended < b.began {
				before[i] = append(before[i], j)
			}
		}
	}
}

// findCycle walks the graph depth first and names the events of the first cycle.
func findCycle(history []event, before [][]int) error {
	const unseen, open, done = 0, 1, 2
	state := make([]int, len(history))
	var path []string
	var walk func(i int) error
	walk = func(i int) error {
		state[i] = open
		path = append(path, history[i].name)
		for _, j := range before[i] {
			if state[j] == open {
				return fmt.Errorf("no order explains the cycle %v", append(path, history[j].name))
			}
			if state[j] == unseen {
				if err := walk(j); err != nil {
					return err
				}
			}
		}
		state[i] = done
		path = path[:len(path)-1]
		return nil
	}
	for i := range history {
		if state[i] == unseen {
			if err := walk(i); err != nil {
				return err
			}
		}
	}
	return nil
}
