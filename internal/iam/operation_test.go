package iam

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// contractRows is the table of behaviour.md section 18: operation, action, level,
// resource, alias; with IAM2 in the last column ("admin") and "none" as action.
const contractRows = `
CreateSecret csms:secret:create Write secretName -
UploadSecretBlob csms:secret:create Write secretName -
BatchImportSecrets csms:secret:create Write secretName -
ListSecrets csms:secret:list List secretName -
ShowSecret csms:secret:get Read secretName -
DownloadSecretBlob csms:secret:get Read secretName -
UpdateSecret csms:secret:update Write secretName -
DeleteSecret csms:secret:delete Write secretName -
BatchDeleteSecrets csms:secret:delete Write - - admin
DeleteSecretForSchedule csms:secret:scheduleDeletion Write secretName csms:secret:deleteScheduled
RestoreSecret csms:secret:restoreSecret Write secretName csms:secret:deleteCancelled
RotateSecret csms:secret:rotate Write secretName -
CreateSecretVersion csms:secret:createVersion Write secretName csms:secretVersion:create
ListSecretVersions csms:secret:listVersion List secretName csms:secretVersion:list
ShowSecretVersion csms:secret:getVersion Read secretName csms:secretVersion:get
UpdateVersion csms:secret:updateVersion Write secretName csms:secretVersion:update
CreateSecretStage csms:secret:createStage Write secretName csms:secretStage:create
UpdateSecretStage csms:secret:updateStage Write secretName csms:secretStage:update
ShowSecretStage csms:secret:getStage Read secretName csms:secretStage:get
DeleteSecretStage csms:secret:deleteStage Write secretName csms:secretStage:delete
CreateSecretTag csms:secret:createTag Tagging secretName csms:tag:create
DeleteSecretTag csms:secret:deleteTag Tagging secretName csms:tag:delete
BatchCreateOrDeleteTags csms:secret:batchCreateOrDeleteTags Tagging secretName csms:tag:batch
ListSecretTags csms:secret:listTags List secretName csms:tag:getBySecret
ListProjectSecretsTags csms::listProjectTags List - csms:tag:getAll
CreateSecretEvent csms::createEvent Write - csms:event:create
ShowSecretEvent csms::getEvent Read - csms:event:get
ListSecretEvents csms::listEvents List - csms:event:list
UpdateSecretEvent csms::updateEvent Write - csms:event:update
DeleteSecretEvent csms::deleteEvent Write - csms:event:delete
ListNotificationRecords csms::listEvents List - csms:event:list
ListSecretTask csms::listTasks List - csms:task:list
ShowAgency none - - -
ShowSecretFunctionTemplates none - - -
CheckSecrets none - - -
GenerateRandomPassword none - - -
ListSupportRegions none - - -
ShowSecretsConfig none - - - admin
UpdateSecretsConfig none - - - admin
CreateGrants none - - - admin
ListGrants none - - - admin
UpdateGrant none - - - admin
DeleteGrant none - - - admin
CreateSecretReplica csms:secret:createReplica Write secretName -
DeleteSecretReplica csms:secret:deleteReplica Write secretName -
`

// ourReadings are the rows where the table has no resource and we have a reason to
// ask for one, or a reason to ask an administrator; each is explained in
// operations.go.
const ourReadings = `
BatchShowSecretVersion csms:secret:batchGetSecretValue Read secretName csms:secretVersion:batchGetSecretValue
ListResourceInstances csms:secret:list List secretName -
CreateAgency none - - - admin
ListUsers none - - - admin
ShowUserDetail none - - - admin
UpdateUserPassword none - - -
`

