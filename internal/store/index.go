package store

import (
	"bytes"
	"slices"
)

// row is a key that exists because of a record.
type row struct {
	key key

	// unique: no two records may have it. Other rows hold a part of the record's own
	// identity, so that they cannot meet.
	unique bool

	// owned: the row has a value of its own, which is written apart from the record
	// (a sealed value). The record only takes it with it when it goes.
	owned bool
}

// standing is what stands in the store because of one record.
type standing struct {
	exists bool
	rows   []row // ascending by key
}

func (s standing) has(k key) bool {
	_, found := slices.BinarySearchFunc(s.rows, k, func(r row, k key) int { return bytes.Compare(r.key, k) })
	return found
}

// sorted orders rows by key and reports whether every one of them names something.
func sorted(rows []row) bool {
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare(a.key, b.key) })
	return len(rows) == 0 || rows[0].key != nil
}

// difference returns the rows of to that from lacks, and the other way round. Both
// are ascending by key.
func difference(from, to []row) (added, removed []row) {
	for len(from) > 0 && len(to) > 0 {
		switch bytes.Compare(from[0].key, to[0].key) {
		case -1:
			removed, from = append(removed, from[0]), from[1:]
		case 1:
			added, to = append(added, to[0]), to[1:]
		default:
			from, to = from[1:], to[1:]
		}
	}
	return append(added, to...), append(removed, from...)
}
