package rootkey_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"coffer/internal/seal/rootkey"
)

const hexKey = "8f1d2c3b4a5968778695a4b3c2d1e0f00112233445566778899aabbccddeeffe"

func rawKey() []byte {
	b, _ := hex.DecodeString(hexKey)
	return b
}

// expectKey asks that the source gives the key of hexKey.
func expectKey(t *testing.T, what string, s rootkey.Source) {
	t.Helper()
	k, err := s.Load()
	if err != nil {
		t.Errorf("%s: %v", what, err)
		return
	}
	if got := hex.EncodeToString(k.Bytes()); got != hexKey {
		t.Errorf("%s: another key", what)
	}
}

// expectRefusal asks for an error that holds all of the words and none of the text.
func expectRefusal(t *testing.T, what string, s rootkey.Source, text string, words ...string) {
	t.Helper()
	k, err := s.Load()
	if err == nil || k.Bytes() != nil {
		t.Errorf("%s: Load gave a key of %d bytes and error %v", what, len(k.Bytes()), err)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%s: error %q does not say %q", what, err, word)
		}
	}
	if text = strings.TrimSpace(text); len(text) > 2 && strings.Contains(err.Error(), text) {
		t.Errorf("%s: error %q quotes the content", what, err)
	}
}

func write(t *testing.T, dir, name, text string, mode fs.FileMode) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil { // whatever the umask is
		t.Fatal(err)
	}
	return path
}

// texts are the forms that every source of text takes.
func texts() map[string]string {
	raw := rawKey()
	return map[string]string{
		"hex":                  hexKey,
		"hex with newline":     hexKey + "\n",
		"hex of Windows":       " " + hexKey + "\r\n",
		"capital hex":          strings.ToUpper(hexKey),
		"base64":               base64.StdEncoding.EncodeToString(raw) + "\n",
		"base64 unpadded":      base64.RawStdEncoding.EncodeToString(raw),
		"base64 for URLs":      base64.URLEncoding.EncodeToString(raw),
		"base64 for URLs, raw": base64.RawURLEncoding.EncodeToString(raw),
	}
}

// badTexts are what every source of text refuses.
func badTexts() map[string]string {
	b64 := base64.StdEncoding.EncodeToString(rawKey())
	return map[string]string{
		"nothing":           "",
		"white space":       " \n",
		"63 digits":         hexKey[1:],
		"65 digits":         hexKey + "0",
		"not hexadecimal":   "xyzw" + hexKey[4:],
		"two lines":         hexKey[:32] + "\n" + hexKey[32:],
		"two keys":          hexKey + "\n" + hexKey,
		"binary":            string(rawKey()),
		"base64 of 31":      base64.StdEncoding.EncodeToString(rawKey()[1:]),
		"base64 of 33":      base64.StdEncoding.EncodeToString(append(rawKey(), 1)),
		"base64 with break": b64[:20] + "\n" + b64[21:],
		"base64 mixed":      "+_" + b64[2:],
		"base64, last bits": b64[:42] + "9=",
		"base64, two signs": b64 + "=",
		"zeros":             strings.Repeat("0", 64),
		"equal bytes":       strings.Repeat("ab", 32),
	}
}

func TestFromFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range texts() {
		expectKey(t, name, rootkey.FromFile(write(t, dir, "key", text, 0o600)))
	}
	for name, text := range badTexts() {
		path := write(t, dir, "key", text, 0o600)
		expectRefusal(t, name, rootkey.FromFile(path), text, path, "openssl rand -hex 32")
	}
	path := write(t, dir, "key", strings.Repeat(" ", 2000)+hexKey, 0o600)
	expectRefusal(t, "long file", rootkey.FromFile(path), hexKey, path, "longer than 1024 bytes")
}

func TestFromFile_is_for_the_owner_alone(t *testing.T) {
	dir := t.TempDir()
	for mode := range fs.FileMode(0o1000) {
		path := write(t, dir, fmt.Sprintf("key-%o", mode), hexKey, mode)
		if mode&^0o600 != 0 {
			expectRefusal(t, path, rootkey.FromFile(path), hexKey, path, fmt.Sprintf("mode %04o", mode), "run: chmod ", "00 ")
		} else if mode&0o400 != 0 {
			expectKey(t, path, rootkey.FromFile(path))
		}
	}
	path := write(t, dir, "key", hexKey, 0o644)
	expectRefusal(t, "0644", rootkey.FromFile(path), hexKey, fmt.Sprintf("chmod 600 %q", path))
}

