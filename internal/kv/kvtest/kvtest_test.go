package kvtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"coffer/internal/kv"
)

// faultVariable names the promise that the toy engine breaks in a child process.
const faultVariable = "COFFER_KVTEST_FAULT"

// TestEngine runs the suite over the toy engine: without a fault here, with one
// in the children of TestSuiteNotices.
func TestEngine(t *testing.T) {
	Run(t, func(*testing.T) kv.Store { return newToy(os.Getenv(faultVariable)) })
}

// TestDurableEngine is TestEngine for RunDurable. The directory is only a name.
func TestDurableEngine(t *testing.T) {
	kept := map[string]map[string][]byte{}
	RunDurable(t, func(t *testing.T, dir string) kv.Store {
		s := newToy(os.Getenv(faultVariable))
		if kept[dir] != nil {
			s.data = kept[dir]
		}
		return &keptToy{toy: s, keep: func(data map[string][]byte) { kept[dir] = data }}
	})
}

type keptToy struct {
	*toy
	keep func(map[string][]byte)
}

func (s *keptToy) Close() error {
	err := s.toy.Close()
	s.keep(s.data)
	return err
}

// TestSuiteNotices breaks one promise of the toy engine at a time and demands
// that the case that guards the promise fails.
func TestSuiteNotices(t *testing.T) {
	for _, c := range []struct{ fault, test string }{
		{"commits in spite of an error", "TestEngine/an_error_rolls_back_and_comes_back_as_it_is"},
		{"swallows panics", "TestEngine/a_panic_reaches_the_caller_and_rolls_back"},
		{"handles live on", "TestEngine/reader_and_transaction_die_with_their_function"},
		{"does not see its own writes", "TestEngine/a_transaction_sees_its_own_writes"},
		{"does not see its own writes", "TestEngine/a_commit_is_whole"},
		{"an empty value is absent", "TestEngine/an_empty_value_is_not_an_absent_one"},
		{"get gives out its memory", "TestEngine/the_caller_owns_what_get_returns"},
		{"put keeps the slice", "TestEngine/put_copies_key_and_value"},
		{"scan gives out its memory", "TestEngine/an_item_is_not_the_memory_of_the_engine"},
		{"takes any value", "TestEngine/a_value_above_the_limit_is_refused"},
		{"takes any value", "TestEngine/a_refused_put_changes_nothing"},
		{"takes any key", "TestEngine/empty_and_overlong_keys_are_refused"},
		{"orders like a dictionary", "TestEngine/keys_come_in_byte_order"},
		{"a range holds its end", "TestEngine/a_range_holds_its_start_and_not_its_end"},
		{"takes an open range", "TestEngine/a_range_without_an_end_is_refused"},
		{"scans stop at 1000", "TestEngine/long_scans"},
		{"snapshots change", "TestEngine/a_snapshot_stays_fixed_while_writes_go_on"},
		{"views are stale", "TestEngine/an_acknowledged_write_is_seen_by_all_who_come_later"},
		{"validates nothing", "TestEngine/no_lost_update"},
		{"validates nothing", "TestEngine/heavy_conflict_starves_nobody"},
		{"validates nothing", "TestEngine/a_key_is_created_once"},
		{"validates nothing", "TestEngine/a_key_is_taken_once"},
		{"validates nothing", "TestEngine/random_histories_are_strictly_serializable"},
		{"validates nothing", "TestEngine/a_sum_kept_by_writers_is_whole_for_readers"},
		{"validates only what it writes", "TestEngine/no_write_skew"},
		{"validates only what it writes", "TestEngine/random_histories_are_strictly_serializable"},
		{"does not validate absence", "TestEngine/a_key_is_created_once"},
		{"views are stale", "TestEngine/random_histories_are_strictly_serializable"},
		{"ignores a cancelled ctx", "TestEngine/a_cancelled_call_does_nothing"},
		{"ignores a cancelled ctx", "TestEngine/a_call_cancelled_before_its_commit_writes_nothing"},
		{"reports a cancellation after the commit", "TestEngine/a_call_cancelled_at_any_moment_is_whole_or_absent"},
		{"a cancelled scan looks complete", "TestEngine/a_scan_that_is_cut_short_says_so"},
		{"works when closed", "TestEngine/a_closed_store_answers_ErrClosed"},
		{"close does not wait", "TestEngine/close_waits_for_running_calls"},
		{"forgets to delete short values", "TestEngine/random_histories_equal_a_map"},
		{"forgets to delete short values", "TestEngine/deleting_an_absent_key_is_no_error"},
		{"forgets the last commit", "TestDurableEngine/commits_survive_and_rollbacks_do_not"},
		{"forgets the last commit", "TestDurableEngine/many_and_large_items_survive"},
		{"forgets the last commit", "TestDurableEngine/a_counter_goes_on_where_it_stopped"},
		{"forgets the last commit", "TestDurableEngine/closing_under_load_loses_nothing"},
	} {
		name := strings.ReplaceAll(c.fault, " ", "_") + "/" + c.test[strings.Index(c.test, "/")+1:]
		t.Run(name, func(t *testing.T) {
			child := exec.CommandContext(t.Context(), os.Args[0],
				"-test.run=^"+strings.Replace(c.test, "/", "$/^", 1)+"$", "-test.timeout=60s", "-rapid.nofailfile")
			child.Env = append(os.Environ(), faultVariable+"="+c.fault)
			out, err := child.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: "+c.test) {
				t.Errorf("the suite does not notice an engine that %s: %v\n%s", c.fault, err, out)
			}
		})
	}
}

// TestCheckHistory feeds the checker histories whose verdict is known.
func TestCheckHistory(t *testing.T) {
	read := func(key string, list ...string) access { return access{key: key, read: list} }
	add := func(key string, list ...string) access { return access{key: key, read: list, append: true} }
	at := func(began, ended int64, name string, a ...access) event {
		return event{name: name, accesses: a, began: began, ended: ended}
	}
	for _, c := range []struct {
		name    string
		history []event
		final   map[string][]string
		valid   bool
	}{
		{
			"one_after_the_other",
			[]event{at(1, 2, "a", add("x")), at(3, 4, "b", add("x", "a"))},
			map[string][]string{"x": {"a", "b"}},
			true,
		},
		{
			"concurrent_and_read_early",
			[]event{at(1, 4, "a", add("x")), at(2, 3, "b", read("x"))},
			map[string][]string{"x": {"a"}},
			true,
		},
		{
			"lost_update",
			[]event{at(1, 3, "a", add("x")), at(2, 4, "b", add("x"))},
			map[string][]string{"x": {"b"}},
			false,
		},
		{
			"write_skew",
			[]event{at(1, 3, "a", read("x"), add("y")), at(2, 4, "b", read("y"), add("x"))},
			map[string][]string{"x": {"b"}, "y": {"a"}},
			false,
		},
		{
			"stale_read",
			[]event{at(1, 2, "a", add("x")), at(3, 4, "b", read("x"))},
			map[string][]string{"x": {"a"}},
			false,
		},
		{
			"half_a_transaction_read",
			[]event{at(1, 3, "a", add("x"), add("y")), at(2, 4, "b", read("x", "a"), read("y"))},
			map[string][]string{"x": {"a"}, "y": {"a"}},
			false,
		},
		{
			"rolled_back_write_read",
			[]event{at(1, 2, "b", read("x", "a"))},
			map[string][]string{"x": nil},
			false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := checkHistory(c.history, c.final)
			if (err == nil) != c.valid {
				t.Errorf("checkHistory returned %v, want valid = %t", err, c.valid)
			}
		})
	}
}
