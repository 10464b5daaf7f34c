package kms_test

import (
	"testing"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/kms"
	"coffer/internal/testkit"
)

// owner may do everything in a project of the domain of the kit.
func owner(project string) *iam.Caller {
	return &iam.Caller{DomainID: testkit.DomainID, UserID: "owner", Owner: true, ProjectID: project}
}

// caller may do what the document allows in the project of the kit.
func caller(t testing.TB, document string) *iam.Caller {
	t.Helper()
	p, err := iam.ParsePolicy("policy", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return &iam.Caller{DomainID: testkit.DomainID, UserID: "caller", ProjectID: testkit.ProjectID, Policies: []*iam.Policy{p}}
}

func newKey(t testing.TB, k *testkit.Kit, alias string) string {
	t.Helper()
	id, err := k.Keys.CreateKey(t.Context(), owner(testkit.ProjectID), kms.NewKey{Alias: alias})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func refused(t testing.TB, what string, err error, want csms.Code) {
	t.Helper()
	if got := csms.CodeOf(err); got != want {
		t.Errorf("%s: error %v; want %s", what, err, want)
	}
}
