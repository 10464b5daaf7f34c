package csms

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

// neighbours.md 2.4: 5 s doubling to 1 h, and an end after 24 h.
func TestNextTry(t *testing.T) {
	const fired = 1_000_000
	var pauses []Millis
	now := Millis(fired)
	for attempts := 1; ; attempts++ {
		next, again := NextTry(fired, attempts, now)
		if !again {
			break
		}
		pauses = append(pauses, (next-now)/1000)
		now = next
	}
	want := []Millis{5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560}
	for range 22 {
		want = append(want, 3600)
	}
	want = append(want, 86400-5115-22*3600)
	if diff := cmp.Diff(want, pauses); diff != "" || now != fired+dayMillis {
		t.Errorf("pauses in seconds (-want +got):\n%s\nlast try at %d", diff, now-fired)
	}
	if _, again := NextTry(fired, 1, fired+10*dayMillis); again {
		t.Error("a message that waited ten days is tried twice")
	}
	if at, again := NextTry(fired, 1<<30, fired); !again || at != fired+longestPause {
		t.Errorf("after very many attempts: %d, %v", at, again)
	}
}

// E10: at most 255 characters, whole ones.
func TestNotificationContent(t *testing.T) {
	for _, n := range []int{0, 1, 255} {
		text := strings.Repeat("中", n)
		if got := NotificationContent([]byte(text)); got != text {
			t.Errorf("%d characters are cut to %d", n, utf8.RuneCountInString(got))
		}
	}
	for _, n := range []int{256, 1000} {
		got := NotificationContent([]byte(strings.Repeat("中", n)))
		if utf8.RuneCountInString(got) != 255 || !utf8.ValidString(got) {
			t.Errorf("%d characters are cut to %d", n, utf8.RuneCountInString(got))
		}
	}
}

// The id is what receivers tell repetitions by: it is a UUID, the same whenever the
// same change runs again, and no other message has it.
func TestNextMessage(t *testing.T) {
	s := &Secret{ID: "00000000-0000-4000-8000-000000000001"}
	again := s.Clone()
	seen := map[string]bool{}
	for want := 1; want < 100; want++ {
		number, id := s.NextMessage(5)
		if number != want || !IsUUID(id) || seen[id] || id[14] != '8' || !strings.ContainsRune("89ab", rune(id[19])) {
			t.Fatalf("message %d: %d %s", want, number, id)
		}
		if _, same := again.NextMessage(5); same != id {
			t.Fatalf("message %d: %s, then %s", want, id, same)
		}
		seen[id] = true
	}
	restored := &Secret{ID: s.ID}
	if _, id := restored.NextMessage(6); seen[id] {
		t.Error("a message of an older state of the data has the id of another one")
	}
	other := &Secret{ID: "00000000-0000-4000-8000-000000000002"}
	if _, id := other.NextMessage(5); seen[id] {
		t.Error("two secrets have a message of one id")
	}
}

func TestMessageJSON(t *testing.T) {
	m := Message{
		Version: MessageVersion, EventID: "e", EventName: "nightly", EventType: SecretDeleted, Time: 1795248000000, Region: "r",
		DomainID: "d", ProjectID: "p", SecretID: "i", SecretName: "n", SecretType: Common,
	}
	want := `{"version":"1","event_id":"e","event_name":"nightly","event_type":"SECRET_DELETED","time":1795248000000,"region":"r",` +
		`"domain_id":"d","project_id":"p","secret_id":"i","secret_name":"n","secret_type":"COMMON"}`
	if got, err := m.JSON(); err != nil || string(got) != want {
		t.Errorf("JSON: %s, %v", got, err)
	}
	m.VersionID, m.RequestID, m.Operator, m.Detail = "v4", "q", "alice", "x"
	want = strings.TrimSuffix(want, "}") + `,"version_id":"v4","request_id":"q","operator":"alice","detail":"x"}`
	if got, err := m.JSON(); err != nil || string(got) != want {
		t.Errorf("JSON: %s, %v", got, err)
	}
}
