package httpapi

import (
	"net/http"

	"coffer/internal/iam"
	"coffer/internal/service/identity"
)

// route is one row of the route table: everything that is particular to an
// operation but what it does.
type route struct {
	Name     string // as the API names it; also the label in log and metrics
	Pattern  string // of http.ServeMux
	Op       iam.Op // the right it takes
	Wrapped  bool   // service errors are wrapped (W8, and the KMS API)
	Keystone bool   // errors have the form of Keystone (IE1)
	handler  handler
}

// unrouted stands in until a request has found its route.
var unrouted = route{Name: "unrouted"}

const (
	secrets = "/v1/{project_id}/secrets"
	secret  = secrets + "/{secret_name}"

	resources = "/v1/{project_id}/csms"
	tagged    = resources + "/{secret_id}"
	keys      = "/v1.0/{project_id}/kms"
	events    = resources + "/events"
	event     = events + "/{event_name}"
	grants    = resources + "/grants"

	topics    = "/v2/{project_id}/notifications/topics"
	topic     = topics + "/{topic_urn}"
	topicTags = "/v2/{project_id}/smn_topic/{resource_id}/tags"

	roleInProject = "/v3/projects/{scope_id}/groups/{group_id}/roles"
	roleOnDomain  = "/v3/domains/{domain_id}/groups/{group_id}/roles"
	roleInAll     = "/v3/OS-INHERIT/domains/{domain_id}/groups/{group_id}/roles"

	roleInEnterprise = "/v3.0/OS-PERMISSION/enterprise-projects/{scope_id}"

	databaseTargets = "/coffer/v1/{project_id}/database-targets" // our own; the cloud has no such API
	rotations       = "/coffer/v1/{project_id}/rotations"        // likewise

	enterprises = "/v1.0/enterprise-projects"
	enterprise  = enterprises + "/{enterprise_project_id}"
)

