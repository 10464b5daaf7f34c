package store

import (
	"encoding/binary"
	"errors"
	"fmt"

	"coffer/internal/kv"
)

// Tx is a transaction of Update. It sees its own writes. Records it returns are
// private copies, and what is put is copied. It is not safe for concurrent use and
// dead once the closure has returned.
type Tx struct {
	txn      kv.Txn
	codec    codec
	standing map[string]standing // of the records seen so far
	written  []string            // every key that was written
}

func newTx(txn kv.Txn, c codec) *Tx {
	return &Tx{txn: txn, codec: c, standing: map[string]standing{}}
}

func (t *Tx) put(k key, value []byte) error {
	t.written = append(t.written, string(k))
	if err := t.txn.Put(k, value); err != nil {
		return fmt.Errorf("writing %s: %w", tableOf(k), err)
	}
	return nil
}

func (t *Tx) remove(k key) error {
	t.written = append(t.written, string(k))
	if err := t.txn.Delete(k); err != nil {
		return fmt.Errorf("removing %s: %w", tableOf(k), err)
	}
	return nil
}

// load returns the record under k, or ErrNotFound, and remembers its rows.
func load[T any](t *Tx, kind *kind[T], k key) (*T, error) {
	raw, err := getRaw(t.txn, k)
	if errors.Is(err, ErrNotFound) && k != nil {
		t.standing[string(k)] = standing{}
	}
	if err != nil {
		return nil, err
	}
	r, err := kind.decode(t.codec, raw)
	if err != nil {
		return nil, err
	}
	rows := kind.rows(r)
	sorted(rows)
	t.standing[string(k)] = standing{exists: true, rows: rows}
	return r, nil
}

// loadByRow returns the record that the index row k leads to, or ErrNotFound.
func loadByRow[T any](t *Tx, kind *kind[T], k key) (*T, error) {
	owner, err := getRaw(t.txn, k)
	if err != nil {
		return nil, err
	}
	if !isOf(owner, kind.table) {
		return nil, strayRow(kind.table)
	}
	r, err := load(t, kind, owner)
	if errors.Is(err, ErrNotFound) {
		return nil, strayRow(kind.table)
	}
	return r, err
}

// before returns what stands because of the record under k.
func before[T any](t *Tx, kind *kind[T], k key) (standing, error) {
	if st, known := t.standing[string(k)]; known {
		return st, nil
	}
	if _, err := load(t, kind, k); err != nil && !errors.Is(err, ErrNotFound) {
		return standing{}, err
	}
	return t.standing[string(k)], nil
}

// save writes a record and the difference that it makes to the rows. It returns
// what stood before.
func save[T any](t *Tx, kind *kind[T], r *T) (standing, error) {
	k, rows := kind.key(r), kind.rows(r)
	if !sorted(rows) || k == nil {
		return standing{}, fmt.Errorf("store: %s record with an id or name that is empty, too long, or holds a zero byte", kind.table)
	}
	raw, err := kind.encode(t.codec, r)
	if err != nil {
		return standing{}, err
	}
	old, err := before(t, kind, k)
	if err != nil {
		return standing{}, err
	}
	if err := t.replaceRows(k, old.rows, rows); err != nil {
		return standing{}, err
	}
	t.standing[string(k)] = standing{exists: true, rows: rows}
	return old, t.put(k, raw)
}

// replaceRows turns the rows of the record under owner from old into rows.
func (t *Tx) replaceRows(owner key, old, rows []row) error {
	added, removed := difference(old, rows)
	for _, r := range added {
		if err := t.addRow(owner, r); err != nil {
			return err
		}
	}
	for _, r := range removed {
		if err := t.remove(r.key); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tx) addRow(owner key, r row) error {
	if r.owned {
		return nil
	}
	if r.unique {
		switch _, err := getRaw(t.txn, r.key); {
		case err == nil:
			return fmt.Errorf("adding %s row: %w", tableOf(r.key), ErrTaken)
		case !errors.Is(err, ErrNotFound):
			return err
		}
	}
	return t.put(r.key, owner)
}

// erase removes the record under k with its rows, or returns ErrNotFound.
func erase[T any](t *Tx, kind *kind[T], k key) error {
	if k == nil {
		return ErrNotFound
	}
	old, err := before(t, kind, k)
	if err != nil {
		return err
	}
	if !old.exists {
		return ErrNotFound
	}
	if err := t.replaceRows(k, old.rows, nil); err != nil {
		return err
	}
	t.standing[string(k)] = standing{}
	return t.remove(k)
}

// count returns the number under k; nothing is 0.
func (t *Tx) count(k key) (int, error) {
	raw, err := getRaw(t.txn, k)
	if errors.Is(err, ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return parseCount(raw)
}

// add changes the number under k.
func (t *Tx) add(k key, delta int) error {
	n, err := t.count(k)
	if err != nil {
		return err
	}
	if n += delta; n < 0 {
		return fmt.Errorf("store: a %s counter would be negative; run reindex", tableOf(k))
	}
	return t.setCount(k, n)
}

func (t *Tx) setCount(k key, n int) error {
	if n == 0 {
		return t.remove(k)
	}
	return t.put(k, binary.BigEndian.AppendUint32(nil, uint32(n)))
}

func parseCount(raw []byte) (int, error) {
	if len(raw) != 4 {
		return 0, errors.New("store: a counter is damaged; run reindex")
	}
	return int(binary.BigEndian.Uint32(raw)), nil
}
