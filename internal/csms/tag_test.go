package csms_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"coffer/internal/csms"
)

// tagged returns an ENABLED secret with those tags.
func tagged(t testing.TB, tags ...csms.Tag) *csms.Secret {
	t.Helper()
	s := csms.New(csms.Creation{ID: "id", Name: "db", Kind: csms.Text}, 1000)
	if err := s.SetTags(tags); err != nil {
		t.Fatal(err)
	}
	return s
}

// numbered returns tags k0 to k<n-1>.
func numbered(n int) []csms.Tag {
	tags := make([]csms.Tag, n)
	for i := range tags {
		tags[i] = csms.Tag{Key: fmt.Sprint("k", i), Value: "old"}
	}
	return tags
}

func wantCode(t *testing.T, err error, want csms.Code) {
	t.Helper()
	if got := csms.CodeOf(err); got != want {
		t.Errorf("error %v; want code %q", err, want)
	}
}

// T2: 1 to 128 characters of the alphabet, no space at an end, not _sys_.
func TestCheckTagKey(t *testing.T) {
	for name, key := range map[string]string{
		"one character":          "k",
		"punctuation":            "_.:=+-@",
		"space inside":           "a b",
		"no-break space inside":  "a\u00a0b",
		"letters of a language":  "环境Größeключ",
		"digits of a language":   "٣½Ⅷ",
		"128 characters":         strings.Repeat("中", 128),
		"_sys_ inside":           "a_sys_",
		"_sys_ in capitals":      "_SYS_a",
		"_sys without underline": "_sys",
		"dots":                   "..",
	} {
		if err := csms.CheckTagKey(key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, key := range map[string]string{
		"empty":                   "",
		"129 characters":          strings.Repeat("k", 129),
		"129 wide characters":     strings.Repeat("中", 129),
		"space before":            " a",
		"space after":             "a ",
		"no-break space before":   "\u00a0a",
		"ideographic space after": "a\u3000",
		"space only":              " ",
		"tab":                     "a\tb",
		"line break":              "a\nb",
		"zero byte":               "a\x00b",
		"slash":                   "a/b",
		"system prefix":           "_sys_a",
		"system prefix alone":     "_sys_",
		"combining mark":          "e\u0301",
		"symbol":                  "a€",
		"quote":                   `a"`,
		"no UTF-8":                "a\xff",
		"replacement character":   "a\ufffd",
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, csms.CheckTagKey(key), csms.CodeInvalid) })
	}
}

// T2: up to 255 characters of the alphabet and the slash, spaces anywhere.
func TestCheckTagsOfAValue(t *testing.T) {
	check := func(value string) error { return csms.CheckTags([]csms.Tag{{Key: "k", Value: value}}) }
	for name, value := range map[string]string{
		"empty": "", "spaces": "  ", "slash": "a/b", "system prefix": "_sys_a", "255 characters": strings.Repeat("中", 255),
	} {
		if err := check(value); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, value := range map[string]string{
		"256 characters": strings.Repeat("v", 256), "tab": "a\t", "symbol": "50%", "no UTF-8": "\xff",
	} {
		t.Run(name, func(t *testing.T) { wantCode(t, check(value), csms.CodeInvalid) })
	}
}

// T2: the hand-coded alphabets are those of the published patterns.
func TestTagAlphabetsAreThePublishedOnes(t *testing.T) {
	keys := regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:=+\-@]{1,128}$`)
	values := regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]{0,255}$`)
	edge := func(r rune) bool { return unicode.Is(unicode.Z, r) }
	text := rapid.OneOf(
		rapid.StringOfN(rapid.RuneFrom([]rune("a9 _sy.:/=+-@\u00a0\u3000中٣!\t")), 0, 12, -1),
		rapid.StringMatching(`_sys_.*`), rapid.String(),
	)
	rapid.Check(t, func(t *rapid.T) {
		s := text.Draw(t, "text")
		first, _ := utf8.DecodeRuneInString(s)
		last, _ := utf8.DecodeLastRuneInString(s)
		isKey := keys.MatchString(s) && !edge(first) && !edge(last) && !strings.HasPrefix(s, "_sys_")
		if err := csms.CheckTagKey(s); (err == nil) != isKey {
			t.Fatalf("key %q: %v", s, err)
		}
		if err := csms.CheckTags([]csms.Tag{{Key: "k", Value: s}}); (err == nil) != values.MatchString(s) {
			t.Fatalf("value %q: %v", s, err)
		}
	})
}

