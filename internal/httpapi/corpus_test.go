package httpapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"iter"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"coffer/internal/csms"
	"coffer/internal/httpapi"
	"coffer/internal/notify"
	filesink "coffer/internal/notify/file"
	"coffer/internal/service/identity"
	"coffer/internal/store"
	"coffer/internal/testkit"
)

var update = flag.Bool("update", false, "write the answers of the corpus anew; review the difference")

// The corpus is the wire behaviour as data: testdata/ops/<Operation>/<case>.txtar.
// Its comment names the statements that the case protects. Its files are
//
//	before   steps that make the state before; each must succeed
//	request  the request under test
//	answer   status, and body if there is one
//	after    requests that show the state after, each with its answer
//
// A step is a request on one line, "METHOD path body"; "N times METHOD path body";
// "clock 168h", which moves the clock, does what is due and delivers
// what is in the outbox; "late 168h", which moves
// the clock and leaves that undone; "state NAME STATE"; or "backup NAME", which takes
// the backup that $BLOB stands for from then on. The request under test has
// its headers below its line, then an empty line and the body. A path that does not
// begin with a slash is below the project. "as USER" in front of a method names who
// asks, "as anonymous" for no credentials; the account owner does otherwise.
// $USER_name stands for the id of the user of that name, who may be gone by now, and
// $GROUP_name and $POLICY_name for those of a group and of a custom policy.
func TestCorpus(t *testing.T) {
	for _, file := range corpusFiles(t) {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(file), "testdata/ops/"), ".txtar")
		t.Run(name, func(t *testing.T) { runCase(t, file) })
	}
}

// The administration of the IAM has a corpus of its own, because it is not in the
// document of the API: testdata/iam/<Operation>/<case>.txtar, with sections of auth.md.
// Every operation is tried by who may not and by nobody at all.
func TestIdentityCorpus(t *testing.T) {
	section := regexp.MustCompile(`^auth\.md section \d`)
	cases := map[string][]string{}
	for _, file := range filesIn(t, "testdata/iam") {
		operation := filepath.Base(filepath.Dir(file))
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		cases[operation] = append(cases[operation], name)
		t.Run(operation+"/"+name, func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil || !section.Match(archive.Comment) {
				t.Errorf("the comment %q names no section of auth.md (%v)", archive.Comment, err)
			}
			runCase(t, file)
		})
	}
	for operation, names := range cases {
		if !slices.ContainsFunc(httpapi.Routes(), func(r httpapi.Route) bool { return r.Name == operation }) {
			t.Errorf("%s is no operation", operation)
		}
		for _, refusal := range []string{"not_authorized", "anonymous"} {
			if !slices.Contains(names, refusal) {
				t.Errorf("%s has no case %s", operation, refusal)
			}
		}
	}
}

func corpusFiles(t *testing.T) []string {
	t.Helper()
	return filesIn(t, "testdata/ops")
}

func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(dir + "/*/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	return files
}

func runCase(t *testing.T, file string) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sink := filesink.New(filepath.Join(t.TempDir(), "messages"))
	c := &corpusCase{t: t, kit: testkit.New(t, testkit.Options{
		Identities: corpusUsers, Limits: corpusLimits, Topics: notify.Topics{"urn:smn:cn-north-4:c0000000000000000000000000000001:bound": sink},
	})}
	defer func() {
		if err := sink.Close(); err != nil {
			t.Error(err)
		}
	}()
	changed := false
	for i := range archive.Files {
		f := &archive.Files[i]
		got := c.run(f.Name, string(f.Data))
		if got == string(f.Data) {
			continue
		}
		if !*update {
			t.Errorf("%s (-want +got):\n%s", f.Name, cmp.Diff(string(f.Data), got))
		}
		f.Data, changed = []byte(got), true
	}
	if changed && *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// corpusLimits let a case reach the quota of secrets.
var corpusLimits = csms.Limits{SecretsPerProject: 5, ValueBytes: 32768}

