package service_test

import (
	"slices"
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/service"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// ADR 19: the key of the copy is judged as in the project of its region.
func TestTheKeyOfACopyIsJudgedInItsProject(t *testing.T) {
	s := newRegions(t)
	s.create("db")
	key := s.customerKey(testkit.EastProjectID)
	createReplica := `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:createReplica"]}]}`
	use := func(project string) string {
		return `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["kms:cmk:createDataKey"],"Condition":{"StringEquals":{"g:ProjectName":["` + project + `"]}}}]}`
	}
	for _, c := range []struct {
		name     string
		policies []string
		want     csms.Code
	}{
		{"no_right", []string{createReplica}, csms.CodeKey},
		{"right_in_the_project_of_the_secret", []string{createReplica, use(testkit.Region)}, csms.CodeKey},
		{"right_to_the_key_only", []string{use(testkit.EastRegion)}, csms.CodeForbidden},
		{"right_in_the_region", []string{createReplica, use(testkit.EastRegion)}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			who := caller(t, c.policies...)
			who.ProjectName = testkit.Region
			_, err := s.service.CreateSecretReplica(t.Context(), who, "db", service.NewReplica{Region: testkit.EastRegion, KMSKeyID: key})
			refused(t, err, c.want)
		})
	}
}

// ADR 19: the rights of a user of an external Keystone end at his project, so he makes
// no copies, whatever his role. He sees the regions, and deletes copies.
func TestForeignUsersMakeNoCopies(t *testing.T) {
	s := newRegions(t)
	s.create("db")
	who := caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["*:*:*"]}]}`)
	who.Foreign = true
	_, err := s.service.CreateSecretReplica(t.Context(), who, "db", service.NewReplica{Region: testkit.EastRegion})
	refused(t, err, csms.CodeForbidden)
	s.expectValue(testkit.EastProjectID, "db", csms.Latest, "CSMS.0106")
	if regions, err := s.service.ListSupportRegions(t.Context(), who); err != nil || len(regions) != 2 {
		t.Errorf("ListSupportRegions: %v, %v", regions, err)
	}
	s.replicate("db", testkit.EastRegion)
	if err := s.service.DeleteSecretReplica(t.Context(), who, "db", testkit.EastRegion); err != nil {
		t.Errorf("DeleteSecretReplica: %v", err)
	}
}

// M1, M2: an alias of the region of the configuration stands for it.
func TestAliasesNameTheirRegion(t *testing.T) {
	s, ctx := newRegions(t), t.Context()
	if _, err := s.service.CreateSecret(ctx, in(testkit.EastProjectID), newSecret("db")); err != nil {
		t.Fatal(err)
	}
	s.create("own")
	_, err := s.service.CreateSecretReplica(ctx, owner(), "own", service.NewReplica{Region: "north"})
	refused(t, err, csms.CodeInvalid)
	sec, err := s.service.CreateSecretReplica(ctx, in(testkit.EastProjectID), "db", service.NewReplica{Region: "north"})
	if err != nil || sec.Replica(testkit.Region) == nil {
		t.Fatalf("a copy in the region north: %+v, %v", sec, err)
	}
	_, err = s.service.CreateSecretReplica(ctx, in(testkit.EastProjectID), "db", service.NewReplica{Region: testkit.Region})
	refused(t, err, csms.CodeInvalid)
	if err := s.service.DeleteSecretReplica(ctx, in(testkit.EastProjectID), "db", "north"); err != nil {
		t.Errorf("deleting the copy in north: %v", err)
	}
}

// M3, M7: a project under another one is no region, and without other regions the list
// is empty.
func TestRegionsStandUnderTheDomain(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	put := func(p *store.Project) {
		t.Helper()
		if err := k.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.PutProject(p) }); err != nil {
			t.Fatal(err)
		}
	}
	put(&store.Project{ID: "nested", DomainID: testkit.DomainID, ParentID: testkit.ProjectID, Name: "af-north-1", Enabled: true})
	expect := func(want ...string) {
		t.Helper()
		got, err := k.Service.ListSupportRegions(t.Context(), owner())
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("regions %q, %v; want %q", got, err, want)
		}
	}
	expect(testkit.EastRegion, testkit.SouthRegion)
	for id, name := range map[string]string{testkit.EastProjectID: testkit.EastRegion, testkit.SouthProjectID: testkit.SouthRegion} {
		put(&store.Project{ID: id, DomainID: testkit.DomainID, ParentID: testkit.DomainID, Name: name})
	}
	expect()
	create(t, k, "db")
	for _, region := range []string{"af-north-1", testkit.EastRegion} {
		_, err := k.Service.CreateSecretReplica(t.Context(), owner(), "db", service.NewReplica{Region: region})
		refused(t, err, csms.CodeInvalid)
	}
}

// M1: only what a copy is waiting for is due.
func TestACopyIsDueWhileItIsNotInSync(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	create(t, k, "db")
	expect := func(want int) {
		t.Helper()
		if got := dueRows(t, k)[store.DueReplica]; got != want {
			t.Errorf("%d rows are due, want %d", got, want)
		}
	}
	for _, region := range []string{testkit.EastRegion, testkit.SouthRegion} {
		if _, err := k.Service.CreateSecretReplica(t.Context(), owner(), "db", service.NewReplica{Region: region}); err != nil {
			t.Fatal(err)
		}
	}
	expect(2)
	if err := k.Advance(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	expect(0)
	if _, err := k.Service.CreateSecretVersion(t.Context(), owner(), "db", service.NewVersion{Text: csms.Plaintext("second")}); err != nil {
		t.Fatal(err)
	}
	expect(2)
	if err := k.Service.DeleteSecretReplica(t.Context(), owner(), "db", testkit.EastRegion); err != nil {
		t.Fatal(err)
	}
	expect(1)
}

// S6: the administrative switch is thrown at the primary; a copy follows.
func TestTheStateOfACopyIsThatOfItsPrimary(t *testing.T) {
	s := newRegions(t)
	s.create("db")
	s.replicate("db", testkit.EastRegion)
	s.run(0)
	_, err := s.service.SetSecretState(t.Context(), testkit.EastProjectID, "db", csms.Disabled)
	refused(t, err, csms.CodeInvalid)
	for _, state := range []csms.State{csms.Disabled, csms.Frozen, csms.Enabled} {
		if _, err := s.service.SetSecretState(t.Context(), testkit.ProjectID, "db", state); err != nil {
			t.Fatal(err)
		}
		s.run(0)
		if sec, err := s.service.ShowSecret(t.Context(), in(testkit.EastProjectID), "db"); err != nil || sec.State != state {
			t.Errorf("the copy is %+v, %v; want %s", sec, err, state)
		}
	}
}

// G1, M6: a grant is on one secret, so one on the primary gives nothing on a copy, which
// takes grants of its own.
func TestACopyTakesGrantsOfItsOwn(t *testing.T) {
	k, _ := granted(t, 0)
	sec, err := k.Service.CreateSecretReplica(t.Context(), owner(), "db", service.NewReplica{Region: testkit.EastRegion})
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Advance(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	reader := caller(t)
	reader.ProjectID = testkit.EastProjectID
	refused(t, readAs(t, k, reader), csms.CodeForbidden)
	copied := &csms.Secret{ID: sec.Replica(testkit.EastRegion).ID}
	if _, err := k.Service.CreateGrants(t.Context(), in(testkit.EastProjectID), grantTo(copied, "caller", 0)); err != nil {
		t.Fatal(err)
	}
	if err := readAs(t, k, reader); err != nil {
		t.Errorf("reading the copy: %v", err)
	}
}
