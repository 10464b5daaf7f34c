package signature

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCanonicalURI(t *testing.T) {
	for name, c := range map[string]struct{ path, first, second string }{
		"plain":                      {"/v1/p/secrets", "/v1/p/secrets/", "/v1/p/secrets/"},
		"ends in a slash":            {"/v1/p/secrets/", "/v1/p/secrets/", "/v1/p/secrets/"},
		"empty":                      {"", "/", "/"},
		"root":                       {"/", "/", "/"},
		"never cleaned":              {"//v3/./a/../b//c", "//v3/./a/../b//c/", "//v3/./a/../b//c/"},
		"unreserved characters":      {"/aZ09-_.~", "/aZ09-_.~/", "/aZ09-_.~/"},
		"plus stays":                 {"/a+b", "/a%2Bb/", "/a%2Bb/"},
		"reserved characters":        {"/a:b@c!$&'()*,;=", "/a%3Ab%40c%21%24%26%27%28%29%2A%2C%3B%3D/", "/a%3Ab%40c%21%24%26%27%28%29%2A%2C%3B%3D/"},
		"encoded slash separates":    {"/a%2Fb", "/a/b/", "/a%252Fb/"},
		"encoded slash at the end":   {"/a%2f", "/a/", "/a%252f/"},
		"lower-case digits":          {"/%e4%b8%ad", "/%E4%B8%AD/", "/%25e4%25b8%25ad/"},
		"unneeded encoding":          {"/%41%7e", "/A~/", "/%2541%257e/"},
		"decoded once":               {"/%2541", "/%2541/", "/%252541/"},
		"raw bytes":                  {"/\xff\x00中", "/%FF%00%E4%B8%AD/", "/%FF%00%E4%B8%AD/"},
		"sequence cut short":         {"/a%4", "/a%254/", "/a%254/"},
		"percent sign at the end":    {"/a%", "/a%25/", "/a%25/"},
		"sequence that is not hex":   {"/a%zz%4g%g4", "/a%25zz%254g%25g4/", "/a%25zz%254g%25g4/"},
		"percent sign before a good": {"/%%41", "/%25A/", "/%25%2541/"},
	} {
		t.Run(name, func(t *testing.T) {
			got := []string{string(appendURI(nil, c.path, decoded)), string(appendURI(nil, c.path, asSent))}
			if diff := cmp.Diff(got, []string{c.first, c.second}); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCanonicalQuery(t *testing.T) {
	for name, c := range map[string]struct{ query, want string }{
		"empty":                       {"", ""},
		"only separators":             {"&&&", ""},
		"empty pieces":                {"&a=1&&b=2&", "a=1&b=2"},
		"no value":                    {"marker", "marker="},
		"empty value":                 {"marker=", "marker="},
		"no key":                      {"=v", "=v"},
		"first equals sign":           {"a=b=c", "a=b%3Dc"},
		"N11 semicolon is ordinary":   {"a=1;b=2", "a=1%3Bb%3D2"},
		"plus stays":                  {"a=x+y", "a=x%2By"},
		"slash is escaped":            {"a=/x", "a=%2Fx"},
		"by key":                      {"b=1&a=2&C=3", "C=3&a=2&b=1"},
		"by value":                    {"a=2&a=1&a=", "a=&a=1&a=2"},
		"shorter key first":           {"ab=1&a=2", "a=2&ab=1"},
		"by decoded key":              {"b=1&%61=2", "a=2&b=1"},
		"by decoded value":            {"a=z&a=%41&a=%E4", "a=A&a=z&a=%E4"},
		"decoded order, not escaped":  {"a=%7E&a=%7B", "a=%7B&a=~"},
		"equal keys encoded apart":    {"%61=2&a=1", "a=1&a=2"},
		"encoded separators":          {"a%26b=c%3Dd", "a%26b=c%3Dd"},
		"invalid sequence is literal": {"a=%zz&b=%4", "a=%25zz&b=%254"},
		"question mark":               {"a=b?c", "a=b%3Fc"},
		"repeated pair":               {"a=1&a=1", "a=1&a=1"},
	} {
		t.Run(name, func(t *testing.T) {
			var s scratch
			s.appendQuery(c.query)
			if diff := cmp.Diff(string(s.text), c.want); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSplitTarget(t *testing.T) {
	for target, want := range map[string][2]string{
		"/v1/p?a=1":                  {"/v1/p", "a=1"},
		"/v1/p":                      {"/v1/p", ""},
		"/v1?a=1?b":                  {"/v1", "a=1?b"},
		"//v3//projects":             {"//v3//projects", ""},
		"/a://b/c":                   {"/a://b/c", ""},
		"https://h:1/v1/p?u=http://": {"/v1/p", "u=http://"},
		"http://h?a=1":               {"", "a=1"},
		"http://h":                   {"", ""},
		"*":                          {"*", ""},
		"":                           {"", ""},
	} {
		path, query := SplitTarget(target)
		if got := [2]string{path, query}; got != want {
			t.Errorf("%s: got %q, want %q", target, got, want)
		}
	}
}

func TestNewMessage(t *testing.T) {
	t.Run("server sees the request line", func(t *testing.T) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(
			"GET //v1/%7Ea%2Fb/\"?q=%2f&e HTTP/1.1\r\nHost: h.example:8443\r\nX-Sdk-Date: D\r\n\r\n")))
		if err != nil {
			t.Fatal(err)
		}
		want := Message{
			Method: "GET", RawPath: `//v1/%7Ea%2Fb/"`, RawQuery: "q=%2f&e", Host: "h.example:8443",
			Header: http.Header{"X-Sdk-Date": {"D"}}, BodyHash: BodyHash(nil),
		}
		if diff := cmp.Diff(NewMessage(r, BodyHash(nil)), want); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("client request without Host goes to the host of its URL", func(t *testing.T) {
		r := &http.Request{Method: "GET", URL: &url.URL{Scheme: "https", Host: "h:1", Path: "/a b"}}
		if m := NewMessage(r, BodyHash(nil)); m.Host != "h:1" || m.RawPath != "/a%20b" {
			t.Errorf("got %+v", m)
		}
	})
	t.Run("client signs what it will send", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			m := NewMessage(r, BodyHash(nil))
			h, err := ParseHeader(r.Header.Get(AuthorizationHeader))
			if err == nil {
				err = vectorKey(t).Verify(&h, &m, RefuseUnsigned)
			}
			if err != nil {
				http.Error(w, err.Error(), http.StatusUnauthorized)
			}
		}))
		defer server.Close()
		for _, target := range []string{"", "/", "/v1/p/tags/env:prod%20@1+%E4%B8%AD?a=b+c&marker", "/a%2Fb//c?x=%7E"} {
			r, err := http.NewRequest(http.MethodGet, server.URL+target, nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("User-Agent", "coffer")
			m := NewMessage(r, BodyHash(nil))
			value, err := vectorKey(t).Sign(&m, []string{"host", "user-agent", "x-sdk-date"}, vectorTime())
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set(AuthorizationHeader, value)
			answer, err := server.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != http.StatusOK {
				t.Errorf("%q: status %d", target, answer.StatusCode)
			}
		}
	})
}

func TestMaskedRequest(t *testing.T) {
	header := goHeader("X-Security-Token", "SECRET1", "X-Auth-Token", "SECRET2", "Authorization", "SECRET3", "Cookie", "SECRET4")
	m := Message{Method: "GET", RawPath: "/v1/p", RawQuery: "a=1", Header: header, BodyHash: BodyHash(nil)}
	h := Header{SignedHeaders: "authorization;cookie;user-agent;x-auth-token;x-sdk-date;x-security-token"}
	got, err := MaskedRequest(&h, &m)
	if err != nil {
		t.Fatal(err)
	}
	want := "GET|/v1/p/|a=1|authorization:***|cookie:***|user-agent:" + goAgent +
		"|x-auth-token:***|x-sdk-date:" + vectorDate + "|x-security-token:***||" + h.SignedHeaders + "|" + emptyHexSum
	if diff := cmp.Diff(got, want); diff != "" {
		t.Error(diff)
	}
	if m.Header.Get("X-Security-Token") != "SECRET1" {
		t.Error("masking changed the request")
	}
}
