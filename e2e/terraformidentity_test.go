package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// identityResources is the life of the identity resources of Terraform: user, access
// key, group, membership, role, role assignment and project. A second plan sees what
// was written, and a deletion by hand is found.
func identityResources(t *testing.T, p *provider) {
	group := p.identity(t, "group", "POST", "/v3/groups", map[string]any{"name": "tf", "description": "d"}, created...)
	role := p.identity(t, "role", "POST", "/v3.0/OS-ROLE/roles", map[string]any{
		"display_name": "tf", "description": "d", "type": "XA", "policy": readPolicy(),
	}, created...)
	user := p.identity(t, "user", "POST", "/v3.0/OS-USER/users", map[string]any{
		"name": "tf", "domain_id": devDomain, "enabled": true, "pwd_status": true, "email": "tf@example.test",
		"areacode": "0049", "phone": "123", "access_mode": "default", "description": "d",
	}, created...)
	groupID, roleID, userID := id(group), id(role), id(user)
	for range 2 { // two plans in a row see the same
		same(t, group, p.identity(t, "group", "GET", "/v3/groups/"+groupID, nil, 200))
		got := p.identity(t, "role", "GET", "/v3.0/OS-ROLE/roles/"+roleID, nil, 200)
		if diff := cmp.Diff(readPolicy(), got["policy"]); diff != "" || got["display_name"] != "tf" || got["type"] != "XA" {
			t.Errorf("role %v\n%s", got, diff)
		}
		same(t, user, p.identity(t, "user", "GET", "/v3.0/OS-USER/users/"+userID, nil, 200))
	}
	p.memberships(t, groupID, userID)
	p.assignments(t, groupID, roleID)
	user = p.identity(t, "user", "PUT", "/v3.0/OS-USER/users/"+userID, map[string]any{"name": "tf2", "pwd_status": false}, 200)
	same(t, user, p.identity(t, "user", "GET", "/v3.0/OS-USER/users/"+userID, nil, 200))
	key := p.identity(t, "credential", "POST", "/v3.0/OS-CREDENTIAL/credentials", map[string]any{"user_id": userID}, 201)
	p.call(t, "DELETE", "/v3.0/OS-CREDENTIAL/credentials/"+key["access"].(string), nil, 204)
	p.project(t)
	p.call(t, "DELETE", "/v3.0/OS-ROLE/roles/"+roleID, nil, 200)
	p.call(t, "DELETE", "/v3/groups/"+groupID, nil, 204)
	p.call(t, "DELETE", "/v3/users/"+userID, nil, 204)
	for _, path := range []string{"/v3/groups/" + groupID, "/v3.0/OS-ROLE/roles/" + roleID, "/v3.0/OS-USER/users/" + userID} {
		p.call(t, "GET", path, nil, 404)
	}
}

func readPolicy() map[string]any {
	return map[string]any{"Version": "1.1", "Statement": []any{map[string]any{
		"Effect": "Allow", "Action": []any{"csms:secret:getVersion"}, "Resource": []any{"csms:*:*:secretName:tf_*"},
		"Condition": map[string]any{"StringStartWith": map[string]any{"g:UserName": []any{"tf"}}},
	}}}
}

// identity sends a member inside an object of its name and returns the one of the answer.
func (p *provider) identity(t *testing.T, member, method, path string, in map[string]any, statuses ...int) map[string]any {
	t.Helper()
	var body any
	if in != nil {
		body = map[string]any{member: in}
	}
	return p.call(t, method, path, body, statuses...)[member].(map[string]any)
}

func id(object map[string]any) string { return object["id"].(string) }

func same(t *testing.T, want, got map[string]any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a second read differs (-first +second):\n%s", diff)
	}
}

func (p *provider) memberships(t *testing.T, group, user string) {
	t.Helper()
	p.call(t, "PUT", "/v3/groups/"+group+"/users/"+user, nil, 204)
	users := p.call(t, "GET", "/v3/groups/"+group+"/users", nil, 200)["users"].([]any)
	if len(users) != 1 || id(users[0].(map[string]any)) != user {
		t.Errorf("members: %v", users)
	}
	p.call(t, "DELETE", "/v3/groups/"+group+"/users/"+user, nil, 204)
	p.call(t, "DELETE", "/v3/groups/"+group+"/users/"+user, nil, 404) // the provider goes on
}

// assignments is the life of group_role_assignment in each of its scopes.
func (p *provider) assignments(t *testing.T, group, role string) {
	t.Helper()
	for _, scope := range []string{
		"/v3/domains/" + devDomain + "/groups/" + group + "/roles",
		"/v3/projects/" + devProject + "/groups/" + group + "/roles",
		"/v3.0/OS-PERMISSION/enterprise-projects/0/groups/" + group + "/roles",
	} {
		p.call(t, "PUT", scope+"/"+role, nil, 204)
		roles := p.call(t, "GET", scope, nil, 200)["roles"].([]any)
		if len(roles) != 1 || id(roles[0].(map[string]any)) != role {
			t.Errorf("%s: %v", scope, roles)
		}
		p.call(t, "DELETE", scope+"/"+role, nil, 204)
	}
	all := "/v3/OS-INHERIT/domains/" + devDomain + "/groups/" + group + "/roles/" + role + "/inherited_to_projects"
	p.call(t, "PUT", all, nil, 204)
	p.call(t, "HEAD", all, nil, 204)
	p.call(t, "DELETE", all, nil, 204)
	p.call(t, "HEAD", all, nil, 404)
}

// project cannot be deleted: the provider takes the 404 for that and warns.
func (p *provider) project(t *testing.T) {
	t.Helper()
	made := p.identity(t, "project", "POST", "/v3/projects", map[string]any{"name": "cn-north-4_tf"}, 201)
	p.identity(t, "project", "PATCH", "/v3/projects/"+id(made), map[string]any{"description": "d"}, 200)
	got := p.identity(t, "project", "GET", "/v3/projects/"+id(made), nil, 200)
	if got["name"] != "cn-north-4_tf" || got["description"] != "d" || got["parent_id"] != devDomain || got["enabled"] != true {
		t.Errorf("project: %v", got)
	}
	p.call(t, "DELETE", "/v3/projects/"+id(made), nil, 404)
}
