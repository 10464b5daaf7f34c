package kms

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// ListKeyTags returns the tags of a key, ascending by key.
func (s *Service) ListKeyTags(ctx context.Context, who *iam.Caller, keyID string) ([]csms.Tag, error) {
	key, err := s.find(ctx, who, iam.ListKeyTags, keyID, nil)
	if err != nil {
		return nil, err
	}
	tags := make([]csms.Tag, 0, len(key.Tags))
	for _, t := range key.Tags {
		tags = append(tags, csms.Tag{Key: t.Key, Value: t.Value})
	}
	return tags, nil
}

// BatchCreateKeyTags sets or takes away 1 to 20 tags of a key, all or none. The rules
// are those of tags of secrets (T1 to T6); action is create or delete.
func (s *Service) BatchCreateKeyTags(ctx context.Context, who *iam.Caller, keyID, action string, tags []csms.Tag) error {
	stored := make([]store.KeyTag, 0, len(tags))
	for _, t := range tags {
		stored = append(stored, store.KeyTag{Key: t.Key, Value: t.Value})
	}
	_, err := s.change(ctx, who, iam.BatchCreateKeyTags, keyID,
		func() error { return checkTags(action, tags) },
		func(ctx context.Context, project, keyID string) (seal.Key, error) {
			if action == "delete" {
				return s.o.Keys.RemoveKeyTags(ctx, project, keyID, stored)
			}
			return s.o.Keys.SetKeyTags(ctx, project, keyID, stored, csms.MaxTags)
		})
	return err
}

func checkTags(action string, tags []csms.Tag) error {
	check := csms.CheckTags
	switch action {
	case "create":
	case "delete":
		check = csms.CheckTagKeys
	default:
		return csms.Errorf(csms.CodeKMSTagAction, "action must be create or delete.")
	}
	if n := len(tags); n < 1 || n > csms.MaxTags {
		return csms.Errorf(csms.CodeKMSTagList, "tags has %d items; it takes 1 to %d.", n, csms.MaxTags)
	}
	return recoded(check(tags), csms.CodeInvalid, csms.CodeKMSTag)
}
