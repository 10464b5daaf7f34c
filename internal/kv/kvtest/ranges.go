package kvtest

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"

	"coffer/internal/kv"

	"github.com/google/go-cmp/cmp"
)

var rangeCases = []testCase{
	{"keys_come_in_byte_order", byteOrder},
	{"a_range_holds_its_start_and_not_its_end", rangeEnds},
	{"a_range_without_an_end_is_refused", openRange},
	{"a_prefix_is_a_range", prefixRange},
	{"long_scans", longScans},
	{"a_scan_can_be_left_and_repeated", leaveAndRepeat},
	{"two_scans_do_not_disturb_each_other", interleavedScans},
	{"a_deleted_key_is_not_scanned", deletedKeys},
}

// numbered returns n pairs in key order.
func numbered(n int) []pair {
	pairs := make([]pair, n)
	for i := range pairs {
		pairs[i] = pair{fmt.Sprintf("key/%05d", i), fmt.Sprint("value ", i)}
	}
	return pairs
}

func byteOrder(t *testing.T, s kv.Store) {
	ordered := []string{
		"\x00", "\x00\x00", "\x00\xff", "\x01", "A", "B", "Z", "a", "a\x00", "a\x00\xff", "a\x01", "a b",
		"a-b", "a/b", "aB", "aa", "ab", "a\x7f", "a\x80", "a\xc3\xa9", "a\xff", "b", "z", "\x7f", "\x80", "\xc3\xa9", "\xfe\xff",
	}
	if !slices.IsSorted(ordered) {
		t.Fatal("the table of this case is out of order")
	}
	var want []pair
	for _, key := range ordered {
		want = append(want, pair{key, "value of " + key})
	}
	backwards := slices.Clone(want)
	slices.Reverse(backwards)
	write(t, s, backwards...)
	wantScan(t, s, span("", "\xff"), want)
}

func rangeEnds(t *testing.T, s kv.Store) {
	all := []pair{{"b", "1"}, {"d", "2"}, {"d\x00", "3"}, {"da", "4"}, {"f", "5"}}
	write(t, s, all...)
	for _, c := range []struct {
		from, to string
		want     []pair
	}{
		{"", "z", all},
		{"b", "f", all[:4]},
		{"b", "f\x00", all},
		{"a", "c", all[:1]},
		{"c", "e", all[1:4]},
		{"d", "d\x00", all[1:2]},
		{"d", "da", all[1:3]},
		{"b\x00", "d", nil},
		{"d", "d", nil},
		{"f", "b", nil},
		{"g", "z", nil},
		{"", "a", nil},
		{"", "\x00", nil},
	} {
		wantScan(t, s, span(c.from, c.to), c.want)
	}
}

func openRange(t *testing.T, s kv.Store) {
	write(t, s, pair{"a", "1"})
	for _, rng := range []kv.Range{{}, {From: []byte("a")}, {From: []byte("a"), To: []byte{}}, kv.Prefix([]byte("\xff"))} {
		view(t, s, func(r kv.Reader) error {
			if got, err := collect(r, rng); !errors.Is(err, kv.ErrLimit) || len(got) != 0 {
				t.Errorf("scan of [%q, %q) gives %v and %v, want kv.ErrLimit", rng.From, rng.To, got, err)
			}
			return nil
		})
	}
}

func prefixRange(t *testing.T, s kv.Store) {
	write(t, s, pair{"a", "0"}, pair{"a/", "1"}, pair{"a/\xff", "2"}, pair{"a/\xff\xff", "3"}, pair{"a0", "4"}, pair{"b", "5"})
	wantScan(t, s, kv.Prefix([]byte("a/")), []pair{{"a/", "1"}, {"a/\xff", "2"}, {"a/\xff\xff", "3"}})
	wantScan(t, s, kv.Prefix([]byte("a/\xff")), []pair{{"a/\xff", "2"}, {"a/\xff\xff", "3"}})
	wantScan(t, s, kv.Prefix([]byte("c")), nil)
}

func longScans(t *testing.T, s kv.Store) {
	all := numbered(1500)
	write(t, s, all...)
	wantScan(t, s, kv.Prefix([]byte("key/")), all)
	wantScan(t, s, span(all[7].Key, all[1311].Key), all[7:1311])
	wantScan(t, s, span(all[1499].Key, "key0"), all[1499:])
}

func leaveAndRepeat(t *testing.T, s kv.Store) {
	all := numbered(20)
	write(t, s, all...)
	view(t, s, func(r kv.Reader) error {
		items := r.Scan(kv.Prefix([]byte("key/")))
		for _, limit := range []int{1, 3, 20} {
			var got []pair
			for item, err := range items {
				if err != nil {
					return err
				}
				got = append(got, pair{string(item.Key), string(item.Value)})
				if len(got) == limit {
					break
				}
			}
			if diff := cmp.Diff(got, all[:limit]); diff != "" {
				t.Errorf("the first %d items (-got +want):\n%s", limit, diff)
			}
		}
		return nil
	})
}

func interleavedScans(t *testing.T, s kv.Store) {
	all := numbered(40)
	write(t, s, all...)
	view(t, s, func(r kv.Reader) error {
		next, stop := iter.Pull2(r.Scan(span(all[20].Key, "key0")))
		defer stop()
		i := 0
		for item, err := range r.Scan(span("key/", all[20].Key)) {
			if err != nil {
				return err
			}
			other, err, ok := next()
			if err != nil || !ok {
				return fmt.Errorf("the second scan ended after %d items: %w", i, err)
			}
			got := []pair{{string(item.Key), string(item.Value)}, {string(other.Key), string(other.Value)}}
			if diff := cmp.Diff(got, []pair{all[i], all[20+i]}); diff != "" {
				t.Errorf("items %d (-got +want):\n%s", i, diff)
			}
			i++
		}
		return nil
	})
}

func deletedKeys(t *testing.T, s kv.Store) {
	all := numbered(60)
	write(t, s, all...)
	update(t, s, func(tx kv.Txn) error {
		for i, p := range all {
			if i%3 == 0 {
				continue
			}
			if err := tx.Delete([]byte(p.Key)); err != nil {
				return err
			}
		}
		return nil
	})
	var want []pair
	for i := 0; i < len(all); i += 3 {
		want = append(want, all[i])
	}
	wantScan(t, s, kv.Prefix([]byte("key/")), want)
}
