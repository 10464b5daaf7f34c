package rootkey

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxFile is more than any text form with white space around it needs.
const maxFile = 1 << 10

// readFile reads the text form from a regular file with no permissions but allowed.
func readFile(path string, allowed fs.FileMode) (Key, error) {
	// Looked at before it is opened, because opening a pipe waits for a writer; and
	// judged once it is open, because the name may mean another file by then.
	info, err := os.Stat(path)
	if err != nil {
		return Key{}, missing(path, err)
	}
	if err := checkFile(path, info, allowed); err != nil {
		return Key{}, err
	}
	f, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return Key{}, fmt.Errorf("%w; it must belong to the user that runs the server", err)
	}
	defer f.Close() //nolint:errcheck // it was only read
	if info, err = f.Stat(); err != nil {
		return Key{}, err
	}
	if err := checkFile(path, info, allowed); err != nil {
		return Key{}, err
	}
	return parseReader(f)
}

func parseReader(r io.Reader) (Key, error) {
	buf := make([]byte, maxFile+1)
	defer clear(buf)
	n, err := io.ReadFull(r, buf)
	switch {
	case err == nil:
		return Key{}, fmt.Errorf("it is longer than %d bytes and no key file", maxFile)
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return Key{}, err
	}
	return parse(buf[:n])
}

func missing(path string, err error) error {
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return fmt.Errorf("%w; restore it from your backup, or for a new server make one with: (umask 077; openssl rand -hex 32 > %q)", err, path)
}

func checkFile(path string, info fs.FileInfo, allowed fs.FileMode) error {
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file; name the file that holds the key", path)
	}
	if perm := info.Mode().Perm(); perm&^allowed != 0 {
		return fmt.Errorf("others could read or change %s (mode %04o); run: chmod %o %q", path, perm, perm&allowed|0o400, path)
	}
	return nil
}

// Generate draws a root key from rand and writes it to a new file at path, mode
// 0600, in hexadecimal. The file is there whole or not at all, and has reached the
// disk when Generate returns. A file that exists is left alone: fs.ErrExist. The
// directory must exist.
func Generate(rand io.Reader, path string) (Key, error) {
	k, err := New(rand)
	if err != nil {
		return Key{}, err
	}
	if err := writeNew(path, k); err != nil {
		k.Wipe()
		return Key{}, fmt.Errorf("generating root key file: %w", err)
	}
	return k, nil
}

func writeNew(path string, k Key) (err error) {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".rootkey-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name()), syncDir(dir)) }()

	text := append(hex.AppendEncode(nil, k.Bytes()), '\n')
	defer clear(text)
	_, err = f.Write(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	// A link and not a rename: rename would replace a key that is in use.
	err = os.Link(f.Name(), path)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%w; it may be in use and is left as it is", err)
	}
	return err
}

func syncDir(path string) error {
	dir, err := os.Open(path) //nolint:gosec // the folder of the key file
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
