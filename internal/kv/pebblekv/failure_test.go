package pebblekv

import (
	"errors"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"coffer/internal/kv"

	"github.com/cockroachdb/pebble/v2/vfs"
)

var errDisk = errors.New("the disk is gone")

// TestFailedLog breaks the log under three transactions: one in the sync, two
// behind it of which one is in conflict.
func TestFailedLog(t *testing.T) {
	var logged logBuffer
	fs := newFaultFS()
	s, err := Open("store", Options{FS: fs, Logger: logged.logger()})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	mustUpdate(t, s, put("before", "1"))
	entered, release := fs.hold()
	inSync := start(t.Context(), s, put("in sync", "1"))
	<-entered
	behind := start(t.Context(), s, put("behind", "1"))
	awaitQueue(t, s, 1)
	release(errDisk)

	err = <-inSync
	wantError(t, "Update in the sync that failed", err, kv.ErrAmbiguous)
	wantError(t, "Update in the sync that failed", err, errDisk)
	for what, err := range map[string]error{
		"Update behind the sync that failed": <-behind,
		"Update after the failure":           s.Update(t.Context(), put("after", "1")),
		"Compact after the failure":          s.Compact(t.Context()),
	} {
		wantError(t, what, err, ErrFailed)
		if errors.Is(err, kv.ErrAmbiguous) {
			t.Errorf("%s returned %v, but its outcome is known", what, err)
		}
	}
	wantValue(t, s, "before", "1")
	wantValue(t, s, "in sync", "<absent>")
	if !s.Metrics().Failed {
		t.Error("metrics do not say that the store has failed")
	}
	if n := strings.Count(logged.String(), "writing the log"); n != 1 {
		t.Errorf("the failure was logged %d times, want once:\n%s", n, logged.String())
	}
	wantError(t, "Close", s.Close(), errDisk)

	reopened := openStore(t, "store", Options{FS: fs.FS})
	wantValue(t, reopened, "before", "1")
	wantValue(t, reopened, "behind", "<absent>")
	wantValue(t, reopened, "after", "<absent>")
}

// TestFailedWrite breaks the write to the log instead of its sync.
func TestFailedWrite(t *testing.T) {
	fs := newFaultFS()
	s, err := Open("store", Options{FS: fs})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	mustUpdate(t, s, put("before", "1"))
	broken := func() error { return errDisk }
	fs.onWrite.Store(&broken)
	wantError(t, "Update", s.Update(t.Context(), put("k", "1")), kv.ErrAmbiguous)
	wantError(t, "Update", s.Update(t.Context(), put("k", "2")), ErrFailed)
	wantValue(t, s, "k", "<absent>")
	fs.onWrite.Store(nil)
	wantError(t, "Update once the disk works again", s.Update(t.Context(), put("k", "3")), ErrFailed)
	wantError(t, "Close", s.Close(), errDisk)

	reopened := openStore(t, "store", Options{FS: fs.FS})
	wantValue(t, reopened, "before", "1")
	wantValue(t, reopened, "k", "<absent>")
	mustUpdate(t, reopened, put("k", "4"))
	wantValue(t, reopened, "k", "4")
}

// TestConflictInFailedBatch fails the sync of a batch in which one transaction was
// refused because of the other. Its error spoke of a write that was never made.
func TestConflictInFailedBatch(t *testing.T) {
	fs := newFaultFS()
	s, err := Open("store", Options{FS: fs})
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	entered, release := fs.hold()
	w := start(t.Context(), s, put("w", "1"))
	<-entered
	claim := func(tx kv.Txn) error {
		if _, err := tx.Get([]byte("k")); err == nil {
			return errExists
		}
		return tx.Put([]byte("k"), nil)
	}
	winner := start(t.Context(), s, claim)
	awaitQueue(t, s, 1)
	loser := start(t.Context(), s, claim)
	awaitQueue(t, s, 2)
	entered, release = fs.holdNext(release)
	wantError(t, "Update", <-w, nil)
	<-entered
	release(errDisk)
	wantError(t, "the winner", <-winner, kv.ErrAmbiguous)
	err = <-loser
	wantError(t, "the loser", err, ErrFailed)
	if errors.Is(err, errExists) || errors.Is(err, kv.ErrAmbiguous) {
		t.Errorf("the loser returned %v, want only that the store has failed", err)
	}
	wantError(t, "Close", s.Close(), errDisk)
}

func TestNoSpace(t *testing.T) {
	fs := vfs.NewMem()
	const total = 1 << 40
	free := func(bytes uint64) {
		fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: bytes, TotalBytes: total, UsedBytes: total - bytes})
	}
	free(10 << 20)
	s := openStore(t, "store", Options{FS: fs, MinFreeBytes: 1 << 20})
	mustUpdate(t, s, put("a", "1"))

	free(1<<20 - 1)
	large := strings.Repeat("x", spaceStep)
	err := s.Update(t.Context(), put("b", large))
	wantError(t, "Update on a full disk", err, ErrNoSpace)
	if errors.Is(err, kv.ErrAmbiguous) {
		t.Errorf("Update returned %v, but nothing was written", err)
	}
	wantError(t, "a small Update on a full disk", s.Update(t.Context(), put("b", "1")), ErrNoSpace)
	wantValue(t, s, "a", "1")
	wantValue(t, s, "b", "<absent>")

	free(10 << 20)
	mustUpdate(t, s, put("b", "2"))
	wantValue(t, s, "b", "2")
}

func TestNoSpaceCheckIsSwitchedOff(t *testing.T) {
	fs := vfs.NewMem()
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 1, TotalBytes: 2, UsedBytes: 1})
	s := openStore(t, "store", Options{FS: fs, MinFreeBytes: -1})
	mustUpdate(t, s, put("a", "1"))
}

// TestFatal runs the test binary again, because it ends the process.
func TestFatal(t *testing.T) {
	const variable = "COFFER_PEBBLEKV_FATAL"
	if os.Getenv(variable) != "" {
		defer func() { _ = recover() }()
		newPebbleLogger(slog.New(slog.DiscardHandler)).Fatalf("lost %s", "000007.sst")
		return
	}
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFatal$")
	child.Env = append(os.Environ(), variable+"=1")
	out, err := child.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "pebble: lost 000007.sst") {
		t.Errorf("a fatal error of Pebble left the process alive (%v):\n%s", err, out)
	}
}

func TestLogger(t *testing.T) {
	var out logBuffer
	log := out.logger()
	crashed := ""
	l := newPebbleLogger(log)
	l.crash = func(message string) { crashed = message }
	l.Infof("chatter %d", 1)
	l.Errorf("trouble %d", 2)
	l.Fatalf("end %d", 3)
	events := newListener(log)
	for range 3 {
		events.BackgroundError(errDisk)
	}
	events.BackgroundError(errExists)
	want := `level=ERROR msg=pebble message="trouble 2"
level=ERROR msg="pebble cannot go on" message="end 3"
level=ERROR msg="flushing or compacting" error="the disk is gone"
level=ERROR msg="flushing or compacting" error=exists
`
	if out.String() != want || crashed != "pebble: end 3" {
		t.Errorf("logged\n%swant\n%scrashed with %q", out.String(), want, crashed)
	}
}
