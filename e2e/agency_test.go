package e2e

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/auth/global"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/core/sdkerr"
	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
	iam "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/iam/v3"
	iammodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/iam/v3/model"
	sts "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/sts/v1"
	stsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/sts/v1/model"
)

// agencyUsers is the file of --iam: an operator who may assume agencies, and no more.
const agencyUsers = `users:
  - name: operator
    access_key: OPERATORACCESSKEY001
    secret_key: operatorSecretKey012345678901234567890123
    policies: [Agent Operator]
`

// startWithOperator starts a server that has the operator.
func startWithOperator(t *testing.T) *server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "iam.yaml")
	if err := os.WriteFile(file, []byte(agencyUsers), 0o600); err != nil {
		t.Fatal(err)
	}
	return startDev(t, "--iam", file)
}

// operatorClient is the SDK of IAM with the access key of the operator, whose account it
// looks up by itself.
func (s *server) operatorClient(t *testing.T) *iam.IamClient {
	t.Helper()
	credentials, err := global.NewCredentialsBuilder().WithAk("OPERATORACCESSKEY001").WithSk(operatorSecret).WithIamEndpointOverride(s.url).SafeBuild()
	if err != nil {
		t.Fatal(err)
	}
	return iam.NewIamClient(s.connect(t, iam.IamClientBuilder().WithCredential(credentials)))
}

