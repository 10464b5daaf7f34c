package store

import (
	"context"
	"iter"

	"coffer/internal/csms"
)

// targetRecord is csms.DatabaseTarget as it stands on disk, kept apart like
// secretRecord.
type targetRecord struct {
	ProjectID   string              `cbor:"1,keyasint"`
	InstanceID  string              `cbor:"2,keyasint"`
	Engine      csms.DatabaseEngine `cbor:"3,keyasint"`
	Host        string              `cbor:"4,keyasint"`
	Port        int                 `cbor:"5,keyasint"`
	Database    string              `cbor:"6,keyasint,omitempty"`
	TLSMode     csms.TLSMode        `cbor:"7,keyasint"`
	CA          string              `cbor:"8,keyasint,omitempty"`
	AdminSecret string              `cbor:"9,keyasint"`
	Accounts    []string            `cbor:"10,keyasint"`
	CreateTime  csms.Millis         `cbor:"11,keyasint"`
	UpdateTime  csms.Millis         `cbor:"12,keyasint"`
	Declared    bool                `cbor:"-"`
}

var targetKind = kind[csms.DatabaseTarget]{
	table: tableTarget,
	key:   func(t *csms.DatabaseTarget) key { return nameKey(nil, tableTarget, t.ProjectID, t.InstanceID) },
	rows:  func(*csms.DatabaseTarget) []row { return nil },
	encode: func(c codec, t *csms.DatabaseTarget) ([]byte, error) {
		return c.encode(tableTarget, (*targetRecord)(t))
	},
	decode: func(c codec, raw []byte) (*csms.DatabaseTarget, error) {
		var r targetRecord
		if err := c.decode(tableTarget, raw, &r); err != nil {
			return nil, err
		}
		return (*csms.DatabaseTarget)(&r), nil
	},
}

// DatabaseTarget returns a database target of a project, or ErrNotFound. It is shared and
// must not be changed.
func (s *Store) DatabaseTarget(ctx context.Context, project, instanceID string) (*csms.DatabaseTarget, error) {
	var buf [keyBuffer]byte
	return cached(ctx, s, nameKey(buf[:0], tableTarget, project, instanceID), targetKind.decode)
}

// DatabaseTarget returns a database target of a project, or ErrNotFound.
func (t *Tx) DatabaseTarget(project, instanceID string) (*csms.DatabaseTarget, error) {
	return load(t, &targetKind, nameKey(nil, tableTarget, project, instanceID))
}

// PutDatabaseTarget writes a database target, new or changed.
func (t *Tx) PutDatabaseTarget(d *csms.DatabaseTarget) error { return write(t, &targetKind, d) }

// DeleteDatabaseTarget removes a database target, and not the secrets that name it.
func (t *Tx) DeleteDatabaseTarget(d *csms.DatabaseTarget) error {
	return erase(t, &targetKind, targetKind.key(d))
}

// DatabaseTargets yields the database targets of a project by instance id, from the
// first one after the marker.
func (v *View) DatabaseTargets(project, marker string) iter.Seq2[*csms.DatabaseTarget, error] {
	return records(v, &targetKind, after(start(nil, tableTarget).text(project).under(), marker))
}
