package service_test

import (
	"context"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// owner may do everything in the project of the kit.
func owner() *iam.Caller {
	return &iam.Caller{DomainID: testkit.DomainID, UserID: "owner", Owner: true, ProjectID: testkit.ProjectID}
}

// caller may do what the documents allow.
func caller(t *testing.T, documents ...string) *iam.Caller {
	t.Helper()
	c := &iam.Caller{DomainID: testkit.DomainID, UserID: "caller", ProjectID: testkit.ProjectID}
	for _, d := range documents {
		p, err := iam.ParsePolicy("policy", []byte(d))
		if err != nil {
			t.Fatal(err)
		}
		c.Policies = append(c.Policies, p)
	}
	return c
}

func create(t *testing.T, k *testkit.Kit, name string) *csms.Secret {
	t.Helper()
	sec, err := k.Service.CreateSecret(t.Context(), owner(), newSecret(name))
	if err != nil {
		t.Fatal(err)
	}
	return sec
}

func newSecret(name string) service.NewSecret {
	return service.NewSecret{Creation: csms.Creation{Name: name}, Text: csms.Plaintext("value of " + name)}
}

func refused(t *testing.T, err error, want csms.Code) {
	t.Helper()
	if got := csms.CodeOf(err); got != want {
		t.Errorf("error %v; want %s", err, want)
	}
}

// dueRows counts what is scheduled, due or not.
func dueRows(t *testing.T, k *testkit.Kit) map[store.DueKind]int {
	t.Helper()
	rows := map[store.DueKind]int{}
	err := k.Store.View(context.Background(), func(v *store.View) error {
		for row, err := range v.Due(1 << 50) {
			if err != nil {
				return err
			}
			rows[row.Kind]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}
