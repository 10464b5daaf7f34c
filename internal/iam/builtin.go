package iam

import "fmt"

// builtinDocument is a policy that exists in every domain. Its document cannot be
// changed.
type builtinDocument struct {
	name, role string // display name and, for roles of the cloud, the short name
	document   string
}

// builtinDocuments holds the built-in policies by well-known name (auth.md 7.4,
// IAM3). Only SecretReader and the full-access ones reach values: whether the
// read-only policies of the cloud do is not documented, and a value is the one
// thing that cannot be taken back.
var builtinDocuments = []builtinDocument{
	{"CSMS FullAccess", "", `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:*:*"]}]}`},
	{"CSMS ReadOnlyAccess", "", `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":[` + csmsMetadata + `]}]}`},
	{"CSMS SecretReader", "", `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":[` + csmsMetadata + `,
		"csms:secret:getVersion","csms:secret:batchGetSecretValue","kms:cmk:decryptDataKey"]}]}`},
	{"KMS Administrator", "kms_adm", `{"Version":"1.0","Statement":[{"Effect":"Allow","Action":["kms:*:*"]}]}`},
	{"KMS CMKFullAccess", "", `{"Version":"1.1","Statement":[{"Effect":"Allow","Action":[
		"kms:cmk:*","kms:dek:*","kms:cmkTag:*","kms:grant:*","kms::generateRandom"]}]}`},
	{"Tenant Administrator", "te_admin", `{"Version":"1.0","Statement":[{"Effect":"Allow","Action":["*:*:*"]}]}`},
	{"Tenant Guest", "readonly", `{"Version":"1.0","Statement":[{"Effect":"Allow","Action":[` + csmsMetadata + `,
		"kms:cmk:list","kms:cmk:get","kms:cmk:getRotation","kms:cmkTag:list",
		"eps:enterpriseProjects:list","eps:enterpriseProjects:get","eps:resources:list"]}]}`},
	{"Security Administrator", "secu_admin", `{"Version":"1.0","Statement":[{"Effect":"Allow","Action":["iam:*:*"]}]}`},
}

// csmsMetadata lists what shows everything of a secret but its values.
const csmsMetadata = `"csms:secret:list","csms:secret:get","csms:secret:listVersion","csms:secret:getStage",
	"csms:secret:listTags","csms::listProjectTags","csms::getEvent","csms::listEvents","csms::listTasks"`

var builtinPolicies = compileBuiltins()

func compileBuiltins() []*Policy {
	policies := make([]*Policy, len(builtinDocuments))
	for i, b := range builtinDocuments {
		p, err := CompilePolicy(b.name, []byte(b.document))
		if err != nil || p.problems != nil {
			panic(fmt.Sprintf("built-in policy %q: %v %v", b.name, err, p.Problems())) // a bug in the text above
		}
		policies[i] = p
	}
	return policies
}

// BuiltinPolicies returns the built-in policies. They are shared and do not
// change.
func BuiltinPolicies() []*Policy {
	return append([]*Policy(nil), builtinPolicies...)
}

// BuiltinPolicy returns the built-in policy with a display name such as "CSMS
// FullAccess" or a role name such as te_admin.
func BuiltinPolicy(name string) (*Policy, bool) {
	for i, b := range builtinDocuments {
		if name != "" && (name == b.name || name == b.role) {
			return builtinPolicies[i], true
		}
	}
	return nil, false
}

// BuiltinRole returns the short name that a built-in policy has as a role of the
// cloud, such as te_admin; "" for what is no role there.
func BuiltinRole(name string) string {
	for _, b := range builtinDocuments {
		if name == b.name {
			return b.role
		}
	}
	return ""
}
