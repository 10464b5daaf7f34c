// Package kvtest is the conformance suite of the storage port: every engine
// passes it, and a bug found in an engine becomes a case here.
//
// The rule that keeps it honest: a case asks only what package kv promises, stays
// within what the smallest engine takes (100 writes and less than 1.5 MiB in one
// transaction), and finds the races by counting, never by sleeping. The suite is
// itself tested: kvtest_test.go breaks an engine in one way after the other and
// demands that Run notices.
package kvtest

import (
	"testing"

	"coffer/internal/kv"
)

// testCase is one promise of the port. The store it gets is empty.
type testCase struct {
	name string
	run  func(t *testing.T, s kv.Store)
}

// Run tests one engine. open returns an empty store; Run closes it. Cases run one
// after the other, each in a store of its own.
func Run(t *testing.T, open func(t *testing.T) kv.Store) {
	for _, group := range [][]testCase{
		transactionCases, valueCases, limitCases, rangeCases, isolationCases,
		raceCases, cancelCases, endCases, modelCases,
	} {
		for _, c := range group {
			t.Run(c.name, func(t *testing.T) {
				s := open(t)
				t.Cleanup(func() { closeStore(t, s) })
				c.run(t, s)
			})
		}
	}
}

// durableCase gets a function that opens the store of this case, again and again.
// It closes what it opens.
type durableCase struct {
	name string
	run  func(t *testing.T, reopen func() kv.Store)
}

// RunDurable tests what an engine keeps when it is closed and opened again. open
// opens the store in dir and creates it if dir is empty.
func RunDurable(t *testing.T, open func(t *testing.T, dir string) kv.Store) {
	for _, c := range durableCases {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			c.run(t, func() kv.Store { return open(t, dir) })
		})
	}
}
