package kvtest

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"coffer/internal/kv"

	"github.com/google/go-cmp/cmp"
)

var isolationCases = []testCase{
	{"a_snapshot_stays_fixed_while_writes_go_on", fixedSnapshot},
	{"a_scan_stays_fixed_while_writes_go_on", fixedScan},
	{"an_acknowledged_write_is_seen_by_all_who_come_later", acknowledgedIsSeen},
	{"no_write_skew", noWriteSkew},
	{"a_sum_kept_by_writers_is_whole_for_readers", sumIsWhole},
	{"random_histories_are_strictly_serializable", serializableHistory},
}

func fixedSnapshot(t *testing.T, s kv.Store) {
	old := []pair{{"a", "1"}, {"b", "1"}, {"c", "1"}}
	write(t, s, old...)
	view(t, s, func(r kv.Reader) error {
		for round := range 3 {
			elsewhere(t, s, func(tx kv.Txn) error {
				if err := tx.Put([]byte("a"), fmt.Append(nil, "new", round)); err != nil {
					return err
				}
				if err := tx.Delete([]byte("b")); err != nil {
					return err
				}
				return tx.Put(fmt.Append(nil, "d", round), nil)
			})
			got, err := collect(r, span("", "z"))
			if err != nil {
				return err
			}
			if diff := cmp.Diff(got, old); diff != "" {
				t.Errorf("the snapshot changed after write %d (-got +want):\n%s", round, diff)
			}
			for key, want := range map[string]string{"a": "1", "b": "1", "d0": absent} {
				got, err := find(r, key)
				if err != nil {
					return err
				}
				if got != want {
					t.Errorf("after write %d the snapshot holds %q = %q, want %q", round, key, got, want)
				}
			}
		}
		return nil
	})
	wantScan(t, s, span("", "z"), []pair{{"a", "new2"}, {"c", "1"}, {"d0", ""}, {"d1", ""}, {"d2", ""}})
}

// elsewhere commits fn from another goroutine and returns when that is done.
func elsewhere(t *testing.T, s kv.Store, fn func(tx kv.Txn) error) {
	t.Helper()
	failed := make(chan error)
	go func() { failed <- s.Update(t.Context(), fn) }()
	if err := <-failed; err != nil {
		t.Errorf("writing while a snapshot is open: %v", err)
	}
}

func fixedScan(t *testing.T, s kv.Store) {
	all := numbered(600)
	write(t, s, all...)
	view(t, s, func(r kv.Reader) error {
		var got []pair
		for item, err := range r.Scan(kv.Prefix([]byte("key/"))) {
			if err != nil {
				return err
			}
			got = append(got, pair{string(item.Key), string(item.Value)})
			if len(got)%150 != 1 {
				continue
			}
			elsewhere(t, s, func(tx kv.Txn) error {
				if err := tx.Delete([]byte(all[len(got)+1].Key)); err != nil {
					return err
				}
				if err := tx.Put([]byte(all[len(got)+2].Key), []byte("changed")); err != nil {
					return err
				}
				return tx.Put([]byte(all[len(got)+3].Key+"/new"), nil)
			})
		}
		if diff := cmp.Diff(got, all); diff != "" {
			t.Errorf("the scan changed while it ran (-got +want):\n%s", diff)
		}
		return nil
	})
}

// acknowledgedIsSeen lets one writer count up and readers start at any moment:
// what was acknowledged before a reader starts, it must see.
func acknowledgedIsSeen(t *testing.T, s kv.Store) {
	const writes = 200
	var acknowledged atomic.Int64
	together(4, func(i int) {
		if i == 0 {
			for range writes {
				n, err := increment(t.Context(), s, "n")
				if err != nil {
					t.Errorf("writing: %v", err)
				}
				acknowledged.Store(int64(n))
				if got := readNumber(t, s, n%2 == 0); got != int64(n) {
					t.Errorf("the writer reads %d after its write of %d was acknowledged", got, n)
				}
			}
			return
		}
		seen := int64(0)
		for seen < writes && !t.Failed() {
			floor := max(seen, acknowledged.Load())
			seen = readNumber(t, s, i%2 == 0)
			if seen < floor {
				t.Errorf("a reader saw %d after %d was acknowledged or seen", seen, floor)
			}
			runtime.Gosched()
		}
	})
}

