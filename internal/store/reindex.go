package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"coffer/internal/kv"
)

// Keys that one transaction of Reindex works on. A record has up to 54 rows,
// and a distributed engine takes little more than 100 operations.
const (
	rowsPerStep    = 64
	recordsPerStep = 2
)

// Reindex makes the index rows and the counters what the records say, in bounded
// transactions, and returns the number of rows and counters that it changed. Records
// and sealed values are not touched. It can be broken off and started again at any
// time. Nothing else may write to the store meanwhile. A record that cannot be read,
// or a unique name that two records have, ends it with an error.
func (s *Store) Reindex(ctx context.Context) (changed int, err error) {
	for _, t := range indexTables {
		n, err := s.repair(ctx, t, rowsPerStep, removeStray)
		if changed += n; err != nil {
			return changed, fmt.Errorf("reindexing: %w", err)
		}
	}
	for _, t := range recordTables {
		n, err := s.repair(ctx, t, recordsPerStep, restoreRows)
		if changed += n; err != nil {
			return changed, fmt.Errorf("reindexing: %w", err)
		}
	}
	n, err := s.recount(ctx)
	if changed += n; err != nil {
		return changed, fmt.Errorf("reindexing: counting: %w", err)
	}
	return changed, nil
}

// repair runs fix over all keys of a table, a few in each transaction. fix returns
// the number of rows it changed.
func (s *Store) repair(ctx context.Context, t table, step int, fix func(*Tx, key) (int, error)) (changed int, err error) {
	for r := t.all(); ; {
		keys, err := s.keys(ctx, r, step)
		if err != nil || len(keys) == 0 {
			return changed, err
		}
		var n int
		err = s.Update(ctx, func(tx *Tx) error {
			n, err = tx.repair(keys, fix)
			return err
		})
		if err != nil {
			return changed, err
		}
		changed += n
		r.From = append(slices.Clone(keys[len(keys)-1]), 0)
	}
}

func (t *Tx) repair(keys []key, fix func(*Tx, key) (int, error)) (changed int, err error) {
	for _, k := range keys {
		n, err := fix(t, k)
		if err != nil {
			return 0, fmt.Errorf("%s: %w", show(k), err)
		}
		changed += n
	}
	return changed, nil
}

// keys returns the first keys of r.
func (s *Store) keys(ctx context.Context, r kv.Range, limit int) (keys []key, err error) {
	err = s.db.View(ctx, func(rd kv.Reader) error {
		for item, err := range rd.Scan(r) {
			if err != nil {
				return err
			}
			if keys = append(keys, slices.Clone(item.Key)); len(keys) == limit {
				break
			}
		}
		return nil
	})
	return keys, err
}

// removeStray removes an index row that does not follow from its record.
func removeStray(t *Tx, k key) (int, error) {
	owner, err := getRaw(t.txn, k)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	follows, err := derived(t.txn, t.codec, k, owner)
	if err != nil || follows {
		return 0, err
	}
	return 1, t.remove(k)
}

// restoreRows writes the index rows of a record that are missing. What stands in
// place of one now belongs to another record, because strays are gone.
func restoreRows(t *Tx, k key) (changed int, err error) {
	o, err := openAt(t.txn, t.codec, k)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if !bytes.Equal(o.key, k) {
		return 0, errors.New("the record belongs under another key")
	}
	for _, r := range o.rows {
		n, err := t.restoreRow(k, r)
		if changed += n; err != nil {
			return 0, err
		}
	}
	return changed, nil
}

func (t *Tx) restoreRow(owner key, r row) (int, error) {
	if r.owned {
		return 0, nil
	}
	value, err := getRaw(t.txn, r.key)
	switch {
	case errors.Is(err, ErrNotFound):
		return 1, t.put(r.key, owner)
	case err != nil:
		return 0, err
	case !bytes.Equal(value, owner):
		return 0, fmt.Errorf("restoring index row %s: %w", show(r.key), ErrTaken)
	}
	return 0, nil
}

// recount sets every counter that something is counted by, or that is there.
func (s *Store) recount(ctx context.Context) (changed int, err error) {
	counts, err := s.countAll(ctx)
	if err != nil {
		return 0, err
	}
	for name, n := range counts {
		k := key(name)
		wrong := false
		err := s.Update(ctx, func(tx *Tx) error {
			stored, err := tx.count(k)
			if wrong = err != nil || stored != n; !wrong {
				return nil
			}
			return tx.setCount(k, n)
		})
		if err != nil {
			return changed, err
		}
		if wrong {
			changed++
		}
	}
	return changed, nil
}

// countAll returns what every counter should be, by key: 0 for one that is there and
// counts nothing.
func (s *Store) countAll(ctx context.Context) (map[string]int, error) {
	counts := map[string]int{}
	err := s.db.View(ctx, func(r kv.Reader) error {
		for _, t := range slices.Concat(counterTables, countedTables) {
			for item, err := range r.Scan(t.all()) {
				if err != nil {
					return err
				}
				p, err := parseKey(item.Key)
				if err != nil {
					return err
				}
				if counter := p.counter(); counter != nil {
					counts[string(counter)]++
				} else {
					counts[string(item.Key)] += 0
				}
			}
		}
		return nil
	})
	return counts, err
}
