package httpapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"coffer/internal/testkit"
)

// FuzzMarker sends any query to ListSecrets and ListSecretVersions. It is answered or
// refused, never a failure of the server, and what a page shows lies after its marker
// (P1 to P4, V12).
func FuzzMarker(f *testing.F) {
	for _, query := range []string{
		"", "limit=2", "limit=0", "limit=0001", "limit=10000", "marker=b", "marker=a%00", "marker=%ff", "marker=..", "limit=1&marker=",
		"marker=v1", "marker=latest", "marker=v00000000001", "event_name=x", "event_name=%20", "marker=a;limit=1", "limit=1&limit=2", "%zz",
	} {
		f.Add(query)
	}
	k := testkit.New(f, testkit.Options{})
	for _, name := range []string{"a", "a-b", "b", "z_9"} {
		if w := k.Do(testkit.Owner, "POST", path("secrets"), `{"name":"`+name+`","secret_string":"v"}`); w.Code != http.StatusOK {
			f.Fatal(w.Body)
		}
	}
	f.Fuzz(func(t *testing.T, query string) {
		for _, target := range []string{path("secrets"), path("secrets/a/versions")} {
			r := httptest.NewRequest("GET", target, nil)
			r.URL.RawQuery, r.RequestURI = query, target+"?"+query
			k.Sign(testkit.Owner, r, "")
			checkPage(t, r, k.Send(r))
		}
	})
}

func checkPage(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
	if w.Code == http.StatusBadRequest {
		return
	}
	var page struct {
		Secrets []struct{ Name string }
		Info    struct {
			Next *string `json:"next_marker"`
		} `json:"page_info"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &page); w.Code != http.StatusOK || err != nil {
		t.Fatalf("%q: %d %s", r.URL.RawQuery, w.Code, w.Body)
	}
	marker := r.URL.Query().Get("marker")
	for _, s := range page.Secrets {
		if s.Name <= marker {
			t.Fatalf("%q shows %q", r.URL.RawQuery, s.Name)
		}
	}
	if page.Info.Next != nil && *page.Info.Next == "" {
		t.Fatalf("%q: next_marker is empty", r.URL.RawQuery)
	}
}
