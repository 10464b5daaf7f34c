package csms

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// B4, Q10: what a backup keeps, and what is fresh.
func TestABackupIsRecreated(t *testing.T) {
	old := &Secret{
		ID: "old", DomainID: "d1", ProjectID: "p1", Name: "db.old", State: Disabled, Type: RDSFG, KMSKeyID: "k2", Description: "text",
		CreateTime: 1000, UpdateTime: 2000, ScheduledDeleteTime: 0, LastUsedTime: 3000,
		Rotation:           Rotation{Auto: true, Period: "4h", Config: `{"InstanceId":"i"}`, FuncURN: "urn", Time: 1500, NextTime: 9000},
		EventSubscriptions: []string{"nightly"}, EnterpriseProjectID: "e1", Replicas: []Replica{{ID: "r"}},
		Versions: []Version{
			{Number: 2, CreateTime: 1001, KMSKeyID: "k1", Kind: Text},
			{Number: 4, CreateTime: 1002, ExpireTime: 2000, Expired: true, KMSKeyID: "k2", Kind: Binary},
		},
		LastVersion: 5, Stages: []Stage{{Name: StageCurrent, Version: 4, UpdateTime: 1003}, {Name: "blue", Version: 2, UpdateTime: 1004}},
	}
	b := old.Backup()
	if err := b.Validate(); err != nil {
		t.Fatal(err)
	}
	got := b.Recreate(Place{ID: "new", DomainID: "d2", ProjectID: "p2", KMSKeyID: "k3"}, 50000)
	want := &Secret{
		ID: "new", DomainID: "d2", ProjectID: "p2", Name: "db.old", State: Enabled, Type: RDSFG, KMSKeyID: "k3", Description: "text",
		CreateTime: 50000, UpdateTime: 50000,
		Rotation:            Rotation{Auto: true, Period: "4h", Config: `{"InstanceId":"i"}`, FuncURN: "urn", NextTime: 50000 + 4*3600*1000},
		EnterpriseProjectID: DefaultEnterpriseProject,
		Versions: []Version{
			{Number: 2, CreateTime: 1001, KMSKeyID: "k3", Kind: Text},
			{Number: 4, CreateTime: 1002, ExpireTime: 2000, Expired: true, KMSKeyID: "k3", Kind: Binary},
		},
		LastVersion: 5, Stages: []Stage{{Name: StageCurrent, Version: 4, UpdateTime: 1003}, {Name: "blue", Version: 2, UpdateTime: 1004}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if old.Versions[0].KMSKeyID != "k1" || old.Rotation.Time != 1500 {
		t.Error("the secret that was backed up has changed")
	}
}
