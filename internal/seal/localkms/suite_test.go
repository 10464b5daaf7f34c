package localkms

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/kv"
	"coffer/internal/kv/memkv"
	"coffer/internal/seal"
	"coffer/internal/seal/sealtest"
	"coffer/internal/store"
)

// bench is a KMS over a store with the projects p1 and p2 of the domain d1.
type bench struct {
	*KMS
	db    kv.Store
	store *store.Store
	root  []byte
	opts  Options
}

func newBench(t testing.TB, random io.Reader) *bench {
	t.Helper()
	b := &bench{db: memkv.New(), root: make([]byte, seal.KeySize), opts: options(random)}
	_, _ = rand.Read(b.root)
	var err error
	if b.store, err = store.Open(context.Background(), b.db, store.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.store.Close() })
	b.update(t, func(tx *store.Tx) error {
		for _, id := range []string{"p1", "p2"} {
			if err := tx.PutProject(&store.Project{ID: id, DomainID: "d1", Name: id, Enabled: true}); err != nil {
				return err
			}
		}
		return nil
	})
	b.KMS = b.open(t)
	return b
}

func options(random io.Reader) Options {
	var ids atomic.Int64
	return Options{
		Now:   func() csms.Millis { return testNow },
		Rand:  random,
		NewID: func() string { return fmt.Sprintf("00000000-0000-4000-9000-%012d", ids.Add(1)) },
	}
}

// open opens one more KMS over the same store.
func (b *bench) open(t testing.TB) *KMS {
	t.Helper()
	k, err := Open(context.Background(), b.store, b.root, b.opts)
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	return k
}

func (b *bench) update(t testing.TB, fn func(*store.Tx) error) {
	t.Helper()
	if err := b.store.Update(context.Background(), fn); err != nil {
		t.Fatal(err)
	}
}

func (b *bench) create(t testing.TB, project, alias string) seal.Key {
	t.Helper()
	key, err := b.CreateKey(context.Background(), project, "d1", alias, "")
	if err != nil {
		t.Fatalf("CreateKey: %v", err)
	}
	return key
}

// setState moves a key as an administrator does, step by step.
func (b *bench) setState(t *testing.T, key seal.Key, to seal.State) {
	t.Helper()
	ctx := context.Background()
	now, err := b.Describe(ctx, key.Project, key.ID)
	must(t, err)
	if now.State == seal.StatePendingDeletion && to != seal.StatePendingDeletion {
		_, err := b.CancelKeyDeletion(ctx, key.Project, key.ID)
		must(t, err)
		now.State = seal.StateDisabled
	}
	switch {
	case now.State == to:
	case to == seal.StateEnabled:
		_, err = b.EnableKey(ctx, key.Project, key.ID)
	case to == seal.StateDisabled:
		_, err = b.DisableKey(ctx, key.Project, key.ID)
	default:
		_, err = b.ScheduleKeyDeletion(ctx, key.Project, key.ID, 1_800_000_000_000)
	}
	must(t, err)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	sealtest.Run(t, func(t *testing.T) sealtest.Harness {
		b := newBench(t, rand.Reader)
		return sealtest.Harness{
			KMS: b.KMS, Domain: "d1", Project: "p1", Other: "p2", Rand: rand.Reader,
			CreateKey: func(t *testing.T, project string) seal.Key { return b.create(t, project, "") },
			SetState:  b.setState,
			Rotate: func(t *testing.T, key seal.Key) {
				_, err := b.RotateKey(context.Background(), key.Project, key.ID)
				must(t, err)
			},
			Reopen: func(t *testing.T) seal.KMS { return b.open(t) },
		}
	})
}
