package httpapi

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/wire"
)

type listTopicAttributesRequest struct {
	topicPath
	name string
}

func (q *listTopicAttributesRequest) bind(x *exchange) error {
	query, err := x.query()
	q.name = query.Get("name")
	return errors.Join(q.topicPath.bind(x), err)
}

func (a *API) listTopicAttributes(ctx context.Context, who *iam.Caller, q *listTopicAttributesRequest) (wire.TopicAttributes, error) {
	t, err := a.SMN.ListTopicAttributes(ctx, who, q.ref, q.name)
	return wire.TopicAttributes{RequestID: RequestID(ctx), Attributes: wire.TopicAttribute{
		AccessPolicy: t.AccessPolicy, Introduction: t.Introduction, CreateTime: wire.UTC(t.CreateTime), UpdateTime: wire.UTC(t.UpdateTime),
	}}, err
}

// topicAttributePath is the request of operations whose path names an attribute.
type topicAttributePath struct {
	topicPath
	name string
}

func (q *topicAttributePath) bind(x *exchange) error {
	q.name = x.r.PathValue("name")
	return q.topicPath.bind(x)
}

type updateTopicAttributeRequest struct {
	topicAttributePath
	value string
}

func (q *updateTopicAttributeRequest) bind(x *exchange) error {
	var body wire.UpdateTopicAttributeRequest
	if err := errors.Join(q.topicAttributePath.bind(x), x.decode(&body)); err != nil {
		return err
	}
	if body.Value == nil {
		return csms.Errorf(csms.CodeSMNInvalid, "value must be given.")
	}
	q.value = *body.Value
	return nil
}

func (a *API) updateTopicAttribute(ctx context.Context, who *iam.Caller, q *updateTopicAttributeRequest) (wire.Requested, error) {
	return requested(ctx), a.SMN.UpdateTopicAttribute(ctx, who, q.ref, q.name, q.value)
}

func (a *API) deleteTopicAttributeByName(ctx context.Context, who *iam.Caller, q *topicAttributePath) (wire.Requested, error) {
	return requested(ctx), a.SMN.DeleteTopicAttributeByName(ctx, who, q.ref, q.name)
}

func (a *API) deleteTopicAttributes(ctx context.Context, who *iam.Caller, q *topicPath) (wire.Requested, error) {
	return requested(ctx), a.SMN.DeleteTopicAttributes(ctx, who, q.ref)
}
