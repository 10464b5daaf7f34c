package auth_test

import (
	"crypto/sha256"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/auth"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// Requests of auth.md 5.7 with the signatures given there, made by the official Go
// SDK (V) and by our verifier from the traffic of other clients (C).
func TestAuthenticate_accepts_the_vectors(t *testing.T) {
	golang := []string{"User-Agent", "huaweicloud-usdk-go/3.0", "X-Project-Id", vectorP, "X-Sdk-Date", vectorTime}
	tests := []struct {
		name, method, target, body, signed, signature string
		header                                        []string
	}{
		{
			name: "V1", method: "GET", header: golang, signed: "user-agent;x-project-id;x-sdk-date",
			target:    "/v1/" + vectorP + "/secrets?event_name=a%2Bb%3Dc%26d~e%2A&limit=10&marker=demo%20secret%2F1&tag=zeta&tag=Alpha&tag=%E4%B8%AD",
			signature: "a5362b9eb69c613328c56e1776b03b8d746b113be93eb8bff1072f017dce1fbf",
		},
		{
			name: "V2", method: "POST", header: golang, signed: "user-agent;x-project-id;x-sdk-date", target: "/v1/" + vectorP + "/secrets",
			body: `{"name":"demo-secret","secret_string":"p@ss <word>&"}` + "\n", signature: "c5ef96f28a13a81c0dfad379990c2d830da0f238563948f3e45a4d336442d610",
		},
		{
			name: "V4", method: "POST", header: golang, signed: "user-agent;x-project-id;x-sdk-date", target: "/v1/" + vectorP + "/secrets/demo-secret/rotate",
			signature: "27cef0c2608eb0099800e8296a8f586a19ceff2e4f0b874b77665af55ecdff7d",
		},
		{
			name: "V6", method: "GET", header: []string{"X-Sdk-Date", vectorTime}, signed: "x-sdk-date", target: "/v3/projects?name=cn-north-4",
			signature: "e5339fb510e7f26bc80efa98667df1e940502c73a882ff3066b9252cf40df25f",
		},
		{
			name: "C2", method: "GET", header: []string{"Content-Type", "application/json", "X-Project-Id", vectorP, "X-Sdk-Date", vectorTime}, body: "{}",
			signed: "content-type;host;x-project-id;x-sdk-date", target: "/v1/" + vectorP + "/secrets/demo-secret/versions/latest",
			signature: "03f0f062215af47404afe20a6f9cfccd6ab08af03ba537baa510fc14a2ad4e83",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, auth.Options{})
			q := request{method: tt.method, target: tt.target, body: tt.body, header: append(slices.Clone(tt.header),
				"Authorization", "SDK-HMAC-SHA256 Access="+vectorKey+", SignedHeaders="+tt.signed+", Signature="+tt.signature)}
			c, err := f.send(q, nil)
			if err != nil {
				t.Fatal(err)
			}
			if c.UserID != owner || c.AccessKey != vectorKey || !c.Owner {
				t.Errorf("got user %s, access key %s, owner %v", c.UserID, c.AccessKey, c.Owner)
			}
		})
	}
}

func TestAuthenticate_describes_the_caller(t *testing.T) {
	f := newFixture(t, auth.Options{})
	q := get()
	q.key = readerKey
	got, err := f.send(q, nil)
	if err != nil {
		t.Fatal(err)
	}
	builtin, _ := iam.BuiltinPolicy("CSMS ReadOnlyAccess")
	want := iam.Caller{
		DomainID: home, DomainName: "acme", UserID: reader, UserName: "reader", PrincipalID: reader,
		ProjectID: vectorP, ProjectName: "self-1", AccessKey: readerKey, Policies: []*iam.Policy{builtin},
		SourceIP: netip.MustParseAddr("192.0.2.7"), Now: f.now,
	}
	same := cmp.Comparer(func(a, b *iam.Policy) bool { return a == b })
	if diff := cmp.Diff(want, got, same, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("caller (-want +got):\n%s", diff)
	}
}

