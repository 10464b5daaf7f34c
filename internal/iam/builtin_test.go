package iam

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func builtin(t testing.TB, name string) *Policy {
	t.Helper()
	p, ok := BuiltinPolicy(name)
	if !ok {
		t.Fatalf("no built-in policy %q", name)
	}
	return p
}

// TestBuiltinPolicies protects the list of 7.4 and IAM3: what each may and may not.
func TestBuiltinPolicies(t *testing.T) {
	values := []Op{ShowSecretVersion, BatchShowSecretVersion}
	metadata := []Op{ListSecrets, ShowSecret, ListSecretVersions, ShowSecretStage, ListSecretTags, ListProjectSecretsTags, ShowSecretEvent, ListSecretEvents, ListSecretTask, ListNotificationRecords}
	writes := []Op{CreateSecret, UpdateSecret, DeleteSecret, CreateSecretVersion, RestoreSecret, UpdateSecretStage, CreateSecretTag, CreateSecretEvent, RotateSecret}
	keys := []Op{CreateKey, ScheduleKeyDeletion, CreateDataKey, DecryptDataKey, CreateRandom}
	identity := []Op{CreateUserV5, DeleteUserV5, CreateAccessKeyV5, CreatePolicyV5, AttachUserPolicyV5, KeystoneCreateProject, KeystoneValidateToken}
	admin := []Op{UpdateSecretsConfig, BatchDeleteSecrets, CreateGrants}
	var none []Op

	tests := []struct {
		name    string
		version string
		may     [][]Op
		not     [][]Op
	}{
		{"CSMS FullAccess", "1.1", [][]Op{values, metadata, writes, admin}, [][]Op{keys, identity}},
		{"CSMS ReadOnlyAccess", "1.1", [][]Op{metadata}, [][]Op{values, writes, keys, identity, admin}},
		{"CSMS SecretReader", "1.1", [][]Op{metadata, values, {DecryptDataKey}}, [][]Op{writes, {CreateDataKey}, identity, admin}},
		{"KMS Administrator", "1.0", [][]Op{keys, {DescribeKey}}, [][]Op{values, metadata, writes, identity}},
		{"KMS CMKFullAccess", "1.1", [][]Op{keys, {DescribeKey}}, [][]Op{values, metadata, writes, identity}},
		{"Tenant Administrator", "1.0", [][]Op{values, metadata, writes, keys, identity, admin}, [][]Op{none}},
		{"Tenant Guest", "1.0", [][]Op{metadata, {DescribeKey, ListKeys, ListEnterpriseProject}}, [][]Op{values, writes, keys, identity, admin}},
		{"Agent Operator", "1.0", [][]Op{{CreateTemporaryAccessKeyByAgency}}, [][]Op{values, metadata, writes, keys, identity, admin}},
		{"Security Administrator", "1.0", [][]Op{identity}, [][]Op{values, metadata, writes, keys, admin}},
	}
	var names []string
	for _, tt := range tests {
		names = append(names, tt.name)
		t.Run(tt.name, func(t *testing.T) {
			p := builtin(t, tt.name)
			if p.Name() != tt.name || p.Version() != tt.version {
				t.Errorf("policy %q of version %s", p.Name(), p.Version())
			}
			c := callerWith(t)
			c.Policies = []*Policy{p}
			check := func(ops []Op, want bool) {
				for _, op := range ops {
					r := request(op, "a")
					r.Resource = "x"
					if d := Evaluate(c, r); d.Allowed != want {
						t.Errorf("%v: %v", op, &d)
					}
				}
			}
			for _, ops := range tt.may {
				check(ops, true)
			}
			for _, ops := range tt.not {
				check(ops, false)
			}
		})
	}
	var got []string
	for _, p := range BuiltinPolicies() {
		got = append(got, p.Name())
	}
	if diff := cmp.Diff(names, got); diff != "" {
		t.Errorf("built-in policies (-want +got):\n%s", diff)
	}
}

func TestBuiltinPolicy_is_found_by_its_role_name(t *testing.T) {
	if builtin(t, "te_admin") != builtin(t, "Tenant Administrator") || builtin(t, "secu_admin") != builtin(t, "Security Administrator") {
		t.Error("a role name is another policy")
	}
	for _, name := range []string{"", "tenant administrator", "CSMS", "nobody"} {
		if p, ok := BuiltinPolicy(name); ok {
			t.Errorf("%q is %v", name, p.Name())
		}
	}
}

// TestBuiltinPolicies_of_grammar_1_1_may_be_copied: a user may save them as his own;
// roles he may not.
func TestBuiltinPolicies_of_grammar_1_1_may_be_copied(t *testing.T) {
	for _, p := range BuiltinPolicies() {
		if _, err := ParsePolicy("copy", p.Document()); (err == nil) != (p.Version() == "1.1") {
			t.Errorf("copy of %s: %v", p.Name(), err)
		}
	}
}
