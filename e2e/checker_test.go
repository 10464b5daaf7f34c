package e2e

import (
	"net/http"
	"strings"
	"testing"

	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
)

// Passwords and the checker, with the typed models of the SDK.
func TestPasswordsAndTheChecker(t *testing.T) {
	client := startDev(t).signedClient(t)
	t.Run("passwords", func(t *testing.T) { passwords(t, client) })
	t.Run("checker", func(t *testing.T) { checker(t, client) })
}

func passwords(t *testing.T, client *csms.CsmsClient) {
	for _, body := range []*model.CreatePasswordRequestBody{nil, {}} { // W3
		made, err := client.GenerateRandomPassword(&model.GenerateRandomPasswordRequest{Body: body})
		if err != nil || len(*made.Password) != 32 {
			t.Fatalf("made %+v, %v", made, err)
		}
	}
	made, err := client.GenerateRandomPassword(&model.GenerateRandomPasswordRequest{Body: &model.CreatePasswordRequestBody{
		Length: ptr(int32(3)), ExcludeLowercase: ptr(true), ExcludePunctuation: ptr(true), IncludeSpace: ptr(true), RequireEachIncludedType: ptr(true),
	}})
	if err != nil || len(*made.Password) != 3 || strings.Count(*made.Password, " ") != 1 {
		t.Errorf("made %+v, %v", made, err)
	}
	_, err = client.GenerateRandomPassword(&model.GenerateRandomPasswordRequest{Body: &model.CreatePasswordRequestBody{PasswordPolicyName: ptr("strong")}})
	refused(t, err, http.StatusBadRequest, "CSMS.0002")
}

func checker(t *testing.T, client *csms.CsmsClient) {
	data := any(map[string]any{"password": "x"})
	checked, err := client.CheckSecrets(&model.CheckSecretsRequest{Body: &model.CheckSecretsRequestBody{Type: "1", Data: &data}})
	if err != nil || *checked.Type != "1" {
		t.Errorf("checked %+v, %v", checked, err)
	}
	set, err := client.UpdateSecretsConfig(&model.UpdateSecretsConfigRequest{Body: &model.UpdateSecretsConfigRequestBody{CheckingSecretStrength: ptr(true)}})
	if err != nil || !*set.CheckingSecretStrength {
		t.Errorf("set %+v, %v", set, err)
	}
	shown, err := client.ShowSecretsConfig(&model.ShowSecretsConfigRequest{})
	if err != nil || !*shown.CheckingSecretStrength {
		t.Errorf("shown %+v, %v", shown, err)
	}
}