// N1: a byte of whatever is signed.
func TestAuthenticate_refuses_what_was_changed_after_signing(t *testing.T) {
	tests := map[string]func(*http.Request){
		"path":   func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, "demo", "dem0", 1) },
		"query":  func(r *http.Request) { r.RequestURI += "?a=b" },
		"method": func(r *http.Request) { r.Method = "PUT" },
		"header": func(r *http.Request) { r.Header.Set("User-Agent", "huaweicloud-usdk-go/3.1") },
		"date":   func(r *http.Request) { r.Header.Set("X-Sdk-Date", "20261121T080001Z") },
		"signature": func(r *http.Request) {
			v := []byte(r.Header.Get("Authorization"))
			last := &v[len(v)-1]
			if *last == '0' {
				*last = '1'
			} else {
				*last = '0'
			}
			r.Header.Set("Authorization", string(v))
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, auth.Options{})
			_, err := f.send(get(), change)
			wantRefusal(t, err, "verify aksk signature fail")
		})
	}
	t.Run("body", func(t *testing.T) {
		f := newFixture(t, auth.Options{})
		q := get()
		q.method, q.body = "POST", `{"name":"a"}`
		_, err := f.Authenticate(t.Context(), f.received(q), []byte(`{"name":"b"}`))
		wantRefusal(t, err, "verify aksk signature fail")
	})
}

// N2: the window is 15 minutes either side, by wall time, whatever business time is.
func TestAuthenticate_judges_the_date_by_wall_time(t *testing.T) {
	tests := []struct {
		date, server, tail string
	}{
		{"20261121T080000Z", "20261121T081500Z", ""},
		{"20261121T080000Z", "20261121T074500Z", ""},
		{"20261121T080000Z", "20261121T081501Z", "calc aksk signature fail:signature expired, signature time:20261121T080000Z,server time:20261121T081501Z"},
		{"20261121T080000Z", "20261121T074459Z", "calc aksk signature fail:signature expired, signature time:20261121T080000Z,server time:20261121T074459Z"},
	}
	for _, tt := range tests {
		f := newFixture(t, auth.Options{})
		f.now += 30 * 86_400_000 // the held clock of dev mode was moved
		q := get()
		q.date = tt.date
		r := f.received(q)
		f.wall, _ = time.Parse("20060102T150405Z", tt.server)
		_, err := f.Authenticate(t.Context(), r, nil)
		if tt.tail == "" && err != nil {
			t.Errorf("server time %s: %v", tt.server, err)
		}
		if tt.tail != "" {
			wantRefusal(t, err, tt.tail)
		}
	}
}

// N3, N4, N12, N14, N15 and the syntax of the header.
func TestAuthenticate_refuses_malformed_signatures(t *testing.T) {
	authorization := func(change func(string) string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", change(r.Header.Get("Authorization"))) }
	}
	signing := func(list string) func(*http.Request) {
		return authorization(func(v string) string {
			i, j := strings.Index(v, "SignedHeaders=")+len("SignedHeaders="), strings.Index(v, ", Signature=")
			return v[:i] + list + v[j:]
		})
	}
	tests := map[string]func(*http.Request){
		"N3 no date":               func(r *http.Request) { r.Header.Del("X-Sdk-Date") },
		"N3 date not signed":       signing("user-agent;x-project-id"),
		"N3 malformed date":        func(r *http.Request) { r.Header.Set("X-Sdk-Date", "2026-11-21T08:00:00Z") },
		"N3 two dates":             func(r *http.Request) { r.Header.Add("X-Sdk-Date", vectorTime) },
		"N4 absent header":         signing("user-agent;x-absent;x-project-id;x-sdk-date"),
		"N12 wrong content hash":   func(r *http.Request) { r.Header.Set("X-Sdk-Content-Sha256", strings.Repeat("0", 64)) },
		"A4 unsigned payload":      func(r *http.Request) { r.Header.Set("X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD") },
		"N14 upper-case signature": authorization(func(v string) string { i := strings.Index(v, "Signature="); return v[:i] + strings.ToUpper(v[i:]) }),
		"N15 10 kB of headers":     signing(strings.Repeat("x-a;", 2500) + "x-sdk-date"),
		"N15 1000 names":           signing(strings.Repeat("a;", 1000) + "x-sdk-date"),
		"N15 duplicate names":      signing("user-agent;user-agent;x-sdk-date"),
		"other algorithm":          authorization(func(v string) string { return strings.Replace(v, "SHA256", "SM3", 1) }),
		"other scheme":             authorization(func(string) string { return "Bearer abc" }),
		"nothing":                  authorization(func(string) string { return "" }),
		"two values":               func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, auth.Options{})
			_, err := f.send(get(), change)
			wantRefusal(t, err, "calc aksk signature fail:")
		})
	}
}

