// Package iam is the core of identity: callers, the operations they ask for, the
// policy documents that grant or deny them, and the decision.
//
// The rule that keeps it honest: it is pure, and what it cannot read never grants
// and always denies. A decision looks at its two arguments only; it does no I/O,
// reads no clock, parses nothing and allocates nothing when it allows.
//
// All the work is done once, when a policy is compiled. The operations of the API
// are a closed table, so an action list becomes a bit set over that table and the
// older names of an action cost nothing at decision time:
//
//	document ──ParsePolicy (to save)─────┐
//	         ──CompilePolicy (as stored)─┴─▶ Policy: statements, each a set of Ops,
//	                                         patterns of resources, conditions
//	Caller, Request ──Evaluate──▶ Decision
//
//	1  the request acts in the caller's own domain and project, else refused
//	2  the caller's policies (union), or ownership of the domain
//	3  the session policy of a temporary key, if any
//	4  the boundary, if any
//
// Each of 2, 3 and 4 must allow; an explicit deny in any of them wins. The
// contract is auth.md section 7 and behaviour.md section 18.
package iam
