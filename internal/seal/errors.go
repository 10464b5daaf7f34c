package seal

import (
	"errors"
	"fmt"
)

// The classes of failure are closed: an error of an engine or of Sealer is one of
// these under errors.Is, the error of the context, or a fault of our own (short
// randomness, a broken engine). No text holds plain text or key material.
var (
	// ErrKey is the parent of all errors that say a key cannot serve the caller.
	// The service answers every one of them with CSMS.0401 (N12, ER2).
	ErrKey = errors.New("seal: key cannot be used")

	// ErrKeyNotFound is a key that does not exist in the project asked for.
	ErrKeyNotFound = fmt.Errorf("%w: not found", ErrKey)

	// ErrKeyDisabled is a key that exists but does not work at present: disabled,
	// waiting for activation, waiting for imported material, frozen.
	ErrKeyDisabled = fmt.Errorf("%w: disabled", ErrKey)

	// ErrKeyPendingDeletion is a key whose deletion is scheduled.
	ErrKeyPendingDeletion = fmt.Errorf("%w: pending deletion", ErrKey)

	// ErrKeyUsage is a key of a kind that makes no data keys (N12: only symmetric
	// keys qualify).
	ErrKeyUsage = fmt.Errorf("%w: not a symmetric key for encryption", ErrKey)

	// ErrKeyForbidden is a key that the key service refuses to us.
	ErrKeyForbidden = fmt.Errorf("%w: forbidden", ErrKey)

	// ErrUnavailable is a key service that gives no answer: 500 CSMS.0001.
	ErrUnavailable = errors.New("seal: key service unavailable")

	// ErrTampered is a ciphertext that fails authentication or has no known form:
	// changed, cut short, moved to another place, or not ours. The caller cannot
	// tell these apart, and must not.
	ErrTampered = errors.New("seal: authentication of the ciphertext failed")

	// ErrWrongRoot is a root key that is not the one the check value was made with.
	ErrWrongRoot = errors.New("seal: wrong root key")
)