// N5: unknown, inactive and ownerless keys have one answer, after the same work.
func TestAuthenticate_refuses_keys_without_force(t *testing.T) {
	tests := map[string]struct {
		key   string
		after func(*fixture)
	}{
		"unknown":         {key: "UNKNOWNACCESSKEY0001"},
		"inactive":        {key: idleKey},
		"owner disabled":  {key: goneKey},
		"owner deleted":   {key: readerKey, after: func(f *fixture) { f.update(func(tx *store.Tx) error { return tx.DeleteUser(&store.User{ID: reader}) }) }},
		"domain disabled": {key: readerKey, after: func(f *fixture) { f.changeDomain(func(d *store.Domain) { d.Enabled = false }) }},
		"deleted": {key: readerKey, after: func(f *fixture) {
			f.update(func(tx *store.Tx) error { return tx.DeleteAccessKey(&store.AccessKey{AccessKey: readerKey}) })
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, auth.Options{DebugSignatures: true})
			q := get()
			q.key = tt.key
			if tt.after != nil {
				if _, err := f.send(q, nil); err != nil {
					t.Fatal(err)
				}
				tt.after(f)
			}
			_, err := f.send(q, nil)
			wantRefusal(t, err, "ak "+tt.key+" not exist")
			_, err = f.send(q, func(r *http.Request) { r.Method = "PUT" })
			wantRefusal(t, err, "ak "+tt.key+" not exist")
		})
	}
}

// A secret key that is shown in place of the access key is repeated nowhere, in time or
// out of it.
func TestAuthenticate_withholds_a_secret_key_in_place_of_an_access_key(t *testing.T) {
	const secret = "MjdjLHIfyuNfwe6fSV3pdNghdbSWFmZf3R4cbtx2"
	for name, late := range map[string]time.Duration{"in time": 0, "late": time.Hour} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, auth.Options{DebugSignatures: true})
			f.wall = f.wall.Add(late)
			_, err := f.send(get(), func(r *http.Request) {
				r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), ownerKey, secret, 1))
			})
			wantRefusal(t, err, "")
			if strings.Contains(err.Error(), secret[:8]) || strings.Contains(f.log.String(), secret[:8]) {
				t.Errorf("the secret key is repeated: %v\n%s", err, f.log)
			}
			if !strings.Contains(f.log.String(), `access_key=(withheld)`) {
				t.Errorf("the log does not say that something was withheld:\n%s", f.log)
			}
		})
	}
}

func (f *fixture) changeDomain(change func(*store.Domain)) {
	f.t.Helper()
	f.update(func(tx *store.Tx) error {
		d, err := tx.Domain(home)
		if err != nil {
			return err
		}
		change(d)
		return tx.PutDomain(d)
	})
}

// N5: an early return for unknown keys would take a tenth of the time. The fastest
// of many runs that take turns is compared, so that the load of the machine does not
// matter.
func TestAuthenticate_spends_the_same_time_on_unknown_keys(t *testing.T) {
	f := newFixture(t, auth.Options{})
	keys := []string{readerKey, "UNKNOWNACCESSKEY0001", idleKey}
	requests, fastest := map[string]*http.Request{}, map[string]time.Duration{}
	for _, key := range keys {
		q := get()
		q.key = key
		requests[key], fastest[key] = f.received(q), time.Hour
		requests[key].Header.Set("User-Agent", "another, so that the signature is wrong")
	}
	for range 2000 {
		for _, key := range keys {
			start := time.Now()
			_, err := f.Authenticate(t.Context(), requests[key], nil)
			fastest[key] = min(fastest[key], time.Since(start))
			if err == nil {
				t.Fatal("a wrong signature was accepted")
			}
		}
	}
	known := fastest[readerKey]
	for _, key := range keys[1:] {
		if got := fastest[key]; got*2 < known || got > known*2 {
			t.Errorf("%s: %v, a known key: %v", key, got, known)
		}
	}
}

