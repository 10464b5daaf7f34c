package csms_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
)

func TestLabelsMove(t *testing.T) {
	const current, previous = csms.StageCurrent, csms.StagePrevious
	type labels = map[string]string
	for _, c := range []struct {
		name  string
		steps []step
		want  labels
	}{
		{"L3 a new secret has v1 under SYSCURRENT", nil, labels{current: "v1"}},
		{
			"L4 a plain version takes SYSCURRENT and leaves SYSPREVIOUS to the former holder",
			[]step{create()},
			labels{current: "v2", previous: "v1"},
		},
		{
			"L4 after three plain versions v1 has no label",
			[]step{create(), create()},
			labels{current: "v3", previous: "v2"},
		},
		{
			"L4 the former holder is the version under SYSCURRENT, not the newest",
			[]step{create("blue"), create()},
			labels{current: "v3", previous: "v1", "blue": "v2"},
		},
		{
			"L4 other labels stay with their version",
			[]step{move("blue", "v1"), create(), create()},
			labels{current: "v3", previous: "v2", "blue": "v1"},
		},
		{
			"L4 a former holder that has SYSPREVIOUS already keeps it",
			[]step{create(), create(), move(current, "v2"), create()},
			labels{current: "v4", previous: "v2"},
		},
		{
			"L5 a list with SYSCURRENT moves SYSPREVIOUS too",
			[]step{create("blue", current)},
			labels{current: "v2", previous: "v1", "blue": "v2"},
		},
		{
			"L5 the order of the list is of no account",
			[]step{create(), create(current, "a", "b")},
			labels{current: "v3", previous: "v2", "a": "v3", "b": "v3"},
		},
		{
			"L6 a list without SYSCURRENT moves what it names and no more",
			[]step{create(), create("blue", "green")},
			labels{current: "v2", previous: "v1", "blue": "v3", "green": "v3"},
		},
		{
			"L6 a list with SYSPREVIOUS alone moves SYSPREVIOUS",
			[]step{create(), create(previous)},
			labels{current: "v2", previous: "v3"},
		},
		{
			"L6 SYSPREVIOUS in a list creates it where there was none",
			[]step{create(previous)},
			labels{current: "v1", previous: "v2"},
		},
		{
			"L7 both built-in labels go to the new version",
			[]step{create(), create(current, previous)},
			labels{current: "v3", previous: "v3"},
		},
		{
			"L7 both built-in labels and one more",
			[]step{create(previous, "blue", current)},
			labels{current: "v2", previous: "v2", "blue": "v2"},
		},
		{
			"L8 an empty list is as none",
			[]step{create([]string{}...), create([]string{}...)},
			labels{current: "v3", previous: "v2"},
		},
		{
			"L10 a listed label that is in use moves",
			[]step{create("blue"), create("blue")},
			labels{current: "v1", "blue": "v3"},
		},
		{
			"L1 one version holds many labels",
			[]step{move("a", "v1"), move("b", "v1"), move("c", "v1")},
			labels{current: "v1", "a": "v1", "b": "v1", "c": "v1"},
		},
		{"L11 a move creates the label", []step{move("blue", "v1")}, labels{current: "v1", "blue": "v1"}},
		{
			"L11 a move takes the label from its version",
			[]step{create("blue"), move("blue", "v1")},
			labels{current: "v1", "blue": "v1"},
		},
		{
			"L11 repeating a move is a success",
			[]step{move("blue", "v1"), move("blue", "v1")},
			labels{current: "v1", "blue": "v1"},
		},
		{
			"L11 labels are case sensitive",
			[]step{move("blue", "v1"), create("Blue")},
			labels{current: "v1", "blue": "v1", "Blue": "v2"},
		},
		{
			"L12 moving SYSCURRENT moves nothing else",
			[]step{create(), create(), move(current, "v1")},
			labels{current: "v1", previous: "v2"},
		},
		{
			"L12 moving SYSPREVIOUS moves nothing else",
			[]step{create(), create(), move(previous, "v3")},
			labels{current: "v3", previous: "v3"},
		},
		{
			"L16 a removed label is gone",
			[]step{create("blue", "green"), remove("blue")},
			labels{current: "v1", "green": "v2"},
		},
		{
			"L16 a removed label can be made again",
			[]step{create("blue"), remove("blue"), move("blue", "v1")},
			labels{current: "v1", "blue": "v1"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSecret()
			live(t, s, c.steps...)
			if diff := cmp.Diff(labelsOf(s), c.want); diff != "" {
				t.Errorf("labels (-got +want):\n%s", diff)
			}
		})
	}
}

