package csms_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
)

func TestNewMakesAnEnabledSecretWithV1_S1_L3(t *testing.T) {
	c := creation()
	c.EventSubscriptions = []string{"on-change"}
	want := &csms.Secret{
		ID: c.ID, DomainID: c.DomainID, ProjectID: c.ProjectID, Name: "db",
		State: csms.Enabled, Type: csms.Common, KMSKeyID: "key-1", Description: "of the shop",
		CreateTime: start, UpdateTime: start,
		EventSubscriptions: []string{"on-change"}, EnterpriseProjectID: "0",
		Versions:    []csms.Version{{Number: 1, CreateTime: start, KMSKeyID: "key-1", Kind: csms.Text}},
		LastVersion: 1,
		Stages:      []csms.Stage{{Name: csms.StageCurrent, Version: 1, UpdateTime: start}},
	}
	if diff := cmp.Diff(csms.New(c, start), want); diff != "" {
		t.Errorf("the new secret (-got +want):\n%s", diff)
	}
}

func TestCreationIsValidated(t *testing.T) {
	with := func(edit func(*csms.Creation)) csms.Creation {
		c := creation()
		edit(&c)
		return c
	}
	long := strings.Repeat
	for _, c := range []struct {
		name string
		edit func(*csms.Creation)
		want csms.Code
	}{
		{"all parts are well", func(*csms.Creation) {}, ""},
		{"N1 a name with a space", func(c *csms.Creation) { c.Name = "a b" }, csms.CodeInvalid},
		{"N1 no name", func(c *csms.Creation) { c.Name = "" }, csms.CodeInvalid},
		{"N2 a name with a dot", func(c *csms.Creation) { c.Name = "a.b" }, csms.CodeInvalid},
		{"RO5 no type is COMMON", func(c *csms.Creation) { c.Type = "" }, ""},
		{"RO5 COMMON", func(c *csms.Creation) { c.Type = csms.Common }, ""},
		{"RO5 RDS", func(c *csms.Creation) { c.Type = csms.RDS }, csms.CodeInvalid},
		{"RO5 an unknown type", func(c *csms.Creation) { c.Type = "common" }, csms.CodeInvalid},
		{"N10 a description of 2048 bytes", func(c *csms.Creation) { c.Description = long("x", 2048) }, ""},
		{"N10 a description of 2049 bytes", func(c *csms.Creation) { c.Description = long("x", 2049) }, csms.CodeInvalid},
		{"N10 a description of 1024 characters in 2048 bytes", func(c *csms.Creation) { c.Description = long("é", 1024) }, ""},
		{"N10 a description of 1025 characters in 2050 bytes", func(c *csms.Creation) { c.Description = long("é", 1025) }, csms.CodeInvalid},
		{"RO2 automatic rotation without a period", func(c *csms.Creation) { c.Rotation.Auto = true }, csms.CodeInvalid},
		{"RO3 RDS-FG without a config", func(c *csms.Creation) { c.Type = csms.RDSFG }, csms.CodeInvalid},
		{"E4 one event", func(c *csms.Creation) { c.EventSubscriptions = []string{long("e", 64)} }, ""},
		{"E4 no event", func(c *csms.Creation) { c.EventSubscriptions = []string{} }, ""},
		{"E4 two events", func(c *csms.Creation) { c.EventSubscriptions = []string{"a", "b"} }, csms.CodeInvalid},
		{"E4 the same event twice", func(c *csms.Creation) { c.EventSubscriptions = []string{"a", "a"} }, csms.CodeInvalid},
		{"N1 an event without a name", func(c *csms.Creation) { c.EventSubscriptions = []string{""} }, csms.CodeInvalid},
		{"E11 an event name of 65 characters", func(c *csms.Creation) { c.EventSubscriptions = []string{long("e", 65)} }, csms.CodeInvalid},
		{"N14 an enterprise project of 36 characters", func(c *csms.Creation) { c.EnterpriseProjectID = long("é", 36) }, ""},
		{"N14 an enterprise project of 37 characters", func(c *csms.Creation) { c.EnterpriseProjectID = long("x", 37) }, csms.CodeInvalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := with(c.edit)
			wantCode(t, in.Validate(csms.DefaultLimits()), c.want)
		})
	}
}

func TestTheSwitchForDotsReachesCreation_N2(t *testing.T) {
	c, limits := creation(), csms.DefaultLimits()
	c.Name, limits.DotsInNames = "a.b", true
	wantCode(t, c.Validate(limits), "")
}

func TestEnterpriseProjectIsZeroOrEchoed_N14(t *testing.T) {
	for given, want := range map[string]string{"": "0", "0": "0", "5f9b": "5f9b"} {
		c := creation()
		c.EnterpriseProjectID = given
		if got := csms.New(c, start).EnterpriseProjectID; got != want {
			t.Errorf("given %q: got %q, want %q", given, got, want)
		}
	}
}

