package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
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

// tagged returns a secret of project p1 with tags "key=value", which are in order.
func tagged(id, name string, tags ...string) *csms.Secret {
	s := newSecret(id, name)
	for _, t := range tags {
		key, value, _ := strings.Cut(t, "=")
		s.Tags = append(s.Tags, csms.Tag{Key: key, Value: value})
	}
	return s
}

// with selects by "key=value,value" or "key" for any value.
func with(filters ...string) *csms.Selection {
	c := &csms.Selection{}
	for _, f := range filters {
		key, values, valued := strings.Cut(f, "=")
		filter := csms.TagFilter{Key: key}
		if valued {
			filter.Values = strings.Split(values, ",")
		}
		c.Tags = append(c.Tags, filter)
	}
	return c
}

func named(c *csms.Selection, part string) *csms.Selection {
	c.Matches = []csms.Match{{Key: csms.MatchName, Value: part}}
	return c
}

func selected(t testing.TB, s *Store, c *csms.Selection) (names []string) {
	t.Helper()
	view(t, s, func(v *View) (err error) {
		names, err = v.SelectSecrets("p1", c)
		return err
	})
	return names
}

// T11, T12, T14: which secrets a selection means, in order of name.
func TestSelectSecrets(t *testing.T) {
	s, _ := open(t, Options{})
	other := tagged("id9", "elsewhere", "env=prod")
	other.ProjectID = "p2"
	update(t, s, func(tx *Tx) error {
		return errors.Join(putNew(tx, other),
			putNew(tx, tagged("id1", "d-prod", "env=prod", "team=a")), putNew(tx, tagged("id2", "c-test", "env=test", "team=a")),
			putNew(tx, tagged("id3", "b-none", "env=", "environment=prod")), putNew(tx, tagged("id4", "a-prod", "env=prod")), putNew(tx, newSecret("id5", "e")))
	})
	cases := map[string]struct {
		selection *csms.Selection
		want      []string
	}{
		"all":                   {with(), []string{"a-prod", "b-none", "c-test", "d-prod", "e"}},
		"value":                 {with("env=prod"), []string{"a-prod", "d-prod"}},
		"values in any order":   {with("env=test,prod"), []string{"a-prod", "c-test", "d-prod"}},
		"any value":             {with("env"), []string{"a-prod", "b-none", "c-test", "d-prod"}},
		"empty value":           {with("env="), []string{"b-none"}},
		"two keys":              {with("env=prod,test", "team"), []string{"c-test", "d-prod"}},
		"two keys turned":       {with("team", "env=prod,test"), []string{"c-test", "d-prod"}},
		"keys of no secret":     {with("env=prod", "team=b"), nil},
		"unknown value":         {with("env=staging"), nil},
		"unknown key":           {with("cost"), nil},
		"start of a key":        {with("en"), nil},
		"key no tag can have":   {with("a\x00b"), nil},
		"key over any limit":    {with(strings.Repeat("k", kv.MaxKey)), nil},
		"name":                  {named(with(), "prod"), []string{"a-prod", "d-prod"}},
		"name and tag":          {named(with("team=a"), "test"), []string{"c-test"}},
		"name and two tags":     {named(with("team=a", "env"), "-"), []string{"c-test", "d-prod"}},
		"empty name is in none": {named(with("team=a"), ""), nil},
	}
	for title, c := range cases {
		if diff := cmp.Diff(c.want, selected(t, s, c.selection), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", title, diff)
		}
		if c.selection.Single() {
			view(t, s, func(v *View) error { return samePages(v, c.selection, c.want) })
		}
	}
}

