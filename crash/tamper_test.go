package crash

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"coffer/internal/client"
	"coffer/internal/kv"
	"coffer/internal/kv/pebblekv"
)

// TestTampering changes sealed values behind the back of the server, as somebody can
// who has the disk and not the root key: every byte of a value, values of two secrets
// and of two versions exchanged, cut, lengthened, emptied, lost. Such a version is
// answered with 500 CSMS.0001 and the fixed text, the log names secret and version
// and nothing secret, and everything else is read as before.
func TestTampering(t *testing.T) {
	v := newVault(t)
	v.create(t, "exchanged-a", "exchanged-b", "versions", "cut", "lengthened", "emptied", "lost", "untouched", "v1-untouched")
	v.addVersion(t, "versions")
	v.addVersion(t, "v1-untouched")
	v.create(t, v.flippedNames()...)
	v.server.stop(t)
	v.tamper(t)
	v.server = v.serve(t)
	requests := map[place]string{}
	for _, p := range v.broken {
		requests[p] = v.wantBroken(t, p)
	}
	for name, values := range v.values {
		for number := range values {
			if !slices.Contains(v.broken, place{name, number + 1}) {
				v.wantValue(t, name, number+1)
			}
		}
	}
	v.wantBrokenBatch(t)
	v.server.stop(t)
	for p, id := range requests {
		v.wantLogged(t, p, id)
	}
	v.wantNoValueIn(t, "log", v.server.logs.text())
	v.wantVerified(t)
}

// vault is a server with secrets, of which some values will be changed.
type vault struct {
	data, logs, config string
	account            account
	server             *process
	w                  *writer
	ids                map[string]string
	values             map[string][]string // by name, in order of version
	broken             []place
}

// place is a version of a secret.
type place struct {
	name   string
	number int
}

func newVault(t *testing.T) *vault {
	t.Helper()
	dir := workDir(t)
	v := &vault{
		data: filepath.Join(dir, "data"), logs: filepath.Join(dir, "log"), w: newWriter("vault", &tally{}),
		ids: map[string]string{}, values: map[string][]string{},
	}
	v.config = writeConfig(t, dir, v.data, "log: {level: debug}\n")
	v.server = v.serve(t)
	v.account = v.server.account()
	return v
}

func (v *vault) serve(t *testing.T) *process {
	t.Helper()
	return serve(t, v.logs, "server", "--config", v.config)
}

func (v *vault) client(t *testing.T) *client.Client {
	t.Helper()
	return v.server.client(t, v.account)
}

// aSecretText returns a value of fixed length, so that all sealed values are equally
// long.
func (v *vault) aSecretText() string { return fmt.Sprintf("%016x", v.w.chance.Uint64()) }

func (v *vault) create(t *testing.T, names ...string) {
	t.Helper()
	c := v.client(t)
	for _, name := range names {
		text := v.aSecretText()
		if err := v.w.send(t.Context(), c, createSecret(name, value{"secret_string", text}, "")); err != nil {
			t.Fatal(err)
		}
		v.ids[name], v.values[name] = v.w.secrets[name].ID, []string{text}
	}
}

func (v *vault) addVersion(t *testing.T, name string) {
	t.Helper()
	text := v.aSecretText()
	if err := v.w.send(t.Context(), v.client(t), createVersion(name, value{"secret_string", text}, nil)); err != nil {
		t.Fatal(err)
	}
	v.values[name] = append(v.values[name], text)
}

// flippedNames are the names of secrets of which one byte will be changed each: as
// many as the sealed value of 16 bytes has, and more.
func (v *vault) flippedNames() []string {
	names := make([]string, 200)
	for i := range names {
		names[i] = fmt.Sprintf("flipped-%03d", i)
	}
	return names
}

func (v *vault) key(p place) []byte {
	key := append([]byte("value\x00"), v.ids[p.name]...)
	return binary.BigEndian.AppendUint32(append(key, 0), uint32(p.number))
}

