package identity_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/identity"
	"coffer/internal/store"
)

// Auth.md 3.4 and T7: exactly one entry for a name of the region, which it bears.
func TestListProjects_finds_the_project_of_a_region(t *testing.T) {
	aliased := identity.Options{RegionAliases: []string{"cn-north-4", "lab"}}
	tests := map[string]struct {
		options identity.Options
		filter  identity.ProjectFilter
		want    []string // names
	}{
		"its own name":       {filter: identity.ProjectFilter{Name: "self-1"}, want: []string{"self-1"}},
		"an alias":           {options: aliased, filter: identity.ProjectFilter{Name: "cn-north-4"}, want: []string{"cn-north-4"}},
		"an odd alias":       {options: aliased, filter: identity.ProjectFilter{Name: "lab"}, want: []string{"lab"}},
		"no alias":           {options: aliased, filter: identity.ProjectFilter{Name: "cn-south-1"}},
		"any region":         {options: identity.Options{AnyRegion: true}, filter: identity.ProjectFilter{Name: "ap-southeast-1"}, want: []string{"ap-southeast-1"}},
		"not like a region":  {options: identity.Options{AnyRegion: true}, filter: identity.ProjectFilter{Name: "unknown"}},
		"with a zero byte":   {options: identity.Options{AnyRegion: true}, filter: identity.ProjectFilter{Name: "cn-north-4\x00"}},
		"the domain":         {filter: identity.ProjectFilter{Name: "self-1", DomainID: domainID}, want: []string{"self-1"}},
		"another domain":     {filter: identity.ProjectFilter{Name: "self-1", DomainID: "away"}},
		"all":                {want: []string{"self-1", "team"}},
		"all of the domain":  {filter: identity.ProjectFilter{DomainID: domainID}, want: []string{"self-1", "team"}},
		"all of another one": {filter: identity.ProjectFilter{DomainID: "away"}},
		"another project":    {options: aliased, filter: identity.ProjectFilter{Name: "team"}, want: []string{"team"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, tt.options)
			f.away()
			if _, err := f.CreateProject(t.Context(), f.alice(), identity.NewProject{Name: "team"}, base); err != nil {
				t.Fatal(err)
			}
			for _, who := range []*iam.Caller{f.bob(), f.alice()} {
				got, err := f.ListProjects(t.Context(), who, tt.filter, base)
				if err != nil {
					t.Fatal(err)
				}
				var names []string
				for _, p := range got.Projects {
					names = append(names, p.Name)
					if p.Name != "team" && p.ID != projectID {
						t.Errorf("%s has the id %s", p.Name, p.ID)
					}
				}
				if diff := cmp.Diff(tt.want, names); diff != "" {
					t.Errorf("projects (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func TestListProjects_has_the_form_of_the_contract(t *testing.T) {
	f := newFixture(t, identity.Options{})
	got, err := f.ListProjects(t.Context(), f.bob(), identity.ProjectFilter{Name: "self-1"}, base)
	if err != nil {
		t.Fatal(err)
	}
	want := `{
 "projects": [
  {
   "id": "` + projectID + `",
   "name": "self-1",
   "domain_id": "` + domainID + `",
   "parent_id": "` + domainID + `",
   "enabled": true,
   "is_domain": false,
   "description": "",
   "links": {
    "self": "` + base + `/v3/projects/` + projectID + `"
   }
  }
 ],
 "links": {
  "self": "` + base + `/v3/projects",
  "next": null,
  "previous": null
 }
}`
	if diff := cmp.Diff(want, asJSON(t, got)); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	got, err = f.ListProjects(t.Context(), f.bob(), identity.ProjectFilter{Name: "none"}, base)
	if err != nil || !strings.Contains(asJSON(t, got), `"projects": []`) {
		t.Errorf("an empty list is %s, %v", asJSON(t, got), err)
	}
}

func TestShowProject(t *testing.T) {
	f := newFixture(t, identity.Options{})
	f.away()
	got, err := f.ShowProject(t.Context(), f.bob(), projectID, base)
	if err != nil || got.Project.Name != "self-1" {
		t.Errorf("got %+v and %v", got, err)
	}
	for _, id := range []string{"foreign", "unknown", ""} {
		_, err := f.ShowProject(t.Context(), f.alice(), id, base)
		wantCode(t, id, err, csms.CodeIAMNotFound)
	}
}

func TestAuthProjects_lists_enabled_projects_also_without_a_scope(t *testing.T) {
	f := newFixture(t, identity.Options{})
	f.away()
	f.update(func(tx *store.Tx) error {
		return tx.PutProject(&store.Project{ID: "closed", DomainID: domainID, Name: "closed"})
	})
	c, err := f.shown(f.token("bob", "bob's password", "").Subject)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.AuthProjects(t.Context(), &c, base)
	if err != nil || len(got.Projects) != 1 || got.Projects[0].ID != projectID || got.Links.Self != base+"/v3/auth/projects" {
		t.Errorf("got %+v and %v", got, err)
	}
	got, err = f.UserProjects(t.Context(), &c, c.UserID, base)
	if err != nil || len(got.Projects) != 1 || got.Links.Self != base+"/v3/users/"+c.UserID+"/projects" {
		t.Errorf("of himself: got %+v and %v", got, err)
	}
	_, err = f.UserProjects(t.Context(), &c, f.userID("alice"), base)
	wantCode(t, "of another user by a plain one", err, csms.CodeIAMForbidden)
	if got, err = f.UserProjects(t.Context(), f.root(), f.userID("bob"), base); err != nil || len(got.Projects) != 1 {
		t.Errorf("by an administrator: got %+v and %v", got, err)
	}
	_, err = f.UserProjects(t.Context(), f.root(), "stranger", base)
	wantCode(t, "of a user of another domain", err, csms.CodeIAMNotFound)
}

func TestCreateProject(t *testing.T) {
	f := newFixture(t, identity.Options{RegionAliases: []string{"cn-north-4"}})
	f.away()
	for who, c := range map[string]*iam.Caller{"owner": f.alice(), "admin": f.root()} {
		got, err := f.CreateProject(t.Context(), c, identity.NewProject{Name: "self-1_" + who, DomainID: domainID, ParentID: projectID, Description: "d"}, base)
		if err != nil {
			t.Fatal(err)
		}
		p := got.Project
		if len(p.ID) != 32 || p.ParentID != projectID || !p.Enabled || p.DomainID != domainID || p.Description != "d" {
			t.Errorf("got %+v", p)
		}
		if _, err := f.byPassword("bob", "bob's password", `{"project":{"id":"`+p.ID+`"}}`); err != nil {
			t.Errorf("a token for the new project: %v", err)
		}
	}
	_, err := f.CreateProject(t.Context(), f.bob(), identity.NewProject{Name: "self-3"}, base)
	wantCode(t, "plain user", err, csms.CodeIAMForbidden)
	if err == nil || !strings.Contains(err.Error(), "self-1, cn-north-4") {
		t.Errorf("the refusal does not name the regions: %v", err)
	}
	for name, tt := range map[string]struct {
		n    identity.NewProject
		code csms.Code
	}{
		"name taken":             {identity.NewProject{Name: "self-1"}, csms.CodeIAMConflict},
		"alias of the region":    {identity.NewProject{Name: "cn-north-4"}, csms.CodeIAMConflict},
		"no name":                {identity.NewProject{}, csms.CodeIAMInvalid},
		"name too long":          {identity.NewProject{Name: strings.Repeat("x", 65)}, csms.CodeIAMInvalid},
		"name with a slash":      {identity.NewProject{Name: "a/b"}, csms.CodeIAMInvalid},
		"name with outer blanks": {identity.NewProject{Name: " a"}, csms.CodeIAMInvalid},
		"long description":       {identity.NewProject{Name: "a", Description: strings.Repeat("ü", 256)}, csms.CodeIAMInvalid},
		"another domain":         {identity.NewProject{Name: "a", DomainID: "away"}, csms.CodeIAMForbidden},
		"parent elsewhere":       {identity.NewProject{Name: "a", ParentID: "foreign"}, csms.CodeIAMNotFound},
	} {
		_, err := f.CreateProject(t.Context(), f.alice(), tt.n, base)
		wantCode(t, name, err, tt.code)
	}
}

func TestLookups_describe_the_server(t *testing.T) {
	f := newFixture(t, identity.Options{RegionAliases: []string{"cn-north-4"}})
	c := f.bob()
	domains := f.AuthDomains(c, base)
	if len(domains.Domains) != 1 || domains.Domains[0].ID != domainID || domains.Domains[0].Name != "acme" || !domains.Domains[0].Enabled {
		t.Errorf("domains: %+v", domains)
	}
	if got := f.CallerIdentity(c); got.AccountID != domainID || got.PrincipalID != c.UserID || got.PrincipalURN != "iam::"+domainID+":user:bob" {
		t.Errorf("caller identity: %+v", got)
	}
	if err := f.auth.EnterProject(t.Context(), c, projectID); err != nil {
		t.Fatal(err)
	}
	urls := map[string]string{}
	for _, s := range f.Catalog(c, base).Catalog {
		urls[s.Type] = s.Endpoints[0].URL
	}
	want := map[string]string{
		"iam": base + "/v3", "identity": base + "/v3", "eps": base + "/v1.0", "kms": base + "/v1.0/" + projectID, "csms": base + "/v1/" + projectID,
	}
	if diff := cmp.Diff(want, urls); diff != "" {
		t.Errorf("catalog (-want +got):\n%s", diff)
	}

	regions := f.Regions(base).Regions
	if len(regions) != 2 || regions[0].ID != "self-1" || regions[1].ID != "cn-north-4" || regions[1].Locales["zh-cn"] != "cn-north-4" {
		t.Errorf("regions: %+v", regions)
	}
	for _, r := range regions {
		if got, err := f.ShowRegion(r.ID, base); err != nil || got.Region.Links != r.Links {
			t.Errorf("region %s: got %+v and %v", r.ID, got, err)
		}
	}
	services, endpoints := f.Services(base).Services, f.Endpoints(base).Endpoints
	if len(services) != 5 || len(endpoints) != 5 {
		t.Errorf("%d services and %d endpoints", len(services), len(endpoints))
	}
	for i := range services {
		if got, err := f.ShowService(services[i].ID, base); err != nil || got.Service != services[i] {
			t.Errorf("service: got %+v and %v", got, err)
		}
		if got, err := f.ShowEndpoint(endpoints[i].ID, base); err != nil || got.Endpoint != endpoints[i] || endpoints[i].ServiceID != services[i].ID {
			t.Errorf("endpoint: got %+v and %v", got, err)
		}
	}
	for what, err := range map[string]error{
		"region": second(f.ShowRegion("unknown-1", base)), "service": second(f.ShowService("x", base)), "endpoint": second(f.ShowEndpoint("x", base)),
	} {
		wantCode(t, what, err, csms.CodeIAMNotFound)
	}
	if got := asJSON(t, f.Regions(base).Regions[0]); !strings.Contains(got, `"parent_region_id": null`) {
		t.Errorf("region: %s", got)
	}
	if kinds := identity.DefaultServices(); !slices.Contains(kinds, "csms") {
		t.Errorf("services: %v", kinds)
	}
}

func second[A any](_ A, err error) error { return err }
