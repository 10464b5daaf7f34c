package memkv

import (
	"bytes"
	"context"
	"iter"

	"coffer/internal/kv"
)

// cancelEvery is how many items a scan yields between two looks at its ctx.
const cancelEvery = 256

// reader reads one published tree.
type reader struct {
	ctx  context.Context //nolint:containedctx // a reader lives inside the call that has ctx
	tree *tree           // nil once the function of the View has returned
}

// Get implements kv.Reader.
func (r *reader) Get(key []byte) ([]byte, error) {
	return get(r.tree, key)
}

// Scan implements kv.Reader. Items are copied into one buffer that the next item
// overwrites, so that a caller who keeps a slice too long fails in his tests.
func (r *reader) Scan(rng kv.Range) iter.Seq2[kv.Item, error] {
	return func(yield func(kv.Item, error) bool) {
		if err := r.scan(rng, yield); err != nil {
			yield(kv.Item{}, err)
		}
	}
}

// scan returns an error only if yield may be called once more.
func (r *reader) scan(rng kv.Range, yield func(kv.Item, error) bool) (err error) {
	if r.tree == nil {
		return errDead
	}
	if err := rng.Check(); err != nil {
		return err
	}
	var scratch []byte
	var seen int
	r.tree.Ascend(kv.Item{Key: rng.From}, func(stored kv.Item) bool {
		if bytes.Compare(stored.Key, rng.To) >= 0 {
			return false
		}
		if seen%cancelEvery == 0 {
			if err = r.ctx.Err(); err != nil {
				return false
			}
		}
		seen++
		scratch = append(append(scratch[:0], stored.Key...), stored.Value...)
		n := len(stored.Key)
		return yield(kv.Item{Key: scratch[:n:n], Value: scratch[n:]}, nil)
	})
	return err
}

// txn works on a tree that nobody else sees.
type txn struct {
	tree *tree // nil once the function of the Update has returned
}

// Get implements kv.Txn.
func (t *txn) Get(key []byte) ([]byte, error) {
	return get(t.tree, key)
}

// Put implements kv.Txn.
func (t *txn) Put(key, value []byte) error {
	if t.tree == nil {
		return errDead
	}
	if err := kv.CheckPut(key, value); err != nil {
		return err
	}
	own := append(append(make([]byte, 0, len(key)+len(value)), key...), value...)
	n := len(key)
	t.tree.Set(kv.Item{Key: own[:n:n], Value: own[n:]})
	return nil
}

// Delete implements kv.Txn.
func (t *txn) Delete(key []byte) error {
	if t.tree == nil {
		return errDead
	}
	if err := kv.CheckKey(key); err != nil {
		return err
	}
	t.tree.Delete(kv.Item{Key: key})
	return nil
}

func get(from *tree, key []byte) ([]byte, error) {
	if from == nil {
		return nil, errDead
	}
	if err := kv.CheckKey(key); err != nil {
		return nil, err
	}
	item, found := from.Get(kv.Item{Key: key})
	if !found {
		return nil, kv.ErrNotFound
	}
	return append(make([]byte, 0, len(item.Value)), item.Value...), nil
}
