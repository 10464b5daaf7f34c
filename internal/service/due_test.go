package service_test

import (
	"sync"
	"testing"
	"time"

	"coffer/internal/csms"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

const week = 7 * 24 * time.Hour

// DEL7, S5: a due secret is gone at the instant itself, for every operation, swept or
// not; the sweep removes its rows; the name is free (DEL2).
func TestADueSecretIsGoneBeforeItIsSwept(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	first := create(t, k, "db")
	if _, err := k.Service.DeleteSecretForSchedule(ctx, owner(), "db", 7); err != nil {
		t.Fatal(err)
	}
	k.Move(week - time.Millisecond)
	if _, err := k.Service.ShowSecret(ctx, owner(), "db"); err != nil {
		t.Errorf("a millisecond early: %v", err)
	}
	k.Move(time.Millisecond)
	_, err := k.Service.ShowSecret(ctx, owner(), "db")
	refused(t, err, csms.CodeSecretNotFound)
	_, err = k.Service.RestoreSecret(ctx, owner(), "db")
	refused(t, err, csms.CodeSecretNotFound)
	_, err = k.Service.ShowSecretVersion(ctx, owner(), "db", csms.Latest)
	refused(t, err, csms.CodeSecretNotFound)
	refused(t, k.Service.DeleteSecret(ctx, owner(), "db"), csms.CodeSecretNotFound)
	again := create(t, k, "db") // makes way
	if again.ID == first.ID || again.LastVersion != 1 {
		t.Errorf("created %+v over %+v", again, first)
	}
	if done, err := k.Service.RunDue(ctx); done != 0 || err != nil {
		t.Errorf("RunDue = %d, %v; the creation had swept already", done, err)
	}
	if got := value(t, k, "db"); got != "value of db" {
		t.Errorf("value = %q", got)
	}
}

func TestRunDueDestroysWhatIsDueAndNothingElse(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{Limits: csms.Limits{SecretsPerProject: 1000, ValueBytes: 100}}), t.Context()
	const many = 300 // more than one look takes
	for i := range many {
		name := csms.VersionID(i + 1)
		create(t, k, name)
		days := 7
		if i%3 == 0 {
			days = 30
		}
		if _, err := k.Service.DeleteSecretForSchedule(ctx, owner(), name, days); err != nil {
			t.Fatal(err)
		}
	}
	k.Move(week)
	done, err := k.Service.RunDue(ctx)
	if err != nil || done != many*2/3 {
		t.Errorf("RunDue = %d, %v; want %d", done, err, many*2/3)
	}
	if rows := dueRows(t, k); rows[store.DuePurge] != many/3 {
		t.Errorf("rows left: %v", rows)
	}
	if findings, err := k.Store.Verify(ctx); err != nil || len(findings) > 0 {
		t.Errorf("Verify: %v, %v", findings, err)
	}
}

// E8, V10: an expiry is announced once for each setting, and an expired version stays
// readable (V9).
func TestAnExpiryIsAnnouncedOncePerSetting(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	create(t, k, "db")
	for range 2 {
		at := k.Now() + 3600_000
		if _, err := k.Service.UpdateVersion(ctx, owner(), "db", "v1", at); err != nil {
			t.Fatal(err)
		}
		if done, err := k.Service.RunDue(ctx); done != 0 || err != nil {
			t.Errorf("before: %d, %v", done, err)
		}
		k.Move(2 * time.Hour)
		if done, err := k.Service.RunDue(ctx); done != 1 || err != nil {
			t.Errorf("when it passes: %d, %v", done, err)
		}
		if done, err := k.Service.RunDue(ctx); done != 0 || err != nil {
			t.Errorf("afterwards: %d, %v", done, err)
		}
	}
	if got := value(t, k, "db"); got != "value of db" {
		t.Errorf("value = %q", got)
	}
}

// A race of RestoreSecret against the purge at the due instant ends in exactly one of
// the two outcomes, never a half.
func TestRestoreSecretAgainstPurge(t *testing.T) {
	k, ctx := testkit.New(t, testkit.Options{}), t.Context()
	outcomes := map[bool]int{}
	for range 200 {
		create(t, k, "db")
		if _, err := k.Service.DeleteSecretForSchedule(ctx, owner(), "db", 7); err != nil {
			t.Fatal(err)
		}
		k.Move(week - time.Millisecond)
		var both sync.WaitGroup
		var restored error
		both.Go(func() { _, restored = k.Service.RestoreSecret(ctx, owner(), "db") })
		both.Go(func() {
			k.Move(time.Millisecond)
			if _, err := k.Service.RunDue(ctx); err != nil {
				t.Error(err)
			}
		})
		both.Wait()
		outcomes[restored == nil]++
		_, shown := k.Service.ShowSecret(ctx, owner(), "db")
		if restored == nil {
			if shown != nil || value(t, k, "db") != "value of db" {
				t.Fatalf("restored, and then %v", shown)
			}
			if err := k.Service.DeleteSecret(ctx, owner(), "db"); err != nil {
				t.Fatal(err)
			}
			continue
		}
		refused(t, restored, csms.CodeSecretNotFound)
		refused(t, shown, csms.CodeSecretNotFound)
	}
	if findings, err := k.Store.Verify(ctx); err != nil || len(findings) > 0 {
		t.Errorf("Verify: %v, %v", findings, err)
	}
	t.Logf("restored %d, purged %d", outcomes[true], outcomes[false])
}

func value(t *testing.T, k *testkit.Kit, name string) string {
	t.Helper()
	v, err := k.Service.ShowSecretVersion(t.Context(), owner(), name, csms.Latest)
	if err != nil {
		t.Fatal(err)
	}
	return string([]byte(v.Value.Data))
}
