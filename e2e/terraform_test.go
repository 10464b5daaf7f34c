package e2e

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// provider sends requests as the Terraform provider does (auth.md 5.3): it signs
// accept, content-type, user-agent and x-sdk-date, adds X-Project-Id after it has
// signed, does not sign Host, and takes few statuses for success (behaviour.md W10).
type provider struct {
	*server
	http  *http.Client
	token string // "" to sign
}

const providerAgent = "HashiCorp Terraform/1.9.0 (+https://www.terraform.io) golangsdk/2.0.0"

// answer is what the provider decodes: plain structs and maps, so null is a zero value.
type answer map[string]any

// call sends in and returns the answer, whose status has to be one of the wanted.
func (p *provider) call(t *testing.T, method, path string, in any, statuses ...int) answer {
	t.Helper()
	status, body := p.send(t, p.request(t, method, path, in, time.Now()))
	if !slices.Contains(statuses, status) {
		t.Fatalf("%s %s: %d %s, want one of %v", method, path, status, body, statuses)
	}
	out := answer{}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &out); err != nil {
			t.Fatalf("%s %s: %s: %v", method, path, body, err)
		}
	}
	return out
}

func (p *provider) send(t *testing.T, r *http.Request) (int, []byte) {
	t.Helper()
	resp, err := p.http.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}

func (p *provider) request(t *testing.T, method, path string, in any, date time.Time) *http.Request {
	t.Helper()
	var body []byte
	if in != nil {
		var b bytes.Buffer
		enc := json.NewEncoder(&b) // the body ends in LF, and < > & stay
		enc.SetEscapeHTML(false)
		if err := enc.Encode(in); err != nil {
			t.Fatal(err)
		}
		body = b.Bytes()
	}
	r, err := http.NewRequest(method, p.url+strings.ReplaceAll(path, "{p}", devProject), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", providerAgent)
	if strings.Contains(path, "{p}") {
		r.Header.Set("Content-Type", "application/json")
	}
	if p.token != "" {
		r.Header.Set("X-Auth-Token", p.token)
	} else {
		sign(r, body, date)
	}
	r.Header.Set("X-Project-Id", devProject)
	return r
}

// sign is SDK-HMAC-SHA256 over what the provider's client library signs.
func sign(r *http.Request, body []byte, date time.Time) {
	const algorithm = "SDK-HMAC-SHA256"
	stamp := date.UTC().Format("20060102T150405Z")
	r.Header.Set("X-Sdk-Date", stamp)
	names := []string{"accept", "user-agent", "x-sdk-date"}
	if r.Header.Get("Content-Type") != "" {
		names = slices.Insert(names, 1, "content-type")
	}
	var headers strings.Builder
	for _, name := range names {
		headers.WriteString(name + ":" + r.Header.Get(name) + "\n")
	}
	r.URL.RawQuery = r.URL.Query().Encode() // canonical, and sent like that
	sum := sha256.Sum256(body)
	path := strings.ReplaceAll(strings.TrimRight(r.URL.EscapedPath(), "/")+"/", ":", "%3A") // of a topic URN, which goes out as it is
	canonical := strings.Join([]string{r.Method, path, strings.ReplaceAll(r.URL.RawQuery, "+", "%20"), headers.String(), strings.Join(names, ";"), hex.EncodeToString(sum[:])}, "\n")
	hashed := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(devSecretKey))
	fmt.Fprintf(mac, "%s\n%s\n%s", algorithm, stamp, hex.EncodeToString(hashed[:]))
	r.Header.Set("Authorization", fmt.Sprintf("%s Access=%s, SignedHeaders=%s, Signature=%s", algorithm, devAccessKey, strings.Join(names, ";"), hex.EncodeToString(mac.Sum(nil))))
}

// secretConfig is what somebody wrote into his configuration of a csms_secret.
type secretConfig struct {
	Name, Text, Description, KeyID string
	Expires                        int64
	Tags                           map[string]string
	Events                         []string
}

// What the provider takes for success of a write.
var created = []int{200, 201, 202}

