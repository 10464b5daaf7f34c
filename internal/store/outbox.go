package store

import (
	"iter"
	"math"
	"slices"

	"coffer/internal/csms"
)

// Outgoing is a message in the outbox: written with the change that it tells of, and
// removed when its delivery has ended. It holds all that a delivery needs, because
// secret and event may be gone by then.
type Outgoing struct {
	SecretID   string             `cbor:"1,keyasint"`
	Number     int                `cbor:"2,keyasint"` // of the message about the secret: the order of delivery
	ID         string             `cbor:"3,keyasint"` // event_id of the document
	ProjectID  string             `cbor:"4,keyasint"`
	EventName  string             `cbor:"5,keyasint"`
	Type       csms.EventType     `cbor:"6,keyasint"`
	SecretName string             `cbor:"7,keyasint"`
	SecretType csms.Type          `cbor:"8,keyasint"`
	Target     notificationTarget `cbor:"9,keyasint"`
	Document   Document           `cbor:"10,keyasint"`
	FireTime   csms.Millis        `cbor:"11,keyasint"`

	Attempts int         `cbor:"12,keyasint,omitempty"` // that failed
	NextTry  csms.Millis `cbor:"13,keyasint,omitempty"` // not before; zero for at once

	// Published says that somebody published the message to a topic: SecretID is the id
	// of that topic then, and no record is kept of the delivery.
	Published bool        `cbor:"14,keyasint,omitempty"`
	Deadline  csms.Millis `cbor:"15,keyasint,omitempty"` // of a Published one: not delivered after it
}

// SetTarget says where the message goes.
func (o *Outgoing) SetTarget(n csms.Notification) { o.Target = notificationTarget(n) }

// NotificationPlace is where a record stands in the list of its project, together
// with the id of its message: newest first, and in one instant the later message of a
// secret first.
type NotificationPlace struct {
	CreateTime csms.Millis `cbor:"1,keyasint"` // when the delivery ended
	Number     int         `cbor:"2,keyasint"` // of the message
}

// NotificationRecord tells how a delivery ended (E10).
type NotificationRecord struct {
	NotificationPlace `cbor:"1,keyasint"`

	ProjectID  string              `cbor:"2,keyasint"`
	MessageID  string              `cbor:"3,keyasint"`
	EventName  string              `cbor:"4,keyasint"`
	Type       csms.EventType      `cbor:"5,keyasint"`
	SecretName string              `cbor:"6,keyasint"`
	SecretType csms.Type           `cbor:"7,keyasint"`
	TargetID   string              `cbor:"8,keyasint"`
	TargetName string              `cbor:"9,keyasint"`
	Content    string              `cbor:"10,keyasint"` // at most 255 characters
	Status     csms.DeliveryStatus `cbor:"11,keyasint"`
}

// Record returns the record of the delivery of o that ended at now.
func (o *Outgoing) Record(status csms.DeliveryStatus, now csms.Millis) *NotificationRecord {
	return &NotificationRecord{
		NotificationPlace: NotificationPlace{CreateTime: now, Number: o.Number},
		ProjectID:         o.ProjectID, MessageID: o.ID, EventName: o.EventName, Type: o.Type,
		SecretName: o.SecretName, SecretType: o.SecretType, TargetID: o.Target.TargetID, TargetName: o.Target.TargetName,
		Content: csms.NotificationContent(o.Document), Status: status,
	}
}

// Outgoing returns a message of the outbox, or ErrNotFound.
func (t *Tx) Outgoing(secretID string, number int) (*Outgoing, error) {
	return load(t, &outboxKind, outboxKey(secretID).number(number))
}

// PutOutgoing writes a message of the outbox.
func (t *Tx) PutOutgoing(o *Outgoing) error { return write(t, &outboxKind, o) }

// DeleteOutgoing removes a message of the outbox.
func (t *Tx) DeleteOutgoing(o *Outgoing) error { return erase(t, &outboxKind, outboxKind.key(o)) }

// Heads yields, by secret id, the first message about each secret that has any in
// the outbox: the one that all later ones wait for.
func (v *View) Heads() iter.Seq2[*Outgoing, error] {
	return func(yield func(*Outgoing, error) bool) {
		r := tableOutbox.all()
		for {
			head, err := first(records(v, &outboxKind, r))
			if head == nil && err == nil || !yield(head, err) || err != nil {
				return
			}
			r.From = outboxKey(head.SecretID).under().To
		}
	}
}

// Head returns the first message about a secret that is in the outbox, or nil.
func (v *View) Head(secretID string) (*Outgoing, error) {
	return first(records(v, &outboxKind, outboxKey(secretID).under()))
}

// first returns the first item of a sequence, or nil.
func first[T any](items iter.Seq2[*T, error]) (*T, error) {
	for item, err := range items {
		return item, err
	}
	return nil, nil //nolint:nilnil // an empty sequence is no error
}

// Notification returns a record, or ErrNotFound.
func (t *Tx) Notification(project string, at NotificationPlace, messageID string) (*NotificationRecord, error) {
	return load(t, &notificationKind, notificationsKey(project, at).text(messageID))
}

// PutNotification writes a record.
func (t *Tx) PutNotification(n *NotificationRecord) error { return write(t, &notificationKind, n) }

// DeleteNotification removes a record.
func (t *Tx) DeleteNotification(n *NotificationRecord) error {
	return erase(t, &notificationKind, notificationKind.key(n))
}

// Notifications yields the records of a project, the newest first, from the first
// one behind the place of a message id; "" is before all.
func (v *View) Notifications(project string, at NotificationPlace, messageID string) iter.Seq2[*NotificationRecord, error] {
	r := start(nil, tableNotification).text(project).under()
	if k := notificationsKey(project, at).text(messageID); k != nil {
		r.From = append(slices.Clone(k), 0)
	}
	return records(v, &notificationKind, r)
}

// notificationPlace returns the place in the key of a record.
func (p parsed) notificationPlace() NotificationPlace {
	return NotificationPlace{CreateTime: math.MaxInt64 - p.at, Number: math.MaxInt32 - p.number}
}
