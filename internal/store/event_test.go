package store

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
)

func newEvent(name string) *csms.Event {
	return &csms.Event{
		ID: "e-" + name, DomainID: "d1", ProjectID: "p1", Name: name, Types: []csms.EventType{csms.SecretDeleted, csms.VersionCreated},
		State: csms.Enabled, Notification: csms.Notification{TargetType: "SMN", TargetID: "urn", TargetName: "t"}, CreateTime: 1, UpdateTime: 2,
	}
}

func TestEventsLiveAndAreListedByName(t *testing.T) {
	s, _ := open(t, Options{})
	update(t, s, func(tx *Tx) error {
		other := newEvent("a")
		other.ProjectID = "p2"
		return errors.Join(tx.PutEvent(newEvent("b")), tx.PutEvent(newEvent("a")), tx.PutEvent(newEvent("c")), tx.PutEvent(other))
	})
	for range 2 { // from the engine, then from the cache
		if got, err := s.Event(t.Context(), "p1", "b"); err != nil || cmp.Diff(newEvent("b"), got) != "" {
			t.Errorf("Event: %+v, %v", got, err)
		}
	}
	update(t, s, func(tx *Tx) error { return tx.DeleteEvent(newEvent("b")) })
	if _, err := s.Event(t.Context(), "p1", "b"); csms.CodeOf(err) != csms.CodeNotFound {
		t.Errorf("Event after deletion: %v", err)
	}
	if err := s.Update(t.Context(), func(tx *Tx) error { return tx.DeleteEvent(newEvent("b")) }); csms.CodeOf(err) != csms.CodeNotFound {
		t.Errorf("second deletion: %v", err)
	}
	var names []string
	view(t, s, func(v *View) error {
		for e, err := range v.Events("p1", "a") {
			if err != nil {
				return err
			}
			names = append(names, e.Name)
		}
		return nil
	})
	if diff := cmp.Diff([]string{"c"}, names); diff != "" {
		t.Errorf("events after the marker (-want +got):\n%s", diff)
	}
}

// E4, E5: whoever subscribes has seen the event, whoever deletes it has seen that
// nobody subscribes; so both together cannot happen, however they race.
func TestSubscriptionAndDeletionOfAnEventExcludeEachOther(t *testing.T) {
	s, _ := open(t, Options{})
	outcomes := map[string]int{}
	for i := range 300 {
		sec := newSecret(fmt.Sprint("id", i), fmt.Sprint("s", i))
		update(t, s, func(tx *Tx) error { return errors.Join(tx.PutEvent(newEvent("e")), putNew(tx, sec)) })
		var both sync.WaitGroup
		var subscribed, deleted error
		both.Go(func() {
			subscribed = s.Update(t.Context(), func(tx *Tx) error {
				if _, err := tx.Event("p1", "e"); err != nil {
					return err
				}
				loaded, err := tx.Secret("p1", sec.Name)
				if err != nil {
					return err
				}
				loaded.EventSubscriptions = []string{"e"}
				return tx.PutSecret(loaded)
			})
		})
		both.Go(func() {
			deleted = s.Update(t.Context(), func(tx *Tx) error {
				if n, err := tx.Subscribers("p1", "e"); err != nil || n > 0 {
					return errors.Join(err, csms.E(csms.CodeInvalid))
				}
				return tx.DeleteEvent(newEvent("e"))
			})
		})
		both.Wait()
		if (subscribed == nil) == (deleted == nil) {
			t.Fatalf("round %d: subscription %v, deletion %v", i, subscribed, deleted)
		}
		outcomes[fmt.Sprint(subscribed == nil)]++
		update(t, s, func(tx *Tx) error { return tx.DeleteSecret(sec) })
	}
	if lines := findings(t, s); lines != nil {
		t.Errorf("findings: %q", lines)
	}
	t.Logf("subscribed: %v", outcomes)
}

