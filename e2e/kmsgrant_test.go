package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	csmsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
	kms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kms/v2"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/kms/v2/model"
)

// An application that may read secrets and has no right to any key.
const (
	appAccessKey = "APPACCESSKEY00000001"
	appSecretKey = "appSecretKeyDoNotUseInProduction00000001"
	appIdentity  = `users:
  - name: app
    access_key: ` + appAccessKey + `
    secret_key: ` + appSecretKey + `
    policies:
      - {"Version": "5.0", "Statement": [{"Effect": "Allow", "Action": ["csms:secret:getVersion"]}]}
`
)

// A grant on a key with the typed models of the SDK: made, listed, used for data and
// for a secret, given back and taken away. It ends with the next request.
func TestAGrantOnAKey(t *testing.T) {
	identities := filepath.Join(t.TempDir(), "iam.yaml")
	if err := os.WriteFile(identities, []byte(appIdentity), 0o600); err != nil {
		t.Fatal(err)
	}
	for transport, args := range transports() {
		t.Run(transport, func(t *testing.T) {
			s := startDev(t, append(args, "--iam", identities)...)
			admin := s.keysClient(t)
			id := createKey(t, admin)
			_, err := s.signedClient(t).CreateSecret(&csmsmodel.CreateSecretRequest{Body: &csmsmodel.CreateSecretRequestBody{Name: "kept", SecretString: ptr("v"), KmsKeyId: &id}})
			if err != nil {
				t.Fatal(err)
			}
			t.Run("decrypt-datakey for a secret", func(t *testing.T) { grantForSecret(t, s, admin, id) })
			t.Run("data, and retired", func(t *testing.T) { grantForData(t, s, admin, id) })
			t.Run("aliases", func(t *testing.T) { aliases(t, admin, id) })
		})
	}
}

// appUser returns the id of the application.
func (s *server) appUser(t *testing.T) string {
	t.Helper()
	p := &provider{server: s, http: s.httpClient(t)}
	users := p.call(t, "GET", "/v3/users?name=app", nil, http.StatusOK)["users"].([]any)
	return users[0].(map[string]any)["id"].(string)
}

func createGrant(t *testing.T, s *server, admin *kms.KmsClient, keyID string, operations ...string) string {
	t.Helper()
	made, err := admin.CreateGrant(&model.CreateGrantRequest{Body: &model.CreateGrantRequestBody{
		KeyId: keyID, GranteePrincipal: s.appUser(t), Operations: operations, Name: ptr("of_the_app"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	return *made.GrantId
}

func grantForSecret(t *testing.T, s *server, admin *kms.KmsClient, keyID string) {
	app := s.keyClient(t, appAccessKey, appSecretKey, "")
	denied := func() {
		t.Helper()
		_, err := app.ShowSecretVersion(&csmsmodel.ShowSecretVersionRequest{SecretName: "kept", VersionId: "latest"})
		refused(t, err, http.StatusBadRequest, "CSMS.0401")
	}
	denied()
	grant := createGrant(t, s, admin, keyID, "decrypt-datakey")
	if got := value(t, app, "kept", "latest"); got != "v" {
		t.Errorf("value = %q", got)
	}
	revoked, err := admin.CancelGrant(&model.CancelGrantRequest{Body: &model.RevokeGrantRequestBody{KeyId: keyID, GrantId: grant}})
	if err != nil || revoked.HttpStatusCode != http.StatusOK {
		t.Errorf("revoked %+v, %v; want 200", revoked, err)
	}
	denied()
}

func grantForData(t *testing.T, s *server, admin *kms.KmsClient, keyID string) {
	app := s.keysClientOf(t, appAccessKey, appSecretKey)
	encrypt := func() error {
		_, err := app.EncryptData(&model.EncryptDataRequest{Body: &model.EncryptDataRequestBody{KeyId: keyID, PlainText: "x"}})
		return err
	}
	refused(t, encrypt(), http.StatusForbidden, "KMS.0306")
	operations := []string{"encrypt-data", "retire-grant"}
	grant := createGrant(t, s, admin, keyID, operations...)
	if err := encrypt(); err != nil {
		t.Error(err)
	}
	listed, err := admin.ListGrants(&model.ListGrantsRequest{Body: &model.ListGrantsRequestBody{KeyId: keyID, Limit: ptr("100")}})
	if err != nil || *listed.Total != 1 || listed.Truncated.Value() != "false" {
		t.Fatalf("listed %+v, %v", listed, err)
	}
	got := (*listed.Grants)[0]
	if diff := cmp.Diff(operations, *got.Operations); diff != "" || *got.GrantId != grant || *got.Name != "of_the_app" || got.GranteePrincipalType.Value() != "user" {
		t.Errorf("grant %+v", got)
	}
	retirable, err := app.ListRetirableGrants(&model.ListRetirableGrantsRequest{Body: &model.ListRetirableGrantsRequestBody{}})
	if err != nil || *retirable.Total != 1 || *(*retirable.Grants)[0].GrantId != grant {
		t.Errorf("retirable %+v, %v", retirable, err)
	}
	if _, err := app.CancelSelfGrant(&model.CancelSelfGrantRequest{Body: &model.RevokeGrantRequestBody{KeyId: keyID, GrantId: grant}}); err != nil {
		t.Error(err)
	}
	refused(t, encrypt(), http.StatusForbidden, "KMS.0306")
}

// aliases leaves ListAliases out: the SDK reads an array where Terraform reads an
// object, and the object is what is answered.
func aliases(t *testing.T, admin *kms.KmsClient, keyID string) {
	made, err := admin.CreateAlias(&model.CreateAliasRequest{Body: &model.CreateAliasRequestBody{KeyId: keyID, Alias: "alias/shop"}})
	if err != nil || *made.Alias != "alias/shop" || *made.KeyId != keyID || *made.AliasUrn == "" || *made.CreateTime == "" {
		t.Fatalf("made %+v, %v", made, err)
	}
	other, err := admin.CreateKey(&model.CreateKeyRequest{Body: &model.CreateKeyRequestBody{KeyAlias: "other"}})
	if err != nil {
		t.Fatal(err)
	}
	target := *other.KeyInfo.KeyId
	moved, err := admin.AssociateAlias(&model.AssociateAliasRequest{Body: &model.AssociateAliasRequestBody{Alias: "alias/shop", TargetKeyId: target}})
	if err != nil || *moved.KeyId != target {
		t.Errorf("moved %+v, %v", moved, err)
	}
	remove := func() (*model.DeleteAliasResponse, error) {
		return admin.DeleteAlias(&model.DeleteAliasRequest{Body: &model.DeleteAliasRequestBody{KeyId: target, Aliases: []string{"alias/shop"}}})
	}
	if removed, err := remove(); err != nil || removed.HttpStatusCode != http.StatusNoContent {
		t.Errorf("removed %+v, %v; want 204", removed, err)
	}
	_, err = remove()
	refused(t, err, http.StatusNotFound, "KMS.1101")
}
