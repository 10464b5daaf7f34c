package service_test

import (
	"strings"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// administrator is a caller of the kit's account with the rights of a policy.
func administrator(t *testing.T, actions string) *iam.Caller {
	t.Helper()
	p, err := iam.ParsePolicy("p", []byte(`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":[`+actions+`]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return &iam.Caller{DomainID: testkit.DomainID, ProjectID: testkit.ProjectID, UserID: "u", Policies: []*iam.Policy{p}}
}

// RO12: what stands in the way of one agency is told in its entry, and the others are
// made.
func TestCreateAgencyTellsWhatFailed(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	half := administrator(t, `"csms::administer","iam:agencies:createV5"`)
	stranger := &store.Agency{ID: "a1", DomainID: testkit.DomainID, Name: "CSMSAccessFunctionGraph", TrustDomainName: "acme", TrustDomainID: testkit.DomainID}
	if err := k.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.PutAgency(stranger) }); err != nil {
		t.Fatal(err)
	}
	made, err := k.Service.CreateAgency(t.Context(), half, csms.RDSFG)
	if err != nil || len(made) != 2 || !strings.Contains(made[0].Failed, "another account") || made[0].ID != "" || made[1].Failed != "" || len(made[1].ID) != 32 {
		t.Fatalf("%+v, %v", made, err)
	}
	agenciesGranted(t, k, half, false)

	made, err = k.Service.CreateAgency(t.Context(), administrator(t, `"csms::administer"`), csms.RDSFG)
	if err != nil || len(made) != 2 || !strings.Contains(made[1].Failed, "iam:agencies:createV5") {
		t.Errorf("without the right to make agencies: %+v, %v", made, err)
	}
}

func agenciesGranted(t *testing.T, k *testkit.Kit, who *iam.Caller, want bool) {
	t.Helper()
	if got, err := k.Service.ShowAgency(t.Context(), who, csms.RDSFG); err != nil || got != want {
		t.Errorf("granted = %v, %v; want %v", got, err, want)
	}
}

// RO12: an agency that lost its rights, or has expired, is not granted; the rights are
// given back.
func TestCreateAgencyMends(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	who := administrator(t, `"csms::administer","iam:agencies:createV5"`)
	create := func() []string {
		t.Helper()
		made, err := k.Service.CreateAgency(t.Context(), who, csms.RDSFG)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		for _, m := range made {
			out = append(out, m.ID+m.Failed)
		}
		return out
	}
	first := create()
	agenciesGranted(t, k, who, true)
	change := func(fn func(*store.Agency)) {
		t.Helper()
		err := k.Store.Update(t.Context(), func(tx *store.Tx) error {
			a, err := tx.AgencyByName(testkit.DomainID, "CSMSAccessFunctionGraph")
			if err != nil {
				return err
			}
			fn(a)
			return tx.PutAgency(a)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	change(func(a *store.Agency) { a.Inline = nil })
	agenciesGranted(t, k, who, false)
	if again := create(); again[0] != first[0] || again[1] != first[1] {
		t.Errorf("made again: %v; want %v", again, first)
	}
	agenciesGranted(t, k, who, true)
	change(func(a *store.Agency) { a.ExpireTime = k.Now() })
	agenciesGranted(t, k, who, false)
	if again := create(); !strings.Contains(again[0], "has expired") || again[1] != first[1] {
		t.Errorf("with one that has expired: %v", again)
	}
}

// The rights that an agency of rotation has can be read back as a policy.
func TestAgencyPoliciesCompile(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	who := administrator(t, `"csms::administer","iam:agencies:createV5"`)
	for _, kind := range []csms.Type{csms.RDSFG, csms.GaussDB} {
		if _, err := k.Service.CreateAgency(t.Context(), who, kind); err != nil {
			t.Fatal(err)
		}
		needed, err := csms.AgenciesFor(kind)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range needed {
			a, err := k.Store.AgencyByName(t.Context(), testkit.DomainID, n.Name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := iam.ParsePolicy(n.Name, a.Inline[0].Document); err != nil {
				t.Errorf("%s: %v", n.Name, err)
			}
		}
	}
}
