// Package csms is the core of Coffer: what a secret is, and every rule that
// changes one.
//
// The rule that keeps it honest: it is pure. No context, no I/O, no clock and no
// randomness; the instant and the ids an operation needs are arguments. A method
// that returns an error has changed nothing. So the whole life of a secret is a
// table test, and a rule cannot depend on the engine below or the wire above.
//
// The life of a secret (statements S1 to S6 of the behaviour contract):
//
//	                Schedule                 due, or DeleteSecret
//	ENABLED  ───────────────────▶ PENDING_DELETE ───────────────▶ gone
//	 ▲   ▲ ◀─────────────────────      ▲                           ▲
//	 │   │         Restore             │ Schedule                  │
//	 │   └───────── SetState ───────▶ DISABLED ────────────────────┤
//	 └───────────── SetState ───────▶ FROZEN   (refuses changes)   │
//	ENABLED ───────────────────────────────── DeleteSecret ────────┘
//
// DISABLED and FROZEN are set from outside the CSMS API (S6).
package csms
