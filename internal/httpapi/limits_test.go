package httpapi_test

import (
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"

	"coffer/internal/csms"
	"coffer/internal/testkit"
	"coffer/internal/wire"
)

// quote returns text as a JSON string.
func quote(t *testing.T, text string) string {
	t.Helper()
	b, err := wire.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestValueSize protects N6: 32768 bytes of the text as it is meant, or 32768
// characters of base64, fit, and one more does not.
func TestValueSize(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	binary := base64.StdEncoding.EncodeToString(make([]byte, 24576)) // 32768 characters
	tests := map[string]struct {
		field, value string
		fits         bool
	}{
		"32768 bytes":                     {"secret_string", strings.Repeat("x", 32768), true},
		"32769 bytes":                     {"secret_string", strings.Repeat("x", 32769), false},
		"16384 letters of two bytes":      {"secret_string", strings.Repeat("é", 16384), true},
		"16384 letters and one":           {"secret_string", strings.Repeat("é", 16384) + "x", false},
		"32768 bytes that take escapes":   {"secret_string", strings.Repeat("\x01", 32768), true},
		"32768 characters of base64":      {"secret_binary", binary, true},
		"32772 characters of base64":      {"secret_binary", binary + "AAAA", false},
		"32768 characters with padding":   {"secret_binary", binary[:32764] + "AA==", true},
		"32769 characters that are not":   {"secret_binary", binary + "=", false},
		"one byte":                        {"secret_string", "x", true},
		"32768 bytes of quotes and slash": {"secret_string", strings.Repeat(`"\`, 16384), true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			secret := strings.NewReplacer(" ", "_").Replace(name)
			body := fmt.Sprintf(`{"name":"%s",%q:%s}`, secret, tt.field, quote(t, tt.value))
			w := kit.Do(testkit.Owner, "POST", projectPath+"secrets", body)
			if !tt.fits {
				checkAnswer(t, w, 400, "CSMS.0002")
				return
			}
			checkAnswer(t, w, 200, "")
			checkValue(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets/"+secret+"/versions/v1", ""), tt.field, tt.value)
			w = kit.Do(testkit.Owner, "POST", projectPath+"secrets/"+secret+"/versions", fmt.Sprintf(`{%q:%s}`, tt.field, quote(t, tt.value)))
			checkAnswer(t, w, 200, "")
		})
	}
}

func checkValue(t *testing.T, w *httptest.ResponseRecorder, field, want string) {
	t.Helper()
	var a struct {
		Version map[string]any `json:"version"`
	}
	decodeAnswer(t, w, &a)
	if got := a.Version[field]; got != want || len(a.Version) != 2 {
		t.Errorf("read back: %.80q and %d members", got, len(a.Version))
	}
}

// TestValueSizeIsConfigurable protects C3.
func TestValueSizeIsConfigurable(t *testing.T) {
	kit := testkit.New(t, testkit.Options{Limits: csms.Limits{SecretsPerProject: 5, ValueBytes: 65536}})
	body := func(n int) string { return `{"name":"a","secret_string":"` + strings.Repeat("x", n) + `"}` }
	checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets", body(65537)), 400, "CSMS.0002")
	checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets", body(65536)), 200, "")
}

// TestDotsAreConfigurable protects the switch of N2.
func TestDotsAreConfigurable(t *testing.T) {
	kit := testkit.New(t, testkit.Options{Limits: csms.Limits{SecretsPerProject: 5, ValueBytes: 32768, DotsInNames: true}})
	checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"a.b","secret_string":"x"}`), 200, "")
	checkAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets/a.b/versions/latest", ""), 200, "")
	checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"a/b","secret_string":"x"}`), 400, "CSMS.0002")
}

// TestDescriptionSize protects N10: 2048 bytes on input, for creation and change.
func TestDescriptionSize(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	for text, fits := range map[string]bool{
		strings.Repeat("x", 2048): true, strings.Repeat("x", 2049): false,
		strings.Repeat("é", 1024): true, strings.Repeat("é", 1024) + "x": false,
	} {
		status, code := 200, ""
		if !fits {
			status, code = 400, "CSMS.0002"
		}
		checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"a","secret_string":"x","description":`+quote(t, text)+`}`), status, code)
		kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"a","secret_string":"x"}`)
		checkAnswer(t, kit.Do(testkit.Owner, "PUT", projectPath+"secrets/a", `{"description":`+quote(t, text)+`}`), status, code)
		checkAnswer(t, kit.Do(testkit.Owner, "DELETE", projectPath+"secrets/a", ""), 204, "")
	}
}

// TestBatchSize protects V13: 100 names, counted once each.
func TestBatchSize(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	kit.Do(testkit.Owner, "POST", projectPath+"secrets", `{"name":"a","secret_string":"x"}`)
	list := func(n int, name string) string {
		names := make([]string, n)
		for i := range names {
			names[i] = fmt.Sprintf(name, i)
		}
		return `{"secret_name_list":["` + strings.Join(names, `","`) + `"]}`
	}
	batch := func(body string) *httptest.ResponseRecorder {
		return kit.Do(testkit.Owner, "POST", projectPath+"secrets/batch-get-secret-value", body)
	}
	checkAnswer(t, batch(list(101, "n%d")), 400, "CSMS.0002")
	checkAnswer(t, batch(list(100, "n%d")), 404, "CSMS.0106")
	checkAnswer(t, batch(`{"secret_name_list":["a"`+strings.Repeat(`,"a"`, 100)+`]}`), 200, "")
}

// TestDefaultPage protects P1: fifty secrets to a page by default, a thousand at most
// to be asked for, and a marker that ends (P3).
func TestDefaultPage(t *testing.T) {
	kit := testkit.New(t, testkit.Options{})
	const secrets = 101
	for i := range secrets {
		checkAnswer(t, kit.Do(testkit.Owner, "POST", projectPath+"secrets", fmt.Sprintf(`{"name":"n%03d","secret_string":"x"}`, i)), 200, "")
	}
	var page struct {
		Secrets []struct {
			Name string `json:"name"`
		} `json:"secrets"`
		PageInfo struct {
			NextMarker     *string `json:"next_marker"`
			PreviousMarker *string `json:"previous_marker"`
			CurrentCount   int     `json:"current_count"`
		} `json:"page_info"`
	}
	var sizes, seen []string
	for marker, more := "", true; more; {
		page.Secrets, page.PageInfo.NextMarker = nil, nil
		decodeAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets?marker="+marker, ""), &page)
		for _, s := range page.Secrets {
			seen = append(seen, s.Name)
		}
		sizes = append(sizes, fmt.Sprint(page.PageInfo.CurrentCount))
		if more = page.PageInfo.NextMarker != nil; more {
			marker = *page.PageInfo.NextMarker
		}
	}
	if got := strings.Join(sizes, " "); got != "50 50 1" || len(seen) != secrets || seen[0] != "n000" || seen[100] != "n100" {
		t.Errorf("pages of %s secrets, from %s to %s", got, seen[0], seen[len(seen)-1])
	}
	decodeAnswer(t, kit.Do(testkit.Owner, "GET", projectPath+"secrets?limit=1000", ""), &page)
	if len(page.Secrets) != secrets {
		t.Errorf("a page of 1000 holds %d", len(page.Secrets))
	}
}
