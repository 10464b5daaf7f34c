package rootkey

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Source is one place to get the root key from. Make it with FromFile,
// FromEnvironment, FromCredential or FromPassphrase. It prints as the name of the
// place.
type Source struct {
	name string
	load func() (Key, error) // what it closes over cannot be printed
}

// String names the place, for logs and errors.
func (s Source) String() string { return s.name }

// Load gets the key. Its errors say which place they are about and what helps; a
// missing file is fs.ErrNotExist under errors.Is.
func (s Source) Load() (Key, error) {
	if s.load == nil {
		return Key{}, errors.New("loading root key: no source is configured: name a file, an environment variable, a systemd credential or a passphrase")
	}
	k, err := s.load()
	if err != nil {
		return Key{}, fmt.Errorf("loading root key from %s: %w", s.name, err)
	}
	return k, nil
}

// FromFile reads the text form from a regular file that its owner alone can reach:
// mode 0600 or stricter. A symbolic link is followed, and the file behind it judged.
func FromFile(path string) Source {
	return Source{"file " + path, func() (Key, error) { return readFile(path, ownerOnly) }}
}

// FromEnvironment takes the text form from value, which the caller read from the
// environment variable name.
func FromEnvironment(name, value string) Source {
	return Source{"environment variable " + name, func() (Key, error) {
		if value == "" {
			return Key{}, errors.New("it is empty or not set; " + howToMake)
		}
		return parse([]byte(value))
	}}
}

// FromCredential reads the text form from the systemd credential of that name; dir
// is what systemd gives as CREDENTIALS_DIRECTORY. The file may be readable to a
// group, because systemd shows so an access list for the user of the service.
func FromCredential(dir, name string) Source {
	return Source{"systemd credential " + name, func() (Key, error) {
		if dir == "" {
			return Key{}, fmt.Errorf("systemd gave no credentials directory; add LoadCredential=%s:PATH to the unit", name)
		}
		if !filepath.IsLocal(name) || filepath.Base(name) != name || name == "." {
			return Key{}, errors.New("the name must be a plain file name")
		}
		return readFile(filepath.Join(dir, name), groupMayRead)
	}}
}

// FromPassphrase derives the key from a passphrase, as Derive does. The passphrase
// must be left alone until Load has returned, and is the caller's to clear.
func FromPassphrase(passphrase []byte, params PassphraseParams) Source {
	return Source{"passphrase", func() (Key, error) { return Derive(passphrase, params) }}
}

// Permissions that a key file may have at most.
const (
	ownerOnly    fs.FileMode = 0o600
	groupMayRead fs.FileMode = 0o640
)
