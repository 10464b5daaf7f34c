package smn

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Topic is a topic as its owner sees it.
type Topic struct {
	URN         string
	ID          string
	Name        string
	DisplayName string
	CreateTime  csms.Millis
	UpdateTime  csms.Millis

	EnterpriseProjectID string
}

func (s *Service) describe(t *store.Topic) Topic {
	return Topic{
		URN: s.urn(t.ProjectID, t.Name).String(), ID: t.ID, Name: t.Name, DisplayName: t.DisplayName,
		CreateTime: t.CreateTime, UpdateTime: t.UpdateTime, EnterpriseProjectID: t.InEnterpriseProject(),
	}
}

// NewTopic is the input of CreateTopic.
type NewTopic struct {
	Name                string
	DisplayName         string
	EnterpriseProjectID string // of an enabled one; "" for the default one
}

// CreateTopic makes a topic and returns its URN. A topic of that name that is there
// already stays as it is; created says which. One that was deleted comes back without
// its former attributes and tags.
func (s *Service) CreateTopic(ctx context.Context, who *iam.Caller, in NewTopic) (urn string, created bool, err error) {
	now := s.o.Now()
	r := s.request(who, iam.CreateTopic, s.nameOf(who.ProjectID, Ref{Name: in.Name}))
	r.EnterpriseProjectID = iam.Known(cmp.Or(in.EnterpriseProjectID, csms.DefaultEnterpriseProject))
	if err := forbidden(who.Authorize(&r)); err != nil {
		return "", false, err
	}
	if err := in.validate(); err != nil {
		return "", false, err
	}
	if err := s.checkEnterpriseProject(ctx, who.DomainID, in.EnterpriseProjectID); err != nil {
		return "", false, err
	}
	base, err := s.newTopic(ctx, who.ProjectID, in.Name)
	if err != nil {
		return "", false, err
	}
	err = s.o.Store.Update(ctx, func(tx *store.Tx) error {
		t := store.Topic{
			ProjectID: who.ProjectID, Name: in.Name, ID: base.ID, DisplayName: in.DisplayName, CreateTime: now, UpdateTime: now,
			EnterpriseProjectID: in.EnterpriseProjectID,
		}
		old, err := tx.Topic(who.ProjectID, in.Name)
		if created = errors.Is(err, store.ErrNotFound) || err == nil && old.Deleted; !created {
			return err
		}
		if old != nil {
			t.ID, t.LastMessage = old.ID, old.LastMessage
		}
		return tx.PutTopic(&t)
	})
	return s.urn(who.ProjectID, in.Name).String(), created, err
}

// newTopic returns the topic that the configuration names, or one with a new id if the
// project has room for it.
func (s *Service) newTopic(ctx context.Context, project, name string) (*store.Topic, error) {
	t, err := s.topic(ctx, project, name)
	if !errors.Is(err, store.ErrNotFound) {
		return t, err
	}
	topics, err := s.topics(ctx, project)
	if err != nil {
		return nil, err
	}
	if n := len(topics); n >= csms.MaxTopics {
		return nil, csms.Errorf(csms.CodeSMNInvalid, "The project holds %d topics; its quota is %d.", n, csms.MaxTopics)
	}
	return &store.Topic{ID: s.o.NewID()}, nil
}

func (in *NewTopic) validate() error {
	if err := csms.CheckTopicName(in.Name); err != nil {
		return err
	}
	return csms.CheckDisplayName(in.DisplayName)
}

// checkEnterpriseProject reports an enterprise project that a new topic cannot be in.
func (s *Service) checkEnterpriseProject(ctx context.Context, domain, id string) error {
	why, err := store.Closed(id, s.o.Store.EnterpriseProjectsOf(ctx, domain))
	if err == nil && why != "" {
		return csms.Errorf(csms.CodeSMNInvalid, "%s", why)
	}
	return err
}

// ListTopicDetails returns one topic.
func (s *Service) ListTopicDetails(ctx context.Context, who *iam.Caller, ref Ref) (Topic, error) {
	t, err := s.get(ctx, who, iam.ListTopicDetails, ref, nil)
	if err != nil {
		return Topic{}, err
	}
	return s.describe(t), nil
}