func TestLabelRequestsAreRefused(t *testing.T) {
	const current, previous = csms.StageCurrent, csms.StagePrevious
	pending := []step{create("blue"), schedule(7)}
	for _, c := range []struct {
		name   string
		before []step
		do     step
		want   csms.Code
	}{
		{"L9 a list names a label twice", nil, create("blue", "green", "blue"), csms.CodeInvalid},
		{"L9 a list names SYSCURRENT twice", nil, create(current, current), csms.CodeInvalid},
		{"L1 a list holds an empty name", nil, create("blue", ""), csms.CodeInvalid},
		{"L1 a list holds a name with a dot", nil, create("a.b"), csms.CodeInvalid},
		{"L1 a move names a label of 65 characters", nil, move(strings.Repeat("a", 65), "v1"), csms.CodeInvalid},
		{"L14 a move to a version that was never made", nil, move("blue", "v2"), csms.CodeNotFound},
		{"L14 a move to a version that was pruned", plain(20), move("blue", "v1"), csms.CodeNotFound},
		{"L14 a move to v0", nil, move("blue", "v0"), csms.CodeNotFound},
		{"L14 a move to v01", nil, move("blue", "v01"), csms.CodeNotFound},
		{"L14 a move to latest", nil, move("blue", csms.Latest), csms.CodeInvalid},
		{"L14 a move to a number without v", nil, move("blue", "1"), csms.CodeInvalid},
		{"L14 a move to an empty id", nil, move("blue", ""), csms.CodeInvalid},
		{"L14 a move to an id of eleven digits", nil, move("blue", "v10000000000"), csms.CodeInvalid},
		{"L16 SYSCURRENT is deleted", nil, remove(current), csms.CodeSystemStage},
		{"L16 SYSPREVIOUS is deleted", plain(1), remove(previous), csms.CodeSystemStage},
		{"L16 SYSPREVIOUS is deleted where it does not exist", nil, remove(previous), csms.CodeSystemStage},
		{"L16 an unknown label is deleted", nil, remove("blue"), csms.CodeNotFound},
		{"L16 a label is deleted twice", []step{create("blue"), remove("blue")}, remove("blue"), csms.CodeNotFound},
		{"L16 a deleted label is shown", []step{create("blue"), remove("blue")}, showStage("blue"), csms.CodeNotFound},
		{"S7 existence of the version comes before the state", pending, move("blue", "v9"), csms.CodeNotFound},
		{"S7 existence of the label comes before the state", pending, remove("green"), csms.CodeNotFound},
		{"S7 the built-in names come before the state", pending, remove(current), csms.CodeSystemStage},
		{"S7 the form of a list comes before the state", pending, create("blue", "blue"), csms.CodeInvalid},
		{"L9 a list of thirteen comes before the state, as every form of a list", pending, create(names(13)...), csms.CodeStageQuota},
		{"L9 a list of thirteen that names a label twice is too long first", nil, create(append(names(12), "l1")...), csms.CodeStageQuota},
		{"S7 the form of a list comes before the quota", labels(11), create("l12", "l12"), csms.CodeInvalid},
		{"S7 the state comes before the quota", append(labels(11), schedule(7)), move("l12", "v1"), csms.CodePendingDeletion},
		{"S7 the state comes before the quota of a creation", append(labels(11), schedule(7)), create("l12"), csms.CodePendingDeletion},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSecret()
			live(t, s, c.before...)
			refuses(t, s, c.do, start+day, c.want)
		})
	}
}

