package smn

import (
	"context"
	"maps"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// ListResourceTags returns the tags of a topic, ascending by key.
func (s *Service) ListResourceTags(ctx context.Context, who *iam.Caller, ref Ref) ([]csms.Tag, error) {
	t, err := s.get(ctx, who, iam.ListResourceTags, ref, nil)
	if err != nil {
		return nil, err
	}
	return tagsOf(t), nil
}

// CreateResourceTag sets one tag of a topic.
func (s *Service) CreateResourceTag(ctx context.Context, who *iam.Caller, ref Ref, tag csms.Tag) error {
	return s.setTags(ctx, who, iam.CreateResourceTag, ref, []csms.Tag{tag})
}

// DeleteResourceTag takes the tag of that key away, or reports that there is none.
func (s *Service) DeleteResourceTag(ctx context.Context, who *iam.Caller, ref Ref, key string) error {
	return s.change(ctx, who, iam.DeleteResourceTag, ref, nil, func(t *store.Topic) error {
		have := tagsOf(t)
		rest := csms.WithoutTags(have, []csms.Tag{{Key: key}})
		if len(rest) == len(have) {
			return csms.Errorf(csms.CodeSMNNotFound, "The topic has no such tag.")
		}
		putTags(t, rest)
		return nil
	})
}

// BatchCreateOrDeleteResourceTags sets or takes away 1 to 20 tags of a topic, all or
// none; a key that the topic does not have is none to take away.
func (s *Service) BatchCreateOrDeleteResourceTags(ctx context.Context, who *iam.Caller, ref Ref, action string, tags []csms.Tag) error {
	const op = iam.BatchCreateOrDeleteResourceTags
	switch action {
	case "create":
		return s.setTags(ctx, who, op, ref, tags)
	case "delete":
		return s.change(ctx, who, op, ref,
			func() error { return csms.CheckTopicTagKeys(tags) },
			func(t *store.Topic) error { putTags(t, csms.WithoutTags(tagsOf(t), tags)); return nil })
	default:
		if err := s.Authorize(ctx, who, op, ref); err != nil {
			return err
		}
		return csms.Errorf(csms.CodeSMNInvalid, "action must be create or delete.")
	}
}

func (s *Service) setTags(ctx context.Context, who *iam.Caller, op iam.Op, ref Ref, tags []csms.Tag) error {
	return s.change(ctx, who, op, ref,
		func() error { return csms.CheckTopicTags(tags) },
		func(t *store.Topic) error {
			merged, err := csms.MergeTags(tagsOf(t), tags)
			putTags(t, merged)
			return err
		})
}

// TagValues is a key with the values that it has in the project, ascending.
type TagValues struct {
	Key    string
	Values []string
}

// ListProjectTags returns the tags that topics of the project have, ascending by key.
func (s *Service) ListProjectTags(ctx context.Context, who *iam.Caller) ([]TagValues, error) {
	r := s.request(who, iam.ListProjectTags, "")
	if err := forbidden(who.Authorize(&r)); err != nil {
		return nil, err
	}
	topics, err := s.topics(ctx, who.ProjectID)
	if err != nil {
		return nil, err
	}
	values := map[string]map[string]bool{}
	for _, t := range topics {
		for _, tag := range t.Tags {
			if values[tag.Key] == nil {
				values[tag.Key] = map[string]bool{}
			}
			values[tag.Key][tag.Value] = true
		}
	}
	var all []TagValues
	for _, key := range slices.Sorted(maps.Keys(values)) {
		all = append(all, TagValues{Key: key, Values: slices.Sorted(maps.Keys(values[key]))})
	}
	return all, nil
}

func tagsOf(t *store.Topic) []csms.Tag {
	var tags []csms.Tag
	for _, tag := range t.Tags {
		tags = append(tags, csms.Tag{Key: tag.Key, Value: tag.Value})
	}
	return tags
}

func putTags(t *store.Topic, tags []csms.Tag) {
	t.Tags = nil
	for _, tag := range tags {
		t.Tags = append(t.Tags, store.KeyTag{Key: tag.Key, Value: tag.Value})
	}
}
