package csms

// Code is an error code as it stands on the wire. Clients branch on the HTTP
// status, people search for the code.
type Code string

// Codes of the service (behaviour.md 17.1). Numbers without a published meaning
// are not used, but for CodeInternal.
const (
	CodeInternal         Code = "CSMS.0001"     // unexpected failure; our reading, the published table has no such row
	CodeInvalid          Code = "CSMS.0002"     // a parameter fails validation
	CodeBadURL           Code = "CSMS.0003"     // the request is invalid
	CodeBadBody          Code = "CSMS.0004"     // the body is not readable
	CodeNotFound         Code = "CSMS.0005"     // version, stage, event, task ... unknown
	CodeUnknownEvent     Code = "CSMS.0005/400" // an event that a secret would subscribe to (E4)
	CodePendingDeletion  Code = "CSMS.0103"     // use of a secret that is scheduled for deletion
	CodeSystemStage      Code = "CSMS.0105"     // SYSCURRENT and SYSPREVIOUS cannot be deleted
	CodeSecretNotFound   Code = "CSMS.0106"     // secret name unknown
	CodeAlreadyScheduled Code = "CSMS.0107"     // scheduling twice
	CodeNotScheduled     Code = "CSMS.0108"     // cancelling what is not scheduled
	CodeNotEnabled       Code = "CSMS.0109"     // the secret is DISABLED or FROZEN
	CodeSecretQuota      Code = "CSMS.0202"     // too many secrets in the project
	CodeStageFull        Code = "CSMS.0203"     // the label quota is used up
	CodeStageQuota       Code = "CSMS.0204"     // the request would exceed the label quota
	CodeForbidden        Code = "CSMS.0302"     // the caller lacks the permission
	CodeKey              Code = "CSMS.0401"     // the KMS key is missing, disabled or not permitted
)

// Codes of the gateway in front of the service (behaviour.md 17.2). Their body is
// always flat and carries the request id (W9).
const (
	CodeNoSuchAPI       Code = "APIGW.0101" // no such path, or not with this method (GWE3)
	CodeBadRequest      Code = "APIGW.0201" // 400, unless one of the next three
	CodeBodyTooLarge    Code = "APIGW.0201/413"
	CodeURITooLarge     Code = "APIGW.0201/414"
	CodeHeadersTooLarge Code = "APIGW.0201/494"
	CodeUnauthenticated Code = "APIGW.0301" // bad or missing credentials
	CodeThrottled       Code = "APIGW.0308"
	CodeProject         Code = "APIGW.0310" // the project is unavailable to the caller
	CodeBackendTimeout  Code = "APIGW.0201/504"
	CodeIAMUnavailable  Code = "APIGW.0613"
)

// Codes of the identity service for calls that do not use the Keystone form
// (IE1, auth.md 3.6).
const (
	CodeIAMForbidden Code = "IAM.0002"
	CodeIAMNotFound  Code = "IAM.0004"
	CodeIAMConflict  Code = "IAM.0009"
	CodeIAMInvalid   Code = "IAM.0011"
)

// Codes of the enterprise projects (neighbours.md 5). The numbers are ours: nothing but
// their form and the status is published.
const (
	CodeEPSInternal  Code = "EPS.0001" // unexpected failure
	CodeEPSInvalid   Code = "EPS.0002" // a parameter fails validation
	CodeEPSForbidden Code = "EPS.0003" // the caller lacks the permission, or the project is out of reach
	CodeEPSNotFound  Code = "EPS.0004" // enterprise project or resource unknown
	CodeEPSConflict  Code = "EPS.0009" // the name is taken, or the state forbids it
)

