package localkms

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/kv"
	"coffer/internal/kv/memkv"
	"coffer/internal/seal"
	"coffer/internal/store"
)

func TestOpenKnowsItsRootKey(t *testing.T) {
	b := newBench(t, rand.Reader)
	other := bytes.Clone(b.root)
	other[31] ^= 1
	for name, tc := range map[string]struct {
		root []byte
		want error
	}{"the_same": {b.root, nil}, "another": {other, seal.ErrWrongRoot}} {
		if _, err := Open(t.Context(), b.store, tc.root, b.opts); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(t.Context(), b.store, b.root[:31], b.opts); err == nil {
		t.Error("a root key of 31 bytes was taken")
	}
}

// What is damaged is not taken for a wrong root key, and not made anew.
func TestOpenRefusesDamage(t *testing.T) {
	meta := func(name store.MetaName) []byte { return []byte("meta\x00" + string(name)) }
	spoil := func(name store.MetaName) func(kv.Txn) error {
		return func(tx kv.Txn) error {
			v, err := tx.Get(meta(name))
			if err != nil {
				return err
			}
			return tx.Put(meta(name), v[:len(v)-1])
		}
	}
	for name, tc := range map[string]struct {
		edit func(kv.Txn) error
		want string
	}{
		"check_value_cut":      {spoil(store.MetaRootCheck), "reading check value"},
		"check_value_missing":  {func(tx kv.Txn) error { return tx.Delete(meta(store.MetaRootCheck)) }, "an identity key and no check value"},
		"identity_key_cut":     {spoil(store.MetaIdentityKey), "opening the identity key"},
		"identity_key_missing": {func(tx kv.Txn) error { return tx.Delete(meta(store.MetaIdentityKey)) }, "reading the identity key"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, rand.Reader)
			must(t, b.db.Update(t.Context(), tc.edit))
			_, err := Open(t.Context(), b.store, b.root, b.opts)
			if err == nil || errors.Is(err, seal.ErrWrongRoot) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("Open: %v, want an error with %q", err, tc.want)
			}
		})
	}
}

// Two processes may open an empty store at the same time: one identity key is made.
func TestOpenTwiceAtTheSameTimeMakesOneIdentityKey(t *testing.T) {
	st, err := store.Open(t.Context(), memkv.New(), store.Options{})
	must(t, err)
	root := bytes.Repeat([]byte{5}, seal.KeySize)
	opened := make([]*KMS, 8)
	var all sync.WaitGroup
	for i := range opened {
		all.Go(func() {
			var err error
			if opened[i], err = Open(context.Background(), st, root, options(rand.Reader)); err != nil {
				t.Errorf("Open: %v", err)
			}
		})
	}
	all.Wait()
	if t.Failed() {
		return
	}
	sealed, err := opened[0].IdentityBox().Seal(nil, []byte("secret key"), []byte("place"))
	must(t, err)
	for i, k := range opened {
		got, err := k.IdentityBox().Open(nil, sealed, []byte("place"))
		if err != nil || string(got) != "secret key" {
			t.Errorf("KMS %d: %q, %v", i, got, err)
		}
	}
}

func TestDefaultKeyIsProtected(t *testing.T) {
	b := newBench(t, rand.Reader)
	if _, err := b.CreateKey(t.Context(), "p1", "d1", seal.DefaultAlias, ""); !errors.Is(err, ErrDefaultKey) {
		t.Errorf("CreateKey with the default alias: %v", err)
	}
	key, err := b.DefaultKey(t.Context(), "p1")
	must(t, err)
	if _, err := b.DisableKey(t.Context(), "p1", key.ID); !errors.Is(err, ErrDefaultKey) {
		t.Errorf("DisableKey: %v", err)
	}
	if _, err := b.ScheduleKeyDeletion(t.Context(), "p1", key.ID, 1); !errors.Is(err, ErrDefaultKey) {
		t.Errorf("ScheduleKeyDeletion: %v", err)
	}
	rec, err := b.store.Key(t.Context(), "p1", key.ID)
	must(t, err)
	if !rec.Default || rec.State != store.KeyEnabled || rec.CreateTime != b.opts.Now() {
		t.Errorf("record: %+v", rec)
	}
	if _, err := b.DefaultKey(t.Context(), "nowhere"); !errors.Is(err, store.ErrNotFound) || errors.Is(err, seal.ErrKey) {
		t.Errorf("DefaultKey of a project that does not exist: %v", err)
	}
}

