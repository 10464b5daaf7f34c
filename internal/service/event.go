package service

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// NewEvent is the input of CreateSecretEvent.
type NewEvent struct {
	Name         string
	Types        []csms.EventType
	State        csms.State
	Notification csms.Notification
}

// CreateSecretEvent creates an event, whose target is not verified (E3, E6).
func (s *Service) CreateSecretEvent(ctx context.Context, who *iam.Caller, in NewEvent) (*csms.Event, error) {
	now := s.now()
	if err := s.Authorize(ctx, who, iam.CreateSecretEvent, ""); err != nil {
		return nil, err
	}
	e := &csms.Event{
		ID: s.newID(), DomainID: who.DomainID, ProjectID: who.ProjectID, Name: in.Name,
		Types: in.Types, State: in.State, Notification: in.Notification, CreateTime: now, UpdateTime: now,
	}
	if err := e.Validate(); err != nil {
		return nil, err
	}
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		switch _, err := tx.Event(e.ProjectID, e.Name); {
		case err == nil:
			return csms.Invalidf("The event name %s is already in use in this project.", e.Name)
		case csms.CodeOf(err) != csms.CodeNotFound:
			return err
		}
		return tx.PutEvent(e)
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// ShowSecretEvent returns an event.
func (s *Service) ShowSecretEvent(ctx context.Context, who *iam.Caller, name string) (*csms.Event, error) {
	if err := s.authorizeEvent(ctx, who, iam.ShowSecretEvent, name); err != nil {
		return nil, err
	}
	return s.store.Event(ctx, who.ProjectID, name)
}

// authorizeEvent asks for the right to op and then checks the name in the path.
func (s *Service) authorizeEvent(ctx context.Context, who *iam.Caller, op iam.Op, name string) error {
	if err := s.Authorize(ctx, who, op, ""); err != nil {
		return err
	}
	return csms.CheckEventName("event_name", name)
}

// EventListing asks for a page of events.
type EventListing struct {
	Limit  int
	Marker string // exclusive: the last name of the previous page; "" for the first (P8)
}

func (l EventListing) validate() error {
	if err := CheckLimit(l.Limit); err != nil {
		return err
	}
	if l.Marker == "" {
		return nil
	}
	return csms.CheckEventName("marker", l.Marker)
}

// ListSecretEvents returns a page of the project's events, ascending by name (P8).
func (s *Service) ListSecretEvents(ctx context.Context, who *iam.Caller, l EventListing) (Page[*csms.Event], error) {
	page := Page[*csms.Event]{}
	if err := s.Authorize(ctx, who, iam.ListSecretEvents, ""); err != nil {
		return page, err
	}
	if err := l.validate(); err != nil {
		return page, err
	}
	err := s.store.View(ctx, func(v *store.View) error {
		return page.take(v.Events(who.ProjectID, l.Marker), l.Limit)
	})
	return page, err
}

// UpdateSecretEvent changes an event (E6). Messages that are on their way already keep
// the target they were fired for.
func (s *Service) UpdateSecretEvent(ctx context.Context, who *iam.Caller, name string, p csms.EventPatch) (*csms.Event, error) {
	now := s.now()
	if err := s.authorizeEvent(ctx, who, iam.UpdateSecretEvent, name); err != nil {
		return nil, err
	}
	if err := p.Validate(); err != nil {
		return nil, err
	}
	var e *csms.Event
	err := s.store.Update(ctx, func(tx *store.Tx) (err error) {
		if e, err = tx.Event(who.ProjectID, name); err != nil {
			return err
		}
		e.Update(p, now)
		return tx.PutEvent(e)
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// DeleteSecretEvent deletes an event that no secret subscribes to (E5). Whoever
// subscribes reads the event in his transaction, and this one reads how many
// subscribe, so of two that race one runs again and sees what the other did.
func (s *Service) DeleteSecretEvent(ctx context.Context, who *iam.Caller, name string) error {
	now := s.now()
	if err := s.authorizeEvent(ctx, who, iam.DeleteSecretEvent, name); err != nil {
		return err
	}
	if err := s.sweepSubscribers(ctx, who.ProjectID, name, now); err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		e, err := tx.Event(who.ProjectID, name)
		if err != nil {
			return err
		}
		n, err := tx.Subscribers(who.ProjectID, name)
		if err != nil {
			return err
		}
		if err := e.CheckDeletable(n); err != nil {
			return err
		}
		return tx.DeleteEvent(e)
	})
}

// sweepSubscribers destroys the subscribers that are due to be gone and were not
// swept yet: for every operation they are gone (DEL7).
func (s *Service) sweepSubscribers(ctx context.Context, project, event string, now csms.Millis) error {
	var gone []store.Due
	err := s.store.View(ctx, func(v *store.View) error {
		for sec, err := range v.SecretsByEvent(project, event, "") {
			if err != nil {
				return err
			}
			if sec.Gone(now) {
				gone = append(gone, store.Due{Project: project, Name: sec.Name, SecretID: sec.ID})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, row := range gone {
		if _, err := s.purge(ctx, row, now); err != nil {
			return err
		}
	}
	return nil
}

// checkSubscriptions reports a subscription to an event that does not exist as
// CSMS.0005 with status 400 (E4, Q21). lookUp is that of the transaction, whose
// outcome then depends on the event, or of the store for an early answer.
func checkSubscriptions(names []string, lookUp func(name string) (*csms.Event, error)) error {
	for _, name := range names {
		switch _, err := lookUp(name); {
		case csms.CodeOf(err) == csms.CodeNotFound:
			return csms.Errorf(csms.CodeUnknownEvent, "The event %s does not exist.", name)
		case err != nil:
			return err
		}
	}
	return nil
}
