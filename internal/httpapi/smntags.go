package httpapi

import (
	"context"
	"errors"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/smn"
	"coffer/internal/wire"
)

// resourcePath is the request of operations on the tags of a topic. The resource_id of
// the path is a topic id; with the header that Terraform sends it is a name. A URN is
// taken too, for nothing else looks like it.
type resourcePath struct{ topicPath }

// resourceIDType is the header that says what a resource_id is: name, or else an id.
const resourceIDType = "X-Smn-Resourceid-Type"

func (q *resourcePath) bind(x *exchange) error {
	id := x.r.PathValue("resource_id")
	switch {
	case strings.EqualFold(x.r.Header.Get(resourceIDType), "name"):
		q.ref = smn.Ref{Name: id}
	case strings.HasPrefix(id, "urn:"):
		q.ref = smn.Ref{URN: id}
	default:
		q.ref = smn.Ref{ID: id}
	}
	return nil
}

func (a *API) listResourceTags(ctx context.Context, who *iam.Caller, q *resourcePath) (wire.ResourceTags, error) {
	tags, err := a.SMN.ListResourceTags(ctx, who, q.ref)
	list := wire.ResourceTags{Tags: []wire.KeyTag{}}
	for _, t := range tags {
		list.Tags = append(list.Tags, wire.KeyTag{Key: t.Key, Value: t.Value})
	}
	return list, err
}

type resourceTagRequest struct {
	resourcePath
	tag csms.Tag
}

func (q *resourceTagRequest) bind(x *exchange) error {
	var body wire.ResourceTagRequest
	if err := errors.Join(q.resourcePath.bind(x), x.decode(&body)); err != nil {
		return err
	}
	if body.Tag == nil {
		return csms.Errorf(csms.CodeSMNInvalid, "tag must be given.")
	}
	q.tag = csms.Tag{Key: body.Tag.Key, Value: body.Tag.Value}
	return nil
}

func (a *API) createResourceTag(ctx context.Context, who *iam.Caller, q *resourceTagRequest) (noContent, error) {
	return noContent{}, a.SMN.CreateResourceTag(ctx, who, q.ref, q.tag)
}

type resourceTagPath struct {
	resourcePath
	key string
}

func (q *resourceTagPath) bind(x *exchange) error {
	q.key = x.r.PathValue("key")
	return q.resourcePath.bind(x)
}

func (a *API) deleteResourceTag(ctx context.Context, who *iam.Caller, q *resourceTagPath) (noContent, error) {
	return noContent{}, a.SMN.DeleteResourceTag(ctx, who, q.ref, q.key)
}

type resourceTagsRequest struct {
	resourcePath
	action string
	tags   []csms.Tag
}

func (q *resourceTagsRequest) bind(x *exchange) error {
	var body wire.TagsActionRequest
	err := errors.Join(q.resourcePath.bind(x), x.decode(&body))
	q.action = body.Action
	for _, t := range body.Tags {
		q.tags = append(q.tags, csms.Tag{Key: t.Key, Value: t.Value})
	}
	return err
}

func (a *API) batchCreateOrDeleteResourceTags(ctx context.Context, who *iam.Caller, q *resourceTagsRequest) (noContent, error) {
	return noContent{}, a.SMN.BatchCreateOrDeleteResourceTags(ctx, who, q.ref, q.action, q.tags)
}

// allTopics is the request of an operation that needs nothing but the project.
type allTopics struct{ noTopic }

func (*allTopics) bind(*exchange) error { return nil }

func (a *API) listProjectTags(ctx context.Context, who *iam.Caller, _ *allTopics) (wire.ProjectTags, error) {
	tags, err := a.SMN.ListProjectTags(ctx, who)
	list := wire.ProjectTags{Tags: []wire.TagValues{}}
	for _, t := range tags {
		list.Tags = append(list.Tags, wire.TagValues(t))
	}
	return list, err
}
