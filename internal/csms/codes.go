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
