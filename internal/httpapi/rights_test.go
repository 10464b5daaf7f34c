package httpapi_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"coffer/internal/iam"
	"coffer/internal/service/identity"
	"coffer/internal/testkit"
)

// inferred are the rights that the document leaves out and section 18 infers.
var inferred = map[string]string{
	"ListResourceInstances":   "csms:secret:list",
	"ListSecretEvents":        "csms::listEvents",
	"UpdateSecretEvent":       "csms::updateEvent",
	"ListNotificationRecords": "csms::listEvents",
}

// administrators are the operations that ask for an administrator, although section 18
// has no right of their own for them, or beside it (IAM2).
var administrators = map[string]bool{
	"BatchDeleteSecrets": true, "CreateAgency": true, "ShowSecretsConfig": true, "UpdateSecretsConfig": true,
	"CreateGrants": true, "ListGrants": true, "UpdateGrant": true, "DeleteGrant": true, "ListUsers": true, "ShowUserDetail": true,
}

// TestRightOfEachOperation protects section 18 for every operation of the document: its
// right alone lets a user perform it, every other right together does not, and a refusal
// takes it from one who has everything else.
func TestRightOfEachOperation(t *testing.T) {
	documents, _ := readDocument(t)
	rights := map[string][]string{}
	for name, d := range documents {
		rights[name] = neededRights(name, d.action)
	}
	for _, o := range slices.Concat(operations, domainWide) {
		t.Run(o.name, func(t *testing.T) {
			needed := rights[o.name]
			if len(needed) == 0 { // every caller may, and a refusal has a name for it all the same
				o.performedBy(t)
				row, _ := iam.Lookup(o.name)
				o.refusedTo(t, row.Action, identity.Document("CSMS FullAccess"), denying(row.Action))
				return
			}
			o.performedBy(t, allowing(needed))
			for _, right := range needed {
				o.refusedTo(t, right, allowing(everyOther(rights, right)))
				o.refusedTo(t, right, identity.Document("CSMS FullAccess"), allowing([]string{iam.Administer.Action()}), denying(right))
			}
		})
	}
}

// neededRights returns what a caller needs for an operation: nothing where it is open.
func neededRights(name, action string) []string {
	var needed []string
	if action == "" {
		action = inferred[name]
	}
	if action != "" {
		needed = append(needed, action)
	}
	if administrators[name] {
		needed = append(needed, iam.Administer.Action())
	}
	return needed
}

// everyOther returns all rights that some operation needs, but for one.
func everyOther(rights map[string][]string, but string) []string {
	var out []string
	for _, needed := range rights {
		for _, right := range needed {
			if right != but && !slices.Contains(out, right) {
				out = append(out, right)
			}
		}
	}
	slices.Sort(out)
	return out
}

func allowing(actions []string) identity.Document { return statement("Allow", actions) }

func denying(action string) identity.Document { return statement("Deny", []string{action}) }

func statement(effect string, actions []string) identity.Document {
	text, err := json.Marshal(map[string]any{"Version": "5.0", "Statement": []any{map[string]any{"Effect": effect, "Action": actions}}})
	if err != nil {
		panic(err) // of texts only
	}
	return identity.Document(text)
}

// as performs the operation as a user with these policies alone.
func (o *operation) as(t *testing.T, policies []identity.Document, check func(status int, body string)) {
	t.Helper()
	c := o.newCase(t, identity.Identity{
		Name: "holder", Password: testkit.OwnerPassword, AccessKey: "HOLDERACCESSKEY00001", SecretKey: "holderSecretKey0123456789012345678901234", Policies: policies,
	})
	w := o.request(c, "holder", o.body, nil)
	check(w.Code, w.Body.String())
}

func (o *operation) performedBy(t *testing.T, policies ...identity.Document) {
	t.Helper()
	o.as(t, policies, func(status int, body string) {
		t.Helper()
		if status != o.status {
			t.Errorf("with %s: %d %s", policies, status, body)
		}
	})
}

func (o *operation) refusedTo(t *testing.T, right string, policies ...identity.Document) {
	t.Helper()
	o.as(t, policies, func(status int, body string) {
		t.Helper()
		if status != 403 || !strings.Contains(body, "Policy doesn't allow "+right+" to be performed.") {
			t.Errorf("with %s: %d %s", policies, status, body)
		}
	})
}
