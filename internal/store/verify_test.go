package store

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/kv"
)

func jsonText(t testing.TB, s string) string {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// populated returns a store with a record of every kind.
func populated(t testing.TB) (*Store, kv.Store) {
	t.Helper()
	s, db := open(t, Options{})
	update(t, s, func(tx *Tx) error {
		sec := newSecret("id1", "a")
		sec.EventSubscriptions, sec.Versions[0].ExpireTime = []string{"e"}, 5000
		return errors.Join(
			putNew(tx, sec), putNew(tx, newSecret("id2", "b")),
			tx.PutDomain(&Domain{ID: "d1", Name: "dev"}),
			tx.PutProject(&Project{ID: "p1", DomainID: "d1", Name: "cn-north-4"}),
			tx.PutUser(&User{ID: "u1", DomainID: "d1", Name: "dev", PasswordHash: "CANARY-password-hash", GroupIDs: []string{"g1"}}),
			tx.PutGroup(&Group{ID: "g1", DomainID: "d1", Name: "readers", Assignments: []Assignment{{"y1", ScopeProject, "p1"}}}),
			tx.PutPolicy(&Policy{ID: "y1", DomainID: "d1", Name: "all", Document: Document(`{"Version":"1.1"}`)}),
			tx.PutAccessKey(&AccessKey{AccessKey: "AK", UserID: "u1", SealedSecret: Sealed("CANARY-secret-key")}),
			tx.PutToken(&Token{Hash: [32]byte{1}, UserID: "u1", ExpiresAt: 9000}),
			tx.PutKey(&Key{ID: "k1", ProjectID: "p1", Alias: "csms/default", State: KeyEnabled, Versions: []KeyVersion{{1, Sealed("CANARY-wrapped"), 2}}}),
			putGroup(tx),
			tx.PutEvent(newEvent("e")),
			tx.PutOutgoing(&Outgoing{SecretID: "id1", Number: 1, ProjectID: "p1", Document: Document(`{"version":"1"}`)}),
			tx.PutNotification(&NotificationRecord{ProjectID: "p1", MessageID: "m1", Status: "SUCCESS"}),
			tx.PutMeta(MetaRootCheck, []byte("CANARY-blob")),
			tx.PutValue("id2", 1, []byte("CANARY-value")),
		)
	})
	return s, db
}

// putGroup writes a primary in project p2 with a copy in p3 that is not in sync.
func putGroup(tx *Tx) error {
	primary, copied := newSecret("id3", "c"), newSecret("id4", "c")
	primary.ProjectID, copied.ProjectID = "p2", "p3"
	primary.Replicas = []csms.Replica{{ID: "id4", ProjectID: "p3", Region: "east", Type: csms.ReplicaOf, Status: csms.ReplicaFailed, NextTry: 6000}}
	copied.Replicas = []csms.Replica{{ID: "id3", ProjectID: "p2", Region: "north", Type: csms.Primary}}
	return errors.Join(putNew(tx, primary), putNew(tx, copied))
}

// Each case breaks one thing, and Verify names just that.
func TestVerifyFinds(t *testing.T) {
	moved, err := secretKind.encode(testCodec(t), newSecret("id1", "a"))
	if err != nil {
		t.Fatal(err)
	}
	lone := newSecret("id4", "c")
	lone.ProjectID = "p3"
	stranger, err := secretKind.encode(testCodec(t), lone)
	if err != nil {
		t.Fatal(err)
	}
	hash := [32]byte{1}
	cases := []struct {
		name string
		edit func(kv.Txn) error
		want []string
	}{
		{"nothing", func(kv.Txn) error { return nil }, nil},
		{
			"a_missing_row", func(tx kv.Txn) error { return tx.Delete(eventKey("p1", "e").text("a")) },
			[]string{"secret/p1/a: the index row secret-event/p1/e/a is missing"},
		},
		{
			"a_stray_row", func(tx kv.Txn) error {
				return tx.Put(dueRow(7, DuePurge, "id1", 0).key, secretKey(nil, "p1", "a"))
			},
			[]string{"due/7/purge/id1/0: no record has this index row"},
		},
		{
			"a_row_of_a_record_that_is_gone", func(tx kv.Txn) error {
				return tx.Put(domainNameKey(nil, "x"), idKey(nil, tableDomain, "none"))
			},
			[]string{"domain-name/x: no record has this index row"},
		},
		{
			"a_row_that_leads_nowhere", func(tx kv.Txn) error { return tx.Put(domainNameKey(nil, "x"), []byte("nonsense")) },
			[]string{"domain-name/x: no record has this index row"},
		},
		{
			"a_row_that_leads_to_another_record", func(tx kv.Txn) error {
				return tx.Put(secretIDKey(nil, "id1"), secretKey(nil, "p1", "b"))
			},
			[]string{
				"secret/p1/a: the index row secret-id/id1 leads to another record",
				"secret-id/id1: no record has this index row",
				"value/id1/1: no version has this value",
			},
		},
		{
			"a_version_without_a_value", func(tx kv.Txn) error { return tx.Delete(valueKey(nil, "id1", 1)) },
			[]string{"secret/p1/a: there is no value/id1/1"},
		},
		{
			"a_value_without_a_version", func(tx kv.Txn) error { return tx.Put(valueKey(nil, "id1", 2), nil) },
			[]string{"value/id1/2: no version has this value"},
		},
		{
			"a_value_without_a_secret", func(tx kv.Txn) error { return tx.Put(valueKey(nil, "id9", 1), nil) },
			[]string{"value/id9/1: no secret has the id of this value"},
		},
		{
			"a_missing_row_of_a_copy", func(tx kv.Txn) error { return tx.Delete(dueRow(6000, DueReplica, "id4", 0).key) },
			[]string{"secret/p2/c: the index row due/6000/replica/id4/0 is missing"},
		},
		{
			"a_copy_that_is_gone", func(tx kv.Txn) error {
				return errors.Join(tx.Delete(secretKey(nil, "p3", "c")), tx.Delete(secretIDKey(nil, "id4")),
					tx.Delete(valueKey(nil, "id4", 1)), tx.Delete(countKey("p3")))
			},
			[]string{"secret/p2/c: secret/p3/c is no REPLICA of this secret"},
		},
		{
			"a_primary_that_is_gone", func(tx kv.Txn) error {
				return errors.Join(tx.Delete(secretKey(nil, "p2", "c")), tx.Delete(secretIDKey(nil, "id3")),
					tx.Delete(valueKey(nil, "id3", 1)), tx.Delete(countKey("p2")), tx.Delete(dueRow(6000, DueReplica, "id4", 0).key))
			},
			[]string{"secret/p3/c: secret/p2/c is no PRIMARY of this secret"},
		},
		{
			"a_copy_that_knows_another_primary", func(tx kv.Txn) error { return tx.Put(secretKey(nil, "p3", "c"), stranger) },
			[]string{"secret/p2/c: secret/p3/c is no REPLICA of this secret"},
		},
		{
			"a_wrong_counter", func(tx kv.Txn) error { return tx.Put(countKey("p1"), binary.BigEndian.AppendUint32(nil, 3)) },
			[]string{"secret-count/p1: the counter is 3 and there are 2 secrets"},
		},
		{
			"a_missing_counter", func(tx kv.Txn) error { return tx.Delete(countKey("p1")) },
			[]string{"secret-count/p1: the counter is 0 and there are 2 secrets"},
		},
		{
			"a_counter_of_nothing", func(tx kv.Txn) error { return tx.Put(countKey("p9"), binary.BigEndian.AppendUint32(nil, 1)) },
			[]string{"secret-count/p9: the counter is 1 and there are 0 secrets"},
		},
		{
			"a_counter_of_subscriptions_that_is_missing", func(tx kv.Txn) error { return tx.Delete(subscribersKey("p1", "e")) },
			[]string{"event-count/p1/e: the counter is 0 and there are 1 secrets"},
		},
		{
			"a_counter_of_no_subscriptions", func(tx kv.Txn) error {
				return tx.Put(subscribersKey("p1", "other"), binary.BigEndian.AppendUint32(nil, 1))
			},
			[]string{"event-count/p1/other: the counter is 1 and there are 0 secrets"},
		},
		{
			"a_counter_of_a_tag_on_no_secret", func(tx kv.Txn) error {
				return tx.Put(tagCountKey("p1", "k", &[32]byte{}), binary.BigEndian.AppendUint32(nil, 1))
			},
			[]string{"tag-count/p1/k/0000000000000000000000000000000000000000000000000000000000000000: the counter is 1 and there are 0 secrets"},
		},
		{
			"a_damaged_counter", func(tx kv.Txn) error { return tx.Put(countKey("p1"), []byte{1}) },
			[]string{"secret-count/p1: the counter is damaged"},
		},
		{
			"a_group_that_a_user_is_in_and_that_does_not_exist", func(tx kv.Txn) error {
				return errors.Join(tx.Delete(idKey(nil, tableGroup, "g1")), tx.Delete(nameKey(nil, tableGroupName, "d1", "readers")))
			},
			[]string{"user/u1: it refers to group/g1, which does not exist"},
		},
		{
			"a_member_who_is_missing_in_the_list_of_a_group", func(tx kv.Txn) error { return tx.Delete(nameKey(nil, tableGroupUser, "g1", "u1")) },
			[]string{"user/u1: the index row group-user/g1/u1 is missing"},
		},
		{
			"a_record_that_cannot_be_read", func(tx kv.Txn) error { return tx.Put(tokenKey(nil, &hash), []byte{9}) },
			[]string{"token/01" + strings.Repeat("0", 62) + ": decoding token record: format 9 is unknown; this release reads format 1: the record is damaged or of a newer release"},
		},
		{
			"a_record_in_the_wrong_place", func(tx kv.Txn) error { return tx.Put(secretKey(nil, "p1", "b"), moved) },
			[]string{
				"secret/p1/b: the record belongs under another key",
				"secret-id/id2: no record has this index row",
				"value/id2/1: no version has this value",
			},
		},
		{
			"a_key_of_no_known_form", func(tx kv.Txn) error {
				return errors.Join(tx.Put([]byte("other"), nil), tx.Put([]byte("secret\x00p1"), nil))
			},
			[]string{`"other": key of no known form`, `"secret\x00p1": key of no known form`},
		},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s, db := populated(t)
			edit(t, db, tc.edit)
			got := findings(t, s)
			slices.Sort(got)
			slices.Sort(tc.want)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReindexStopsAtWhatItCannotRepair(t *testing.T) {
	hash := [32]byte{1}
	other, err := domainKind.encode(testCodec(t), &Domain{ID: "d2", Name: "dev"})
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name string
		edit func(kv.Txn) error
		want string
	}{
		{"a_record_that_cannot_be_read", func(tx kv.Txn) error { return tx.Put(tokenKey(nil, &hash), []byte{9}) }, "decoding token record"},
		{"two_records_of_one_name", func(tx kv.Txn) error { return tx.Put(idKey(nil, tableDomain, "d2"), other) }, "domain/d2: restoring index row domain-name/dev: store: taken"},
		{"a_record_in_the_wrong_place", func(tx kv.Txn) error { return tx.Put(idKey(nil, tableDomain, "d3"), other) }, "domain/d3: the record belongs under another key"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			s, db := populated(t)
			edit(t, db, tc.edit)
			if _, err := s.Reindex(t.Context()); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Reindex: %v, want an error with %q", err, tc.want)
			}
		})
	}
}

