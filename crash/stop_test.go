package crash

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"coffer/internal/wire"
)

// TestStop stops a server while slow clients have requests in flight: each of them
// is answered, nobody else gets in, the exit code is 0, and what the server kept in
// memory is on the disk: the times of last use (TS6).
func TestStop(t *testing.T) {
	v := newVault(t)
	v.create(t, "read")
	for i := range slowReaders {
		v.createLarge(t, fmt.Sprintf("large-%d", i))
	}
	used := v.lastUsed(t, "read")
	uploads := []*slowClient{v.upload(t, "slow-0"), v.upload(t, "slow-1"), v.upload(t, "slow-2")}
	download := v.download(t)
	v.server.signal(syscall.SIGTERM)
	v.server.await(t, v.server.logs.watch(`"stopping"`), "the server to say that it stops")
	wantNoEntry(t, strings.TrimPrefix(v.server.url(), "http://"))
	for _, c := range uploads {
		c.finish(t)
		if status, body := c.answer(t); status != http.StatusOK || !strings.Contains(body, `"state":"ENABLED"`) {
			t.Errorf("a slow CreateSecret is answered with %d %s", status, body)
		}
	}
	if status, body := download.answer(t); status != http.StatusOK || len(body) < slowReaders*largeValue {
		t.Errorf("a slow BatchShowSecretVersion is answered with %d and %d bytes", status, len(body))
	}
	v.server.wantExit(t, 0)
	v.server = v.serve(t)
	v.wantUsedAndMade(t, used, "slow-0", "slow-1", "slow-2")
	v.server.stop(t)
	wantWhole(t, v.data)
}

// TestStopCutShort stops a server that has a request in flight which its client never
// ends. It gives up after the time that is configured, says so, and has everything on
// the disk all the same.
func TestStopCutShort(t *testing.T) {
	v := newVault(t)
	v.server.stop(t)
	v.config = writeConfig(t, workDir(t), v.data, "timeouts: {shutdown: 500ms}\n")
	v.server = v.serve(t)
	v.create(t, "read")
	used := v.lastUsed(t, "read")
	stuck := v.upload(t, "stuck")
	v.server.signal(syscall.SIGTERM)
	v.server.wantExit(t, 1)
	if said := v.server.logs.text(); !strings.Contains(said, "coffer: waiting for requests in flight") {
		t.Errorf("the log does not say why the stop failed:\n%s", said)
	}
	_ = stuck.conn.Close()
	v.server = v.serve(t)
	v.wantUsedAndMade(t, used)
	if all, err := listSecrets(t.Context(), v.client(t)); err != nil || all["stuck"] != nil {
		t.Errorf("a request that never ended has made a secret: %v, %v", all["stuck"], err)
	}
	v.server.stop(t)
	wantWhole(t, v.data)
}

const (
	slowReaders = 100
	largeValue  = 32 << 10
)

func (v *vault) createLarge(t *testing.T, name string) {
	t.Helper()
	text := strings.Repeat(v.aSecretText(), largeValue/16)
	if err := v.w.send(t.Context(), v.client(t), createSecret(name, value{"secret_string", text}, "")); err != nil {
		t.Fatal(err)
	}
}

// lastUsed reads the value of a secret and returns the time that is noted for it.
func (v *vault) lastUsed(t *testing.T, name string) wire.Millis {
	t.Helper()
	v.wantValue(t, name, 1)
	at := v.usedAt(t, name)
	if at == 0 {
		t.Errorf("%s was read and is not marked as used", name)
	}
	return at
}

