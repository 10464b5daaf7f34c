package httpapi

import (
	"context"
	"strconv"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/wire"
)

// Rotation and tags of KMS keys.

func decimal(n int) string { return strconv.Itoa(n) }

func (a *API) showKeyRotationStatus(ctx context.Context, who *iam.Caller, q *keyRef) (wire.KeyRotation, error) {
	r, err := a.KMS.ShowKeyRotationStatus(ctx, who, q.keyID)
	return wire.KeyRotation{
		KeyRotationEnabled: r.Enabled, RotationInterval: r.Interval,
		LastRotationTime: wire.TextMillis(r.Last), NumberOfRotations: r.Count,
	}, err
}

func (a *API) enableKeyRotation(ctx context.Context, who *iam.Caller, q *keyRef) (struct{}, error) {
	return struct{}{}, a.KMS.EnableKeyRotation(ctx, who, q.keyID)
}

func (a *API) disableKeyRotation(ctx context.Context, who *iam.Caller, q *keyRef) (struct{}, error) {
	return struct{}{}, a.KMS.DisableKeyRotation(ctx, who, q.keyID)
}

type updateIntervalRequest struct {
	keyRef
	days int
}

func (q *updateIntervalRequest) bind(x *exchange) error {
	var body wire.UpdateKeyRotationIntervalRequest
	err := x.decodeKMS(&body)
	q.keyID, q.days = body.KeyID, body.RotationInterval.Or(-1)
	if err != nil {
		return err
	}
	return require(given{"key_id", &q.keyID}, given{"rotation_interval", digits(body.RotationInterval)})
}

func (a *API) updateKeyRotationInterval(ctx context.Context, who *iam.Caller, q *updateIntervalRequest) (struct{}, error) {
	return struct{}{}, a.KMS.UpdateKeyRotationInterval(ctx, who, q.keyID, q.days)
}

func (a *API) listKeyTags(ctx context.Context, who *iam.Caller, q *keyPath) (wire.KeyTags, error) {
	tags, err := a.KMS.ListKeyTags(ctx, who, q.keyID)
	answer := wire.KeyTags{Tags: make([]wire.KeyTag, 0, len(tags)), ExistTagsNum: len(tags)}
	for _, t := range tags {
		answer.Tags = append(answer.Tags, wire.KeyTag{Key: t.Key, Value: t.Value})
	}
	return answer, err
}

type keyTagsRequest struct {
	keyRef
	action string
	tags   []csms.Tag
}

func (q *keyTagsRequest) bind(x *exchange) error {
	q.keyID = x.r.PathValue("key_id")
	var body wire.TagsActionRequest
	if err := x.decodeKMS(&body); err != nil {
		return err
	}
	q.action = body.Action
	for _, t := range body.Tags {
		q.tags = append(q.tags, csms.Tag{Key: t.Key, Value: t.Value})
	}
	return nil
}

func (a *API) batchCreateKeyTags(ctx context.Context, who *iam.Caller, q *keyTagsRequest) (noContent, error) {
	return noContent{}, a.KMS.BatchCreateKeyTags(ctx, who, q.keyID, q.action, q.tags)
}
