package smn_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/notify"
	"coffer/internal/service/smn"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// owner may do everything in the project of the kit.
func owner() *iam.Caller {
	return &iam.Caller{DomainID: testkit.DomainID, UserID: "owner", UserName: "owner", Owner: true, ProjectID: testkit.ProjectID}
}

// caller may do what the document allows.
func caller(t *testing.T, document string) *iam.Caller {
	t.Helper()
	p, err := iam.ParsePolicy("policy", []byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return &iam.Caller{DomainID: testkit.DomainID, UserID: "caller", ProjectID: testkit.ProjectID, Policies: []*iam.Policy{p}}
}

func urn(name string) string {
	return csms.TopicURN{Region: testkit.Region, ProjectID: testkit.ProjectID, Name: name}.String()
}

func refused(t *testing.T, what string, err error, want csms.Code) {
	t.Helper()
	if got := csms.CodeOf(err); got != want {
		t.Errorf("%s: error %v; want %q", what, err, want)
	}
}

// inbox is a sink that keeps what it gets, or answers down.
type inbox struct {
	mu    sync.Mutex
	down  error
	taken []*notify.Message
}

func (b *inbox) Deliver(_ context.Context, m *notify.Message) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down != nil {
		return b.down
	}
	b.taken = append(b.taken, m)
	return nil
}

func (b *inbox) Close() error { return nil }

func (b *inbox) texts() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for _, m := range b.taken {
		out = append(out, m.Published.Subject+"/"+m.Published.Text)
	}
	return out
}

// bound returns a kit whose topic "bound" has a sink.
func bound(t *testing.T) (*testkit.Kit, *inbox) {
	t.Helper()
	sink := &inbox{}
	return testkit.New(t, testkit.Options{Topics: notify.Topics{urn("bound"): sink, "urn:elsewhere": &inbox{}}}), sink
}

func publish(t *testing.T, k *testkit.Kit, p csms.Publication) string {
	t.Helper()
	id, err := k.SMN.PublishMessage(t.Context(), owner(), smn.Ref{URN: urn("bound")}, p)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// What is published arrives in order, under the id that the caller was told, with a
// document that says it all.
func TestPublishedMessagesReachTheSink(t *testing.T) {
	k, sink := bound(t)
	first := publish(t, k, csms.Publication{Subject: "one", Message: "1 <&>", Attributes: []csms.MessageAttribute{
		{Name: "kind", Type: "STRING", Values: []string{"a"}}, {Name: "who", Type: "STRING_ARRAY", Values: []string{"b", "c"}},
	}})
	publish(t, k, csms.Publication{Subject: "two", MessageStructure: `{"default":"2"}`})
	if err := k.Advance(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"one/1 <&>", "two/2"}, sink.texts()); diff != "" {
		t.Fatalf("delivered (-want +got):\n%s", diff)
	}
	m := sink.taken[0]
	want := fmt.Sprintf(`{"version":"1","type":"Notification","message_id":%q,"topic_urn":%q,"time":1767225600000,"region":"cn-north-4",`+
		`"project_id":"c0000000000000000000000000000001","subject":"one","message":"1 <&>","message_attributes":[`+
		`{"name":"kind","type":"STRING","value":"a"},{"name":"who","type":"STRING_ARRAY","value":["b","c"]}],"operator":"owner"}`, first, urn("bound"))
	if diff := cmp.Diff(want, string(m.Document)); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if m.ID != first || m.Type != "Notification" || m.TopicName() != "bound" || m.SecretName != "" {
		t.Errorf("message %+v; want id %s", m, first)
	}
	outboxIsEmpty(t, k)
}

