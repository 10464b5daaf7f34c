package store

import (
	"errors"
	"slices"
)

// Counters stand beside what they count, so that a transaction, which cannot scan,
// can read a number, and a list can tell how long it is: how many secrets a project
// holds, how many subscribe to an event or have a value of a tag, how many tasks are in
// a list. They change in the transaction that changes what is counted. Whoever must
// rely on a number reads it in his transaction, and then a change of it makes him run
// again.

// counter returns the key of the counter that a row under p is counted by, or nil.
func (p parsed) counter() key {
	switch p.table {
	case tableSecret:
		return countKey(p.texts[0])
	case tableSecretEvent:
		return subscribersKey(p.texts[0], p.texts[1])
	case tableSecretTag:
		return tagCountKey(p.texts[0], p.texts[1], &p.digest)
	case tableTaskList:
		return taskCountKey(p.texts[0], p.texts[1], p.texts[2])
	default:
		return nil
	}
}

// counter returns the key of the counter that r is counted by, or nil.
func (r row) counter() key {
	if !slices.Contains(countedTables, tableOf(r.key)) {
		return nil
	}
	p, err := parseKey(r.key)
	if err != nil {
		return nil // save refuses such a record
	}
	return p.counter()
}

// count returns the number under k; a key that names nothing has none.
func (v *View) count(k key) (int, error) {
	raw, err := getRaw(v.r, k)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return parseCount(raw)
}

// countRows counts the rows that a record has now and had not before, and no longer
// those that it had.
func (t *Tx) countRows(old, rows []row) error {
	added, removed := difference(old, rows)
	for _, r := range added {
		if k := r.counter(); k != nil {
			if err := t.add(k, 1); err != nil {
				return err
			}
		}
	}
	for _, r := range removed {
		if k := r.counter(); k != nil {
			if err := t.add(k, -1); err != nil {
				return err
			}
		}
	}
	return nil
}
