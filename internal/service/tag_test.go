package service_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/kv"
	"coffer/internal/service"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// createTagged makes a secret with tags "key", "value", "key", "value" ...
func createTagged(t *testing.T, k *testkit.Kit, name string, pairs ...string) *csms.Secret {
	t.Helper()
	sec := create(t, k, name)
	for i := 0; i < len(pairs); i += 2 {
		if err := k.Service.CreateSecretTag(t.Context(), owner(), sec.ID, csms.Tag{Key: pairs[i], Value: pairs[i+1]}); err != nil {
			t.Fatal(err)
		}
	}
	return sec
}

// ofTeamA allows everything on secrets that have the tag team=a.
const ofTeamA = `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:*:*","kms:cmk:*"],
	"Condition":{"StringEquals":{"g:ResourceTag/team":"a"}}}]}`

// Section 18: the tags of a secret are what a condition on g:ResourceTag sees, in
// every operation on one secret.
func TestTagsDecideEveryOperationOnASecret(t *testing.T) {
	text := func() service.NewVersion { return service.NewVersion{Text: csms.Plaintext("next")} }
	tags := []csms.Tag{{Key: "x", Value: "y"}}
	for name, call := range map[string]func(s *service.Service, who *iam.Caller, sec *csms.Secret) error{
		"ShowSecret": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			_, err := s.ShowSecret(t.Context(), who, sec.Name)
			return err
		},
		"UpdateSecret": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			_, err := s.UpdateSecret(t.Context(), who, sec.Name, csms.Patch{KMSKeyID: &sec.KMSKeyID})
			return err
		},
		"DeleteSecret": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			return s.DeleteSecret(t.Context(), who, sec.Name)
		},
		"DeleteSecretForSchedule": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			_, err := s.DeleteSecretForSchedule(t.Context(), who, sec.Name, 7)
			return err
		},
		"CreateSecretVersion": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			_, err := s.CreateSecretVersion(t.Context(), who, sec.Name, text())
			return err
		},
		"ShowSecretVersion": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			_, err := s.ShowSecretVersion(t.Context(), who, sec.Name, csms.Latest)
			return err
		},
		"BatchShowSecretVersion": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			_, err := s.BatchShowSecretVersion(t.Context(), who, []string{sec.Name})
			return err
		},
		"UpdateSecretStage": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			_, err := s.UpdateSecretStage(t.Context(), who, sec.Name, "blue", "v1")
			return err
		},
		"ListSecretTags": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			_, err := s.ListSecretTags(t.Context(), who, sec.ID)
			return err
		},
		"CreateSecretTag": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			return s.CreateSecretTag(t.Context(), who, sec.ID, tags[0])
		},
		"DeleteSecretTag": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			return s.DeleteSecretTag(t.Context(), who, sec.ID, "team")
		},
		"BatchCreateTags": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			return s.BatchCreateTags(t.Context(), who, sec.ID, tags)
		},
		"BatchDeleteTags": func(s *service.Service, who *iam.Caller, sec *csms.Secret) error {
			return s.BatchDeleteTags(t.Context(), who, sec.ID, tags)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k, who := testkit.New(t, testkit.Options{}), caller(t, ofTeamA)
			key := customerKey(t, k, "mine")
			for _, secret := range []struct {
				name string
				tags []string
				want csms.Code
			}{{"ours", []string{"team", "a"}, ""}, {"theirs", []string{"team", "b"}, csms.CodeForbidden}, {"nobodys", nil, csms.CodeForbidden}} {
				sec := createTagged(t, k, secret.name, secret.tags...)
				updated, err := k.Service.UpdateSecret(t.Context(), owner(), sec.Name, csms.Patch{KMSKeyID: &key})
				if err != nil {
					t.Fatal(err)
				}
				refused(t, call(k.Service, who, updated), secret.want)
			}
		})
	}
}

