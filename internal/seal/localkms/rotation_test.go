package localkms

import (
	"context"
	"crypto/rand"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/seal"
	"coffer/internal/store"
)

const testNow csms.Millis = 1_700_000_000_000 // the clock of a bench

// What plans a rotation, and what takes the plan away.
func TestRotationIsPlanned(t *testing.T) {
	b := newBench(t, rand.Reader)
	key := b.create(t, "p1", "")
	for _, step := range []struct {
		name     string
		do       func(context.Context, string, string) (seal.Key, error)
		interval int
		next     csms.Millis
	}{
		{"disable", b.DisableKeyRotation, 0, 0},
		{"interval", b.interval(30), 30, 0},
		{"enable", b.EnableKeyRotation, 30, testNow + 30*dayMillis},
		{"interval again", b.interval(40), 40, testNow + 40*dayMillis},
		{"rotate", b.RotateKey, 40, testNow + 40*dayMillis},
		{"disable again", b.DisableKeyRotation, 40, 0},
		{"rotate while off", b.RotateKey, 40, 0},
		{"enable again", b.EnableKeyRotation, 40, testNow + 40*dayMillis},
	} {
		_, err := step.do(t.Context(), "p1", key.ID)
		must(t, err)
		rec, err := b.store.Key(t.Context(), "p1", key.ID)
		must(t, err)
		if rec.RotationInterval != step.interval || rec.NextRotation != step.next {
			t.Errorf("%s: interval %d, next %d; want %d, %d", step.name, rec.RotationInterval, rec.NextRotation, step.interval, step.next)
		}
	}
}

func (b *bench) interval(days int) func(context.Context, string, string) (seal.Key, error) {
	return func(ctx context.Context, project, keyID string) (seal.Key, error) {
		return b.UpdateKeyRotationInterval(ctx, project, keyID, days)
	}
}

func TestRotationIsRefused(t *testing.T) {
	b := newBench(t, rand.Reader)
	standard, err := b.DefaultKey(t.Context(), "p1")
	must(t, err)
	disabled, pending := b.create(t, "p1", ""), b.create(t, "p1", "")
	b.setState(t, disabled, seal.StateDisabled)
	b.setState(t, pending, seal.StatePendingDeletion)
	for id, want := range map[string]error{
		standard.ID: ErrDefaultKey, disabled.ID: seal.ErrKeyDisabled, pending.ID: seal.ErrKeyPendingDeletion, "none": seal.ErrKeyNotFound,
	} {
		for name, do := range map[string]func(context.Context, string, string) (seal.Key, error){
			"enable": b.EnableKeyRotation, "disable": b.DisableKeyRotation, "interval": b.interval(30),
		} {
			if _, err := do(t.Context(), "p1", id); !errors.Is(err, want) {
				t.Errorf("%s of %s: %v; want %v", name, id, err, want)
			}
		}
	}
}

// Several runners rotate a due key once; what was wrapped before still opens.
func TestADueKeyIsRotatedOnce(t *testing.T) {
	b := newBench(t, rand.Reader)
	key := b.create(t, "p1", "")
	plain, wrapped, err := b.NewDataKey(t.Context(), key, nil)
	must(t, err)
	_, err = b.EnableKeyRotation(t.Context(), "p1", key.ID)
	must(t, err)
	due := testNow + DefaultRotationInterval*dayMillis
	if did, err := b.RotateDueKey(t.Context(), "p1", key.ID, due-1); did || err != nil {
		t.Errorf("a millisecond early: %v, %v", did, err)
	}
	// The clock of a bench stands still, so the next plan is not due at this instant.
	b.update(t, func(tx *store.Tx) error {
		rec, err := tx.Key("p1", key.ID)
		if err != nil {
			return err
		}
		rec.NextRotation = testNow
		return tx.PutKey(rec)
	})
	var all sync.WaitGroup
	var rotated atomic.Int32
	for range 8 {
		all.Go(func() {
			did, err := b.RotateDueKey(context.Background(), "p1", key.ID, testNow)
			if err != nil {
				t.Error(err)
			}
			if did {
				rotated.Add(1)
			}
		})
	}
	all.Wait()
	rec, err := b.store.Key(t.Context(), "p1", key.ID)
	must(t, err)
	if rotated.Load() != 1 || len(rec.Versions) != 2 || rec.NextRotation != due {
		t.Errorf("rotated %d times to %d versions, next %d", rotated.Load(), len(rec.Versions), rec.NextRotation)
	}
	opened, err := b.OpenDataKey(t.Context(), "p1", key.ID, wrapped, nil)
	if err != nil || !cmp.Equal(plain, opened) {
		t.Errorf("an older data key does not open: %v", err)
	}
}

func TestWhatIsNotDueIsNotRotated(t *testing.T) {
	b := newBench(t, rand.Reader)
	off, disabled := b.create(t, "p1", ""), b.create(t, "p1", "")
	_, err := b.EnableKeyRotation(t.Context(), "p1", disabled.ID)
	must(t, err)
	b.setState(t, disabled, seal.StateDisabled)
	for _, id := range []string{off.ID, disabled.ID, "none"} {
		if did, err := b.RotateDueKey(t.Context(), "p1", id, 1<<50); did || err != nil {
			t.Errorf("%s: %v, %v", id, did, err)
		}
	}
	must(t, b.db.Close())
	if did, err := b.RotateDueKey(t.Context(), "p1", "unread", 1<<50); did || err == nil {
		t.Errorf("a closed store: %v, %v", did, err)
	}
}

// An alias is unique, also when it is taken by renaming.
func TestUpdateKeyAlias(t *testing.T) {
	b := newBench(t, rand.Reader)
	key := b.create(t, "p1", "mine")
	_ = b.create(t, "p1", "yours")
	_ = b.create(t, "p2", "theirs")
	for alias, want := range map[string]error{
		"yours": ErrAliasTaken, seal.DefaultAlias: ErrDefaultKey, "theirs": nil, "mine": nil,
	} {
		if _, err := b.UpdateKeyAlias(t.Context(), "p1", key.ID, alias); !errors.Is(err, want) {
			t.Errorf("%s: %v; want %v", alias, err, want)
		}
	}
}

func TestTagsOfAKeyAreSortedAndBounded(t *testing.T) {
	b := newBench(t, rand.Reader)
	key := b.create(t, "p1", "")
	set := func(most int, tags ...store.KeyTag) error {
		_, err := b.SetKeyTags(t.Context(), "p1", key.ID, tags, most)
		return err
	}
	must(t, set(3, store.KeyTag{Key: "b", Value: "1"}, store.KeyTag{Key: "a"}))
	must(t, set(3, store.KeyTag{Key: "c"}, store.KeyTag{Key: "b", Value: "2"}))
	if err := set(3, store.KeyTag{Key: "a", Value: "lost"}, store.KeyTag{Key: "d"}); !errors.Is(err, ErrTooManyTags) {
		t.Errorf("a fourth of three: %v", err)
	}
	_, err := b.RemoveKeyTags(t.Context(), "p1", key.ID, []store.KeyTag{{Key: "c", Value: "whatever"}, {Key: "z"}})
	must(t, err)
	rec, err := b.store.Key(t.Context(), "p1", key.ID)
	must(t, err)
	if diff := cmp.Diff([]store.KeyTag{{Key: "a"}, {Key: "b", Value: "2"}}, rec.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}
