package csms_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coffer/internal/csms"
)

// history is a random life of one secret, beside the model of it.
type history struct {
	t   *rapid.T
	s   *csms.Secret
	m   *model
	now int64

	made   int          // the highest number given so far
	newest csms.Millis  // create_time of that version
	gone   map[int]bool // numbers of pruned versions
}

// TestTheSecretBehavesAsTheStatementsSay compares the core with a naive model after
// every operation: the code, the whole observable state, and the invariants.
// It protects S1 to S7, DEL3 to DEL6, DEL10, N10, N12, N13, N15, N16, V1 to V4, V6 to
// V10, L1 to L17, RO1 to RO4, TS3 to TS5 and E8.
func TestTheSecretBehavesAsTheStatementsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t)
		h.compare()
		t.Repeat(map[string]func(*rapid.T){
			"CreateSecretVersion":       h.createVersion,
			"CreateSecretVersion often": h.createVersions,
			"UpdateVersion":             h.updateVersion,
			"ShowSecretVersion":         h.readValue,
			"expiry passes":             h.expire,
			"UpdateSecretStage":         h.moveLabel,
			"UpdateSecretStage often":   h.moveLabels,
			"DeleteSecretStage":         h.removeLabel,
			"UpdateSecret":              h.update,
			"DeleteSecretForSchedule":   h.schedule,
			"RestoreSecret":             h.restore,
			"DeleteSecret":              h.destroy,
			"state switch":              h.switchState,
			"back to ENABLED":           h.enable,
			"back to ENABLED once more": h.enable, // most operations want that state
			"replicas":                  h.replicate,
			"time passes":               h.pass,
		})
	})
}

func newHistory(t *rapid.T) *history {
	r := modelRotation{
		auto:   rapid.Bool().Draw(t, "auto"),
		period: rapid.SampledFrom([]string{"4h", "1d", "8760h"}).Draw(t, "period"),
		urn:    "urn:fss:f",
	}
	typ := rapid.SampledFrom([]string{"COMMON", "RDS-FG", "GaussDB-FG"}).Draw(t, "type")
	c := creation()
	c.Type = csms.Type(typ)
	c.Rotation = csms.Rotation{Auto: r.auto, Period: r.period, Config: goodConfig, FuncURN: r.urn}
	if err := c.Validate(csms.DefaultLimits()); err != nil {
		t.Fatalf("validating the creation: %v", err)
	}
	return &history{
		t: t, s: csms.New(c, start), m: newModel(typ, c.KMSKeyID, c.Description, r, int64(start)),
		now: int64(start), made: 1, newest: start, gone: map[int]bool{},
	}
}

// tick lets time pass, or the clock of the machine go back a little.
func (h *history) tick(t *rapid.T) {
	h.now += rapid.SampledFrom([]int64{0, 0, 1, 999, 1000, 1001, 60_000, 86_400_000, 7 * 86_400_000, -1, -1500}).Draw(t, "time passes")
}

// pass compares again at another time, when a scheduled deletion may be due.
func (h *history) pass(t *rapid.T) {
	h.tick(t)
	h.compare()
}

// do carries out one operation on the core and compares it with the code that the
// model answered.
func (h *history) do(want string, do step) {
	h.t.Helper()
	before, seen := h.s.Clone(), observe(h.s, h.now)
	err := do(h.s, csms.Millis(h.now))
	if got := string(csms.CodeOf(err)); got != want {
		h.t.Fatalf("got %q (%v), the model says %q", got, err, want)
	}
	if msg := badMessage(err); msg != "" {
		h.t.Fatal(msg)
	}
	if err != nil {
		if diff := differ(h.s, before); diff != "" {
			h.t.Fatalf("a refused operation changed the secret (-got +want):\n%s", diff)
		}
		if diff := differ(observe(h.s, h.now), seen); diff != "" {
			h.t.Fatalf("a refused operation shows (-got +want):\n%s", diff)
		}
	}
	h.compare()
}

