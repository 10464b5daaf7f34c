package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"coffer/internal/csms"
	"coffer/internal/kv"
	"coffer/internal/kv/memkv"
)

// history is a random life of a store, beside what a naive model knows of it.
type history struct {
	t      *rapid.T
	s      *Store
	db     kv.Store
	now    csms.Millis
	ids    int
	model  map[string]*csms.Secret // by project/name
	tokens map[string]*Token       // by hex of the hash
}

var (
	someProjects = rapid.SampledFrom([]string{"p1", "p2"})
	someNames    = rapid.SampledFrom([]string{"a", "a-b", "b", "c"})
	someEvents   = rapid.SampledFrom([]string{"e1", "e2"})
	someStages   = rapid.SampledFrom([]string{"SYSCURRENT", "SYSPREVIOUS", "blue", "green"})
	someHosts    = rapid.SampledFrom([]string{"db-1", "db-2"})
)

func (h *history) tick() {
	h.now += csms.Millis(rapid.IntRange(0, 4*24*3600*1000).Draw(h.t, "time passes"))
}

// change applies fn to the secret of a random name, in the store and in the model,
// if there is one.
func (h *history) change(fn func(tx *Tx, s *csms.Secret) error) {
	h.tick()
	project, name := someProjects.Draw(h.t, "project"), someNames.Draw(h.t, "name")
	var result *csms.Secret
	err := h.s.Update(context.Background(), func(tx *Tx) error {
		s, err := tx.Secret(project, name)
		if err != nil {
			return err
		}
		if err := fn(tx, s); err != nil {
			return err
		}
		result = s
		return tx.PutSecret(s)
	})
	known := h.model[project+"/"+name]
	switch {
	case err == nil:
		h.model[project+"/"+name] = result.Clone()
	case known == nil && csms.CodeOf(err) != csms.CodeSecretNotFound:
		h.t.Fatalf("changing a secret that does not exist: %v", err)
	case csms.CodeOf(err) == csms.CodeInternal:
		h.t.Fatalf("changing a secret: %v", err)
	}
}

func (h *history) create() {
	h.tick()
	c := csms.Creation{
		ProjectID: someProjects.Draw(h.t, "project"), Name: someNames.Draw(h.t, "name"),
		DomainID: "d1", KMSKeyID: "k1", Kind: csms.Text,
		EventSubscriptions: rapid.SliceOfN(someEvents, 0, 1).Draw(h.t, "events"),
	}
	if rapid.Bool().Draw(h.t, "rotates") {
		c.Type = csms.RDSFG
		c.Rotation.Config = fmt.Sprintf(`{"InstanceId":%q,"SecretSubType":"SingleUser"}`, someHosts.Draw(h.t, "instance"))
	}
	h.ids++
	c.ID = fmt.Sprint("id", h.ids)
	s := csms.New(c, h.now)
	taken := h.model[c.ProjectID+"/"+c.Name] != nil
	err := h.s.Update(context.Background(), func(tx *Tx) error { return putNew(tx, s) })
	if errors.Is(err, ErrTaken) != taken || err != nil && !taken {
		h.t.Fatalf("creating %s/%s (taken: %v): %v", c.ProjectID, c.Name, taken, err)
	}
	if err == nil {
		h.model[c.ProjectID+"/"+c.Name] = s.Clone()
	}
}

func (h *history) addVersion() {
	stages := rapid.SliceOfNDistinct(someStages, 0, 3, func(s string) string { return s }).Draw(h.t, "stages")
	expires := rapid.Bool().Draw(h.t, "expires")
	h.change(func(tx *Tx, s *csms.Secret) error {
		n := csms.NewVersion{Kind: csms.Text, KMSKeyID: "k1", Stages: stages}
		if expires {
			n.ExpireTime = h.now + 3*24*3600*1000
		}
		v, pruned, err := s.AddVersion(n, h.now)
		if err != nil {
			return err
		}
		if pruned != 0 {
			if err := tx.DeleteValue(s.ID, pruned); err != nil {
				return err
			}
		}
		return tx.PutValue(s.ID, v.Number, []byte("sealed"))
	})
}

func (h *history) subscribe() {
	events := rapid.SliceOfN(someEvents, 0, 1).Draw(h.t, "events")
	h.change(func(_ *Tx, s *csms.Secret) error {
		return s.Update(csms.Patch{EventSubscriptions: &events}, h.now)
	})
}

func (h *history) destroy() {
	h.tick()
	project, name := someProjects.Draw(h.t, "project"), someNames.Draw(h.t, "name")
	known := h.model[project+"/"+name]
	err := h.s.Update(context.Background(), func(tx *Tx) error {
		s, err := tx.Secret(project, name)
		if err != nil {
			return err
		}
		return tx.DeleteSecret(s)
	})
	if (err == nil) != (known != nil) {
		h.t.Fatalf("destroying %s/%s: %v", project, name, err)
	}
	delete(h.model, project+"/"+name)
}

