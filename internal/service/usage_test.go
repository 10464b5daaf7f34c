package service_test

import (
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/service"
	"coffer/internal/testkit"
)

// TS6: last_used_time is null before the first read, exact in every answer at once,
// and stored by FlushUsage without touching anything else.
func TestLastUsedTimeIsShownAtOnceAndStoredLater(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	created := create(t, k, "db")
	if created.LastUsedTime != 0 {
		t.Errorf("before the first read: %d", created.LastUsedTime)
	}
	k.Move(time.Minute)
	value(t, k, "db")
	at := k.Now()
	if got := show(t, k).LastUsedTime; got != at {
		t.Errorf("shown %d, want %d", got, at)
	}
	page, err := k.Service.ListSecrets(ctx, owner(), service.Listing{Limit: 10})
	if err != nil || page.Items[0].LastUsedTime != at {
		t.Errorf("listed %+v, %v", page, err)
	}
	if got := stored(t, k).LastUsedTime; got != 0 {
		t.Errorf("stored %d before the flush", got)
	}
	if err := k.Service.FlushUsage(ctx); err != nil {
		t.Fatal(err)
	}
	after := stored(t, k)
	if after.LastUsedTime != at || after.UpdateTime != created.UpdateTime { // N16
		t.Errorf("stored %+v, want last_used_time %d and nothing else", after, at)
	}
	if got := show(t, k).LastUsedTime; got != at {
		t.Errorf("shown %d after the flush, want %d", got, at)
	}
}

// A refused read is no use, and a secret of the same name made later has none.
func TestOnlyAReadOfThisSecretCounts(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	create(t, k, "db")
	if _, err := k.Service.SetSecretState(ctx, testkit.ProjectID, "db", csms.Disabled); err != nil {
		t.Fatal(err)
	}
	_, err := k.Service.ShowSecretVersion(ctx, owner(), "db", csms.Latest)
	refused(t, err, csms.CodeNotEnabled)
	if got := show(t, k).LastUsedTime; got != 0 {
		t.Errorf("a refused read left %d", got)
	}
	if _, err := k.Service.SetSecretState(ctx, testkit.ProjectID, "db", csms.Enabled); err != nil {
		t.Fatal(err)
	}
	value(t, k, "db")
	if err := k.Service.DeleteSecret(ctx, owner(), "db"); err != nil {
		t.Fatal(err)
	}
	create(t, k, "db")
	if err := k.Service.FlushUsage(ctx); err != nil {
		t.Fatal(err)
	}
	if got := show(t, k).LastUsedTime; got != 0 {
		t.Errorf("the new secret has %d of the old one", got)
	}
}

func show(t *testing.T, k *testkit.Kit) *csms.Secret {
	t.Helper()
	sec, err := k.Service.ShowSecret(t.Context(), owner(), "db")
	if err != nil {
		t.Fatal(err)
	}
	return sec
}

func stored(t *testing.T, k *testkit.Kit) *csms.Secret {
	t.Helper()
	sec, err := k.Store.Secret(t.Context(), testkit.ProjectID, "db")
	if err != nil {
		t.Fatal(err)
	}
	return sec
}
