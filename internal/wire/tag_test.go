package wire

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/csms"
)

// C14, T10: digits as text or as a number; nothing else.
func TestNumber(t *testing.T) {
	for body, want := range map[string]int{
		`{}`: 7, `{"limit":null}`: 7, `{"limit":"25"}`: 25, `{"limit":25}`: 25, `{"limit":0}`: 0, `{"limit":"0010"}`: 10, `{"limit":999999999}`: 999999999,
	} {
		var q InstancesRequest
		if err := Decode([]byte(body), &q); err != nil || q.Limit.Or(7) != want {
			t.Errorf("%s: %d, %v; want %d", body, q.Limit.Or(7), err, want)
		}
	}
	for _, value := range []string{`""`, `"-1"`, `-1`, `1.0`, `1e2`, `"+1"`, `" 1"`, `"1_0"`, `"1000000000"`, `"٣"`, `true`, `[]`, `{}`, `"\u0031"`} {
		var q InstancesRequest
		if err := Decode([]byte(`{"offset":`+value+`}`), &q); csms.CodeOf(err) != csms.CodeInvalid {
			t.Errorf("%s: %v; want CSMS.0002", value, err)
		}
	}
}

// Whatever a body holds, a number that is taken is one of its digits.
func FuzzNumber(f *testing.F) {
	for _, seed := range []string{`1`, `"12"`, `null`, `-1`, `"1e3"`, `"999999999"`, `[1]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		var n Number
		if !json.Valid([]byte(value)) || json.Unmarshal([]byte(value), &n) != nil {
			return
		}
		got := n.Or(-1)
		digits := strings.Trim(strings.TrimSpace(value), `"`)
		if want, err := strconv.Atoi(digits); digits != "null" && (err != nil || got != want || got > 999_999_999) {
			t.Fatalf("%s was taken as %d", value, got)
		}
	})
}

// T9: the answer of a count has no array, that of a filter always has one.
func TestInstanceListOfACount(t *testing.T) {
	for want, list := range map[string]InstanceList{
		`{"resources":null,"total_count":3}`: {TotalCount: 3},
		`{"resources":[],"total_count":3}`:   {Resources: []ResourceInstance{}, TotalCount: 3},
	} {
		got, err := Marshal(list)
		if diff := cmp.Diff(want, string(got)); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}
