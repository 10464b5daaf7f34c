// Package kv is the storage port: an ordered map from byte keys to byte values
// with serializable transactions.
//
// The rule that keeps it honest: the port holds only what every engine can do
// cheaply and correctly. A transaction reads by key, never by range, so that an
// optimistic engine can validate it with one comparison per key read; scans go
// forward only, because a distributed engine sorts a whole range to go back.
// Whatever must change together stands under one key, or is written by one
// transaction.
//
// Every engine passes the suite in package kvtest. A bug found in an engine
// becomes a case there.
package kv

import (
	"context"
	"errors"
	"iter"
)

// ErrNotFound is what Get returns for a key that holds no value. An empty value
// is a value: it is returned, not ErrNotFound.
var ErrNotFound = errors.New("kv: key not found")

// ErrClosed is what every method returns once Close has been called.
var ErrClosed = errors.New("kv: store is closed")

// ErrAmbiguous wraps the error of an Update whose outcome is unknown: the write
// may or may not have been made durable (a lost reply, a failed sync). The
// caller must read before it tries again. Every other error of Update means
// that nothing was written.
var ErrAmbiguous = errors.New("kv: outcome of the transaction is unknown")

// Store is an ordered key-value store. It is safe for concurrent use.
type Store interface {
	// View runs fn over one consistent snapshot of everything that was committed
	// before View was called, and returns the error of fn as it is. Writers do not
	// wait for an open snapshot. The Reader is dead once fn returns.
	View(ctx context.Context, fn func(Reader) error) error

	// Update runs fn in a serializable transaction and commits it when fn returns
	// nil; when Update returns nil the writes survive a crash. An error of fn is
	// returned as it is and rolls everything back. An engine may run fn again after
	// a conflict, so fn must have no effect but through tx, must not block, and
	// must not call the Store. The Txn is dead once fn returns.
	//
	// A ctx that is cancelled before the commit has begun writes nothing; one that
	// is cancelled later gives success or an error that wraps ErrAmbiguous. A panic
	// in fn rolls back and reaches the caller of Update.
	Update(ctx context.Context, fn func(tx Txn) error) error

	// Close waits for running calls and releases the store. It is idempotent: a
	// second Close does nothing and returns nil.
	Close() error
}

// Reader reads one snapshot.
type Reader interface {
	// Get returns the value of key, or ErrNotFound. The caller owns the slice.
	Get(key []byte) ([]byte, error)

	// Scan yields the items of r in byte order of their keys; a range whose From is
	// not below its To is empty. The slices of an Item are valid until the next one
	// is asked for: copy what must live longer. They are not the engine's own
	// memory: writing to them changes nothing that is stored. After an error the
	// sequence ends.
	Scan(r Range) iter.Seq2[Item, error]
}

// Txn reads and writes inside one transaction.
type Txn interface {
	// Get returns the value of key, or ErrNotFound. It sees the transaction's own
	// writes. The caller owns the slice.
	Get(key []byte) ([]byte, error)

	// Put sets the value of key. Key and value are copied. A Put that is refused
	// (ErrLimit) changes nothing.
	Put(key, value []byte) error

	// Delete removes key; deleting an absent key is no error.
	Delete(key []byte) error
}

// Range is the half-open interval [From, To) of keys. An empty To would mean "to
// the end of the store" and is refused: every scan states its end, because a
// distributed engine pays for an open one.
type Range struct {
	From, To []byte
}

// Item is one key and its value.
type Item struct {
	Key, Value []byte
}

// Prefix returns the range of all keys that begin with prefix.
// The prefix must hold at least one byte below 0xff.
func Prefix(prefix []byte) Range {
	return Range{From: prefix, To: End(prefix)}
}

// End returns the smallest key that is larger than every key that begins with
// prefix, or nil if there is none (a prefix of 0xff bytes only).
func End(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			end := append([]byte(nil), prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}
