package identity_test

import (
	"encoding/json"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/service/identity"
)

func TestTemporaryKeyRequestBounds(t *testing.T) {
	for body, want := range map[string]struct {
		seconds int
		ok      bool
	}{
		`{}`: {0, true}, `{"duration_seconds":null}`: {0, true}, `{"duration_seconds":900}`: {900, true},
		`{"duration_seconds":"3600"}`: {3600, true}, `{"duration_seconds":0}`: {0, false},
		`{"duration_seconds":"soon"}`: {0, false}, `{"duration_seconds":1.5}`: {0, false}, `{"duration_seconds":true}`: {0, false},
	} {
		var token identity.TemporaryToken
		err := json.Unmarshal([]byte(body), &token)
		if (err == nil) != want.ok || int(token.DurationSeconds) != want.seconds {
			t.Errorf("%s: %d, %v; want %+v", body, token.DurationSeconds, err, want)
		}
		if err != nil && csms.CodeOf(err) != csms.CodeIAMInvalid {
			t.Errorf("%s: %v; want IAM.0011", body, err)
		}
	}
}
