package wire

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coffer/internal/csms"
)

// The hand-written encoding of metadata says what encoding/json says.
func TestMetadataIsEncodedAsEncodingJSONDoes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text, at := rapid.String(), rapid.Int64Range(0, 9999999999999)
		orNull := func(label string) OrNull { return OrNull(text.Draw(t, label)) }
		replica := rapid.Custom(func(t *rapid.T) Replica {
			return Replica{ID: text.Draw(t, "id"), Region: text.Draw(t, "region"), ReplicaType: csms.ReplicaOf, Status: rapid.SampledFrom([]string{"", "IN_SYNC"}).Draw(t, "status"), CreatedAt: Millis(at.Draw(t, "created"))}
		})
		secret := rapid.Custom(func(t *rapid.T) Secret {
			return Secret{
				ID: text.Draw(t, "id"), Name: text.Draw(t, "name"), State: csms.Enabled, KMSKeyID: text.Draw(t, "key"),
				Description: text.Draw(t, "description"), CreateTime: Millis(at.Draw(t, "create")), UpdateTime: Millis(at.Draw(t, "update")),
				ScheduledDeleteTime: Millis(at.Draw(t, "scheduled")), SecretType: csms.Common, AutoRotation: rapid.Bool().Draw(t, "auto"),
				RotationPeriod: orNull("period"), RotationConfig: orNull("config"), RotationTime: Millis(at.Draw(t, "rotated")),
				NextRotationTime: Millis(at.Draw(t, "next")), LastUsedTime: Millis(at.Draw(t, "used")),
				EventSubscriptions: orEmpty(rapid.SliceOfN(text, 0, 2).Draw(t, "events")), EnterpriseProjectID: text.Draw(t, "enterprise"),
				RotationFuncURN: orNull("urn"), DomainID: text.Draw(t, "domain"), ReplicaType: csms.Primary,
				Replicas: orEmpty(rapid.SliceOfN(replica, 0, 2).Draw(t, "replicas")),
			}
		})
		list := SecretList{
			Secrets:  orEmpty(rapid.SliceOfN(secret, 0, 3).Draw(t, "secrets")),
			PageInfo: PageInfo{NextMarker: orNull("next marker"), PreviousMarker: orNull("previous marker"), CurrentCount: 3},
		}
		same(t, list, list.AppendJSON(nil))
		if len(list.Secrets) > 0 {
			answer := SecretAnswer{list.Secrets[0]}
			same(t, answer, answer.AppendJSON(nil))
		}
	})
}

// same compares the texts as decoded values: encoding/json escapes a few characters
// more than JSON asks for.
func same(t *rapid.T, v any, got []byte) {
	t.Helper()
	want, err := Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decoded(t, want), decoded(t, got)); diff != "" {
		t.Fatalf("(-encoding/json +got):\n%s", diff)
	}
}

func decoded(t *rapid.T, text []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}
