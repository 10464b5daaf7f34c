package httpapi

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/wire"
)

// leaf answers a path whose last element is word, and no other: a pattern that ends
// in the word itself would overlap with that of ShowSecretEvent, which ServeMux
// refuses (RT2).
func leaf(word string, h handler) handler {
	return func(a *API, x *exchange) error {
		if x.r.PathValue("leaf") != word {
			x.route = &unrouted
			return noSuchAPI()
		}
		return h(a, x)
	}
}

// idRef is the request of operations that address a secret by its id (T15).
type idRef struct{ id string }

// bind checks the id here too, because the path is told before the body (S7).
func (q *idRef) bind(x *exchange) error {
	q.id = x.r.PathValue("secret_id")
	return csms.CheckSecretID(q.id)
}

type createTagRequest struct {
	idRef
	tag csms.Tag
}

func (q *createTagRequest) bind(x *exchange) error {
	if err := q.idRef.bind(x); err != nil {
		return err
	}
	var body wire.CreateTagRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	if body.Tag == nil {
		return csms.Invalidf("tag must be given.")
	}
	q.tag = csms.Tag(*body.Tag)
	return nil
}

func (a *API) createSecretTag(ctx context.Context, who *iam.Caller, q *createTagRequest) (noContent, error) {
	return noContent{}, a.Service.CreateSecretTag(ctx, who, q.id, q.tag)
}

type deleteTagRequest struct {
	idRef
	key string
}

// bind checks the key here too, because it is in the path.
func (q *deleteTagRequest) bind(x *exchange) error {
	if err := q.idRef.bind(x); err != nil {
		return err
	}
	q.key = x.r.PathValue("key")
	return csms.CheckTagKey(q.key)
}

func (a *API) deleteSecretTag(ctx context.Context, who *iam.Caller, q *deleteTagRequest) (noContent, error) {
	return noContent{}, a.Service.DeleteSecretTag(ctx, who, q.id, q.key)
}

type batchTagsRequest struct {
	idRef
	tags   []csms.Tag
	remove bool
}

func (q *batchTagsRequest) bind(x *exchange) error {
	if err := q.idRef.bind(x); err != nil {
		return err
	}
	var body wire.BatchTagsRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.tags, q.remove = wire.CoreTags(body.Tags), body.Action == "delete"
	if !q.remove && body.Action != "create" {
		return csms.Invalidf("action must be create or delete.")
	}
	return nil
}

func (a *API) batchCreateOrDeleteTags(ctx context.Context, who *iam.Caller, q *batchTagsRequest) (noContent, error) {
	if q.remove {
		return noContent{}, a.Service.BatchDeleteTags(ctx, who, q.id, q.tags)
	}
	return noContent{}, a.Service.BatchCreateTags(ctx, who, q.id, q.tags)
}

func (a *API) listSecretTags(ctx context.Context, who *iam.Caller, q *idRef) (wire.SecretTags, error) {
	sec, err := a.Service.ListSecretTags(ctx, who, q.id)
	if err != nil {
		return wire.SecretTags{}, err
	}
	return wire.NewSecretTags(sec), nil
}

// nothing is the request of operations that need nothing but the project.
type nothing struct{}

func (*nothing) bind(*exchange) error { return nil }

func (a *API) listProjectSecretsTags(ctx context.Context, who *iam.Caller, _ *nothing) (wire.ProjectTags, error) {
	tags, err := a.Service.ListProjectSecretsTags(ctx, who)
	answer := wire.ProjectTags{Tags: make([]wire.TagValues, 0, len(tags))}
	for _, t := range tags {
		answer.Tags = append(answer.Tags, wire.TagValues(t))
	}
	return answer, err
}

type instancesRequest struct{ listing service.InstanceListing }

func (q *instancesRequest) bind(x *exchange) error {
	var body wire.InstancesRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.listing = service.InstanceListing{
		Selection: body.Selection(), CountOnly: body.Action == "count",
		Limit: body.Limit.Or(service.DefaultInstances), Offset: body.Offset.Or(0),
	}
	if !q.listing.CountOnly && body.Action != "filter" {
		return csms.Invalidf("action must be filter or count.")
	}
	return nil
}

func (a *API) listResourceInstances(ctx context.Context, who *iam.Caller, q *instancesRequest) (wire.InstanceList, error) {
	found, err := a.Service.ListResourceInstances(ctx, who, q.listing)
	if err != nil {
		return wire.InstanceList{}, err
	}
	list := wire.InstanceList{TotalCount: found.Total}
	if q.listing.CountOnly {
		return list, nil
	}
	list.Resources = make([]wire.ResourceInstance, 0, len(found.Secrets))
	for _, sec := range found.Secrets {
		list.Resources = append(list.Resources, wire.NewResourceInstance(sec))
	}
	return list, nil
}
