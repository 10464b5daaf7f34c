package e2e

import (
	"net/http"
	"slices"
	"testing"

	csms "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1"
	csmsmodel "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/csms/v1/model"
	iam "github.com/huaweicloud/huaweicloud-sdk-go-v3/services/iam/v3"
	"github.com/huaweicloud/huaweicloud-sdk-go-v3/services/iam/v3/model"
)

// iamClient is the SDK of the IAM with the access key of the owner.
func (s *server) iamClient(t *testing.T) *iam.IamClient {
	t.Helper()
	return iam.NewIamClient(s.connect(t, iam.IamClientBuilder().WithCredential(onDomain(t))))
}

// member is a user with a key of his own, and the group he is in.
type member struct {
	group, policy, user string
	secrets             *csms.CsmsClient // with his key
}

// auth.md sections 2 and 7: a user reads a secret because of a policy of his group, and
// no longer when one link of the chain is gone. Everything is done with the SDK.
func TestGroups(t *testing.T) {
	s := startDev(t)
	create(t, s.signedClient(t), "db", "v")
	client := s.iamClient(t)
	m := newMember(t, s, client)
	read := &csmsmodel.ShowSecretVersionRequest{SecretName: "db", VersionId: "latest"}
	may := func() { t.Helper(); value(t, m.secrets, "db", "latest") }
	mayNot := func() {
		t.Helper()
		_, err := m.secrets.ShowSecretVersion(read)
		refused(t, err, http.StatusForbidden, "CSMS.0302")
	}
	mayNot()
	m.assign(t, client)
	mayNot()
	m.join(t, client)
	may()
	m.leave(t, client)
	mayNot()
	m.join(t, client)
	may()
	if _, err := client.KeystoneRemoveProjectPermissionFromGroup(&model.KeystoneRemoveProjectPermissionFromGroupRequest{ProjectId: devProject, GroupId: m.group, RoleId: m.policy}); err != nil {
		t.Fatal(err)
	}
	mayNot()
	if _, err := client.UpdateDomainGroupInheritRole(&model.UpdateDomainGroupInheritRoleRequest{DomainId: devDomain, GroupId: m.group, RoleId: m.policy}); err != nil {
		t.Fatal(err)
	}
	may()
	if _, err := client.KeystoneDeleteGroup(&model.KeystoneDeleteGroupRequest{GroupId: m.group}); err != nil {
		t.Fatal(err)
	}
	mayNot()
	m.destroy(t, client)
}

func newMember(t *testing.T, s *server, client *iam.IamClient) member {
	t.Helper()
	group, err := client.KeystoneCreateGroup(&model.KeystoneCreateGroupRequest{Body: &model.KeystoneCreateGroupRequestBody{
		Group: &model.KeystoneCreateGroupOption{Name: "readers", DomainId: ptr(devDomain), Description: ptr("who reads")},
	}})
	if err != nil || group.Group.Name != "readers" || group.Group.Links.Self == "" {
		t.Fatalf("group %+v, %v", group, err)
	}
	policy, err := client.CreateCloudServiceCustomPolicy(&model.CreateCloudServiceCustomPolicyRequest{Body: &model.CreateCloudServiceCustomPolicyRequestBody{
		Role: &model.ServicePolicyRoleOption{DisplayName: "read db", Type: "XA", Description: "d", Policy: &model.ServicePolicy{
			Version: "1.1", Statement: []model.ServiceStatement{{
				Effect: model.GetServiceStatementEffectEnum().ALLOW,
				Action: []string{"csms:secret:getVersion"}, Resource: ptr([]string{"csms:*:*:secretName:db"}),
			}},
		}},
	}})
	if err != nil || policy.Role.DisplayName != "read db" {
		t.Fatalf("policy %+v, %v", policy, err)
	}
	user, err := client.CreateUser(&model.CreateUserRequest{Body: &model.CreateUserRequestBody{
		User: &model.CreateUserOption{Name: "carol", DomainId: devDomain, Email: ptr("carol@example.test"), PwdStatus: ptr(false)},
	}})
	if err != nil || *user.User.Email != "carol@example.test" || *user.User.PwdStatus {
		t.Fatalf("user %+v, %v", user, err)
	}
	return member{group: group.Group.Id, policy: policy.Role.Id, user: user.User.Id, secrets: s.clientOf(t, client, user.User.Id)}
}

