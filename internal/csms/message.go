package csms

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Message is the document that a notification carries (neighbours.md 2.3). It holds
// no value, no label and no key material (P4). A member without a value is absent.
type Message struct {
	Version    string    `json:"version"`
	EventID    string    `json:"event_id"` // of this message: the idempotency key
	EventName  string    `json:"event_name"`
	EventType  EventType `json:"event_type"`
	Time       Millis    `json:"time"`
	Region     string    `json:"region"`
	DomainID   string    `json:"domain_id"`
	ProjectID  string    `json:"project_id"`
	SecretID   string    `json:"secret_id"`
	SecretName string    `json:"secret_name"`
	SecretType Type      `json:"secret_type"`
	VersionID  string    `json:"version_id,omitempty"`
	RequestID  string    `json:"request_id,omitempty"` // absent for what the server does by itself
	Operator   string    `json:"operator,omitempty"`   // name of the user; absent likewise
	Detail     string    `json:"detail,omitempty"`
}

// MessageVersion is the version of the layout of Message.
const MessageVersion = "1"

// JSON returns the document as text.
func (m *Message) JSON() ([]byte, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("writing a message document: %w", err)
	}
	return text, nil
}

// NextMessage numbers the next message about s and returns its number and id. The
// numbers are the order in which the messages are to arrive. The id follows from
// what it identifies, so a transaction that runs again comes to the same one; the
// instant keeps it fresh after the data was put back to an older state.
func (s *Secret) NextMessage(now Millis) (number int, id string) {
	s.LastMessage++
	sum := sha256.Sum256(fmt.Appendf(nil, "coffer message\x00%s\x00%d\x00%d", s.ID, s.LastMessage, now))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // a UUID of version 8: ours to define
	h := hex.EncodeToString(sum[:16])
	return s.LastMessage, h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

// DeliveryStatus is how a delivery ended, as a record shows it.
type DeliveryStatus string

// The three ends (E10).
const (
	DeliverySuccess DeliveryStatus = "SUCCESS"
	DeliveryFail    DeliveryStatus = "FAIL"
	DeliveryInvalid DeliveryStatus = "INVALID" // the target itself is unusable
)

// Times of a delivery (neighbours.md 2.4).
const (
	firstPause      Millis = 5 * 1000
	longestPause    Millis = 60 * 60 * 1000
	deliveryTime           = dayMillis
	recordRetention        = 92 * dayMillis // never less than three calendar months (E10)
)

// NextTry returns when a message that was fired at and has failed attempts times is
// tried again: after 5 s, doubling to 1 h, and a last time when 24 h have passed.
// After that there is none, and the delivery has failed. So a message that waited
// for an earlier one all day is tried once all the same.
func NextTry(fired Millis, attempts int, now Millis) (at Millis, again bool) {
	end := fired + deliveryTime
	if now >= end {
		return 0, false
	}
	return min(now+pauseAfter(attempts), end), true
}

// pauseAfter returns the pause after so many attempts that failed: 5 s, doubling to 1 h.
func pauseAfter(attempts int) Millis {
	if doublings := attempts - 1; doublings < 10 {
		return min(longestPause, firstPause<<max(doublings, 0))
	}
	return longestPause
}

// RecordExpiry returns when the record of a delivery that ended at is forgotten (E10).
func RecordExpiry(at Millis) Millis { return at + recordRetention }

// maxContent is the length of notification_content in characters (E10).
const maxContent = 255

// NotificationContent cuts a message document to what a record shows of it.
func NotificationContent(document []byte) string {
	text := string(document)
	if utf8.RuneCountInString(text) <= maxContent {
		return text
	}
	n := 0
	for i := range text {
		if n == maxContent {
			return text[:i]
		}
		n++
	}
	return text
}