// Codes of the KMS API (neighbours.md 1.5, and the public table of the KMS API for the
// numbers that are not in it). Their body is always wrapped.
const (
	CodeKMSInternal       Code = "KMS.0101" // unexpected failure
	CodeKMSBadURL         Code = "KMS.0201" // the query cannot be read
	CodeKMSBadBody        Code = "KMS.0202" // the body is no JSON object, or a member has the wrong type
	CodeKMSMissing        Code = "KMS.0204" // a parameter is missing
	CodeKMSKeyID          Code = "KMS.0205" // key_id is no UUID
	CodeKMSKeyNotFound    Code = "KMS.0207" // the key does not exist
	CodeKMSContext        Code = "KMS.0208" // additional_authenticated_data is too long
	CodeKMSKeyDisabled    Code = "KMS.0209"
	CodeKMSKeyPending     Code = "KMS.0210"     // the key is scheduled for deletion
	CodeKMSDefaultKey     Code = "KMS.0211"     // not allowed on a default key
	CodeKMSForbidden      Code = "KMS.0306"     // the caller lacks the permission
	CodeKMSInvalid        Code = "KMS.0308"     // a parameter that has no code of its own is invalid
	CodeKMSTagAction      Code = "KMS.0404"     // action is neither create nor delete
	CodeKMSTag            Code = "KMS.0406"     // a tag has a wrong form
	CodeKMSTagList        Code = "KMS.0407"     // too few or too many tags at once
	CodeKMSTagQuota       Code = "KMS.0409"     // the key would have too many tags
	CodeKMSAlias          Code = "KMS.1101"     // key_alias has a wrong form
	CodeKMSAliasNotFound  Code = "KMS.1101/404" // an alias that does not exist; the published table has no such row
	CodeKMSDescription    Code = "KMS.1103"     // key_description is too long
	CodeKMSAliasTaken     Code = "KMS.1104"
	CodeKMSKeyQuota       Code = "KMS.1105" // too many keys in the project
	CodeKMSNotDisabled    Code = "KMS.1201"
	CodeKMSNotEnabled     Code = "KMS.1301"
	CodeKMSPendingDays    Code = "KMS.1401" // pending_days is out of range
	CodeKMSAlreadyPending Code = "KMS.1402" // scheduling twice
	CodeKMSNotPending     Code = "KMS.1501" // cancelling what is not scheduled
	CodeKMSLimit          Code = "KMS.1601" // limit is out of range
	CodeKMSMarker         Code = "KMS.1602" // marker is no number from 0
	CodeKMSRandomLength   Code = "KMS.1801" // random_data_length is out of range
	CodeKMSDataKeyLength  Code = "KMS.1901" // datakey_length is out of range
	CodeKMSSpec           Code = "KMS.1902" // key_spec is not allowed
	CodeKMSPlainText      Code = "KMS.2101" // plain_text has a wrong form or length
	CodeKMSPlainLength    Code = "KMS.2102" // datakey_plain_length is out of range
	CodeKMSDataKeyDigest  Code = "KMS.2103" // the digest in plain_text is not that of the data key
	CodeKMSCipherText     Code = "KMS.2201" // cipher_text does not open
	CodeKMSCipherLength   Code = "KMS.2202" // datakey_cipher_length is out of range
	CodeKMSGrantAlone     Code = "KMS.2401" // a grant of nothing but create-grant
	CodeKMSPrincipal      Code = "KMS.2402" // no such principal for a grant
	CodeKMSGrantQuota     Code = "KMS.2404" // too many grants on the key
	CodeKMSGrantNotFound  Code = "KMS.2501" // the key has no such grant
)

// Codes of the API of SMN. Those without a public number have that of their status.
// Their body is flat, with members of its own.
const (
	CodeSMNName        Code = "SMN.0002" // name has a wrong form
	CodeSMNDisplayName Code = "SMN.0003" // display_name is too long
	CodeSMNURN         Code = "SMN.0005" // topic_urn has a wrong form
	CodeSMNNotFound    Code = "SMN.0006" // the topic does not exist
	CodeSMNPage        Code = "SMN.0015" // offset or limit is out of range
	CodeSMNStructure   Code = "SMN.0021" // message_structure has a wrong form
	CodeSMNTemplate    Code = "SMN.0027" // the template does not exist
	CodeSMNInvalid     Code = "SMN.0400" // a parameter that has no code of its own is invalid
	CodeSMNForbidden   Code = "SMN.0403" // the caller lacks the permission
	CodeSMNInternal    Code = "SMN.0500" // unexpected failure
)
