package outgoing

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// P5: what a name must not lead to, unless it is allowed.
func TestCheck(t *testing.T) {
	private := []netip.Prefix{netip.MustParsePrefix("169.254.169.254/32"), netip.MustParsePrefix("127.0.0.0/8")}
	for address, want := range map[string][2]bool{ // refused, and refused with private allowed
		"8.8.8.8:443":              {false, false},
		"10.0.0.1:443":             {false, false},
		"[2001:db8::1]:443":        {false, false},
		"127.0.0.1:80":             {true, false},
		"127.9.9.9:80":             {true, false},
		"[::1]:80":                 {true, true},
		"[::ffff:127.0.0.1]:80":    {true, false},
		"0.0.0.0:80":               {true, true},
		"0.1.2.3:80":               {true, true},
		"[::]:80":                  {true, true},
		"169.254.169.254:80":       {true, false},
		"169.254.1.1:80":           {true, true},
		"[fe80::1%eth0]:80":        {true, true},
		"[64:ff9b::169.254.1.1]:1": {true, true},
		"[64:ff9b::8.8.8.8]:1":     {false, false},
		"100.100.100.200:80":       {true, true},
		"[fd00:ec2::254]:80":       {true, true},
		"224.0.0.1:80":             {true, true},
		"255.255.255.255:80":       {true, true},
		"nonsense":                 {true, true},
	} {
		for i, allow := range [][]netip.Prefix{nil, private} {
			if got := check(address, allow); errors.Is(got, ErrAddress) != want[i] || (got != nil) != want[i] {
				t.Errorf("check(%s, %v) = %v", address, allow, got)
			}
		}
	}
}

func TestDo(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/large", http.StatusFound)
		case "/large":
			_, _ = w.Write(make([]byte, 10*ResponseLimit))
		}
	}))
	defer server.Close()
	c := New(Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	defer c.Close()
	call := func(c *Client, url string) (int, []byte, error) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c.Do(t.Context(), r)
	}
	if status, _, err := call(c, server.URL+"/redirect"); status != http.StatusFound || err != nil {
		t.Errorf("redirect: %d, %v; it must not be followed", status, err)
	}
	if status, body, err := call(c, server.URL+"/large"); status != http.StatusOK || len(body) != ResponseLimit || err != nil {
		t.Errorf("large: %d, %d bytes, %v", status, len(body), err)
	}
	if _, _, err := call(New(Options{}), server.URL+"/?token=CANARY"); !errors.Is(err, ErrAddress) || strings.Contains(err.Error(), "CANARY") {
		t.Errorf("loopback: %v", err)
	}
}