// corpusUsers are the users that a case can name beside the owner.
var corpusUsers = []identity.Identity{
	{Name: "nobody", AccessKey: "NOBODYACCESSKEY00001", SecretKey: "nobodySecretKey0123456789012345678901234"},
	{
		Name: "reader", AccessKey: "READERACCESSKEY00001", SecretKey: "readerSecretKey0123456789012345678901234",
		Policies: []identity.Document{`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:get","csms:secret:getVersion","csms:secret:list"]}]}`},
	},
	{
		Name: "writer", AccessKey: "WRITERACCESSKEY00001", SecretKey: "writerSecretKey0123456789012345678901234",
		Policies: []identity.Document{`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:*"],"Resource":["csms:*:*:secretName:prod_*"]}]}`},
	},
	{
		Name: "keyholder", AccessKey: "KEYHOLDERACCESSKEY01", SecretKey: "keyholderSecretKey0123456789012345678901",
		Policies: []identity.Document{`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["kms:cmk:*"],"Resource":["kms:*:*:KeyId:00000000-0000-4000-8000-000000000001"]}]}`},
	},
	{
		Name: "announcer", AccessKey: "ANNOUNCERACCESSKEY01", SecretKey: "announcerSecretKey0123456789012345678901",
		Policies: []identity.Document{`{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:event:create","csms:event:get","csms:event:list","csms:event:update","csms:event:delete","csms:task:list"]}]}`},
	},
	{
		Name: "herald", AccessKey: "HERALDACCESSKEY00001", SecretKey: "heraldSecretKey0123456789012345678901234",
		Policies: []identity.Document{`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["smn:topic:*","smn:tag:*"],"Resource":["smn:*:*:topic:mine"]}]}`},
	},
	{
		Name: "deleter", AccessKey: "DELETERACCESSKEY0001", SecretKey: "deleterSecretKey012345678901234567890123",
		Policies: []identity.Document{`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms:secret:delete"]}]}`},
	},
	{
		Name: "eldest", AccessKey: "ELDESTACCESSKEY00001", SecretKey: "eldestSecretKey0123456789012345678901234",
		Policies: []identity.Document{`{"Version":"1.1","Statement":[{"Effect":"Allow","Action":[
			"csms:secret:deleteScheduled","csms:secretVersion:create","csms:secretVersion:list","csms:secretVersion:get","csms:secretVersion:update",
			"csms:secretVersion:batchGetSecretValue","csms:secretStage:create","csms:secretStage:update","csms:secretStage:get","csms:secretStage:delete"]}]}`},
	},
	{
		Name: "tagger", AccessKey: "TAGGERACCESSKEY00001", SecretKey: "taggerSecretKey0123456789012345678901234",
		Policies: []identity.Document{`{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:tag:create","csms:tag:delete","csms:tag:batch","csms:tag:getBySecret","csms:tag:getAll"]}]}`},
	},
	{
		Name: "warden", AccessKey: "WARDENACCESSKEY00001", SecretKey: "wardenSecretKey0123456789012345678901234",
		Policies: []identity.Document{`{"Version":"5.0","Statement":[{"Effect":"Allow","Action":["csms::administer"]}]}`},
	},
	{
		Name: "older", AccessKey: "OLDERACCESSKEY000001", SecretKey: "olderSecretKey01234567890123456789012345",
		Policies: []identity.Document{`{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:secret:deleteCancelled"],"Resource":["csms:*:*:secretName:prod_*"]}]}`},
	},
}

// corpusCase is one case under way.
type corpusCase struct {
	t      *testing.T
	kit    *testkit.Kit
	answer string // to the request under test
	blob   string // of the last step that took a backup

	ids map[string]string // by kind and name, of all users, groups and policies seen so far
}

// fill puts the backup where $BLOB stands for it, and ids where names do.
func (c *corpusCase) fill(text string) string {
	text = strings.ReplaceAll(text, "$BLOB", c.blob)
	return idText.ReplaceAllStringFunc(text, func(word string) string {
		if c.ids[word] == "" && c.lookUpIDs()[word] == "" {
			c.t.Fatalf("there is nothing for %s", word)
		}
		return c.ids[word]
	})
}

var (
	idText = regexp.MustCompile(`\$(USER|GROUP|POLICY)_[a-z]+`)
	hexID  = regexp.MustCompile(`\b[0-9a-f]{32}\b`)
)

// hide puts names in place of ids, which are others each time.
func (c *corpusCase) hide(answer string) string {
	if !hexID.MatchString(answer) {
		return answer
	}
	ids := c.lookUpIDs()
	for _, name := range slices.Sorted(maps.Keys(ids)) { // what was renamed has two names, and the first one is taken
		answer = strings.ReplaceAll(answer, ids[name], name)
	}
	return answer
}

