package csms

import (
	"slices"
	"strings"
)

// MaxReplicas is how many copies one secret has at most. They stand in its record, so
// there is a bound; the number is ours.
const MaxReplicas = 10

// ReplicaType tells the place of a secret in a multi-region group.
type ReplicaType string

// The three places (M1, M2).
const (
	Standalone ReplicaType = "STANDALONE"
	Primary    ReplicaType = "PRIMARY"
	ReplicaOf  ReplicaType = "REPLICA"
)

// ReplicaStatus tells how a copy stands to its primary.
type ReplicaStatus string

// The three statuses (M4). A copy that failed is tried again, so FAILED is not the end.
const (
	ReplicaInProgress ReplicaStatus = "IN_PROGRESS"
	ReplicaInSync     ReplicaStatus = "IN_SYNC"
	ReplicaFailed     ReplicaStatus = "FAILED"
)

// Replica is another member of the multi-region group of a secret: a copy, as its
// PRIMARY knows it, or the primary, as a REPLICA knows it.
type Replica struct {
	ID, KMSKeyID, ProjectID, Region string
	Type                            ReplicaType
	Status                          ReplicaStatus // "" for the primary
	CreatedAt, UpdatedAt            Millis

	NextTry  Millis // when a copy that is not IN_SYNC is to be made anew; zero for at once
	Attempts int    // that failed since the last change
}

// Waits reports whether the copy r has to be made anew.
func (r *Replica) Waits() bool { return r.Type == ReplicaOf && r.Status != ReplicaInSync }

// ReplicaType returns the place of s in its group: REPLICA if it knows a primary,
// PRIMARY while it has copies (M1), else STANDALONE (M2).
func (s *Secret) ReplicaType() ReplicaType {
	switch {
	case len(s.Replicas) == 0:
		return Standalone
	case s.Replicas[0].Type == Primary:
		return ReplicaOf
	default:
		return Primary
	}
}

// CheckOwn refuses a change of a REPLICA, which is what its primary is, as CSMS.0002
// (M6, Q15). It comes before the state of the secret.
func (s *Secret) CheckOwn() error {
	if s.ReplicaType() != ReplicaOf {
		return nil
	}
	p := &s.Replicas[0]
	return Invalidf("The secret %s is a replica of the one in region %s (project %s) and cannot be changed; change that one, or delete the replica there.", s.Name, p.Region, p.ProjectID)
}

// Replica returns the copy of s in a region, or nil. It is part of s.
func (s *Secret) Replica(region string) *Replica {
	return s.replica(func(r *Replica) bool { return r.Region == region })
}

// ReplicaByID returns the copy of s that has that id, or nil. It is part of s.
func (s *Secret) ReplicaByID(id string) *Replica {
	return s.replica(func(r *Replica) bool { return r.ID == id })
}

func (s *Secret) replica(is func(*Replica) bool) *Replica {
	for i := range s.Replicas {
		if r := &s.Replicas[i]; r.Type == ReplicaOf && is(r) {
			return r
		}
	}
	return nil
}

// CheckReplicable reports whether s can get a copy in region: it is ENABLED, no copy
// itself, has none there and fewer than MaxReplicas.
func (s *Secret) CheckReplicable(region string) error {
	if err := s.CheckWritable(); err != nil {
		return err
	}
	if s.Replica(region) != nil {
		return Invalidf("The secret %s has a replica in region %s already.", s.Name, region)
	}
	if n := len(s.Replicas); n >= MaxReplicas {
		return Invalidf("The secret %s has %d replicas, which is the most; delete one first.", s.Name, n)
	}
	return nil
}