func (v *vault) usedAt(t *testing.T, name string) wire.Millis {
	t.Helper()
	var answer wire.SecretAnswer
	if _, err := v.client(t).Do(t.Context(), http.MethodGet, secretPath(name), nil, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Secret.LastUsedTime
}

// wantUsedAndMade demands the mark on the secret "read" and that made exist.
func (v *vault) wantUsedAndMade(t *testing.T, used wire.Millis, made ...string) {
	t.Helper()
	if got := v.usedAt(t, "read"); got != used {
		t.Errorf("after the restart the secret was last used at %d, want %d", got, used)
	}
	for _, name := range made {
		if got, err := readValue(t.Context(), v.client(t), name, "v1"); err != nil || got.Text != slowValue {
			t.Errorf("%s was made while the server stopped and is read as %q, %v", name, got.Text, err)
		}
	}
}

// slowClient is a connection with a request that the server has begun to carry out.
type slowClient struct {
	conn net.Conn
	in   *bufio.Reader
	rest []byte // of the request
}

const slowValue = "sent in two halves"

// upload sends the first half of a CreateSecret, once the server has asked for it:
// then the request is in flight.
func (v *vault) upload(t *testing.T, name string) *slowClient {
	t.Helper()
	c := v.begin(t, request{
		method: http.MethodPost, path: strings.ReplaceAll(secretsPath, "{project_id}", v.account.project),
		body: fmt.Sprintf(`{"name":%q,"secret_string":%q}`, name, slowValue), signer: v.account.signer(t),
	}, "Expect: 100-continue\r\n")
	line, err := c.in.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("the server does not ask for the body: %q, %v", line, err)
	}
	if _, err := c.in.Discard(len("\r\n")); err != nil {
		t.Fatal(err)
	}
	half := len(c.rest) / 2
	c.write(t, c.rest[:half])
	c.rest = c.rest[half:]
	return c
}

// download asks for large values and reads the first byte of the answer.
func (v *vault) download(t *testing.T) *slowClient {
	t.Helper()
	names := make([]string, slowReaders)
	for i := range names {
		names[i] = fmt.Sprintf("%q", fmt.Sprintf("large-%d", i))
	}
	c := v.begin(t, request{
		method: http.MethodPost, path: strings.ReplaceAll(secretsPath+"/batch-get-secret-value", "{project_id}", v.account.project),
		body: `{"secret_name_list":[` + strings.Join(names, ",") + `]}`, signer: v.account.signer(t),
	}, "")
	c.finish(t)
	if _, err := c.in.Peek(1); err != nil {
		t.Fatal(err)
	}
	return c
}

// begin sends the header of a request, with lines on top that are not signed, and
// keeps the body back.
func (v *vault) begin(t *testing.T, q request, more string) *slowClient {
	t.Helper()
	r, err := q.http(t.Context(), v.server.url())
	if err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	head, body, _ := bytes.Cut(text.Bytes(), []byte("\r\n\r\n"))
	conn, err := net.Dial("tcp", r.URL.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	// One reader for both: what it has buffered would be lost to another.
	c := &slowClient{conn: conn, in: bufio.NewReaderSize(conn, 4096), rest: body}
	c.write(t, []byte(string(head)+"\r\n"+more+"\r\n"))
	return c
}

func (c *slowClient) write(t *testing.T, b []byte) {
	t.Helper()
	if _, err := c.conn.Write(b); err != nil {
		t.Fatal(err)
	}
}

// finish sends what is left of the request.
func (c *slowClient) finish(t *testing.T) {
	t.Helper()
	c.write(t, c.rest)
	c.rest = nil
}

func (c *slowClient) answer(t *testing.T) (status int, body string) {
	t.Helper()
	answer, err := http.ReadResponse(c.in, nil)
	if err != nil {
		t.Fatalf("a request in flight got no answer: %v", err)
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatalf("a request in flight got a part of an answer: %v", err)
	}
	return answer.StatusCode, string(all)
}

// wantNoEntry waits until nobody gets in any more.
func wantNoEntry(t *testing.T, address string) {
	t.Helper()
	for begun := time.Now(); time.Since(begun) < patience; {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		_ = conn.Close()
	}
	t.Errorf("%s takes connections while the server stops", address)
}
