package service_test

import (
	"fmt"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// underKey returns a kit with the secret db under a customer key.
func underKey(t testing.TB) (k *testkit.Kit, keyID string) {
	t.Helper()
	k = testkit.New(t, testkit.Options{})
	key, err := k.KMS.CreateKey(t.Context(), testkit.ProjectID, testkit.DomainID, "mine", "")
	if err != nil {
		t.Fatal(err)
	}
	in := newSecret("db")
	in.Creation.KMSKeyID = key.ID
	if _, err := k.Service.CreateSecret(t.Context(), owner(), in); err != nil {
		t.Fatal(err)
	}
	return k, key.ID
}

func grantKey(t testing.TB, k *testkit.Kit, keyID string, g store.KeyGrant) {
	t.Helper()
	_, err := k.KMS.CreateKeyGrant(t.Context(), testkit.ProjectID, keyID, g, func(*store.Key) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
}

// CSMS.0401: a grant on the key stands beside the policies. It names users of the
// embedded IAM, and takes no deny and no limit of a temporary key away.
func TestAGrantOnAKeyOpensWhatIsUnderIt(t *testing.T) {
	k, keyID := underKey(t)
	grantKey(t, k, keyID, store.KeyGrant{GranteeType: store.PrincipalUser, GranteeID: "caller", Operations: []string{"decrypt-datakey"}})
	const read = `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:getVersion","csms:secret:createVersion"]}]}`
	const noKey = `{"Version":"5.0","Statement":[{"Effect":"Deny","Action":["kms:cmk:decryptDataKey"]}]}`
	for name, tt := range map[string]struct {
		change func(*iam.Caller)
		want   csms.Code
	}{
		"grantee":            {func(*iam.Caller) {}, ""},
		"another user":       {func(c *iam.Caller) { c.UserID = "other" }, csms.CodeKey},
		"a user of Keystone": {func(c *iam.Caller) { c.Foreign = true }, csms.CodeKey},
		"an agency":          {func(c *iam.Caller) { c.UserID = "" }, csms.CodeKey},
		"a deny":             {func(c *iam.Caller) { c.Policies = append(c.Policies, caller(t, noKey).Policies...) }, csms.CodeKey},
		"a temporary key":    {func(c *iam.Caller) { c.Session = c.Policies[0] }, csms.CodeKey},
	} {
		who := caller(t, read)
		tt.change(who)
		if err := readAs(t, k, who); csms.CodeOf(err) != tt.want {
			t.Errorf("%s: %v; want %q", name, err, tt.want)
		}
	}
	_, err := k.Service.CreateSecretVersion(t.Context(), caller(t, read), "db", service.NewVersion{Text: csms.Plaintext("w")})
	refused(t, err, csms.CodeKey) // to read is not to write
}

// A grant to the domain is for its agencies too.
func TestAGrantOnAKeyToTheDomain(t *testing.T) {
	k, keyID := underKey(t)
	grantKey(t, k, keyID, store.KeyGrant{GranteeType: store.PrincipalDomain, GranteeID: testkit.DomainID, Operations: []string{"decrypt-datakey"}})
	who := caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:getVersion"]}]}`)
	for _, user := range []string{"caller", "other", ""} {
		who.UserID = user
		if err := readAs(t, k, who); err != nil {
			t.Errorf("user %q: %v", user, err)
		}
	}
	who.Foreign = true
	refused(t, readAs(t, k, who), csms.CodeKey)
}

// BenchmarkShowSecretVersionUnderAKey: whoever his policies allow pays nothing for the
// grants on the key.
func BenchmarkShowSecretVersionUnderAKey(b *testing.B) {
	for _, grants := range []int{0, 100} {
		b.Run(fmt.Sprintf("grants=%d", grants), func(b *testing.B) {
			k, keyID := underKey(b)
			for i := range grants {
				grantKey(b, k, keyID, store.KeyGrant{GranteeType: store.PrincipalUser, GranteeID: fmt.Sprint(i), Operations: []string{"decrypt-datakey"}})
			}
			for b.Loop() {
				v, err := k.Service.ShowSecretVersion(b.Context(), owner(), "db", csms.Latest)
				if err != nil {
					b.Fatal(err)
				}
				v.Value.Data.Wipe()
			}
		})
	}
}