func TestHeadsAreTheFirstMessagesOfEachSecret(t *testing.T) {
	s, db := open(t, Options{})
	empty := contents(t, db)
	message := func(secret string, n int) *Outgoing {
		return &Outgoing{SecretID: secret, Number: n, ID: fmt.Sprint(secret, n), ProjectID: "p1", Document: Document("{}")}
	}
	all := []*Outgoing{message("b", 256), message("b", 3), message("a", 2), message("a", 1), message("ab", 9)}
	update(t, s, func(tx *Tx) error {
		for _, o := range all {
			if err := tx.PutOutgoing(o); err != nil {
				return err
			}
		}
		return nil
	})
	heads := func() (ids []string) {
		view(t, s, func(v *View) error {
			for o, err := range v.Heads() {
				if err != nil {
					return err
				}
				head, err := v.Head(o.SecretID)
				if err != nil || head.ID != o.ID {
					t.Errorf("Head(%s) = %+v, %v", o.SecretID, head, err)
				}
				ids = append(ids, o.ID)
			}
			return nil
		})
		return ids
	}
	if diff := cmp.Diff([]string{"a1", "ab9", "b3"}, heads()); diff != "" {
		t.Errorf("heads (-want +got):\n%s", diff)
	}
	update(t, s, func(tx *Tx) error { return errors.Join(tx.DeleteOutgoing(all[3]), tx.DeleteOutgoing(all[1])) })
	if diff := cmp.Diff([]string{"a2", "ab9", "b256"}, heads()); diff != "" {
		t.Errorf("heads after two deliveries (-want +got):\n%s", diff)
	}
	update(t, s, func(tx *Tx) error {
		return errors.Join(tx.DeleteOutgoing(all[0]), tx.DeleteOutgoing(all[2]), tx.DeleteOutgoing(all[4]))
	})
	if diff := cmp.Diff(empty, contents(t, db)); heads() != nil || diff != "" {
		t.Errorf("deliveries left something behind (-before +after):\n%s", diff)
	}
}

// E10: newest first; a place is an exclusive marker, whether or not a record is there.
func TestNotificationsAreNewestFirst(t *testing.T) {
	s, db := open(t, Options{})
	empty := contents(t, db)
	record := func(at csms.Millis, n int) *NotificationRecord {
		return &NotificationRecord{NotificationPlace: NotificationPlace{at, n}, ProjectID: "p1", MessageID: fmt.Sprint("m", at, n), Status: csms.DeliverySuccess}
	}
	all := []*NotificationRecord{record(100, 1), record(300, 1), record(200, 2), record(200, 1)}
	foreign := record(50, 1)
	foreign.ProjectID = "p2"
	update(t, s, func(tx *Tx) error {
		for _, n := range append(all, foreign) {
			if err := tx.PutNotification(n); err != nil {
				return err
			}
		}
		return nil
	})
	list := func(at NotificationPlace, id string) (ids []string) {
		view(t, s, func(v *View) error {
			for n, err := range v.Notifications("p1", at, id) {
				if err != nil {
					return err
				}
				ids = append(ids, n.MessageID)
			}
			return nil
		})
		return ids
	}
	if diff := cmp.Diff([]string{"m300 1", "m200 2", "m200 1", "m100 1"}, list(NotificationPlace{}, "")); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"m200 1", "m100 1"}, list(NotificationPlace{200, 2}, "m200 2")); diff != "" {
		t.Errorf("records after a marker (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"m100 1"}, list(NotificationPlace{150, 7}, "gone")); diff != "" {
		t.Errorf("records after a marker of nothing (-want +got):\n%s", diff)
	}
	for _, d := range due(t, s, math.MaxInt64) {
		if d.Kind != DueRecordExpiry || d.At != csms.RecordExpiry(d.Notification.CreateTime) {
			t.Errorf("due row %+v", d)
		}
		update(t, s, func(tx *Tx) error {
			n, err := tx.Notification(d.Project, d.Notification, d.MessageID)
			if err != nil {
				return err
			}
			return tx.DeleteNotification(n)
		})
	}
	if diff := cmp.Diff(empty, contents(t, db)); diff != "" {
		t.Errorf("expiry left something behind (-before +after):\n%s", diff)
	}
}
