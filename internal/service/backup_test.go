package service_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/service"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

// in returns the account owner in another project.
func in(project string) *iam.Caller {
	c := owner()
	c.ProjectID = project
	return c
}

// rich makes a secret with a history: four versions of both kinds, of which the first
// was pruned or not, labels, an expiry, a description.
func rich(t *testing.T, k *testkit.Kit, name string) *csms.Secret {
	t.Helper()
	ctx := t.Context()
	s := newSecret(name)
	s.Creation.Description = "of the shop"
	if _, err := k.Service.CreateSecret(ctx, owner(), s); err != nil {
		t.Fatal(err)
	}
	for _, v := range []service.NewVersion{
		{Text: csms.Plaintext("second")},
		{Binary: csms.Plaintext("1010"), Stages: []string{"blue", "green"}},
		{Text: csms.Plaintext("fourth"), ExpireTime: k.Now() + 3600_000},
	} {
		k.Move(time.Minute)
		if _, err := k.Service.CreateSecretVersion(ctx, owner(), name, v); err != nil {
			t.Fatal(err)
		}
	}
	sec, err := k.Service.ShowSecret(ctx, owner(), name)
	if err != nil {
		t.Fatal(err)
	}
	return sec
}

func download(t *testing.T, k *testkit.Kit, name string) string {
	t.Helper()
	blob, err := k.Service.DownloadSecretBlob(t.Context(), owner(), name)
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

func destroy(t *testing.T, k *testkit.Kit, name string) {
	t.Helper()
	if err := k.Service.DeleteSecret(t.Context(), owner(), name); err != nil {
		t.Fatal(err)
	}
}

// values reads every version of a secret.
func values(t *testing.T, k *testkit.Kit, who *iam.Caller, sec *csms.Secret) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, v := range sec.Versions {
		read, err := k.Service.ShowSecretVersion(t.Context(), who, sec.Name, v.ID())
		if err != nil {
			t.Fatal(err)
		}
		out[v.ID()] = string(read.Value.Kind) + " " + string([]byte(read.Value.Data))
	}
	return out
}

// B1 to B5: a secret that was destroyed comes back from its backup, after the key of
// its project was rotated, and in another project of the account too.
func TestASecretComesBackFromItsBackup(t *testing.T) {
	for name, project := range map[string]string{"same project": testkit.ProjectID, "another project": testkit.OtherProjectID} {
		t.Run(name, func(t *testing.T) {
			k := testkit.New(t, testkit.Options{})
			old := rich(t, k, "db")
			want := values(t, k, owner(), old)
			blob := download(t, k, "db")
			if _, err := k.KMS.RotateKey(t.Context(), testkit.ProjectID, old.KMSKeyID); err != nil {
				t.Fatal(err)
			}
			destroy(t, k, "db")
			k.Move(time.Hour)
			sec, err := k.Service.UploadSecretBlob(t.Context(), in(project), blob)
			if err != nil {
				t.Fatal(err)
			}
			if sec.ID == old.ID || sec.CreateTime != k.Now() || (sec.KMSKeyID == old.KMSKeyID) != (project == old.ProjectID) {
				t.Errorf("recreated %+v", sec)
			}
			b := old.Backup()
			if diff := cmp.Diff(b.Recreate(csms.Place{ID: sec.ID, DomainID: testkit.DomainID, ProjectID: project, KMSKeyID: sec.KMSKeyID}, k.Now()), sec); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want, values(t, k, in(project), sec)); diff != "" {
				t.Errorf("values (-backed up +restored):\n%s", diff)
			}
			v, err := k.Service.CreateSecretVersion(t.Context(), in(project), "db", service.NewVersion{Text: csms.Plaintext("next")})
			if err != nil || v.Version.ID() != "v5" {
				t.Errorf("V1: the next version is %s, %v", v.Version.ID(), err)
			}
			consistent(t, k)
		})
	}
}

// consistent checks that records, rows, counters and values agree.
func consistent(t *testing.T, k *testkit.Kit) {
	t.Helper()
	found, err := k.Store.Verify(t.Context())
	if err != nil || len(found) > 0 {
		t.Errorf("the store is damaged: %v, %v", found, err)
	}
}

// B3: a name that is in use is refused, and so is every blob that was not made here,
// for whoever may upload. Nothing is written.
func TestUploadSecretBlobRefuses(t *testing.T) {
	k := testkit.New(t, testkit.Options{Limits: csms.Limits{SecretsPerProject: 2, ValueBytes: 32768}})
	rich(t, k, "db")
	blob := download(t, k, "db")
	upload := func(who *iam.Caller, blob string) error {
		_, err := k.Service.UploadSecretBlob(t.Context(), who, blob)
		return err
	}
	refused(t, upload(owner(), blob), csms.CodeInvalid) // the name is in use
	if _, err := k.Service.DeleteSecretForSchedule(t.Context(), owner(), "db", 7); err != nil {
		t.Fatal(err)
	}
	refused(t, upload(owner(), blob), csms.CodeInvalid) // N3: still in use
	destroy(t, k, "db")

	foreign := owner()
	foreign.DomainID, foreign.ProjectID = "another-domain", testkit.ForeignProjectID
	refused(t, upload(foreign, blob), csms.CodeInvalid)
	elsewhere := testkit.New(t, testkit.Options{}) // with the same root key and the same ids
	_, err := elsewhere.Service.UploadSecretBlob(t.Context(), owner(), blob)
	refused(t, err, csms.CodeInvalid)
	refused(t, upload(owner(), blob[:len(blob)-1]), csms.CodeInvalid)
	refused(t, upload(owner(), blob+strings.Repeat("A", 5242881-len(blob))), csms.CodeInvalid)

	const allowed = `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:create"],"Resource":["csms:*:*:secretName:%s"]}]}`
	refused(t, upload(caller(t, fmt.Sprintf(allowed, "other")), blob), csms.CodeForbidden)
	refused(t, upload(caller(t, fmt.Sprintf(allowed, "db")), "damaged"), csms.CodeForbidden)
	create(t, k, "a")
	create(t, k, "b")
	refused(t, upload(owner(), blob), csms.CodeSecretQuota)
	destroy(t, k, "b")
	if err := upload(caller(t, fmt.Sprintf(allowed, "db")), blob); err != nil {
		t.Errorf("with the right to this name: %v", err)
	}
	consistent(t, k)
}