// The right follows the tags from the moment they change.
func TestARightFollowsTheTags(t *testing.T) {
	k, who := testkit.New(t, testkit.Options{}), caller(t, ofTeamA)
	sec := createTagged(t, k, "db", "team", "b")
	for _, team := range []string{"a", "b", "a"} {
		if err := k.Service.CreateSecretTag(t.Context(), owner(), sec.ID, csms.Tag{Key: "team", Value: team}); err != nil {
			t.Fatal(err)
		}
		want := map[string]csms.Code{"a": "", "b": csms.CodeForbidden}[team]
		_, err := k.Service.ShowSecret(t.Context(), who, "db")
		refused(t, err, want)
	}
	if err := k.Service.DeleteSecretTag(t.Context(), who, sec.ID, "team"); err != nil {
		t.Fatal(err)
	}
	_, err := k.Service.ShowSecret(t.Context(), who, "db")
	refused(t, err, csms.CodeForbidden)
}

// auth.md 7.4: the tags count for the right to use the key of the secret too.
func TestTagsDecideTheUseOfAKey(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	who := caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:*:*"]},
		{"Effect":"Allow","Action":["kms:cmk:*"],"Condition":{"StringEquals":{"g:ResourceTag/team":"a"}}}]}`)
	key := customerKey(t, k, "mine")
	for _, team := range []string{"a", "b"} {
		in := newSecret(team)
		in.Creation.KMSKeyID = key
		sec, err := k.Service.CreateSecret(t.Context(), owner(), in)
		if err != nil {
			t.Fatal(err)
		}
		if err := k.Service.CreateSecretTag(t.Context(), owner(), sec.ID, csms.Tag{Key: "team", Value: team}); err != nil {
			t.Fatal(err)
		}
		want := map[string]csms.Code{"a": "", "b": csms.CodeKey}[team]
		_, err = k.Service.ShowSecretVersion(t.Context(), who, team, csms.Latest)
		refused(t, err, want)
		_, err = k.Service.DownloadSecretBlob(t.Context(), who, team)
		refused(t, err, want)
		_, err = k.Service.CreateSecretVersion(t.Context(), who, team, service.NewVersion{Text: csms.Plaintext("x")})
		refused(t, err, want)
		_, err = k.Service.UpdateSecret(t.Context(), who, team, csms.Patch{KMSKeyID: &key})
		refused(t, err, want)
	}
}

// Section 18: g:RequestTag sees what a request sets, g:TagKeys what it sets or
// removes.
func TestTheTagsOfARequestDecide(t *testing.T) {
	const onlyEnv = `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:*Tag*"],
		"Condition":{"StringEquals":{"g:RequestTag/env":["prod","test"]},"ForAllValues:StringEquals":{"g:TagKeys":["env","cost"]}}}]}`
	const anyKeyButOwner = `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:*"]},
		{"Effect":"Deny","Action":["csms:secret:*Tag*"],"Condition":{"ForAnyValue:StringEquals":{"g:TagKeys":["owner"]}}}]}`
	env := func(value string) csms.Tag { return csms.Tag{Key: "env", Value: value} }
	cost, own := csms.Tag{Key: "cost", Value: "1"}, csms.Tag{Key: "owner", Value: "me"}
	k := testkit.New(t, testkit.Options{})
	id := createTagged(t, k, "db", "owner", "them", "env", "prod").ID
	set := func(policy string, tags ...csms.Tag) error {
		err := k.Service.BatchCreateTags(t.Context(), caller(t, policy), id, tags)
		if len(tags) == 1 {
			if one := k.Service.CreateSecretTag(t.Context(), caller(t, policy), id, tags[0]); csms.CodeOf(one) != csms.CodeOf(err) {
				t.Errorf("CreateSecretTag of %v: %v; in a batch: %v", tags, one, err)
			}
		}
		return err
	}
	for _, c := range []struct {
		name string
		err  error
		want csms.Code
	}{
		{"the value that is allowed", set(onlyEnv, env("test")), ""},
		{"another value", set(onlyEnv, env("dev")), csms.CodeForbidden},
		{"a key beside it", set(onlyEnv, env("prod"), cost), ""},
		{"a key that is not allowed", set(onlyEnv, env("prod"), own), csms.CodeForbidden},
		{"without the key that is wanted", set(onlyEnv, cost), csms.CodeForbidden},
		{"a removal sets no value", k.Service.BatchDeleteTags(t.Context(), caller(t, onlyEnv), id, []csms.Tag{env("prod")}), csms.CodeForbidden},
		{"a key that is denied", set(anyKeyButOwner, own), csms.CodeForbidden},
		{"one among others", set(anyKeyButOwner, cost, own), csms.CodeForbidden},
		{"others", set(anyKeyButOwner, cost), ""},
		{"removing it", k.Service.DeleteSecretTag(t.Context(), caller(t, anyKeyButOwner), id, "owner"), csms.CodeForbidden},
		{"removing it among others", k.Service.BatchDeleteTags(t.Context(), caller(t, anyKeyButOwner), id, []csms.Tag{cost, own}), csms.CodeForbidden},
		{"removing another", k.Service.DeleteSecretTag(t.Context(), caller(t, anyKeyButOwner), id, "env"), ""},
		{"removing others", k.Service.BatchDeleteTags(t.Context(), caller(t, anyKeyButOwner), id, []csms.Tag{cost}), ""},
	} {
		t.Run(c.name, func(t *testing.T) { refused(t, c.err, c.want) })
	}
	got, err := k.Service.ListSecretTags(t.Context(), owner(), id)
	if diff := cmp.Diff([]csms.Tag{{Key: "owner", Value: "them"}}, got.Tags); err != nil || diff != "" {
		t.Errorf("tags at the end: %v (-want +got):\n%s", err, diff)
	}
}

// S7: the edge tells a syntax error to whoever has the right for the secret of the id,
// and to nobody else.
func TestAuthorizeByID(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	ours, theirs := createTagged(t, k, "ours", "team", "a"), createTagged(t, k, "theirs", "team", "b")
	for id, want := range map[string]csms.Code{ours.ID: "", theirs.ID: csms.CodeForbidden, k.NewID(): csms.CodeForbidden, "ours": csms.CodeForbidden} {
		refused(t, k.Service.AuthorizeByID(t.Context(), caller(t, ofTeamA), iam.CreateSecretTag, id), want)
	}
	for id, want := range map[string]csms.Code{k.NewID(): "", "ours": csms.CodeInvalid} {
		refused(t, k.Service.AuthorizeByID(t.Context(), owner(), iam.CreateSecretTag, id), want)
	}
}

// T15: a secret that is destroyed between look-up and transaction is missing by the
// id that was asked for.
func TestASecretDestroyedMeanwhileIsMissingByID(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	id := create(t, k, "db").ID
	if _, err := k.Service.ListSecretTags(t.Context(), owner(), id); err != nil { // now the secret is in the cache
		t.Fatal(err)
	}
	record := []byte("secret\x00" + testkit.ProjectID + "\x00db")
	if err := k.DB.Update(t.Context(), func(tx kv.Txn) error { return tx.Delete(record) }); err != nil {
		t.Fatal(err)
	}
	err := k.Service.CreateSecretTag(t.Context(), owner(), id, csms.Tag{Key: "k"})
	refused(t, err, csms.CodeNotFound)
}

// An engine that fails is no missing secret.
func TestTagOperationsTellAFailureOfTheEngine(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	if err := k.DB.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := k.Service.ListSecretTags(t.Context(), owner(), k.NewID())
	refused(t, err, csms.CodeInternal)
	_, err = k.Service.ListProjectSecretsTags(t.Context(), owner())
	refused(t, err, csms.CodeInternal)
	_, err = k.Service.ListResourceInstances(t.Context(), owner(), service.InstanceListing{Limit: 1})
	refused(t, err, csms.CodeInternal)
}

// auth.md 7.4, T9: whoever may list in some enterprise projects sees, and counts, the
// secrets of those.
func TestListResourceInstancesShowsWhatTheCallerMaySee(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	for i := range 6 {
		sec := csms.New(csms.Creation{
			ID: k.NewID(), DomainID: testkit.DomainID, ProjectID: testkit.ProjectID, Name: fmt.Sprint("s", i),
			KMSKeyID: "k", Kind: csms.Text, EnterpriseProjectID: fmt.Sprint("e", i%2),
		}, testkit.Epoch)
		sec.Tags = []csms.Tag{{Key: "half", Value: fmt.Sprint(i / 3)}}
		if err := k.Store.Update(t.Context(), func(tx *store.Tx) error { return tx.PutSecret(sec) }); err != nil {
			t.Fatal(err)
		}
	}
	who := caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:list"],
		"Condition":{"StringEquals":{"g:EnterpriseProjectId":"e1"}}}]}`)
	first := csms.Selection{Tags: []csms.TagFilter{{Key: "half", Values: []string{"0"}}}}
	for _, c := range []struct {
		listing service.InstanceListing
		total   int
		names   []string
	}{
		{service.InstanceListing{Limit: 2}, 3, []string{"s1", "s3"}},
		{service.InstanceListing{Limit: 2, Offset: 2}, 3, []string{"s5"}},
		{service.InstanceListing{Selection: first, Limit: 9}, 1, []string{"s1"}},
		{service.InstanceListing{CountOnly: true}, 3, nil},
	} {
		got, err := k.Service.ListResourceInstances(t.Context(), who, c.listing)
		var names []string
		for _, sec := range got.Secrets {
			names = append(names, sec.Name)
		}
		if diff := cmp.Diff(c.names, names); err != nil || diff != "" || got.Total != c.total {
			t.Errorf("%+v: %d of %d, %v (-want +got):\n%s", c.listing, got.Total, c.total, err, diff)
		}
	}
	_, err := k.Service.ListResourceInstances(t.Context(), caller(t, ofTeamA), service.InstanceListing{Limit: 1})
	refused(t, err, csms.CodeForbidden) // a list has no resource tags
}

