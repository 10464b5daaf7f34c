// Package sealtest is the conformance suite of the port seal.KMS, and an engine in
// memory for tests.
//
// The rule that keeps it honest: an engine is finished when Run passes over it, and
// a bug found in an engine becomes a case here. Keys and ciphertexts are real; a
// case never looks into the engine, only through the port and the Harness.
package sealtest

import (
	"io"
	"testing"

	"coffer/internal/seal"
)

// Harness is one fresh engine and what a test must be able to do to it from
// outside, as an administrator does with the KMS API. A callback that cannot do its
// work ends the test.
type Harness struct {
	KMS seal.KMS

	// Project and Other are two existing projects of Domain. Neither has a key yet.
	Domain, Project, Other string

	// Rand gives nonces to the Sealer under test. It must be safe for concurrent use.
	Rand io.Reader

	// CreateKey makes an enabled symmetric key that is not a default key.
	CreateKey func(t *testing.T, project string) seal.Key

	// SetState moves a key of CreateKey to StateEnabled, StateDisabled or
	// StatePendingDeletion from any of them, by as many steps as the API needs. Every
	// later call must see it.
	SetState func(t *testing.T, key seal.Key, to seal.State)

	// Rotate makes a new version of a key of CreateKey. Nil if the keys of the engine
	// cannot be rotated at will. A callback that is nil takes its cases out of the
	// run.
	Rotate func(t *testing.T, key seal.Key)

	// Reopen returns another engine over the same keys, as after a restart. Nil if
	// the engine keeps nothing.
	Reopen func(t *testing.T) seal.KMS

	// CreateAsymmetric makes an enabled key that makes no data keys. Nil if the
	// engine has none.
	CreateAsymmetric func(t *testing.T, project string) seal.Key
}

// Run runs the suite. open returns a Harness over an engine without keys; it is
// called once for every case, and once before them to see which callbacks there
// are. It cleans up with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) Harness) {
	for _, c := range casesFor(open(t)) {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t)) })
	}
}

type testCase struct {
	name string
	run  func(t *testing.T, h Harness)
}

func casesFor(h Harness) []testCase {
	cases := []testCase{
		{"default_key_is_made_once_under_concurrency", defaultKeyOnce},
		{"default_key_is_one_per_project", defaultKeyPerProject},
		{"describe_returns_the_key_in_every_state", describeEveryState},
		{"unknown_key_is_not_found", unknownKey},
		{"key_of_another_project_is_not_found", otherProject},
		{"data_key_opens_to_what_was_made", dataKeyRoundTrip},
		{"data_keys_and_wrappings_never_repeat", dataKeysDiffer},
		{"wrapped_key_hides_the_data_key", wrappedHides},
		{"other_additional_data_is_tampered", otherAAD},
		{"other_key_of_the_project_is_tampered", otherKey},
		{"every_flipped_bit_is_tampered", flippedBits},
		{"every_truncation_is_tampered", truncations},
		{"trailing_bytes_are_tampered", trailing},
		{"disabled_key_is_disabled", stateCase(seal.StateDisabled, seal.ErrKeyDisabled)},
		{"key_pending_deletion_is_pending_deletion", stateCase(seal.StatePendingDeletion, seal.ErrKeyPendingDeletion)},
		{"state_counts_as_it_is_now_and_not_as_the_caller_saw_it", staleDescription},
		{"returned_and_given_slices_are_not_shared", sliceOwnership},
		{"concurrent_use_mixes_nothing_up", concurrentUse},
		{"cancelled_context_is_reported_as_such", cancelled},
		{"sealer_opens_only_in_the_place_of_sealing", sealerBindings},
		{"sealer_refuses_every_changed_byte", sealerFlips},
		{"sealer_uses_the_default_key_for_no_key", sealerDefault},
		{"sealer_keeps_old_values_under_their_old_key", sealerOldKey},
		{"sealer_reports_the_state_of_the_key", sealerStates},
	}
	if h.Rotate != nil {
		cases = append(cases, testCase{"rotation_keeps_old_wrapped_keys", rotation},
			testCase{"sealer_reseals_after_rotation", sealerReseal})
	}
	if h.Reopen != nil {
		cases = append(cases, testCase{"keys_survive_a_restart", restart})
	}
	if h.CreateAsymmetric != nil {
		cases = append(cases, testCase{"asymmetric_key_is_of_wrong_usage", asymmetric})
	}
	return cases
}
