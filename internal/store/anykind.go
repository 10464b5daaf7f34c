package store

import (
	"bytes"
	"errors"
	"fmt"
)

// anyKind is a kind whose type of record does not matter: for the work that goes
// through all of them.
type anyKind interface {
	// open reads a record and derives what follows from it.
	open(c codec, raw []byte) (opened, error)
}

// opened is a record with what follows from it.
type opened struct {
	record any // pointer to the record
	key    key // where it must stand
	rows   []row
	refers []key
}

func (kind *kind[T]) open(c codec, raw []byte) (opened, error) {
	r, err := kind.decode(c, raw)
	if err != nil {
		return opened{}, err
	}
	o := opened{record: r, key: kind.key(r), rows: kind.rows(r)}
	sorted(o.rows)
	if kind.refers != nil {
		o.refers = kind.refers(r)
	}
	return o, nil
}

// has reports whether the row k follows from the record.
func (o opened) has(k key) bool { return standing{rows: o.rows}.has(k) }

// recordTables are the tables of records, in the order in which they are worked on.
var recordTables = []table{
	tableDomain, tableProject, tableUser, tablePolicy, tableGroup, tableAgency, tableAccessKey, tableToken, tableKey, tableConfig, tableSecret,
	tableEvent, tableGrant, tableOutbox, tableNotification, tableEnterprise, tableTarget, tableTopic, tableTask,
}

// kinds are the kinds by table.
var kinds = map[table]anyKind{
	tableSecret: &secretKind, tableDomain: &domainKind, tableProject: &projectKind, tableUser: &userKind,
	tablePolicy: &policyKind, tableGroup: &groupKind, tableAgency: &agencyKind, tableAccessKey: &accessKeyKind, tableToken: &tokenKind, tableKey: &keyKind, tableConfig: &configKind,
	tableEvent: &eventKind, tableGrant: &grantsKind, tableOutbox: &outboxKind, tableNotification: &notificationKind,
	tableEnterprise: &enterpriseKind, tableTarget: &targetKind, tableTopic: &topicKind, tableTask: &taskKind,
}

// errUnreadable is a record that is there and cannot be decoded.
var errUnreadable = errors.New("store: record cannot be read")

// openAt reads the record under k, whatever its kind: ErrNotFound if k is no key of
// a record or nothing is there, errUnreadable if it cannot be decoded.
func openAt(g getter, c codec, k key) (opened, error) {
	kind, known := kinds[tableOf(k)]
	if _, err := parseKey(k); err != nil || !known {
		return opened{}, ErrNotFound
	}
	raw, err := getRaw(g, k)
	if err != nil {
		return opened{}, err
	}
	o, err := kind.open(c, raw)
	if err != nil {
		return opened{}, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return o, nil
}

// derived reports whether the index row k follows from the record under owner.
func derived(g getter, c codec, k, owner key) (bool, error) {
	o, err := openAt(g, c, owner)
	if errors.Is(err, ErrNotFound) {
		return false, nil
	}
	return err == nil && bytes.Equal(o.key, owner) && o.has(k), err
}
