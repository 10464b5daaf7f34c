// Package smn holds the operations of the SMN API on topics: authorize, apply the
// rule, commit. Subscriptions are none of them: what is published to a topic goes to
// the sink that the configuration binds to its URN.
//
// The rules that keep it honest are those of package service, and one more: a topic
// is there if it was created or the configuration binds a sink to it, and it was not
// deleted since. Whoever asks for one asks topic, and nobody looks at a record alone.
package smn

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Options are the parts of a Service.
type Options struct {
	Store     *store.Store
	Now       func() csms.Millis               // business time
	NewID     func() string                    // UUIDs
	Region    string                           // region part of resource names and URNs
	Bound     []string                         // target ids that sinks are bound to; those that are no URN of a topic are none
	RequestID func(ctx context.Context) string // of the request under way; nil for none
}

// Service performs operations. It is safe for concurrent use.
type Service struct {
	o     Options
	bound map[csms.TopicURN]bool
}

// New returns a Service over o.
func New(o Options) *Service {
	if o.RequestID == nil {
		o.RequestID = func(context.Context) string { return "" }
	}
	s := &Service{o: o, bound: map[csms.TopicURN]bool{}}
	for _, text := range o.Bound {
		if urn, ok := csms.ParseTopicURN(text); ok {
			s.bound[urn] = true
		}
	}
	return s
}

// Ref addresses a topic of the project of the caller, by the first of its members that
// is not empty. The zero Ref stands for all topics.
type Ref struct{ URN, Name, ID string }

// Authorize reports whether who may perform op on a topic. The edge asks it before it
// reports a syntax error (S7).
func (s *Service) Authorize(ctx context.Context, who *iam.Caller, op iam.Op, ref Ref) error {
	_, err := s.authorize(ctx, who, op, ref)
	return err
}

// target is the topic an operation addresses, or the reason why there is none. The
// reason is told only after the request has been found valid.
type target struct {
	topic   *store.Topic // shared and immutable
	missing error
}

// authorize decides op with the attributes of the addressed topic.
func (s *Service) authorize(ctx context.Context, who *iam.Caller, op iam.Op, ref Ref) (target, error) {
	t, err := s.lookUp(ctx, who.ProjectID, ref)
	if err != nil {
		return t, err
	}
	name := s.nameOf(who.ProjectID, ref)
	if t.topic != nil {
		name = t.topic.Name
	}
	r := s.request(who, op, name)
	if t.topic != nil {
		r.EnterpriseProjectID = iam.Known(t.topic.InEnterpriseProject())
		for _, tag := range t.topic.Tags {
			r.ResourceTags = append(r.ResourceTags, iam.Tag{Key: tag.Key, Value: tag.Value})
		}
	}
	return t, forbidden(who.Authorize(&r))
}

// everyTopic stands for the name of a topic in a request that names none. No topic is
// called so, and only a right over all topics covers it.
const everyTopic = "*"

// request describes op on a topic, or on every topic for an empty name. It is about the
// default enterprise project until the topic is known.
func (s *Service) request(who *iam.Caller, op iam.Op, name string) iam.Request {
	r := iam.Request{Op: op, Region: s.o.Region, Domain: who.DomainID, Project: who.ProjectID, Resource: cmp.Or(name, everyTopic)}
	r.EnterpriseProjectID = iam.Known(csms.DefaultEnterpriseProject)
	return r
}

// nameOf returns the name that ref says, "" if it says none of this project.
func (s *Service) nameOf(project string, ref Ref) string {
	name := ref.Name
	if ref.URN != "" {
		urn, ok := csms.ParseTopicURN(ref.URN)
		if !ok || urn.Region != s.o.Region || urn.ProjectID != project {
			return ""
		}
		name = urn.Name
	}
	if !csms.IsTopicName(name) {
		return ""
	}
	return name
}

func (s *Service) lookUp(ctx context.Context, project string, ref Ref) (target, error) {
	if ref == (Ref{}) {
		return target{}, nil
	}
	topic, err := s.find(ctx, project, ref)
	if errors.Is(err, store.ErrNotFound) {
		return target{missing: notFound()}, nil
	}
	if err != nil {
		return target{}, fmt.Errorf("reading topic: %w", err)
	}
	return target{topic: topic}, nil
}

