package wire

import (
	"coffer/internal/csms"
)

// Event is what secrets subscribe to.
type Event struct {
	Name         string           `json:"name"`
	EventID      string           `json:"event_id"`
	EventTypes   []csms.EventType `json:"event_types"` // in the order they were given (E7)
	State        csms.State       `json:"state"`
	CreateTime   Millis           `json:"create_time"`
	UpdateTime   Millis           `json:"update_time"`
	Notification Notification     `json:"notification"`
}

// Notification is the target of an event.
type Notification struct {
	TargetType string `json:"target_type"`
	TargetID   string `json:"target_id"`
	TargetName string `json:"target_name"`
}

// NewEvent returns the wire form of e.
func NewEvent(e *csms.Event) Event {
	return Event{
		Name: e.Name, EventID: e.ID, EventTypes: e.Types, State: e.State,
		CreateTime: Millis(e.CreateTime), UpdateTime: Millis(e.UpdateTime), Notification: Notification(e.Notification),
	}
}

// EventAnswer is {"event": ...}.
type EventAnswer struct {
	Event Event `json:"event"`
}

// EventList is a page of events. Events is its only array (P5).
type EventList struct {
	Events   []Event  `json:"events"`
	PageInfo PageInfo `json:"page_info"`
}

// CreateEventRequest is the body of CreateSecretEvent.
type CreateEventRequest struct {
	Name         string           `json:"name"`
	EventTypes   []csms.EventType `json:"event_types"`
	State        csms.State       `json:"state"`
	Notification Notification     `json:"notification"`
}

// UpdateEventRequest is the body of UpdateSecretEvent. An absent or null member is
// unchanged (E6); the name is not among them, for it is immutable.
type UpdateEventRequest struct {
	EventTypes   *[]csms.EventType `json:"event_types"`
	State        *csms.State       `json:"state"`
	Notification *Notification     `json:"notification"`
}

// NotificationRecord tells how the delivery of a notification ended (E10).
type NotificationRecord struct {
	EventName              string              `json:"event_name"`
	TriggerEventType       csms.EventType      `json:"trigger_event_type"`
	CreateTime             Millis              `json:"create_time"`
	SecretName             string              `json:"secret_name"`
	SecretType             csms.Type           `json:"secret_type"`
	NotificationTargetName string              `json:"notification_target_name"`
	NotificationTargetID   string              `json:"notification_target_id"`
	NotificationContent    string              `json:"notification_content"`
	NotificationStatus     csms.DeliveryStatus `json:"notification_status"`
}

// NotificationRecordList is a page of records.
type NotificationRecordList struct {
	Records  []NotificationRecord `json:"records"`
	PageInfo PageInfo             `json:"page_info"`
}