func TestAtMostTwelveLabels_L2_L15(t *testing.T) {
	const current, previous = csms.StageCurrent, csms.StagePrevious
	full := labels(11)                                 // SYSCURRENT and eleven more
	fullBoth := append([]step{create()}, full[:10]...) // both built-in labels and ten more
	for _, c := range []struct {
		name   string
		before []step
		do     step
		want   csms.Code
	}{
		{"L2 the twelfth label by a move", full[:10], move("l12", "v1"), ""},
		{"L15 the thirteenth label by a move", full, move("l12", "v1"), csms.CodeStageFull},
		{"L15 SYSPREVIOUS as the thirteenth label by a move", full, move(previous, "v1"), csms.CodeStageFull},
		{"L11 a label that exists moves while the quota is full", full, move("l3", "v1"), ""},
		{"L12 SYSCURRENT moves while the quota is full", full, move(current, "v1"), ""},
		{"L2 a removed label makes room", append(slices.Clone(full), remove("l1")), move("l12", "v1"), ""},
		{"L2 the twelfth label by a creation", full[:10], create("l12"), ""},
		{"L15 the thirteenth label by a creation", full, create("l12"), csms.CodeStageQuota},
		{"L15 twelve labels and two by a creation", full[:10], create("l12", "l13"), csms.CodeStageQuota},
		{"L10 listed labels that exist do not count again", full, create(names(11)...), ""},
		{"L10 one of the listed labels is new and too many", full, create("l1", "l12"), csms.CodeStageQuota},
		{"L4 a plain version with both built-in labels in use", fullBoth, create(), ""},
		{"L4 a plain version would make SYSPREVIOUS the thirteenth", full, create(), csms.CodeStageQuota},
		{"L5 SYSCURRENT in a list would make SYSPREVIOUS the thirteenth", full, create(current, "l1"), csms.CodeStageQuota},
		{"L5 SYSCURRENT and eleven labels would make thirteen", nil, create(append(names(11), current)...), csms.CodeStageQuota},
		{"L5 SYSCURRENT and ten labels make twelve", nil, create(append(names(10), current)...), ""},
		{"L6 a list of eleven beside SYSCURRENT", nil, create(names(11)...), ""},
		{"L6 a list of twelve beside SYSCURRENT", nil, create(names(12)...), csms.CodeStageQuota},
		{"L7 both built-in labels and ten more", nil, create(append(names(10), current, previous)...), ""},
		{"L15 a list of thirteen", nil, create(names(13)...), csms.CodeStageQuota},
		{"L15 a list of thirteen that are all in use but one", full, create(append(names(12), current)...), csms.CodeStageQuota},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSecret()
			live(t, s, c.before...)
			if c.want != "" {
				refuses(t, s, c.do, start+day, c.want)
				return
			}
			wantCode(t, c.do(s, start+day), "")
			if n := len(s.Stages); n > 12 {
				t.Errorf("the secret has %d labels", n)
			}
		})
	}
}

func TestMoveStampsTheLabelAlone_L11_L12(t *testing.T) {
	s := newSecret()
	live(t, s, create("blue"), create())
	want := s.Clone()
	i := slices.IndexFunc(want.Stages, func(st csms.Stage) bool { return st.Name == "blue" })
	want.Stages[i].UpdateTime = start + day
	moved, err := s.MoveStage("blue", "v2", start+day)
	wantCode(t, err, "")
	if diff := cmp.Diff(*moved, csms.Stage{Name: "blue", Version: 2, UpdateTime: start + day}); diff != "" {
		t.Errorf("the answer (-got +want):\n%s", diff)
	}
	if diff := cmp.Diff(s, want); diff != "" {
		t.Errorf("the secret (-got +want):\n%s", diff)
	}
}

func TestACreationStampsTheLabelsItMoves_L4(t *testing.T) {
	s := newSecret()
	live(t, s, create(), move("blue", "v1"), create())
	want := []csms.Stage{ // ascending by name
		{Name: csms.StageCurrent, Version: 3, UpdateTime: start + 3*second},
		{Name: csms.StagePrevious, Version: 2, UpdateTime: start + 3*second},
		{Name: "blue", Version: 1, UpdateTime: start + 2*second},
	}
	if diff := cmp.Diff(s.Stages, want); diff != "" {
		t.Errorf("labels (-got +want):\n%s", diff)
	}
}

func TestStageShowsWhereTheLabelSits_L18(t *testing.T) {
	s := newSecret()
	live(t, s, create("blue"))
	got, err := s.Stage("blue")
	wantCode(t, err, "")
	if diff := cmp.Diff(*got, csms.Stage{Name: "blue", Version: 2, UpdateTime: start + second}); diff != "" {
		t.Errorf("the label (-got +want):\n%s", diff)
	}
	_, err = s.Stage("Blue")
	wantCode(t, err, csms.CodeNotFound)
}

func TestStagesOfListsTheLabelsOfAVersionByName_L1(t *testing.T) {
	s := newSecret()
	live(t, s, create("z", "a", "m"), create())
	for number, want := range map[int][]string{
		1: {csms.StagePrevious}, 2: {"a", "m", "z"}, 3: {csms.StageCurrent}, 4: {},
	} {
		if diff := cmp.Diff(s.StagesOf(number), want); diff != "" {
			t.Errorf("labels of v%d (-got +want):\n%s", number, diff)
		}
	}
}

func TestTheLastLabelGoneLeavesTheVersion_L17(t *testing.T) {
	s := newSecret()
	live(t, s, create("blue"), remove("blue"))
	if got := s.StagesOf(2); len(got) != 0 {
		t.Errorf("v2 has the labels %q, want none", got)
	}
	wantCode(t, readValue("v2")(s, start+day), "")
	live(t, s, plain(18)...) // up to the cap
	wantCode(t, readValue("v2")(s, start+day), "")
	live(t, s, create())
	wantCode(t, readValue("v2")(s, start+day), "")
	live(t, s, create(), create())
	wantCode(t, readValue("v2")(s, start+day), csms.CodeNotFound)
}
