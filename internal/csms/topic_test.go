package csms

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// neighbours.md 2.1: urn:smn:<region>:<project>:<topic>.
func TestTopicURN(t *testing.T) {
	const text = "urn:smn:cn-north-4:p:ops_1"
	urn, ok := ParseTopicURN(text)
	if want := (TopicURN{"cn-north-4", "p", "ops_1"}); !ok || urn != want || urn.String() != text {
		t.Errorf("ParseTopicURN = %+v, %v", urn, ok)
	}
	for _, bad := range []string{"", "ops", "urn:smn:r:p", "urn:smn::p:t", "urn:smn:r::t", "urn:smn:r:p:", "urn:smn:r:p:t:x", "urn:fss:r:p:t", "URN:smn:r:p:t", "urn:smn:r:p:a b", "urn:smn:r:p:-a"} {
		if _, ok := ParseTopicURN(bad); ok {
			t.Errorf("%q counts as a URN", bad)
		}
	}
}

func FuzzTopicURN(f *testing.F) {
	f.Add("urn:smn:cn-north-4:c0000000000000000000000000000001:ops")
	f.Add("urn:smn:r:p:a:b")
	f.Fuzz(func(t *testing.T, text string) {
		urn, ok := ParseTopicURN(text)
		if ok && (urn.String() != text || CheckTopicName(urn.Name) != nil) {
			t.Errorf("%q is read as %+v", text, urn)
		}
	})
}

func TestMergeTags(t *testing.T) {
	have := []Tag{{"a", "1"}, {"c", "3"}}
	got, err := MergeTags(have, []Tag{{"d", "4"}, {"b", "2"}, {"c", "x"}})
	if want := []Tag{{"a", "1"}, {"b", "2"}, {"c", "x"}, {"d", "4"}}; err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("MergeTags = %v, %v", got, err)
	}
	if diff := cmp.Diff([]Tag{{"a", "1"}, {"c", "3"}}, have); diff != "" {
		t.Errorf("its argument was changed (-want +got):\n%s", diff)
	}
	var many []Tag
	for _, letter := range strings.Split("abcdefghijklmnopqrst", "") {
		many = append(many, Tag{Key: letter})
	}
	if _, err := MergeTags(many, []Tag{{"t", "x"}}); err != nil {
		t.Errorf("20 tags: %v", err)
	}
	if _, err := MergeTags(many, []Tag{{"u", "x"}}); CodeOf(err) != CodeSMNInvalid {
		t.Errorf("21 tags: %v", err)
	}
	if diff := cmp.Diff([]Tag{{"c", "3"}}, WithoutTags(have, []Tag{{"a", "other"}, {"z", ""}})); diff != "" {
		t.Errorf("WithoutTags (-want +got):\n%s", diff)
	}
}

// What the checks let through is what is delivered: never nothing, never too much.
func FuzzPublication(f *testing.F) {
	f.Add("s", "m", `{"default":"d"}`, "60")
	f.Add("", "m", "", "")
	f.Add("", "", `{"default":1}`, "-1")
	f.Add("", "", `[]`, "86401")
	f.Fuzz(func(t *testing.T, subject, message, structure, ttl string) {
		p := Publication{Subject: subject, Message: message, MessageStructure: structure, TimeToLive: ttl}
		text, err := p.Text()
		if err == nil && (text == "" || len(text) > maxPublished || structure == "" && text != message) {
			t.Errorf("%+v is delivered as %q", p, text)
		}
		const now = Millis(1_000_000)
		if at, err := p.Deadline(now); err == nil && (at <= now || at > now+24*60*60*1000) {
			t.Errorf("time_to_live %q ends at %d", ttl, at)
		}
	})
}
