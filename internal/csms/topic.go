package csms

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Bounds of topics, as the API of SMN has them.
const (
	MaxTopics       = 3000 // of a project
	maxDisplayName  = 192  // bytes
	maxAccessPolicy = 30 << 10
	maxIntroduction = 120 // bytes
)

// TopicURN is the name of a topic in all regions and projects, which an event has as
// its target and a sink is bound to.
type TopicURN struct{ Region, ProjectID, Name string }

// String returns urn:smn:<region>:<project>:<name>.
func (u TopicURN) String() string { return "urn:smn:" + u.Region + ":" + u.ProjectID + ":" + u.Name }

// ParseTopicURN reads what String writes, and reports whether text has that form. The
// name is one that a topic can have.
func ParseTopicURN(text string) (TopicURN, bool) {
	parts := strings.Split(text, ":")
	if len(parts) != 5 || parts[0] != "urn" || parts[1] != "smn" || parts[2] == "" || parts[3] == "" || !topicName.MatchString(parts[4]) {
		return TopicURN{}, false
	}
	return TopicURN{Region: parts[2], ProjectID: parts[3], Name: parts[4]}, true
}

var topicName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$`)

// IsTopicName reports whether a topic can have that name.
func IsTopicName(name string) bool { return topicName.MatchString(name) }

// CheckTopicName reports a name that no topic can have, as SMN.0002.
func CheckTopicName(name string) error {
	if IsTopicName(name) {
		return nil
	}
	return Errorf(CodeSMNName, "name must match ^[a-zA-Z0-9][a-zA-Z0-9_-]{0,254}$.")
}

// CheckDisplayName reports a display name over 192 bytes, as SMN.0003.
func CheckDisplayName(text string) error {
	if n := len(text); n > maxDisplayName {
		return Errorf(CodeSMNDisplayName, "display_name has %d bytes; it takes at most %d.", n, maxDisplayName)
	}
	return nil
}

// The attributes that a topic can have.
const (
	AccessPolicy = "access_policy" // JSON: who else may publish
	Introduction = "introduction"  // text
)

// CheckTopicAttributeName reports a name that no attribute has, as SMN.0400.
func CheckTopicAttributeName(name string) error {
	if name == AccessPolicy || name == Introduction {
		return nil
	}
	return Errorf(CodeSMNInvalid, "name must be access_policy or introduction.")
}

// CheckTopicAttribute reports an attribute that no topic can have, as SMN.0400. An
// access policy can allow only: nothing here evaluates it, so one that denies would
// promise what does not happen.
func CheckTopicAttribute(name, value string) error {
	if err := CheckTopicAttributeName(name); err != nil {
		return err
	}
	if n := len(value); name == Introduction {
		if n > maxIntroduction {
			return Errorf(CodeSMNInvalid, "introduction has %d bytes; it takes at most %d.", n, maxIntroduction)
		}
		return nil
	}
	if n := len(value); n > maxAccessPolicy {
		return Errorf(CodeSMNInvalid, "access_policy has %d bytes; it takes at most %d.", n, maxAccessPolicy)
	}
	var policy struct {
		Statement []struct{ Effect string }
	}
	if err := json.Unmarshal([]byte(value), &policy); err != nil || len(policy.Statement) == 0 {
		return Errorf(CodeSMNInvalid, "access_policy must be a JSON object with a list Statement.")
	}
	for _, s := range policy.Statement {
		if s.Effect != "Allow" {
			return Errorf(CodeSMNInvalid, "The Effect of a statement of access_policy must be Allow; a Deny belongs into a policy of users.")
		}
	}
	return nil
}

// CheckTopicTags reports tags that cannot be set on a topic: the rules are those of
// secrets (T1, T2).
func CheckTopicTags(tags []Tag) error { return asSMN(CheckTags(tags)) }

// CheckTopicTagKeys is CheckTopicTags for tags to be removed.
func CheckTopicTagKeys(tags []Tag) error { return asSMN(CheckTagKeys(tags)) }

func asSMN(err error) error {
	if e, ok := err.(*Error); ok { //nolint:errorlint // the checks of tags return it bare
		return Errorf(CodeSMNInvalid, "%s", e.Msg)
	}
	return err
}

// MergeTags returns have, ascending by key, with tags set: new keys are added, values
// of others replaced (T3). It reports more than MaxTags as SMN.0400.
func MergeTags(have, tags []Tag) ([]Tag, error) {
	out := slices.Clone(have)
	for _, t := range tags {
		i, found := findTag(out, t.Key)
		if !found {
			out = slices.Insert(out, i, t)
		}
		out[i].Value = t.Value
	}
	if len(out) > MaxTags {
		return nil, Errorf(CodeSMNInvalid, "The topic would have %d tags; at most %d fit.", len(out), MaxTags)
	}
	return out, nil
}

// WithoutTags returns have without the tags of those keys, whatever their values.
func WithoutTags(have, tags []Tag) []Tag {
	return slices.DeleteFunc(slices.Clone(have), func(t Tag) bool {
		return slices.ContainsFunc(tags, func(u Tag) bool { return u.Key == t.Key })
	})
}

func findTag(tags []Tag, key string) (int, bool) {
	return slices.BinarySearchFunc(tags, key, func(t Tag, key string) int { return strings.Compare(t.Key, key) })
}