func (h *history) issueToken() {
	h.tick()
	k := &Token{Hash: [32]byte{byte(rapid.IntRange(0, 3).Draw(h.t, "token"))}, ExpiresAt: h.now + 1000}
	if err := h.s.Update(context.Background(), func(tx *Tx) error { return tx.PutToken(k) }); err != nil {
		h.t.Fatalf("PutToken: %v", err)
	}
	h.tokens[hex.EncodeToString(k.Hash[:])] = k
}

// check compares what the indexes say with the model, and the indexes with what the
// store itself would derive.
func (h *history) check() {
	got, want := map[string]string{}, map[string]string{}
	err := h.s.View(context.Background(), func(v *View) error { return h.observe(v, got) })
	if err != nil {
		h.t.Fatalf("reading the indexes: %v", err)
	}
	for _, path := range slices.Sorted(maps.Keys(h.model)) {
		h.expect(h.model[path], want)
	}
	for hash, k := range h.tokens {
		want[fmt.Sprintf("due %d token %s", k.ExpiresAt, hash)] = "1"
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		h.t.Fatalf("indexes (-model +store):\n%s", diff)
	}
	if found, err := h.s.Verify(context.Background()); err != nil || found != nil {
		h.t.Fatalf("Verify: %v, %v", found, err)
	}
}

// expect adds what the lists must say because of s.
func (h *history) expect(s *csms.Secret, want map[string]string) {
	add := func(key, item string) { want[key] = strings.TrimPrefix(want[key]+","+item, ",") }
	add("secrets "+s.ProjectID, s.Name)
	for _, e := range s.EventSubscriptions {
		add("event "+s.ProjectID+" "+e, s.Name)
	}
	if in := s.Instance().InstanceID; in != "" {
		add("instance "+s.ProjectID+" "+in, s.Name)
	}
	if s.State == csms.PendingDelete {
		add(fmt.Sprintf("due %d purge %s", s.ScheduledDeleteTime, s.ID), "1")
	}
	for _, v := range s.Versions {
		if v.ExpireTime != 0 && !v.Expired {
			add(fmt.Sprintf("due %d expiry %s v%d", v.ExpireTime, s.ID, v.Number), "1")
		}
	}
}

// observe reads all lists of the store.
func (h *history) observe(v *View, got map[string]string) error {
	for _, p := range []string{"p1", "p2"} {
		h.list(got, "secrets "+p, v.Secrets(p, ""))
		for _, e := range []string{"e1", "e2"} {
			h.list(got, "event "+p+" "+e, v.SecretsByEvent(p, e, ""))
		}
		for _, in := range []string{"db-1", "db-2"} {
			h.list(got, "instance "+p+" "+in, v.SecretsByInstance(p, in))
		}
	}
	for d, err := range v.Due(1 << 60) {
		if err != nil {
			return err
		}
		switch d.Kind {
		case DuePurge:
			got[fmt.Sprintf("due %d purge %s", d.At, d.SecretID)] += "1"
		case DueVersionExpiry:
			got[fmt.Sprintf("due %d expiry %s v%d", d.At, d.SecretID, d.Version)] += "1"
		case DueTokenExpiry:
			got[fmt.Sprintf("due %d token %x", d.At, d.TokenHash)] += "1"
		default:
			return fmt.Errorf("unexpected %+v", d)
		}
	}
	return nil
}

func (h *history) list(got map[string]string, key string, secrets func(func(*csms.Secret, error) bool)) {
	for s, err := range secrets {
		if err != nil {
			h.t.Fatalf("%s: %v", key, err)
		}
		if diff := cmp.Diff(h.model[s.ProjectID+"/"+s.Name], s, cmpopts.EquateEmpty()); diff != "" {
			h.t.Fatalf("%s: record (-model +store):\n%s", key, diff)
		}
		got[key] = strings.TrimPrefix(got[key]+","+s.Name, ",")
	}
}

