package httpapi

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/wire"
)

// eventRef is the request of operations that need nothing but the event's name.
type eventRef struct{ name string }

func (q *eventRef) bind(x *exchange) error {
	q.name = x.r.PathValue("event_name")
	return nil
}

type createEventRequest struct{ in service.NewEvent }

func (q *createEventRequest) bind(x *exchange) error {
	var body wire.CreateEventRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.in = service.NewEvent{
		Name: body.Name, Types: body.EventTypes, State: body.State, Notification: csms.Notification(body.Notification),
	}
	return nil
}

func (a *API) createSecretEvent(ctx context.Context, who *iam.Caller, q *createEventRequest) (wire.EventAnswer, error) {
	return eventAnswer(a.Service.CreateSecretEvent(ctx, who, q.in))
}

func eventAnswer(e *csms.Event, err error) (wire.EventAnswer, error) {
	if err != nil {
		return wire.EventAnswer{}, err
	}
	return wire.EventAnswer{Event: wire.NewEvent(e)}, nil
}

func (a *API) showSecretEvent(ctx context.Context, who *iam.Caller, q *eventRef) (wire.EventAnswer, error) {
	return eventAnswer(a.Service.ShowSecretEvent(ctx, who, q.name))
}

type listEventsRequest struct{ listing service.EventListing }

func (q *listEventsRequest) bind(x *exchange) (err error) {
	q.listing.Limit, q.listing.Marker, err = x.page()
	return err
}

func (a *API) listSecretEvents(ctx context.Context, who *iam.Caller, q *listEventsRequest) (wire.EventList, error) {
	page, err := a.Service.ListSecretEvents(ctx, who, q.listing)
	if err != nil {
		return wire.EventList{}, err
	}
	list := wire.EventList{Events: make([]wire.Event, 0, len(page.Items))}
	for _, e := range page.Items {
		list.Events = append(list.Events, wire.NewEvent(e))
	}
	list.PageInfo = pageInfo(list.Events, page.More, func(e wire.Event) string { return e.Name })
	return list, nil
}

type updateEventRequest struct {
	eventRef
	patch csms.EventPatch
}

func (q *updateEventRequest) bind(x *exchange) error {
	var body wire.UpdateEventRequest
	if err := x.decode(&body); err != nil {
		return err
	}
	q.patch = csms.EventPatch{Types: body.EventTypes, State: body.State}
	if body.Notification != nil {
		n := csms.Notification(*body.Notification)
		q.patch.Notification = &n
	}
	return q.eventRef.bind(x)
}

func (a *API) updateSecretEvent(ctx context.Context, who *iam.Caller, q *updateEventRequest) (wire.EventAnswer, error) {
	return eventAnswer(a.Service.UpdateSecretEvent(ctx, who, q.name, q.patch))
}

func (a *API) deleteSecretEvent(ctx context.Context, who *iam.Caller, q *eventRef) (noContent, error) {
	return noContent{}, a.Service.DeleteSecretEvent(ctx, who, q.name)
}

type listNotificationsRequest struct {
	listing service.NotificationListing
}

// bind takes limit and marker, which are not published although the answer has a
// page_info; without a limit the page is as large as pages get (E10).
func (q *listNotificationsRequest) bind(x *exchange) error {
	query, err := x.query()
	if err != nil {
		return err
	}
	q.listing.Limit = service.MaxPage
	if query.Has("limit") {
		if q.listing.Limit, err = limit(query); err != nil {
			return err
		}
	}
	q.listing.Marker = query.Get("marker")
	return nil
}

func (a *API) listNotificationRecords(ctx context.Context, who *iam.Caller, q *listNotificationsRequest) (wire.NotificationRecordList, error) {
	page, err := a.Service.ListNotificationRecords(ctx, who, q.listing)
	if err != nil {
		return wire.NotificationRecordList{}, err
	}
	list := wire.NotificationRecordList{Records: make([]wire.NotificationRecord, 0, len(page.Items))}
	for _, n := range page.Items {
		list.Records = append(list.Records, wire.NotificationRecord{
			EventName: n.EventName, TriggerEventType: n.Type, CreateTime: wire.Millis(n.CreateTime),
			SecretName: n.SecretName, SecretType: n.SecretType,
			NotificationTargetName: n.TargetName, NotificationTargetID: n.TargetID,
			NotificationContent: n.Content, NotificationStatus: n.Status,
		})
	}
	list.PageInfo = pageInfo(page.Items, page.More, service.NotificationMarker)
	return list, nil
}
