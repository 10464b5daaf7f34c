package wire

import (
	"strconv"

	"coffer/internal/csms"
)

// Tag is one tag, in requests and answers. An absent value is an empty one.
type Tag struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

func newTags(in []csms.Tag) []Tag {
	out := make([]Tag, 0, len(in))
	for _, t := range in {
		out = append(out, Tag(t))
	}
	return out
}

// CoreTags returns tags of a request as the core has them.
func CoreTags(in []Tag) []csms.Tag {
	out := make([]csms.Tag, 0, len(in))
	for _, t := range in {
		out = append(out, csms.Tag(t))
	}
	return out
}

// SecretTags is the answer of ListSecretTags; both arrays are always there (T7).
type SecretTags struct {
	Tags    []Tag `json:"tags"`
	SysTags []Tag `json:"sys_tags"`
}

// NewSecretTags returns the tags of s.
func NewSecretTags(s *csms.Secret) SecretTags {
	return SecretTags{Tags: newTags(s.Tags), SysTags: newTags(s.SystemTags())}
}

// TagValues is a key with its distinct values in the project.
type TagValues struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

// ProjectTags is the answer of ListProjectSecretsTags (T8), and of ListProjectTags of
// topics.
type ProjectTags struct {
	Tags []TagValues `json:"tags"`
}

// CreateTagRequest is the body of CreateSecretTag.
type CreateTagRequest struct {
	Tag *Tag `json:"tag"`
}

// BatchTagsRequest is the body of BatchCreateOrDeleteTags. Its sequence is ignored
// (T5).
type BatchTagsRequest struct {
	Tags   []Tag  `json:"tags"`
	Action string `json:"action"`
}

// InstancesRequest is the body of ListResourceInstances. Members of the generic tag
// convention that it does not list are no part of this API (T13).
type InstancesRequest struct {
	Limit   Number      `json:"limit"`
	Offset  Number      `json:"offset"`
	Action  string      `json:"action"`
	Tags    []TagFilter `json:"tags"`
	Matches []TagMatch  `json:"matches"`
}

// TagFilter wants one of the values under a key.
type TagFilter struct {
	Key    string   `json:"key"`
	Values []string `json:"values"`
}

// TagMatch wants a text in a field.
type TagMatch struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Selection returns what q selects.
func (q *InstancesRequest) Selection() csms.Selection {
	var c csms.Selection
	for _, f := range q.Tags {
		c.Tags = append(c.Tags, csms.TagFilter(f))
	}
	for _, m := range q.Matches {
		c.Matches = append(c.Matches, csms.Match(m))
	}
	return c
}

// Number is a limit or an offset in a body: SDKs send its digits as text, Terraform
// a JSON number (C14, T10).
type Number struct{ value *int }

// Or returns the number, or fallback for one that is absent or null.
func (n Number) Or(fallback int) int {
	if n.value == nil {
		return fallback
	}
	return *n.value
}

// UnmarshalJSON reads up to nine digits, in quotes or not. Whether the number is in
// range is for the operation to say.
func (n *Number) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if len(b) >= 2 && b[0] == '"' {
		b = b[1 : len(b)-1]
	}
	value, err := strconv.ParseUint(string(b), 10, 30)
	if err != nil || len(b) > 9 {
		return csms.Invalidf("limit and offset take up to nine digits, as a number or as text.")
	}
	v := int(value)
	n.value = &v
	return nil
}

// InstanceList is the answer of ListResourceInstances: for the action count without
// resources, else with an array, empty or not (T9, T10).
type InstanceList struct {
	Resources  []ResourceInstance `json:"resources"`
	TotalCount int                `json:"total_count"`
}

// ResourceInstance is one secret with its tags (T14).
type ResourceInstance struct {
	ResourceID     string `json:"resource_id"`
	ResourceDetail Secret `json:"resource_detail"`
	ResourceName   string `json:"resource_name"`
	SecretTags
}

// NewResourceInstance returns the wire form of s with its tags.
func NewResourceInstance(s *csms.Secret) ResourceInstance {
	return ResourceInstance{ResourceID: s.ID, ResourceDetail: NewSecret(s), ResourceName: s.Name, SecretTags: NewSecretTags(s)}
}
