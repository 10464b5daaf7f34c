package csms_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
)

// ids returns vFrom to vTo.
func ids(from, to int) []string {
	list := []string{}
	for n := from; n <= to; n++ {
		list = append(list, fmt.Sprintf("v%d", n))
	}
	return list
}

func TestKeptVersions(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"V1 a new secret has v1", nil, ids(1, 1)},
		{"V1 ids count up in the order of creation", plain(3), ids(1, 4)},
		{"V4 nothing is pruned below the cap", plain(18), ids(1, 19)},
		{"V2 twenty versions are kept", plain(19), ids(1, 20)},
		{"V3 the twenty-first removes the oldest without a label", plain(20), ids(2, 21)},
		{"V1 ids of pruned versions are not used again", plain(40), ids(22, 41)},
		{
			"V3 a version with a label stays", slices.Concat([]step{move("blue", "v1")}, plain(20)),
			append(ids(1, 1), ids(3, 21)...),
		},
		{
			"V3 SYSCURRENT on v1 keeps it", slices.Concat([]step{create()}, []step{move(csms.StageCurrent, "v1")}, repeat(create("x"), 19)),
			append(ids(1, 1), ids(3, 21)...),
		},
		{
			"V3 SYSPREVIOUS keeps its version", slices.Concat(plain(1), repeat(create("x"), 19)),
			append(ids(1, 2), ids(4, 21)...),
		},
		{
			"V3 a label that moves to the new version kept its old one once more",
			slices.Concat([]step{move("x", "v1")}, plain(19), []step{create("x")}), append(ids(1, 1), ids(3, 21)...),
		},
		{
			"V3 and the next creation removes it",
			slices.Concat([]step{move("x", "v1")}, plain(19), []step{create("x"), create()}), ids(3, 22),
		},
		{
			"V3 a label that was removed protects no more",
			slices.Concat([]step{move("x", "v1")}, plain(19), []step{remove("x")}, plain(1)), ids(2, 21),
		},
		{
			"V3 with twelve labels on twelve versions there is still one to remove",
			slices.Concat(plain(19), spread(10), plain(1)), append(ids(1, 10), ids(12, 21)...),
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSecret()
			live(t, s, c.steps...)
			if diff := cmp.Diff(idsOf(s), c.want); diff != "" {
				t.Errorf("versions (-got +want):\n%s", diff)
			}
		})
	}
}

func repeat(do step, n int) []step {
	steps := make([]step, n)
	for i := range steps {
		steps[i] = do
	}
	return steps
}

// spread puts the labels l1 to ln on v1 to vn.
func spread(n int) []step {
	steps := make([]step, n)
	for i, name := range names(n) {
		steps[i] = move(name, csms.VersionID(i+1))
	}
	return steps
}

func TestAddVersionTellsWhatItPruned_V3(t *testing.T) {
	s := newSecret()
	live(t, s, plain(18)...)
	for i, want := range []int{0, 1, 2} {
		added, pruned, err := s.AddVersion(csms.NewVersion{Kind: csms.Text}, start+day)
		wantCode(t, err, "")
		if added.Number != 20+i || pruned != want {
			t.Errorf("got v%d and %d pruned, want v%d and %d", added.Number, pruned, 20+i, want)
		}
	}
}

func TestARefusedCreationPrunesNothing_V3_L15(t *testing.T) {
	s := newSecret()
	live(t, s, plain(19)...)
	live(t, s, spread(10)...) // twelve labels, twenty versions
	refuses(t, s, create("one-more"), start+day, csms.CodeStageQuota)
}

func TestVersionIsFoundById(t *testing.T) {
	rolledBack := []step{create(), create(), move(csms.StageCurrent, "v1")}
	for _, c := range []struct {
		name  string
		steps []step
		id    string
		want  int
		code  csms.Code
	}{
		{"V6 latest is the version under SYSCURRENT", plain(2), csms.Latest, 3, ""},
		{"V6 latest is not the newest when SYSCURRENT was moved", rolledBack, csms.Latest, 1, ""},
		{"V6 latest is not a newer version with other labels", []step{create("blue")}, csms.Latest, 1, ""},
		{"V8 vN is that version", plain(2), "v2", 2, ""},
		{"V8 a number beyond the newest", plain(2), "v4", 0, csms.CodeNotFound},
		{"V8 a pruned version", plain(20), "v1", 0, csms.CodeNotFound},
		{"V8 v0", nil, "v0", 0, csms.CodeNotFound},
		{"V8 a leading zero", nil, "v01", 0, csms.CodeNotFound},
		{"V8 a number without v", nil, "1", 0, csms.CodeNotFound},
		{"V8 a capital v", nil, "V1", 0, csms.CodeNotFound},
		{"V8 latest in capitals", nil, "LATEST", 0, csms.CodeNotFound},
		{"V8 the name of a label", nil, csms.StageCurrent, 0, csms.CodeNotFound},
		{"V8 a number past 32 bits that would wrap to 1", nil, "v4294967297", 0, csms.CodeNotFound},
		{"V8 more than ten digits", nil, "v00000000001", 0, csms.CodeNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSecret()
			live(t, s, c.steps...)
			if err := csms.CheckVersionPath(c.id); err != nil {
				t.Fatalf("the id does not fit the path, so this row says nothing: %v", err)
			}
			v, err := s.Version(c.id)
			wantCode(t, err, c.code)
			if err == nil && v.Number != c.want {
				t.Errorf("got v%d, want v%d", v.Number, c.want)
			}
		})
	}
}

