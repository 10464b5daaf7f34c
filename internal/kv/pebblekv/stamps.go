package pebblekv

import "hash/maphash"

// stamps tells the committer whether a key has changed since a transaction read
// it: each key falls into one of a fixed number of slots, and a slot holds the
// number of the last commit that wrote any of its keys.
//
// This is the versioned lock table of TL2 (Dice, Shalev, Shavit 2006) without the
// locks. Against a map of recently written keys it needs no pruning, no track of
// the oldest running transaction, and no memory that grows; against comparing
// values it reads nothing from the store. Its price are false conflicts, when
// another key of the slot was written during the few hundred microseconds of a
// transaction: with 200 keys written meanwhile and two read, one transaction in
// 160 runs a second time, which costs microseconds and changes no result.
type stamps struct {
	seed maphash.Seed
	last [slots]uint64 // belongs to the committer
}

// slots makes the table half a mebibyte.
const slots = 1 << 16

func newStamps() *stamps { return &stamps{seed: maphash.MakeSeed()} }

// slot may be called by anybody.
func (s *stamps) slot(key []byte) uint16 {
	return uint16(maphash.Bytes(s.seed, key))
}

// changedSince reports whether a commit after number may have written to a slot.
func (s *stamps) changedSince(read []uint16, number uint64) bool {
	for _, slot := range read {
		if s.last[slot] > number {
			return true
		}
	}
	return false
}
