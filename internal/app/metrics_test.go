package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestMetrics: requests are counted by operation, status and code. No label holds
// what a caller chose, so their number is bounded.
func TestMetrics(t *testing.T) {
	s := serve(t, t.TempDir(), nil)
	c := s.owner(t)
	create(t, c, "db", "x")
	wantValue(t, c, "db", "x")
	refused(t, c, "GET", secretsPath+"/none", nil, http.StatusNotFound)
	wantMetric(t, s, `coffer_requests_total{code="",operation="CreateSecret",status="200"}`, 1)
	wantMetric(t, s, `coffer_requests_total{code="",operation="ShowSecretVersion",status="200"}`, 1)
	wantMetric(t, s, `coffer_requests_total{code="CSMS.0106",operation="ShowSecret",status="404"}`, 1)
	wantMetric(t, s, `coffer_request_duration_seconds_count{operation="CreateSecret"}`, 1)
	wantMetric(t, s, "coffer_certificate_not_after_seconds", float64(s.cert.current.Load().Leaf.NotAfter.Unix()))
	for _, name := range []string{"coffer_store_disk_bytes", "coffer_store_transactions_total", "coffer_store_batches_total", "go_goroutines", "process_resident_memory_bytes"} {
		if got := metrics(t, s)[name]; got <= 0 {
			t.Errorf("%s is %v", name, got)
		}
	}

	strange := func(i int) {
		refused(t, c, "GET", fmt.Sprintf("/chosen-%d", i), nil, http.StatusNotFound)
		refused(t, c, "GET", fmt.Sprintf("%s/chosen-%d", secretsPath, i), nil, http.StatusNotFound)
		refused(t, c, "PATCH", fmt.Sprintf("%s/chosen-%d", secretsPath, i), nil, http.StatusNotFound)
		refused(t, c.WithProject(fmt.Sprintf("chosen-%d", i)), "GET", secretsPath, nil, http.StatusForbidden)
	}
	strange(0)
	before := metrics(t, s)
	for i := range 50 {
		strange(i + 1)
	}
	after := metrics(t, s)
	if len(after) != len(before) {
		t.Errorf("%d series have become %d", len(before), len(after))
	}
	for series := range after {
		if strings.Contains(series, "chosen") || strings.Contains(series, "db") {
			t.Errorf("a label holds what a caller chose: %s", series)
		}
	}
}

// metrics returns every series with its value.
func metrics(t *testing.T, s *running) map[string]float64 {
	t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if w.Code != http.StatusOK {
		t.Fatalf("/metrics: %d %s", w.Code, w.Body)
	}
	out := map[string]float64{}
	for line := range strings.Lines(w.Body.String()) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndex(line, " ")
		value, err := strconv.ParseFloat(strings.TrimSpace(line[at:]), 64)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out[line[:at]] = value
	}
	return out
}

func wantMetric(t *testing.T, s *running, series string, want float64) {
	t.Helper()
	all := metrics(t, s)
	if got, ok := all[series]; !ok || got != want {
		var names []string
		for name := range all {
			if strings.HasPrefix(name, "coffer_") && !strings.Contains(name, "_bucket") {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		t.Errorf("%s is %v, want %v; there are\n%s", series, got, want, strings.Join(names, "\n"))
	}
}
