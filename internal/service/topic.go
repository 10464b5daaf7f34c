package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"coffer/internal/csms"
	"coffer/internal/notify"
	"coffer/internal/store"
)

// deliver makes one attempt to deliver o, and returns how it ended.
func (s *Service) deliver(ctx context.Context, o *store.Outgoing) error {
	m := &notify.Message{
		ID: o.ID, Type: string(o.Type), Time: time.UnixMilli(int64(o.FireTime)), Region: s.region, ProjectID: o.ProjectID,
		SecretName: o.SecretName, TopicURN: o.Target.TargetID, Document: o.Document,
	}
	if o.Published {
		var p csms.Published
		if err := json.Unmarshal(o.Document, &p); err != nil {
			return notify.Failedf("reading a publication: %w", err)
		}
		m.Published = &notify.Published{Subject: p.Subject, Text: p.Text}
		if now := s.now(); now > o.Deadline {
			return notify.Failedf("the time_to_live of the message is over")
		}
	}
	if err := s.checkTopic(ctx, m.TopicURN); err != nil {
		return err
	}
	return s.topics.Deliver(ctx, m)
}

// checkTopic reports a topic that was deleted, whether a sink is bound to it or not
// (E3).
func (s *Service) checkTopic(ctx context.Context, text string) error {
	urn, isTopic := csms.ParseTopicURN(text)
	if !isTopic || urn.Region != s.region {
		return nil
	}
	topic, err := s.store.Topic(ctx, urn.ProjectID, urn.Name)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return nil
	case err != nil:
		return fmt.Errorf("reading topic: %w", err)
	case topic.Deleted:
		return notify.Invalidf("the topic %s was deleted", text)
	default:
		return nil
	}
}
