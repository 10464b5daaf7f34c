package pebblekv

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"coffer/internal/kv"
)

// checkpoint writes a checkpoint to dir that can be opened.
//
// A crash between two steps of an Open leaves a store whose next Open finds nothing
// to replay. Such a database has not begun a MANIFEST of its own until its first
// flush, and Pebble 2.1.7 then copies none of the old one: the checkpoint looks fine
// and opens as a malformed store. So that is looked for, and mended by a flush.
func (s *Store) checkpoint(dir string) error {
	if err := s.db.Checkpoint(dir); err != nil {
		return err
	}
	empty, err := s.manifestIsEmpty(dir)
	if err != nil || !empty {
		return err
	}
	if err := errors.Join(s.fs.RemoveAll(dir), s.beginManifest()); err != nil {
		return err
	}
	return s.db.Checkpoint(dir)
}

func (s *Store) manifestIsEmpty(dir string) (bool, error) {
	names, err := s.fs.List(dir)
	if err != nil {
		return false, err
	}
	for _, name := range names {
		if !strings.HasPrefix(name, "MANIFEST-") {
			continue
		}
		info, err := s.fs.Stat(s.fs.PathJoin(dir, name))
		if err != nil || info.Size() > 0 {
			return false, err
		}
	}
	return true, nil
}

// beginManifest records a new version, which takes something to flush: the deletion
// of a key that is longer than any key can be.
func (s *Store) beginManifest() error {
	b := s.db.NewBatch()
	defer b.Close() //nolint:errcheck // a batch has no error to give
	nobody := bytes.Repeat([]byte{0xff}, kv.MaxKey+1)
	if err := errors.Join(b.Delete(nobody, nil), s.committer.write(b)); err != nil {
		return fmt.Errorf("beginning a manifest: %w", err)
	}
	return s.db.Flush()
}
