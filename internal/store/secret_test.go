package store

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/kv"
)

// names collects the names of a sequence, up to limit.
func names(t testing.TB, secrets iter.Seq2[*csms.Secret, error], limit int) []string {
	t.Helper()
	var out []string
	for s, err := range secrets {
		if err != nil {
			t.Fatalf("listing: %v", err)
		}
		if out = append(out, s.Name); len(out) == limit {
			break
		}
	}
	return out
}

func TestSecretIsFoundByNameAndByID(t *testing.T) {
	s, _ := open(t, Options{})
	want := newSecret("id1", "a")
	update(t, s, func(tx *Tx) error { return putNew(tx, want) })
	for range 2 { // from the engine, then from the cache
		got, err := s.Secret(t.Context(), "p1", "a")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Secret: %v (-want +got):\n%s", err, diff)
		}
		got, err = s.SecretByID(t.Context(), "id1")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("SecretByID: %v (-want +got):\n%s", err, diff)
		}
		value, err := s.Value(t.Context(), "id1", 1)
		if err != nil || string(value) != "sealed id1" {
			t.Errorf("Value: %q, %v", value, err)
		}
	}
	update(t, s, func(tx *Tx) error {
		got, err := tx.SecretByID("id1")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("SecretByID in a transaction: %v (-want +got):\n%s", err, diff)
		}
		return nil
	})
}

func TestWhatIsNotThereIsNotFound(t *testing.T) {
	s, _ := open(t, Options{})
	for _, name := range []string{"a", "", "a\x00b"} {
		_, err := s.Secret(t.Context(), "p1", name)
		if e := (*csms.Error)(nil); !errors.As(err, &e) || e.Code != csms.CodeSecretNotFound || e.Msg != "The secret "+name+" does not exist." {
			t.Errorf("Secret(%q): %v", name, err)
		}
	}
	if _, err := s.SecretByID(t.Context(), "id1"); csms.CodeOf(err) != csms.CodeNotFound {
		t.Errorf("SecretByID: %v", err)
	}
	if _, err := s.Value(t.Context(), "id1", 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("Value: %v", err)
	}
	update(t, s, func(tx *Tx) error {
		if _, err := tx.Secret("p1", "a"); csms.CodeOf(err) != csms.CodeSecretNotFound {
			t.Errorf("Tx.Secret: %v", err)
		}
		if _, err := tx.SecretByID("id1"); csms.CodeOf(err) != csms.CodeNotFound {
			t.Errorf("Tx.SecretByID: %v", err)
		}
		if err := tx.DeleteSecret(newSecret("id1", "a")); csms.CodeOf(err) != csms.CodeSecretNotFound {
			t.Errorf("Tx.DeleteSecret: %v", err)
		}
		return nil
	})
}

// DEL2: the name is free at once, and the new secret is another one.
func TestSecretIsCreatedDeletedAndCreatedAnew(t *testing.T) {
	s, db := open(t, Options{})
	empty := contents(t, db)
	first := newSecret("id1", "a")
	first.EventSubscriptions = []string{"e"}
	update(t, s, func(tx *Tx) error { return putNew(tx, first) })
	if _, err := s.SecretByID(t.Context(), "id1"); err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error { return tx.DeleteSecret(first) })
	if diff := cmp.Diff(empty, contents(t, db)); diff != "" {
		t.Errorf("deletion left something behind (-before +after):\n%s", diff)
	}
	if _, err := s.SecretByID(t.Context(), "id1"); csms.CodeOf(err) != csms.CodeNotFound {
		t.Errorf("SecretByID of the first: %v", err)
	}

	second := newSecret("id2", "a")
	update(t, s, func(tx *Tx) error { return putNew(tx, second) })
	third := newSecret("id3", "a")
	update(t, s, func(tx *Tx) error { // replaced in one transaction
		return errors.Join(tx.DeleteSecret(second), putNew(tx, third))
	})
	got, err := s.Secret(t.Context(), "p1", "a")
	if err != nil || got.ID != "id3" {
		t.Errorf("Secret: %+v, %v", got, err)
	}
	if _, err := s.Value(t.Context(), "id2", 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("Value of the second: %v", err)
	}
	if lines := findings(t, s); lines != nil {
		t.Errorf("findings: %q", lines)
	}
}

