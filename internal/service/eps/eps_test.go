package eps_test

import (
	"strconv"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/service/eps"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// owner may do everything in the domain of the kit.
var owner = &iam.Caller{DomainID: testkit.DomainID, UserID: "owner", Owner: true, ProjectID: testkit.ProjectID}

// limitedTo may do everything in one enterprise project, and nothing in others.
func limitedTo(t *testing.T, id string) *iam.Caller {
	t.Helper()
	p, err := iam.ParsePolicy("policy", []byte(`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["*"],
		"Condition":{"StringEquals":{"g:EnterpriseProjectId":["`+id+`"]}}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	return &iam.Caller{DomainID: testkit.DomainID, UserID: "limited", ProjectID: testkit.ProjectID, Policies: []*iam.Policy{p}}
}

func start(t *testing.T) (*testkit.Kit, *eps.Service) {
	t.Helper()
	k := testkit.New(t, testkit.Options{})
	return k, eps.New(eps.Options{Store: k.Store, Now: k.Now, NewID: k.NewID, Region: testkit.Region})
}

func create(t *testing.T, s *eps.Service, name string) string {
	t.Helper()
	p, err := s.CreateEnterpriseProject(t.Context(), owner, eps.Settings{Name: name})
	if err != nil {
		t.Fatal(err)
	}
	return p.ID
}

func refused(t *testing.T, what string, err error, want csms.Code) {
	t.Helper()
	if got := csms.CodeOf(err); got != want {
		t.Errorf("%s: error %v; want %s", what, err, want)
	}
}

func newSecret(name, enterpriseProject string) service.NewSecret {
	return service.NewSecret{
		Creation: csms.Creation{Name: name, EnterpriseProjectID: enterpriseProject}, Text: csms.Plaintext("x"),
	}
}

// A domain holds so many enterprise projects.
func TestTooManyEnterpriseProjects(t *testing.T) {
	k, s := start(t)
	err := k.Store.Update(t.Context(), func(tx *store.Tx) error {
		for i := range eps.MaxProjects - 1 {
			id := strconv.Itoa(i)
			if err := tx.PutEnterpriseProject(&store.EnterpriseProject{ID: id, DomainID: testkit.DomainID, Name: id}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	create(t, s, "last")
	_, err = s.CreateEnterpriseProject(t.Context(), owner, eps.Settings{Name: "one-more"})
	refused(t, "one more", err, csms.CodeEPSConflict)
}

// Whoever may do everything in one enterprise project can neither pull a secret into
// it nor push one out, for that takes the right at both ends; nor can he tell a secret
// elsewhere from none.
func TestMovingTakesTheRightAtBothEnds(t *testing.T) {
	k, s := start(t)
	ctx := t.Context()
	mine, other := create(t, s, "mine"), create(t, s, "other")
	who := limitedTo(t, mine)
	secret := func(name, in string) eps.Migration {
		t.Helper()
		sec, err := k.Service.CreateSecret(ctx, owner, newSecret(name, in))
		if err != nil {
			t.Fatal(err)
		}
		return eps.Migration{ResourceID: sec.ID, ResourceType: eps.ResourceSecret, ProjectID: testkit.ProjectID}
	}
	theirs, own := secret("theirs", other), secret("own", mine)
	none := theirs
	none.ResourceID = "none"

	pull := s.MigrateResource(ctx, who, mine, theirs)
	refused(t, "pulling", pull, csms.CodeForbidden)
	if absent := s.MigrateResource(ctx, who, mine, none); absent == nil || absent.Error() != pull.Error() {
		t.Errorf("a secret that does not exist: %v; want %v", absent, pull)
	}
	refused(t, "pushing", s.MigrateResource(ctx, who, other, own), csms.CodeForbidden)
	for _, to := range []string{other, mine} {
		if err := s.MigrateResource(ctx, owner, to, own); err != nil {
			t.Errorf("the owner to %s: %v", to, err)
		}
	}
	_, err := k.Service.CreateSecret(ctx, who, newSecret("new", other))
	refused(t, "creating elsewhere", err, csms.CodeForbidden)
	if _, err := k.Service.CreateSecret(ctx, who, newSecret("new", mine)); err != nil {
		t.Errorf("creating: %v", err)
	}
	if _, err := k.Service.ShowSecret(ctx, who, "own"); err != nil {
		t.Errorf("reading what came back: %v", err)
	}
	if _, err := k.Service.ShowSecret(ctx, who, "theirs"); csms.CodeOf(err) != csms.CodeForbidden {
		t.Errorf("reading what is elsewhere: %v", err)
	}
}