// Indexes equal their rebuild after any history, and what the cache and the counters
// say is what a naive model says.
func TestIndexesEqualTheirRebuildAfterAnyHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		db := memkv.New()
		s, err := Open(context.Background(), db, Options{CacheBytes: 16 << 10})
		if err != nil {
			rt.Fatal(err)
		}
		h := &history{t: rt, s: s, db: db, now: 1_700_000_000_000, model: map[string]*csms.Secret{}, tokens: map[string]*Token{}}
		rt.Repeat(map[string]func(*rapid.T){
			"create":     func(*rapid.T) { h.create() },
			"addVersion": func(*rapid.T) { h.addVersion() },
			"subscribe":  func(*rapid.T) { h.subscribe() },
			"destroy":    func(*rapid.T) { h.destroy() },
			"issueToken": func(*rapid.T) { h.issueToken() },
			"schedule":   func(*rapid.T) { h.change(func(_ *Tx, s *csms.Secret) error { return s.Schedule(7, h.now) }) },
			"restore":    func(*rapid.T) { h.change(func(_ *Tx, s *csms.Secret) error { return s.Restore(h.now) }) },
			"expire":     func(*rapid.T) { h.change(func(_ *Tx, s *csms.Secret) error { s.Expire(h.now); return nil }) },
			"setExpiry": func(*rapid.T) {
				h.change(func(_ *Tx, s *csms.Secret) error {
					_, err := s.SetExpiry(csms.Latest, h.now+86400_000, h.now)
					return err
				})
			},
			"": func(*rapid.T) { h.compareReads() },
		})
		h.check()
		h.rebuild(t)
	})
}

// compareReads compares the cached reads and the counters with the model.
func (h *history) compareReads() {
	counts, subscribers := map[string]int{}, map[string]int{}
	for _, p := range []string{"p1", "p2"} {
		for _, n := range []string{"a", "a-b", "b", "c"} {
			want := h.model[p+"/"+n]
			got, err := h.s.Secret(context.Background(), p, n)
			if want == nil {
				if csms.CodeOf(err) != csms.CodeSecretNotFound {
					h.t.Fatalf("Secret(%s, %s): %v", p, n, err)
				}
				continue
			}
			counts[p]++
			for _, event := range want.EventSubscriptions {
				subscribers[p+"/"+event]++
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); err != nil || diff != "" {
				h.t.Fatalf("Secret(%s, %s): %v (-model +store):\n%s", p, n, err, diff)
			}
			if got, err := h.s.SecretByID(context.Background(), want.ID); err != nil || got.Name != n {
				h.t.Fatalf("SecretByID(%s): %v", want.ID, err)
			}
		}
	}
	err := h.s.Update(context.Background(), func(tx *Tx) error {
		for _, p := range []string{"p1", "p2"} {
			if n, err := tx.SecretCount(p); err != nil || n != counts[p] {
				h.t.Fatalf("SecretCount(%s): %d, %v; want %d", p, n, err, counts[p])
			}
			for _, event := range []string{"e1", "e2"} {
				if n, err := tx.Subscribers(p, event); err != nil || n != subscribers[p+"/"+event] {
					h.t.Fatalf("Subscribers(%s, %s): %d, %v; want %d", p, event, n, err, subscribers[p+"/"+event])
				}
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
}

// rebuild has Reindex find nothing to do; then it takes rows away, adds strays and
// spoils counters, and has Reindex bring everything back.
func (h *history) rebuild(t *testing.T) {
	want := contents(t, h.db)
	if n, err := h.s.Reindex(context.Background()); err != nil || n != 0 {
		h.t.Fatalf("Reindex of a sound store: %d changes, %v", n, err)
	}
	var rows []key
	for _, tab := range append([]table{tableSecretCount, tableEventCount}, indexTables...) {
		keys, err := h.s.keys(context.Background(), tab.all(), 1<<20)
		if err != nil {
			h.t.Fatal(err)
		}
		rows = append(rows, keys...)
	}
	lost := rapid.SliceOfN(rapid.Bool(), len(rows), len(rows)).Draw(h.t, "lost rows")
	edit(t, h.db, func(tx kv.Txn) error {
		for i, k := range rows {
			if lost[i] {
				if err := tx.Delete(k); err != nil {
					return err
				}
			}
		}
		return errors.Join(
			tx.Put(eventKey("p1", "e1").text("stray"), secretKey(nil, "p1", "a")),
			tx.Put(secretIDKey(nil, "stray"), secretKey(nil, "p1", "none")),
			tx.Put(dueRow(5, DuePurge, "stray", 0).key, nil),
			tx.Put(countKey("p9"), []byte{0, 0, 0, 9}),
			tx.Put(subscribersKey("p1", "e9"), []byte{0, 0, 0, 1}),
			tx.Put(countKey("p2"), []byte{1}))
	})
	if n, err := h.s.Reindex(context.Background()); err != nil || n < 5 {
		h.t.Fatalf("Reindex: %d changes, %v", n, err)
	}
	if diff := cmp.Diff(want, contents(t, h.db), cmpopts.EquateEmpty()); diff != "" {
		h.t.Fatalf("contents (-before +after reindex):\n%s", diff)
	}
}
