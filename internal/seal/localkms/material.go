package localkms

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"

	"coffer/internal/seal"
	"coffer/internal/store"
)

// firstVersion is the number of the first version of a project key.
const firstVersion = 1

// maxOpened bounds the key versions that are kept open; each takes about a kilobyte.
const maxOpened = 4096

// material holds opened key versions. Whether a key may be used at all is decided
// before it is asked. The zero material is empty.
type material struct {
	mu     sync.RWMutex
	opened map[ref]*seal.Box
}

// ref names one version of a key.
type ref struct {
	project, keyID string
	version        int
}

func (m *material) get(r ref) *seal.Box {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.opened[r]
}

// put keeps a box. Where there is no room, any other one goes: it is opened again
// when it is needed.
func (m *material) put(r ref, box *seal.Box) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.opened == nil {
		m.opened = make(map[ref]*seal.Box)
	}
	for other := range m.opened {
		if len(m.opened) < maxOpened {
			break
		}
		delete(m.opened, other)
	}
	m.opened[r] = box
}

// drop forgets every version of a key.
func (m *material) drop(project, keyID string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for r := range m.opened {
		if r.keyID == keyID && r.project == project {
			delete(m.opened, r)
		}
	}
}

// open returns the box of one version of a key, which must be usable.
func (k *KMS) open(key *store.Key, v *store.KeyVersion) (*seal.Box, error) {
	r := ref{key.ProjectID, key.ID, v.Number}
	if box := k.material.get(r); box != nil {
		return box, nil
	}
	plain, err := k.root.Open(nil, v.Wrapped, place(key, v.Number))
	if err != nil {
		return nil, fmt.Errorf("opening project key: %w", err)
	}
	defer clear(plain)
	box, err := seal.NewBox(k.rand, plain, seal.PurposeDataKey, uint32(v.Number))
	if err != nil {
		return nil, fmt.Errorf("opening project key: %w", err)
	}
	k.material.put(r, box)
	return box, nil
}

// newVersion draws the material of one more version of a key.
func (k *KMS) newVersion(key *store.Key) (store.KeyVersion, error) {
	v := store.KeyVersion{Number: firstVersion, CreateTime: k.now()}
	if n := len(key.Versions); n > 0 {
		v.Number = key.Versions[n-1].Number + 1
	}
	plain := make([]byte, seal.KeySize)
	defer clear(plain)
	if _, err := io.ReadFull(k.rand, plain); err != nil {
		return v, fmt.Errorf("drawing project key: %w", err)
	}
	wrapped, err := k.root.Seal(nil, plain, place(key, v.Number))
	if err != nil {
		return v, fmt.Errorf("sealing project key: %w", err)
	}
	v.Wrapped = wrapped
	return v, nil
}

// place binds sealed material to its key and version.
func place(key *store.Key, version int) []byte {
	dst := seal.AppendField(nil, "coffer/project-key/1")
	dst = seal.AppendField(dst, key.DomainID)
	dst = seal.AppendField(dst, key.ProjectID)
	dst = seal.AppendField(dst, key.ID)
	return binary.BigEndian.AppendUint32(dst, uint32(version))
}
