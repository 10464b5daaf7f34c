package kvtest

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"coffer/internal/kv"
)

// benchSecrets is the number of secrets that are there before a benchmark starts.
const benchSecrets = 20_000

// Bench measures an engine with the work of the service: a secret is a record of
// 200 bytes, a version 1 KiB that does not compress. open returns an empty store;
// Bench closes it. report, if not nil, may add numbers of the engine; it is called
// when the store is filled and after each benchmark.
func Bench(b *testing.B, open func(b *testing.B) kv.Store, report func(b *testing.B, s kv.Store)) {
	s := open(b)
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Errorf("Close: %v", err)
		}
	})
	if report == nil {
		report = func(*testing.B, kv.Store) {}
	}
	fillBench(b, s)
	report(b, s)
	for _, c := range []struct {
		name string
		run  func(b *testing.B, s kv.Store)
	}{
		{"Get", benchGet},
		{"Get/32_readers", func(b *testing.B, s kv.Store) { benchParallel(b, s, 32, readVersion) }},
		{"Get/absent", benchGetAbsent},
		{"Scan/50_of_20000", benchScan},
		{"Update/1_writer", func(b *testing.B, s kv.Store) { benchParallel(b, s, 1, createVersion) }},
		{"Update/32_writers", func(b *testing.B, s kv.Store) { benchParallel(b, s, 32, createVersion) }},
		{"Update/32_writers_one_key", func(b *testing.B, s kv.Store) { benchParallel(b, s, 32, changeOneKey) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			c.run(b, s)
			report(b, s)
		})
	}
}

func recordKey(secret int) []byte { return fmt.Appendf(nil, "m/c0ffeec0ffee/name-%020d", secret) }

func versionKey(secret, version int) []byte {
	return fmt.Appendf(nil, "v/c0ffeec0ffee/name-%020d/%08d", secret, version)
}

// noise is a value of n bytes that does not compress.
func noise(chance *rand.Rand, n int) []byte {
	value := make([]byte, (n+7)/8*8)
	for i := 0; i < len(value); i += 8 {
		binary.LittleEndian.PutUint64(value[i:], chance.Uint64())
	}
	return value[:n]
}

func fillBench(b *testing.B, s kv.Store) {
	chance := rand.New(rand.NewPCG(1, 1))
	for first := 0; first < benchSecrets; first += 50 {
		err := s.Update(b.Context(), func(tx kv.Txn) error {
			for i := first; i < first+50; i++ {
				if err := tx.Put(recordKey(i), noise(chance, 200)); err != nil {
					return err
				}
				if err := tx.Put(versionKey(i, 0), noise(chance, 1024)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatalf("filling the store: %v", err)
		}
	}
}

func benchGet(b *testing.B, s kv.Store) {
	ctx, chance := b.Context(), rand.New(rand.NewPCG(2, 2))
	for b.Loop() {
		if err := readVersion(ctx, s, chance, 0); err != nil {
			b.Fatal(err)
		}
	}
}

func benchGetAbsent(b *testing.B, s kv.Store) {
	ctx, chance := b.Context(), rand.New(rand.NewPCG(3, 3))
	for b.Loop() {
		key := versionKey(chance.IntN(benchSecrets), 1<<30)
		err := s.View(ctx, func(r kv.Reader) error {
			_, err := r.Get(key)
			return err
		})
		if err != kv.ErrNotFound {
			b.Fatalf("reading an absent key: %v", err)
		}
	}
}

func benchScan(b *testing.B, s kv.Store) {
	ctx, chance := b.Context(), rand.New(rand.NewPCG(4, 4))
	for b.Loop() {
		from := chance.IntN(benchSecrets - 50)
		rng := kv.Range{From: recordKey(from), To: recordKey(from + 50)}
		seen := 0
		err := s.View(ctx, func(r kv.Reader) error {
			for _, err := range r.Scan(rng) {
				if err != nil {
					return err
				}
				seen++
			}
			return nil
		})
		if err != nil || seen != 50 {
			b.Fatalf("scan gives %d items and %v", seen, err)
		}
	}
}

// benchParallel shares b.N calls among goroutines and reports calls per second.
func benchParallel(b *testing.B, s kv.Store, goroutines int, call func(context.Context, kv.Store, *rand.Rand, int) error) {
	var next atomic.Int64
	began := time.Now()
	b.ResetTimer()
	together(goroutines, func(g int) {
		chance := rand.New(rand.NewPCG(uint64(g), 5))
		for n := next.Add(1); n <= int64(b.N); n = next.Add(1) {
			if err := call(b.Context(), s, chance, int(n)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "calls/s")
}

func readVersion(ctx context.Context, s kv.Store, chance *rand.Rand, _ int) error {
	key := versionKey(chance.IntN(benchSecrets), 0)
	return s.View(ctx, func(r kv.Reader) error {
		_, err := r.Get(key)
		return err
	})
}

// createVersion reads the record of a secret, puts a version, puts the record.
func createVersion(ctx context.Context, s kv.Store, chance *rand.Rand, n int) error {
	secret := chance.IntN(benchSecrets)
	record, version := recordKey(secret), versionKey(secret, 1+n)
	value := noise(chance, 1024)
	return s.Update(ctx, func(tx kv.Txn) error {
		old, err := tx.Get(record)
		if err != nil {
			return err
		}
		old[0]++
		if err := tx.Put(version, value); err != nil {
			return err
		}
		return tx.Put(record, old)
	})
}

func changeOneKey(ctx context.Context, s kv.Store, _ *rand.Rand, _ int) error {
	key := recordKey(0)
	return s.Update(ctx, func(tx kv.Txn) error {
		old, err := tx.Get(key)
		if err != nil {
			return err
		}
		old[0]++
		return tx.Put(key, old)
	})
}
