package csms

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of tags (T1, T2). Lengths are in characters, not bytes.
const (
	MaxTags     = 20
	maxTagKey   = 128
	maxTagValue = 255
)

// systemTags is how the keys begin that only the service itself may set (T2).
const systemTags = "_sys_"

// TagEnterpriseProject is the key of the system tag that names the enterprise
// project of a secret (T7).
const TagEnterpriseProject = systemTags + "enterprise_project_id"

// Tag is one tag of a secret. A secret has at most one of each key (T1).
type Tag struct {
	Key   string
	Value string // may be empty
}

// CheckTagKey reports a key that no tag can have: it takes 1 to 128 letters, digits
// and spaces of any language and _ . : = + - @, no space at either end, and not
// _sys_ at the start (T2).
func CheckTagKey(key string) error {
	if n := utf8.RuneCountInString(key); n < 1 || n > maxTagKey {
		return Invalidf("The key of a tag has %d characters; it takes 1 to %d.", n, maxTagKey)
	}
	if strings.HasPrefix(key, systemTags) {
		return Invalidf("The key of a tag must not begin with %s.", systemTags)
	}
	first, _ := utf8.DecodeRuneInString(key)
	last, _ := utf8.DecodeLastRuneInString(key)
	if unicode.Is(unicode.Z, first) || unicode.Is(unicode.Z, last) {
		return Invalidf("The key of a tag must not begin or end with a space.")
	}
	if strings.ContainsFunc(key, notInTagKey) {
		return Invalidf("The key of a tag takes letters, digits and spaces of any language and _ . : = + - @.")
	}
	return nil
}

// checkTagValue reports a value that no tag can have: it takes up to 255 characters
// of the alphabet of keys and the slash, spaces anywhere (T2).
func checkTagValue(value string) error {
	if n := utf8.RuneCountInString(value); n > maxTagValue {
		return Invalidf("The value of a tag has %d characters; it takes at most %d.", n, maxTagValue)
	}
	if strings.ContainsFunc(value, notInTagValue) {
		return Invalidf("The value of a tag takes letters, digits and spaces of any language and _ . : / = + - @.")
	}
	return nil
}

// notInTagKey reports whether r is outside [\p{L}\p{Z}\p{N}_.:=+\-@]. Bytes that are
// no UTF-8 come as U+FFFD, which is outside too.
func notInTagKey(r rune) bool {
	switch r {
	case '_', '.', ':', '=', '+', '-', '@':
		return false
	}
	return !unicode.In(r, unicode.L, unicode.Z, unicode.N)
}

func notInTagValue(r rune) bool { return r != '/' && notInTagKey(r) }

// CheckTags reports the first thing that is wrong with tags to be set together: 1 to
// 20 of them, no key twice (T5).
func CheckTags(tags []Tag) error {
	if err := CheckTagKeys(tags); err != nil {
		return err
	}
	for _, t := range tags {
		if err := checkTagValue(t.Value); err != nil {
			return err
		}
	}
	return nil
}

// CheckTagKeys is CheckTags for tags to be removed, whose values say nothing (T4).
func CheckTagKeys(tags []Tag) error {
	if n := len(tags); n < 1 || n > MaxTags {
		return Invalidf("tags has %d items; it takes 1 to %d.", n, MaxTags)
	}
	for i, t := range tags {
		if err := CheckTagKey(t.Key); err != nil {
			return err
		}
		if slices.ContainsFunc(tags[:i], func(u Tag) bool { return u.Key == t.Key }) {
			return Invalidf("tags lists the key %s twice.", t.Key)
		}
	}
	return nil
}

// SetTags sets tags, which must have passed CheckTags: new keys are added, the value
// of a key that s has is replaced (T3). If s would have more than MaxTags, none is
// set (T6).
func (s *Secret) SetTags(tags []Tag) error {
	if err := s.checkChangeable(); err != nil {
		return err
	}
	total := len(s.Tags)
	for _, t := range tags {
		if _, found := s.searchTag(t.Key); !found {
			total++
		}
	}
	if total > MaxTags {
		return Invalidf("The secret %s would have %d tags; at most %d fit.", s.Name, total, MaxTags)
	}
	for _, t := range tags {
		i, found := s.searchTag(t.Key)
		if !found {
			s.Tags = slices.Insert(s.Tags, i, Tag{Key: t.Key})
		}
		s.Tags[i].Value = t.Value
	}
	s.outdate()
	return nil
}

// RemoveTag takes the tag of that key away, or returns CSMS.0005 (T4).
func (s *Secret) RemoveTag(key string) error {
	if _, found := s.searchTag(key); !found {
		return Errorf(CodeNotFound, "The secret %s has no tag %s.", s.Name, key)
	}
	return s.RemoveTags([]Tag{{Key: key}})
}

// RemoveTags takes the tags of those keys away, whatever their values; a key that s
// does not have is none to remove (T4).
func (s *Secret) RemoveTags(tags []Tag) error {
	if err := s.checkChangeable(); err != nil {
		return err
	}
	for _, t := range tags {
		if i, found := s.searchTag(t.Key); found {
			s.Tags = slices.Delete(s.Tags, i, i+1)
		}
	}
	s.outdate()
	return nil
}

// SystemTags returns the tags that the service itself has put on s (T7).
func (s *Secret) SystemTags() []Tag {
	return []Tag{{Key: TagEnterpriseProject, Value: s.EnterpriseProjectID}}
}

func (s *Secret) searchTag(key string) (int, bool) {
	return slices.BinarySearchFunc(s.Tags, key, func(t Tag, k string) int { return strings.Compare(t.Key, k) })
}