// routes is the API. One row is one operation.
var routes = []route{
	{Name: "CreateSecret", Pattern: "POST " + secrets, Op: iam.CreateSecret, handler: endpoint((*API).createSecret)},
	{Name: "ListSecrets", Pattern: "GET " + secrets, Op: iam.ListSecrets, handler: endpoint((*API).listSecrets)},
	{Name: "ShowSecret", Pattern: "GET " + secret, Op: iam.ShowSecret, handler: endpoint((*API).showSecret)},
	{Name: "UpdateSecret", Pattern: "PUT " + secret, Op: iam.UpdateSecret, handler: endpoint((*API).updateSecret)},
	{Name: "DeleteSecret", Pattern: "DELETE " + secret, Op: iam.DeleteSecret, handler: endpoint((*API).deleteSecret)},
	{Name: "DeleteSecretForSchedule", Pattern: "POST " + secret + "/scheduled-deleted-tasks/create", Op: iam.DeleteSecretForSchedule, handler: endpoint((*API).deleteSecretForSchedule)},
	{Name: "RestoreSecret", Pattern: "POST " + secret + "/scheduled-deleted-tasks/cancel", Op: iam.RestoreSecret, handler: endpoint((*API).restoreSecret)},
	{Name: "DownloadSecretBlob", Pattern: "POST " + secret + "/backup", Op: iam.DownloadSecretBlob, handler: endpoint((*API).downloadSecretBlob)},
	{Name: "UploadSecretBlob", Pattern: "POST " + secrets + "/restore", Op: iam.UploadSecretBlob, handler: endpoint((*API).uploadSecretBlob)},
	{Name: "BatchImportSecrets", Pattern: "POST " + secrets + "/batch-import", Op: iam.BatchImportSecrets, handler: endpoint((*API).batchImportSecrets)},
	{Name: "BatchDeleteSecrets", Pattern: "POST " + secrets + "/batch-delete", Op: iam.BatchDeleteSecrets, handler: endpoint((*API).batchDeleteSecrets)},
	{Name: "RotateSecret", Pattern: "POST " + secret + "/rotate", Op: iam.RotateSecret, Wrapped: true, handler: endpoint((*API).rotateSecret)},
	{Name: "ShowSecretFunctionTemplates", Pattern: "GET /v1/csms/function-templates", Op: iam.ShowSecretFunctionTemplates, handler: endpoint((*API).showSecretFunctionTemplates)},
	{Name: "ListSecretTask", Pattern: "GET " + resources + "/tasks", Op: iam.ListSecretTask, handler: endpoint((*API).listSecretTask)},

	{Name: "CreateSecretVersion", Pattern: "POST " + secret + "/versions", Op: iam.CreateSecretVersion, handler: endpoint((*API).createSecretVersion)},
	{Name: "ListSecretVersions", Pattern: "GET " + secret + "/versions", Op: iam.ListSecretVersions, handler: endpoint((*API).listSecretVersions)},
	{Name: "ShowSecretVersion", Pattern: "GET " + secret + "/versions/{version_id}", Op: iam.ShowSecretVersion, handler: endpoint((*API).showSecretVersion)},
	{Name: "UpdateVersion", Pattern: "PUT " + secret + "/versions/{version_id}", Op: iam.UpdateVersion, handler: endpoint((*API).updateVersion)},
	{Name: "BatchShowSecretVersion", Pattern: "POST " + secrets + "/batch-get-secret-value", Op: iam.BatchShowSecretVersion, handler: endpoint((*API).batchShowSecretVersion)},

	{Name: "CreateSecretStage", Pattern: "POST " + secret + "/stages", Op: iam.CreateSecretStage, handler: endpoint((*API).createSecretStage)},
	{Name: "ShowSecretStage", Pattern: "GET " + secret + "/stages/{stage_name}", Op: iam.ShowSecretStage, handler: endpoint((*API).showSecretStage)},
	{Name: "UpdateSecretStage", Pattern: "PUT " + secret + "/stages/{stage_name}", Op: iam.UpdateSecretStage, handler: endpoint((*API).updateSecretStage)},
	{Name: "DeleteSecretStage", Pattern: "DELETE " + secret + "/stages/{stage_name}", Op: iam.DeleteSecretStage, handler: endpoint((*API).deleteSecretStage)},

	{Name: "CheckSecrets", Pattern: "POST " + secrets + "/checker/check", Op: iam.CheckSecrets, handler: endpoint((*API).checkSecrets)},
	{Name: "ShowSecretsConfig", Pattern: "GET " + secrets + "/checker/config", Op: iam.ShowSecretsConfig, handler: endpoint((*API).showSecretsConfig)},
	{Name: "UpdateSecretsConfig", Pattern: "POST " + secrets + "/checker/config", Op: iam.UpdateSecretsConfig, handler: endpoint((*API).updateSecretsConfig)},
	{Name: "GenerateRandomPassword", Pattern: "POST /v1/{project_id}/csms/generate-password", Op: iam.GenerateRandomPassword, handler: endpoint((*API).generateRandomPassword)},

	{Name: "CreateSecretTag", Pattern: "POST " + tagged + "/tags", Op: iam.CreateSecretTag, Wrapped: true, handler: endpoint((*API).createSecretTag)},
	{Name: "DeleteSecretTag", Pattern: "DELETE " + tagged + "/tags/{key}", Op: iam.DeleteSecretTag, Wrapped: true, handler: endpoint((*API).deleteSecretTag)},
	{Name: "BatchCreateOrDeleteTags", Pattern: "POST " + tagged + "/tags/action", Op: iam.BatchCreateOrDeleteTags, Wrapped: true, handler: endpoint((*API).batchCreateOrDeleteTags)},
	{Name: "ListSecretTags", Pattern: "GET " + tagged + "/{leaf}", Op: iam.ListSecretTags, Wrapped: true, handler: leaf("tags", endpoint((*API).listSecretTags))},
	{Name: "ListProjectSecretsTags", Pattern: "GET " + resources + "/tags", Op: iam.ListProjectSecretsTags, Wrapped: true, handler: endpoint((*API).listProjectSecretsTags)},
	{Name: "ListResourceInstances", Pattern: "POST " + resources + "/resource_instances/action", Op: iam.ListResourceInstances, Wrapped: true, handler: endpoint((*API).listResourceInstances)},

	{Name: "CreateSecretReplica", Pattern: "POST " + secret + "/replicas", Op: iam.CreateSecretReplica, handler: endpoint((*API).createSecretReplica)},
	{Name: "DeleteSecretReplica", Pattern: "DELETE " + secret + "/replicas/{region_name}", Op: iam.DeleteSecretReplica, handler: endpoint((*API).deleteSecretReplica)},
	{Name: "ListSupportRegions", Pattern: "GET " + resources + "/replica-regions", Op: iam.ListSupportRegions, handler: endpoint((*API).listSupportRegions)},

	{Name: "CreateKey", Pattern: "POST " + keys + "/create-key", Op: iam.CreateKey, Wrapped: true, handler: kmsEndpoint((*API).createKey)},
	{Name: "ListKeys", Pattern: "POST " + keys + "/list-keys", Op: iam.ListKeys, Wrapped: true, handler: kmsEndpoint((*API).listKeys)},
	{Name: "DescribeKey", Pattern: "POST " + keys + "/describe-key", Op: iam.DescribeKey, Wrapped: true, handler: kmsEndpoint((*API).describeKey)},
	{Name: "EnableKey", Pattern: "POST " + keys + "/enable-key", Op: iam.EnableKey, Wrapped: true, handler: kmsEndpoint((*API).enableKey)},
	{Name: "DisableKey", Pattern: "POST " + keys + "/disable-key", Op: iam.DisableKey, Wrapped: true, handler: kmsEndpoint((*API).disableKey)},
	{Name: "ScheduleKeyDeletion", Pattern: "POST " + keys + "/schedule-key-deletion", Op: iam.ScheduleKeyDeletion, Wrapped: true, handler: kmsEndpoint((*API).scheduleKeyDeletion)},
	{Name: "CancelKeyDeletion", Pattern: "POST " + keys + "/cancel-key-deletion", Op: iam.CancelKeyDeletion, Wrapped: true, handler: kmsEndpoint((*API).cancelKeyDeletion)},
	{Name: "UpdateKeyAlias", Pattern: "POST " + keys + "/update-key-alias", Op: iam.UpdateKeyAlias, Wrapped: true, handler: kmsEndpoint((*API).updateKeyAlias)},
	{Name: "UpdateKeyDescription", Pattern: "POST " + keys + "/update-key-description", Op: iam.UpdateKeyDescription, Wrapped: true, handler: kmsEndpoint((*API).updateKeyDescription)},
	{Name: "ShowKeyRotationStatus", Pattern: "POST " + keys + "/get-key-rotation-status", Op: iam.ShowKeyRotationStatus, Wrapped: true, handler: kmsEndpoint((*API).showKeyRotationStatus)},
	{Name: "EnableKeyRotation", Pattern: "POST " + keys + "/enable-key-rotation", Op: iam.EnableKeyRotation, Wrapped: true, handler: kmsEndpoint((*API).enableKeyRotation)},
	{Name: "DisableKeyRotation", Pattern: "POST " + keys + "/disable-key-rotation", Op: iam.DisableKeyRotation, Wrapped: true, handler: kmsEndpoint((*API).disableKeyRotation)},
	{Name: "UpdateKeyRotationInterval", Pattern: "POST " + keys + "/update-key-rotation-interval", Op: iam.UpdateKeyRotationInterval, Wrapped: true, handler: kmsEndpoint((*API).updateKeyRotationInterval)},
	{Name: "ListKeyTags", Pattern: "GET " + keys + "/{key_id}/tags", Op: iam.ListKeyTags, Wrapped: true, handler: kmsEndpoint((*API).listKeyTags)},
	{Name: "BatchCreateKeyTags", Pattern: "POST " + keys + "/{key_id}/tags/action", Op: iam.BatchCreateKeyTags, Wrapped: true, handler: kmsEndpoint((*API).batchCreateKeyTags)},
	{Name: "CreateDataKey", Pattern: "POST " + keys + "/create-datakey", Op: iam.CreateDataKey, Wrapped: true, handler: kmsEndpoint((*API).createDataKey)},
	{Name: "CreateDataKeyWithoutPlaintext", Pattern: "POST " + keys + "/create-datakey-without-plaintext", Op: iam.CreateDataKeyWithoutPlaintext, Wrapped: true, handler: kmsEndpoint((*API).createDataKeyWithoutPlaintext)},
	{Name: "EncryptDataKey", Pattern: "POST " + keys + "/encrypt-datakey", Op: iam.EncryptDataKey, Wrapped: true, handler: kmsEndpoint((*API).encryptDataKey)},
	{Name: "DecryptDataKey", Pattern: "POST " + keys + "/decrypt-datakey", Op: iam.DecryptDataKey, Wrapped: true, handler: kmsEndpoint((*API).decryptDataKey)},
	{Name: "EncryptData", Pattern: "POST " + keys + "/encrypt-data", Op: iam.EncryptData, Wrapped: true, handler: kmsEndpoint((*API).encryptData)},
	{Name: "DecryptData", Pattern: "POST " + keys + "/decrypt-data", Op: iam.DecryptData, Wrapped: true, handler: kmsEndpoint((*API).decryptData)},
	{Name: "CreateRandom", Pattern: "POST " + keys + "/gen-random", Op: iam.CreateRandom, Wrapped: true, handler: kmsEndpoint((*API).createRandom)},
	{Name: "CreateKeyGrant", Pattern: "POST " + keys + "/create-grant", Op: iam.CreateKeyGrant, Wrapped: true, handler: kmsEndpoint((*API).createKeyGrant)},
	{Name: "ListKeyGrants", Pattern: "POST " + keys + "/list-grants", Op: iam.ListKeyGrants, Wrapped: true, handler: kmsEndpoint((*API).listKeyGrants)},
	{Name: "ListRetirableKeyGrants", Pattern: "POST " + keys + "/list-retirable-grants", Op: iam.ListRetirableKeyGrants, Wrapped: true, handler: kmsEndpoint((*API).listRetirableKeyGrants)},
	{Name: "RetireKeyGrant", Pattern: "POST " + keys + "/retire-grant", Op: iam.RetireKeyGrant, Wrapped: true, handler: kmsEndpoint((*API).retireKeyGrant)},
	{Name: "RevokeKeyGrant", Pattern: "POST " + keys + "/revoke-grant", Op: iam.RevokeKeyGrant, Wrapped: true, handler: kmsEndpoint((*API).revokeKeyGrant)},
	{Name: "CreateKeyAlias", Pattern: "POST " + keys + "/aliases", Op: iam.CreateKeyAlias, Wrapped: true, handler: kmsEndpoint((*API).createKeyAlias)},
	{Name: "ListKeyAliases", Pattern: "GET " + keys + "/aliases", Op: iam.ListKeyAliases, Wrapped: true, handler: kmsEndpoint((*API).listKeyAliases)},
	{Name: "DeleteKeyAliases", Pattern: "DELETE " + keys + "/aliases", Op: iam.DeleteKeyAliases, Wrapped: true, handler: kmsEndpoint((*API).deleteKeyAliases)},
	{Name: "AssociateKeyAlias", Pattern: "POST " + keys + "/alias/associate", Op: iam.AssociateKeyAlias, Wrapped: true, handler: kmsEndpoint((*API).associateKeyAlias)},

	{Name: "CreateTopic", Pattern: "POST " + topics, Op: iam.CreateTopic, handler: smnEndpoint((*API).createTopic)},
	{Name: "ListTopics", Pattern: "GET " + topics, Op: iam.ListTopics, handler: smnEndpoint((*API).listTopics)},
	{Name: "ListTopicDetails", Pattern: "GET " + topic, Op: iam.ListTopicDetails, handler: smnEndpoint((*API).listTopicDetails)},
	{Name: "UpdateTopic", Pattern: "PUT " + topic, Op: iam.UpdateTopic, handler: smnEndpoint((*API).updateTopic)},
	{Name: "DeleteTopic", Pattern: "DELETE " + topic, Op: iam.DeleteTopic, handler: smnEndpoint((*API).deleteTopic)},
	{Name: "ListTopicAttributes", Pattern: "GET " + topic + "/attributes", Op: iam.ListTopicAttributes, handler: smnEndpoint((*API).listTopicAttributes)},
	{Name: "UpdateTopicAttribute", Pattern: "PUT " + topic + "/attributes/{name}", Op: iam.UpdateTopicAttribute, handler: smnEndpoint((*API).updateTopicAttribute)},
	{Name: "DeleteTopicAttributeByName", Pattern: "DELETE " + topic + "/attributes/{name}", Op: iam.DeleteTopicAttributeByName, handler: smnEndpoint((*API).deleteTopicAttributeByName)},
	{Name: "DeleteTopicAttributes", Pattern: "DELETE " + topic + "/attributes", Op: iam.DeleteTopicAttributes, handler: smnEndpoint((*API).deleteTopicAttributes)},
	{Name: "PublishMessage", Pattern: "POST " + topic + "/publish", Op: iam.PublishMessage, handler: smnEndpoint((*API).publishMessage)},
	{Name: "CreateResourceTag", Pattern: "POST " + topicTags, Op: iam.CreateResourceTag, handler: smnEndpoint((*API).createResourceTag)},
	{Name: "DeleteResourceTag", Pattern: "DELETE " + topicTags + "/{key}", Op: iam.DeleteResourceTag, handler: smnEndpoint((*API).deleteResourceTag)},
	{Name: "BatchCreateOrDeleteResourceTags", Pattern: "POST " + topicTags + "/action", Op: iam.BatchCreateOrDeleteResourceTags, handler: smnEndpoint((*API).batchCreateOrDeleteResourceTags)},
	{Name: "ListResourceTags", Pattern: "GET " + topicTags, Op: iam.ListResourceTags, handler: smnEndpoint((*API).listResourceTags)},
	{Name: "ListProjectTags", Pattern: "GET /v2/{project_id}/smn_topic/tags", Op: iam.ListProjectTags, handler: smnEndpoint((*API).listProjectTags)},

	{Name: "CreateSecretEvent", Pattern: "POST " + events, Op: iam.CreateSecretEvent, Wrapped: true, handler: endpoint((*API).createSecretEvent)},
	{Name: "ListSecretEvents", Pattern: "GET " + events, Op: iam.ListSecretEvents, Wrapped: true, handler: endpoint((*API).listSecretEvents)},
	{Name: "ShowSecretEvent", Pattern: "GET " + event, Op: iam.ShowSecretEvent, Wrapped: true, handler: endpoint((*API).showSecretEvent)},
	{Name: "UpdateSecretEvent", Pattern: "PUT " + event, Op: iam.UpdateSecretEvent, Wrapped: true, handler: endpoint((*API).updateSecretEvent)},
	{Name: "DeleteSecretEvent", Pattern: "DELETE " + event, Op: iam.DeleteSecretEvent, Wrapped: true, handler: endpoint((*API).deleteSecretEvent)},
	{Name: "ListNotificationRecords", Pattern: "GET /v1/{project_id}/csms/notification-records", Op: iam.ListNotificationRecords, Wrapped: true, handler: endpoint((*API).listNotificationRecords)},

	{Name: "CreateGrants", Pattern: "POST " + grants, Op: iam.CreateGrants, handler: endpoint((*API).createGrants)},
	{Name: "ListGrants", Pattern: "GET " + grants, Op: iam.ListGrants, handler: endpoint((*API).listGrants)},
	{Name: "UpdateGrant", Pattern: "PUT " + grants, Op: iam.UpdateGrant, handler: endpoint((*API).updateGrant)},
	{Name: "DeleteGrant", Pattern: "DELETE " + grants, Op: iam.DeleteGrant, handler: endpoint((*API).deleteGrant)},
	{Name: "ListUsers", Pattern: "GET /v1/csms/users", Op: iam.ListUsers, handler: endpoint((*API).listCSMSUsers)},
	{Name: "ShowUserDetail", Pattern: "GET /v1/csms/users/{user_id}", Op: iam.ShowUserDetail, handler: endpoint((*API).showUserDetail)},
	{Name: "UpdateUserPassword", Pattern: "POST /v1/csms/users/change-password", Op: iam.UpdateUserPassword, handler: endpoint((*API).updateUserPassword)},

	{Name: "CreateAgency", Pattern: "POST /v1/csms/agencies", Op: iam.CreateAgency, handler: endpoint((*API).createAgency)},
	{Name: "ShowAgency", Pattern: "GET /v1/csms/agencies", Op: iam.ShowAgency, handler: endpoint((*API).showAgency)},

	{Name: "CreateDatabaseTarget", Pattern: "POST " + databaseTargets, Op: iam.CreateDatabaseTarget, handler: endpoint((*API).createDatabaseTarget)},
	{Name: "ListDatabaseTargets", Pattern: "GET " + databaseTargets, Op: iam.ListDatabaseTargets, handler: endpoint((*API).listDatabaseTargets)},
	{Name: "ShowDatabaseTarget", Pattern: "GET " + databaseTargets + "/{instance_id}", Op: iam.ShowDatabaseTarget, handler: endpoint((*API).showDatabaseTarget)},
	{Name: "UpdateDatabaseTarget", Pattern: "PUT " + databaseTargets + "/{instance_id}", Op: iam.UpdateDatabaseTarget, handler: endpoint((*API).updateDatabaseTarget)},
	{Name: "DeleteDatabaseTarget", Pattern: "DELETE " + databaseTargets + "/{instance_id}", Op: iam.DeleteDatabaseTarget, handler: endpoint((*API).deleteDatabaseTarget)},
	{Name: "CheckDatabaseTarget", Pattern: "POST " + databaseTargets + "/{instance_id}/check", Op: iam.CheckDatabaseTarget, handler: endpoint((*API).checkDatabaseTarget)},
	{Name: "ListRotations", Pattern: "GET " + rotations, Op: iam.ListRotations, handler: endpoint((*API).listRotations)},
	{Name: "ShowRotation", Pattern: "GET " + rotations + "/{secret_name}", Op: iam.ShowRotation, handler: endpoint((*API).showRotation)},
	{Name: "PreviewRotation", Pattern: "POST /coffer/v1/{project_id}/rotation-previews", Op: iam.PreviewRotation, handler: endpoint((*API).previewRotation)},

	{Name: "ListEnterpriseProject", Pattern: "GET " + enterprises, Op: iam.ListEnterpriseProject, handler: epsEndpoint(http.StatusOK, (*API).listEnterpriseProject)},
	{Name: "CreateEnterpriseProject", Pattern: "POST " + enterprises, Op: iam.CreateEnterpriseProject, handler: epsEndpoint(http.StatusCreated, (*API).createEnterpriseProject)},
	{Name: "ShowEnterpriseProject", Pattern: "GET " + enterprise, Op: iam.ShowEnterpriseProject, handler: epsEndpoint(http.StatusOK, (*API).showEnterpriseProject)},
	{Name: "ModifyEnterpriseProject", Pattern: "PUT " + enterprise, Op: iam.ModifyEnterpriseProject, handler: epsEndpoint(http.StatusOK, (*API).modifyEnterpriseProject)},
	{Name: "EnableEnterpriseProject", Pattern: "POST " + enterprise + "/action", Op: iam.EnableEnterpriseProject, handler: epsEndpoint(http.StatusNoContent, (*API).enableEnterpriseProject)}, // and DisableEnterpriseProject
	{Name: "MigrateResource", Pattern: "POST " + enterprise + "/resources-migrate", Op: iam.MigrateResource, handler: epsEndpoint(http.StatusNoContent, (*API).migrateResource)},
	{Name: "ShowResourceBindEnterpriseProject", Pattern: "POST " + enterprise + "/resources/filter", Op: iam.ShowResourceBindEnterpriseProject, handler: epsEndpoint(http.StatusOK, (*API).showResourceBindEnterpriseProject)},

	{Name: "ListVersions", Pattern: "GET /{$}", handler: versions},
	{Name: "ShowVersion", Pattern: "GET /v3", handler: showVersion},
	{Name: "KeystoneCreateToken", Pattern: "POST /v3/auth/tokens", Keystone: true, handler: issueToken},
	{Name: "KeystoneValidateToken", Pattern: "GET /v3/auth/tokens", Keystone: true, handler: validateToken},
	{Name: "KeystoneRevokeToken", Pattern: "DELETE /v3/auth/tokens", Keystone: true, handler: revokeToken},

	{Name: "KeystoneListProjects", Pattern: "GET /v3/projects", handler: lookUp(listProjects)},
	{Name: "KeystoneCreateProject", Pattern: "POST /v3/projects", handler: authenticated(http.StatusCreated, createProject)},
	{Name: "KeystoneShowProject", Pattern: "GET /v3/projects/{id}", handler: lookUp(showProject)},
	{Name: "KeystoneUpdateProject", Pattern: "PATCH /v3/projects/{id}", handler: lookUp(updateProject)},
	{Name: "KeystoneListAuthProjects", Pattern: "GET /v3/auth/projects", handler: lookUp(authProjects)},
	{Name: "KeystoneListAuthDomains", Pattern: "GET /v3/auth/domains", handler: lookUp(authDomains)},
	{Name: "KeystoneShowCatalog", Pattern: "GET /v3/auth/catalog", handler: lookUp(catalog)},
	{Name: "KeystoneListRegions", Pattern: "GET /v3/regions", handler: lookUp(listRegions)},
	{Name: "KeystoneShowRegion", Pattern: "GET /v3/regions/{id}", handler: lookUp(showRegion)},
	{Name: "KeystoneListServices", Pattern: "GET /v3/services", handler: lookUp(listServices)},
	{Name: "KeystoneShowService", Pattern: "GET /v3/services/{id}", handler: lookUp(showService)},
	{Name: "KeystoneListEndpoints", Pattern: "GET /v3/endpoints", handler: lookUp(listEndpoints)},
	{Name: "KeystoneShowEndpoint", Pattern: "GET /v3/endpoints/{id}", handler: lookUp(showEndpoint)},
	{Name: "KeystoneListUserProjects", Pattern: "GET /v3/users/{id}/projects", handler: lookUp(userProjects)},
	{Name: "KeystoneListUsers", Pattern: "GET /v3/users", handler: lookUp(listUsers)},
	{Name: "KeystoneCreateUser", Pattern: "POST /v3/users", handler: authenticated(http.StatusCreated, createUser)},
	{Name: "KeystoneShowUser", Pattern: "GET /v3/users/{id}", handler: lookUp(showUser)},
	{Name: "KeystoneUpdateUser", Pattern: "PATCH /v3/users/{id}", handler: lookUp(updateUser)},
	{Name: "KeystoneDeleteUser", Pattern: "DELETE /v3/users/{id}", handler: lookUp(deleteUser)},

	{Name: "CreateUser", Pattern: "POST /v3.0/OS-USER/users", handler: authenticated(http.StatusCreated, createUserOfDomain)},
	{Name: "ShowUser", Pattern: "GET /v3.0/OS-USER/users/{id}", handler: lookUp(showUserOfDomain)},
	{Name: "UpdateUser", Pattern: "PUT /v3.0/OS-USER/users/{id}", handler: lookUp(updateUserOfDomain)},

	{Name: "KeystoneListGroups", Pattern: "GET /v3/groups", handler: lookUp(listGroups)},
	{Name: "KeystoneCreateGroup", Pattern: "POST /v3/groups", handler: authenticated(http.StatusCreated, createGroup)},
	{Name: "KeystoneShowGroup", Pattern: "GET /v3/groups/{group_id}", handler: lookUp(showGroup)},
	{Name: "KeystoneUpdateGroup", Pattern: "PATCH /v3/groups/{group_id}", handler: lookUp(updateGroup)},
	{Name: "KeystoneDeleteGroup", Pattern: "DELETE /v3/groups/{group_id}", handler: lookUp(deleteGroup)},
	{Name: "KeystoneListUsersForGroupByAdmin", Pattern: "GET /v3/groups/{group_id}/users", handler: lookUp(listUsersForGroup)},
	{Name: "KeystoneListGroupsForUser", Pattern: "GET /v3/users/{id}/groups", handler: lookUp(listGroupsForUser)},
	{Name: "KeystoneAddUserToGroup", Pattern: "PUT /v3/groups/{group_id}/users/{user_id}", handler: lookUp(addUserToGroup)},
	{Name: "KeystoneCheckUserInGroup", Pattern: "HEAD /v3/groups/{group_id}/users/{user_id}", handler: lookUp(checkUserInGroup)},
	{Name: "KeystoneRemoveUserFromGroup", Pattern: "DELETE /v3/groups/{group_id}/users/{user_id}", handler: lookUp(removeUserFromGroup)},

	{Name: "KeystoneListPermissions", Pattern: "GET /v3/roles", handler: lookUp(listRoles)},
	{Name: "KeystoneShowPermission", Pattern: "GET /v3/roles/{role_id}", handler: lookUp(showRole)},
	{Name: "ListCustomPolicies", Pattern: "GET /v3.0/OS-ROLE/roles", handler: lookUp(listCustomRoles)},
	{Name: "CreateCloudServiceCustomPolicy", Pattern: "POST /v3.0/OS-ROLE/roles", handler: authenticated(http.StatusCreated, createRole)},
	{Name: "ShowCustomPolicy", Pattern: "GET /v3.0/OS-ROLE/roles/{role_id}", handler: lookUp(showCustomRole)},
	{Name: "UpdateCloudServiceCustomPolicy", Pattern: "PATCH /v3.0/OS-ROLE/roles/{role_id}", handler: lookUp(updateRole)},
	{Name: "DeleteCustomPolicy", Pattern: "DELETE /v3.0/OS-ROLE/roles/{role_id}", handler: lookUp(deleteRole)},

	{Name: "KeystoneListProjectPermissionsForGroup", Pattern: "GET " + roleInProject, handler: listAssignedRoles(identity.InProject)},
	{Name: "KeystoneAssociateGroupWithProjectPermission", Pattern: "PUT " + roleInProject + "/{role_id}", handler: assignRole(identity.InProject)},
	{Name: "KeystoneCheckProjectPermissionForGroup", Pattern: "HEAD " + roleInProject + "/{role_id}", handler: checkRole(identity.InProject)},
	{Name: "KeystoneRemoveProjectPermissionFromGroup", Pattern: "DELETE " + roleInProject + "/{role_id}", handler: removeRole(identity.InProject)},
	{Name: "KeystoneListDomainPermissionsForGroup", Pattern: "GET " + roleOnDomain, handler: listAssignedRoles(identity.OnDomain)},
	{Name: "KeystoneAssociateGroupWithDomainPermission", Pattern: "PUT " + roleOnDomain + "/{role_id}", handler: assignRole(identity.OnDomain)},
	{Name: "KeystoneCheckDomainPermissionForGroup", Pattern: "HEAD " + roleOnDomain + "/{role_id}", handler: checkRole(identity.OnDomain)},
	{Name: "KeystoneRemoveDomainPermissionFromGroup", Pattern: "DELETE " + roleOnDomain + "/{role_id}", handler: removeRole(identity.OnDomain)},
	{Name: "KeystoneListAllProjectPermissionsForGroup", Pattern: "GET " + roleInAll + "/inherited_to_projects", handler: listAssignedRoles(identity.InAllProjects)},
	{Name: "UpdateDomainGroupInheritRole", Pattern: "PUT " + roleInAll + "/{role_id}/inherited_to_projects", handler: assignRole(identity.InAllProjects)},
	{Name: "KeystoneCheckroleForGroup", Pattern: "HEAD " + roleInAll + "/{role_id}/inherited_to_projects", handler: checkRole(identity.InAllProjects)},
	{Name: "DeleteDomainGroupInheritedRole", Pattern: "DELETE " + roleInAll + "/{role_id}/inherited_to_projects", handler: removeRole(identity.InAllProjects)},

	{Name: "ListRolesForGroupOnEnterpriseProject", Pattern: "GET " + roleInEnterprise + "/groups/{group_id}/roles", handler: listAssignedRoles(identity.InEnterprise)},
	{Name: "AssociateRoleToGroupOnEnterpriseProject", Pattern: "PUT " + roleInEnterprise + "/groups/{group_id}/roles/{role_id}", handler: assignRole(identity.InEnterprise)},
	{Name: "RevokeRoleFromGroupOnEnterpriseProject", Pattern: "DELETE " + roleInEnterprise + "/groups/{group_id}/roles/{role_id}", handler: removeRole(identity.InEnterprise)},
	{Name: "ListRolesForUserOnEnterpriseProject", Pattern: "GET " + roleInEnterprise + "/users/{user_id}/roles", handler: listAssignedRoles(identity.InEnterprise)},
	{Name: "AssociateRoleToUserOnEnterpriseProject", Pattern: "PUT " + roleInEnterprise + "/users/{user_id}/roles/{role_id}", handler: assignRole(identity.InEnterprise)},
	{Name: "RevokeRoleFromUserOnEnterpriseProject", Pattern: "DELETE " + roleInEnterprise + "/users/{user_id}/roles/{role_id}", handler: removeRole(identity.InEnterprise)},

	{Name: "CreatePermanentAccessKey", Pattern: "POST /v3.0/OS-CREDENTIAL/credentials", handler: authenticated(http.StatusCreated, createAccessKey)},
	{Name: "ListPermanentAccessKeys", Pattern: "GET /v3.0/OS-CREDENTIAL/credentials", handler: lookUp(listAccessKeys)},
	{Name: "ShowPermanentAccessKey", Pattern: "GET /v3.0/OS-CREDENTIAL/credentials/{access_key}", handler: lookUp(showAccessKey)},
	{Name: "UpdatePermanentAccessKey", Pattern: "PUT /v3.0/OS-CREDENTIAL/credentials/{access_key}", handler: lookUp(updateAccessKey)},
	{Name: "DeletePermanentAccessKey", Pattern: "DELETE /v3.0/OS-CREDENTIAL/credentials/{access_key}", handler: lookUp(deleteAccessKey)},

	{Name: "CreateTemporaryAccessKeyByToken", Pattern: "POST /v3.0/OS-CREDENTIAL/securitytokens", handler: createTemporaryAccessKey},
	{Name: "CreateTokenWithIdToken", Pattern: "POST /v3.0/OS-AUTH/id-token/tokens", Keystone: true, handler: tokenForIDToken},
	{Name: "CreateUnscopedTokenWithIdToken", Pattern: "POST /v3/OS-FEDERATION/identity_providers/{idp_id}/protocols/{protocol_id}/auth", Keystone: true, handler: unscopedTokenForIDToken},
	{Name: "AssumePodIdentity", Pattern: "POST /pod-identity/credentials", Keystone: true, handler: assumePodIdentity},

	{Name: "CreateIAMAgency", Pattern: "POST " + iamAgencies, handler: authenticated(http.StatusCreated, createIAMAgency)},
	{Name: "ListAgencies", Pattern: "GET " + iamAgencies, handler: lookUp(listIAMAgencies)},
	{Name: "ShowIAMAgency", Pattern: "GET " + iamAgency, handler: lookUp(showIAMAgency)},
	{Name: "UpdateAgency", Pattern: "PUT " + iamAgency, handler: lookUp(updateIAMAgency)},
	{Name: "DeleteAgency", Pattern: "DELETE " + iamAgency, handler: lookUp(deleteIAMAgency)},
	{Name: "ListProjectPermissionsForAgency", Pattern: "GET " + agencyInProject, handler: lookUp(listAgencyPolicies)},
	{Name: "AssociateAgencyWithProjectPermission", Pattern: "PUT " + agencyInProject + oneRole, handler: lookUp(attachAgencyPolicy)},
	{Name: "CheckProjectPermissionForAgency", Pattern: "GET " + agencyInProject + oneRole, handler: lookUp(checkAgencyPolicy)},
	{Name: "RemoveProjectPermissionFromAgency", Pattern: "DELETE " + agencyInProject + oneRole, handler: lookUp(detachAgencyPolicy)},
	{Name: "ListDomainPermissionsForAgency", Pattern: "GET " + agencyInDomain, handler: lookUp(listAgencyPolicies)},
	{Name: "AssociateAgencyWithDomainPermission", Pattern: "PUT " + agencyInDomain + oneRole, handler: lookUp(attachAgencyPolicy)},
	{Name: "CheckDomainPermissionForAgency", Pattern: "GET " + agencyInDomain + oneRole, handler: lookUp(checkAgencyPolicy)},
	{Name: "RemoveDomainPermissionFromAgency", Pattern: "DELETE " + agencyInDomain + oneRole, handler: lookUp(detachAgencyPolicy)},
	{Name: "ListAllProjectsPermissionsForAgency", Pattern: "GET " + agencyAllProjects + inherited, handler: lookUp(listAgencyPolicies)},
	{Name: "AssociateAgencyWithAllProjectsPermission", Pattern: "PUT " + agencyAllProjects + oneRole + inherited, handler: lookUp(attachAgencyPolicy)},
	{Name: "CheckAllProjectsPermissionForAgency", Pattern: "GET " + agencyAllProjects + oneRole + inherited, handler: lookUp(checkAgencyPolicy)},
	{Name: "RemoveAllProjectsPermissionFromAgency", Pattern: "DELETE " + agencyAllProjects + oneRole + inherited, handler: lookUp(detachAgencyPolicy)},

	{Name: "CreatePolicyV5", Pattern: "POST /v5/policies", handler: authenticated(http.StatusCreated, createPolicy)},
	{Name: "ListPoliciesV5", Pattern: "GET /v5/policies", handler: lookUp(listPolicies)},
	{Name: "GetPolicyV5", Pattern: "GET /v5/policies/{policy_id}", handler: lookUp(showPolicy)},
	{Name: "CreatePolicyVersionV5", Pattern: "POST /v5/policies/{policy_id}/versions", handler: authenticated(http.StatusCreated, createPolicyVersion)},
	{Name: "DeletePolicyV5", Pattern: "DELETE /v5/policies/{policy_id}", handler: lookUp(deletePolicy)},
	{Name: "AttachUserPolicyV5", Pattern: "POST /v5/policies/{policy_id}/attach-user", handler: lookUp(attachPolicy)},
	{Name: "DetachUserPolicyV5", Pattern: "POST /v5/policies/{policy_id}/detach-user", handler: lookUp(detachPolicy)},
	{Name: "ListAttachedUserPoliciesV5", Pattern: "GET /v5/users/{user_id}/attached-policies", handler: lookUp(listAttachedPolicies)},
	{Name: "AssumeAgency", Pattern: "POST /v5/agencies/assume", handler: lookUp(assumeAgency)},
	{Name: "GetCallerIdentity", Pattern: "GET /v5/caller-identity", handler: lookUp(callerIdentity)},
}