// UpdateTopic changes the display name of a topic; "" takes it away.
func (s *Service) UpdateTopic(ctx context.Context, who *iam.Caller, ref Ref, displayName string) error {
	return s.change(ctx, who, iam.UpdateTopic, ref,
		func() error { return csms.CheckDisplayName(displayName) },
		func(t *store.Topic) error { t.DisplayName = displayName; return nil })
}

// DeleteTopic removes a topic. What was published to it and is not delivered yet is
// given up at its next try; events that name it make INVALID records, until it is created again. A
// topic that the configuration names leaves a record that says so.
func (s *Service) DeleteTopic(ctx context.Context, who *iam.Caller, ref Ref) error {
	seen, err := s.get(ctx, who, iam.DeleteTopic, ref, nil)
	if err != nil {
		return err
	}
	return s.o.Store.Update(ctx, func(tx *store.Tx) error {
		t, err := s.current(tx, seen)
		if err != nil {
			return err
		}
		if s.bound[s.urn(t.ProjectID, t.Name)] {
			return tx.PutTopic(&store.Topic{ProjectID: t.ProjectID, Name: t.Name, ID: t.ID, LastMessage: t.LastMessage, Deleted: true})
		}
		return tx.DeleteTopic(t)
	})
}

// Listing asks for a page of topics. An empty text filters nothing.
type Listing struct {
	Offset              int // how many topics to pass over
	Limit               int // 1 to MaxPage
	Name                string
	NamePrefix          string // fuzzy_name
	DisplayNamePart     string // fuzzy_display_name
	ID                  string // topic_id
	EnterpriseProjectID string
}

// MaxPage bounds a page of topics.
const MaxPage = 100

func (l *Listing) validate() error {
	if l.Offset < 0 || l.Limit < 1 || l.Limit > MaxPage {
		return csms.Errorf(csms.CodeSMNPage, "offset must be a number from 0, and limit one from 1 to %d.", MaxPage)
	}
	return nil
}

// allProjects is the word for no filter on an enterprise project.
const allProjects = "all_granted_eps"

func (l *Listing) matches(t *store.Topic) bool {
	project := cmp.Or(l.EnterpriseProjectID, allProjects)
	return (l.Name == "" || l.Name == t.Name) && (l.ID == "" || l.ID == t.ID) &&
		strings.HasPrefix(t.Name, l.NamePrefix) && strings.Contains(t.DisplayName, l.DisplayNamePart) &&
		(project == allProjects || project == t.InEnterpriseProject())
}

// Page is a page of topics.
type Page struct {
	Topics []Topic
	Total  int // of all pages
}

// ListTopics returns a page of the topics of the project, ascending by name.
func (s *Service) ListTopics(ctx context.Context, who *iam.Caller, l Listing) (Page, error) {
	var page Page
	r := s.request(who, iam.ListTopics, "")
	r.EnterpriseProjectID = iam.Value[string]{}
	filter, err := who.AuthorizeList(&r)
	if err != nil {
		return page, forbidden(err)
	}
	if err := l.validate(); err != nil {
		return page, err
	}
	topics, err := s.topics(ctx, who.ProjectID)
	if err != nil {
		return page, err
	}
	for _, t := range topics {
		if !l.matches(t) || !filter.Allows(t.InEnterpriseProject()) {
			continue
		}
		if page.Total >= l.Offset && len(page.Topics) < l.Limit {
			page.Topics = append(page.Topics, s.describe(t))
		}
		page.Total++
	}
	return page, nil
}

// topics returns every topic of a project, ascending by name: those with a record, and
// those that the configuration names.
func (s *Service) topics(ctx context.Context, project string) ([]*store.Topic, error) {
	var all []*store.Topic
	untouched := s.configured(project)
	err := s.o.Store.View(ctx, func(v *store.View) error {
		for t, err := range v.Topics(project) {
			if err != nil {
				return err
			}
			untouched = slices.DeleteFunc(untouched, func(name string) bool { return name == t.Name })
			if !t.Deleted {
				all = append(all, t)
			}
		}
		return nil
	})
	for _, name := range untouched {
		t, missing := s.untouched(ctx, project, name)
		if missing != nil {
			err = errors.Join(err, missing)
			continue
		}
		all = append(all, t)
	}
	if err != nil {
		return nil, fmt.Errorf("listing topics: %w", err)
	}
	slices.SortFunc(all, func(a, b *store.Topic) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
