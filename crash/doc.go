// Package crash holds the tests that treat the built program badly: they kill it
// while it writes, tear its log, change what it has stored, stop it in the middle of
// requests, and search everything it leaves behind for planted secrets.
//
// The rule that keeps it honest: it knows the program as an operator and a client
// do, by its command line, its files and its answers, and it judges them by a naive
// model of its own. Where it reaches into the store, it does so while no server runs.
//
//	start ─▶ compare with the history ─▶ burst of writes ─▶ kill ─▶ verify ─┐
//	  ▲                                                                     │
//	  └─────────────────────── the same data directory ─────────────────────┘
//
// COFFER_CRASH_ROUNDS sets the number of rounds, 25 by default; COFFER_CRASH_SEED
// repeats the choices of a run, which every run prints. A failed run keeps its files
// and says where. The program is built by the tests, which the cache of go test does
// not see: run them with -count=1 or -shuffle=on, as the Makefile does.
package crash
