package service

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// happening is what a message tells beside the secret it is about.
type happening struct {
	kind      csms.EventType
	versionID string // "" where it is about no version
	detail    string // in words, without anything of the value
	origin    origin
}

// origin is on whose behalf something happens; empty for what the server does by
// itself.
type origin struct{ operator, requestID string }

func (s *Service) originOf(ctx context.Context, who *iam.Caller) origin {
	operator := who.UserName
	if who.TaskID != "" {
		operator = who.PrincipalID
	}
	return origin{operator: operator, requestID: s.requestID(ctx)}
}

// fire puts a message about sec into the outbox, if sec subscribes to an event that
// tells of it (E2). The message commits with the change or not at all (law 4). sec
// has changed when fire returns: its caller puts it afterwards, or deletes it.
func (s *Service) fire(tx *store.Tx, sec *csms.Secret, h happening, now csms.Millis) error {
	for _, name := range sec.EventSubscriptions {
		e, err := tx.Event(sec.ProjectID, name)
		if err != nil {
			return internalf(err, "reading the event that secret %s subscribes to", sec.ID)
		}
		if !e.Fires(h.kind) {
			continue
		}
		if err := s.post(tx, sec, e, h, now); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) post(tx *store.Tx, sec *csms.Secret, e *csms.Event, h happening, now csms.Millis) error {
	number, id := sec.NextMessage(now)
	m := csms.Message{
		Version: csms.MessageVersion, EventID: id, EventName: e.Name, EventType: h.kind, Time: now,
		Region: s.region, DomainID: sec.DomainID, ProjectID: sec.ProjectID,
		SecretID: sec.ID, SecretName: sec.Name, SecretType: sec.Type,
		VersionID: h.versionID, RequestID: h.origin.requestID, Operator: h.origin.operator, Detail: h.detail,
	}
	document, err := m.JSON()
	if err != nil {
		return err
	}
	o := &store.Outgoing{
		SecretID: sec.ID, Number: number, ID: id, ProjectID: sec.ProjectID, EventName: e.Name, Type: h.kind,
		SecretName: sec.Name, SecretType: sec.Type, Document: document, FireTime: now,
	}
	o.SetTarget(e.Notification)
	return tx.PutOutgoing(o)
}

// erase destroys sec for good and tells of it (DEL8).
func (s *Service) erase(tx *store.Tx, sec *csms.Secret, o origin, detail string, now csms.Millis) error {
	if err := s.fire(tx, sec, happening{kind: csms.SecretDeleted, detail: detail, origin: o}, now); err != nil {
		return err
	}
	return tx.DeleteSecret(sec)
}

// Details of messages.
const (
	detailCreated   = "secret created"
	detailAdded     = "version created"
	detailExpired   = "expire_time reached"
	detailDeleted   = "deleted at once"
	detailScheduled = "scheduled deletion carried out"
	detailRotated   = "secret rotated"
)