// samePages checks that the pages of a selection are cut out of all of its names.
func samePages(v *View, c *csms.Selection, all []string) error {
	for offset := range len(all) + 2 {
		for _, limit := range []int{0, 1, 2, len(all), 1000} {
			rest := all[min(offset, len(all)):]
			want := NamePage{Names: rest[:min(limit, len(rest))], Total: len(all)}
			got, err := v.SecretPage("p1", c, offset, limit)
			if err != nil {
				return err
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				return fmt.Errorf("%+v from %d, at most %d (-want +got):\n%s", c, offset, limit, diff)
			}
		}
	}
	return nil
}

// A page of all secrets, or of those with a tag that all have, reads no more in a large
// project than in a small one, its number of secrets included (T9).
func TestASecretPageDoesNotGrowWithTheProject(t *testing.T) {
	for title, c := range map[string]*csms.Selection{"all": with(), "value": with("env=prod"), "no secret": with("env=other")} {
		read := func(n int) reads {
			return countReads(t, n, func(s *Store) {
				view(t, s, func(v *View) error {
					_, err := v.SecretPage("p1", c, 5, 10)
					return err
				})
			})
		}
		if small, large := read(20), read(2000); small != large || large.items > 16 || large.gets > 1 {
			t.Errorf("%s: %+v with 20 secrets, %+v with 2000", title, small, large)
		}
	}
}

// The longest tag in the longest place fits in a key, and leaves nothing behind.
func TestTheLongestTagFits(t *testing.T) {
	s, db := open(t, Options{})
	empty := contents(t, db)
	sec := newSecret(strings.Repeat("i", 36), strings.Repeat("n", 64))
	sec.ProjectID = strings.Repeat("p", 64)
	for i := range csms.MaxTags {
		letter := string(rune('𠀀' + i)) // of four bytes
		sec.Tags = append(sec.Tags, csms.Tag{Key: strings.Repeat(letter, 128), Value: strings.Repeat(letter, 255)})
	}
	if err := csms.CheckTags(sec.Tags); err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error { return putNew(tx, sec) })
	view(t, s, func(v *View) error {
		got, err := v.SelectSecrets(sec.ProjectID, &csms.Selection{Tags: []csms.TagFilter{{Key: sec.Tags[7].Key, Values: []string{sec.Tags[7].Value}}}})
		if diff := cmp.Diff([]string{sec.Name}, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
		return nil
	})
	update(t, s, func(tx *Tx) error { return tx.DeleteSecret(sec) })
	if diff := cmp.Diff(empty, contents(t, db)); diff != "" {
		t.Errorf("deletion left something behind (-before +after):\n%s", diff)
	}
}

func allTags(t testing.TB, s *Store, skip ...string) (tags []csms.Tag) {
	t.Helper()
	view(t, s, func(v *View) error {
		for tag, err := range v.Tags("p1", func(name string) bool { return slices.Contains(skip, name) }) {
			if err != nil {
				return err
			}
			tags = append(tags, tag)
		}
		return nil
	})
	return tags
}

// T8: every tag once, however many secrets have it; not those of skipped secrets.
func TestTagsOfAProject(t *testing.T) {
	s, _ := open(t, Options{})
	if got := allTags(t, s); got != nil {
		t.Errorf("tags of an empty project: %v", got)
	}
	other := tagged("id9", "elsewhere", "other=x")
	other.ProjectID = "p2"
	update(t, s, func(tx *Tx) error {
		return errors.Join(putNew(tx, other),
			putNew(tx, tagged("id1", "a", "env=prod", "team=")), putNew(tx, tagged("id2", "b", "env=prod", "envy=1")), putNew(tx, tagged("id3", "c", "env=test", "zone=z")))
	})
	byText := cmpopts.SortSlices(func(a, b csms.Tag) bool { return a.Key+"="+a.Value < b.Key+"="+b.Value })
	want := []csms.Tag{{Key: "env", Value: "prod"}, {Key: "env", Value: "test"}, {Key: "envy", Value: "1"}, {Key: "team"}, {Key: "zone", Value: "z"}}
	got := allTags(t, s)
	if diff := cmp.Diff(want, got, byText); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if !slices.IsSortedFunc(got, func(a, b csms.Tag) int { return strings.Compare(a.Key, b.Key) }) {
		t.Errorf("keys are out of order: %v", got)
	}
	if diff := cmp.Diff([]csms.Tag{want[0], want[2]}, allTags(t, s, "a", "c"), byText); diff != "" {
		t.Errorf("tags without a and c (-want +got):\n%s", diff)
	}
	view(t, s, func(v *View) error {
		for _, err := range v.Tags("p1", func(string) bool { return false }) {
			return err // a reader who leaves early is not called again
		}
		t.Error("no tags")
		return nil
	})
}