func TestAliasIsUniqueInTheProject(t *testing.T) {
	b := newBench(t, rand.Reader)
	b.create(t, "p1", "x")
	b.create(t, "p2", "x")
	if _, err := b.CreateKey(t.Context(), "p1", "d1", "x", ""); !errors.Is(err, ErrAliasTaken) {
		t.Errorf("CreateKey with an alias in use: %v", err)
	}
}

func TestStateMovesAsTheKMSAPIHasIt(t *testing.T) {
	ops := map[string]func(*bench, context.Context, string, string) (seal.Key, error){
		"enable":  func(b *bench, c context.Context, p, id string) (seal.Key, error) { return b.EnableKey(c, p, id) },
		"disable": func(b *bench, c context.Context, p, id string) (seal.Key, error) { return b.DisableKey(c, p, id) },
		"schedule": func(b *bench, c context.Context, p, id string) (seal.Key, error) {
			return b.ScheduleKeyDeletion(c, p, id, 99)
		},
		"cancel": func(b *bench, c context.Context, p, id string) (seal.Key, error) {
			return b.CancelKeyDeletion(c, p, id)
		},
		"rotate": func(b *bench, c context.Context, p, id string) (seal.Key, error) { return b.RotateKey(c, p, id) },
	}
	const on, off, pending = seal.StateEnabled, seal.StateDisabled, seal.StatePendingDeletion
	for _, tc := range []struct {
		from seal.State
		op   string
		to   seal.State
		want error
	}{
		{on, "enable", on, ErrNotDisabled},
		{off, "enable", on, nil},
		{pending, "enable", pending, ErrNotDisabled},
		{on, "disable", off, nil},
		{off, "disable", off, ErrNotEnabled},
		{pending, "disable", pending, ErrNotEnabled},
		{on, "schedule", pending, nil},
		{off, "schedule", pending, nil},
		{pending, "schedule", pending, ErrAlreadyPending},
		{on, "cancel", on, ErrNotPending},
		{off, "cancel", off, ErrNotPending},
		{pending, "cancel", off, nil},
		{on, "rotate", on, nil},
		{off, "rotate", off, ErrNotEnabled},
		{pending, "rotate", pending, ErrNotEnabled},
	} {
		t.Run(tc.op+"_a_key_that_is_"+strings.ReplaceAll(tc.from.String(), " ", "_"), func(t *testing.T) {
			b := newBench(t, rand.Reader)
			key := b.create(t, "p1", "")
			b.setState(t, key, tc.from)
			if _, err := ops[tc.op](b, t.Context(), "p2", key.ID); !errors.Is(err, seal.ErrKeyNotFound) {
				t.Errorf("from another project: %v", err)
			}
			got, err := ops[tc.op](b, t.Context(), "p1", key.ID)
			if !errors.Is(err, tc.want) {
				t.Fatalf("got error %v, want %v", err, tc.want)
			}
			now, err := b.Describe(t.Context(), "p1", key.ID)
			must(t, err)
			if now.State != tc.to || tc.want == nil && got != now {
				t.Errorf("answer %+v, then %+v; want state %v", got, now, tc.to)
			}
			rec, err := b.store.Key(t.Context(), "p1", key.ID)
			must(t, err)
			if (rec.DeletionTime != 0) != (tc.to == pending) {
				t.Errorf("state %v with deletion time %d", now.State, rec.DeletionTime)
			}
		})
	}
}

