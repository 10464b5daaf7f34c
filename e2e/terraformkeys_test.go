package e2e

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// alias reads a kms_alias as the provider does, page by page; nil if it is gone.
func (p *provider) alias(t *testing.T, key, alias string) map[string]any {
	t.Helper()
	for path := "/v1.0/{p}/kms/aliases?key_id=" + key + "&limit=50"; ; {
		page := p.call(t, "GET", path, nil, 200)
		for _, a := range page["aliases"].([]any) {
			if found := a.(map[string]any); found["alias"] == alias {
				return found
			}
		}
		marker, more := page["page_info"].(map[string]any)["next_marker"].(string)
		if !more || marker == "" {
			return nil
		}
		path = "/v1.0/{p}/kms/aliases?key_id=" + key + "&limit=50&marker=" + marker
	}
}

// aliasResource is the life of a kms_alias, and of a kms_alias_associate that takes
// the alias over.
func aliasResource(t *testing.T, p *provider) {
	const alias = "alias/tf"
	first, second := p.key(t, "terraform-alias"), p.key(t, "terraform-alias-2")
	p.call(t, "POST", "/v1.0/{p}/kms/aliases", map[string]any{"key_id": first, "alias": alias}, created...)
	plan := func(key string) {
		t.Helper()
		state := p.alias(t, key, alias)
		if state == nil || state["key_id"] != key || state["alias_urn"] == "" || state["create_time"] == "" || state["update_time"] == "" {
			t.Fatalf("alias: %v", state)
		}
		for range 2 {
			if diff := cmp.Diff(state, p.alias(t, key, alias)); diff != "" {
				t.Errorf("the plan sees a change (-state +read):\n%s", diff)
			}
		}
	}
	plan(first)
	p.call(t, "POST", "/v1.0/{p}/kms/alias/associate", map[string]any{"target_key_id": second, "alias": alias}, created...)
	plan(second)
	if p.alias(t, first, alias) != nil {
		t.Error("the key that lost its alias still has it")
	}
	p.call(t, "DELETE", "/v1.0/{p}/kms/aliases", map[string]any{"key_id": second, "aliases": []string{alias}}, 200, 202, 204)
	for _, key := range []string{second, "00000000-0000-4000-8000-000000000000"} { // and a key that is gone
		if p.alias(t, key, alias) != nil {
			t.Error("an alias that was destroyed is still there")
		}
	}
}

// grant reads a kms_grant as the provider does; nil if it is gone.
func (p *provider) grant(t *testing.T, key, id string) map[string]any {
	t.Helper()
	page := p.call(t, "POST", "/v1.0/{p}/kms/list-grants", map[string]any{"key_id": key, "limit": 100}, 200)
	for _, g := range page["grants"].([]any) {
		if found := g.(map[string]any); found["grant_id"] == id {
			return found
		}
	}
	return nil
}

// grantResource is the life of a kms_grant to a user and of one to the domain, and
// the data source kms_retirable_grants.
func grantResource(t *testing.T, p *provider) {
	key := p.key(t, "terraform-grant")
	domain := p.call(t, "GET", "/v3/auth/domains", nil, 200)["domains"].([]any)[0].(map[string]any)["id"].(string)
	user := p.call(t, "POST", "/v3/users", map[string]any{"user": map[string]any{"name": "tf_grantee", "domain_id": domain, "password": "tf-Passw0rd!"}}, 201)["user"].(map[string]any)["id"].(string)
	ids := map[string]string{}
	for kind, grantee := range map[string]string{"user": user, "domain": domain} {
		operations := []any{"encrypt-data", "decrypt-data", "describe-key"} // the provider compares their order
		in := map[string]any{"name": "tf_" + kind, "key_id": key, "grantee_principal_type": kind, "grantee_principal": grantee, "operations": operations}
		id := p.call(t, "POST", "/v1.0/{p}/kms/create-grant", in, 200)["grant_id"].(string)
		for range 2 {
			got := p.grant(t, key, id)
			for member, want := range in {
				if diff := cmp.Diff(want, got[member]); diff != "" {
					t.Errorf("the plan sees a change of %s (-written +read):\n%s", member, diff)
				}
			}
			if creator, _ := got["issuing_principal"].(string); creator == "" {
				t.Errorf("no creator: %v", got)
			}
		}
		ids[kind] = id
	}
	retirable := p.call(t, "POST", "/v1.0/{p}/kms/list-retirable-grants", map[string]any{"limit": 100}, 200)
	if n := len(retirable["grants"].([]any)); n != 2 || retirable["next_marker"] != "" {
		t.Errorf("retirable: %v", retirable)
	}
	p.call(t, "POST", "/v1.0/{p}/kms/retire-grant", map[string]any{"key_id": key, "grant_id": ids["domain"]}, created...)
	p.call(t, "POST", "/v1.0/{p}/kms/revoke-grant", map[string]any{"key_id": key, "grant_id": ids["user"]}, 200)
	for kind, id := range ids {
		if p.grant(t, key, id) != nil {
			t.Errorf("the grant to the %s is still there", kind)
		}
	}
	p.call(t, "POST", "/v1.0/{p}/kms/list-grants", map[string]any{"key_id": "00000000-0000-4000-8000-000000000000", "limit": 100}, 404)
}
