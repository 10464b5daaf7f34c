package pebblekv

import "bytes"

// write is the last thing a transaction did to one key.
type write struct {
	key, value []byte
	slot       uint16
	deleted    bool
}

// writeSet holds the writes of one transaction, one for each key.
type writeSet struct {
	list  []write
	index map[string]int // positions in list; nil while a walk is cheaper
	bytes int            // of all keys and values that were put
}

// walkLimit is the number of writes up to which the list is searched from its
// start.
const walkLimit = 16

func (w *writeSet) empty() bool { return len(w.list) == 0 }

// find returns the write to key, or nil.
func (w *writeSet) find(key []byte) *write {
	if w.index != nil {
		if i, ok := w.index[string(key)]; ok {
			return &w.list[i]
		}
		return nil
	}
	for i := range w.list {
		if bytes.Equal(w.list[i].key, key) {
			return &w.list[i]
		}
	}
	return nil
}

// put copies key and value.
func (w *writeSet) put(key, value []byte, slot uint16) {
	w.bytes += len(key) + len(value)
	own := append(append(make([]byte, 0, len(key)+len(value)), key...), value...)
	n := len(key)
	w.set(write{key: own[:n:n], value: own[n:], slot: slot})
}

// remove copies key.
func (w *writeSet) remove(key []byte, slot uint16) {
	w.bytes += len(key)
	w.set(write{key: bytes.Clone(key), slot: slot, deleted: true})
}

func (w *writeSet) set(next write) {
	if old := w.find(next.key); old != nil {
		*old = next
		return
	}
	w.list = append(w.list, next)
	switch {
	case w.index != nil:
		w.index[string(next.key)] = len(w.list) - 1
	case len(w.list) > walkLimit:
		w.index = make(map[string]int, 4*walkLimit)
		for i := range w.list {
			w.index[string(w.list[i].key)] = i
		}
	}
}