// A row that leads nowhere is told, and Reindex takes it away.
func TestAStrayTagRowIsDamage(t *testing.T) {
	s, db := open(t, Options{})
	update(t, s, func(tx *Tx) error {
		return errors.Join(putNew(tx, tagged("id1", "a", "env=prod", "team=a")), putNew(tx, newSecret("id2", "b")))
	})
	before := contents(t, db)
	prod := csms.Tag{Key: "env", Value: "prod"}
	edit(t, db, func(tx kv.Txn) error {
		return errors.Join(
			tx.Put(tagKey("p1", prod).text("none"), secretKey(nil, "p1", "none")),
			tx.Put(tagKey("p1", csms.Tag{Key: "stray"}).text("b"), secretKey(nil, "p1", "b")),
			tx.Put(tagKey("p1", csms.Tag{Key: "team", Value: "a"}).text("none"), secretKey(nil, "p1", "none")),
			tx.Delete(tagKey("p1", prod).text("a")))
	})
	if n := len(findings(t, s)); n != 4 {
		t.Errorf("%d findings, want 4: %q", n, findings(t, s))
	}
	view(t, s, func(v *View) error {
		if _, err := v.SelectSecrets("p1", with("env=prod", "team")); err == nil || csms.CodeOf(err) != csms.CodeInternal {
			t.Errorf("SelectSecrets over a stray row: %v", err)
		}
		for _, err := range v.Tags("p1", func(name string) bool { return name == "none" }) {
			if err != nil && csms.CodeOf(err) == csms.CodeInternal {
				return nil
			}
		}
		t.Error("Tags over a stray row told no error")
		return nil
	})
	if n, err := s.Reindex(t.Context()); err != nil || n != 4 {
		t.Errorf("Reindex: %d changes, %v", n, err)
	}
	if diff := cmp.Diff(before, contents(t, db)); diff != "" {
		t.Errorf("contents (-before +after reindex):\n%s", diff)
	}
}

