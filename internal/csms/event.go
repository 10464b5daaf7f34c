package csms

import (
	"regexp"
	"slices"
)

// EventType is what a subscription can ask to be told of (E1).
type EventType string

// The event types.
const (
	VersionCreated EventType = "SECRET_VERSION_CREATED" // also of v1 (E9)
	VersionExpired EventType = "SECRET_VERSION_EXPIRED" // once for each setting of expire_time (E8)
	SecretRotated  EventType = "SECRET_ROTATED"
	RotationFailed EventType = "SECRET_ROTATED_FAILED"
	SecretDeleted  EventType = "SECRET_DELETED" // at destruction, not at scheduling (DEL8)
)

var eventTypes = []EventType{VersionCreated, VersionExpired, SecretRotated, SecretDeleted, RotationFailed}

// maxEventTypes bounds event_types as sent (E1). With five types and no duplicates
// it is never what refuses a list; it is named in the text of the refusal.
const maxEventTypes = 12

// Event is what secrets subscribe to: which happenings are told, and to whom.
type Event struct {
	ID        string // UUID
	DomainID  string
	ProjectID string
	Name      string // unique in the project and immutable (E6)

	Types        []EventType // in the order they were given (E7)
	State        State       // ENABLED, or DISABLED: then nothing is told (E2)
	Notification Notification
	CreateTime   Millis
	UpdateTime   Millis
}

// Notification is the target of an event. It is not verified when it is stored: one
// that leads nowhere shows up as an INVALID record (E3).
type Notification struct {
	TargetType string // SMN
	TargetID   string // topic URN, what a sink is bound to
	TargetName string
}

// Fires reports whether e tells of t: only an ENABLED event does (E2).
func (e *Event) Fires(t EventType) bool { return e.State == Enabled && slices.Contains(e.Types, t) }

// Validate reports the first part of e that breaks a rule, as CSMS.0002.
func (e *Event) Validate() error {
	if err := CheckEventName("name", e.Name); err != nil {
		return err
	}
	if err := checkEventTypes(e.Types); err != nil {
		return err
	}
	if err := checkEventState(e.State); err != nil {
		return err
	}
	return e.Notification.check()
}

// EventPatch is a change of an event; a nil field leaves its value alone, a given
// list replaces the old one (E6).
type EventPatch struct {
	Types        *[]EventType
	State        *State
	Notification *Notification
}

// Validate reports the first part of p that breaks a rule, as CSMS.0002.
func (p *EventPatch) Validate() error {
	if p.Types != nil {
		if err := checkEventTypes(*p.Types); err != nil {
			return err
		}
	}
	if p.State != nil {
		if err := checkEventState(*p.State); err != nil {
			return err
		}
	}
	if p.Notification != nil {
		return p.Notification.check()
	}
	return nil
}

// Update applies p, which must have passed Validate. An empty patch changes
// nothing, update_time included, as with a secret (N15).
func (e *Event) Update(p EventPatch, now Millis) {
	if p == (EventPatch{}) {
		return
	}
	assign(&e.Types, p.Types)
	assign(&e.State, p.State)
	assign(&e.Notification, p.Notification)
	e.UpdateTime = now
}

// CheckDeletable reports whether e may be deleted while subscribers secrets name it;
// those scheduled for deletion count (E5).
func (e *Event) CheckDeletable(subscribers int) error {
	if subscribers == 0 {
		return nil
	}
	return Invalidf("The event %s is referenced by %d secrets; end their subscriptions first.", e.Name, subscribers)
}

func checkEventTypes(types []EventType) error {
	if n := len(types); n == 0 || n > maxEventTypes {
		return Invalidf("event_types has %d items; it takes 1 to %d.", n, maxEventTypes)
	}
	for i, t := range types {
		if !slices.Contains(eventTypes, t) {
			return Invalidf("event_types takes SECRET_VERSION_CREATED, SECRET_VERSION_EXPIRED, SECRET_ROTATED, SECRET_DELETED and SECRET_ROTATED_FAILED.")
		}
		if slices.Contains(types[:i], t) {
			return Invalidf("event_types lists %s twice.", t)
		}
	}
	return nil
}

func checkEventState(s State) error {
	if s == Enabled || s == Disabled {
		return nil
	}
	return Invalidf("state must be ENABLED or DISABLED.")
}

// targetID is the published alphabet of target_id (E3). It has no slash, so a URN
// cannot leave its place in a path that it becomes a part of.
var targetID = regexp.MustCompile(`^[a-zA-Z0-9._:-]{1,256}$`)

func (n *Notification) check() error {
	if n.TargetType != "SMN" {
		return Invalidf("notification.target_type must be SMN.")
	}
	if !IsTargetID(n.TargetID) {
		return Invalidf("notification.target_id must match ^[a-zA-Z0-9._:-]{1,256}$.")
	}
	return CheckEventName("notification.target_name", n.TargetName)
}

// IsTargetID reports whether id has the form of a target_id (E3).
func IsTargetID(id string) bool { return targetID.MatchString(id) }
