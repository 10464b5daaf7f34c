package iam

// The operations of the API, first CSMS (behaviour.md section 18), then the
// neighbours that Coffer answers itself. The numbers are not stored anywhere.
const (
	_ Op = iota

	CreateSecret
	UploadSecretBlob
	BatchImportSecrets
	ListSecrets
	ShowSecret
	DownloadSecretBlob
	UpdateSecret
	DeleteSecret
	BatchDeleteSecrets
	DeleteSecretForSchedule
	RestoreSecret
	RotateSecret
	CreateSecretVersion
	ListSecretVersions
	ShowSecretVersion
	UpdateVersion
	BatchShowSecretVersion
	CreateSecretStage
	UpdateSecretStage
	ShowSecretStage
	DeleteSecretStage
	CreateSecretTag
	DeleteSecretTag
	BatchCreateOrDeleteTags
	ListSecretTags
	ListProjectSecretsTags
	ListResourceInstances
	CreateSecretEvent
	ShowSecretEvent
	ListSecretEvents
	UpdateSecretEvent
	DeleteSecretEvent
	ListNotificationRecords
	ListSecretTask
	CreateAgency
	ShowAgency
	ShowSecretFunctionTemplates
	CheckSecrets
	ShowSecretsConfig
	UpdateSecretsConfig
	GenerateRandomPassword
	CreateGrants
	ListGrants
	UpdateGrant
	DeleteGrant
	ListUsers
	ShowUserDetail
	UpdateUserPassword
	CreateSecretReplica
	DeleteSecretReplica
	ListSupportRegions
	Administer

	CreateKey
	ListKeys
	DescribeKey
	EnableKey
	DisableKey
	ScheduleKeyDeletion
	CancelKeyDeletion
	UpdateKeyAlias
	UpdateKeyDescription
	ShowKeyRotationStatus
	EnableKeyRotation
	DisableKeyRotation
	UpdateKeyRotationInterval
	ListKeyTags
	BatchCreateKeyTags
	CreateDataKey
	CreateDataKeyWithoutPlaintext
	EncryptDataKey
	DecryptDataKey
	EncryptData
	DecryptData
	CreateRandom
	CreateKeyGrant
	ListKeyGrants
	ListRetirableKeyGrants
	RetireKeyGrant
	RevokeKeyGrant
	CreateKeyAlias
	ListKeyAliases
	AssociateKeyAlias
	DeleteKeyAliases

	CreateTopic
	ListTopics
	ListTopicDetails
	UpdateTopic
	DeleteTopic
	ListTopicAttributes
	UpdateTopicAttribute
	DeleteTopicAttributeByName
	DeleteTopicAttributes
	PublishMessage
	CreateResourceTag
	DeleteResourceTag
	BatchCreateOrDeleteResourceTags
	ListResourceTags
	ListProjectTags

	ListEnterpriseProject
	ShowEnterpriseProject
	CreateEnterpriseProject
	ModifyEnterpriseProject
	EnableEnterpriseProject
	DisableEnterpriseProject
	ShowResourceBindEnterpriseProject
	MigrateResource

	CreateDatabaseTarget
	ListDatabaseTargets
	ShowDatabaseTarget
	UpdateDatabaseTarget
	DeleteDatabaseTarget
	CheckDatabaseTarget
	PreviewRotation
	ShowRotation
	ListRotations
	ListTraces

	CreateUserV5
	ListUsersV5
	ShowUserV5
	UpdateUserV5
	DeleteUserV5
	CreateAccessKeyV5
	ListAccessKeysV5
	ShowPermanentAccessKey
	UpdateAccessKeyV5
	DeleteAccessKeyV5
	CreateGroupV5
	ListGroupsV5
	ShowGroupV5
	UpdateGroupV5
	DeleteGroupV5
	AddUserToGroupV5
	RemoveUserFromGroupV5
	CreatePolicyV5
	ListPoliciesV5
	GetPolicyV5
	CreatePolicyVersionV5
	DeletePolicyV5
	AttachUserPolicyV5
	DetachUserPolicyV5
	ListAttachedUserPoliciesV5
	AttachGroupPolicyV5
	DetachGroupPolicyV5
	CreateTrustAgencyV5
	ListAgenciesV5
	GetAgencyV5
	UpdateTrustAgencyV5
	DeleteAgencyV5
	AttachAgencyPolicyV5
	DetachAgencyPolicyV5
	ListAttachedAgencyPoliciesV5
	CreateTemporaryAccessKeyByAgency
	KeystoneCheckUserInGroup
	KeystoneListUsersForGroupByAdmin
	KeystoneListGroupsForUser
	KeystoneAssociateGroupWithProjectPermission
	KeystoneRemoveProjectPermissionFromGroup
	KeystoneCheckProjectPermissionForGroup
	KeystoneListProjectPermissionsForGroup
	KeystoneAssociateGroupWithDomainPermission
	KeystoneRemoveDomainPermissionFromGroup
	KeystoneCheckDomainPermissionForGroup
	KeystoneListDomainPermissionsForGroup
	KeystoneCheckroleForGroup
	KeystoneListAllProjectPermissionsForGroup
	AssociateRoleToGroupOnEnterpriseProject
	RevokeRoleFromGroupOnEnterpriseProject
	ListRolesForGroupOnEnterpriseProject
	AssociateRoleToUserOnEnterpriseProject
	RevokeRoleFromUserOnEnterpriseProject
	ListRolesForUserOnEnterpriseProject
	KeystoneCreateProject
	KeystoneListProjects
	KeystoneUpdateProject
	KeystoneValidateToken
	KeystoneRevokeToken

	opEnd
)

