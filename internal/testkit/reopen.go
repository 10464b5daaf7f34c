package testkit

import (
	"bytes"
	"context"
	"errors"

	"coffer/internal/kv"
	"coffer/internal/kv/memkv"
)

// Reopen is a restart: k goes on with what was committed, and with nothing else.
func (k *Kit) Reopen(ctx context.Context) error {
	stored := memkv.New()
	err := k.DB.View(ctx, func(r kv.Reader) error {
		return stored.Update(ctx, func(txn kv.Txn) error {
			for item, err := range r.Scan(kv.Range{To: []byte{0xff}}) {
				if err := errors.Join(err, txn.Put(bytes.Clone(item.Key), bytes.Clone(item.Value))); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err := errors.Join(err, k.Store.Close()); err != nil {
		return err
	}
	k.DB = stored
	return k.open(ctx, k.options, k.logger())
}