func TestUpdateChangesWhatIsGiven_N15_N16(t *testing.T) {
	c := creation()
	c.EventSubscriptions = []string{"on-change"}
	for _, row := range []struct {
		name  string
		patch csms.Patch
		want  func(*csms.Secret)
	}{
		{"N15 an empty object changes nothing, update_time included", csms.Patch{}, func(*csms.Secret) {}},
		{
			"N15 a description",
			csms.Patch{Description: ptr("new")},
			func(s *csms.Secret) { s.Description, s.UpdateTime = "new", start+day },
		},
		{
			"N15 an empty description clears",
			csms.Patch{Description: ptr("")},
			func(s *csms.Secret) { s.Description, s.UpdateTime = "", start+day },
		},
		{
			"N16 the same description moves update_time",
			csms.Patch{Description: ptr("of the shop")},
			func(s *csms.Secret) { s.UpdateTime = start + day },
		},
		{
			"N15 another event replaces",
			csms.Patch{EventSubscriptions: &[]string{"other"}},
			func(s *csms.Secret) { s.EventSubscriptions, s.UpdateTime = []string{"other"}, start+day },
		},
		{
			"N15 an empty list of events clears",
			csms.Patch{EventSubscriptions: &[]string{}},
			func(s *csms.Secret) { s.EventSubscriptions, s.UpdateTime = []string{}, start+day },
		},
		{
			"N15 null for the events clears",
			csms.Patch{EventSubscriptions: new([]string)},
			func(s *csms.Secret) { s.EventSubscriptions, s.UpdateTime = nil, start+day },
		},
		{
			"N13 a key changes for later versions only",
			csms.Patch{KMSKeyID: ptr("key-2")},
			func(s *csms.Secret) { s.KMSKeyID, s.UpdateTime = "key-2", start+day },
		},
		{
			"N15 a function",
			csms.Patch{RotationFuncURN: ptr("urn:fss:f")},
			func(s *csms.Secret) { s.Rotation.FuncURN, s.UpdateTime = "urn:fss:f", start+day },
		},
		{
			"N15 a period",
			csms.Patch{RotationPeriod: ptr("1d")},
			func(s *csms.Secret) { s.Rotation.Period, s.UpdateTime = "1d", start+day },
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := csms.New(c, start)
			want := s.Clone()
			row.want(want)
			wantCode(t, update(row.patch)(s, start+day), "")
			if diff := cmp.Diff(s, want); diff != "" {
				t.Errorf("the secret (-got +want):\n%s", diff)
			}
		})
	}
}

func TestUpdateIsRefused(t *testing.T) {
	long := strings.Repeat
	for _, c := range []struct {
		name  string
		patch csms.Patch
		want  csms.Code
	}{
		{"N12 a key of no character", csms.Patch{KMSKeyID: ptr("")}, csms.CodeInvalid},
		{"N12 a key of one character", csms.Patch{KMSKeyID: ptr("k")}, csms.CodeInvalid},
		{"N12 a key of one character in two bytes", csms.Patch{KMSKeyID: ptr("é")}, csms.CodeInvalid},
		{"N12 a key of 65 characters", csms.Patch{KMSKeyID: ptr(long("k", 65))}, csms.CodeInvalid},
		{"N10 a description of 2049 bytes", csms.Patch{Description: ptr(long("x", 2049))}, csms.CodeInvalid},
		{"RO1 a period that is too short", csms.Patch{RotationPeriod: ptr("3h")}, csms.CodeInvalid},
		{"RO2 automatic rotation without a period", csms.Patch{AutoRotation: ptr(true)}, csms.CodeInvalid},
		{"E4 two events", csms.Patch{EventSubscriptions: &[]string{"a", "b"}}, csms.CodeInvalid},
		{"N1 an event with a dot", csms.Patch{EventSubscriptions: &[]string{"a.b"}}, csms.CodeInvalid},
		{"a good part beside a bad one", csms.Patch{Description: ptr("new"), RotationPeriod: ptr("1x")}, csms.CodeInvalid},
		{"a good part beside a rule of rotation", csms.Patch{Description: ptr("new"), AutoRotation: ptr(true)}, csms.CodeInvalid},
	} {
		t.Run(c.name, func(t *testing.T) { refuses(t, newSecret(), update(c.patch), start+day, c.want) })
	}
}

func TestUpdateTakesAKeyOfTwoTo64Characters_N12(t *testing.T) {
	for _, key := range []string{"kk", "éé", strings.Repeat("k", 64), strings.Repeat("é", 64)} {
		s := newSecret()
		wantCode(t, update(csms.Patch{KMSKeyID: &key})(s, start+day), "")
		if s.KMSKeyID != key {
			t.Errorf("the key is %q, want %q", s.KMSKeyID, key)
		}
	}
}

func TestAnEmptyPatchIsOneWithoutAnyPart_N15(t *testing.T) {
	for name, p := range map[string]csms.Patch{
		"kms_key_id": {KMSKeyID: ptr("")}, "description": {Description: ptr("")}, "auto_rotation": {AutoRotation: ptr(false)},
		"rotation_period": {RotationPeriod: ptr("")}, "rotation_func_urn": {RotationFuncURN: ptr("")},
		"event_subscriptions": {EventSubscriptions: new([]string)},
	} {
		if p.Empty() {
			t.Errorf("a patch with %s counts as empty", name)
		}
	}
	if p := (csms.Patch{}); !p.Empty() {
		t.Error("a patch without any part does not count as empty")
	}
}
