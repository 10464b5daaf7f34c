package service_test

import (
	"testing"

	"coffer/internal/csms"
	"coffer/internal/service"
	"coffer/internal/testkit"
)

// customerKey makes a key beside the default one.
func customerKey(t *testing.T, k *testkit.Kit, alias string) string {
	t.Helper()
	key, err := k.KMS.CreateKey(t.Context(), testkit.ProjectID, testkit.DomainID, alias, "")
	if err != nil {
		t.Fatal(err)
	}
	return key.ID
}

// N13: a new key protects later versions only; older ones keep theirs.
func TestANewKeyProtectsLaterVersionsOnly(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	before := create(t, k, "db").KMSKeyID
	key := customerKey(t, k, "mine")
	if _, err := k.Service.UpdateSecret(ctx, owner(), "db", csms.Patch{KMSKeyID: &key}); err != nil {
		t.Fatal(err)
	}
	v2, err := k.Service.CreateSecretVersion(ctx, owner(), "db", service.NewVersion{Text: csms.Plaintext("second")})
	if err != nil || v2.Version.KMSKeyID != key {
		t.Fatalf("v2 %+v, %v", v2.Version, err)
	}
	v1, err := k.Service.ShowSecretVersion(ctx, owner(), "db", "v1")
	if err != nil || v1.Version.KMSKeyID != before || string([]byte(v1.Value.Data)) != "value of db" {
		t.Errorf("v1 %+v, %v", v1.Version, err)
	}
}

// N12, CSMS.0401: a key that is unknown or disabled is refused, and what it protects
// cannot be read while it is; the rest of the secret can.
func TestADisabledKeyMakesItsValuesUnreadable(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	in := newSecret("db")
	in.Creation.KMSKeyID = "11111111-1111-4111-8111-111111111111"
	_, err := k.Service.CreateSecret(ctx, owner(), in)
	refused(t, err, csms.CodeKey)
	in = newSecret("db")
	in.Creation.KMSKeyID = customerKey(t, k, "mine")
	if _, err := k.Service.CreateSecret(ctx, owner(), in); err != nil {
		t.Fatal(err)
	}
	if _, err := k.KMS.DisableKey(ctx, testkit.ProjectID, in.Creation.KMSKeyID); err != nil {
		t.Fatal(err)
	}
	_, err = k.Service.ShowSecretVersion(ctx, owner(), "db", csms.Latest)
	refused(t, err, csms.CodeKey)
	_, err = k.Service.CreateSecretVersion(ctx, owner(), "db", service.NewVersion{Text: csms.Plaintext("x")})
	refused(t, err, csms.CodeKey)
	if _, err := k.Service.ShowSecret(ctx, owner(), "db"); err != nil {
		t.Errorf("metadata: %v", err)
	}
	if _, err := k.KMS.EnableKey(ctx, testkit.ProjectID, in.Creation.KMSKeyID); err != nil {
		t.Fatal(err)
	}
	if got := value(t, k, "db"); got != "value of db" {
		t.Errorf("value = %q", got)
	}
}

// auth.md 7.4: a key that is named takes a right of its own, the default key none.
func TestACustomerKeyTakesARightOfItsOwn(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	create(t, k, "plain")
	in := newSecret("guarded")
	in.Creation.KMSKeyID = customerKey(t, k, "mine")
	if _, err := k.Service.CreateSecret(ctx, owner(), in); err != nil {
		t.Fatal(err)
	}
	reader := caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:getVersion"]}]}`)
	if _, err := k.Service.ShowSecretVersion(ctx, reader, "plain", csms.Latest); err != nil {
		t.Errorf("default key: %v", err)
	}
	_, err := k.Service.ShowSecretVersion(ctx, reader, "guarded", csms.Latest)
	refused(t, err, csms.CodeKey)
	reader = caller(t, `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:secretVersion:get","kms:dek:decrypt"]}]}`)
	if _, err := k.Service.ShowSecretVersion(ctx, reader, "guarded", csms.Latest); err != nil {
		t.Errorf("with the key right in the older spelling (IAM1): %v", err)
	}
}
