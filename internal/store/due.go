package store

import (
	"encoding/hex"
	"fmt"
	"iter"
	"math"

	"coffer/internal/csms"
	"coffer/internal/kv"
)

// DueKind is what is to be done at the time of a due row. The words are on disk.
type DueKind string

// The kinds of due rows and the records they follow from.
const (
	DuePurge           DueKind = "purge"             // a secret that is PENDING_DELETE
	DueVersionExpiry   DueKind = "version-expiry"    // a version with an expiry that is not announced
	DueTokenExpiry     DueKind = "token-expiry"      // a token
	DueAccessKeyExpiry DueKind = "access-key-expiry" // a temporary access key
	DueKeyDeletion     DueKind = "key-deletion"      // a KMS key that is pending deletion
	DueKeyRotation     DueKind = "key-rotation"      // an enabled KMS key that is rotated by itself
	DueRecordExpiry    DueKind = "record-expiry"     // a notification record
	DueRotation        DueKind = "rotation"          // a secret that is ENABLED and rotated by itself
	DueTaskExpiry      DueKind = "task-expiry"       // a task that has ended
	DueReplica         DueKind = "replica"           // a primary with a copy that is not in sync
)

// Due is one thing to be done at an instant. It is what the record said when the
// snapshot was taken: who acts on it reads the record again in his transaction.
type Due struct {
	At   csms.Millis
	Kind DueKind

	Project  string // of DuePurge, DueVersionExpiry, DueRotation, DueReplica, DueKeyDeletion, DueKeyRotation and DueRecordExpiry
	Name     string // of the secret
	SecretID string
	Version  int // of DueVersionExpiry

	ReplicaID string // of DueReplica; Name is that of both secrets

	TokenHash [32]byte // of DueTokenExpiry
	AccessKey string   // of DueAccessKeyExpiry
	KeyID     string   // of DueKeyDeletion and DueKeyRotation

	Notification NotificationPlace // of DueRecordExpiry
	MessageID    string

	TaskID string // of DueTaskExpiry
}

// Due yields what is due at until or before, in order of time. The sequence ends
// after an error.
func (v *View) Due(until csms.Millis) iter.Seq2[Due, error] {
	return func(yield func(Due, error) bool) {
		if until < 0 {
			return
		}
		for item, err := range v.r.Scan(dueRange(until)) {
			var due Due
			if err == nil {
				due, err = parseDue(item.Key, item.Value)
			}
			if !yield(due, err) || err != nil {
				return
			}
		}
	}
}

func dueRange(until csms.Millis) kv.Range {
	r := tableDue.all()
	if until < math.MaxInt64 {
		r.To = start(nil, tableDue).instant(until + 1)
	}
	return r
}

// parseDue puts a due row and the key of its record together.
func parseDue(rowKey, ownerKey []byte) (Due, error) {
	r, err := parseKey(rowKey)
	if err != nil {
		return Due{}, fmt.Errorf("reading due row: %w", err)
	}
	owner, err := parseKey(ownerKey)
	if err != nil {
		return Due{}, fmt.Errorf("reading the record of a due row: %w", err)
	}
	due := Due{At: r.at, Kind: DueKind(r.texts[0])}
	subject := r.texts[1]
	switch {
	case (due.Kind == DuePurge || due.Kind == DueVersionExpiry || due.Kind == DueRotation) && owner.table == tableSecret:
		due.Project, due.Name, due.SecretID, due.Version = owner.texts[0], owner.texts[1], subject, r.number
	case due.Kind == DueReplica && owner.table == tableSecret:
		due.Project, due.Name, due.ReplicaID = owner.texts[0], owner.texts[1], subject
	case due.Kind == DueTokenExpiry && owner.table == tableToken:
		due.TokenHash = owner.digest
	case due.Kind == DueAccessKeyExpiry && owner.table == tableAccessKey:
		due.AccessKey = subject
	case due.Kind == DueKeyDeletion && owner.table == tableKey, due.Kind == DueKeyRotation && owner.table == tableKey:
		due.Project, due.KeyID = owner.texts[0], subject
	case due.Kind == DueRecordExpiry && owner.table == tableNotification:
		due.Project, due.MessageID, due.Notification = owner.texts[0], subject, owner.notificationPlace()
	case due.Kind == DueTaskExpiry && owner.table == tableTask:
		due.TaskID = subject
	default:
		return Due{}, fmt.Errorf("due row %s does not fit its record; run reindex", hex.EncodeToString(rowKey))
	}
	return due, nil
}