// create is the creation of a csms_secret (clients.md 4.3). It returns the import id.
func (p *provider) create(t *testing.T, c *secretConfig) (id string) {
	t.Helper()
	in := map[string]any{"name": c.Name, "secret_string": c.Text, "enterprise_project_id": "0"}
	for name, value := range map[string]string{"description": c.Description, "kms_key_id": c.KeyID} {
		if value != "" {
			in[name] = value
		}
	}
	if len(c.Events) > 0 {
		in["event_subscriptions"] = c.Events
	}
	got := p.call(t, "POST", "/v1/{p}/secrets", in, created...)
	id = got["secret"].(map[string]any)["id"].(string)
	p.tag(t, id, "create", c.Tags)
	p.expire(t, c)
	return id
}

func (p *provider) tag(t *testing.T, id, action string, tags map[string]string) {
	t.Helper()
	if len(tags) == 0 {
		return
	}
	var list []map[string]string
	for k, v := range tags {
		list = append(list, map[string]string{"key": k, "value": v})
	}
	p.call(t, "POST", "/v1/{p}/csms/"+id+"/tags/action", map[string]any{"action": action, "tags": list}, 200, 204)
}

func (p *provider) expire(t *testing.T, c *secretConfig) {
	t.Helper()
	if c.Expires != 0 {
		version := p.newest(t, c.Name)
		p.call(t, "PUT", "/v1/{p}/secrets/"+c.Name+"/versions/"+version, map[string]any{"expire_time": c.Expires}, created...)
	}
}

// newest finds the newest version as the provider does: on the first page, by
// create_time.
func (p *provider) newest(t *testing.T, name string) string {
	t.Helper()
	got := p.call(t, "GET", "/v1/{p}/secrets/"+name+"/versions", nil, 200)
	newest, at := "", -1.0
	for _, v := range got["version_metadatas"].([]any) {
		version := v.(map[string]any)
		if when := version["create_time"].(float64); when > at {
			newest, at = version["id"].(string), when
		}
	}
	return newest
}

// read is the refresh of a csms_secret.
func (p *provider) read(t *testing.T, name string) *secretConfig {
	t.Helper()
	secret := p.call(t, "GET", "/v1/{p}/secrets/"+name, nil, 200)["secret"].(map[string]any)
	version := p.call(t, "GET", "/v1/{p}/secrets/"+name+"/versions/"+p.newest(t, name), nil, 200)["version"].(map[string]any)
	metadata := version["version_metadata"].(map[string]any)
	c := &secretConfig{Name: secret["name"].(string), Text: version["secret_string"].(string), Tags: map[string]string{}}
	c.Description, _ = secret["description"].(string)
	c.KeyID, _ = secret["kms_key_id"].(string)
	if at, ok := metadata["expire_time"].(float64); ok {
		c.Expires = int64(at)
	}
	for _, e := range secret["event_subscriptions"].([]any) {
		c.Events = append(c.Events, e.(string))
	}
	tags := p.call(t, "GET", "/v1/{p}/csms/"+secret["id"].(string)+"/tags", nil, 200)
	for _, tag := range tags["tags"].([]any) {
		pair := tag.(map[string]any)
		c.Tags[pair["key"].(string)] = pair["value"].(string)
	}
	return c
}

// all is a list as the provider's pager reads it: with the last name as marker until a
// page is empty, and with one array at the top level.
func (p *provider) all(t *testing.T, path, array string) []string {
	t.Helper()
	var names []string
	for marker := ""; ; {
		query := url.Values{"limit": {"2"}}
		if marker != "" {
			query.Set("marker", marker)
		}
		page := p.call(t, "GET", path+"?"+query.Encode(), nil, 200)
		items, ok := page[array].([]any)
		for name, value := range page {
			if _, isArray := value.([]any); isArray && name != array {
				t.Fatalf("%s: a second array %s at the top level", path, name)
			}
		}
		if !ok || len(names) > 100 {
			t.Fatalf("%s: no end after %q, or no array: %v", path, names, page)
		}
		if len(items) == 0 {
			return names
		}
		for _, item := range items {
			marker = item.(map[string]any)["name"].(string)
			names = append(names, marker)
		}
	}
}