// An engine that fails in the middle of a selection fails the selection.
func TestASelectionThatCannotBeReadFails(t *testing.T) {
	s, _ := open(t, Options{})
	update(t, s, func(tx *Tx) error { return putNew(tx, tagged("id1", "a", "env=prod", "team=a")) })
	ctx, cancel := context.WithCancel(t.Context())
	err := s.View(ctx, func(v *View) error {
		cancel()
		for _, c := range []*csms.Selection{with(), with("env"), with("env=prod", "team=a")} {
			if _, err := v.SelectSecrets("p1", c); !errors.Is(err, context.Canceled) {
				t.Errorf("SelectSecrets: %v", err)
			}
		}
		for _, err := range v.Tags("p1", func(string) bool { return false }) {
			return err
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("Tags: %v", err)
	}
}

// tally counts what is read from an engine.
type tally struct {
	kv.Store
	gets, items int
}

func (c *tally) View(ctx context.Context, fn func(kv.Reader) error) error {
	return c.Store.View(ctx, func(r kv.Reader) error { return fn(tallyReader{r, c}) })
}

type tallyReader struct {
	kv.Reader
	c *tally
}

func (r tallyReader) Get(key []byte) ([]byte, error) {
	r.c.gets++
	return r.Reader.Get(key)
}

func (r tallyReader) Scan(rng kv.Range) iter.Seq2[kv.Item, error] {
	return func(yield func(kv.Item, error) bool) {
		for item, err := range r.Reader.Scan(rng) {
			r.c.items++
			if !yield(item, err) {
				return
			}
		}
	}
}

// A selection by tags reads no more in a large project than in a small one, also
// where another of its filters lets every secret through.
func TestASelectionByTagsDoesNotGrowWithTheProject(t *testing.T) {
	for title, c := range map[string]*csms.Selection{
		"value": with("team=a"), "two values": with("team=a,b"), "any value": with("team"), "no secret": with("team=c"),
		"beside a common value": with("env=prod", "team=a"), "beside a common key": with("env", "team"), "name too": named(with("env", "team=a,b"), "s"),
	} {
		t.Run(title, func(t *testing.T) {
			small, large := readsOf(t, 20, c), readsOf(t, 2000, c)
			if small != large || small.items > 40 || small.gets > 10 {
				t.Errorf("%+v with 20 secrets, %+v with 2000", small, large)
			}
		})
	}
}

type reads struct{ gets, items int }

// readsOf selects in a project of n secrets.
func readsOf(t *testing.T, n int, c *csms.Selection) reads {
	t.Helper()
	return countReads(t, n, func(s *Store) { selected(t, s, c) })
}

// countReads counts what do reads in a project of n secrets, all of env prod, ten of a
// team.
func countReads(t *testing.T, n int, do func(*Store)) reads {
	t.Helper()
	db := &tally{Store: memkv.New()}
	s, err := Open(t.Context(), db, Options{})
	if err != nil {
		t.Fatal(err)
	}
	update(t, s, func(tx *Tx) error {
		for i := range n {
			sec := tagged(fmt.Sprint("id", i), fmt.Sprintf("s%05d", i), "env=prod")
			if i < 10 {
				sec.Tags = append(sec.Tags, csms.Tag{Key: "team", Value: string(rune('a' + i%2))})
			}
			if err := putNew(tx, sec); err != nil {
				return err
			}
		}
		return nil
	})
	db.gets, db.items = 0, 0
	do(s)
	return reads{db.gets, db.items}
}

// The selection by index is the naive scan, and the rows are their rebuild, after any
// history of tags.
func TestSelectionByIndexIsTheNaiveScan(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		db := memkv.New()
		s, err := Open(context.Background(), db, Options{})
		if err != nil {
			rt.Fatal(err)
		}
		h := &tagHistory{t: rt, s: s, model: map[string]map[string]string{}}
		rt.Repeat(map[string]func(*rapid.T){
			"change": func(*rapid.T) { h.change() },
			"delete": func(*rapid.T) { h.delete() },
			"":       func(*rapid.T) { h.compare() },
		})
		before := contents(t, db)
		if n, err := s.Reindex(context.Background()); err != nil || n != 0 {
			rt.Fatalf("Reindex of a sound store: %d changes, %v", n, err)
		}
		rows, err := s.keys(context.Background(), tableSecretTag.all(), 1<<20)
		if err != nil {
			rt.Fatal(err)
		}
		edit(t, db, func(tx kv.Txn) error {
			for _, k := range rows {
				if err := tx.Delete(k); err != nil {
					return err
				}
			}
			return nil
		})
		if n, err := s.Reindex(context.Background()); err != nil || n != len(rows) {
			rt.Fatalf("Reindex: %d changes for %d lost rows, %v", n, len(rows), err)
		}
		if diff := cmp.Diff(before, contents(t, db)); diff != "" {
			rt.Fatalf("contents (-before +after reindex):\n%s", diff)
		}
	})
}

// tagHistory is a random life of tags, beside what a naive model knows: the tags of
// each secret.
type tagHistory struct {
	t     *rapid.T
	s     *Store
	ids   int
	model map[string]map[string]string
}

