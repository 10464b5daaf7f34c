package memkv_test

import (
	"testing"

	"coffer/internal/kv"
	"coffer/internal/kv/kvtest"
	"coffer/internal/kv/memkv"
)

func BenchmarkStore(b *testing.B) {
	kvtest.Bench(b, func(*testing.B) kv.Store { return memkv.New() }, nil)
}
