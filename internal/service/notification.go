package service

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// NotificationListing asks for a page of notification records.
type NotificationListing struct {
	Limit  int
	Marker string // exclusive: NotificationMarker of the last record of the previous page; "" for the first
}

// NotificationRecord tells how a delivery ended.
type NotificationRecord = store.NotificationRecord

// NotificationMarker returns the place of a record as text: its time, the number of
// its message, and the id of that.
func NotificationMarker(n *NotificationRecord) string {
	return fmt.Sprintf("%d.%d.%s", int64(n.CreateTime), n.Number, n.MessageID)
}

func parseNotificationMarker(text string) (at store.NotificationPlace, messageID string, err error) {
	if text == "" {
		return at, "", nil
	}
	millis, rest, _ := strings.Cut(text, ".")
	number, id, _ := strings.Cut(rest, ".")
	ms, err1 := strconv.ParseUint(millis, 10, 63)
	n, err2 := strconv.ParseUint(number, 10, 31)
	if err1 != nil || err2 != nil || !csms.IsUUID(id) {
		return at, "", csms.Invalidf("marker must be the next_marker of another page.")
	}
	return store.NotificationPlace{CreateTime: csms.Millis(ms), Number: int(n)}, id, nil
}

// ListNotificationRecords returns a page of the records of the last three months, the
// newest first (E10).
func (s *Service) ListNotificationRecords(ctx context.Context, who *iam.Caller, l NotificationListing) (Page[*NotificationRecord], error) {
	var page Page[*NotificationRecord]
	now := s.now()
	if err := s.Authorize(ctx, who, iam.ListNotificationRecords, ""); err != nil {
		return page, err
	}
	if err := CheckLimit(l.Limit); err != nil {
		return page, err
	}
	place, messageID, err := parseNotificationMarker(l.Marker)
	if err != nil {
		return page, err
	}
	err = s.store.View(ctx, func(v *store.View) error {
		for n, err := range v.Notifications(who.ProjectID, place, messageID) {
			if err != nil {
				return err
			}
			if csms.RecordExpiry(n.CreateTime) <= now {
				break // and so are all older ones
			}
			if len(page.Items) == l.Limit {
				page.More = true
				break
			}
			page.Items = append(page.Items, n)
		}
		return nil
	})
	return page, err
}

// forgetRecord removes a record that was kept long enough.
func (s *Service) forgetRecord(ctx context.Context, row store.Due, now csms.Millis) (bool, error) {
	return s.dueRecord(ctx, func(tx *store.Tx) (bool, error) {
		n, err := tx.Notification(row.Project, row.Notification, row.MessageID)
		if err != nil || csms.RecordExpiry(n.CreateTime) > now {
			return false, err
		}
		return true, tx.DeleteNotification(n)
	})
}
