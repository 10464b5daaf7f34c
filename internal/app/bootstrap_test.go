package app

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"coffer/internal/client"
	"coffer/internal/seal"
)

// TestFirstStart: the first start makes an account and shows its credentials; later
// ones find it, and show nothing.
func TestFirstStart(t *testing.T) {
	data := filepath.Join(t.TempDir(), "deep", "data")
	s := serve(t, data, nil)
	first := s.current().first
	create(t, s.owner(t), "db", "kept")
	text := welcomeOf(t, s)
	for _, want := range []string{"First start.", first.Password, first.AccessKey, first.SecretKey, first.ProjectID, s.URL()} {
		if !strings.Contains(text, want) {
			t.Errorf("the welcome of the first start lacks %q", want)
		}
	}
	s.stop(t)
	for _, path := range []string{data, filepath.Join(data, "tls"), filepath.Join(data, "root.key")} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others can reach %s: %v", path, info.Mode())
		}
	}

	s = serve(t, data, nil)
	again := s.current().first
	if again.Created || again.ProjectID != first.ProjectID || again.UserID != first.UserID || again.SecretKey != "" || again.Password != "" {
		t.Errorf("the second start made %v", again)
	}
	text = welcomeOf(t, s)
	for _, gone := range []string{"First start.", first.Password, first.AccessKey, first.SecretKey} {
		if strings.Contains(text, gone) {
			t.Errorf("the welcome of the second start has %q", gone)
		}
	}
	if !strings.Contains(text, "admin reset-owner") {
		t.Errorf("the welcome of the second start does not say what to do about lost credentials:\n%s", text)
	}
	c := s.client(t, client.Config{ProjectID: first.ProjectID, AccessKey: first.AccessKey, SecretKey: first.SecretKey})
	wantValue(t, c, "db", "kept")
}

func welcomeOf(t *testing.T, s *running) string {
	t.Helper()
	var b strings.Builder
	if err := s.Welcome(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestRootKeySources: a store opens with the source it was made with, and with no
// other key.
func TestRootKeySources(t *testing.T) {
	const key, other = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	t.Setenv("COFFER_TEST_KEY", key)
	t.Setenv("COFFER_TEST_OTHER", other)
	t.Setenv("COFFER_TEST_PASSPHRASE", "correct horse battery")
	write("credential", key+"\n")
	write("other-credential", other+"\n")
	for name, source := range map[string]struct{ right, wrong RootKeyConfig }{
		"file":       {RootKeyConfig{File: write("key", key+"\n")}, RootKeyConfig{File: write("other", other)}},
		"env":        {RootKeyConfig{Env: "COFFER_TEST_KEY"}, RootKeyConfig{Env: "COFFER_TEST_OTHER"}},
		"credential": {RootKeyConfig{Credential: "credential"}, RootKeyConfig{Credential: "other-credential"}},
		// The line break at the end of the file is no part of the passphrase.
		"passphrase":     {RootKeyConfig{PassphraseFile: write("passphrase", "correct horse battery\n")}, RootKeyConfig{PassphraseFile: write("wrong", "wrong horse battery")}},
		"passphrase_env": {RootKeyConfig{PassphraseEnv: "COFFER_TEST_PASSPHRASE"}, RootKeyConfig{PassphraseEnv: "COFFER_TEST_KEY"}},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			with := func(r RootKeyConfig) func(*Config) {
				return func(c *Config) { c.RootKey, c.TLS.Off = r, true }
			}
			s := serve(t, data, with(source.right))
			first := s.current().first
			create(t, s.owner(t), "db", "kept")
			s.stop(t)
			if _, err := os.Stat(filepath.Join(data, "root.key")); err == nil {
				t.Error("a key file was made beside the named source")
			}
			wantNoStart(t, data, source.wrong, "the root key is not the one that "+data+" was made with", seal.ErrWrongRoot)
			s = serve(t, data, with(source.right))
			wantValue(t, s.client(t, client.Config{ProjectID: first.ProjectID, AccessKey: first.AccessKey, SecretKey: first.SecretKey}), "db", "kept")
		})
	}
}

// wantNoStart checks that a server does not start, says why, and leaves the directory
// to the next one.
func wantNoStart(t *testing.T, data string, source RootKeyConfig, text string, is error) {
	t.Helper()
	c := DefaultConfig()
	c.Listen, c.Data, c.RootKey, c.TLS.Off = "127.0.0.1:0", data, source, true
	_, err := NewServer(t.Context(), c, &logBuffer{})
	if err == nil {
		t.Fatalf("the server started with root_key %+v", source)
	}
	if !strings.Contains(err.Error(), text) || is != nil && !errors.Is(err, is) {
		t.Errorf("error %v\nwant %q", err, text)
	}
	if is != nil && Hint(err) == "" {
		t.Errorf("no hint for %v", err)
	}
}

// TestRootKeyThatCannotBeHad: each error says what to do.
func TestRootKeyThatCannotBeHad(t *testing.T) {
	dir := t.TempDir()
	loose := filepath.Join(dir, "loose")
	if err := os.WriteFile(loose, []byte("correct horse battery"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("COFFER_TEST_EMPTY", "")
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	for text, source := range map[string]RootKeyConfig{
		"restore it from your backup":                                {File: filepath.Join(dir, "none")},
		"run: chmod 600":                                             {File: loose},
		"environment variable COFFER_TEST_EMPTY: it is empty":        {Env: "COFFER_TEST_EMPTY"},
		"add LoadCredential=root:PATH":                               {Credential: "root"},
		"others can read " + loose:                                   {PassphraseFile: loose},
		"the environment variable COFFER_TEST_EMPTY is empty or not": {PassphraseEnv: "COFFER_TEST_EMPTY"},
	} {
		wantNoStart(t, t.TempDir(), source, text, nil)
	}

	data := t.TempDir()
	serve(t, data, func(c *Config) { c.TLS.Off = true }).stop(t)
	t.Setenv("COFFER_TEST_PASSPHRASE", "correct horse battery")
	wantNoStart(t, data, RootKeyConfig{PassphraseEnv: "COFFER_TEST_PASSPHRASE"}, "the store was not made with a passphrase; name its root key under root_key", nil)
	if err := os.Remove(filepath.Join(data, "root.key")); err != nil {
		t.Fatal(err)
	}
	wantNoStart(t, data, RootKeyConfig{}, "was made with a root key that is not there; put it back at "+filepath.Join(data, "root.key"), nil)
	if _, err := os.Stat(filepath.Join(data, "root.key")); err == nil {
		t.Error("a new root key was made for a store that has one")
	}
}