// TestAgency takes the official SDK through the life of an agency: the owner makes it
// and assigns a policy, an operator without rights of his own takes keys of it in three
// ways and reads a secret, and is out once the agency is deleted.
func TestAgency(t *testing.T) {
	s := startWithOperator(t)
	create(t, s.signedClient(t), "payroll", "v")
	owner := s.iamClient(t)
	domains, err := owner.KeystoneListAuthDomains(&iammodel.KeystoneListAuthDomainsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	domain := (*domains.Domains)[0].Id
	agency := makeAgency(t, owner, domain)

	clients := map[string]*csms.CsmsClient{
		"key": s.keyByAgency(t), "STS": s.keyBySTS(t, "iam::"+domain+":agency:deployer"), "token": s.tokenByAgency(t, agency),
	}
	read := &model.ShowSecretVersionRequest{SecretName: "payroll", VersionId: "latest"}
	for name, client := range clients {
		value, err := client.ShowSecretVersion(read)
		if err != nil || *value.Version.SecretString != "v" {
			t.Errorf("%s: %+v, %v", name, value, err)
		}
		_, err = client.DeleteSecret(&model.DeleteSecretRequest{SecretName: "payroll"})
		refused(t, err, http.StatusForbidden, "CSMS.0302")
	}
	if _, err := owner.DeleteAgency(&iammodel.DeleteAgencyRequest{AgencyId: agency}); err != nil {
		t.Fatal(err)
	}
	for name, client := range clients {
		if _, err := client.ShowSecretVersion(read); err == nil {
			t.Errorf("%s still reads", name)
		} else {
			refused(t, err, http.StatusUnauthorized, "APIGW.0301")
		}
	}
	_, err = s.operatorClient(t).CreateTemporaryAccessKeyByAgency(temporaryKeyRequest())
	if e := (*sdkerr.ServiceResponseError)(nil); !errors.As(err, &e) || e.StatusCode != http.StatusForbidden {
		t.Errorf("assuming what is gone: %v", err)
	}
}

const operatorSecret = "operatorSecretKey012345678901234567890123"

// makeAgency makes an agency that may read values in the project of dev mode, looks at
// it in every way the SDK has, and returns its id.
func makeAgency(t *testing.T, owner *iam.IamClient, domain string) string {
	t.Helper()
	made, err := owner.CreateAgency(&iammodel.CreateAgencyRequest{Body: &iammodel.CreateAgencyRequestBody{Agency: &iammodel.CreateAgencyOption{
		Name: "deployer", DomainId: domain, TrustDomainName: ptr("coffer-dev"), Description: ptr("d"), Duration: ptr[any]("FOREVER"),
	}}})
	if err != nil {
		t.Fatal(err)
	}
	id, role := made.Agency.Id, "CSMS SecretReader"
	if _, err := owner.AssociateAgencyWithProjectPermission(&iammodel.AssociateAgencyWithProjectPermissionRequest{ProjectId: devProject, AgencyId: id, RoleId: role}); err != nil {
		t.Fatal(err)
	}
	if _, err := owner.CheckProjectPermissionForAgency(&iammodel.CheckProjectPermissionForAgencyRequest{ProjectId: devProject, AgencyId: id, RoleId: role}); err != nil {
		t.Errorf("check: %v", err)
	}
	roles, err := owner.ListProjectPermissionsForAgency(&iammodel.ListProjectPermissionsForAgencyRequest{ProjectId: devProject, AgencyId: id})
	if err != nil || len(*roles.Roles) != 1 || *(*roles.Roles)[0].DisplayName != role {
		t.Errorf("roles: %+v, %v", roles, err)
	}
	shown, err := owner.ShowAgency(&iammodel.ShowAgencyRequest{AgencyId: id})
	if err != nil || shown.Agency.Name != "deployer" || *shown.Agency.TrustDomainName != "coffer-dev" || shown.Agency.Duration != "FOREVER" {
		t.Errorf("shown: %+v, %v", shown, err)
	}
	changed, err := owner.UpdateAgency(&iammodel.UpdateAgencyRequest{AgencyId: id, Body: &iammodel.UpdateAgencyRequestBody{
		Agency: &iammodel.UpdateAgencyOption{Description: ptr("e"), Duration: ptr[any](2)},
	}})
	if err != nil || changed.Agency.Description != "e" || *changed.Agency.Duration != any("48") {
		t.Errorf("changed: %+v, %v", changed, err)
	}
	list, err := owner.ListAgencies(&iammodel.ListAgenciesRequest{DomainId: domain, Name: ptr("deployer")})
	if err != nil || len(*list.Agencies) != 1 || (*list.Agencies)[0].Id != id {
		t.Errorf("list: %+v, %v", list, err)
	}
	return id
}

func temporaryKeyRequest() *iammodel.CreateTemporaryAccessKeyByAgencyRequest {
	return &iammodel.CreateTemporaryAccessKeyByAgencyRequest{Body: &iammodel.CreateTemporaryAccessKeyByAgencyRequestBody{
		Auth: &iammodel.AgencyAuth{Identity: &iammodel.AgencyAuthIdentity{
			Methods: []iammodel.AgencyAuthIdentityMethods{iammodel.GetAgencyAuthIdentityMethodsEnum().ASSUME_ROLE},
			AssumeRole: &iammodel.IdentityAssumerole{
				AgencyName: "deployer", DomainName: ptr("coffer-dev"), DurationSeconds: ptr(int32(3600)),
				SessionUser: &iammodel.AssumeroleSessionuser{Name: ptr("batch-7")},
			},
		}},
	}}
}

// keyByAgency is the SDK with a key that IAM gave the operator for the agency.
func (s *server) keyByAgency(t *testing.T) *csms.CsmsClient {
	answer, err := s.operatorClient(t).CreateTemporaryAccessKeyByAgency(temporaryKeyRequest())
	if err != nil {
		t.Fatal(err)
	}
	k := answer.Credential
	return s.keyClient(t, k.Access, k.Secret, k.Securitytoken)
}

// keyBySTS is the SDK with a key that STS gave the operator for the agency.
func (s *server) keyBySTS(t *testing.T, urn string) *csms.CsmsClient {
	client := sts.NewStsClient(s.connect(t, sts.StsClientBuilder().WithCredential(inProject(t, "OPERATORACCESSKEY001", operatorSecret, ""))))
	answer, err := client.AssumeAgency(&stsmodel.AssumeAgencyRequest{Body: &stsmodel.AssumeAgencyReqBody{AgencyUrn: urn, AgencySessionName: "batch-7"}})
	if err != nil {
		t.Fatal(err)
	}
	if answer.AssumedAgency.Urn == "" || answer.Credentials.Expiration == nil {
		t.Errorf("%+v", answer)
	}
	return s.keyClient(t, answer.Credentials.AccessKeyId, answer.Credentials.SecretAccessKey, answer.Credentials.SecurityToken)
}

// tokenByAgency is the SDK with a token that the operator got for the agency.
func (s *server) tokenByAgency(t *testing.T, agency string) *csms.CsmsClient {
	answer, err := s.operatorClient(t).KeystoneCreateAgencyToken(&iammodel.KeystoneCreateAgencyTokenRequest{
		Body: &iammodel.KeystoneCreateAgencyTokenRequestBody{Auth: &iammodel.AgencyTokenAuth{
			Identity: &iammodel.AgencyTokenIdentity{
				Methods:    []iammodel.AgencyTokenIdentityMethods{iammodel.GetAgencyTokenIdentityMethodsEnum().ASSUME_ROLE},
				AssumeRole: &iammodel.AgencyTokenAssumerole{DomainName: ptr("coffer-dev"), AgencyName: "deployer"},
			},
			Scope: &iammodel.AgencyTokenScope{Project: &iammodel.AgencyTokenScopeProject{Id: ptr(devProject)}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if answer.Token.User.Id != agency || answer.Token.AssumedBy.User.Name != "operator" || len(answer.Token.Roles) != 1 {
		t.Errorf("token %+v", answer.Token)
	}
	return s.sdk(t, csms.CsmsClientBuilder().WithCredentialsType("e2e.token").WithCredential(&token{*answer.XSubjectToken}))
}
