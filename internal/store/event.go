package store

import (
	"context"
	"errors"
	"iter"

	"coffer/internal/csms"
)

// eventRecord is csms.Event as it stands on disk, kept apart like secretRecord.
type eventRecord struct {
	ID           string             `cbor:"1,keyasint"`
	DomainID     string             `cbor:"2,keyasint"`
	ProjectID    string             `cbor:"3,keyasint"`
	Name         string             `cbor:"4,keyasint"`
	Types        []csms.EventType   `cbor:"5,keyasint"`
	State        csms.State         `cbor:"6,keyasint"`
	Notification notificationTarget `cbor:"7,keyasint"`
	CreateTime   csms.Millis        `cbor:"8,keyasint"`
	UpdateTime   csms.Millis        `cbor:"9,keyasint"`
}

type notificationTarget struct {
	TargetType string `cbor:"1,keyasint"`
	TargetID   string `cbor:"2,keyasint"`
	TargetName string `cbor:"3,keyasint"`
}

func eventToRecord(e *csms.Event) *eventRecord {
	return &eventRecord{
		ID: e.ID, DomainID: e.DomainID, ProjectID: e.ProjectID, Name: e.Name, Types: e.Types, State: e.State,
		Notification: notificationTarget(e.Notification), CreateTime: e.CreateTime, UpdateTime: e.UpdateTime,
	}
}

func (r *eventRecord) event() *csms.Event {
	return &csms.Event{
		ID: r.ID, DomainID: r.DomainID, ProjectID: r.ProjectID, Name: r.Name, Types: r.Types, State: r.State,
		Notification: csms.Notification(r.Notification), CreateTime: r.CreateTime, UpdateTime: r.UpdateTime,
	}
}

// Event returns an event of a project, or CSMS.0005. It is shared and must not be
// changed.
func (s *Store) Event(ctx context.Context, project, name string) (*csms.Event, error) {
	var buf [keyBuffer]byte
	e, err := cached(ctx, s, nameKey(buf[:0], tableEvent, project, name), eventKind.decode)
	return e, eventError(err, name)
}

// Event returns an event of a project, or CSMS.0005.
func (t *Tx) Event(project, name string) (*csms.Event, error) {
	e, err := load(t, &eventKind, nameKey(nil, tableEvent, project, name))
	return e, eventError(err, name)
}

// PutEvent writes an event, new or changed.
func (t *Tx) PutEvent(e *csms.Event) error { return write(t, &eventKind, e) }

// DeleteEvent removes an event, or returns CSMS.0005. It does not look at the
// secrets that subscribe to it; see Subscribers.
func (t *Tx) DeleteEvent(e *csms.Event) error {
	return eventError(erase(t, &eventKind, eventKind.key(e)), e.Name)
}

// Subscribers returns the number of secrets that subscribe to an event, whatever
// their state.
func (t *Tx) Subscribers(project, event string) (int, error) {
	k := subscribersKey(project, event)
	if k == nil {
		return 0, nil
	}
	return t.count(k)
}

// Events yields the events of a project by name, from the first one after the marker.
func (v *View) Events(project, marker string) iter.Seq2[*csms.Event, error] {
	return records(v, &eventKind, after(start(nil, tableEvent).text(project).under(), marker))
}

func eventError(err error, name string) error {
	if errors.Is(err, ErrNotFound) {
		return csms.Errorf(csms.CodeNotFound, "The event %s does not exist.", name)
	}
	return err
}
