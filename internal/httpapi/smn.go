package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/smn"
	"coffer/internal/wire"
)

// The SMN API on topics (neighbours.md 2.4). A topic is addressed by its URN in the
// path, or, where it is a resource with tags, by an id or a name. Errors have an
// envelope and codes of their own.

// topicBinder is a binder that knows the topic of its request, as far as it was read.
type topicBinder[Q any] interface {
	binder[Q]
	topic() smn.Ref
}

// smnEndpoint is endpoint for the operations of the SMN API.
func smnEndpoint[Q any, P topicBinder[Q], A any](op func(*API, context.Context, *iam.Caller, *Q) (A, error)) handler {
	return func(a *API, x *exchange) error {
		if err := a.authenticate(x); err != nil {
			return smnError(err)
		}
		var q Q
		if err := P(&q).bind(x); err != nil {
			if denied := a.SMN.Authorize(x.ctx, &x.who, x.route.Op, P(&q).topic()); denied != nil {
				return smnError(denied)
			}
			return smnError(err)
		}
		answer, err := op(a, x.ctx, &x.who, &q)
		if err != nil {
			return smnError(err)
		}
		if c, ok := any(answer).(createdTopic); ok && c.created {
			return x.replyWith(http.StatusCreated, c.TopicURN)
		} else if ok {
			return x.reply(c.TopicURN)
		}
		return x.reply(answer)
	}
}

// smnError gives an error the code that it has in the SMN API. What the gateway
// answers stays, as does the end of the time of a request.
func smnError(err error) error {
	e := (*csms.Error)(nil)
	switch {
	case !errors.As(err, &e) && errors.Is(err, context.DeadlineExceeded):
		return err
	case e == nil, e.Code == csms.CodeInternal:
		return &csms.Error{Code: csms.CodeSMNInternal, Msg: "Internal error.", Err: err}
	case e.Code == csms.CodeForbidden:
		return &csms.Error{Code: csms.CodeSMNForbidden, Msg: e.Msg, Err: e.Err}
	case strings.HasPrefix(string(e.Code), "CSMS."):
		return &csms.Error{Code: csms.CodeSMNInvalid, Msg: e.Msg, Err: e.Err}
	default:
		return err
	}
}

func requested(ctx context.Context) wire.Requested { return wire.Requested{RequestID: RequestID(ctx)} }

// topicPath is the request of operations whose path names the topic.
type topicPath struct{ ref smn.Ref }

func (q *topicPath) topic() smn.Ref { return q.ref }

func (q *topicPath) bind(x *exchange) error {
	q.ref.URN = x.r.PathValue("topic_urn")
	return nil
}

// noTopic is a request that addresses no topic.
type noTopic struct{}

func (noTopic) topic() smn.Ref { return smn.Ref{} }

type createTopicRequest struct {
	noTopic
	in smn.NewTopic
}

func (q *createTopicRequest) bind(x *exchange) error {
	var body wire.CreateTopicRequest
	err := x.decode(&body)
	q.in = smn.NewTopic(body)
	return err
}

// createdTopic is the answer of CreateTopic: 201, or 200 for a topic that was there.
type createdTopic struct {
	wire.TopicURN
	created bool
}

func (a *API) createTopic(ctx context.Context, who *iam.Caller, q *createTopicRequest) (createdTopic, error) {
	urn, created, err := a.SMN.CreateTopic(ctx, who, q.in)
	return createdTopic{wire.TopicURN{RequestID: RequestID(ctx), TopicURN: urn}, created}, err
}

func (a *API) listTopicDetails(ctx context.Context, who *iam.Caller, q *topicPath) (wire.TopicDetails, error) {
	t, err := a.SMN.ListTopicDetails(ctx, who, q.ref)
	return wire.TopicDetails{RequestID: RequestID(ctx), Topic: topicShape(t)}, err
}

func topicShape(t smn.Topic) wire.Topic {
	return wire.Topic{
		TopicURN: t.URN, Name: t.Name, DisplayName: t.DisplayName, EnterpriseProjectID: t.EnterpriseProjectID,
		TopicID: t.ID, CreateTime: wire.UTC(t.CreateTime), UpdateTime: wire.UTC(t.UpdateTime),
	}
}

type listTopicsRequest struct {
	noTopic
	listing smn.Listing
}

func (q *listTopicsRequest) bind(x *exchange) error {
	query, err := x.query()
	q.listing = smn.Listing{
		Offset: count(query, "offset", 0), Limit: count(query, "limit", smn.MaxPage),
		Name: query.Get("name"), NamePrefix: query.Get("fuzzy_name"), DisplayNamePart: query.Get("fuzzy_display_name"),
		ID: query.Get("topic_id"), EnterpriseProjectID: query.Get("enterprise_project_id"),
	}
	return err
}

// count reads a parameter of up to nine digits: other if there is none, and -1 for
// what is no such number.
func count(q url.Values, name string, other int) int {
	if !q.Has(name) {
		return other
	}
	text := q.Get(name)
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || len(text) > 9 {
		return -1
	}
	return int(n)
}

func (a *API) listTopics(ctx context.Context, who *iam.Caller, q *listTopicsRequest) (wire.TopicList, error) {
	page, err := a.SMN.ListTopics(ctx, who, q.listing)
	list := wire.TopicList{RequestID: RequestID(ctx), TopicCount: page.Total, Topics: []wire.Topic{}}
	for _, t := range page.Topics {
		list.Topics = append(list.Topics, topicShape(t))
	}
	return list, err
}

type updateTopicRequest struct {
	topicPath
	displayName string
}

func (q *updateTopicRequest) bind(x *exchange) error {
	var body wire.UpdateTopicRequest
	err := errors.Join(q.topicPath.bind(x), x.decode(&body))
	q.displayName = body.DisplayName
	return err
}

func (a *API) updateTopic(ctx context.Context, who *iam.Caller, q *updateTopicRequest) (wire.Requested, error) {
	return requested(ctx), a.SMN.UpdateTopic(ctx, who, q.ref, q.displayName)
}

func (a *API) deleteTopic(ctx context.Context, who *iam.Caller, q *topicPath) (wire.Requested, error) {
	return requested(ctx), a.SMN.DeleteTopic(ctx, who, q.ref)
}

type publishMessageRequest struct {
	topicPath
	publication csms.Publication
}

func (q *publishMessageRequest) bind(x *exchange) error {
	var body wire.PublishMessageRequest
	err := errors.Join(q.topicPath.bind(x), x.decode(&body))
	q.publication = csms.Publication{
		Subject: body.Subject, Message: body.Message, MessageStructure: body.MessageStructure,
		TemplateName: body.MessageTemplateName, TimeToLive: string(body.TimeToLive),
	}
	for _, m := range body.MessageAttributes {
		q.publication.Attributes = append(q.publication.Attributes, csms.MessageAttribute{Name: m.Name, Type: m.Type, Values: m.Value})
	}
	return err
}

func (a *API) publishMessage(ctx context.Context, who *iam.Caller, q *publishMessageRequest) (wire.PublishedMessage, error) {
	id, err := a.SMN.PublishMessage(ctx, who, q.ref, q.publication)
	return wire.PublishedMessage{RequestID: RequestID(ctx), MessageID: id}, err
}