// compare compares all that can be seen of the secret and checks what must always
// hold.
func (h *history) compare() {
	h.t.Helper()
	if diff := differ(observe(h.s, h.now), h.m.observe(h.now)); diff != "" {
		h.t.Fatalf("the secret and the model (-secret +model):\n%s", diff)
	}
	for _, broken := range h.broken() {
		h.t.Errorf("broken invariant: %s", broken)
	}
	if h.t.Failed() {
		h.t.FailNow()
	}
}

// differ is cmp.Diff for values that are mostly equal, which is told faster.
func differ(got, want any) string {
	if reflect.DeepEqual(got, want) {
		return ""
	}
	return cmp.Diff(got, want)
}

// broken returns the invariants that do not hold.
func (h *history) broken() []string {
	s, list := h.s, []string{}
	demand := func(holds bool, invariant string) {
		if !holds {
			list = append(list, invariant)
		}
	}
	demand(len(s.Versions) >= 1 && len(s.Versions) <= 20, "one to twenty versions (V2)")
	demand(len(s.Stages) >= 1 && len(s.Stages) <= 12, "one to twelve labels (L2)")
	kept := map[int]bool{}
	for i, v := range s.Versions {
		kept[v.Number] = true
		demand(v.Number >= 1 && v.Number <= s.LastVersion && !h.gone[v.Number], "a number is never used again (V1)")
		demand(v.ExpireTime%1000 == 0, "expire_time is a whole second (TS3)")
		demand(i == 0 || s.Versions[i-1].Number < v.Number, "versions ascend by number")
		demand(i == 0 || s.Versions[i-1].CreateTime < v.CreateTime, "create_time strictly increases (TS4)")
	}
	seen := map[string]bool{}
	for i, st := range s.Stages {
		demand(kept[st.Version], "a label sits on a kept version (L1)")
		demand(!seen[st.Name], "a label sits on one version (L1)")
		demand(i == 0 || s.Stages[i-1].Name < st.Name, "labels ascend by name")
		seen[st.Name] = true
	}
	demand(seen[current], "SYSCURRENT is present")
	demand((s.ScheduledDeleteTime != 0) == (s.State == csms.PendingDelete), "scheduled_delete_time is there while PENDING_DELETE only (TS5)")
	demand(s.LastVersion == h.made, "numbers are given one after the other (V1)")
	demand(kept[s.LastVersion] && s.Versions[len(s.Versions)-1].Number == s.LastVersion, "the newest version is kept")
	demand((s.Rotation.NextTime != 0) == (s.Rotation.Auto && s.Type.Rotates()), "a rotation is planned while it is automatic and the type rotates")
	return list
}

// add creates a version and checks what the operation tells: the version, its
// number and what was pruned.
func (h *history) add(list []string, kind csms.Kind, expire int64) {
	code, dropped := h.m.createVersion(list, h.m.key, string(kind), expire, h.now)
	if code == "" {
		h.made++
	}
	h.do(code, func(s *csms.Secret, now csms.Millis) error {
		n := csms.NewVersion{Kind: kind, KMSKeyID: s.KMSKeyID, Stages: list, ExpireTime: csms.Millis(expire)}
		if err := n.Validate(now); err != nil {
			return err
		}
		added, pruned, err := s.AddVersion(n, now)
		if err != nil {
			if added != nil || pruned != 0 {
				h.t.Fatalf("a refused creation answers %v and %d pruned", added, pruned)
			}
			return err
		}
		if pruned != dropped || added.Number != h.made || added.CreateTime <= h.newest {
			h.t.Fatalf("got v%d at %d with v%d pruned, want v%d after %d with v%d pruned", added.Number, added.CreateTime, pruned, h.made, h.newest, dropped)
		}
		h.newest = added.CreateTime
		return nil
	})
	if dropped != 0 {
		h.gone[dropped] = true
	}
}

func (h *history) createVersion(t *rapid.T) {
	h.tick(t)
	kind := rapid.SampledFrom([]csms.Kind{csms.Text, csms.Binary}).Draw(t, "kind")
	expire := int64(0)
	if rapid.Bool().Draw(t, "expires") {
		expire = expiries(h.now).Draw(t, "expire_time")
	}
	h.add(labelLists().Draw(t, "version_stages"), kind, expire)
}

