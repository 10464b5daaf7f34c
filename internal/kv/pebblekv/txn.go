package pebblekv

import (
	"bytes"

	"coffer/internal/kv"
)

// txn implements kv.Txn for one run of the function of an Update.
type txn struct {
	base   *snapshot // nil once the function has returned
	stamps *stamps
	start  uint64   // the commit whose state base is
	reads  []uint16 // slots of the keys that were read from base
	writes writeSet

	// group is set when the function runs inside a batch: then the transaction
	// also sees what those before it in the batch have written.
	group *group
}

// run calls fn once. It leaves reads and writes for the committer.
func (t *txn) run(fn func(kv.Txn) error) error {
	defer func() { t.base = nil }()
	return fn(t)
}

// Get implements kv.Txn.
func (t *txn) Get(key []byte) ([]byte, error) {
	if t.base == nil {
		return nil, errDead
	}
	if err := kv.CheckKey(key); err != nil {
		return nil, err
	}
	if own := t.writes.find(key); own != nil {
		return own.read()
	}
	slot := t.stamps.slot(key)
	if t.group != nil {
		if earlier := t.group.find(key, slot, t.stamps); earlier != nil {
			return earlier.read()
		}
	} else {
		t.reads = append(t.reads, slot)
	}
	return t.base.get(key)
}

func (w *write) read() ([]byte, error) {
	if w.deleted {
		return nil, kv.ErrNotFound
	}
	return bytes.Clone(w.value), nil
}

// Put implements kv.Txn.
func (t *txn) Put(key, value []byte) error {
	if t.base == nil {
		return errDead
	}
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	t.writes.put(key, value, t.stamps.slot(key))
	return nil
}

// Delete implements kv.Txn.
func (t *txn) Delete(key []byte) error {
	if t.base == nil {
		return errDead
	}
	if err := kv.CheckKey(key); err != nil {
		return err
	}
	t.writes.remove(key, t.stamps.slot(key))
	return nil
}
