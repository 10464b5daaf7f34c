package store

import "errors"

// MetaName names a small blob beside the records. A new use gets a new line here.
type MetaName string

// The blobs in use.
const (
	MetaRootCheck   MetaName = "root-check"   // check value of the root key
	MetaRootParams  MetaName = "root-params"  // how the root key is derived from a passphrase
	MetaIdentityKey MetaName = "identity-key" // key of access-key secrets, under the root key
	MetaBlobKey     MetaName = "blob-key"     // key of backups, under the root key
)

// Meta returns the blob of that name, or ErrNotFound.
func (t *Tx) Meta(name MetaName) ([]byte, error) { return getRaw(t.txn, metaKey(name)) }

// PutMeta writes the blob of that name.
func (t *Tx) PutMeta(name MetaName, blob []byte) error {
	k := metaKey(name)
	if k == nil {
		return errors.New("store: blob with an impossible name")
	}
	return t.put(k, blob)
}

func metaKey(name MetaName) key { return start(nil, tableMeta).text(string(name)) }