// T5: 1 to 20 items, no key twice; a value counts only where it is set.
func TestCheckTags(t *testing.T) {
	twice := []csms.Tag{{Key: "a", Value: "1"}, {Key: "A"}, {Key: "a", Value: "2"}}
	badValue := []csms.Tag{{Key: "a", Value: "50%"}}
	cases := map[string]struct {
		tags        []csms.Tag
		set, remove csms.Code
	}{
		"one":        {numbered(1), "", ""},
		"20":         {numbered(20), "", ""},
		"none":       {nil, csms.CodeInvalid, csms.CodeInvalid},
		"21":         {numbered(21), csms.CodeInvalid, csms.CodeInvalid},
		"key twice":  {twice, csms.CodeInvalid, csms.CodeInvalid},
		"other case": {twice[:2], "", ""},
		"bad key":    {[]csms.Tag{{Key: "a/b"}}, csms.CodeInvalid, csms.CodeInvalid},
		"bad value":  {badValue, csms.CodeInvalid, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			wantCode(t, csms.CheckTags(c.tags), c.set)
			wantCode(t, csms.CheckTagKeys(c.tags), c.remove)
		})
	}
}

// T1, T3: tags are in order of key, and a key that is there gets the new value.
func TestSetTags(t *testing.T) {
	s := tagged(t, csms.Tag{Key: "b", Value: "1"}, csms.Tag{Key: "a"})
	if err := s.SetTags([]csms.Tag{{Key: "c", Value: "3"}, {Key: "b", Value: ""}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]csms.Tag{{Key: "a"}, {Key: "b"}, {Key: "c", Value: "3"}}, s.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if s.UpdateTime != 1000 {
		t.Errorf("N16: update_time = %d", s.UpdateTime)
	}
}

// T6: the 21st tag is refused and nothing is written; replacing values is not adding.
func TestSetTagsKeepsTheQuota(t *testing.T) {
	s := tagged(t, numbered(19)...)
	before := slices.Clone(s.Tags)
	wantCode(t, s.SetTags([]csms.Tag{{Key: "k0", Value: "new"}, {Key: "x"}, {Key: "y"}}), csms.CodeInvalid)
	if diff := cmp.Diff(before, s.Tags); diff != "" {
		t.Errorf("a refused call changed the tags (-before +after):\n%s", diff)
	}
	if err := s.SetTags([]csms.Tag{{Key: "x"}}); err != nil {
		t.Errorf("the 20th: %v", err)
	}
	replaced := numbered(19)
	for i := range replaced {
		replaced[i].Value = "new"
	}
	if err := s.SetTags(replaced); err != nil || len(s.Tags) != csms.MaxTags {
		t.Errorf("replacing values at the quota: %d tags, %v", len(s.Tags), err)
	}
}

// T4: by key; absent is 404 for one, nothing for many.
func TestRemoveTags(t *testing.T) {
	s := tagged(t, numbered(3)...)
	wantCode(t, s.RemoveTag("K0"), csms.CodeNotFound)
	if err := s.RemoveTag("k1"); err != nil {
		t.Error(err)
	}
	wantCode(t, s.RemoveTag("k1"), csms.CodeNotFound)
	if err := s.RemoveTags([]csms.Tag{{Key: "k1"}, {Key: "k2", Value: "another"}}); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff([]csms.Tag{{Key: "k0", Value: "old"}}, s.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

// The state table: tags change while a secret is ENABLED or DISABLED, and whether a
// key is there is told first.
func TestTagWritesByState(t *testing.T) {
	for state, want := range map[csms.State]csms.Code{
		csms.Enabled: "", csms.Disabled: "", csms.PendingDelete: csms.CodePendingDeletion, csms.Frozen: csms.CodeNotEnabled,
	} {
		t.Run(string(state), func(t *testing.T) {
			s := tagged(t, numbered(2)...)
			s.State = state
			before := slices.Clone(s.Tags)
			wantCode(t, s.RemoveTag("absent"), csms.CodeNotFound)
			wantCode(t, s.SetTags([]csms.Tag{{Key: "k0", Value: "new"}}), want)
			wantCode(t, s.RemoveTags([]csms.Tag{{Key: "k0"}}), want)
			wantCode(t, s.RemoveTag("k1"), want)
			if unchanged := cmp.Equal(before, s.Tags); unchanged != (want != "") {
				t.Errorf("tags %v", s.Tags)
			}
		})
	}
}

// DEL5: RestoreSecret keeps the tags.
func TestRestoreKeepsTags(t *testing.T) {
	s := tagged(t, numbered(2)...)
	if err := s.Schedule(7, 2000); err != nil {
		t.Fatal(err)
	}
	if err := s.Restore(3000); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(numbered(2), s.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
}

func TestCloneHasTagsOfItsOwn(t *testing.T) {
	s := tagged(t, numbered(2)...)
	if err := s.Clone().SetTags([]csms.Tag{{Key: "k0", Value: "new"}}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(numbered(2), s.Tags); diff != "" {
		t.Errorf("tags of the original (-want +got):\n%s", diff)
	}
}

// T7: the enterprise project is a system tag.
func TestSystemTags(t *testing.T) {
	want := []csms.Tag{{Key: "_sys_enterprise_project_id", Value: "0"}}
	if diff := cmp.Diff(want, tagged(t).SystemTags()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// After any history the tags are those of a map, in order, and never more than 20.
func TestTagsAreAMapAfterAnyHistory(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, model := tagged(t), map[string]string{}
		key := rapid.Custom(func(t *rapid.T) string { return fmt.Sprint("k", rapid.IntRange(0, 29).Draw(t, "key")) })
		some := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) csms.Tag {
			return csms.Tag{Key: key.Draw(t, "k"), Value: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "v")}
		}), 1, csms.MaxTags, func(t csms.Tag) string { return t.Key })
		rt.Repeat(map[string]func(*rapid.T){
			"set": func(rt *rapid.T) {
				tags, next := some.Draw(rt, "tags"), maps.Clone(model)
				for _, t := range tags {
					next[t.Key] = t.Value
				}
				if err := s.SetTags(tags); (err == nil) != (len(next) <= csms.MaxTags) {
					rt.Fatalf("SetTags to %d tags: %v", len(next), err)
				} else if err == nil {
					model = next
				}
			},
			"remove": func(rt *rapid.T) {
				tags := some.Draw(rt, "tags")
				for _, t := range tags {
					delete(model, t.Key)
				}
				if err := s.RemoveTags(tags); err != nil {
					rt.Fatal(err)
				}
			},
			"remove one": func(rt *rapid.T) {
				k := key.Draw(rt, "key")
				if _, known := model[k]; (s.RemoveTag(k) == nil) != known {
					rt.Fatalf("RemoveTag(%s) where known is %v", k, known)
				}
				delete(model, k)
			},
			"": func(rt *rapid.T) {
				var want []csms.Tag
				for _, k := range slices.Sorted(maps.Keys(model)) {
					want = append(want, csms.Tag{Key: k, Value: model[k]})
				}
				if diff := cmp.Diff(want, s.Tags, cmpopts.EquateEmpty()); diff != "" {
					rt.Fatalf("tags (-model +secret):\n%s", diff)
				}
			},
		})
	})
}
