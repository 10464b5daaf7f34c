package csms_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
)

func TestPublishedQuotasAreTheDefaults(t *testing.T) {
	want := csms.Limits{SecretsPerProject: 500, ValueBytes: 32768}
	if diff := cmp.Diff(csms.DefaultLimits(), want); diff != "" {
		t.Errorf("limits (-got +want):\n%s", diff)
	}
	if csms.MaxVersions != 20 || csms.MaxStages != 12 {
		t.Errorf("got %d versions and %d labels, want 20 (V2) and 12 (L2)", csms.MaxVersions, csms.MaxStages)
	}
}

func TestAProjectHoldsNoMoreSecretsThanItsQuota(t *testing.T) {
	for _, c := range []struct {
		name         string
		quota, count int
		want         csms.Code
	}{
		{"the first", 500, 0, ""},
		{"the last that fits", 500, 499, ""},
		{"one too many", 500, 500, csms.CodeSecretQuota},
		{"far too many, after the quota was lowered", 500, 9000, csms.CodeSecretQuota},
		{"a quota of one", 1, 0, ""},
		{"a quota of one, used up", 1, 1, csms.CodeSecretQuota},
		{"a quota of none", 0, 0, csms.CodeSecretQuota},
	} {
		t.Run(c.name, func(t *testing.T) {
			wantCode(t, csms.Limits{SecretsPerProject: c.quota}.CheckSecretQuota(c.count), c.want)
		})
	}
}