// A backup of a secret under a customer key takes the right to that key in both
// directions, and comes back under it where the project has it, else under the
// default key.
func TestABackupKeepsToTheKeyOfItsSecret(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	in2 := newSecret("guarded")
	in2.Creation.KMSKeyID = customerKey(t, k, "mine")
	if _, err := k.Service.CreateSecret(ctx, owner(), in2); err != nil {
		t.Fatal(err)
	}
	keyless := caller(t, `{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:get","csms:secret:create"]}]}`)
	_, err := k.Service.DownloadSecretBlob(ctx, keyless, "guarded")
	refused(t, err, csms.CodeKey)
	blob := download(t, k, "guarded")
	destroy(t, k, "guarded")
	_, err = k.Service.UploadSecretBlob(ctx, keyless, blob)
	refused(t, err, csms.CodeKey)
	setKey := func(op func(ctx context.Context, project, keyID string) (seal.Key, error)) {
		if _, err := op(ctx, testkit.ProjectID, in2.Creation.KMSKeyID); err != nil {
			t.Fatal(err)
		}
	}
	setKey(k.KMS.DisableKey)
	_, err = k.Service.UploadSecretBlob(ctx, owner(), blob)
	refused(t, err, csms.CodeKey)
	setKey(k.KMS.EnableKey)
	sec, err := k.Service.UploadSecretBlob(ctx, owner(), blob)
	if err != nil || sec.KMSKeyID != in2.Creation.KMSKeyID {
		t.Fatalf("recreated %+v, %v", sec, err)
	}
	setKey(k.KMS.DisableKey)
	_, err = k.Service.DownloadSecretBlob(ctx, owner(), "guarded")
	refused(t, err, csms.CodeKey)

	there, err := k.Service.UploadSecretBlob(ctx, in(testkit.OtherProjectID), blob)
	if err != nil || there.KMSKeyID == sec.KMSKeyID {
		t.Fatalf("recreated in another project %+v, %v", there, err)
	}
	if got := values(t, k, in(testkit.OtherProjectID), there)["v1"]; got != "string value of guarded" {
		t.Errorf("value = %q", got)
	}
}

// TS6: a backup is no use of the secret. E8: an expiry that passes meanwhile is one.
func TestABackupIsNoUse(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	rich(t, k, "db")
	blob := download(t, k, "db")
	sec, err := k.Service.ShowSecret(t.Context(), owner(), "db")
	if err != nil || sec.LastUsedTime != 0 {
		t.Errorf("last_used_time = %d, %v", sec.LastUsedTime, err)
	}
	destroy(t, k, "db")
	if rows := dueRows(t, k); rows[store.DueVersionExpiry] != 0 {
		t.Fatalf("due rows %v", rows)
	}
	if _, err := k.Service.UploadSecretBlob(t.Context(), owner(), blob); err != nil {
		t.Fatal(err)
	}
	if rows := dueRows(t, k); rows[store.DueVersionExpiry] != 1 {
		t.Errorf("due rows %v", rows)
	}
}

// A secret as large as the limits allow has a backup.
func TestTheLargestSecretHasABackup(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	create(t, k, "db")
	for range csms.MaxVersions {
		v := service.NewVersion{Text: csms.Plaintext(strings.Repeat("x", 32768))}
		if _, err := k.Service.CreateSecretVersion(t.Context(), owner(), "db", v); err != nil {
			t.Fatal(err)
		}
	}
	blob := download(t, k, "db")
	destroy(t, k, "db")
	sec, err := k.Service.UploadSecretBlob(t.Context(), owner(), blob)
	if err != nil || len(sec.Versions) != csms.MaxVersions || sec.Versions[0].ID() != "v2" {
		t.Errorf("recreated %+v, %v", sec, err)
	}
	t.Logf("the blob has %d characters", len(blob))
}

// Versions that come and go while a backup is made do not disturb it: it holds what
// was there at one moment.
func TestABackupIsOfOneMoment(t *testing.T) {
	k := testkit.New(t, testkit.Options{})
	create(t, k, "db")
	stop, done := make(chan struct{}), make(chan error, 1)
	go func() {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			if _, err := k.Service.CreateSecretVersion(context.Background(), owner(), "db", service.NewVersion{Text: csms.Plaintext("x")}); err != nil {
				done <- err
				return
			}
		}
	}()
	for range 50 {
		if _, err := k.Service.DownloadSecretBlob(t.Context(), owner(), "db"); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
