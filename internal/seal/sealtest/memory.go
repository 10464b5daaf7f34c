package sealtest

import (
	"context"
	"fmt"
	"io"
	"sync"

	"coffer/internal/seal"
)

// MemoryKMS is a KMS that holds its project keys in memory and wraps with real
// cryptography. It is for tests: keys are lost with the process. It takes every
// project name for an existing project of the domain it was made for.
type MemoryKMS struct {
	domain string
	rand   io.Reader

	mu       sync.Mutex
	keys     map[string]*memoryKey // by id
	defaults map[string]string     // id by project
}

type memoryKey struct {
	key   seal.Key
	boxes []*seal.Box // by key version; the last is current
}

// NewMemoryKMS returns an empty engine. It reads rand under its own lock.
func NewMemoryKMS(rand io.Reader, domain string) *MemoryKMS {
	return &MemoryKMS{
		domain:   domain,
		rand:     &lockedReader{r: rand},
		keys:     make(map[string]*memoryKey),
		defaults: make(map[string]string),
	}
}

// CreateKey makes an enabled symmetric key.
func (m *MemoryKMS) CreateKey(project, alias string) (seal.Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.create(project, alias)
}

// Change applies change to the description of a key: its state, spec or usage.
func (m *MemoryKMS) Change(keyID string, change func(*seal.Key)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.keys[keyID]
	if !ok {
		return seal.ErrKeyNotFound
	}
	change(&k.key)
	return nil
}

// Rotate gives a key a new version, under which new data keys are wrapped.
func (m *MemoryKMS) Rotate(keyID string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.keys[keyID]
	if !ok {
		return seal.ErrKeyNotFound
	}
	return m.addVersion(k)
}

// DefaultKey implements seal.KMS.
func (m *MemoryKMS) DefaultKey(_ context.Context, project string) (seal.Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id, ok := m.defaults[project]; ok {
		return m.keys[id].key, nil
	}
	key, err := m.create(project, seal.DefaultAlias)
	if err == nil {
		m.defaults[project] = key.ID
	}
	return key, err
}

// Describe implements seal.KMS.
func (m *MemoryKMS) Describe(_ context.Context, project, keyID string) (seal.Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.keys[keyID]
	if !ok || k.key.Project != project {
		return seal.Key{}, seal.ErrKeyNotFound
	}
	return k.key, nil
}

// NewDataKey implements seal.KMS.
func (m *MemoryKMS) NewDataKey(_ context.Context, key seal.Key, aad []byte) (plain, wrapped []byte, err error) {
	boxes, err := m.boxes(key.Project, key.ID)
	if err != nil {
		return nil, nil, err
	}
	plain = make([]byte, seal.KeySize)
	if _, err := io.ReadFull(m.rand, plain); err != nil {
		return nil, nil, fmt.Errorf("drawing data key: %w", err)
	}
	wrapped, err = boxes[len(boxes)-1].Seal(nil, plain, aad)
	if err != nil {
		return nil, nil, fmt.Errorf("wrapping data key: %w", err)
	}
	return plain, wrapped, nil
}

// OpenDataKey implements seal.KMS.
func (m *MemoryKMS) OpenDataKey(_ context.Context, project, keyID string, wrapped, aad []byte) ([]byte, error) {
	boxes, err := m.boxes(project, keyID)
	if err != nil {
		return nil, err
	}
	version, err := seal.BoxVersion(wrapped)
	if err != nil {
		return nil, err
	}
	if version >= uint32(len(boxes)) {
		return nil, seal.ErrTampered
	}
	return boxes[version].Open(nil, wrapped, aad)
}

// boxes returns all versions of a key that may be used now.
func (m *MemoryKMS) boxes(project, keyID string) ([]*seal.Box, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, ok := m.keys[keyID]
	if !ok || k.key.Project != project {
		return nil, seal.ErrKeyNotFound
	}
	if err := k.key.Usable(); err != nil {
		return nil, err
	}
	return k.boxes, nil
}

func (m *MemoryKMS) create(project, alias string) (seal.Key, error) {
	id, err := newUUID(m.rand)
	if err != nil {
		return seal.Key{}, err
	}
	k := &memoryKey{key: seal.Key{
		ID: id, Project: project, Domain: m.domain, Alias: alias,
		Spec: seal.SpecAES256, Usage: seal.UsageEncryptDecrypt, State: seal.StateEnabled,
	}}
	if err := m.addVersion(k); err != nil {
		return seal.Key{}, err
	}
	m.keys[id] = k
	return k.key, nil
}

func (m *MemoryKMS) addVersion(k *memoryKey) error {
	material := make([]byte, seal.KeySize)
	defer clear(material)
	if _, err := io.ReadFull(m.rand, material); err != nil {
		return fmt.Errorf("drawing project key: %w", err)
	}
	box, err := seal.NewBox(m.rand, material, seal.PurposeDataKey, uint32(len(k.boxes)))
	if err != nil {
		return fmt.Errorf("keying project key: %w", err)
	}
	k.boxes = append(k.boxes, box)
	return nil
}

func newUUID(rand io.Reader) (string, error) {
	var b [16]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return "", fmt.Errorf("drawing key id: %w", err)
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80 // version 4, RFC 9562
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

// lockedReader lets a seeded generator serve concurrent tests.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}