// N6, A8: the security token belongs to the key, signed or not.
func TestAuthenticate_binds_temporary_keys_to_their_security_token(t *testing.T) {
	f := newFixture(t, auth.Options{})
	temporary := func(token string) request {
		q := get()
		q.key = temporaryKey
		if token != "" {
			q.header = append(q.header, "X-Security-Token", token)
		}
		return q
	}
	c, err := f.send(temporary(securityToken), nil)
	if err != nil {
		t.Fatal(err)
	}
	list := iam.Request{Op: iam.ListSecrets, Region: "self-1", Domain: home, Project: vectorP}
	read := iam.Request{Op: iam.ShowSecret, Region: "self-1", Domain: home, Project: vectorP, SecretName: "a"}
	if c.Authorize(&list) != nil || c.Authorize(&read) == nil {
		t.Error("the session policy does not limit the caller")
	}
	_, err = f.send(temporary(""), func(r *http.Request) { r.Header.Set("X-Security-Token", securityToken) })
	if err != nil {
		t.Errorf("unsigned token, as Terraform sends it: %v", err)
	}
	_, err = f.send(temporary(""), nil)
	wantRefusal(t, err, "x-security-token not found")
	_, err = f.send(temporary("foreign"), nil)
	wantRefusal(t, err, "x-security-token does not belong")
	_, err = f.send(temporary(""), func(r *http.Request) { r.Header["X-Security-Token"] = []string{securityToken, securityToken} })
	wantRefusal(t, err, "x-security-token not found")

	q := get()
	q.header = append(q.header, "X-Security-Token", securityToken)
	_, err = f.send(q, nil)
	wantRefusal(t, err, "x-security-token is not expected")

	f.putKey(vectorKey, owner, func(k *store.AccessKey) { // V5 of auth.md 5.7
		k.Temporary = &store.Temporary{TokenHash: sha256.Sum256([]byte(securityToken)), ExpiresAt: f.now + 900_000}
	})
	v5 := get()
	v5.key, v5.header = "", append(v5.header, "X-Sdk-Date", vectorTime, "X-Security-Token", securityToken, "Authorization",
		"SDK-HMAC-SHA256 Access="+vectorKey+", SignedHeaders=user-agent;x-project-id;x-sdk-date;x-security-token, "+
			"Signature=4e63693da9fe6347a12f6488508a72f43bf4267efb6c5510e30709150a6d068d")
	if _, err := f.send(v5, nil); err != nil {
		t.Errorf("V5: %v", err)
	}

	f.now += 900_000
	_, err = f.send(temporary(securityToken), nil)
	wantRefusal(t, err, "token expires, expires_at: 2026-11-21T08:15:00.000000Z")
}