func TestFromFile_wants_a_regular_file(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, pipe, os.DevNull} {
		expectRefusal(t, path, rootkey.FromFile(path), "", path, "not a regular file")
	}

	link := filepath.Join(dir, "link")
	if err := os.Symlink(write(t, dir, "key", hexKey, 0o600), link); err != nil {
		t.Fatal(err)
	}
	expectKey(t, "link to a good file", rootkey.FromFile(link))
	write(t, dir, "key", hexKey, 0o640)
	expectRefusal(t, "link to an open file", rootkey.FromFile(link), hexKey, link, "chmod 600")
}

func TestFromFile_says_what_to_do_about_a_missing_file(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	s := rootkey.FromFile(path)
	expectRefusal(t, "missing", s, "", path, "backup", "umask 077", "openssl rand -hex 32")
	if _, err := s.Load(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v, want %v", err, fs.ErrNotExist)
	}
}

func TestFromEnvironment(t *testing.T) {
	for name, text := range texts() {
		expectKey(t, name, rootkey.FromEnvironment("COFFER_ROOT_KEY", text))
	}
	for name, text := range badTexts() {
		expectRefusal(t, name, rootkey.FromEnvironment("COFFER_ROOT_KEY", text), text, "COFFER_ROOT_KEY", "openssl rand -hex 32")
	}
}

func TestFromCredential(t *testing.T) {
	dir := t.TempDir()
	for name, text := range texts() {
		write(t, dir, "coffer-root", text, 0o600)
		expectKey(t, name, rootkey.FromCredential(dir, "coffer-root"))
	}
	for name, text := range badTexts() {
		write(t, dir, "coffer-root", text, 0o600)
		expectRefusal(t, name, rootkey.FromCredential(dir, "coffer-root"), text, "coffer-root")
	}
	for mode, good := range map[fs.FileMode]bool{0o400: true, 0o440: true, 0o444: false, 0o460: false, 0o404: false} {
		write(t, dir, "coffer-root", hexKey, mode)
		if s := rootkey.FromCredential(dir, "coffer-root"); good {
			expectKey(t, mode.String(), s)
		} else {
			expectRefusal(t, mode.String(), s, hexKey, "chmod", "coffer-root")
		}
	}
}

func TestFromCredential_stays_in_its_directory(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "key", hexKey, 0o600)
	if err := os.Mkdir(filepath.Join(dir, "creds"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"", ".", "..", "../key", "/" + filepath.Join(dir, "key"), "x/../../key", "a/b"} {
		expectRefusal(t, name, rootkey.FromCredential(filepath.Join(dir, "creds"), name), hexKey, "plain file name")
	}
	expectRefusal(t, "no directory", rootkey.FromCredential("", "key"), "", "LoadCredential=key:PATH")
}

func TestSource_names_its_place_and_prints_no_key(t *testing.T) {
	params := quick(t)
	for _, c := range []struct {
		source rootkey.Source
		want   string
	}{
		{rootkey.FromFile("/etc/coffer/root.key"), "file /etc/coffer/root.key"},
		{rootkey.FromEnvironment("COFFER_ROOT_KEY", hexKey), "environment variable COFFER_ROOT_KEY"},
		{rootkey.FromCredential("/run/credentials", "root"), "systemd credential root"},
		{rootkey.FromPassphrase([]byte(hexKey), params), "passphrase"},
	} {
		if got := c.source.String(); got != c.want {
			t.Errorf("String = %q, want %q", got, c.want)
		}
		hidden := struct{ s rootkey.Source }{c.source}
		if got := fmt.Sprintf("%v %+v %#v %+v %#v", c.source, c.source, c.source, hidden, hidden); strings.Contains(got, hexKey) {
			t.Errorf("%v prints its key: %s", c.source, got)
		}
	}
	var none rootkey.Source
	if _, err := none.Load(); err == nil || !strings.Contains(err.Error(), "no source is configured") {
		t.Errorf("Load of no source: %v", err)
	}
}