func (h *history) createVersions(t *rapid.T) {
	for range rapid.IntRange(1, 21).Draw(t, "versions") {
		h.add(nil, csms.Text, 0)
	}
}

func (h *history) updateVersion(t *rapid.T) {
	h.tick(t)
	id, expire := h.pathIDs().Draw(t, "version_id"), expiries(h.now).Draw(t, "expire_time")
	if i := slices.IndexFunc(h.s.Versions, func(v csms.Version) bool { return v.Expired }); i >= 0 && rapid.Bool().Draw(t, "one that expired") {
		id = h.s.Versions[i].ID()
	}
	h.do(h.m.updateVersion(id, expire, h.now), setExpiry(id, csms.Millis(expire)))
}

func (h *history) readValue(t *rapid.T) {
	id := h.pathIDs().Draw(t, "version_id")
	h.do(h.m.readValue(id), func(s *csms.Secret, now csms.Millis) error {
		return firstOf(func() error { return csms.CheckVersionPath(id) }, func() error { return readValue(id)(s, now) })
	})
}

func (h *history) expire(t *rapid.T) {
	h.tick(t)
	want := h.m.expire(h.now)
	h.do("", func(s *csms.Secret, now csms.Millis) error {
		got := []int{}
		for _, v := range s.Expire(now) {
			got = append(got, v.Number)
		}
		if !slices.Equal(got, want) {
			h.t.Fatalf("expiry of the versions %v is announced, want %v", got, want)
		}
		return nil
	})
}

func (h *history) moveLabel(t *rapid.T) {
	h.tick(t)
	name, id := labelNames().Draw(t, "stage"), h.bodyIDs().Draw(t, "version_id")
	h.do(h.m.moveLabel(name, id, h.now), move(name, id))
}

// moveLabels puts many labels on kept versions, so that the quota is reached.
func (h *history) moveLabels(t *rapid.T) {
	for _, name := range goodLabels()[:rapid.IntRange(1, len(goodLabels())).Draw(t, "labels")] {
		v := rapid.SampledFrom(h.s.Versions).Draw(t, "version")
		h.do(h.m.moveLabel(name, v.ID(), h.now), move(name, v.ID()))
	}
}

func (h *history) removeLabel(t *rapid.T) {
	name := labelNames().Draw(t, "stage")
	if rapid.Bool().Draw(t, "one that exists") {
		name = rapid.SampledFrom(h.s.Stages).Draw(t, "label").Name
	}
	h.do(h.m.removeLabel(name), remove(name))
}

func (h *history) update(t *rapid.T) {
	h.tick(t)
	x := strings.Repeat
	p := modelPatch{
		key:         optional(t, "kms_key_id", []string{"key-2", "kk", "éé", x("k", 64), x("é", 64)}, []string{"", "k", "é", x("k", 65)}),
		description: optional(t, "description", []string{"", "new", x("x", 2048), x("é", 1024)}, []string{x("x", 2049), x("é", 1025)}),
		period:      optional(t, "rotation_period", append(periodTexts(true), ""), periodTexts(false)),
		urn:         optional(t, "rotation_func_urn", []string{"", "urn:fss:f", "urn:fss:g"}, nil),
		auto:        optional(t, "auto_rotation", []bool{true, false}, nil),
		events:      optional(t, "event_subscriptions", [][]string{nil, {}, {"e"}}, [][]string{{"a.b"}, {""}, {"a", "b"}}),
	}
	h.do(h.m.update(p, h.now), update(csms.Patch{
		KMSKeyID: p.key, Description: p.description, AutoRotation: p.auto,
		RotationPeriod: p.period, RotationFuncURN: p.urn, EventSubscriptions: p.events,
	}))
}

func (h *history) schedule(t *rapid.T) {
	h.tick(t)
	days := rapid.SampledFrom([]int{-1, 0, 6, 7, 8, 29, 30, 31, 1 << 40}).Draw(t, "recovery_window_in_days")
	h.do(h.m.schedule(days, h.now), schedule(days))
}

func (h *history) restore(t *rapid.T) {
	h.tick(t)
	h.do(h.m.restore(h.now), restore())
}

func (h *history) destroy(*rapid.T) { h.do(h.m.destroy(), destroyable) }

