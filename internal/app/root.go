package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"coffer/internal/seal/rootkey"
	"coffer/internal/store"
)

// rootKey gets the root key from the source that the configuration names. Without
// one it is a file in the data directory, made on the first start; a server that
// keeps nothing draws a key that dies with it.
func (c *Config) rootKey(ctx context.Context, st *store.Store) (rootkey.Key, error) {
	r := c.RootKey
	switch {
	case r.File != "":
		return rootkey.FromFile(r.File).Load()
	case r.Env != "":
		return rootkey.FromEnvironment(r.Env, os.Getenv(r.Env)).Load()
	case r.Credential != "":
		return rootkey.FromCredential(os.Getenv("CREDENTIALS_DIRECTORY"), r.Credential).Load()
	case r.PassphraseFile != "" || r.PassphraseEnv != "":
		return r.fromPassphrase(ctx, st)
	case c.Data == "":
		return rootkey.New(rand.Reader)
	default:
		return c.ownRootKey(ctx, st)
	}
}

// ownRootKey reads the key file in the data directory. It is made only for an empty
// store: a store that was made with a key needs that key, and no other.
func (c *Config) ownRootKey(ctx context.Context, st *store.Store) (rootkey.Key, error) {
	path := filepath.Join(c.Data, "root.key")
	key, err := rootkey.FromFile(path).Load()
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	switch _, known := st.Meta(ctx, store.MetaRootCheck); {
	case errors.Is(known, store.ErrNotFound):
		return rootkey.Generate(rand.Reader, path)
	case known != nil:
		return rootkey.Key{}, known
	default:
		return rootkey.Key{}, fmt.Errorf("the store in %s was made with a root key that is not there; put it back at %s, or name its source under root_key: %w", c.Data, path, fs.ErrNotExist)
	}
}

// fromPassphrase derives the key with the parameters that the store remembers, or
// with new ones for an empty store.
func (r *RootKeyConfig) fromPassphrase(ctx context.Context, st *store.Store) (rootkey.Key, error) {
	passphrase, err := r.passphrase()
	if err != nil {
		return rootkey.Key{}, err
	}
	defer clear(passphrase)
	params, err := passphraseParams(ctx, st)
	if err != nil {
		return rootkey.Key{}, fmt.Errorf("deriving the root key: %w", err)
	}
	return rootkey.FromPassphrase(passphrase, params).Load()
}

// passphrase reads the passphrase. A line break at its end is not part of it.
func (r *RootKeyConfig) passphrase() ([]byte, error) {
	return readSecret("the passphrase", r.PassphraseFile, r.PassphraseEnv)
}

// readSecret reads what a message calls name from an environment variable, if one is
// named, else from a file that nobody else can read. A line break at its end is not
// part of it.
func readSecret(name, file, env string) ([]byte, error) {
	if env != "" {
		text := os.Getenv(env)
		if text == "" {
			return nil, fmt.Errorf("reading %s: the environment variable %s is empty or not set", name, env)
		}
		return []byte(text), nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("reading %s: others can read %s; run: chmod 600 %s", name, file, file)
	}
	text, err := os.ReadFile(file) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return bytes.TrimRight(text, "\r\n"), nil
}

// passphraseParams returns the parameters that the store remembers. In a store that
// no key has sealed anything in yet, it makes and remembers new ones.
func passphraseParams(ctx context.Context, st *store.Store) (params rootkey.PassphraseParams, err error) {
	fresh, err := rootkey.NewPassphraseParams(rand.Reader)
	if err != nil {
		return params, err
	}
	err = st.Update(ctx, func(tx *store.Tx) error {
		text, err := tx.Meta(store.MetaRootParams)
		if err == nil {
			params, err = rootkey.ParsePassphraseParams(string(text))
			return err
		}
		if !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if _, err := tx.Meta(store.MetaRootCheck); !errors.Is(err, store.ErrNotFound) {
			return errors.Join(errors.New("the store was not made with a passphrase; name its root key under root_key"), err)
		}
		params = fresh
		return tx.PutMeta(store.MetaRootParams, []byte(fresh.String()))
	})
	return params, err
}
