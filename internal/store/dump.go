package store

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"coffer/internal/kv"
)

// line is one line of Dump.
type line struct {
	Table  table  `json:"table"`
	Key    string `json:"key"`
	Record any    `json:"record,omitempty"` // fields as in the Go type
	Bytes  *int   `json:"bytes,omitempty"`  // length of what is not shown
	Error  string `json:"error,omitempty"`
}

// Dump writes one snapshot of all records, values and blobs as lines of JSON. Of
// anything sealed or hashed it writes the length or nothing. Index rows and counters
// are left out, because they follow from the records. A record that cannot be read
// becomes a line with an error.
func (s *Store) Dump(ctx context.Context, w io.Writer) error {
	err := s.db.View(ctx, func(r kv.Reader) error {
		out := json.NewEncoder(w)
		for _, t := range slices.Concat([]table{tableMeta}, recordTables, []table{tableValue}) {
			for item, err := range r.Scan(t.all()) {
				if err != nil {
					return err
				}
				if err := out.Encode(s.line(t, item)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("dumping the store: %w", err)
	}
	return nil
}

func (s *Store) line(t table, item kv.Item) line {
	l := line{Table: t, Key: show(item.Key)}
	size := len(item.Value)
	kind, isRecord := kinds[t]
	if !isRecord {
		l.Bytes = &size
		return l
	}
	o, err := kind.open(s.codec, item.Value)
	if err != nil {
		l.Bytes, l.Error = &size, err.Error()
		return l
	}
	l.Record = o.record
	return l
}