// A sink that is down gets the message later, as long as its time_to_live is not over.
// One whose next try would come after that is given up at once: the next one waits for
// it.
func TestAPublicationIsTriedAgainUntilItsTimeIsOver(t *testing.T) {
	k, sink := bound(t)
	sink.down = errors.New("down")
	publish(t, k, csms.Publication{Message: "short", TimeToLive: "60"})
	publish(t, k, csms.Publication{Message: "long", TimeToLive: "3600"})
	for range 8 { // tries after 6, 12, 24 and 48 s
		if err := k.Advance(t.Context(), 6*time.Second); err != nil {
			t.Fatal(err)
		}
	}
	sink.mu.Lock()
	sink.down = nil
	sink.mu.Unlock()
	if err := k.Advance(t.Context(), 6*time.Second); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/long"}, sink.texts()); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
	if !strings.Contains(k.Log.String(), "notification given up") {
		t.Error("nothing in the log says that a message was given up")
	}
	outboxIsEmpty(t, k)
}

// The time_to_live counts for a message that was not tried in time, too.
func TestAPublicationThatIsLateIsNotDelivered(t *testing.T) {
	k, sink := bound(t)
	publish(t, k, csms.Publication{Message: "late", TimeToLive: "60"})
	if err := k.Advance(t.Context(), 61*time.Second); err != nil {
		t.Fatal(err)
	}
	if got := sink.texts(); got != nil {
		t.Errorf("delivered %q", got)
	}
	outboxIsEmpty(t, k)
}

