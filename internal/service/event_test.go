package service_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/service"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

var allTypes = []csms.EventType{csms.VersionCreated, csms.VersionExpired, csms.SecretDeleted, csms.SecretRotated, csms.RotationFailed}

const topic = "urn:smn:cn-north-4:c0000000000000000000000000000001:topic"

func newEvent(name string) service.NewEvent {
	return service.NewEvent{
		Name: name, Types: allTypes, State: csms.Enabled,
		Notification: csms.Notification{TargetType: "SMN", TargetID: topic, TargetName: "ops"},
	}
}

func createEvent(t *testing.T, k *testkit.Kit, name string) {
	t.Helper()
	if _, err := k.Service.CreateSecretEvent(t.Context(), owner(), newEvent(name)); err != nil {
		t.Fatal(err)
	}
}

func subscribed(name, event string) service.NewSecret {
	in := newSecret(name)
	in.Creation.EventSubscriptions = []string{event}
	return in
}

// outbox returns the documents that wait, in the order of their delivery, one secret
// after the other.
func outbox(t *testing.T, s *store.Store) []csms.Message {
	t.Helper()
	var out []csms.Message
	err := s.View(t.Context(), func(v *store.View) error {
		for head, err := range v.Heads() {
			if err != nil {
				return err
			}
			for n := head.Number; ; n++ {
				o, err := waiting(t, s, head.SecretID, n)
				if err != nil {
					break
				}
				var m csms.Message
				if err := json.Unmarshal(o.Document, &m); err != nil {
					return err
				}
				out = append(out, m)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func waiting(t *testing.T, s *store.Store, secretID string, n int) (o *store.Outgoing, err error) {
	err = s.Update(t.Context(), func(tx *store.Tx) error {
		o, err = tx.Outgoing(secretID, n)
		return err
	})
	return o, err
}

// neighbours.md 2.3, E8, E9, DEL8: the whole document of each happening of a life.
func TestMessagesOfALife(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	createEvent(t, k, "nightly")
	alice := owner()
	alice.UserName = "alice"
	sec, err := k.Service.CreateSecret(ctx, alice, subscribed("db", "nightly"))
	if err != nil {
		t.Fatal(err)
	}
	at := k.Now()
	for _, expire := range []csms.Millis{at + 7200_000, at + 3600_000} {
		in := service.NewVersion{Text: csms.Plaintext("x"), ExpireTime: expire}
		if _, err := k.Service.CreateSecretVersion(ctx, alice, "db", in); err != nil {
			t.Fatal(err)
		}
	}
	k.Move(3 * time.Hour)
	if _, err := k.Service.RunDue(ctx); err != nil {
		t.Fatal(err)
	}
	if err := k.Service.DeleteSecret(ctx, alice, "db"); err != nil {
		t.Fatal(err)
	}
	message := func(kind csms.EventType, at csms.Millis, version, operator, detail string) csms.Message {
		return csms.Message{
			Version: "1", EventName: "nightly", EventType: kind, Time: at, Region: testkit.Region, DomainID: testkit.DomainID,
			ProjectID: testkit.ProjectID, SecretID: sec.ID, SecretName: "db", SecretType: csms.Common,
			VersionID: version, Operator: operator, Detail: detail,
		}
	}
	late := at + 3*3600_000
	want := []csms.Message{
		message(csms.VersionCreated, at, "v1", "alice", "secret created"),
		message(csms.VersionCreated, at, "v2", "alice", "version created"),
		message(csms.VersionCreated, at, "v3", "alice", "version created"),
		message(csms.VersionExpired, late, "v3", "", "expire_time reached"), // it expired first
		message(csms.VersionExpired, late, "v2", "", "expire_time reached"),
		message(csms.SecretDeleted, late, "", "alice", "deleted at once"),
	}
	got := outbox(t, k.Store)
	for i := range got {
		if !csms.IsUUID(got[i].EventID) {
			t.Errorf("event_id %q", got[i].EventID)
		}
		got[i].EventID = ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// Law 4: what did not happen is not told.
func TestAChangeThatIsRefusedTellsNothing(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{Limits: csms.Limits{SecretsPerProject: 1, ValueBytes: 100}}), t.Context()
	createEvent(t, k, "nightly")
	if _, err := k.Service.CreateSecret(ctx, owner(), newSecret("first")); err != nil {
		t.Fatal(err)
	}
	_, err := k.Service.CreateSecret(ctx, owner(), subscribed("second", "nightly"))
	refused(t, err, csms.CodeSecretQuota)
	_, err = k.Service.UpdateSecret(ctx, owner(), "first", csms.Patch{EventSubscriptions: &[]string{"nightly"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Service.SetSecretState(ctx, testkit.ProjectID, "first", csms.Frozen); err != nil {
		t.Fatal(err)
	}
	_, err = k.Service.CreateSecretVersion(ctx, owner(), "first", service.NewVersion{Text: csms.Plaintext("x")})
	refused(t, err, csms.CodeNotEnabled)
	refused(t, k.Service.DeleteSecret(ctx, owner(), "first"), csms.CodeNotEnabled)
	if got := outbox(t, k.Store); got != nil {
		t.Errorf("messages: %+v", got)
	}
}

// E4, E5, Q21: of a subscription and the deletion of its event exactly one succeeds,
// whether a new secret subscribes or an old one.
func TestSubscribingAgainstDeletingTheEvent(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	create(t, k, "old")
	subscribe := []func() error{
		func() error { _, err := k.Service.CreateSecret(ctx, owner(), subscribed("new", "e")); return err },
		func() error {
			_, err := k.Service.UpdateSecret(ctx, owner(), "old", csms.Patch{EventSubscriptions: &[]string{"e"}})
			return err
		},
	}
	none := []string{}
	outcomes := map[bool]int{}
	for i := range 200 {
		if _, err := k.Service.CreateSecretEvent(ctx, owner(), newEvent("e")); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		var wanted, deleted error
		both.Go(func() { wanted = subscribe[i%2]() })
		both.Go(func() { deleted = k.Service.DeleteSecretEvent(ctx, owner(), "e") })
		both.Wait()
		if wanted == nil {
			refused(t, deleted, csms.CodeInvalid)
		} else {
			refused(t, wanted, csms.CodeUnknownEvent)
			refused(t, deleted, "")
		}
		outcomes[wanted == nil]++
		_ = k.Service.DeleteSecret(ctx, owner(), "new") // if it is there
		if _, err := k.Service.UpdateSecret(ctx, owner(), "old", csms.Patch{EventSubscriptions: &none}); err != nil {
			t.Fatal(err)
		}
		if wanted == nil {
			if err := k.Service.DeleteSecretEvent(ctx, owner(), "e"); err != nil {
				t.Fatal(err)
			}
		}
	}
	if findings, err := k.Store.Verify(ctx); err != nil || len(findings) > 0 {
		t.Errorf("Verify: %v, %v", findings, err)
	}
	t.Logf("subscribed %d, deleted %d", outcomes[true], outcomes[false])
}

// Section 18: every operation asks for its own right before it tells anything.
func TestEventOperationsAskForTheirRight(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	createEvent(t, k, "nightly")
	calls := map[string]func(*iam.Caller) error{
		"csms::createEvent": func(c *iam.Caller) error {
			_, err := k.Service.CreateSecretEvent(ctx, c, newEvent("daily"))
			return err
		},
		"csms::getEvent": func(c *iam.Caller) error { _, err := k.Service.ShowSecretEvent(ctx, c, "nightly"); return err },
		"csms::listEvents": func(c *iam.Caller) error {
			if _, err := k.Service.ListSecretEvents(ctx, c, service.EventListing{Limit: 1}); err != nil {
				return err
			}
			_, err := k.Service.ListNotificationRecords(ctx, c, service.NotificationListing{Limit: 1})
			return err
		},
		"csms::updateEvent": func(c *iam.Caller) error {
			_, err := k.Service.UpdateSecretEvent(ctx, c, "nightly", csms.EventPatch{})
			return err
		},
		"csms::deleteEvent": func(c *iam.Caller) error { return k.Service.DeleteSecretEvent(ctx, c, "nightly") },
	}
	for action, call := range calls {
		if action != "csms::deleteEvent" {
			refused(t, call(caller(t)), csms.CodeForbidden)
			refused(t, call(caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["`+action+`"]}]}`)), "")
		}
	}
	remove := calls["csms::deleteEvent"]
	refused(t, remove(caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms::updateEvent"]}]}`)), csms.CodeForbidden)
	refused(t, remove(caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms::deleteEvent"]}]}`)), "")
}
