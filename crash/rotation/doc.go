// Package rotation proves that a rotation ends well, whatever ends before it: the
// server is killed at every step, the database is, answers are lost, and clients log in
// all the while. Coffer is the built program, the databases are real ones.
//
// The rule that keeps it honest: the product has no place to stop at. What a step is, is
// seen on the wire between Coffer and the database, by a proxy of the test that can stop
// there; and how a rotation ended is judged by logins at the database itself, beside
// Coffer and the proxy.
//
//	clients ──▶ coffer ──▶ proxy ──▶ database
//	   │          ✗          ✗          ✗ ▲
//	   └────────────── logins ────────────┘
//
// COFFER_ROTATIONS sets the number of rotations under load, 100 by default; `make soak`
// makes 10,000. COFFER_CRASH_SEED repeats the random moments of a run, which every run
// prints. The program is built by the tests, which the cache of go test does not see: run
// them with -count=1 or -shuffle=on, as the Makefile does.
package rotation
