package csms

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits of a selection (T11).
const (
	maxTagFilters   = 10
	maxFilterValues = 10
)

// TagFilter wants a tag of that key with one of the values; no values mean any
// (T11).
type TagFilter struct {
	Key    string
	Values []string
}

// Match wants a text in a field of the secret. The only field is resource_name
// (T12).
type Match struct{ Key, Value string }

// MatchName is the one key of a Match: the name of the secret.
const MatchName = "resource_name"

// Selection says which secrets of a project are meant: those that every filter and
// every match wants. The zero Selection means all.
type Selection struct {
	Tags    []TagFilter // up to 10, no key twice
	Matches []Match     // at most one
}

// Single reports whether c means all secrets, or those with one value of one tag: what
// lies in one piece of an index, and is counted there.
func (c *Selection) Single() bool {
	if len(c.Matches) > 0 || len(c.Tags) > 1 {
		return false
	}
	return len(c.Tags) == 0 || len(c.Tags[0].Values) == 1
}

// Validate reports the first part of c that is wrong, as CSMS.0002. A key or value
// that no tag can have is not wrong, it selects nothing.
func (c *Selection) Validate() error {
	if n := len(c.Tags); n > maxTagFilters {
		return Invalidf("tags has %d items; it takes at most %d.", n, maxTagFilters)
	}
	for i, f := range c.Tags {
		if err := f.validate(); err != nil {
			return err
		}
		if slices.ContainsFunc(c.Tags[:i], func(g TagFilter) bool { return g.Key == f.Key }) {
			return Invalidf("tags lists the key %s twice.", f.Key)
		}
	}
	for i, m := range c.Matches {
		if m.Key != MatchName {
			return Invalidf("The key of a match must be %s.", MatchName)
		}
		if n := utf8.RuneCountInString(m.Value); n > maxTagValue {
			return Invalidf("The value of a match has %d characters; it takes at most %d.", n, maxTagValue)
		}
		if i > 0 {
			return Invalidf("matches lists the key %s twice.", m.Key)
		}
	}
	return nil
}

func (f *TagFilter) validate() error {
	if n := utf8.RuneCountInString(f.Key); n < 1 || n > maxTagKey {
		return Invalidf("The key of a tag has %d characters; it takes 1 to %d.", n, maxTagKey)
	}
	if n := len(f.Values); n > maxFilterValues {
		return Invalidf("The tag %s lists %d values; it takes at most %d.", f.Key, n, maxFilterValues)
	}
	for i, v := range f.Values {
		if n := utf8.RuneCountInString(v); n > maxTagValue {
			return Invalidf("The value of a tag has %d characters; it takes at most %d.", n, maxTagValue)
		}
		if slices.Contains(f.Values[:i], v) {
			return Invalidf("The tag %s lists a value twice.", f.Key)
		}
	}
	return nil
}

// HasName reports whether a secret of that name can be meant: its name holds every
// text, case sensitive, and an empty text is in no name (T12).
func (c *Selection) HasName(name string) bool {
	for _, m := range c.Matches {
		if m.Value == "" || !strings.Contains(name, m.Value) {
			return false
		}
	}
	return true
}

// HasTags reports whether the tags of s are what every filter wants.
func (c *Selection) HasTags(s *Secret) bool {
	for _, f := range c.Tags {
		i, found := s.searchTag(f.Key)
		if !found || len(f.Values) > 0 && !slices.Contains(f.Values, s.Tags[i].Value) {
			return false
		}
	}
	return true
}