// lookUpIDs returns the ids of all users, groups and policies that are there or were
// seen before.
func (c *corpusCase) lookUpIDs() map[string]string {
	if c.ids == nil {
		c.ids = map[string]string{}
	}
	err := c.kit.Store.View(c.t.Context(), func(v *store.View) error {
		return errors.Join(
			note(c.ids, v.Users(testkit.DomainID), func(u *store.User) (string, string) { return "$USER_" + u.Name, u.ID }),
			note(c.ids, v.Groups(testkit.DomainID), func(g *store.Group) (string, string) { return "$GROUP_" + g.Name, g.ID }),
			note(c.ids, v.Policies(testkit.DomainID), func(p *store.Policy) (string, string) { return "$POLICY_" + p.Name, p.ID }))
	})
	if err != nil {
		c.t.Fatal(err)
	}
	return c.ids
}

// note puts the ids of a sequence into ids.
func note[T any](ids map[string]string, seq iter.Seq2[*T, error], named func(*T) (name, id string)) error {
	for record, err := range seq {
		if err != nil {
			return err
		}
		name, id := named(record)
		ids[name] = id
	}
	return nil
}

// backup takes the backup of a secret.
func (c *corpusCase) backup(name string) {
	c.t.Helper()
	w := c.kit.Do(testkit.Owner, "POST", "/v1/"+testkit.ProjectID+"/secrets/"+name+"/backup", "")
	var answer struct {
		Blob string `json:"secret_blob"`
	}
	if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil || w.Code != 200 || answer.Blob == "" {
		c.t.Fatalf("backup of %s: %d %s", name, w.Code, w.Body)
	}
	c.blob = answer.Blob
}

// run plays one file of the case and returns it as it should be.
func (c *corpusCase) run(name, text string) string {
	switch name {
	case "before":
		for line := range strings.Lines(text) {
			c.step(strings.TrimSpace(line))
		}
		return text
	case "request":
		c.answer = c.request(text)
		return text
	case "answer":
		return c.answer
	case "after":
		return c.after(text)
	default:
		c.t.Fatalf("file %s: a case has before, request, answer and after", name)
		return ""
	}
}

// step plays a line of before, which must succeed.
func (c *corpusCase) step(line string) {
	c.t.Helper()
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "", "#":
	case "clock":
		if err := c.kit.Advance(c.t.Context(), c.duration(rest)); err != nil {
			c.t.Fatal(err)
		}
	case "late":
		c.kit.Move(c.duration(rest))
	case "state":
		name, state, _ := strings.Cut(rest, " ")
		if _, err := c.kit.Service.SetSecretState(c.t.Context(), testkit.ProjectID, name, csms.State(state)); err != nil {
			c.t.Fatal(err)
		}
	case "backup":
		c.backup(rest)
	default:
		c.requests(line)
	}
}

func (c *corpusCase) duration(text string) time.Duration {
	d, err := time.ParseDuration(text)
	if err != nil {
		c.t.Fatal(err)
	}
	return d
}

// requests sends the request of a step, as many times as it says.
func (c *corpusCase) requests(line string) {
	c.t.Helper()
	n := 1
	if digits, rest, many := strings.Cut(line, " times "); many {
		var err error
		if n, err = strconv.Atoi(digits); err != nil {
			c.t.Fatal(err)
		}
		line = rest
	}
	for range n {
		if w := c.send(line); w.Code >= 300 {
			c.t.Fatalf("step %s: %d %s", line, w.Code, w.Body)
		}
	}
}

// request plays the request under test: the line, headers, an empty line, the body.
func (c *corpusCase) request(text string) string {
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(strings.TrimSpace(head), "\n")
	body = c.fill(strings.TrimSuffix(body, "\n"))
	user, method, target, rest := parseLine(c.fill(lines[0]))
	if rest != "" {
		c.t.Fatalf("the body %s stands on the line of the request; it belongs below", rest)
	}
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	c.kit.Sign(user, r, body)
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		r.Header.Set(strings.TrimSpace(name), strings.TrimSpace(value))
	}
	return c.hide(show(c.t, c.kit.Send(r)))
}

// send plays a request on one line.
func (c *corpusCase) send(line string) *httptest.ResponseRecorder {
	user, method, target, body := parseLine(c.fill(line))
	return c.kit.Do(user, method, target, body)
}

