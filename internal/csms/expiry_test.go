package csms_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
)

const largest csms.Millis = 9_999_999_999_999 // of the times the wire takes (TS2)

func TestExpireTimeLiesInTheFuture_V9_TS3(t *testing.T) {
	for _, c := range []struct {
		name    string
		expire  csms.Millis
		now     csms.Millis
		want    csms.Millis
		refused bool
	}{
		{"TS3 the second is kept", 1729243021999, start, 1729243021000, false},
		{"TS3 a whole second stays", 1729243021000, start, 1729243021000, false},
		{"V9 the next second", start + second, start, start + second, false},
		{"V9 the next second, at the end of this one", start + second, start + 999, start + second, false},
		{"V9 now", start, start, 0, true},
		{"V9 one second ago", start - second, start, 0, true},
		{"V9 later, but in the second that now begins", start + 999, start, 0, true},
		{"V9 later in this second", start + 900, start + 500, 0, true},
		{"V9 negative", -1, start, 0, true},
		{"V9 the lowest number", -1 << 63, start, 0, true},
		{"TS2 the largest time of the wire", largest, start, 9_999_999_999_000, false},
		{"TS2 a time past it", largest + 1, start, 0, true},
		{"TS2 the highest number", 1<<63 - 1, start, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			created, updated := newSecret(), newSecret()
			if c.refused {
				refuses(t, created, createExpiring(c.expire), c.now, csms.CodeInvalid)
				refuses(t, updated, setExpiry("v1", c.expire), c.now, csms.CodeInvalid)
				return
			}
			wantCode(t, createExpiring(c.expire)(created, c.now), "")
			wantCode(t, setExpiry("v1", c.expire)(updated, c.now), "")
			if got := created.Versions[1].ExpireTime; got != c.want {
				t.Errorf("a created version expires at %d, want %d", got, c.want)
			}
			if got := updated.Versions[0].ExpireTime; got != c.want {
				t.Errorf("an updated version expires at %d, want %d", got, c.want)
			}
		})
	}
}

func TestUpdateVersionDemandsAnExpiry_V10(t *testing.T) {
	refuses(t, newSecret(), setExpiry("v1", 0), start, csms.CodeInvalid)
}

func TestUpdateVersionChangesExpireTimeAlone_V10(t *testing.T) {
	for id, number := range map[string]int{"v1": 1, csms.Latest: 2, "v3": 3} {
		t.Run(id, func(t *testing.T) {
			s := newSecret()
			live(t, s, create(), create("blue"))
			want := s.Clone()
			want.Versions[number-1].ExpireTime = start + day
			v, err := s.SetExpiry(id, start+day, start+9*second)
			wantCode(t, err, "")
			if diff := cmp.Diff(*v, want.Versions[number-1]); diff != "" {
				t.Errorf("the answer (-got +want):\n%s", diff)
			}
			if diff := cmp.Diff(s, want); diff != "" {
				t.Errorf("the secret (-got +want):\n%s", diff)
			}
		})
	}
}

func TestUpdateVersionIsRefused(t *testing.T) {
	pending := []step{schedule(7)}
	for _, c := range []struct {
		name   string
		before []step
		do     step
		want   csms.Code
	}{
		{"V8 an unknown version", nil, setExpiry("v2", start+day), csms.CodeNotFound},
		{"V8 a word that fits the path", nil, setExpiry("newest", start+day), csms.CodeNotFound},
		{"V8 a word that does not fit the path", nil, setExpiry("v1/x", start+day), csms.CodeInvalid},
		{"S7 a past expiry before an unknown version", nil, setExpiry("v2", start-day), csms.CodeInvalid},
		{"S7 a past expiry before the state", pending, setExpiry("v1", start-day), csms.CodeInvalid},
		{"S7 an unknown version before the state", pending, setExpiry("v2", start+day), csms.CodeNotFound},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSecret()
			live(t, s, c.before...)
			refuses(t, s, c.do, start+second, c.want)
		})
	}
}

func TestEachSettingOfExpireTimeIsAnnouncedOnce_V10_E8(t *testing.T) {
	s := newSecret()
	live(t, s, createExpiring(start+60*second), createExpiring(start+90*second))
	announced := func(at csms.Millis, want ...string) {
		t.Helper()
		got := []string{}
		for _, v := range s.Expire(at) {
			got = append(got, v.ID())
		}
		if diff := cmp.Diff(got, append([]string{}, want...)); diff != "" {
			t.Errorf("announced at %d (-got +want):\n%s", at, diff)
		}
	}
	announced(start + 60*second - 1)
	announced(start+60*second, "v2")
	announced(start + 60*second)
	announced(start+100*second, "v3")
	announced(start + 1000*day)

	wantCode(t, setExpiry("v2", start+200*second)(s, start+100*second), "")
	announced(start + 200*second - 1)
	announced(start+300*second, "v2")
	announced(start + 300*second)

	wantCode(t, setExpiry("v2", start+400*second)(s, start+300*second), "")
	wantCode(t, setExpiry("v2", start+500*second)(s, start+300*second), "")
	announced(start + 499*second)
	announced(start+500*second, "v2")
}

func TestAnExpiredVersionStaysReadable_V9(t *testing.T) {
	s := newSecret()
	live(t, s, createExpiring(start+60*second))
	if fired := s.Expire(start + day); len(fired) != 1 {
		t.Fatalf("%d versions expired, want 1", len(fired))
	}
	wantCode(t, readValue("v2")(s, start+day), "")
	wantCode(t, readValue(csms.Latest)(s, start+day), "")
	if diff := cmp.Diff(labelsOf(s), map[string]string{csms.StageCurrent: "v2", csms.StagePrevious: "v1"}); diff != "" {
		t.Errorf("labels (-got +want):\n%s", diff)
	}
}
