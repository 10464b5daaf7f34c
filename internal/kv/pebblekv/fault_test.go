package pebblekv

import (
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// faultFS lets a test stand between the store and the syncs of its log.
type faultFS struct {
	vfs.FS
	onSync  atomic.Pointer[func() error]
	onWrite atomic.Pointer[func() error]
}

func newFaultFS() *faultFS { return &faultFS{FS: vfs.NewMem()} }

func (f *faultFS) Unwrap() vfs.FS { return f.FS }

func (f *faultFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, c)
	return f.wrap(name, file, err)
}

func (f *faultFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(from, to, c)
	return f.wrap(to, file, err)
}

func (f *faultFS) wrap(name string, file vfs.File, err error) (vfs.File, error) {
	if err == nil && strings.HasSuffix(name, ".log") {
		return &faultFile{File: file, fs: f}, nil
	}
	return file, err
}

type faultFile struct {
	vfs.File
	fs *faultFS
}

func maybe(fn *func() error) error {
	if fn == nil {
		return nil
	}
	return (*fn)()
}

func (f *faultFile) Write(p []byte) (int, error) {
	if err := maybe(f.fs.onWrite.Load()); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f *faultFile) Sync() error {
	if err := maybe(f.fs.onSync.Load()); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultFile) SyncData() error {
	if err := maybe(f.fs.onSync.Load()); err != nil {
		return err
	}
	return f.File.SyncData()
}

// hold makes the next sync wait. entered is closed when it has begun; release
// gives it its outcome, and lets the syncs after it pass.
func (f *faultFS) hold() (entered <-chan struct{}, release func(outcome error)) {
	begun, outcome := make(chan struct{}), make(chan error)
	var first atomic.Bool
	wait := func() error {
		if first.Swap(true) {
			return nil
		}
		close(begun)
		return <-outcome
	}
	f.onSync.Store(&wait)
	return begun, func(err error) { outcome <- err }
}

// holdNext lets the sync that is held end well, and holds the one after it.
func (f *faultFS) holdNext(release func(error)) (<-chan struct{}, func(error)) {
	entered, next := f.hold()
	release(nil)
	return entered, next
}

// awaitQueue returns when n calls wait for the committer, which is held in a sync.
func awaitQueue(t *testing.T, s *Store, n int) {
	t.Helper()
	for len(s.committer.queue) < n {
		if t.Failed() {
			t.FailNow()
		}
		runtime.Gosched()
	}
}

// logBuffer collects what a logger writes, also from background goroutines.
type logBuffer struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// logger logs everything, without times.
func (b *logBuffer) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}
