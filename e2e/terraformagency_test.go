package e2e

import (
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// agencyState is an identity_agency as the provider keeps it.
type agencyState struct {
	Name, Description, Duration, Domain, Service, ExpireTime string
	ProjectRoles, DomainRoles                                []string
}

const agencies = "/v3.0/OS-AGENCY/agencies"

// roleIDs reads the ids of roles by display name, as the provider does: what is built
// in, then what is of the account.
func (p *provider) roleIDs(t *testing.T, domain string) map[string]string {
	t.Helper()
	ids := map[string]string{}
	for _, query := range []string{"", "&domain_id=" + domain} {
		for page := 1; ; page++ {
			roles := p.call(t, "GET", "/v3/roles?page="+strconv.Itoa(page)+"&per_page=300"+query, nil, 200)["roles"].([]any)
			if len(roles) == 0 {
				break
			}
			for _, r := range roles {
				ids[r.(map[string]any)["display_name"].(string)] = r.(map[string]any)["id"].(string)
			}
		}
	}
	return ids
}

// readAgency reads an identity_agency as the provider does.
func (p *provider) readAgency(t *testing.T, id string) agencyState {
	t.Helper()
	a := p.call(t, "GET", agencies+"/"+id, nil, 200)["agency"].(map[string]any)
	text := func(member string) string {
		value, _ := a[member].(string)
		return value
	}
	state := agencyState{Name: text("name"), Description: text("description"), Duration: text("duration"), ExpireTime: text("expire_time")}
	if hours, err := strconv.Atoi(state.Duration); err == nil {
		state.Duration = strconv.Itoa(hours / 24)
	}
	if trusted := text("trust_domain_name"); len(trusted) > 7 && trusted[:7] == "op_svc_" {
		state.Service = trusted
	} else {
		state.Domain = trusted
	}
	domain := text("domain_id")
	for _, project := range p.call(t, "GET", "/v3/projects?domain_id="+domain, nil, 200)["projects"].([]any) {
		state.ProjectRoles = append(state.ProjectRoles, p.assigned(t, "projects/"+project.(map[string]any)["id"].(string), id)...)
	}
	state.DomainRoles = p.assigned(t, "domains/"+domain, id)
	return state
}

// assigned reads the display names of what is assigned to an agency in a scope.
func (p *provider) assigned(t *testing.T, scope, id string) []string {
	t.Helper()
	var names []string
	for _, r := range p.call(t, "GET", "/v3.0/OS-AGENCY/"+scope+"/agencies/"+id+"/roles", nil, 200)["roles"].([]any) {
		names = append(names, r.(map[string]any)["display_name"].(string))
	}
	return names
}

// agencyResource is the life of an identity_agency with roles in each of the three
// scopes.
func agencyResource(t *testing.T, p *provider) {
	domain := p.call(t, "GET", "/v3/auth/domains", nil, 200)["domains"].([]any)[0].(map[string]any)["id"].(string)
	made := p.call(t, "POST", agencies, map[string]any{"agency": map[string]any{
		"name": "tf_agency", "domain_id": domain, "trust_domain_name": "coffer-dev", "description": "d", "duration": "FOREVER",
	}}, 201)
	id := made["agency"].(map[string]any)["id"].(string)
	roles := p.roleIDs(t, domain)
	inherited := "/v3.0/OS-INHERIT/domains/" + domain + "/agencies/" + id + "/roles/" + roles["CSMS ReadOnlyAccess"] + "/inherited_to_projects"
	inProject := "/v3.0/OS-AGENCY/projects/" + devProject + "/agencies/" + id + "/roles/" + roles["CSMS FullAccess"]
	p.call(t, "PUT", inProject, nil, 204)
	p.call(t, "PUT", "/v3.0/OS-AGENCY/domains/"+domain+"/agencies/"+id+"/roles/"+roles["Tenant Guest"], nil, 204)
	p.call(t, "PUT", inherited, nil, 204)
	want := agencyState{
		Name: "tf_agency", Description: "d", Duration: "FOREVER", Domain: "coffer-dev",
		ProjectRoles: []string{"CSMS FullAccess"}, DomainRoles: []string{"Tenant Guest"},
	}
	plan := func() {
		t.Helper()
		for range 2 {
			if diff := cmp.Diff(want, p.readAgency(t, id)); diff != "" {
				t.Errorf("the plan sees a change (-config +read):\n%s", diff)
			}
		}
	}
	plan()
	p.call(t, "PUT", agencies+"/"+id, map[string]any{"agency": map[string]any{"trust_domain_name": "op_svc_ecs", "description": "e", "duration": 3}}, 200)
	p.call(t, "DELETE", inProject, nil, 204)
	p.call(t, "DELETE", inherited, nil, 204)
	want.Description, want.Duration, want.Domain, want.Service, want.ProjectRoles = "e", "3", "", "op_svc_ecs", nil
	if want.ExpireTime = p.readAgency(t, id).ExpireTime; want.ExpireTime == "" {
		t.Error("an agency of three days without an end")
	}
	plan()
	p.call(t, "DELETE", agencies+"/"+id, nil, 204)
	p.call(t, "GET", agencies+"/"+id, nil, 404)
}
