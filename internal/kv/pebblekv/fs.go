package pebblekv

import (
	"errors"
	"fmt"
	"io"
	iofs "io/fs"
	"log/slog"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// guardedFS keeps other users out of the directories that Pebble makes, and other
// processes out of the store.
type guardedFS struct{ vfs.FS }

// MkdirAll ignores perm: Pebble asks for 0755.
func (f guardedFS) MkdirAll(dir string, _ os.FileMode) error {
	return f.FS.MkdirAll(dir, 0o700)
}

// Lock tells a lock that is held from a file that cannot be made.
func (f guardedFS) Lock(name string) (io.Closer, error) {
	lock, err := f.FS.Lock(name)
	var path *iofs.PathError
	if err != nil && !errors.As(err, &path) {
		return nil, fmt.Errorf("locking %s: %w (%w)", name, ErrInUse, err)
	}
	return lock, err
}

// Unwrap implements vfs.FS.
func (f guardedFS) Unwrap() vfs.FS { return f.FS }

// warnIfOpenToOthers reports a directory that was made by somebody else with a
// wide mode. It is the operator's, so it is not changed.
func warnIfOpenToOthers(fs vfs.FS, dir string, log *slog.Logger) {
	info, err := fs.Stat(dir)
	if err == nil && info.Mode().Perm()&0o077 != 0 && vfs.Root(fs) == vfs.Default {
		log.Warn("data directory is open to other users",
			slog.String("dir", dir), slog.String("mode", info.Mode().Perm().String()))
	}
}

// space refuses writes before the disk is full. Its methods belong to the
// committer.
type space struct {
	fs      vfs.FS
	dir     string
	min     uint64 // bytes; 0 switches the check off
	written int    // bytes since the disk was last asked
	low     bool
}

// spaceStep is how much may be written between two questions to the disk, unless
// the last answer was bad.
const spaceStep = 256 << 10

func newSpace(fs vfs.FS, dir string, least int64) *space {
	return &space{fs: fs, dir: dir, min: uint64(max(least, 0)), written: spaceStep}
}

// admit returns an error that wraps ErrNoSpace if bytes more should not be
// written. A file system that cannot tell its free space is taken as large.
func (s *space) admit(bytes int) error {
	s.written += bytes
	if s.min == 0 || (s.written < spaceStep && !s.low) {
		return nil
	}
	usage, err := s.fs.GetDiskUsage(s.dir)
	if err != nil {
		return nil //nolint:nilerr // see above: such a file system is taken as large
	}
	s.written = 0
	s.low = usage.AvailBytes < s.min+uint64(bytes)
	if s.low {
		return fmt.Errorf("%d bytes are free in %s, %d must stay: %w", usage.AvailBytes, s.dir, s.min, ErrNoSpace)
	}
	return nil
}