func TestDeleteSecretOfAnotherIDIsNotFound(t *testing.T) {
	s, db := open(t, Options{})
	update(t, s, func(tx *Tx) error { return putNew(tx, newSecret("id2", "a")) })
	before := contents(t, db)
	err := s.Update(t.Context(), func(tx *Tx) error { return tx.DeleteSecret(newSecret("id1", "a")) })
	if csms.CodeOf(err) != csms.CodeSecretNotFound {
		t.Errorf("DeleteSecret: %v", err)
	}
	if diff := cmp.Diff(before, contents(t, db)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestPutSecretRefuses(t *testing.T) {
	s, db := open(t, Options{})
	update(t, s, func(tx *Tx) error { return putNew(tx, newSecret("id1", "a")) })
	before := contents(t, db)
	cases := []struct {
		name   string
		secret *csms.Secret
		taken  bool
	}{
		{"a_name_that_belongs_to_another_id", newSecret("id2", "a"), true},
		{"an_id_that_belongs_to_another_name", newSecret("id1", "b"), true},
		{"no_name", newSecret("id2", ""), false},
		{"no_id", newSecret("", "b"), false},
		{"a_name_with_a_zero_byte", newSecret("id2", "b\x00"), false},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			err := s.Update(t.Context(), func(tx *Tx) error { return tx.PutSecret(tc.secret) })
			if err == nil || errors.Is(err, ErrTaken) != tc.taken {
				t.Errorf("PutSecret: %v", err)
			}
			if diff := cmp.Diff(before, contents(t, db)); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}
}

func TestRecordOfATransactionIsAPrivateCopy(t *testing.T) {
	s, _ := open(t, Options{})
	update(t, s, func(tx *Tx) error { return putNew(tx, newSecret("id1", "a")) })
	shared, err := s.Secret(t.Context(), "p1", "a")
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error {
		sec, err := tx.Secret("p1", "a")
		if err != nil {
			return err
		}
		sec.Description, sec.Versions[0].KMSKeyID = "changed", "changed"
		return tx.PutSecret(sec)
	})
	if diff := cmp.Diff(newSecret("id1", "a"), shared); diff != "" {
		t.Errorf("the shared record changed (-before +after):\n%s", diff)
	}
	fresh, err := s.Secret(t.Context(), "p1", "a")
	if err != nil || fresh.Description != "changed" || fresh.Versions[0].KMSKeyID != "changed" {
		t.Errorf("Secret: %+v, %v", fresh, err)
	}
}

func TestPrunedVersionTakesItsValueAlong(t *testing.T) {
	s, _ := open(t, Options{})
	update(t, s, func(tx *Tx) error { return putNew(tx, newSecret("id1", "a")) })
	for range csms.MaxVersions + 3 {
		update(t, s, func(tx *Tx) error {
			sec, err := tx.Secret("p1", "a")
			if err != nil {
				return err
			}
			v, _, err := sec.AddVersion(csms.NewVersion{Kind: csms.Text, KMSKeyID: "k1"}, 2000)
			if err != nil {
				return err
			}
			return errors.Join(tx.PutValue("id1", v.Number, []byte("sealed")), tx.PutSecret(sec))
		})
	}
	if _, err := s.Value(t.Context(), "id1", 1); !errors.Is(err, ErrNotFound) {
		t.Errorf("Value of a pruned version: %v", err)
	}
	if lines := findings(t, s); lines != nil {
		t.Errorf("findings: %q", lines)
	}
}

// P3: the marker is exclusive, and need not be the name of a secret.
func TestSecretsAreListedByNameAfterTheMarker(t *testing.T) {
	s, _ := open(t, Options{})
	all := []string{"A", "a", "a-b", "a.b", "ab", "b", "zz"}
	update(t, s, func(tx *Tx) error {
		for i, name := range slices.Backward(all) {
			sec := newSecret(fmt.Sprint("id", i), name)
			sec.EventSubscriptions = []string{"e"}
			if err := putNew(tx, sec); err != nil {
				return err
			}
		}
		for i, project := range []string{"p", "p0", "p11"} { // around p1 in byte order
			other := newSecret(fmt.Sprint("other", i), "a")
			other.ProjectID, other.EventSubscriptions = project, []string{"e"}
			if err := putNew(tx, other); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(v *View) error {
		for i, marker := range append([]string{""}, all...) {
			for what, list := range map[string]iter.Seq2[*csms.Secret, error]{
				"Secrets": v.Secrets("p1", marker), "SecretsByEvent": v.SecretsByEvent("p1", "e", marker),
			} {
				if diff := cmp.Diff(all[i:], names(t, list, -1), cmp.Transformer("nil", func(s []string) string { return fmt.Sprint(s) })); diff != "" {
					t.Errorf("%s after %q (-want +got):\n%s", what, marker, diff)
				}
			}
		}
		if got := names(t, v.Secrets("p1", "a0"), 2); !slices.Equal(got, []string{"ab", "b"}) {
			t.Errorf("two after a marker that is no secret: %q", got)
		}
		if got := names(t, v.Secrets("p1", "zzz\xff\xff"), -1); got != nil {
			t.Errorf("after the end: %q", got)
		}
		for _, project := range []string{"", "p1\x00a", "none"} {
			if got := names(t, v.Secrets(project, ""), -1); got != nil {
				t.Errorf("Secrets(%q): %q", project, got)
			}
		}
		return nil
	})
}

func TestSecretsByInstanceTakesAnyText(t *testing.T) {
	s, _ := open(t, Options{})
	instances := []string{"rds-1", "with \x00 byte", string(make([]byte, 900))}
	update(t, s, func(tx *Tx) error {
		for i, instance := range instances {
			sec := newSecret(fmt.Sprint("id", i), fmt.Sprint("s", i))
			sec.Type = csms.RDSFG
			sec.Rotation.Config = fmt.Sprintf(`{"InstanceId":%s,"SecretSubType":"SingleUser"}`, jsonText(t, instance))
			if err := putNew(tx, sec); err != nil {
				return err
			}
		}
		return nil
	})
	view(t, s, func(v *View) error {
		for i, instance := range instances {
			if got := names(t, v.SecretsByInstance("p1", instance), -1); !slices.Equal(got, []string{fmt.Sprint("s", i)}) {
				t.Errorf("instance %d: %q", i, got)
			}
		}
		if got := names(t, v.SecretsByInstance("p1", "rds"), -1); got != nil {
			t.Errorf("unknown instance: %q", got)
		}
		return nil
	})
}

func TestNoSecretIsLostUnderParallelCreation(t *testing.T) {
	s, _ := open(t, Options{})
	const writers = 50
	var all sync.WaitGroup
	for i := range writers {
		all.Go(func() {
			update(t, s, func(tx *Tx) error {
				n, err := tx.SecretCount("p1")
				if err != nil || n > writers {
					return fmt.Errorf("count %d: %w", n, err)
				}
				return putNew(tx, newSecret(fmt.Sprint("id", i), fmt.Sprint("s", i)))
			})
		})
	}
	all.Wait()
	update(t, s, func(tx *Tx) error {
		if n, err := tx.SecretCount("p1"); n != writers || err != nil {
			t.Errorf("SecretCount: %d, %v; want %d", n, err, writers)
		}
		return nil
	})
	if lines := findings(t, s); lines != nil {
		t.Errorf("findings: %q", lines)
	}
}

func TestValuesOfImpossiblePlacesAreRefused(t *testing.T) {
	s, db := open(t, Options{})
	before := contents(t, db)
	for id, number := range map[string]int{"": 1, "id1": -1, "id\x00": 1} {
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.PutValue(id, number, nil) }); err == nil {
			t.Errorf("PutValue(%q, %d): no error", id, number)
		}
		update(t, s, func(tx *Tx) error { return tx.DeleteValue(id, number) })
		if _, err := s.Value(t.Context(), id, number); !errors.Is(err, ErrNotFound) {
			t.Errorf("Value(%q, %d): %v", id, number, err)
		}
	}
	if diff := cmp.Diff(before, contents(t, db)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
}

func TestValueIsReplacedAndDeleted(t *testing.T) {
	s, _ := open(t, Options{})
	for _, sealed := range []string{"first", "second", ""} { // an empty value is one
		update(t, s, func(tx *Tx) error { return tx.PutValue("id1", 1, []byte(sealed)) })
		if got, err := s.Value(t.Context(), "id1", 1); err != nil || string(got) != sealed {
			t.Errorf("Value: %q, %v; want %q", got, err, sealed)
		}
	}
	for range 2 {
		update(t, s, func(tx *Tx) error { return tx.DeleteValue("id1", 1) })
		if _, err := s.Value(t.Context(), "id1", 1); !errors.Is(err, ErrNotFound) {
			t.Errorf("Value after deletion: %v", err)
		}
	}
}

func TestDamagedCounterStopsACreationAndADeletion(t *testing.T) {
	s, db := open(t, Options{})
	a := newSecret("id1", "a")
	update(t, s, func(tx *Tx) error { return putNew(tx, a) })
	for name, raw := range map[string][]byte{"cut": {1}, "too_low": nil} {
		edit(t, db, func(tx kv.Txn) error {
			if raw == nil {
				return tx.Delete(countKey("p1"))
			}
			return tx.Put(countKey("p1"), raw)
		})
		if err := s.Update(t.Context(), func(tx *Tx) error { return tx.DeleteSecret(a) }); err == nil || !strings.Contains(err.Error(), "run reindex") {
			t.Errorf("%s: DeleteSecret: %v", name, err)
		}
	}
	if _, err := s.Reindex(t.Context()); err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error { return tx.DeleteSecret(a) })
}

// One snapshot holds a secret and the values of its versions as they were together.
func TestViewReadsASecretWithItsValues(t *testing.T) {
	s, _ := open(t, Options{})
	want := newSecret("id1", "a")
	update(t, s, func(tx *Tx) error { return putNew(tx, want) })
	view(t, s, func(v *View) error {
		update(t, s, func(tx *Tx) error { return tx.DeleteSecret(want) })
		got, err := v.Secret("p1", "a")
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("Secret: %v (-want +got):\n%s", err, diff)
		}
		if value, err := v.Value("id1", 1); err != nil || string(value) != "sealed id1" {
			t.Errorf("Value: %q, %v", value, err)
		}
		return nil
	})
	view(t, s, func(v *View) error {
		if _, err := v.Secret("p1", "a"); csms.CodeOf(err) != csms.CodeSecretNotFound {
			t.Errorf("Secret after deletion: %v", err)
		}
		if _, err := v.Value("id1", 1); !errors.Is(err, ErrNotFound) {
			t.Errorf("Value after deletion: %v", err)
		}
		if _, err := v.Secret("p1", "a\x00b"); csms.CodeOf(err) != csms.CodeSecretNotFound {
			t.Errorf("Secret of an impossible name: %v", err)
		}
		return nil
	})
}