func TestRotationsAtTheSameTimeAllCount(t *testing.T) {
	b := newBench(t, rand.Reader)
	key := b.create(t, "p1", "")
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, err := b.RotateKey(context.Background(), "p1", key.ID); err != nil {
				t.Errorf("RotateKey: %v", err)
			}
		})
	}
	all.Wait()
	rec, err := b.store.Key(t.Context(), "p1", key.ID)
	must(t, err)
	var numbers []int
	for _, v := range rec.Versions {
		numbers = append(numbers, v.Number)
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4, 5, 6, 7, 8, 9}, numbers); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
	_, wrapped, err := b.NewDataKey(t.Context(), key, nil)
	must(t, err)
	if v, err := seal.BoxVersion(wrapped); v != 9 || err != nil {
		t.Errorf("new data keys are under version %d, %v", v, err)
	}
}

// Material that was moved to another key or version does not open.
func TestMovedMaterialIsTampered(t *testing.T) {
	b := newBench(t, rand.Reader)
	a, c := b.create(t, "p1", ""), b.create(t, "p1", "")
	_, wrapped, err := b.NewDataKey(t.Context(), a, nil)
	must(t, err)
	b.update(t, func(tx *store.Tx) error {
		from, err := tx.Key("p1", c.ID)
		if err != nil {
			return err
		}
		to, err := tx.Key("p1", a.ID)
		if err != nil {
			return err
		}
		to.Versions[0].Wrapped = from.Versions[0].Wrapped
		return tx.PutKey(to)
	})
	fresh := b.open(t)
	if _, err := fresh.OpenDataKey(t.Context(), "p1", a.ID, wrapped, nil); !errors.Is(err, seal.ErrTampered) {
		t.Errorf("OpenDataKey: %v", err)
	}
	if _, _, err := fresh.NewDataKey(t.Context(), a, nil); !errors.Is(err, seal.ErrTampered) {
		t.Errorf("NewDataKey: %v", err)
	}
}

func TestKeyWithoutAVersionIsReportedAsDamage(t *testing.T) {
	b := newBench(t, rand.Reader)
	key := b.create(t, "p1", "")
	b.update(t, func(tx *store.Tx) error {
		rec, err := tx.Key("p1", key.ID)
		if err != nil {
			return err
		}
		rec.Versions = nil
		return tx.PutKey(rec)
	})
	if _, _, err := b.NewDataKey(t.Context(), key, nil); err == nil || errors.Is(err, seal.ErrKey) {
		t.Errorf("NewDataKey: %v", err)
	}
}

func TestAdditionalDataIsBounded(t *testing.T) {
	b := newBench(t, rand.Reader)
	key := b.create(t, "p1", "")
	if _, _, err := b.NewDataKey(t.Context(), key, make([]byte, seal.MaxAAD)); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if _, _, err := b.NewDataKey(t.Context(), key, make([]byte, seal.MaxAAD+1)); err == nil {
		t.Error("over the limit: no error")
	}
}

func TestMaterialOfADestroyedKeyIsForgotten(t *testing.T) {
	b := newBench(t, rand.Reader)
	key, kept := b.create(t, "p1", ""), b.create(t, "p1", "")
	for _, key := range []seal.Key{key, kept} {
		_, _, err := b.NewDataKey(t.Context(), key, nil)
		must(t, err)
	}
	b.update(t, func(tx *store.Tx) error {
		rec, err := tx.Key("p1", key.ID)
		if err != nil {
			return err
		}
		return tx.DeleteKey(rec)
	})
	if _, _, err := b.NewDataKey(t.Context(), key, nil); !errors.Is(err, seal.ErrKeyNotFound) {
		t.Errorf("NewDataKey: %v", err)
	}
	if b.material.get(ref{"p1", key.ID, 1}) != nil || b.material.get(ref{"p1", kept.ID, 1}) == nil {
		t.Error("the wrong material is kept")
	}
}

func TestMaterialIsBounded(t *testing.T) {
	var m material
	for i := range maxOpened + 10 {
		m.put(ref{"p", "k", i}, &seal.Box{})
	}
	if len(m.opened) != maxOpened || m.get(ref{"p", "k", maxOpened + 9}) == nil {
		t.Errorf("%d boxes are kept", len(m.opened))
	}
}