func (h *history) switchState(t *rapid.T) {
	h.tick(t)
	to := rapid.SampledFrom([]string{"ENABLED", "ENABLED", "ENABLED", "DISABLED", "FROZEN", "PENDING_DELETE", ""}).Draw(t, "state")
	h.do(h.m.switchState(to, h.now), switchTo(csms.State(to)))
}

// enable leads back to ENABLED from wherever the secret is.
func (h *history) enable(*rapid.T) {
	if h.s.State == csms.PendingDelete {
		h.do(h.m.restore(h.now), restore())
		return
	}
	h.do(h.m.switchState("ENABLED", h.now), switchTo(csms.Enabled))
}

// replicate sets the number of copies; mostly to none, because copies hold off
// deletion.
func (h *history) replicate(t *rapid.T) {
	h.m.replicas = rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "replicas")
	h.s.Replicas = make([]csms.Replica, h.m.replicas)
	h.compare()
}

// goodLabels are more labels than fit on a secret.
func goodLabels() []string {
	return append(names(12), current, previous, "a-b_C", strings.Repeat("z", 64))
}

func labelNames() *rapid.Generator[string] {
	bad := []string{"", "a.b", "é", "a b", strings.Repeat("z", 65)}
	return rapid.OneOf(rapid.SampledFrom(goodLabels()), rapid.SampledFrom(goodLabels()), rapid.SampledFrom(goodLabels()), rapid.SampledFrom(bad))
}

// labelLists are lists without order: none, the built-in labels, a few, as many as
// fit and one more, some with duplicates or bad names.
func labelLists() *rapid.Generator[[]string] {
	distinct := func(from, to int) *rapid.Generator[[]string] {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(goodLabels()), from, to, rapid.ID[string])
	}
	builtIn := rapid.SampledFrom([][]string{nil, {}, {current}, {previous}, {current, previous}, {previous, "l1", current}})
	return rapid.OneOf(builtIn, distinct(1, 4), distinct(10, 13), rapid.SliceOfN(labelNames(), 1, 4))
}

// pathIDs are version ids as they come in a path, about the bounds of what exists.
func (h *history) pathIDs() *rapid.Generator[string] {
	return rapid.OneOf(h.numberedIDs(), rapid.SampledFrom([]string{"latest", "latest", "v0", "v01", "V1", "1", "newest", "v4294967297", "", "v1/x", "é"}))
}

// bodyIDs are version ids as they come in a body, where latest has no meaning.
func (h *history) bodyIDs() *rapid.Generator[string] {
	return rapid.OneOf(h.numberedIDs(), h.numberedIDs(), rapid.SampledFrom([]string{"latest", "v0", "v01", "V1", "1", "", "v", "v9999999999", "v10000000000"}))
}

func (h *history) numberedIDs() *rapid.Generator[string] {
	return rapid.Map(rapid.IntRange(0, h.made+1), func(n int) string { return fmt.Sprintf("v%d", n) })
}

// expiries are instants about the bounds of what is in the future.
func expiries(now int64) *rapid.Generator[int64] {
	next := now/1000*1000 + 1000
	return rapid.SampledFrom([]int64{
		next, next + 999, next + 60_000, now + 86_400_000, now + 1000, 9_999_999_999_999, // good
		-1 << 63, -1, now - 86_400_000, now - 1, now, next - 1, 10_000_000_000_000, 1<<63 - 1, // bad
	})
}

// periodTexts are the periods that the model takes, or those that it refuses.
func periodTexts(good bool) []string {
	texts := []string{}
	for text, length := range periods {
		if (length > 0) == good {
			texts = append(texts, text)
		}
	}
	slices.Sort(texts)
	return texts
}

// optional draws one of good, seldom one of bad, or nil for an absent field.
func optional[T any](t *rapid.T, field string, good, bad []T) *T {
	switch n := rapid.IntRange(0, 19).Draw(t, field+" is given"); {
	case n < 12:
		return nil
	case n == 19 && len(bad) > 0:
		return ptr(rapid.SampledFrom(bad).Draw(t, field))
	default:
		return ptr(rapid.SampledFrom(good).Draw(t, field))
	}
}
