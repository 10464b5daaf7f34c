package store

import (
	"bytes"
	"crypto/sha256"
	"iter"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/kv"
)

// SecretsByName yields the secrets of those names, in their order. The names must
// come from the same snapshot; one without a secret is damage, not an answer.
func (v *View) SecretsByName(project string, names []string) iter.Seq2[*csms.Secret, error] {
	return func(yield func(*csms.Secret, error) bool) {
		for _, name := range names {
			sec, err := follow(v.r, v.codec, secretKey(nil, project, name), &secretKind)
			if !yield(sec, err) || err != nil {
				return
			}
		}
	}
}

// SelectSecrets returns the names of the secrets of a project that c selects,
// ascending. A filter by tags reads index rows, never the secrets without such a
// tag: its cost follows from the filter with the fewest secrets, whatever the others
// are and however many secrets the project has.
func (v *View) SelectSecrets(project string, c *csms.Selection) ([]string, error) {
	names, err := v.candidates(project, c.Tags)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool { return !c.HasName(name) })
	slices.Sort(names)
	if len(c.Tags) < 2 {
		return names, nil
	}
	return v.withTags(project, names, c)
}

// NamePage is a part of the secrets that a selection means.
type NamePage struct {
	Names []string // ascending
	Total int      // number of all that the selection means
}

// SecretPage returns at most limit names of the secrets of a project that a selection
// means, after the first offset ones. The selection must be a csms.Selection.Single: then
// a counter has the number, and no more rows are read than lie before the end of the page.
func (v *View) SecretPage(project string, c *csms.Selection, offset, limit int) (page NamePage, err error) {
	counter, filter := countKey(project), csms.TagFilter{}
	if len(c.Tags) > 0 {
		filter = c.Tags[0]
		value := sha256.Sum256([]byte(filter.Values[0]))
		counter = tagCountKey(project, filter.Key, &value)
	}
	if page.Total, err = v.count(counter); err != nil || limit == 0 || offset >= page.Total {
		return page, err
	}
	for name, err := range v.names(tagRanges(project, filter)) {
		switch {
		case err != nil:
			return page, err
		case offset > 0:
			offset--
			continue
		}
		if page.Names = append(page.Names, name); len(page.Names) == limit {
			break
		}
	}
	return page, nil
}

// candidates returns the names that the narrowest of filters lets through, in no
// order. Which one that is shows when the first of them comes to its end, as all are
// read in step.
func (v *View) candidates(project string, filters []csms.TagFilter) ([]string, error) {
	if len(filters) == 0 {
		filters = []csms.TagFilter{{}}
	}
	runs := make([]run, len(filters))
	defer func() {
		for i := range runs {
			runs[i].stop()
		}
	}()
	for i, f := range filters {
		runs[i].next, runs[i].stop = iter.Pull2(v.names(tagRanges(project, f)))
	}
	for {
		for i := range runs {
			if more, err := runs[i].step(); !more || err != nil {
				return runs[i].names, err
			}
		}
	}
}

// run is one filter under way.
type run struct {
	next  func() (string, error, bool)
	stop  func()
	names []string
}

// step reads one name and reports whether there was one.
func (r *run) step() (bool, error) {
	name, err, more := r.next()
	if more && err == nil {
		r.names = append(r.names, name)
	}
	return more, err
}

// tagRanges returns the ranges whose keys end in the names that f lets through; the
// zero filter lets every secret through.
func tagRanges(project string, f csms.TagFilter) []kv.Range {
	if f.Key == "" {
		return []kv.Range{start(nil, tableSecret).text(project).under()}
	}
	if len(f.Values) == 0 {
		return []kv.Range{tagKeyKey(project, f.Key).under()}
	}
	ranges := make([]kv.Range, len(f.Values))
	for i, value := range f.Values {
		ranges[i] = tagKey(project, csms.Tag{Key: f.Key, Value: value}).under()
	}
	return ranges
}

// names yields the last part of every key in ranges.
func (v *View) names(ranges []kv.Range) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, r := range ranges {
			if len(r.To) == 0 {
				continue // under a key that names nothing
			}
			for item, err := range v.r.Scan(r) {
				if !yield(lastPart(item.Key), err) || err != nil {
					return
				}
			}
		}
	}
}

// lastPart returns the last part of a key, which is text and so holds no zero byte.
func lastPart(k []byte) string { return string(k[bytes.LastIndexByte(k, 0)+1:]) }

// withTags returns those of names whose secrets have the tags that c wants.
func (v *View) withTags(project string, names []string, c *csms.Selection) (kept []string, err error) {
	for sec, err := range v.SecretsByName(project, names) {
		if err != nil {
			return nil, err
		}
		if c.HasTags(sec) {
			kept = append(kept, sec.Name)
		}
	}
	return kept, nil
}

// Tags yields every tag that a secret of a project has, each once, ascending by key.
// Secrets whose names skip reports are left out.
func (v *View) Tags(project string, skip func(name string) bool) iter.Seq2[csms.Tag, error] {
	return func(yield func(csms.Tag, error) bool) {
		for r := start(nil, tableSecretTag).text(project).under(); len(r.To) > 0; {
			k, owner, err := v.firstRow(r, skip)
			if k == nil && err == nil {
				return
			}
			var tag csms.Tag
			if err == nil {
				tag, err = v.tagOf(k, owner)
			}
			if !yield(tag, err) || err != nil {
				return
			}
			r.From = kv.End(k[:bytes.LastIndexByte(k, 0)+1]) // past the other secrets with this tag
		}
	}
}

// firstRow returns the first row of r that is not of a secret to skip, and the key
// it leads to; nothing if there is none.
func (v *View) firstRow(r kv.Range, skip func(string) bool) (k, owner key, err error) {
	for item, err := range v.r.Scan(r) {
		if err != nil {
			return nil, nil, err
		}
		if !skip(lastPart(item.Key)) {
			return slices.Clone(item.Key), slices.Clone(item.Value), nil
		}
	}
	return nil, nil, nil
}

// tagOf returns the tag that the row k is of. The row holds a hash of the value, so
// the value comes from the secret.
func (v *View) tagOf(k, owner key) (csms.Tag, error) {
	p, err := parseKey(k)
	if err != nil {
		return csms.Tag{}, err
	}
	sec, err := follow(v.r, v.codec, owner, &secretKind)
	if err != nil {
		return csms.Tag{}, err
	}
	i := slices.IndexFunc(sec.Tags, func(t csms.Tag) bool { return t.Key == p.texts[1] })
	if i < 0 {
		return csms.Tag{}, strayRow(tableSecret)
	}
	return sec.Tags[i], nil
}
