package kv

import (
	"errors"
	"fmt"
)

// Limits that every engine accepts; larger input is refused with an error that
// wraps ErrLimit before anything is written.
const (
	MaxKey   = 1 << 10 // bytes of one key; the empty key is refused too
	MaxValue = 1 << 20 // bytes of one value; the empty value is allowed
)

// ErrLimit wraps every refusal of a key, a value or a range that the port does
// not allow. It is a bug or a missing check of the caller, not a state of the
// store.
var ErrLimit = errors.New("kv: outside the limits of the store")

// CheckKey refuses the empty key and one longer than MaxKey. Engines call it
// first in Get, Put and Delete, so that all of them refuse the same input.
func CheckKey(key []byte) error {
	if len(key) == 0 {
		return fmt.Errorf("empty key: %w", ErrLimit)
	}
	if len(key) > MaxKey {
		return fmt.Errorf("key of %d bytes: %w", len(key), ErrLimit)
	}
	return nil
}

// CheckPut refuses what CheckKey refuses, and a value longer than MaxValue.
func CheckPut(key, value []byte) error {
	if err := CheckKey(key); err != nil {
		return err
	}
	if len(value) > MaxValue {
		return fmt.Errorf("value of %d bytes: %w", len(value), ErrLimit)
	}
	return nil
}

// Check refuses a range without an end. An empty From is the start of the store;
// bounds need not be keys that could be stored.
func (r Range) Check() error {
	if len(r.To) == 0 {
		return fmt.Errorf("range without an end: %w", ErrLimit)
	}
	return nil
}