func TestAMarkerIsAPositionWhetherOrNotTheVersionIsKept_V12_P3(t *testing.T) {
	for id, want := range map[string]int{
		"v1": 1, "v20": 20, "v9999999999": 9999999999, "v0": 0, "v007": 7,
		"": 0, "v": 0, "latest": 0, "7": 0, "V7": 0, "v-7": 0, "v7 ": 0, "v10000000000": 0,
	} {
		if got := csms.VersionPosition(id); got != want {
			t.Errorf("%q is at %d, want %d", id, got, want)
		}
	}
}

func TestLatestFallsBackToTheHighestNumber_V7(t *testing.T) {
	s := newSecret()
	live(t, s, create("blue"), create("green"))
	s.Stages = nil // not reachable through the API
	v, err := s.Version(csms.Latest)
	wantCode(t, err, "")
	if v.Number != 3 {
		t.Errorf("got v%d, want v3", v.Number)
	}
}

func TestCreateTimeStrictlyIncreases_TS4(t *testing.T) {
	for _, c := range []struct {
		name string
		at   []csms.Millis
		want []csms.Millis
	}{
		{"one after the other", []csms.Millis{start + 5, start + 9}, []csms.Millis{start, start + 5, start + 9}},
		{"in one tick the later is bumped", []csms.Millis{start, start, start}, []csms.Millis{start, start + 1, start + 2, start + 3}},
		{"a bumped version bumps the next", []csms.Millis{start, start + 1, start + 2}, []csms.Millis{start, start + 1, start + 2, start + 3}},
		{"a clock that went back", []csms.Millis{start + 10, start - 5, start + 11}, []csms.Millis{start, start + 10, start + 11, start + 12}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSecret()
			for _, now := range c.at {
				wantCode(t, create("blue")(s, now), "")
			}
			var got []csms.Millis
			for _, v := range s.Versions {
				got = append(got, v.CreateTime)
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Errorf("create_time (-got +want):\n%s", diff)
			}
		})
	}
}

func TestVersionsKeepKindAndKey_N8_N9_N13(t *testing.T) {
	s := newSecret()
	for i, n := range []csms.NewVersion{
		{Kind: csms.Binary, KMSKeyID: "key-1"}, {Kind: csms.Text, KMSKeyID: "key-2"}, {Kind: csms.Binary, KMSKeyID: "key-2"},
	} {
		added, _, err := s.AddVersion(n, start+csms.Millis(i+1))
		wantCode(t, err, "")
		if diff := cmp.Diff(*added, s.Versions[i+1]); diff != "" {
			t.Errorf("the answer (-got +stored):\n%s", diff)
		}
	}
	live(t, s, update(csms.Patch{KMSKeyID: ptr("key-3")}))
	want := []csms.Version{
		{Number: 1, CreateTime: start, KMSKeyID: "key-1", Kind: csms.Text},
		{Number: 2, CreateTime: start + 1, KMSKeyID: "key-1", Kind: csms.Binary},
		{Number: 3, CreateTime: start + 2, KMSKeyID: "key-2", Kind: csms.Text},
		{Number: 4, CreateTime: start + 3, KMSKeyID: "key-2", Kind: csms.Binary},
	}
	if diff := cmp.Diff(s.Versions, want); diff != "" {
		t.Errorf("versions (-got +want):\n%s", diff)
	}
}

func TestCreatingVersionsLeavesUpdateTime_N16(t *testing.T) {
	s := newSecret()
	live(t, s, create(), setExpiry("v1", start+day), move("blue", "v1"), remove("blue"))
	if s.UpdateTime != start {
		t.Errorf("update_time is %d, want %d", s.UpdateTime, start)
	}
}
