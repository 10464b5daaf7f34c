// Package store keeps the records of Coffer, typed and indexed, over the ordered
// key-value port.
//
// The rule that keeps it honest: an index row says nothing of its own. Every row is
// derived from one record by a pure function, written and removed in the
// transaction that writes the record, and equal to what Reindex would derive anew.
// Nobody writes a row by hand.
//
// Reads outside of transactions come from a cache of decoded records, which is
// exact: nothing older than the last finished Update is ever served (see cache). A
// record that is read there is shared and must not be changed; Clone it first. What
// a Tx hands out is a private copy.
//
// Law of Update: in the closure there is only the Tx and pure code, because it may
// run more than once.
package store