// readNumber reads "n" in a View, or in an Update that writes nothing.
func readNumber(t *testing.T, s kv.Store, inUpdate bool) int64 {
	var n int
	var err error
	if inUpdate {
		err = s.Update(t.Context(), func(tx kv.Txn) (err error) {
			n, err = number(tx, "n")
			return err
		})
	} else {
		err = s.View(t.Context(), func(r kv.Reader) (err error) {
			n, err = number(r, "n")
			return err
		})
	}
	if err != nil {
		t.Errorf("reading: %v", err)
	}
	return int64(n)
}

// noWriteSkew lets two transactions read both of two keys and each clear another
// one, if that leaves one set. Run one after the other, one key stays.
func noWriteSkew(t *testing.T, s kv.Store) {
	keys := []string{"left", "right"}
	for round := range 40 {
		write(t, s, pair{"left", "1"}, pair{"right", "1"})
		together(2, func(i int) {
			err := s.Update(t.Context(), func(tx kv.Txn) error {
				left, err := number(tx, keys[0])
				if err != nil {
					return err
				}
				right, err := number(tx, keys[1])
				if err != nil {
					return err
				}
				runtime.Gosched()
				if left+right < 2 {
					return nil
				}
				return tx.Put([]byte(keys[i]), []byte("0"))
			})
			if err != nil {
				t.Errorf("Update: %v", err)
			}
		})
		view(t, s, func(r kv.Reader) error {
			left, err := number(r, keys[0])
			if err != nil {
				return err
			}
			right, err := number(r, keys[1])
			if left+right != 1 {
				t.Errorf("round %d: left is %d and right is %d, want one of them set", round, left, right)
			}
			return err
		})
	}
}

// sumIsWhole moves amounts between accounts: no reader may see a part of a move.
func sumIsWhole(t *testing.T, s kv.Store) {
	const accounts, total = 5, 500
	for i := range accounts {
		write(t, s, pair{account(i), "100"})
	}
	sum := func(g getter) error {
		got := 0
		for i := range accounts {
			n, err := number(g, account(i))
			if err != nil {
				return err
			}
			got += n
			runtime.Gosched()
		}
		if got != total {
			t.Errorf("the accounts hold %d in a %T, want %d", got, g, total)
		}
		return nil
	}
	together(6, func(i int) {
		for step := range 25 {
			var err error
			switch {
			case i < 4:
				err = move(t, s, account((i+step)%accounts), account((i+2*step+1)%accounts), 1+step)
			case i == 4:
				err = s.View(t.Context(), func(r kv.Reader) error { return sum(r) })
			default:
				err = s.Update(t.Context(), func(tx kv.Txn) error {
					if err := sum(tx); err != nil {
						return err
					}
					return tx.Put([]byte("checked"), fmt.Append(nil, step))
				})
			}
			if err != nil {
				t.Errorf("goroutine %d: %v", i, err)
			}
		}
	})
	view(t, s, func(r kv.Reader) error { return sum(r) })
}

func account(i int) string { return fmt.Sprint("account/", i) }

func move(t *testing.T, s kv.Store, from, to string, amount int) error {
	return s.Update(t.Context(), func(tx kv.Txn) error {
		a, err := number(tx, from)
		if err != nil {
			return err
		}
		if err := tx.Put([]byte(from), fmt.Append(nil, a-amount)); err != nil {
			return err
		}
		runtime.Gosched()
		b, err := number(tx, to)
		if err != nil {
			return err
		}
		return tx.Put([]byte(to), fmt.Append(nil, b+amount))
	})
}
