package smn

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Attributes are the attributes of a topic, "" for one that is not set.
type Attributes struct {
	AccessPolicy string
	Introduction string
	CreateTime   csms.Millis // of the topic
	UpdateTime   csms.Millis
}

// ListTopicAttributes returns the attributes of a topic, or the one of that name.
func (s *Service) ListTopicAttributes(ctx context.Context, who *iam.Caller, ref Ref, name string) (Attributes, error) {
	t, err := s.get(ctx, who, iam.ListTopicAttributes, ref, func() error {
		if name == "" {
			return nil
		}
		return csms.CheckTopicAttributeName(name)
	})
	if err != nil {
		return Attributes{}, err
	}
	a := Attributes{AccessPolicy: t.AccessPolicy, Introduction: t.Introduction, CreateTime: t.CreateTime, UpdateTime: t.UpdateTime}
	switch name {
	case csms.AccessPolicy:
		a.Introduction = ""
	case csms.Introduction:
		a.AccessPolicy = ""
	}
	return a, nil
}

// UpdateTopicAttribute sets an attribute of a topic. An access policy is kept and
// shown; who may publish is decided by the policies of callers alone.
func (s *Service) UpdateTopicAttribute(ctx context.Context, who *iam.Caller, ref Ref, name, value string) error {
	return s.change(ctx, who, iam.UpdateTopicAttribute, ref,
		func() error { return csms.CheckTopicAttribute(name, value) },
		func(t *store.Topic) error { *attribute(t, name) = value; return nil })
}

// DeleteTopicAttributeByName takes an attribute away, whether it was set or not.
func (s *Service) DeleteTopicAttributeByName(ctx context.Context, who *iam.Caller, ref Ref, name string) error {
	return s.change(ctx, who, iam.DeleteTopicAttributeByName, ref,
		func() error { return csms.CheckTopicAttributeName(name) },
		func(t *store.Topic) error { *attribute(t, name) = ""; return nil })
}

// DeleteTopicAttributes takes all attributes away.
func (s *Service) DeleteTopicAttributes(ctx context.Context, who *iam.Caller, ref Ref) error {
	return s.change(ctx, who, iam.DeleteTopicAttributes, ref, nil,
		func(t *store.Topic) error { t.AccessPolicy, t.Introduction = "", ""; return nil })
}

// attribute returns where a topic has the attribute of that name, which was checked.
func attribute(t *store.Topic, name string) *string {
	if name == csms.AccessPolicy {
		return &t.AccessPolicy
	}
	return &t.Introduction
}