// T10: an offset is never negative, whoever asks.
func TestListResourceInstancesRefusesANegativeOffset(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	_, err := k.Service.ListResourceInstances(t.Context(), owner(), service.InstanceListing{Limit: 1, Offset: -1})
	refused(t, err, csms.CodeInvalid)
}

// DEL7: only a secret whose own destruction is due counts as gone: not one with an
// expired version, and not one whose namesake in another project is due.
func TestOnlyADueSecretIsLeftOutOfLists(t *testing.T) {
	k, elsewhere := testkit.New(t, testkit.Options{}), owner()
	elsewhere.ProjectID = testkit.OtherProjectID
	createTagged(t, k, "expired", "k", "expired")
	createTagged(t, k, "namesake", "k", "namesake")
	createTagged(t, k, "due", "k", "due")
	if _, err := k.Service.CreateSecret(t.Context(), elsewhere, newSecret("namesake")); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Service.UpdateVersion(t.Context(), owner(), "expired", "v1", testkit.Epoch+60_000); err != nil {
		t.Fatal(err)
	}
	for name, who := range map[string]*iam.Caller{"due": owner(), "namesake": elsewhere} {
		if _, err := k.Service.DeleteSecretForSchedule(t.Context(), who, name, 7); err != nil {
			t.Fatal(err)
		}
	}
	k.Move(7 * 24 * time.Hour)
	tags, err := k.Service.ListProjectSecretsTags(t.Context(), owner())
	if diff := cmp.Diff([]service.TagValues{{Key: "k", Values: []string{"expired", "namesake"}}}, tags); err != nil || diff != "" {
		t.Errorf("tags: %v (-want +got):\n%s", err, diff)
	}
	found, err := k.Service.ListResourceInstances(t.Context(), owner(), service.InstanceListing{CountOnly: true})
	if err != nil || found.Total != 2 {
		t.Errorf("%d secrets, %v; want 2", found.Total, err)
	}
}

// B4: a backup holds no tags, so the secret that it makes anew has none.
func TestABackupHoldsNoTags(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	createTagged(t, k, "db", "env", "prod")
	blob, err := k.Service.DownloadSecretBlob(t.Context(), owner(), "db")
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Service.DeleteSecret(t.Context(), owner(), "db"); err != nil {
		t.Fatal(err)
	}
	sec, err := k.Service.UploadSecretBlob(t.Context(), owner(), blob)
	if err != nil {
		t.Fatal(err)
	}
	got, err := k.Service.ListSecretTags(t.Context(), owner(), sec.ID)
	if err != nil || len(got.Tags) != 0 {
		t.Errorf("tags %v, %v", got.Tags, err)
	}
}
