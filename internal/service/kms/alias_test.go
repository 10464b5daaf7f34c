package kms_test

import (
	"testing"

	"coffer/internal/csms"
	"coffer/internal/service/kms"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// inEnterpriseProject is a statement that allows an action in one enterprise project.
func inEnterpriseProject(action, project string) string {
	return `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["` + action + `"],"Condition":{"StringEquals":{"g:EnterpriseProjectId":["` + project + `"]}}}]}`
}

// A list of the aliases of all keys shows those of keys in enterprise projects where
// the caller has the right, and rights on grants are judged there too.
func TestAliasesAndGrantsInEnterpriseProjects(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	user(t, k, "grantee")
	const shop = "11111111-1111-4111-8111-111111111111"
	inShop, outside := newKey(t, k, "in-shop"), newKey(t, k, "outside")
	err := k.Store.Update(ctx, func(tx *store.Tx) error {
		key, err := tx.Key(testkit.ProjectID, inShop)
		if err != nil {
			return err
		}
		key.EnterpriseProjectID = shop
		return tx.PutKey(key)
	})
	if err != nil {
		t.Fatal(err)
	}
	for alias, key := range map[string]string{"alias/a": inShop, "alias/b": outside} {
		if _, err := k.Keys.CreateKeyAlias(ctx, owner(testkit.ProjectID), key, alias); err != nil {
			t.Fatal(err)
		}
	}
	for project, want := range map[string]string{shop: "alias/a", "0": "alias/b"} {
		got, next, err := k.Keys.ListKeyAliases(ctx, caller(t, inEnterpriseProject("kms:cmk:listAliases", project)), kms.AliasListing{Limit: 50})
		if err != nil || len(got) != 1 || got[0].Alias != want || next != "" {
			t.Errorf("aliases in %s: %+v, %q, %v; want %s", project, got, next, err, want)
		}
	}
	who := caller(t, inEnterpriseProject("kms:cmk:createGrant", shop))
	in := kms.NewGrant{KeyID: inShop, Grantee: "grantee", Operations: []string{"describe-key"}}
	if _, err := k.Keys.CreateKeyGrant(ctx, who, in); err != nil {
		t.Errorf("a grant on a key in the enterprise project: %v", err)
	}
	in.KeyID = outside
	_, err = k.Keys.CreateKeyGrant(ctx, who, in)
	refused(t, "a grant on a key outside", err, csms.CodeKMSForbidden)
	who = caller(t, inEnterpriseProject("kms:cmk:associateAlias", shop))
	_, err = k.Keys.AssociateKeyAlias(ctx, who, inShop, "alias/b")
	refused(t, "an alias of a key outside", err, csms.CodeKMSForbidden)
}