// N9: Terraform sends the same signed request twice in a second.
func TestAuthenticate_accepts_the_same_request_twice(t *testing.T) {
	f := newFixture(t, auth.Options{})
	r := f.received(get())
	for range 2 {
		if _, err := f.Authenticate(t.Context(), r, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// N10: the body of a GET is signed.
func TestAuthenticate_takes_the_body_of_a_GET_into_account(t *testing.T) {
	f := newFixture(t, auth.Options{})
	q := get()
	q.body = "{}"
	r := f.received(q)
	if _, err := f.Authenticate(t.Context(), r, []byte("{}")); err != nil {
		t.Fatal(err)
	}
	_, err := f.Authenticate(t.Context(), r, nil)
	wantRefusal(t, err, "verify aksk signature fail")
}

// N11: a semicolon is an ordinary character of a value.
func TestAuthenticate_reads_a_semicolon_in_a_query(t *testing.T) {
	f := newFixture(t, auth.Options{})
	q := get()
	q.target += "?a=1;b=2"
	if _, err := f.send(q, nil); err != nil {
		t.Fatal(err)
	}
	_, err := f.send(q, func(r *http.Request) { r.RequestURI = strings.Replace(r.RequestURI, ";", "&", 1) })
	wantRefusal(t, err, "verify aksk signature fail")
}

func TestAuthenticate_accepts_unsigned_payloads_only_when_told_to(t *testing.T) {
	q := get()
	q.method, q.body = "POST", "anything-here"
	q.header = append(q.header, "Content-Type", "application/octet-stream", "X-Sdk-Content-Sha256", "UNSIGNED-PAYLOAD")
	_, err := newFixture(t, auth.Options{}).send(q, nil)
	wantRefusal(t, err, "calc aksk signature fail:")
	if _, err := newFixture(t, auth.Options{AllowUnsignedPayload: true}).send(q, nil); err != nil {
		t.Error(err)
	}
}

// A1: the signature decides, also when it is wrong and the token is right; a value
// of another scheme is no signature.
func TestAuthenticate_prefers_the_signature(t *testing.T) {
	f := newFixture(t, auth.Options{})
	token := f.token(reader, toProject(vectorP))
	with := func(change func(*http.Request)) (iam.Caller, error) {
		return f.send(get(), func(r *http.Request) {
			r.Header.Set("X-Auth-Token", token)
			if change != nil {
				change(r)
			}
		})
	}
	if c, err := with(nil); err != nil || c.UserID != owner {
		t.Errorf("got user %q and %v, want the one who signed", c.UserID, err)
	}
	_, err := with(func(r *http.Request) { r.Method = "PUT" })
	wantRefusal(t, err, "verify aksk signature fail")
	if c, err := with(func(r *http.Request) { r.Header.Set("Authorization", "Basic YTpi") }); err != nil || c.UserID != reader {
		t.Errorf("got user %q and %v, want the one of the token", c.UserID, err)
	}
}

// Auth.md section 8: the canonical request helps, and credentials in it are masked.
func TestAuthenticate_explains_a_mismatch_in_debug_mode(t *testing.T) {
	f := newFixture(t, auth.Options{DebugSignatures: true})
	q := get()
	q.key = temporaryKey
	q.header = append(q.header, "X-Security-Token", securityToken)
	_, err := f.send(q, func(r *http.Request) { r.Method = "PUT" })
	wantRefusal(t, err, "verify aksk signature fail, canonicalRequest:PUT|/v1/"+vectorP+"/secrets/demo-secret/versions/latest/||user-agent:")
	if strings.Contains(err.Error(), securityToken) || !strings.Contains(err.Error(), "x-security-token:***|") {
		t.Errorf("the security token is not masked: %v", err)
	}
	_, err = newFixture(t, auth.Options{}).send(q, func(r *http.Request) { r.Method = "PUT" })
	if strings.Contains(err.Error(), "canonicalRequest") {
		t.Errorf("told without debug mode: %v", err)
	}
}

// Auth.md 5.3: clients that sign Host signed the public name.
func TestAuthenticate_tries_the_forwarded_host_of_a_trusted_proxy(t *testing.T) {
	q := get()
	q.signed = []string{"host", "x-sdk-date"}
	behind := func(r *http.Request) { r.Header.Set("X-Forwarded-Host", r.Host); r.Host = "10.0.0.9:9443" }
	proxies := []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	if _, err := newFixture(t, auth.Options{TrustedProxies: proxies}).send(q, behind); err != nil {
		t.Error(err)
	}
	_, err := newFixture(t, auth.Options{}).send(q, behind)
	wantRefusal(t, err, "verify aksk signature fail")
}

func TestAuthenticate_takes_derived_keys_of_its_region_only(t *testing.T) {
	sign := func(f *fixture, region string) *http.Request {
		q := get()
		r := f.received(q)
		r.Header.Del("Authorization")
		r.Header.Set("Authorization", f.derived(r, region))
		return r
	}
	tests := []struct {
		region  string
		options auth.Options
		good    bool
	}{
		{"self-1", auth.Options{}, true},
		{"cn-north-4", auth.Options{}, false},
		{"cn-north-4", auth.Options{RegionAliases: []string{"cn-north-4"}}, true},
		{"cn-north-4", auth.Options{AnyRegion: true}, true},
	}
	for _, tt := range tests {
		f := newFixture(t, tt.options)
		_, err := f.Authenticate(t.Context(), sign(f, tt.region), nil)
		if tt.good && err != nil {
			t.Errorf("%s: %v", tt.region, err)
		}
		if !tt.good {
			wantRefusal(t, err, "calc aksk signature fail:credential scope is of another region")
		}
	}
}

// A secret that does not open is our fault, and no answer of the gateway.
func TestAuthenticate_reports_a_damaged_key_as_internal(t *testing.T) {
	f := newFixture(t, auth.Options{})
	f.update(func(tx *store.Tx) error {
		k, err := tx.AccessKey(readerKey)
		if err != nil {
			return err
		}
		k.UserID = owner // moved to another user
		return tx.PutAccessKey(k)
	})
	q := get()
	q.key = readerKey
	_, err := f.send(q, nil)
	if csms.CodeOf(err) != csms.CodeInternal {
		t.Errorf("got %v, want an internal error", err)
	}
}

// A key counts as its record is now, however often it was used before.
func TestAuthenticate_follows_a_changed_secret(t *testing.T) {
	f := newFixture(t, auth.Options{})
	if _, err := f.send(get(), nil); err != nil {
		t.Fatal(err)
	}
	f.putSecret(ownerKey, "anotherSecretKey012345678901234567890123")
	_, err := f.send(get(), nil)
	wantRefusal(t, err, "verify aksk signature fail")
	f.putSecret(ownerKey, vectorSecret)
	if _, err := f.send(get(), nil); err != nil {
		t.Fatal(err)
	}
}