// find returns the topic of ref, or store.ErrNotFound.
func (s *Service) find(ctx context.Context, project string, ref Ref) (*store.Topic, error) {
	if name := s.nameOf(project, ref); name != "" || ref.ID == "" {
		return s.topic(ctx, project, name)
	}
	record, err := s.o.Store.TopicByID(ctx, ref.ID)
	if err == nil && (record.ProjectID != project || record.Deleted) {
		return nil, store.ErrNotFound
	}
	if !errors.Is(err, store.ErrNotFound) {
		return record, err
	}
	for _, name := range s.configured(project) {
		if t, err := s.topic(ctx, project, name); err != nil || t.ID == ref.ID {
			return t, err
		}
	}
	return nil, store.ErrNotFound
}

// topic returns the topic of that name, or store.ErrNotFound.
func (s *Service) topic(ctx context.Context, project, name string) (*store.Topic, error) {
	record, err := s.o.Store.Topic(ctx, project, name)
	switch {
	case errors.Is(err, store.ErrNotFound) && s.bound[s.urn(project, name)]:
		return s.untouched(ctx, project, name)
	case err != nil:
		return nil, err
	case record.Deleted:
		return nil, store.ErrNotFound
	default:
		return record, nil
	}
}

// untouched returns a topic that the configuration names and nobody has changed. It is
// as old as its project, and its id follows from its URN.
func (s *Service) untouched(ctx context.Context, project, name string) (*store.Topic, error) {
	p, err := s.o.Store.Project(ctx, project)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte("coffer topic\x00" + s.urn(project, name).String()))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // a UUID of version 8: ours to define
	h := hex.EncodeToString(sum[:16])
	id := h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
	return &store.Topic{ProjectID: project, Name: name, ID: id, CreateTime: p.CreateTime, UpdateTime: p.CreateTime}, nil
}

// configured returns the names of the topics of a project that sinks are bound to.
func (s *Service) configured(project string) []string {
	var names []string
	for urn := range s.bound {
		if urn.ProjectID == project && urn.Region == s.o.Region {
			names = append(names, urn.Name)
		}
	}
	slices.Sort(names)
	return names
}

func (s *Service) urn(project, name string) csms.TopicURN {
	return csms.TopicURN{Region: s.o.Region, ProjectID: project, Name: name}
}

// get authorizes op, runs check on the request, and returns the topic it addresses.
// Check may be nil.
func (s *Service) get(ctx context.Context, who *iam.Caller, op iam.Op, ref Ref, check func() error) (*store.Topic, error) {
	t, err := s.authorize(ctx, who, op, ref)
	if err != nil {
		return nil, err
	}
	if _, ok := csms.ParseTopicURN(ref.URN); ref.URN != "" && !ok {
		return nil, csms.Errorf(csms.CodeSMNURN, "topic_urn must be urn:smn:<region>:<project>:<name>.")
	}
	if check != nil {
		if err := check(); err != nil {
			return nil, err
		}
	}
	return t.topic, t.missing
}

// change is get, and then apply on the topic in a transaction, which writes it with now
// as its update_time. A topic that was untouched gets its record so.
func (s *Service) change(ctx context.Context, who *iam.Caller, op iam.Op, ref Ref, check func() error, apply func(*store.Topic) error) error {
	now := s.o.Now()
	seen, err := s.get(ctx, who, op, ref, check)
	if err != nil {
		return err
	}
	return s.o.Store.Update(ctx, func(tx *store.Tx) error {
		t, err := s.current(tx, seen)
		if err != nil {
			return err
		}
		if err := apply(t); err != nil {
			return err
		}
		t.UpdateTime = now
		return tx.PutTopic(t)
	})
}

// current returns what has become of a topic that was seen before the transaction.
func (s *Service) current(tx *store.Tx, seen *store.Topic) (*store.Topic, error) {
	t, err := tx.Topic(seen.ProjectID, seen.Name)
	switch {
	case errors.Is(err, store.ErrNotFound) && s.bound[s.urn(seen.ProjectID, seen.Name)]:
		fresh := *seen
		fresh.Tags = slices.Clone(seen.Tags)
		return &fresh, nil
	case errors.Is(err, store.ErrNotFound):
		return nil, notFound()
	case err != nil:
		return nil, err
	case t.Deleted:
		return nil, notFound()
	default:
		return t, nil
	}
}

func notFound() error { return csms.Errorf(csms.CodeSMNNotFound, "Topic not found.") }

// forbidden gives a refusal of iam the code that it has in the SMN API.
func forbidden(err error) error {
	if e := (*csms.Error)(nil); errors.As(err, &e) && e.Code == csms.CodeForbidden {
		return &csms.Error{Code: csms.CodeSMNForbidden, Msg: e.Msg, Err: e.Err}
	}
	return err
}