// parseLine reads "[as USER] METHOD path [body]".
func parseLine(line string) (user, method, target, body string) {
	user = testkit.Owner
	if rest, named := strings.CutPrefix(line, "as "); named {
		user, line, _ = strings.Cut(rest, " ")
	}
	if user == "anonymous" {
		user = ""
	}
	method, line, _ = strings.Cut(line, " ")
	target, body, _ = strings.Cut(line, " ")
	if !strings.HasPrefix(target, "/") {
		target = "/v1/" + testkit.ProjectID + "/" + target
	}
	return user, method, target, body
}

// after plays every request in text, which stands before its old answer, and returns
// the requests with their answers.
func (c *corpusCase) after(text string) string {
	var out strings.Builder
	for _, block := range strings.Split(text, "\n\n") {
		line, _, _ := strings.Cut(strings.TrimSpace(block), "\n")
		if line == "" {
			continue
		}
		if out.Len() > 0 {
			out.WriteString("\n")
		}
		if word, _, _ := strings.Cut(line, " "); word == "clock" || word == "late" {
			c.step(line)
			fmt.Fprintf(&out, "%s\n", line)
			continue
		}
		fmt.Fprintf(&out, "%s\n%s", line, c.hide(show(c.t, c.send(line))))
	}
	return out.String()
}

// show renders an answer: the status, and the body as indented JSON. Every answer
// must have a request id, and a body its content type (W1, W6).
func show(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	if w.Header().Get("X-Request-Id") == "" {
		t.Error("W6: no X-Request-Id")
	}
	if w.Body.Len() == 0 {
		return fmt.Sprintf("%d\n", w.Code)
	}
	if got := w.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("W1: Content-Type = %q", got)
	}
	var body bytes.Buffer
	if err := json.Indent(&body, w.Body.Bytes(), "", "  "); err != nil {
		t.Errorf("answer is no JSON: %s", w.Body)
	}
	if w.Code >= 400 {
		checkError(t, w.Body.Bytes())
	}
	text := templateText.ReplaceAllString(blobText.ReplaceAllString(body.String(), "$$BLOB"), "${1}$$TEMPLATE $2 $3$4")
	return fmt.Sprintf("%d\n%s\n", w.Code, text)
}

// templateText finds the source of a rotation function, with its two settings.
var templateText = regexp.MustCompile(`("function_templates": ")(?:\\"){3}Rotation function.*\\nENGINE = \\"(\w+)\\".*\\nSECRET_SUB_TYPE = \\"(\w+)\\".*(")`)

// blobText finds a backup, which is another one each time.
var blobText = regexp.MustCompile(`coffer1\.[A-Za-z0-9_-]{100,}`)

// unwrapped returns what is inside the envelope of W8, or body if it has none.
func unwrapped(body []byte) []byte {
	var wrapped struct{ Error json.RawMessage }
	if err := json.Unmarshal(body, &wrapped); err != nil || wrapped.Error == nil {
		return body
	}
	return wrapped.Error
}

// checkError checks what all errors of these operations have in common: the flat
// pair and nothing else (W7), in its envelope where the operation has one (W8), with
// the request id if it comes from the gateway (W9) or from the IAM, within the published lengths (ER3).
func checkError(t *testing.T, body []byte) {
	t.Helper()
	body = unwrapped(body)
	var e map[string]string
	if err := json.Unmarshal(body, &e); err != nil {
		t.Errorf("W7: not flat: %s", body)
	}
	if e["code"] != "" { // that of SMN: its own names, and always the request id
		e["error_code"], e["error_msg"] = e["code"], e["message"]
		delete(e, "code")
		delete(e, "message")
		if !strings.HasPrefix(e["error_code"], "SMN.") || e["request_id"] == "" {
			t.Errorf("no error of SMN: %s", body)
		}
		delete(e, "request_id")
	}
	want := 2
	if strings.HasPrefix(e["error_code"], "APIGW.") || strings.HasPrefix(e["error_code"], "IAM.") {
		want = 3
		if e["request_id"] == "" {
			t.Errorf("W9: no request_id: %s", body)
		}
	}
	if n := len(e["error_code"]); n < 8 || n > 36 || len(e) != want {
		t.Errorf("W7, ER3: %s", body)
	}
	if n := len(e["error_msg"]); n < 2 || n > 512 {
		t.Errorf("ER3: error_msg has %d bytes", n)
	}
}
