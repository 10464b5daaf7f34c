package store

import (
	"errors"
	"fmt"

	"coffer/internal/kv"
)

// getter is what a kv.Reader and a kv.Txn have in common.
type getter interface {
	Get(key []byte) ([]byte, error)
}

// getRaw returns the value under k, or ErrNotFound.
func getRaw(g getter, k key) ([]byte, error) {
	if k == nil {
		return nil, ErrNotFound
	}
	raw, err := g.Get(k)
	switch {
	case errors.Is(err, kv.ErrNotFound):
		return nil, ErrNotFound
	case err != nil:
		return nil, fmt.Errorf("reading %s: %w", tableOf(k), err)
	}
	return raw, nil
}

// byRow returns the record that the index row k leads to, or ErrNotFound.
func byRow[T any](g getter, c codec, k key, kind *kind[T]) (*T, error) {
	owner, err := getRaw(g, k)
	if err != nil {
		return nil, err
	}
	return follow(g, c, owner, kind)
}

// follow returns the record under owner, to which an index row leads. It is there,
// or the store is damaged.
func follow[T any](g getter, c codec, owner key, kind *kind[T]) (*T, error) {
	if !isOf(owner, kind.table) {
		return nil, strayRow(kind.table)
	}
	raw, err := getRaw(g, owner)
	if errors.Is(err, ErrNotFound) {
		return nil, strayRow(kind.table)
	}
	if err != nil {
		return nil, err
	}
	return kind.decode(c, raw)
}

func strayRow(t table) error {
	return fmt.Errorf("store: an index row leads to no %s record; run reindex", t)
}