// recorder remembers every key that was drawn.
type recorder struct {
	mu   sync.Mutex
	keys [][]byte
}

func (r *recorder) Read(p []byte) (int, error) {
	n, err := rand.Read(p)
	if len(p) == seal.KeySize {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.keys = append(r.keys, bytes.Clone(p))
	}
	return n, err
}

func TestNoKeyIsStoredInTheClear(t *testing.T) {
	random := &recorder{}
	b := newBench(t, random)
	key, err := b.DefaultKey(t.Context(), "p1")
	must(t, err)
	_, err = b.RotateKey(t.Context(), "p1", key.ID)
	must(t, err)
	_, wrapped, err := b.NewDataKey(t.Context(), key, nil)
	must(t, err)
	b.update(t, func(tx *store.Tx) error { return tx.PutValue("id", 1, wrapped) })
	if n := len(random.keys); n != 5 { // identity key, blob key, two versions, data key
		t.Fatalf("%d keys were drawn", n)
	}
	forbidden := append(slices.Clone(random.keys), b.root)
	err = b.db.View(t.Context(), func(r kv.Reader) error {
		for item, err := range r.Scan(kv.Range{To: []byte{0xff}}) {
			if err != nil {
				return err
			}
			for i, k := range forbidden {
				if bytes.Contains(item.Value, k) || bytes.Contains(item.Key, k) {
					t.Errorf("key %d stands in the clear under %q", i, item.Key)
				}
			}
		}
		return nil
	})
	must(t, err)
}

// short is randomness that ends.
type short struct{ left int }

func (s *short) Read(p []byte) (int, error) {
	n := min(len(p), s.left)
	if s.left -= n; n == 0 {
		return 0, errors.New("no randomness left")
	}
	return rand.Read(p[:n])
}

func TestShortRandomnessIsAnErrorAndMakesNoKey(t *testing.T) {
	b := newBench(t, rand.Reader)
	key := b.create(t, "p1", "")
	ops := map[string]func(*KMS) error{
		"CreateKey":  func(k *KMS) error { _, err := k.CreateKey(t.Context(), "p1", "d1", "short", ""); return err },
		"DefaultKey": func(k *KMS) error { _, err := k.DefaultKey(t.Context(), "p1"); return err },
		"RotateKey":  func(k *KMS) error { _, err := k.RotateKey(t.Context(), "p1", key.ID); return err },
		"NewDataKey": func(k *KMS) error { _, _, err := k.NewDataKey(t.Context(), key, nil); return err },
	}
	for name, op := range ops {
		for left := range seal.KeySize + 12 { // one byte less than a key and a nonce
			k, err := Open(t.Context(), b.store, b.root, Options{Now: b.opts.Now, NewID: b.opts.NewID, Rand: &short{left}})
			must(t, err)
			if err := op(k); err == nil {
				t.Errorf("%s with %d random bytes gives no error", name, left)
			}
		}
	}
	rec, err := b.store.Key(t.Context(), "p1", key.ID)
	must(t, err)
	if len(rec.Versions) != 1 {
		t.Errorf("the key has %d versions", len(rec.Versions))
	}
	if _, err := b.store.KeyByAlias(t.Context(), "p1", "short"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a key was made: %v", err)
	}
	if _, err := b.store.KeyByAlias(t.Context(), "p1", seal.DefaultAlias); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a default key was made: %v", err)
	}
}

func BenchmarkOpenDataKey(b *testing.B) {
	k := newBench(b, rand.Reader)
	key := k.create(b, "p1", "")
	aad := make([]byte, 32)
	_, wrapped, err := k.NewDataKey(context.Background(), key, aad)
	must(b, err)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.OpenDataKey(context.Background(), "p1", key.ID, wrapped, aad); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDefaultKey(b *testing.B) {
	k := newBench(b, rand.Reader)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.DefaultKey(context.Background(), "p1"); err != nil {
			b.Fatal(err)
		}
	}
}
