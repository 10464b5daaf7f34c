package crash

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestRootKey starts the server with a root key file that is wrong in some way: it
// must not serve, must end with 1, and must say what helps without telling a key. The
// right key serves again, with everything that was sealed under it.
func TestRootKey(t *testing.T) {
	v := newVault(t)
	v.create(t, "sealed")
	v.server.stop(t)
	path := filepath.Join(v.data, "root.key")
	right, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wrong := slices.Clone(bytes.TrimSpace(right))
	slices.Reverse(wrong)
	for _, tc := range []struct {
		name  string
		file  []byte // nil for none
		mode  os.FileMode
		wants []string
	}{
		{"of_another_store", wrong, 0o600, []string{"root key is not the one that", v.data, "hint: "}},
		{"missing", nil, 0, []string{"root key that is not there", path}},
		{"open_to_others", right, 0o644, []string{"others could read", "chmod 600", path}},
		{"cut", right[:40], 0o600, []string{path}},
		{"empty", []byte{}, 0o600, []string{path}},
		{"no_hexadecimal", bytes.Repeat([]byte("xy"), 32), 0o600, []string{path}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			replace(t, path, tc.file, tc.mode)
			v.wantRefused(t, tc.wants, right, wrong)
			if _, err := os.Stat(path); tc.file == nil && err == nil {
				t.Errorf("a new root key was made for a store that needs the old one")
			}
		})
	}
	replace(t, path, right, 0o600)
	v.server = v.serve(t)
	v.wantValue(t, "sealed", 1)
	v.server.stop(t)
}

// replace makes the file at path what is wanted, or takes it away.
func replace(t *testing.T, path string, content []byte, mode os.FileMode) {
	t.Helper()
	if err := os.RemoveAll(path); err != nil {
		t.Fatal(err)
	}
	if content == nil {
		return
	}
	if err := os.WriteFile(path, content, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

// wantRefused demands that the server does not start, with a message that holds all
// of wants and no key.
func (v *vault) wantRefused(t *testing.T, wants []string, keys ...[]byte) {
	t.Helper()
	p := launch(t, v.logs, "server", "--config", v.config)
	p.wantExit(t, 1)
	if p.url() != "" {
		t.Errorf("the server says that it serves %s", p.url())
	}
	said := p.logs.text()
	for _, want := range append(wants, "coffer: ") {
		if !strings.Contains(said, want) {
			t.Errorf("the message lacks %q:\n%s", want, said)
		}
	}
	for _, key := range keys {
		if strings.Contains(said, string(bytes.TrimSpace(key[:16]))) {
			t.Errorf("the message tells a key:\n%s", said)
		}
	}
}