// Deleting a topic gives up what was published to it, and what comes after it was
// created again is numbered on.
func TestDeletionGivesUpWhatIsNotDelivered(t *testing.T) {
	k, sink := bound(t)
	publish(t, k, csms.Publication{Message: "before"})
	ref := smn.Ref{URN: urn("bound")}
	if err := k.SMN.DeleteTopic(t.Context(), owner(), ref); err != nil {
		t.Fatal(err)
	}
	if err := k.Advance(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	_, err := k.SMN.PublishMessage(t.Context(), owner(), ref, csms.Publication{Message: "while it is gone"})
	refused(t, "publishing to a deleted topic", err, csms.CodeSMNNotFound)
	if _, created, err := k.SMN.CreateTopic(t.Context(), owner(), smn.NewTopic{Name: "bound"}); err != nil || !created {
		t.Fatalf("CreateTopic: %v, %v", created, err)
	}
	publish(t, k, csms.Publication{Message: "after"})
	if err := k.Advance(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/after"}, sink.texts()); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
	outboxIsEmpty(t, k)
}

// A topic that is back before a message is tried gets it, in its place before what was
// published since.
func TestDeletionAndCreationAtOnceLoseNothing(t *testing.T) {
	k, sink := bound(t)
	publish(t, k, csms.Publication{Message: "before"})
	if err := k.SMN.DeleteTopic(t.Context(), owner(), smn.Ref{URN: urn("bound")}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := k.SMN.CreateTopic(t.Context(), owner(), smn.NewTopic{Name: "bound"}); err != nil {
		t.Fatal(err)
	}
	publish(t, k, csms.Publication{Message: "after"})
	if err := k.Advance(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/before", "/after"}, sink.texts()); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}
}

func outboxIsEmpty(t *testing.T, k *testkit.Kit) {
	t.Helper()
	err := k.Store.View(t.Context(), func(v *store.View) error {
		for o, err := range v.Heads() {
			if err != nil {
				return err
			}
			t.Errorf("message %s is still in the outbox", o.Document)
		}
		for n, err := range v.Notifications(testkit.ProjectID, store.NotificationPlace{}, "") {
			if err != nil {
				return err
			}
			t.Errorf("a record was kept: %+v", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A message that JSON makes too long is refused before anything is written.
func TestAMessageThatIsTooLong(t *testing.T) {
	k, _ := bound(t)
	for text, want := range map[string]csms.Code{
		strings.Repeat("a", 256<<10):       "",
		strings.Repeat("a", 256<<10+1):     csms.CodeSMNInvalid,
		strings.Repeat("\x01", 200<<10):    csms.CodeSMNInvalid, // six bytes each
		strings.Repeat("\u4e2d", 85<<10):   "",
		strings.Repeat("<", 256<<10):       "",
		strings.Repeat("\u4e2d", 86<<10+1): csms.CodeSMNInvalid,
	} {
		_, err := k.SMN.PublishMessage(t.Context(), owner(), smn.Ref{URN: urn("bound")}, csms.Publication{Message: text})
		refused(t, fmt.Sprintf("%d bytes of %q", len(text), text[:1]), err, want)
	}
}

// A topic that only the configuration names has an id that leads to it, and keeps it
// when it gets a record, is deleted and comes back.
func TestTheIDOfATopicOfTheConfiguration(t *testing.T) {
	k, _ := bound(t)
	ref := smn.Ref{URN: urn("bound")}
	before, err := k.SMN.ListTopicDetails(t.Context(), owner(), ref)
	if err != nil || !csms.IsUUID(before.ID) || before.CreateTime != testkit.Epoch {
		t.Fatalf("%+v, %v", before, err)
	}
	byID := smn.Ref{ID: before.ID}
	if err := k.SMN.CreateResourceTag(t.Context(), owner(), byID, csms.Tag{Key: "team", Value: "shop"}); err != nil {
		t.Fatal(err)
	}
	if err := k.SMN.DeleteTopic(t.Context(), owner(), ref); err != nil {
		t.Fatal(err)
	}
	_, err = k.SMN.ListResourceTags(t.Context(), owner(), byID)
	refused(t, "the id of a deleted topic", err, csms.CodeSMNNotFound)
	if _, _, err := k.SMN.CreateTopic(t.Context(), owner(), smn.NewTopic{Name: "bound"}); err != nil {
		t.Fatal(err)
	}
	tags, err := k.SMN.ListResourceTags(t.Context(), owner(), byID)
	if err != nil || len(tags) != 0 {
		t.Errorf("tags after it was created again: %v, %v", tags, err)
	}
	other := owner()
	other.ProjectID = testkit.OtherProjectID
	_, err = k.SMN.ListResourceTags(t.Context(), other, byID)
	refused(t, "the id in another project", err, csms.CodeSMNNotFound)
}

// Of many who create one topic at once, one has created it.
func TestOneOfManyCreatesATopic(t *testing.T) {
	k, _ := bound(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	made := map[string]int{}
	for range 8 {
		for _, name := range []string{"bound", "ops"} {
			all.Go(func() {
				_, created, err := k.SMN.CreateTopic(t.Context(), owner(), smn.NewTopic{Name: name})
				if err != nil {
					t.Error(err)
				}
				if created {
					mu.Lock()
					made[name]++
					mu.Unlock()
				}
			})
		}
	}
	all.Wait()
	if diff := cmp.Diff(map[string]int{"bound": 1, "ops": 1}, made); diff != "" {
		t.Errorf("created (-want +got):\n%s", diff)
	}
	page, err := k.SMN.ListTopics(t.Context(), owner(), smn.Listing{Limit: 10})
	if err != nil || page.Total != 2 {
		t.Errorf("%+v, %v; want two topics", page, err)
	}
}

// The quota, which topics of the configuration count for.
func TestTheQuotaOfTopics(t *testing.T) {
	k, _ := bound(t)
	err := k.Store.Update(t.Context(), func(tx *store.Tx) error {
		for n := range csms.MaxTopics - 2 {
			if err := tx.PutTopic(&store.Topic{ProjectID: testkit.ProjectID, Name: fmt.Sprintf("t%04d", n), ID: fmt.Sprintf("id%04d", n)}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]csms.Code{"t0000": "", "bound": ""} {
		_, _, err := k.SMN.CreateTopic(t.Context(), owner(), smn.NewTopic{Name: name})
		refused(t, name, err, want)
	}
	_, _, err = k.SMN.CreateTopic(t.Context(), owner(), smn.NewTopic{Name: "last"})
	refused(t, "the last one", err, "")
	_, _, err = k.SMN.CreateTopic(t.Context(), owner(), smn.NewTopic{Name: "over"})
	refused(t, "one over", err, csms.CodeSMNInvalid)
}

// Tags of a topic are what a condition on g:ResourceTag sees.
func TestTagsDecide(t *testing.T) {
	k, _ := bound(t)
	who := caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["smn:topic:publish"],"Condition":{"StringEquals":{"g:ResourceTag/team":["shop"]}}}]}`)
	ref, p := smn.Ref{URN: urn("bound")}, csms.Publication{Message: "m"}
	_, err := k.SMN.PublishMessage(t.Context(), who, ref, p)
	refused(t, "without the tag", err, csms.CodeSMNForbidden)
	if err := k.SMN.CreateResourceTag(t.Context(), owner(), ref, csms.Tag{Key: "team", Value: "shop"}); err != nil {
		t.Fatal(err)
	}
	_, err = k.SMN.PublishMessage(t.Context(), who, ref, p)
	refused(t, "with the tag", err, "")
}

// A document can be read back into what it was made of.
func TestADocumentIsJSON(t *testing.T) {
	k, sink := bound(t)
	publish(t, k, csms.Publication{Subject: "s\u2028\n", Message: "\x00\xff中"})
	if err := k.Advance(t.Context(), time.Second); err != nil {
		t.Fatal(err)
	}
	if !json.Valid(sink.taken[0].Document) || sink.taken[0].Published.Text != "\x00\ufffd中" {
		t.Errorf("%q", sink.taken[0].Document)
	}
}

// A topic is in the enterprise project that it was created in: lists, filters and
// policies see it there.
func TestTopicsInEnterpriseProjects(t *testing.T) {
	k, _ := bound(t)
	err := k.Store.Update(t.Context(), func(tx *store.Tx) error {
		return errors.Join(
			tx.PutEnterpriseProject(&store.EnterpriseProject{ID: "shop", DomainID: testkit.DomainID, Name: "shop", Enabled: true}),
			tx.PutEnterpriseProject(&store.EnterpriseProject{ID: "shut", DomainID: testkit.DomainID, Name: "shut"}),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = k.SMN.CreateTopic(t.Context(), owner(), smn.NewTopic{Name: "ops", EnterpriseProjectID: "shut"})
	refused(t, "a disabled enterprise project", err, csms.CodeSMNInvalid)
	clerk := caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["smn:topic:*"],"Condition":{"StringEquals":{"g:EnterpriseProjectId":["shop"]}}}]}`)
	_, _, err = k.SMN.CreateTopic(t.Context(), clerk, smn.NewTopic{Name: "ops"})
	refused(t, "in another one than his", err, csms.CodeSMNForbidden)
	if _, _, err := k.SMN.CreateTopic(t.Context(), clerk, smn.NewTopic{Name: "ops", EnterpriseProjectID: "shop"}); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		who  *iam.Caller
		l    smn.Listing
		want []string
	}{
		"the owner sees all":         {owner(), smn.Listing{Limit: 10}, []string{"bound 0", "ops shop"}},
		"the clerk sees his":         {clerk, smn.Listing{Limit: 10}, []string{"ops shop"}},
		"a filter":                   {owner(), smn.Listing{Limit: 10, EnterpriseProjectID: "shop"}, []string{"ops shop"}},
		"the filter of the default":  {owner(), smn.Listing{Limit: 10, EnterpriseProjectID: "0"}, []string{"bound 0"}},
		"the word for all of his":    {clerk, smn.Listing{Limit: 10, EnterpriseProjectID: "all_granted_eps"}, []string{"ops shop"}},
		"a filter outside his reach": {clerk, smn.Listing{Limit: 10, EnterpriseProjectID: "0"}, nil},
	} {
		page, err := k.SMN.ListTopics(t.Context(), tc.who, tc.l)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, topic := range page.Topics {
			got = append(got, topic.Name+" "+topic.EnterpriseProjectID)
		}
		if diff := cmp.Diff(tc.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	_, err = k.SMN.ListTopicDetails(t.Context(), clerk, smn.Ref{URN: urn("bound")})
	refused(t, "a topic of another one", err, csms.CodeSMNForbidden)
	_, err = k.SMN.ListTopicDetails(t.Context(), clerk, smn.Ref{URN: urn("ops")})
	refused(t, "a topic of his", err, "")
}
