package iam

// Tag is one tag of a secret or of a request.
type Tag struct{ Key, Value string }

// Request is one question: may the caller do Op to this resource. It is built on
// the stack of the operation and read only.
type Request struct {
	Op      Op
	Region  string // of this server; required but for Global operations
	Domain  string // id of the domain that owns the resource; required
	Project string // id of the project that holds it; "" on paths without project

	SecretName string // for operations on secrets; "" where Collection allows it
	Resource   string // key id, user id, policy name ... for the other resource types

	// Granted says that a live grant names the caller and the resource: it allows what
	// is Grantable where the caller's own policies do not, and no deny gives way to it.
	Granted bool

	// KeyGranted says the same of a grant on a KMS key that gives Op to the caller: it
	// allows what has a word in such grants. Nothing but the key is meant by it.
	KeyGranted bool

	Attributes
}

// Attributes is what conditions can see of a resource and of a request. Leave
// absent what the operation does not know; absent is not empty (see Value).
type Attributes struct {
	Type                 Value[string] // csms:Type
	EnterpriseProjectID  Value[string] // g:EnterpriseProjectId
	KMSKeyID             Value[string] // csms:KmsKeyId
	VersionID            Value[string] // csms:VersionId
	VersionStage         Value[string] // csms:VersionStage
	RecoveryWindowInDays Value[int64]  // csms:RecoveryWindowInDays

	ResourceTags []Tag    // g:ResourceTag/<key>: the tags the secret has
	RequestTags  []Tag    // g:RequestTag/<key>: the tags the request sets
	TagKeys      []string // g:TagKeys; if empty, the keys of RequestTags
}

// query is a request with what a decision looks up again and again.
type query struct {
	c *Caller
	r *Request

	op     Op
	region string // region part of the resource
	path   string // path part of the resource, "" for an operation without one

	// anyEnterpriseProject makes conditions on g:EnterpriseProjectId hold in an Allow
	// and fail in a Deny: may the caller do it in some enterprise project?
	anyEnterpriseProject bool
}

// newQuery returns the query of r. It reports false for a request that cannot be
// judged: an operation that does not exist or a resource that is not named.
func newQuery(c *Caller, r *Request) (query, bool) {
	row := r.Op.Operation()
	q := query{c: c, r: r, op: r.Op, region: r.Region}
	if row.Global {
		q.region = ""
	}
	switch row.ResourceType {
	case "":
		return q, r.Op.Valid() && (row.Global || r.Region != "")
	case typeSecret:
		q.path = r.SecretName
	default:
		q.path = r.Resource
	}
	if q.path == "" && row.Collection {
		q.path = collection
	}
	return q, q.path != "" && (row.Global || r.Region != "")
}