// AddReplica gives s a copy, to be made at once (M1). The copy is the secret that
// at describes; it has no version yet. region is that of s, named to the copy. The
// copy must have passed CheckReplicable. update_time stays, as a copy is no part of s.
func (s *Secret) AddReplica(at Place, region, targetRegion string, now Millis) *Secret {
	s.Replicas = append(s.Replicas, Replica{
		ID: at.ID, KMSKeyID: at.KMSKeyID, ProjectID: at.ProjectID, Region: targetRegion, Type: ReplicaOf,
		Status: ReplicaInProgress, CreatedAt: now, UpdatedAt: now, NextTry: now,
	})
	slices.SortFunc(s.Replicas, func(a, b Replica) int { return strings.Compare(a.Region, b.Region) })
	return &Secret{
		ID: at.ID, DomainID: at.DomainID, ProjectID: at.ProjectID, Name: s.Name,
		State: s.State, Type: s.Type, KMSKeyID: at.KMSKeyID, Description: s.Description,
		CreateTime: now, UpdateTime: now, EnterpriseProjectID: s.EnterpriseProjectID, Tags: slices.Clone(s.Tags),
		Replicas: []Replica{{
			ID: s.ID, KMSKeyID: s.KMSKeyID, ProjectID: s.ProjectID, Region: region, Type: Primary,
			CreatedAt: s.CreateTime, UpdatedAt: s.UpdateTime,
		}},
	}
}

// RemoveReplica takes the copy in region from s and returns what was known of it (M2).
// None there is CSMS.0005, after the state: what is scheduled for deletion has none.
func (s *Secret) RemoveReplica(region string) (Replica, error) {
	if err := s.CheckWritable(); err != nil {
		return Replica{}, err
	}
	r := s.Replica(region)
	if r == nil {
		return Replica{}, Errorf(CodeNotFound, "The secret %s has no replica in region %s.", s.Name, region)
	}
	gone := *r
	s.Replicas = slices.DeleteFunc(s.Replicas, func(r Replica) bool { return r.ID == gone.ID })
	return gone, nil
}

// outdate says that every copy of s has to be made anew, at once. Every rule that
// changes what a copy has calls it, so that the change and the mark are one record.
func (s *Secret) outdate() {
	for i := range s.Replicas {
		r := &s.Replicas[i]
		r.Status, r.NextTry, r.Attempts = ReplicaInProgress, 0, 0
	}
}

// Settle notes on the copy r how an attempt to make it anew ended. One that failed is
// tried again after 5 s, doubling to 1 h, for as long as the copy is there.
func (r *Replica) Settle(ok bool, now Millis) {
	r.UpdatedAt = now
	if ok {
		r.Status, r.NextTry, r.Attempts = ReplicaInSync, 0, 0
		return
	}
	r.Attempts++
	r.Status, r.NextTry = ReplicaFailed, now+pauseAfter(r.Attempts)
}

// SameCopy reports whether a copy of s and one of t would be alike.
func (s *Secret) SameCopy(t *Secret) bool {
	return s.Type == t.Type && s.State == t.State && s.Description == t.Description && s.KMSKeyID == t.KMSKeyID &&
		s.LastVersion == t.LastVersion && slices.EqualFunc(s.Versions, t.Versions, sameVersion) &&
		slices.Equal(s.Stages, t.Stages) && slices.Equal(s.Tags, t.Tags)
}

func sameVersion(a, b Version) bool {
	a.Expired, a.KMSKeyID = b.Expired, b.KMSKeyID
	return a == b
}

// Uncopied returns the numbers of the versions of the primary p whose values the copy
// s does not have. The value of a number never changes.
func (s *Secret) Uncopied(p *Secret) (numbers []int) {
	for i := range p.Versions {
		if n := p.Versions[i].Number; s.version(n) == nil {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

// Follow makes the copy s what its primary p is: state, description, versions under
// the key of s, labels and tags. Rotation and subscriptions are of p alone; the enterprise
// project was that of p in the beginning. update_time moves if any of that is new.
func (s *Secret) Follow(p *Secret, now Millis) {
	s.Replicas[0].KMSKeyID, s.Replicas[0].UpdatedAt = p.KMSKeyID, p.UpdateTime
	own := p.Clone()
	own.KMSKeyID = s.KMSKeyID
	if !s.SameCopy(own) {
		s.UpdateTime = now
	}
	s.State, s.Type, s.Description = p.State, p.Type, p.Description
	s.Versions, s.LastVersion, s.Stages, s.Tags = own.Versions, own.LastVersion, own.Stages, own.Tags
	for i := range s.Versions {
		s.Versions[i].KMSKeyID = s.KMSKeyID
	}
}
