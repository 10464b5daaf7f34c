package service

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// CreateSecretTag sets one tag of the secret of that id; the value of a key that it
// has is replaced (T3).
func (s *Service) CreateSecretTag(ctx context.Context, who *iam.Caller, id string, tag csms.Tag) error {
	return s.setTags(ctx, who, iam.CreateSecretTag, id, []csms.Tag{tag})
}

// DeleteSecretTag takes one tag away; a key that the secret does not have is
// CSMS.0005 (T4).
func (s *Service) DeleteSecretTag(ctx context.Context, who *iam.Caller, id, key string) error {
	r := s.request(who, iam.DeleteSecretTag, "")
	r.TagKeys = []string{key}
	return s.changeTags(ctx, who, id, tagChange{
		request:  r,
		validate: func() error { return csms.CheckTagKey(key) },
		apply:    func(sec *csms.Secret) error { return sec.RemoveTag(key) },
	})
}

// BatchCreateTags sets 1 to 20 tags, all or none (T3, T5). It is
// BatchCreateOrDeleteTags with the action create.
func (s *Service) BatchCreateTags(ctx context.Context, who *iam.Caller, id string, tags []csms.Tag) error {
	return s.setTags(ctx, who, iam.BatchCreateOrDeleteTags, id, tags)
}

// BatchDeleteTags takes the tags with the keys of 1 to 20 tags away, whatever their
// values; one that the secret does not have is no error (T4). It is
// BatchCreateOrDeleteTags with the action delete.
func (s *Service) BatchDeleteTags(ctx context.Context, who *iam.Caller, id string, tags []csms.Tag) error {
	r := s.request(who, iam.BatchCreateOrDeleteTags, "")
	for _, t := range tags {
		r.TagKeys = append(r.TagKeys, t.Key)
	}
	return s.changeTags(ctx, who, id, tagChange{
		request:  r,
		validate: func() error { return csms.CheckTagKeys(tags) },
		apply:    func(sec *csms.Secret) error { return sec.RemoveTags(tags) },
	})
}

func (s *Service) setTags(ctx context.Context, who *iam.Caller, op iam.Op, id string, tags []csms.Tag) error {
	r := s.request(who, op, "")
	r.RequestTags = conditionTags(tags)
	return s.changeTags(ctx, who, id, tagChange{
		request:  r,
		validate: func() error { return csms.CheckTags(tags) },
		apply:    func(sec *csms.Secret) error { return sec.SetTags(tags) },
	})
}

// tagChange is an operation that changes the tags of one secret.
type tagChange struct {
	request  iam.Request
	validate func() error
	apply    func(*csms.Secret) error
}

// changeTags is change for a secret that is addressed by its id. Tags do not move
// update_time.
func (s *Service) changeTags(ctx context.Context, who *iam.Caller, id string, c tagChange) error {
	now := s.now()
	t, err := s.authorizeByID(ctx, who, c.request, id, now)
	if err != nil {
		return err
	}
	if err := c.validate(); err != nil {
		return err
	}
	if t.missing != nil {
		return t.missing
	}
	_, err = s.update(ctx, t.secret, now, func(_ *store.Tx, sec *csms.Secret, _ csms.Millis) error {
		return c.apply(sec)
	})
	if csms.CodeOf(err) == csms.CodeSecretNotFound {
		return idNotFound(id) // destroyed since it was looked up
	}
	return err
}

// ListSecretTags returns the secret of that id, whose tags are asked for, whatever
// its state.
func (s *Service) ListSecretTags(ctx context.Context, who *iam.Caller, id string) (*csms.Secret, error) {
	t, err := s.authorizeByID(ctx, who, s.request(who, iam.ListSecretTags, ""), id, s.now())
	if err != nil {
		return nil, err
	}
	return t.secret, t.missing
}
