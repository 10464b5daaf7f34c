package kms_test

import (
	"strconv"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service/kms"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// KMS.1105: a project holds so many keys, and other projects theirs.
func TestTooManyKeys(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	err := k.Store.Update(t.Context(), func(tx *store.Tx) error {
		for i := range kms.MaxKeys - 1 {
			if err := tx.PutKey(&store.Key{ID: strconv.Itoa(i), ProjectID: testkit.ProjectID, State: store.KeyEnabled}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	newKey(t, k, "last")
	_, err = k.Keys.CreateKey(t.Context(), owner(testkit.ProjectID), kms.NewKey{Alias: "one_more"})
	refused(t, "one more", err, csms.CodeKMSKeyQuota)
	if _, err := k.Keys.CreateKey(t.Context(), owner(testkit.OtherProjectID), kms.NewKey{Alias: "one_more"}); err != nil {
		t.Errorf("in another project: %v", err)
	}
}

// A condition can look at the tags that a key has.
func TestTagsOfAKeyCountInAuthorization(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	id := newKey(t, k, "mine")
	who := caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["kms:cmk:get"],"Condition":{"StringEquals":{"g:ResourceTag/team":["shop"]}}}]}`)
	_, err := k.Keys.DescribeKey(ctx, who, id)
	refused(t, "without the tag", err, csms.CodeKMSForbidden)
	if err := k.Keys.BatchCreateKeyTags(ctx, owner(testkit.ProjectID), id, "create", []csms.Tag{{Key: "team", Value: "shop"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Keys.DescribeKey(ctx, who, id); err != nil {
		t.Errorf("with the tag: %v", err)
	}
}

// The older action of the role grammar means the same (auth.md 7.4).
func TestOlderActionsOfKeys(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	id := newKey(t, k, "mine")
	who := caller(t, `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["kms:cmk:update"]}]}`)
	if err := k.Keys.UpdateKeyAlias(ctx, who, id, "renamed"); err != nil {
		t.Error(err)
	}
	_, err := k.Keys.DisableKey(ctx, who, id)
	refused(t, "DisableKey", err, csms.CodeKMSForbidden)
}

// Whoever may list in no enterprise project is refused; whoever may list in another
// one sees nothing.
func TestListKeysInEnterpriseProjects(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	newKey(t, k, "mine")
	for project, want := range map[string]int{"0": 1, "11111111-1111-4111-8111-111111111111": 0} {
		who := caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["kms:cmk:list"],"Condition":{"StringEquals":{"g:EnterpriseProjectId":["`+project+`"]}}}]}`)
		page, err := k.Keys.ListKeys(ctx, who, kms.Listing{Limit: 10})
		if err != nil || page.Total != want || len(page.Keys) != want {
			t.Errorf("%s: %+v, %v; want %d keys", project, page, err, want)
		}
	}
}

// A store that fails is no refusal of the key.
func TestAFailingStoreIsNoRefusal(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	if err := k.DB.Close(); err != nil {
		t.Fatal(err)
	}
	const id = "00000000-0000-4000-8000-0000000000aa"
	who := owner(testkit.ProjectID)
	_, described := k.Keys.DescribeKey(ctx, who, id)
	_, created := k.Keys.CreateKey(ctx, who, kms.NewKey{Alias: "a"})
	_, listed := k.Keys.ListKeys(ctx, who, kms.Listing{Limit: 1})
	for what, err := range map[string]error{
		"DescribeKey": described, "CreateKey": created, "ListKeys": listed,
		"Authorize": k.Keys.Authorize(ctx, who, iam.DescribeKey, id),
	} {
		refused(t, what, err, csms.CodeInternal)
	}
}
