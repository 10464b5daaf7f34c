package service

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"coffer/internal/csms"
	"coffer/internal/notify"
	"coffer/internal/store"
)

// Bounds of one run of DeliverMessages.
const (
	headsPerLook = 256 // secrets taken in one look at the outbox
	couriers     = 8   // secrets whose messages are on their way at the same time
)

// DeliverMessages delivers what is in the outbox and due, and returns how many
// deliveries ended, whichever way. The messages about one secret go one after the
// other, in the order of what they tell of: a later one waits for the earlier one to
// have ended. Each is delivered at least once: how an attempt ended is written down
// after it, so a crash in between makes the same message, with the same id, come
// again. One run at a time delivers; a second one waits for its turn.
func (s *Service) DeliverMessages(ctx context.Context) (done int, err error) {
	select {
	case s.delivering <- struct{}{}:
		defer func() { <-s.delivering }()
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	for {
		heads, err := s.dueHeads(ctx)
		if err != nil {
			return done, internalf(err, "reading the outbox")
		}
		ended, err := s.deliverHeads(ctx, heads)
		done += ended
		if err != nil || len(heads) == 0 {
			return done, err
		}
	}
}

// dueHeads returns the first message about each of some secrets, where it is due.
func (s *Service) dueHeads(ctx context.Context) (heads []*store.Outgoing, err error) {
	now := s.now()
	err = s.store.View(ctx, func(v *store.View) error {
		for head, err := range v.Heads() {
			if err != nil {
				return err
			}
			if head.NextTry > now {
				continue
			}
			if heads = append(heads, head); len(heads) == headsPerLook {
				break
			}
		}
		return nil
	})
	return heads, err
}

// deliverHeads has the messages about several secrets delivered side by side.
func (s *Service) deliverHeads(ctx context.Context, heads []*store.Outgoing) (done int, err error) {
	var mu sync.Mutex
	var failed []error
	var all sync.WaitGroup
	queue := make(chan *store.Outgoing)
	for range min(couriers, len(heads)) {
		all.Go(func() {
			for head := range queue {
				n, err := s.deliverAbout(ctx, head)
				mu.Lock()
				done += n
				failed = append(failed, err)
				mu.Unlock()
			}
		})
	}
	for _, head := range heads {
		queue <- head
	}
	close(queue)
	all.Wait()
	return done, errors.Join(failed...)
}

// deliverAbout delivers head and what waits behind it, up to the first message that
// is not due.
func (s *Service) deliverAbout(ctx context.Context, head *store.Outgoing) (done int, err error) {
	for head != nil && head.NextTry <= s.now() {
		ended, err := s.deliverOne(ctx, head)
		if err != nil {
			return done, err
		}
		if !ended {
			return done, nil
		}
		done++
		if head, err = s.head(ctx, head.SecretID); err != nil {
			return done, internalf(err, "reading the outbox")
		}
	}
	return done, nil
}

func (s *Service) head(ctx context.Context, secretID string) (head *store.Outgoing, err error) {
	err = s.store.View(ctx, func(v *store.View) error {
		head, err = v.Head(secretID)
		return err
	})
	return head, err
}

// deliverOne makes one attempt and writes down how it ended. It reports whether the
// delivery has ended.
func (s *Service) deliverOne(ctx context.Context, o *store.Outgoing) (ended bool, err error) {
	outcome := s.deliver(ctx, o)
	if err := ctx.Err(); err != nil && outcome != nil {
		return false, err // the server stops: that says nothing about the target
	}
	now := s.now()
	status, next := verdict(o, notify.ClassOf(outcome), now)
	attrs := []any{
		slog.String("project_id", o.ProjectID), slog.String("event", o.EventName), slog.String("event_id", o.ID),
		slog.String("type", string(o.Type)), slog.String("topic_urn", o.Target.TargetID), slog.Int("attempt", o.Attempts+1),
	}
	switch {
	case status == "":
		s.log.InfoContext(ctx, "notification not delivered; it is tried again", append(attrs, slog.Any("error", outcome))...)
	case outcome != nil:
		s.log.WarnContext(ctx, "notification given up", append(attrs, slog.String("status", string(status)), slog.Any("error", outcome))...)
	}
	if err := s.settle(ctx, o, status, next, now); err != nil {
		return false, internalf(err, "writing down how the delivery of message %s ended", o.ID)
	}
	return status != "", nil
}

// verdict returns how a delivery has ended, or when it is to be tried again.
func verdict(o *store.Outgoing, class notify.Class, now csms.Millis) (status csms.DeliveryStatus, next csms.Millis) {
	switch class {
	case notify.Delivered:
		return csms.DeliverySuccess, 0
	case notify.Invalid:
		return csms.DeliveryInvalid, 0
	case notify.Failed:
		return csms.DeliveryFail, 0
	case notify.Retry:
	}
	next, again := csms.NextTry(o.FireTime, o.Attempts+1, now)
	if !again || o.Published && next > o.Deadline {
		return csms.DeliveryFail, 0
	}
	return "", next
}

// settle replaces a message whose delivery has ended by its record, or notes when it
// is tried again. What another runner has settled meanwhile stays as it is.
func (s *Service) settle(ctx context.Context, seen *store.Outgoing, status csms.DeliveryStatus, next, now csms.Millis) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		o, err := tx.Outgoing(seen.SecretID, seen.Number)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if status == "" {
			o.Attempts, o.NextTry = o.Attempts+1, max(o.NextTry, next)
			return tx.PutOutgoing(o)
		}
		if err := tx.DeleteOutgoing(o); err != nil {
			return err
		}
		if o.Published {
			return nil // the records are of events
		}
		return tx.PutNotification(o.Record(status, now))
	})
}