var (
	tagNames  = rapid.SampledFrom([]string{"a", "a-b", "b", "ba", "c"})
	tagKeys   = rapid.SampledFrom([]string{"k", "k k", "kk", "l", "中"})
	tagValues = rapid.SampledFrom([]string{"", "x", "y", "x/y"})
)

// change gives a secret other tags, and makes it if there is none of the name.
func (h *tagHistory) change() {
	name := tagNames.Draw(h.t, "name")
	tags := rapid.MapOfN(tagKeys, tagValues, 0, 4).Draw(h.t, "tags")
	h.ids++
	id := fmt.Sprint("id", h.ids)
	err := h.s.Update(context.Background(), func(tx *Tx) error {
		sec, err := tx.Secret("p1", name)
		if csms.CodeOf(err) == csms.CodeSecretNotFound {
			sec = newSecret(id, name)
			err = tx.PutValue(sec.ID, 1, nil)
		}
		if err != nil {
			return err
		}
		sec.Tags = nil
		for _, k := range slices.Sorted(maps.Keys(tags)) {
			sec.Tags = append(sec.Tags, csms.Tag{Key: k, Value: tags[k]})
		}
		return tx.PutSecret(sec)
	})
	if err != nil {
		h.t.Fatal(err)
	}
	h.model[name] = tags
}

func (h *tagHistory) delete() {
	name := tagNames.Draw(h.t, "name")
	err := h.s.Update(context.Background(), func(tx *Tx) error {
		sec, err := tx.Secret("p1", name)
		if err != nil {
			return err
		}
		return tx.DeleteSecret(sec)
	})
	if _, known := h.model[name]; (err == nil) != known {
		h.t.Fatalf("deleting %s where known is %v: %v", name, known, err)
	}
	delete(h.model, name)
}

// compare asks for a random selection and for the tags of the project.
func (h *tagHistory) compare() {
	c := &csms.Selection{}
	filters := rapid.MapOfN(tagKeys, rapid.SliceOfNDistinct(tagValues, 0, 3, rapid.ID), 0, 3).Draw(h.t, "filters")
	for key, values := range filters {
		c.Tags = append(c.Tags, csms.TagFilter{Key: key, Values: values})
	}
	part := rapid.SampledFrom([]string{"none", "", "a", "-", "b"}).Draw(h.t, "part of the name")
	if part != "none" {
		named(c, part)
	}
	var want []string
	for _, name := range slices.Sorted(maps.Keys(h.model)) {
		if h.wanted(name, filters) && (part == "none" || part != "" && strings.Contains(name, part)) {
			want = append(want, name)
		}
	}
	distinct := map[string]int{}
	for _, tags := range h.model {
		for k, v := range tags {
			distinct[k+"="+v] = 1
		}
	}
	got := map[string]int{}
	err := h.s.View(context.Background(), func(v *View) error {
		names, err := v.SelectSecrets("p1", c)
		if diff := cmp.Diff(want, names, cmpopts.EquateEmpty()); err != nil || diff != "" {
			h.t.Fatalf("SelectSecrets: %v (-naive +index):\n%s", err, diff)
		}
		if c.Single() {
			if err := samePages(v, c, want); err != nil {
				return err
			}
		}
		for tag, err := range v.Tags("p1", func(string) bool { return false }) {
			if err != nil {
				return err
			}
			got[tag.Key+"="+tag.Value]++
		}
		return nil
	})
	if diff := cmp.Diff(distinct, got); err != nil || diff != "" {
		h.t.Fatalf("Tags: %v (-naive +index):\n%s", err, diff)
	}
}

// wanted is the naive reading of T11.
func (h *tagHistory) wanted(name string, filters map[string][]string) bool {
	for key, values := range filters {
		value, has := h.model[name][key]
		if !has || len(values) > 0 && !slices.Contains(values, value) {
			return false
		}
	}
	return true
}