// operations is the table. Rows of CSMS follow behaviour.md section 18; rows of IAM
// carry the action of the IAM 5.0 API reference and, as aliases, the names of the
// older one; rows of KMS, EPS and CTS carry the public names where one is known.
var operations = [opEnd]Operation{
	CreateSecret:       {Name: "CreateSecret", Action: "csms:secret:create", Level: Write, ResourceType: typeSecret, Collection: true},
	UploadSecretBlob:   {Name: "UploadSecretBlob", Action: "csms:secret:create", Level: Write, ResourceType: typeSecret, Collection: true},
	BatchImportSecrets: {Name: "BatchImportSecrets", Action: "csms:secret:create", Level: Write, ResourceType: typeSecret, Collection: true},
	ListSecrets:        {Name: "ListSecrets", Action: "csms:secret:list", Level: List, ResourceType: typeSecret, Collection: true},
	ShowSecret:         {Name: "ShowSecret", Action: "csms:secret:get", Level: Read, ResourceType: typeSecret, Grantable: true},
	DownloadSecretBlob: {Name: "DownloadSecretBlob", Action: "csms:secret:get", Level: Read, ResourceType: typeSecret},
	UpdateSecret:       {Name: "UpdateSecret", Action: "csms:secret:update", Level: Write, ResourceType: typeSecret},
	DeleteSecret:       {Name: "DeleteSecret", Action: "csms:secret:delete", Level: Write, ResourceType: typeSecret},
	// No identity permission in the cloud; the role action is required here (C17, IAM2).
	BatchDeleteSecrets:      {Name: "BatchDeleteSecrets", Action: "csms:secret:delete", Level: Write, AdminOnly: true},
	DeleteSecretForSchedule: {Name: "DeleteSecretForSchedule", Action: "csms:secret:scheduleDeletion", Aliases: []string{"csms:secret:deleteScheduled"}, Level: Write, ResourceType: typeSecret},
	RestoreSecret:           {Name: "RestoreSecret", Action: "csms:secret:restoreSecret", Aliases: []string{"csms:secret:deleteCancelled"}, Level: Write, ResourceType: typeSecret},
	RotateSecret:            {Name: "RotateSecret", Action: "csms:secret:rotate", Level: Write, ResourceType: typeSecret},

	CreateSecretVersion: {Name: "CreateSecretVersion", Action: "csms:secret:createVersion", Aliases: []string{"csms:secretVersion:create"}, Level: Write, ResourceType: typeSecret},
	ListSecretVersions:  {Name: "ListSecretVersions", Action: "csms:secret:listVersion", Aliases: []string{"csms:secretVersion:list"}, Level: List, ResourceType: typeSecret, Grantable: true},
	ShowSecretVersion:   {Name: "ShowSecretVersion", Action: "csms:secret:getVersion", Aliases: []string{"csms:secretVersion:get"}, Level: Read, ResourceType: typeSecret, Grantable: true},
	UpdateVersion:       {Name: "UpdateVersion", Action: "csms:secret:updateVersion", Aliases: []string{"csms:secretVersion:update"}, Level: Write, ResourceType: typeSecret},
	// The page names no resource; auth.md 7.4 has it evaluated per name.
	BatchShowSecretVersion: {Name: "BatchShowSecretVersion", Action: "csms:secret:batchGetSecretValue", Aliases: []string{"csms:secretVersion:batchGetSecretValue"}, Level: Read, ResourceType: typeSecret, Collection: true, Grantable: true},

	CreateSecretStage: {Name: "CreateSecretStage", Action: "csms:secret:createStage", Aliases: []string{"csms:secretStage:create"}, Level: Write, ResourceType: typeSecret},
	UpdateSecretStage: {Name: "UpdateSecretStage", Action: "csms:secret:updateStage", Aliases: []string{"csms:secretStage:update"}, Level: Write, ResourceType: typeSecret},
	ShowSecretStage:   {Name: "ShowSecretStage", Action: "csms:secret:getStage", Aliases: []string{"csms:secretStage:get"}, Level: Read, ResourceType: typeSecret, Grantable: true},
	DeleteSecretStage: {Name: "DeleteSecretStage", Action: "csms:secret:deleteStage", Aliases: []string{"csms:secretStage:delete"}, Level: Write, ResourceType: typeSecret},

	// Tag operations address a secret by id (T15), which may be unknown.
	CreateSecretTag:         {Name: "CreateSecretTag", Action: "csms:secret:createTag", Aliases: []string{"csms:tag:create"}, Level: Tagging, ResourceType: typeSecret, Collection: true},
	DeleteSecretTag:         {Name: "DeleteSecretTag", Action: "csms:secret:deleteTag", Aliases: []string{"csms:tag:delete"}, Level: Tagging, ResourceType: typeSecret, Collection: true},
	BatchCreateOrDeleteTags: {Name: "BatchCreateOrDeleteTags", Action: "csms:secret:batchCreateOrDeleteTags", Aliases: []string{"csms:tag:batch"}, Level: Tagging, ResourceType: typeSecret, Collection: true},
	ListSecretTags:          {Name: "ListSecretTags", Action: "csms:secret:listTags", Aliases: []string{"csms:tag:getBySecret"}, Level: List, ResourceType: typeSecret, Collection: true, Grantable: true},
	ListProjectSecretsTags:  {Name: "ListProjectSecretsTags", Action: "csms::listProjectTags", Aliases: []string{"csms:tag:getAll"}, Level: List},
	// Its action is unknown (Q19); it lists secrets, so it takes their right.
	ListResourceInstances: {Name: "ListResourceInstances", Action: "csms:secret:list", Level: List, ResourceType: typeSecret, Collection: true},

	CreateSecretEvent:       {Name: "CreateSecretEvent", Action: "csms::createEvent", Aliases: []string{"csms:event:create"}, Level: Write},
	ShowSecretEvent:         {Name: "ShowSecretEvent", Action: "csms::getEvent", Aliases: []string{"csms:event:get"}, Level: Read},
	ListSecretEvents:        {Name: "ListSecretEvents", Action: "csms::listEvents", Aliases: []string{"csms:event:list"}, Level: List},
	UpdateSecretEvent:       {Name: "UpdateSecretEvent", Action: "csms::updateEvent", Aliases: []string{"csms:event:update"}, Level: Write},
	DeleteSecretEvent:       {Name: "DeleteSecretEvent", Action: "csms::deleteEvent", Aliases: []string{"csms:event:delete"}, Level: Write},
	ListNotificationRecords: {Name: "ListNotificationRecords", Action: "csms::listEvents", Aliases: []string{"csms:event:list"}, Level: List},
	ListSecretTask:          {Name: "ListSecretTask", Action: "csms::listTasks", Aliases: []string{"csms:task:list"}, Level: List},

	// "None" in the cloud: the actions below are our own names, so that a deny can
	// say them and a refusal can name them.
	CreateAgency:                {Name: "CreateAgency", Action: "csms::createAgency", Level: Write, Open: true, AdminOnly: true},
	ShowAgency:                  {Name: "ShowAgency", Action: "csms::showAgency", Level: Read, Open: true},
	ShowSecretFunctionTemplates: {Name: "ShowSecretFunctionTemplates", Action: "csms::showSecretFunctionTemplates", Level: Read, Open: true},
	CheckSecrets:                {Name: "CheckSecrets", Action: "csms::checkSecrets", Level: Read, Open: true},
	ShowSecretsConfig:           {Name: "ShowSecretsConfig", Action: "csms::showSecretsConfig", Level: Read, Open: true, AdminOnly: true},
	UpdateSecretsConfig:         {Name: "UpdateSecretsConfig", Action: "csms::updateSecretsConfig", Level: Write, Open: true, AdminOnly: true},
	GenerateRandomPassword:      {Name: "GenerateRandomPassword", Action: "csms::generateRandomPassword", Level: Read, Open: true},
	CreateGrants:                {Name: "CreateGrants", Action: "csms::createGrants", Level: Write, Open: true, AdminOnly: true},
	ListGrants:                  {Name: "ListGrants", Action: "csms::listGrants", Level: List, Open: true, AdminOnly: true},
	UpdateGrant:                 {Name: "UpdateGrant", Action: "csms::updateGrant", Level: Write, Open: true, AdminOnly: true},
	DeleteGrant:                 {Name: "DeleteGrant", Action: "csms::deleteGrant", Level: Write, Open: true, AdminOnly: true},
	ListUsers:                   {Name: "ListUsers", Action: "csms::listUsers", Level: List, Open: true, AdminOnly: true},
	ShowUserDetail:              {Name: "ShowUserDetail", Action: "csms::showUserDetail", Level: Read, Open: true, AdminOnly: true},
	UpdateUserPassword:          {Name: "UpdateUserPassword", Action: "csms::updateUserPassword", Level: Write, Open: true},
	CreateSecretReplica:         {Name: "CreateSecretReplica", Action: "csms:secret:createReplica", Level: Write, ResourceType: typeSecret},
	DeleteSecretReplica:         {Name: "DeleteSecretReplica", Action: "csms:secret:deleteReplica", Level: Write, ResourceType: typeSecret},
	ListSupportRegions:          {Name: "ListSupportRegions", Action: "csms::listSupportRegions", Level: List, Open: true},
	CreateDatabaseTarget:        {Name: "CreateDatabaseTarget", Action: "csms::createDatabaseTarget", Level: Write, Open: true, AdminOnly: true},
	ListDatabaseTargets:         {Name: "ListDatabaseTargets", Action: "csms::listDatabaseTargets", Level: List, Open: true, AdminOnly: true},
	ShowDatabaseTarget:          {Name: "ShowDatabaseTarget", Action: "csms::showDatabaseTarget", Level: Read, Open: true, AdminOnly: true},
	UpdateDatabaseTarget:        {Name: "UpdateDatabaseTarget", Action: "csms::updateDatabaseTarget", Level: Write, Open: true, AdminOnly: true},
	DeleteDatabaseTarget:        {Name: "DeleteDatabaseTarget", Action: "csms::deleteDatabaseTarget", Level: Write, Open: true, AdminOnly: true},
	CheckDatabaseTarget:         {Name: "CheckDatabaseTarget", Action: "csms::checkDatabaseTarget", Level: Read, Open: true, AdminOnly: true},
	// It takes RotateSecret and ShowSecretVersion as well.
	PreviewRotation: {Name: "PreviewRotation", Action: "csms::previewRotation", Level: Read, Open: true, AdminOnly: true},
	// They tell of secrets what ShowSecret and ListSecrets tell, and take ListSecretTask
	// as well.
	ShowRotation:  {Name: "ShowRotation", Action: "csms:secret:get", Level: Read, ResourceType: typeSecret},
	ListRotations: {Name: "ListRotations", Action: "csms:secret:list", Level: List, ResourceType: typeSecret, Collection: true},
	// Not an operation of its own: the mark of an administrator of the service (IAM2).
	Administer: {Name: "Administer", Action: "csms::administer", Level: PermissionManagement},

	CreateKey:                     {Name: "CreateKey", Action: "kms:cmk:create", Level: Write, ResourceType: typeKey, Collection: true},
	ListKeys:                      {Name: "ListKeys", Action: "kms:cmk:list", Level: List, ResourceType: typeKey, Collection: true},
	DescribeKey:                   {Name: "DescribeKey", Action: "kms:cmk:get", Level: Read, ResourceType: typeKey, KeyGrant: "describe-key"},
	EnableKey:                     {Name: "EnableKey", Action: "kms:cmk:enable", Level: Write, ResourceType: typeKey},
	DisableKey:                    {Name: "DisableKey", Action: "kms:cmk:disable", Level: Write, ResourceType: typeKey},
	ScheduleKeyDeletion:           {Name: "ScheduleKeyDeletion", Action: "kms:cmk:scheduleKeyDeletion", Aliases: []string{"kms:cmk:update"}, Level: Write, ResourceType: typeKey},
	CancelKeyDeletion:             {Name: "CancelKeyDeletion", Action: "kms:cmk:cancelKeyDeletion", Aliases: []string{"kms:cmk:update"}, Level: Write, ResourceType: typeKey},
	UpdateKeyAlias:                {Name: "UpdateKeyAlias", Action: "kms:cmk:updateKeyAlias", Aliases: []string{"kms:cmk:update"}, Level: Write, ResourceType: typeKey},
	UpdateKeyDescription:          {Name: "UpdateKeyDescription", Action: "kms:cmk:updateKeyDescription", Aliases: []string{"kms:cmk:update"}, Level: Write, ResourceType: typeKey},
	ShowKeyRotationStatus:         {Name: "ShowKeyRotationStatus", Action: "kms:cmk:getRotation", Level: Read, ResourceType: typeKey},
	EnableKeyRotation:             {Name: "EnableKeyRotation", Action: "kms:cmk:enableRotation", Level: Write, ResourceType: typeKey},
	DisableKeyRotation:            {Name: "DisableKeyRotation", Action: "kms:cmk:disableRotation", Level: Write, ResourceType: typeKey},
	UpdateKeyRotationInterval:     {Name: "UpdateKeyRotationInterval", Action: "kms:cmk:updateRotation", Level: Write, ResourceType: typeKey},
	ListKeyTags:                   {Name: "ListKeyTags", Action: "kms:cmk:listTags", Aliases: []string{"kms:cmkTag:list"}, Level: List, ResourceType: typeKey},
	BatchCreateKeyTags:            {Name: "BatchCreateKeyTags", Action: "kms:cmk:batchCreateTags", Aliases: []string{"kms:cmkTag:batch"}, Level: Tagging, ResourceType: typeKey},
	CreateDataKey:                 {Name: "CreateDataKey", Action: "kms:cmk:createDataKey", Aliases: []string{"kms:dek:create"}, Level: Write, ResourceType: typeKey, KeyGrant: "create-datakey"},
	CreateDataKeyWithoutPlaintext: {Name: "CreateDataKeyWithoutPlaintext", Action: "kms:cmk:createDataKeyWithoutPlaintext", Aliases: []string{"kms:dek:create"}, Level: Write, ResourceType: typeKey, KeyGrant: "create-datakey-without-plaintext"},
	EncryptDataKey:                {Name: "EncryptDataKey", Action: "kms:cmk:encryptDataKey", Aliases: []string{"kms:dek:encrypt"}, Level: Write, ResourceType: typeKey, KeyGrant: "encrypt-datakey"},
	DecryptDataKey:                {Name: "DecryptDataKey", Action: "kms:cmk:decryptDataKey", Aliases: []string{"kms:dek:decrypt"}, Level: Write, ResourceType: typeKey, KeyGrant: "decrypt-datakey"},
	EncryptData:                   {Name: "EncryptData", Action: "kms:cmk:encryptData", Aliases: []string{"kms:cmk:encrypt"}, Level: Write, ResourceType: typeKey, KeyGrant: "encrypt-data"},
	DecryptData:                   {Name: "DecryptData", Action: "kms:cmk:decryptData", Aliases: []string{"kms:cmk:decrypt"}, Level: Write, ResourceType: typeKey, KeyGrant: "decrypt-data"},
	CreateRandom:                  {Name: "CreateRandom", Action: "kms::generateRandom", Aliases: []string{"kms:cmk:generate"}, Level: Read},
	CreateKeyGrant:                {Name: "CreateKeyGrant", Action: "kms:cmk:createGrant", Aliases: []string{"kms:grant:create"}, Level: PermissionManagement, ResourceType: typeKey, KeyGrant: "create-grant"},
	ListKeyGrants:                 {Name: "ListKeyGrants", Action: "kms:cmk:listGrants", Aliases: []string{"kms:grant:list"}, Level: List, ResourceType: typeKey},
	// It tells a caller only of grants that he may retire.
	ListRetirableKeyGrants: {Name: "ListRetirableKeyGrants", Action: "kms::listRetirableGrants", Aliases: []string{"kms:grant:listRetirable"}, Level: List, Open: true},
	RetireKeyGrant:         {Name: "RetireKeyGrant", Action: "kms:cmk:retireGrant", Aliases: []string{"kms:grant:retire"}, Level: PermissionManagement, ResourceType: typeKey, KeyGrant: "retire-grant"},
	RevokeKeyGrant:         {Name: "RevokeKeyGrant", Action: "kms:cmk:revokeGrant", Aliases: []string{"kms:grant:revoke"}, Level: PermissionManagement, ResourceType: typeKey},
	CreateKeyAlias:         {Name: "CreateKeyAlias", Action: "kms:cmk:createAlias", Aliases: []string{"kms:cmk:update"}, Level: Write, ResourceType: typeKey},
	ListKeyAliases:         {Name: "ListKeyAliases", Action: "kms:cmk:listAliases", Aliases: []string{"kms:cmk:list"}, Level: List, ResourceType: typeKey, Collection: true},
	AssociateKeyAlias:      {Name: "AssociateKeyAlias", Action: "kms:cmk:associateAlias", Aliases: []string{"kms:cmk:update"}, Level: Write, ResourceType: typeKey},
	DeleteKeyAliases:       {Name: "DeleteKeyAliases", Action: "kms:cmk:deleteAlias", Aliases: []string{"kms:cmk:update"}, Level: Write, ResourceType: typeKey},

	// Rows of SMN carry the names of both of its permission tables. Tags address a topic
	// by an id, which may be unknown.
	CreateTopic:                     {Name: "CreateTopic", Action: "smn:topic:create", Level: Write, ResourceType: typeTopic, Collection: true},
	ListTopics:                      {Name: "ListTopics", Action: "smn:topic:listTopic", Aliases: []string{"smn:topic:list"}, Level: List, ResourceType: typeTopic, Collection: true},
	ListTopicDetails:                {Name: "ListTopicDetails", Action: "smn:topic:get", Aliases: []string{"smn:topic:list"}, Level: Read, ResourceType: typeTopic},
	UpdateTopic:                     {Name: "UpdateTopic", Action: "smn:topic:updateTopic", Aliases: []string{"smn:topic:update"}, Level: Write, ResourceType: typeTopic},
	DeleteTopic:                     {Name: "DeleteTopic", Action: "smn:topic:delete", Level: Write, ResourceType: typeTopic},
	ListTopicAttributes:             {Name: "ListTopicAttributes", Action: "smn:topic:listAttributes", Aliases: []string{"smn:topic:list"}, Level: List, ResourceType: typeTopic},
	UpdateTopicAttribute:            {Name: "UpdateTopicAttribute", Action: "smn:topic:updateAttribute", Aliases: []string{"smn:topic:update"}, Level: PermissionManagement, ResourceType: typeTopic},
	DeleteTopicAttributeByName:      {Name: "DeleteTopicAttributeByName", Action: "smn:topic:deleteAttribute", Aliases: []string{"smn:topic:update"}, Level: PermissionManagement, ResourceType: typeTopic},
	DeleteTopicAttributes:           {Name: "DeleteTopicAttributes", Action: "smn:topic:deleteAttribute", Aliases: []string{"smn:topic:update"}, Level: PermissionManagement, ResourceType: typeTopic},
	PublishMessage:                  {Name: "PublishMessage", Action: "smn:topic:publish", Level: Write, ResourceType: typeTopic},
	CreateResourceTag:               {Name: "CreateResourceTag", Action: "smn:tag:create", Level: Tagging, ResourceType: typeTopic, Collection: true},
	DeleteResourceTag:               {Name: "DeleteResourceTag", Action: "smn:tag:delete", Level: Tagging, ResourceType: typeTopic, Collection: true},
	BatchCreateOrDeleteResourceTags: {Name: "BatchCreateOrDeleteResourceTags", Action: "smn:tag:batch", Aliases: []string{"smn:tag:create"}, Level: Tagging, ResourceType: typeTopic, Collection: true},
	ListResourceTags:                {Name: "ListResourceTags", Action: "smn:tag:list", Level: List, ResourceType: typeTopic, Collection: true},
	ListProjectTags:                 {Name: "ListProjectTags", Action: "smn:tag:list", Level: List, ResourceType: typeTopic, Collection: true},

	ListEnterpriseProject:             {Name: "ListEnterpriseProject", Action: "eps:enterpriseProjects:list", Level: List, Global: true},
	ShowEnterpriseProject:             {Name: "ShowEnterpriseProject", Action: "eps:enterpriseProjects:get", Aliases: []string{"eps:enterpriseProject:get"}, Level: Read, Global: true},
	CreateEnterpriseProject:           {Name: "CreateEnterpriseProject", Action: "eps:enterpriseProjects:create", Level: Write, Global: true},
	ModifyEnterpriseProject:           {Name: "ModifyEnterpriseProject", Action: "eps:enterpriseProjects:update", Level: Write, Global: true},
	EnableEnterpriseProject:           {Name: "EnableEnterpriseProject", Action: "eps:enterpriseProjects:enable", Level: Write, Global: true},
	DisableEnterpriseProject:          {Name: "DisableEnterpriseProject", Action: "eps:enterpriseProjects:disable", Level: Write, Global: true},
	ShowResourceBindEnterpriseProject: {Name: "ShowResourceBindEnterpriseProject", Action: "eps:resources:list", Level: List, Global: true},
	MigrateResource:                   {Name: "MigrateResource", Action: "eps:resources:add", Level: Write, Global: true},
	ListTraces:                        {Name: "ListTraces", Action: "cts:trace:list", Level: List},

	CreateUserV5:               {Name: "CreateUserV5", Action: "iam:users:createUserV5", Aliases: []string{"iam:users:createUser", "iam:users:create"}, Level: Write, ResourceType: typeUser, Collection: true, Global: true},
	ListUsersV5:                {Name: "ListUsersV5", Action: "iam:users:listUsersV5", Aliases: []string{"iam:users:listUsers", "iam:users:list"}, Level: List, ResourceType: typeUser, Collection: true, Global: true},
	ShowUserV5:                 {Name: "ShowUserV5", Action: "iam:users:getUserV5", Aliases: []string{"iam:users:getUser", "iam:users:get"}, Level: Read, ResourceType: typeUser, Global: true},
	UpdateUserV5:               {Name: "UpdateUserV5", Action: "iam:users:updateUserV5", Aliases: []string{"iam:users:updateUser", "iam:users:update"}, Level: Write, ResourceType: typeUser, Global: true},
	DeleteUserV5:               {Name: "DeleteUserV5", Action: "iam:users:deleteUserV5", Aliases: []string{"iam:users:deleteUser", "iam:users:delete"}, Level: Write, ResourceType: typeUser, Global: true},
	CreateAccessKeyV5:          {Name: "CreateAccessKeyV5", Action: "iam:credentials:createCredentialV5", Aliases: []string{"iam:credentials:createCredential", "iam:credentials:create"}, Level: Write, ResourceType: typeUser, Global: true},
	ListAccessKeysV5:           {Name: "ListAccessKeysV5", Action: "iam:credentials:listCredentialsV5", Aliases: []string{"iam:credentials:listCredentials", "iam:credentials:list"}, Level: List, ResourceType: typeUser, Collection: true, Global: true},
	ShowPermanentAccessKey:     {Name: "ShowPermanentAccessKey", Action: "iam:credentials:getCredential", Aliases: []string{"iam:credentials:get"}, Level: Read, ResourceType: typeUser, Collection: true, Global: true},
	UpdateAccessKeyV5:          {Name: "UpdateAccessKeyV5", Action: "iam:credentials:updateCredentialV5", Aliases: []string{"iam:credentials:updateCredential", "iam:credentials:update"}, Level: Write, ResourceType: typeUser, Collection: true, Global: true},
	DeleteAccessKeyV5:          {Name: "DeleteAccessKeyV5", Action: "iam:credentials:deleteCredentialV5", Aliases: []string{"iam:credentials:deleteCredential", "iam:credentials:delete"}, Level: Write, ResourceType: typeUser, Collection: true, Global: true},
	CreateGroupV5:              {Name: "CreateGroupV5", Action: "iam:groups:createGroupV5", Aliases: []string{"iam:groups:createGroup", "iam:groups:create"}, Level: Write, ResourceType: typeGroup, Collection: true, Global: true},
	ListGroupsV5:               {Name: "ListGroupsV5", Action: "iam:groups:listGroupsV5", Aliases: []string{"iam:groups:listGroups", "iam:groups:list"}, Level: List, ResourceType: typeGroup, Collection: true, Global: true},
	ShowGroupV5:                {Name: "ShowGroupV5", Action: "iam:groups:getGroupV5", Aliases: []string{"iam:groups:getGroup", "iam:groups:get"}, Level: Read, ResourceType: typeGroup, Global: true},
	UpdateGroupV5:              {Name: "UpdateGroupV5", Action: "iam:groups:updateGroupV5", Aliases: []string{"iam:groups:updateGroup", "iam:groups:update"}, Level: Write, ResourceType: typeGroup, Global: true},
	DeleteGroupV5:              {Name: "DeleteGroupV5", Action: "iam:groups:deleteGroupV5", Aliases: []string{"iam:groups:deleteGroup", "iam:groups:delete"}, Level: Write, ResourceType: typeGroup, Global: true},
	AddUserToGroupV5:           {Name: "AddUserToGroupV5", Action: "iam:groups:addUserV5", Aliases: []string{"iam:permissions:addUserToGroup"}, Level: PermissionManagement, ResourceType: typeGroup, Global: true},
	RemoveUserFromGroupV5:      {Name: "RemoveUserFromGroupV5", Action: "iam:groups:removeUserV5", Aliases: []string{"iam:permissions:removeUserFromGroup"}, Level: PermissionManagement, ResourceType: typeGroup, Global: true},
	CreatePolicyV5:             {Name: "CreatePolicyV5", Action: "iam:policies:createV5", Aliases: []string{"iam:policies:create", "iam:roles:createRole"}, Level: PermissionManagement, ResourceType: typePolicy, Collection: true, Global: true},
	ListPoliciesV5:             {Name: "ListPoliciesV5", Action: "iam:policies:listV5", Aliases: []string{"iam:policies:list", "iam:roles:listRoles"}, Level: List, ResourceType: typePolicy, Collection: true, Global: true},
	GetPolicyV5:                {Name: "GetPolicyV5", Action: "iam:policies:getV5", Aliases: []string{"iam:policies:get", "iam:roles:getRole"}, Level: Read, ResourceType: typePolicy, Global: true},
	CreatePolicyVersionV5:      {Name: "CreatePolicyVersionV5", Action: "iam:policies:createVersionV5", Aliases: []string{"iam:policies:update", "iam:roles:updateRole"}, Level: PermissionManagement, ResourceType: typePolicy, Global: true},
	DeletePolicyV5:             {Name: "DeletePolicyV5", Action: "iam:policies:deleteV5", Aliases: []string{"iam:policies:delete", "iam:roles:deleteRole"}, Level: PermissionManagement, ResourceType: typePolicy, Global: true},
	AttachUserPolicyV5:         {Name: "AttachUserPolicyV5", Action: "iam:users:attachPolicyV5", Aliases: []string{"iam:users:attachPolicy"}, Level: PermissionManagement, ResourceType: typeUser, Global: true},
	DetachUserPolicyV5:         {Name: "DetachUserPolicyV5", Action: "iam:users:detachPolicyV5", Aliases: []string{"iam:users:detachPolicy"}, Level: PermissionManagement, ResourceType: typeUser, Global: true},
	ListAttachedUserPoliciesV5: {Name: "ListAttachedUserPoliciesV5", Action: "iam:users:listAttachedPoliciesV5", Aliases: []string{"iam:users:listAttachedPolicies"}, Level: List, ResourceType: typeUser, Global: true},
	AttachGroupPolicyV5:        {Name: "AttachGroupPolicyV5", Action: "iam:groups:attachPolicyV5", Aliases: []string{"iam:permissions:grantRoleToGroup"}, Level: PermissionManagement, ResourceType: typeGroup, Global: true},
	DetachGroupPolicyV5:        {Name: "DetachGroupPolicyV5", Action: "iam:groups:detachPolicyV5", Aliases: []string{"iam:permissions:revokeRoleFromGroup"}, Level: PermissionManagement, ResourceType: typeGroup, Global: true},
	CreateTrustAgencyV5:        {Name: "CreateTrustAgencyV5", Action: "iam:agencies:createV5", Aliases: []string{"iam:agencies:createAgency", "iam:agencies:create"}, Level: PermissionManagement, ResourceType: typeAgency, Collection: true, Global: true},
	ListAgenciesV5:             {Name: "ListAgenciesV5", Action: "iam:agencies:listV5", Aliases: []string{"iam:agencies:listAgencies", "iam:agencies:list"}, Level: List, ResourceType: typeAgency, Collection: true, Global: true},
	GetAgencyV5:                {Name: "GetAgencyV5", Action: "iam:agencies:getV5", Aliases: []string{"iam:agencies:getAgency", "iam:agencies:get"}, Level: Read, ResourceType: typeAgency, Global: true},
	UpdateTrustAgencyV5:        {Name: "UpdateTrustAgencyV5", Action: "iam:agencies:updateV5", Aliases: []string{"iam:agencies:updateAgency", "iam:agencies:update"}, Level: PermissionManagement, ResourceType: typeAgency, Global: true},
	DeleteAgencyV5:             {Name: "DeleteAgencyV5", Action: "iam:agencies:deleteV5", Aliases: []string{"iam:agencies:deleteAgency", "iam:agencies:delete"}, Level: PermissionManagement, ResourceType: typeAgency, Global: true},

	AttachAgencyPolicyV5:         {Name: "AttachAgencyPolicyV5", Action: "iam:agencies:attachPolicyV5", Aliases: []string{"iam:permissions:grantRoleToAgency", "iam:permissions:grantRoleToAgencyOnProject", "iam:permissions:grantRoleToAgencyOnDomain"}, Level: PermissionManagement, ResourceType: typeAgency, Global: true},
	DetachAgencyPolicyV5:         {Name: "DetachAgencyPolicyV5", Action: "iam:agencies:detachPolicyV5", Aliases: []string{"iam:permissions:revokeRoleFromAgency", "iam:permissions:revokeRoleFromAgencyOnProject", "iam:permissions:revokeRoleFromAgencyOnDomain"}, Level: PermissionManagement, ResourceType: typeAgency, Global: true},
	ListAttachedAgencyPoliciesV5: {Name: "ListAttachedAgencyPoliciesV5", Action: "iam:agencies:listAttachedPoliciesV5", Aliases: []string{"iam:permissions:listRolesForAgency", "iam:permissions:listRolesForAgencyOnProject", "iam:permissions:listRolesForAgencyOnDomain"}, Level: List, ResourceType: typeAgency, Global: true},

	// Groups with the paths of the older IAM. Assigning in all projects takes the rights of
	// AttachGroupPolicyV5 and DetachGroupPolicyV5.
	KeystoneCheckUserInGroup:                    {Name: "KeystoneCheckUserInGroup", Action: "iam:permissions:checkUserInGroup", Level: Read, ResourceType: typeGroup, Global: true},
	KeystoneListUsersForGroupByAdmin:            {Name: "KeystoneListUsersForGroupByAdmin", Action: "iam:users:listUsersForGroup", Level: List, ResourceType: typeGroup, Global: true},
	KeystoneListGroupsForUser:                   {Name: "KeystoneListGroupsForUser", Action: "iam:groups:listGroupsForUser", Level: List, ResourceType: typeUser, Global: true},
	KeystoneAssociateGroupWithProjectPermission: {Name: "KeystoneAssociateGroupWithProjectPermission", Action: "iam:permissions:grantRoleToGroupOnProject", Level: PermissionManagement, ResourceType: typeGroup, Global: true},
	KeystoneRemoveProjectPermissionFromGroup:    {Name: "KeystoneRemoveProjectPermissionFromGroup", Action: "iam:permissions:revokeRoleFromGroupOnProject", Level: PermissionManagement, ResourceType: typeGroup, Global: true},
	KeystoneCheckProjectPermissionForGroup:      {Name: "KeystoneCheckProjectPermissionForGroup", Action: "iam:permissions:checkRoleForGroupOnProject", Level: Read, ResourceType: typeGroup, Global: true},
	KeystoneListProjectPermissionsForGroup:      {Name: "KeystoneListProjectPermissionsForGroup", Action: "iam:permissions:listRolesForGroupOnProject", Level: List, ResourceType: typeGroup, Global: true},
	KeystoneAssociateGroupWithDomainPermission:  {Name: "KeystoneAssociateGroupWithDomainPermission", Action: "iam:permissions:grantRoleToGroupOnDomain", Level: PermissionManagement, ResourceType: typeGroup, Global: true},
	KeystoneRemoveDomainPermissionFromGroup:     {Name: "KeystoneRemoveDomainPermissionFromGroup", Action: "iam:permissions:revokeRoleFromGroupOnDomain", Level: PermissionManagement, ResourceType: typeGroup, Global: true},
	KeystoneCheckDomainPermissionForGroup:       {Name: "KeystoneCheckDomainPermissionForGroup", Action: "iam:permissions:checkRoleForGroupOnDomain", Level: Read, ResourceType: typeGroup, Global: true},
	KeystoneListDomainPermissionsForGroup:       {Name: "KeystoneListDomainPermissionsForGroup", Action: "iam:permissions:listRolesForGroupOnDomain", Level: List, ResourceType: typeGroup, Global: true},
	KeystoneCheckroleForGroup:                   {Name: "KeystoneCheckroleForGroup", Action: "iam:permissions:checkRoleForGroup", Level: Read, ResourceType: typeGroup, Global: true},
	KeystoneListAllProjectPermissionsForGroup:   {Name: "KeystoneListAllProjectPermissionsForGroup", Action: "iam:permissions:listRolesForGroup", Level: List, ResourceType: typeGroup, Global: true},
	AssociateRoleToGroupOnEnterpriseProject:     {Name: "AssociateRoleToGroupOnEnterpriseProject", Action: "iam:permissions:grantRoleToGroupOnEnterpriseProject", Level: PermissionManagement, ResourceType: typeGroup, Global: true},
	RevokeRoleFromGroupOnEnterpriseProject:      {Name: "RevokeRoleFromGroupOnEnterpriseProject", Action: "iam:permissions:revokeRoleFromGroupOnEnterpriseProject", Level: PermissionManagement, ResourceType: typeGroup, Global: true},
	ListRolesForGroupOnEnterpriseProject:        {Name: "ListRolesForGroupOnEnterpriseProject", Action: "iam:permissions:listRolesForGroupOnEnterpriseProject", Level: List, ResourceType: typeGroup, Global: true},
	AssociateRoleToUserOnEnterpriseProject:      {Name: "AssociateRoleToUserOnEnterpriseProject", Action: "iam:permissions:grantRoleToUserOnEnterpriseProject", Level: PermissionManagement, ResourceType: typeUser, Global: true},
	RevokeRoleFromUserOnEnterpriseProject:       {Name: "RevokeRoleFromUserOnEnterpriseProject", Action: "iam:permissions:revokeRoleFromUserOnEnterpriseProject", Level: PermissionManagement, ResourceType: typeUser, Global: true},
	ListRolesForUserOnEnterpriseProject:         {Name: "ListRolesForUserOnEnterpriseProject", Action: "iam:permissions:listRolesForUserOnEnterpriseProject", Level: List, ResourceType: typeUser, Global: true},

	CreateTemporaryAccessKeyByAgency: {Name: "CreateTemporaryAccessKeyByAgency", Action: "iam:tokens:assume", Aliases: []string{"sts:agencies:assume", "iam:agencies:assume"}, Level: Write, ResourceType: typeAgency, Global: true},
	KeystoneCreateProject:            {Name: "KeystoneCreateProject", Action: "iam:projects:createProject", Aliases: []string{"iam:projects:create"}, Level: Write, Global: true},
	// Plain users must be able to look their project up (auth.md 3.4).
	KeystoneListProjects:  {Name: "KeystoneListProjects", Action: "iam:projects:listProjects", Aliases: []string{"iam:projects:list"}, Level: List, Open: true, Global: true},
	KeystoneUpdateProject: {Name: "KeystoneUpdateProject", Action: "iam:projects:updateProject", Aliases: []string{"iam:projects:update"}, Level: Write, Global: true},
	// About somebody else's token; a caller may always ask about his own (auth.md 3.3).
	KeystoneValidateToken: {Name: "KeystoneValidateToken", Action: "iam:tokens:validate", Level: Read, Global: true},
	KeystoneRevokeToken:   {Name: "KeystoneRevokeToken", Action: "iam:tokens:revoke", Level: Write, Global: true},
}
