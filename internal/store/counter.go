package store

// Counters stand beside what they count, so that a transaction, which cannot scan,
// can read a number, and a list can tell how long it is: how many secrets a project
// holds, how many subscribe to an event, how many tasks are in a list. They change in the transaction that changes what is counted. Whoever must
// rely on a number reads it in his transaction, and then a change of it makes him run
// again.

// counter returns the key of the counter that a row under p is counted by, or nil.
func (p parsed) counter() key {
	switch p.table {
	case tableSecret:
		return countKey(p.texts[0])
	case tableSecretEvent:
		return subscribersKey(p.texts[0], p.texts[1])
	case tableTaskList:
		return taskCountKey(p.texts[0], p.texts[1], p.texts[2])
	default:
		return nil
	}
}

// counter returns the key of the counter that r is counted by, or nil.
func (r row) counter() key {
	if !isOf(r.key, tableSecretEvent) && !isOf(r.key, tableTaskList) {
		return nil
	}
	p, err := parseKey(r.key)
	if err != nil {
		return nil // save refuses such a record
	}
	return p.counter()
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