// clientOf gives a user an access key and returns the SDK of CSMS with it.
func (s *server) clientOf(t *testing.T, client *iam.IamClient, user string) *csms.CsmsClient {
	t.Helper()
	key, err := client.CreatePermanentAccessKey(&model.CreatePermanentAccessKeyRequest{Body: &model.CreatePermanentAccessKeyRequestBody{
		Credential: &model.CreateCredentialOption{UserId: user},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s.keyClient(t, key.Credential.Access, key.Credential.Secret, "")
}

func (m member) assign(t *testing.T, client *iam.IamClient) {
	t.Helper()
	if _, err := client.KeystoneAssociateGroupWithProjectPermission(&model.KeystoneAssociateGroupWithProjectPermissionRequest{ProjectId: devProject, GroupId: m.group, RoleId: m.policy}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.KeystoneCheckProjectPermissionForGroup(&model.KeystoneCheckProjectPermissionForGroupRequest{ProjectId: devProject, GroupId: m.group, RoleId: m.policy}); err != nil {
		t.Error(err)
	}
	list, err := client.KeystoneListProjectPermissionsForGroup(&model.KeystoneListProjectPermissionsForGroupRequest{ProjectId: devProject, GroupId: m.group})
	if err != nil || len(*list.Roles) != 1 || (*list.Roles)[0].Id != m.policy {
		t.Errorf("roles of the group: %+v, %v", list, err)
	}
}

func (m member) join(t *testing.T, client *iam.IamClient) {
	t.Helper()
	if _, err := client.KeystoneAddUserToGroup(&model.KeystoneAddUserToGroupRequest{GroupId: m.group, UserId: m.user}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.KeystoneCheckUserInGroup(&model.KeystoneCheckUserInGroupRequest{GroupId: m.group, UserId: m.user}); err != nil {
		t.Error(err)
	}
	users, err := client.KeystoneListUsersForGroupByAdmin(&model.KeystoneListUsersForGroupByAdminRequest{GroupId: m.group})
	if err != nil || !slices.ContainsFunc(*users.Users, func(u model.KeystoneUserResult) bool { return u.Id == m.user }) {
		t.Errorf("users of the group: %+v, %v", users, err)
	}
	groups, err := client.KeystoneListGroupsForUser(&model.KeystoneListGroupsForUserRequest{UserId: m.user})
	if err != nil || len(*groups.Groups) != 1 || (*groups.Groups)[0].Id != m.group {
		t.Errorf("groups of the user: %+v, %v", groups, err)
	}
}

func (m member) leave(t *testing.T, client *iam.IamClient) {
	t.Helper()
	if _, err := client.KeystoneRemoveUserFromGroup(&model.KeystoneRemoveUserFromGroupRequest{GroupId: m.group, UserId: m.user}); err != nil {
		t.Fatal(err)
	}
	_, err := client.KeystoneRemoveUserFromGroup(&model.KeystoneRemoveUserFromGroupRequest{GroupId: m.group, UserId: m.user})
	refused(t, err, http.StatusNotFound, "IAM.0004")
}

// destroy takes away what is left, as Terraform would.
func (m member) destroy(t *testing.T, client *iam.IamClient) {
	t.Helper()
	if _, err := client.DeleteCustomPolicy(&model.DeleteCustomPolicyRequest{RoleId: m.policy}); err != nil {
		t.Error(err)
	}
	if _, err := client.KeystoneDeleteUser(&model.KeystoneDeleteUserRequest{UserId: m.user}); err != nil {
		t.Error(err)
	}
	_, err := client.ShowUser(&model.ShowUserRequest{UserId: m.user})
	refused(t, err, http.StatusNotFound, "IAM.0004")
}

// auth.md 7.4: the SDK finds a built-in policy by its display name and can assign it.
func TestSystemRoles(t *testing.T) {
	client := startDev(t).iamClient(t)
	list, err := client.KeystoneListPermissions(&model.KeystoneListPermissionsRequest{DisplayName: ptr("CSMS FullAccess"), Page: ptr(int32(1)), PerPage: ptr(int32(300))})
	if err != nil || len(*list.Roles) != 1 || *list.TotalNumber != 1 {
		t.Fatalf("roles %+v, %v", list, err)
	}
	role := (*list.Roles)[0]
	if *role.DisplayName != "CSMS FullAccess" || role.Type != "XA" || *role.Catalog != "CSMS" {
		t.Errorf("role %+v", role)
	}
	group, err := client.KeystoneCreateGroup(&model.KeystoneCreateGroupRequest{Body: &model.KeystoneCreateGroupRequestBody{Group: &model.KeystoneCreateGroupOption{Name: "admins"}}})
	if err != nil {
		t.Fatal(err)
	}
	place := model.KeystoneAssociateGroupWithDomainPermissionRequest{DomainId: devDomain, GroupId: group.Group.Id, RoleId: role.Id}
	if _, err := client.KeystoneAssociateGroupWithDomainPermission(&place); err != nil {
		t.Fatal(err)
	}
	if _, err := client.KeystoneCheckDomainPermissionForGroup((*model.KeystoneCheckDomainPermissionForGroupRequest)(&place)); err != nil {
		t.Error(err)
	}
	if _, err := client.KeystoneRemoveDomainPermissionFromGroup((*model.KeystoneRemoveDomainPermissionFromGroupRequest)(&place)); err != nil {
		t.Error(err)
	}
	_, err = client.KeystoneCheckDomainPermissionForGroup((*model.KeystoneCheckDomainPermissionForGroupRequest)(&place))
	if err == nil {
		t.Error("the role is still there")
	}
}
