package service

import (
	"context"
	"maps"
	"sync"

	"coffer/internal/csms"
	"coffer/internal/store"
)

// usage remembers when values were read (TS6). A durable write for every read
// would cost more than the read, so marks are kept in memory, shown in every answer
// at once, and written down by FlushUsage. A crash loses the marks since the last
// flush, and nothing else.
type usage struct {
	shards [64]usageShard
}

type usageShard struct {
	mu    sync.Mutex
	marks map[string]mark // by secret id
}

type mark struct {
	project, name string
	at            csms.Millis
}

func (u *usage) shard(id string) *usageShard {
	var h uint32 = 2166136261
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	return &u.shards[h%uint32(len(u.shards))]
}

// mark records that a value of sec was read at now.
func (u *usage) mark(sec *csms.Secret, now csms.Millis) {
	sh := u.shard(sec.ID)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	if sh.marks == nil {
		sh.marks = make(map[string]mark)
	}
	if m, ok := sh.marks[sec.ID]; !ok || now > m.at {
		sh.marks[sec.ID] = mark{project: sec.ProjectID, name: sec.Name, at: now}
	}
}

// overlay returns sec with the newest mark: sec itself when nothing is newer, else
// a shallow copy.
func (u *usage) overlay(sec *csms.Secret) *csms.Secret {
	sh := u.shard(sec.ID)
	sh.mu.Lock()
	at := sh.marks[sec.ID].at
	sh.mu.Unlock()
	if at <= sec.LastUsedTime {
		return sec
	}
	c := *sec
	c.LastUsedTime = at
	return &c
}

// pending returns a copy of the marks of a shard.
func (sh *usageShard) pending() map[string]mark {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	return maps.Clone(sh.marks)
}

// settle forgets the marks that are stored now and were not renewed meanwhile.
func (sh *usageShard) settle(stored map[string]mark) {
	sh.mu.Lock()
	defer sh.mu.Unlock()
	for id, m := range stored {
		if sh.marks[id] == m {
			delete(sh.marks, id)
		}
	}
}

// FlushUsage writes the marks of last_used_time down, one transaction per shard.
// A mark stays visible until it is stored.
func (s *Service) FlushUsage(ctx context.Context) error {
	for i := range s.used.shards {
		sh := &s.used.shards[i]
		marks := sh.pending()
		if len(marks) == 0 {
			continue
		}
		if err := s.storeUsage(ctx, marks); err != nil {
			return internalf(err, "storing last_used_time")
		}
		sh.settle(marks)
	}
	return nil
}

func (s *Service) storeUsage(ctx context.Context, marks map[string]mark) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		for id, m := range marks {
			sec, err := tx.Secret(m.project, m.name)
			if csms.CodeOf(err) == csms.CodeSecretNotFound || err == nil && (sec.ID != id || sec.LastUsedTime >= m.at) {
				continue
			}
			if err != nil {
				return err
			}
			sec.LastUsedTime = m.at
			if err := tx.PutSecret(sec); err != nil {
				return err
			}
		}
		return nil
	})
}
