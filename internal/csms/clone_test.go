package csms_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"coffer/internal/csms"
)

// fill sets every field under v, however deep, to something random; lists may be
// nil, empty or have spare capacity. It fails on a kind of field it does not know,
// so that a new field of Secret cannot escape the properties below.
func fill(t *rapid.T, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), path+"."+v.Type().Field(i).Name)
		}
	case reflect.Slice:
		fillSlice(t, v, path)
	case reflect.String:
		v.SetString(rapid.StringMatching(`[a-z]{0,3}`).Draw(t, path))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, path))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64Range(-3, 1<<40).Draw(t, path))
	default:
		t.Fatalf("%s is a %s: teach this test, and look at Clone", path, v.Kind())
	}
}

func fillSlice(t *rapid.T, v reflect.Value, path string) {
	n := rapid.IntRange(-1, 3).Draw(t, path+" length")
	if n < 0 {
		v.SetZero()
		return
	}
	spare := rapid.IntRange(0, 2).Draw(t, path+" spare")
	v.Set(reflect.MakeSlice(v.Type(), n, n+spare))
	for i := range n {
		fill(t, v.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
}

// spoil changes every field under v where it stands, and counts what it changed.
func spoil(v reflect.Value) int {
	switch v.Kind() {
	case reflect.Struct:
		changed := 0
		for i := range v.NumField() {
			changed += spoil(v.Field(i))
		}
		return changed
	case reflect.Slice:
		changed := 0
		for i := range v.Len() {
			changed += spoil(v.Index(i))
		}
		return changed
	case reflect.String:
		v.SetString(v.String() + "!")
	case reflect.Bool:
		v.SetBool(!v.Bool())
	default:
		v.SetInt(v.Int() + 1)
	}
	return 1
}

func randomSecret(t *rapid.T) *csms.Secret {
	s := &csms.Secret{}
	fill(t, reflect.ValueOf(s).Elem(), "secret")
	return s
}

// snapshot is a copy that owes nothing to Clone.
func snapshot(s *csms.Secret) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // a Secret holds nothing that JSON cannot
	}
	return string(text)
}

func TestACloneIsEqualToItsOriginal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := randomSecret(t)
		clone := s.Clone()
		if !reflect.DeepEqual(s, clone) { // tells nil from empty too
			t.Fatalf("the clone (-original +clone):\n%s", cmp.Diff(s, clone))
		}
	})
}

func TestAChangeOfACloneNeverShowsInTheOriginal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := randomSecret(t)
		before := snapshot(s)
		if changed := spoil(reflect.ValueOf(s.Clone()).Elem()); changed < reflect.TypeFor[csms.Secret]().NumField()-4 {
			t.Fatalf("only %d fields were changed, so this says nothing", changed)
		}
		if diff := cmp.Diff(snapshot(s), before); diff != "" {
			t.Fatalf("the original changed (-got +want):\n%s", diff)
		}
		clone := s.Clone()
		before = snapshot(clone)
		spoil(reflect.ValueOf(s).Elem())
		if diff := cmp.Diff(snapshot(clone), before); diff != "" {
			t.Fatalf("a change of the original shows in the clone (-got +want):\n%s", diff)
		}
	})
}

func TestAppendingToACloneNeverReachesTheOriginal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := randomSecret(t)
		clone := s.Clone()
		clone.EventSubscriptions = append(clone.EventSubscriptions, "clone")
		clone.Replicas = append(clone.Replicas, csms.Replica{ID: "clone"})
		clone.Versions = append(clone.Versions, csms.Version{KMSKeyID: "clone"})
		clone.Stages = append(clone.Stages, csms.Stage{Name: "clone"})
		before := snapshot(clone)
		s.EventSubscriptions = append(s.EventSubscriptions, "original")
		s.Replicas = append(s.Replicas, csms.Replica{ID: "original"})
		s.Versions = append(s.Versions, csms.Version{KMSKeyID: "original"})
		s.Stages = append(s.Stages, csms.Stage{Name: "original"})
		if diff := cmp.Diff(snapshot(clone), before); diff != "" {
			t.Fatalf("both write to one memory (-got +want):\n%s", diff)
		}
	})
}

// TestOperationsOnACloneNeverShowInTheOriginal works with the operations, which
// shift the lists in place when they prune a version or remove a label.
func TestOperationsOnACloneNeverShowInTheOriginal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newSecret()
		s.Replicas, s.EventSubscriptions = make([]csms.Replica, 0, 4), make([]string, 0, 4)
		many := func(s *csms.Secret, now csms.Millis) error { // up to the cap
			for range csms.MaxVersions - 1 {
				if err := create()(s, now); err != nil {
					return err
				}
			}
			return nil
		}
		some := []step{
			many, create(), create("a"), create("b", "c"), create(csms.StageCurrent, csms.StagePrevious), move("a", "v1"), move("d", "v2"),
			remove("a"), remove("b"), setExpiry(csms.Latest, start+1000*day), setExpiry("v1", start+900*day),
			func(s *csms.Secret, now csms.Millis) error { s.Expire(now); return nil },
			update(csms.Patch{Description: ptr("x"), EventSubscriptions: &[]string{"e"}}),
			schedule(7), restore(), switchTo(csms.Disabled), switchTo(csms.Enabled),
		}
		steps := rapid.SliceOfN(rapid.SampledFrom(some), 0, 60)
		now := start
		carryOut := func(s *csms.Secret, list []step) {
			for _, do := range list {
				now += second
				_ = do(s, now) // what is refused changes nothing, which is as good here
			}
		}
		carryOut(s, steps.Draw(t, "before"))
		before := snapshot(s)
		carryOut(s.Clone(), steps.Draw(t, "on the clone"))
		if diff := cmp.Diff(snapshot(s), before); diff != "" {
			t.Fatalf("the original changed (-got +want):\n%s", diff)
		}
	})
}