func TestReadersReportAStrayRowAsDamage(t *testing.T) {
	s, db := populated(t)
	edit(t, db, func(tx kv.Txn) error {
		return errors.Join(
			tx.Put(domainNameKey(nil, "x"), idKey(nil, tableDomain, "none")),
			tx.Put(domainNameKey(nil, "y"), idKey(nil, tableUser, "u1")))
	})
	if _, err := s.User(t.Context(), "u1"); err != nil { // now it is in the cache
		t.Fatal(err)
	}
	damaged := func(how string, err error) {
		if err == nil || !strings.Contains(err.Error(), "run reindex") {
			t.Errorf("%s: %v", how, err)
		}
	}
	for _, name := range []string{"x", "y"} {
		_, err := s.DomainByName(t.Context(), name)
		damaged("Store "+name, err)
		update(t, s, func(tx *Tx) error {
			_, err := tx.DomainByName(name)
			damaged("Tx "+name, err)
			return nil
		})
	}
	view(t, s, func(v *View) error {
		for _, err := range v.Domains() {
			if err != nil {
				damaged("View", err)
				return nil
			}
		}
		t.Error("View ignores stray rows")
		return nil
	})
}

func TestDumpShowsEveryRecordAndNothingSealed(t *testing.T) {
	s, db := populated(t)
	edit(t, db, func(tx kv.Txn) error { return tx.Put(idKey(nil, tableDomain, "bad"), []byte{9, 9}) })
	var out bytes.Buffer
	if err := s.Dump(t.Context(), &out); err != nil {
		t.Fatalf("Dump: %v", err)
	}
	var keys []string
	for l := range strings.Lines(out.String()) {
		var got struct {
			Table, Key, Error string
			Record            map[string]any
			Bytes             *int
		}
		if err := json.Unmarshal([]byte(l), &got); err != nil {
			t.Fatalf("line %q: %v", l, err)
		}
		if (got.Record == nil) != (got.Bytes != nil) || (got.Error != "") != (got.Key == "domain/bad") {
			t.Errorf("line %q", l)
		}
		keys = append(keys, got.Key)
	}
	want := []string{
		"meta/root-check", "domain/bad", "domain/d1", "project/p1", "user/u1", "policy/y1", "group/g1", "access-key/AK",
		"token/01" + strings.Repeat("0", 62), "key/p1/k1", "secret/p1/a", "secret/p1/b", "secret/p2/c", "secret/p3/c",
		"event/p1/e", "outbox/id1/1", fmt.Sprintf("notification/p1/%d/%d/m1", math.MaxInt64, math.MaxInt32), "value/id1/1", "value/id2/1", "value/id3/1", "value/id4/1",
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	for _, canary := range []string{"CANARY", base64.StdEncoding.EncodeToString([]byte("CANARY"))} {
		if strings.Contains(out.String(), canary) {
			t.Errorf("the dump holds sealed bytes:\n%s", out.String())
		}
	}
	for _, part := range []string{`"sealed_bytes":17`, `"Document":{"Version":"1.1"}`, `"bytes":12`} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("the dump lacks %s:\n%s", part, out.String())
		}
	}
}