func TestOperations_follow_the_contract_of_section_18(t *testing.T) {
	for row := range strings.Lines(strings.TrimSpace(contractRows) + ourReadings) {
		want := strings.Fields(row)
		t.Run(want[0], func(t *testing.T) {
			o, ok := Lookup(want[0])
			if !ok {
				t.Fatal("no such operation")
			}
			got := []string{o.Name, o.Action, o.Level.String(), dash(o.ResourceType), dash(strings.Join(o.Aliases, ","))}
			if o.Open {
				got[1], got[2] = "none", "-"
			}
			if o.AdminOnly {
				got = append(got, "admin")
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("row (-contract +table):\n%s", diff)
			}
		})
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// TestOperations_cover_the_API counts what csms-v1.openapi.yaml has; that each row
// names an operation is checked above.
func TestOperations_cover_the_API(t *testing.T) {
	names := map[string]bool{}
	for row := range strings.Lines(strings.TrimSpace(contractRows) + ourReadings) {
		names[strings.Fields(row)[0]] = true
	}
	if len(names) != 51 {
		t.Errorf("%d operations of CSMS have a row, want the 51 of the API description", len(names))
	}
}

func TestOperations_are_complete_and_distinct(t *testing.T) {
	seen := map[string]bool{}
	for _, o := range Operations() {
		row := o.Operation()
		if row.Name == "" || row.Action == "" || row.Level == 0 || seen[row.Name] {
			t.Errorf("row %d is incomplete or repeats a name: %+v", uint8(o), row)
		}
		seen[row.Name] = true
		if back, ok := LookupOp(row.Name); !ok || back != o || o.String() != row.Name {
			t.Errorf("LookupOp(%q) = %v, %v", row.Name, back, ok)
		}
		for _, name := range append([]string{row.Action}, row.Aliases...) {
			if err := checkAction(name); err != nil || strings.Contains(name, "*") {
				t.Errorf("%s has no legal action %q: %v", row.Name, name, err)
			}
		}
		if row.Collection && row.ProjectLevel() {
			t.Errorf("%s is a collection of nothing", row.Name)
		}
	}
}

func TestOperations_an_invalid_Op_is_nothing(t *testing.T) {
	for _, o := range []Op{0, opEnd, 255} {
		if o.Valid() || o.Name() != "" || o.Action() != "" || o.Operation().ResourceType != "" {
			t.Errorf("Op %d has a row", uint8(o))
		}
		if want := fmt.Sprintf("Op(%d)", uint8(o)); o.String() != want {
			t.Errorf("String = %q, want %q", o, want)
		}
	}
	if _, ok := Lookup("restoreSecret"); ok {
		t.Error("Lookup folds case")
	}
}

func TestLevel_is_spelled_as_in_the_tables(t *testing.T) {
	for level, want := range map[Level]string{List: "List", Read: "Read", Write: "Write", Tagging: "Tagging", PermissionManagement: "Permission_management", 0: "Level(0)"} {
		if level.String() != want {
			t.Errorf("level %d is %q, want %q", uint8(level), level, want)
		}
	}
}

// TestIdentityOperations_take_both_generations protects the names of the IAM 5.0
// API, and that the names of the older API mean the same.
func TestIdentityOperations_take_both_generations(t *testing.T) {
	tests := map[Op][]string{
		CreateUserV5:                     {"iam:users:createUserV5", "iam:users:createUser", "iam:users:create"},
		ListUsersV5:                      {"iam:users:listUsersV5", "iam:users:listUsers"},
		ShowUserV5:                       {"iam:users:getUserV5", "iam:users:getUser"},
		DeleteUserV5:                     {"iam:users:deleteUserV5", "iam:users:deleteUser"},
		CreateAccessKeyV5:                {"iam:credentials:createCredentialV5", "iam:credentials:create"},
		DeleteAccessKeyV5:                {"iam:credentials:deleteCredentialV5", "iam:credentials:delete"},
		CreatePolicyV5:                   {"iam:policies:createV5", "iam:roles:createRole"},
		AttachUserPolicyV5:               {"iam:users:attachPolicyV5"},
		CreateTemporaryAccessKeyByAgency: {"iam:tokens:assume", "sts:agencies:assume"},
		KeystoneCreateProject:            {"iam:projects:create", "iam:projects:createProject"},
		KeystoneValidateToken:            {"iam:tokens:validate"},
	}
	for o, names := range tests {
		for _, name := range names {
			if set, err := opsOfAction(name); err != nil || !set.has(o) {
				t.Errorf("%s does not name %v (%v)", name, o, err)
			}
		}
	}
}

func TestAction_forms(t *testing.T) {
	tests := []struct {
		pattern string
		ops     []Op // some that it must name
		not     []Op
	}{
		{"*", []Op{ShowSecret, CreateSecretEvent, CreateUserV5}, nil},
		{"*:*:*", []Op{ShowSecret, CreateSecretEvent, DecryptDataKey}, nil},
		{"csms:*:*", []Op{ShowSecret, CreateSecretEvent}, []Op{DecryptDataKey, ListTraces}},
		{"csms:secret:*", []Op{ShowSecret, ShowSecretVersion}, []Op{CreateSecretEvent}},
		{"csms:secretVersion:*", []Op{ShowSecretVersion, CreateSecretVersion}, []Op{ShowSecret, ShowSecretStage}},
		{"csms:secret*:get", []Op{ShowSecret, ShowSecretVersion, ShowSecretStage}, []Op{ShowSecretEvent, ListSecrets}},
		{"csms::*", []Op{CreateSecretEvent, ListSecretTask}, []Op{ShowSecret}},
		{"csms:SECRET:GetVersion", []Op{ShowSecretVersion}, []Op{ShowSecret}},
		{"csms:secret:get", []Op{ShowSecret, DownloadSecretBlob}, []Op{ShowSecretVersion}},
		{"kms:dek:create", []Op{CreateDataKey}, []Op{DecryptDataKey}},  // IAM1
		{"kms:dek:decrypt", []Op{DecryptDataKey}, []Op{CreateDataKey}}, // IAM1
		{"obs:bucket:*", nil, []Op{ShowSecret}},                        // somebody else's service
		{"*:secret:delete", []Op{DeleteSecret}, []Op{DeleteSecretStage}},
	}
	for _, tt := range tests {
		t.Run(tt.pattern, func(t *testing.T) {
			set, err := opsOfAction(tt.pattern)
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range tt.ops {
				if !set.has(o) {
					t.Errorf("does not name %v", o)
				}
			}
			for _, o := range tt.not {
				if set.has(o) {
					t.Errorf("names %v", o)
				}
			}
		})
	}
}

func TestAction_bad_forms_are_refused(t *testing.T) {
	for _, pattern := range []string{
		"", "csms", "csms:*", "csms:secret", "csms:secret:", ":secret:get", "csms:secret:get:more",
		"CSMS:secret:get", "Csms:*:*", "csms:secret:get?", "csms:secret: get", "csms:sécret:get",
	} {
		if _, err := opsOfAction(pattern); err == nil {
			t.Errorf("%q is accepted", pattern)
		}
	}
}

func TestOpSet_complement_holds_the_rest(t *testing.T) {
	var s opSet
	s.add(ShowSecret)
	s.add(opEnd - 1)
	rest := s.complement()
	for _, o := range Operations() {
		if s.has(o) == rest.has(o) {
			t.Errorf("%v is in both or in neither", o)
		}
	}
	if rest.has(0) || slices.Contains(Operations(), 0) {
		t.Error("the zero Op is an operation")
	}
}
