package smn

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// PublishMessage puts a message for the sink of a topic into the outbox and returns
// its id. It is delivered in the order of publication, at least once, and given up
// after its time_to_live. A topic without a sink is refused: nobody would hear it.
func (s *Service) PublishMessage(ctx context.Context, who *iam.Caller, ref Ref, p csms.Publication) (messageID string, err error) {
	now := s.o.Now()
	var text string
	var deadline csms.Millis
	seen, err := s.get(ctx, who, iam.PublishMessage, ref, func() (err error) {
		if text, err = p.Text(); err != nil {
			return err
		}
		deadline, err = p.Deadline(now)
		return err
	})
	if err != nil {
		return "", err
	}
	urn := s.urn(seen.ProjectID, seen.Name)
	if !s.bound[urn] {
		return "", csms.Errorf(csms.CodeSMNInvalid, "No sink is bound to the topic %s; the configuration of the server binds one.", urn)
	}
	messageID = s.o.NewID()
	document := csms.Published{
		Version: csms.MessageVersion, Type: csms.PublicationType, MessageID: messageID, TopicURN: urn.String(), Time: now,
		Region: s.o.Region, ProjectID: who.ProjectID, Subject: p.Subject, Text: text,
		RequestID: s.o.RequestID(ctx), Operator: who.UserName,
	}
	document.SetAttributes(p.Attributes)
	raw, err := document.JSON()
	if err != nil {
		return "", err
	}
	return messageID, s.o.Store.Update(ctx, func(tx *store.Tx) error {
		t, err := s.current(tx, seen)
		if err != nil {
			return err
		}
		t.LastMessage++
		o := &store.Outgoing{
			SecretID: t.ID, Number: t.LastMessage, ID: messageID, ProjectID: t.ProjectID, Type: csms.PublicationType,
			Document: raw, FireTime: now, Published: true, Deadline: deadline,
		}
		o.SetTarget(csms.Notification{TargetType: "SMN", TargetID: urn.String(), TargetName: t.Name})
		if err := tx.PutTopic(t); err != nil {
			return err
		}
		return tx.PutOutgoing(o)
	})
}