// tamper changes the store of the stopped server.
func (v *vault) tamper(t *testing.T) {
	t.Helper()
	db, err := pebblekv.Open(filepath.Join(v.data, "store"), pebblekv.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(t.Context(), func(tx kv.Txn) error {
		s := sealed{t, tx, v}
		s.exchange(place{"exchanged-a", 1}, place{"exchanged-b", 1})
		s.exchange(place{"versions", 1}, place{"versions", 2})
		s.change(place{"cut", 1}, func(b []byte) []byte { return b[:len(b)-1] })
		s.change(place{"lengthened", 1}, func(b []byte) []byte { return append(b, 0) })
		s.change(place{"emptied", 1}, func([]byte) []byte { return nil })
		s.change(place{"v1-untouched", 2}, func(b []byte) []byte { return bytes.Repeat([]byte{1}, len(b)) })
		s.lose(place{"lost", 1})
		for i := range s.flip() {
			v.broken = append(v.broken, place{fmt.Sprintf("flipped-%03d", i), 1})
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// sealed is the sealed values of a vault inside a transaction.
type sealed struct {
	t  *testing.T
	tx kv.Txn
	v  *vault
}

func (s sealed) get(p place) []byte {
	s.t.Helper()
	b, err := s.tx.Get(s.v.key(p))
	if err != nil {
		s.t.Fatalf("reading the value of %v: %v", p, err)
	}
	return b
}

func (s sealed) put(p place, b []byte) {
	s.t.Helper()
	if err := s.tx.Put(s.v.key(p), b); err != nil {
		s.t.Fatal(err)
	}
}

func (s sealed) change(p place, how func([]byte) []byte) {
	s.t.Helper()
	s.put(p, how(s.get(p)))
	s.v.broken = append(s.v.broken, p)
}

func (s sealed) exchange(a, b place) {
	s.t.Helper()
	of, at := s.get(a), s.get(b)
	s.change(a, func([]byte) []byte { return at })
	s.change(b, func([]byte) []byte { return of })
}

func (s sealed) lose(p place) {
	s.t.Helper()
	if err := s.tx.Delete(s.v.key(p)); err != nil {
		s.t.Fatal(err)
	}
	s.v.broken = append(s.v.broken, p)
}

// flip changes the first byte of the value of the first secret, the second of the
// second, and so on, and returns how many bytes a value has.
func (s sealed) flip() int {
	s.t.Helper()
	names := s.v.flippedNames()
	size := len(s.get(place{names[0], 1}))
	if size > len(names) {
		s.t.Fatalf("a sealed value has %d bytes; there are %d secrets", size, len(names))
	}
	for i := range size {
		p := place{names[i], 1}
		b := s.get(p)
		b[i] ^= 1 << s.v.w.chance.IntN(8)
		s.put(p, b)
	}
	return size
}

func (v *vault) show(ctx context.Context, t *testing.T, p place) error {
	t.Helper()
	got, err := readValue(ctx, v.client(t), p.name, versionID(p.number))
	if err == nil && got.Text != v.values[p.name][p.number-1] {
		t.Errorf("v%d of %s is read as %q, want %q", p.number, p.name, got.Text, v.values[p.name][p.number-1])
	}
	return err
}

func (v *vault) wantValue(t *testing.T, name string, number int) {
	t.Helper()
	if err := v.show(t.Context(), t, place{name, number}); err != nil {
		t.Errorf("v%d of %s, which nobody touched: %v", number, name, err)
	}
}

// internalError is the one answer to whatever is the server's own trouble.
const internalError = `{"error_code":"CSMS.0001","error_msg":"Internal error."}`

// wantBroken demands the fixed answer and returns the id of the request.
func (v *vault) wantBroken(t *testing.T, p place) string {
	t.Helper()
	answer := v.send(t, http.MethodGet, secretPath(p.name, "versions", versionID(p.number)), "")
	if answer.status != http.StatusInternalServerError || answer.body != internalError {
		t.Errorf("v%d of %s was changed and is answered with %d %s", p.number, p.name, answer.status, answer.body)
	}
	return answer.header.Get("X-Request-Id")
}

// wantLogged demands a line in the log of the stopped server that says which version
// of which secret is broken.
func (v *vault) wantLogged(t *testing.T, p place, requestID string) {
	t.Helper()
	for line := range strings.Lines(v.server.logs.text()) {
		if strings.Contains(line, requestID) && strings.Contains(line, `"level":"ERROR"`) {
			if !strings.Contains(line, v.ids[p.name]) || !strings.Contains(line, versionID(p.number)) {
				t.Errorf("v%d of %s (%s) is broken, and the log says: %s", p.number, p.name, v.ids[p.name], line)
			}
			return
		}
	}
	t.Errorf("v%d of %s is broken, and the log does not tell of request %s", p.number, p.name, requestID)
}

// send sends a signed request in the project.
func (v *vault) send(t *testing.T, method, path, body string) response {
	t.Helper()
	answer, err := send(t.Context(), v.server, request{
		method: method, path: strings.ReplaceAll(path, "{project_id}", v.account.project), body: body, signer: v.account.signer(t),
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// wantBrokenBatch demands that a batch with one changed value tells none.
func (v *vault) wantBrokenBatch(t *testing.T) {
	t.Helper()
	answer := v.send(t, http.MethodPost, secretsPath+"/batch-get-secret-value", `{"secret_name_list":["untouched","cut"]}`)
	if answer.status != http.StatusInternalServerError || answer.body != internalError {
		t.Errorf("a batch with a changed value is answered with %d %s", answer.status, answer.body)
	}
}

func (v *vault) wantNoValueIn(t *testing.T, what, text string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(v.values)) {
		for i, secret := range v.values[name] {
			if strings.Contains(text, secret) {
				t.Errorf("the %s holds the value of v%d of %s", what, i+1, name)
			}
		}
	}
}

// wantVerified demands that the check without the root key finds what it can: the
// value that is missing.
func (v *vault) wantVerified(t *testing.T) {
	t.Helper()
	exit, stdout, _ := run(t, "admin", "verify", "--data", v.data)
	if exit != 1 || !strings.Contains(stdout, v.ids["lost"]) {
		t.Errorf("coffer admin verify ended with %d and found %q; it should miss the value of %s", exit, stdout, v.ids["lost"])
	}
}
