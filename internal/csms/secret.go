package csms

import (
	"slices"
	"unicode/utf8"
)

// Millis is an instant in milliseconds since 1970-01-01 UTC, the unit of every
// time on the wire (TS1, TS2). Zero means "none" and is null on the wire.
type Millis int64

// State is the lifecycle state of a secret.
type State string

// The four states (S1 to S6).
const (
	Enabled       State = "ENABLED"
	Disabled      State = "DISABLED"
	PendingDelete State = "PENDING_DELETE"
	Frozen        State = "FROZEN"
)

// Secret is the aggregate that every rule is about: metadata, version list, stages
// and tags. It never holds a value; values are sealed and stored beside it. Its
// size is bounded by the quotas, so it is read and written as one record.
type Secret struct {
	ID        string // UUID; new at every creation, also of a name used before (DEL2)
	DomainID  string
	ProjectID string
	Name      string // unique in the project, case sensitive (N3)

	State               State
	Type                Type
	KMSKeyID            string // protects versions written from now on (N13)
	Description         string
	CreateTime          Millis
	UpdateTime          Millis // last change of metadata or state (N16)
	ScheduledDeleteTime Millis // zero unless PENDING_DELETE (TS5)
	LastUsedTime        Millis // last read of a value (TS6)

	Rotation Rotation

	EventSubscriptions  []string // at most one name (E4)
	LastMessage         int      // number of the last message about s; numbers are never reused
	EnterpriseProjectID string

	Replicas []Replica // ascending by region: copies of a PRIMARY, or the one primary of a REPLICA

	Versions    []Version // ascending by number, at most MaxVersions
	LastVersion int       // highest number ever given; numbers are never reused (V1)
	Stages      []Stage   // ascending by name, at most MaxStages

	Tags []Tag // ascending by key, at most MaxTags
}

// Clone returns a deep copy, so that a rule can work on it and be thrown away.
func (s *Secret) Clone() *Secret {
	c := *s
	c.EventSubscriptions = slices.Clone(s.EventSubscriptions)
	c.Replicas = slices.Clone(s.Replicas)
	c.Versions = slices.Clone(s.Versions)
	c.Stages = slices.Clone(s.Stages)
	c.Tags = slices.Clone(s.Tags)
	return &c
}

// Creation holds what a new secret is made of. ID, DomainID, ProjectID and
// KMSKeyID are decided by the service, the rest by the caller of the API.
type Creation struct {
	ID, DomainID, ProjectID string
	Name                    string
	Type                    Type // "" means COMMON
	KMSKeyID                string
	Description             string
	Kind                    Kind // of the value of v1
	Rotation                Rotation
	EventSubscriptions      []string
	EnterpriseProjectID     string // "" means "0" (N14)
}

// Validate reports the first part of c that breaks a rule, as CSMS.0002.
func (c *Creation) Validate(limits Limits) error {
	checks := []func() error{
		func() error { return CheckNewName(c.Name, limits.DotsInNames) },
		func() error { return c.Type.checkCreatable() },
		func() error { return checkDescription(c.Description) },
		func() error { return c.Rotation.check(c.Type) },
		func() error { return checkSubscriptions(c.EventSubscriptions) },
		func() error { return checkEnterpriseProject(c.EnterpriseProjectID) },
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

// New returns the secret that c describes, with v1 under SYSCURRENT (S1, L3). The
// creation must have passed Validate.
func New(c Creation, now Millis) *Secret {
	s := &Secret{
		ID: c.ID, DomainID: c.DomainID, ProjectID: c.ProjectID, Name: c.Name,
		State: Enabled, Type: c.Type.orCommon(), KMSKeyID: c.KMSKeyID, Description: c.Description,
		CreateTime: now, UpdateTime: now,
		Rotation:            c.Rotation,
		EventSubscriptions:  c.EventSubscriptions,
		EnterpriseProjectID: orDefault(c.EnterpriseProjectID, DefaultEnterpriseProject),
		Versions:            []Version{{Number: 1, CreateTime: now, KMSKeyID: c.KMSKeyID, Kind: c.Kind}},
		LastVersion:         1,
		Stages:              []Stage{{Name: StageCurrent, Version: 1, UpdateTime: now}},
	}
	s.Rotation.plan(s.Type, now)
	return s
}

// Patch is a change of metadata; a nil field leaves its value alone (N15).
type Patch struct {
	KMSKeyID           *string
	Description        *string // "" clears
	AutoRotation       *bool
	RotationPeriod     *string
	RotationFuncURN    *string
	EventSubscriptions *[]string // empty clears
}

// Validate reports the first part of p that is wrong by itself, as CSMS.0002.
func (p *Patch) Validate() error {
	if p.KMSKeyID != nil {
		if n := utf8.RuneCountInString(*p.KMSKeyID); n < 2 || n > 64 { // N12
			return Invalidf("kms_key_id has %d characters; it takes 2 to 64.", n)
		}
	}
	if p.Description != nil {
		if err := checkDescription(*p.Description); err != nil {
			return err
		}
	}
	if p.RotationPeriod != nil && *p.RotationPeriod != "" {
		if _, err := ParseRotationPeriod(*p.RotationPeriod); err != nil {
			return err
		}
	}
	if p.EventSubscriptions != nil {
		return checkSubscriptions(*p.EventSubscriptions)
	}
	return nil
}

// Empty reports whether p changes nothing.
func (p *Patch) Empty() bool { return *p == Patch{} }

// Update applies p, which must have passed Validate. An empty patch changes
// nothing, update_time included (N15).
func (s *Secret) Update(p Patch, now Millis) error {
	if err := s.checkChangeable(); err != nil {
		return err
	}
	if p.Empty() {
		return nil
	}
	rotation := s.Rotation
	rotation.patch(p)
	if err := rotation.check(s.Type); err != nil {
		return err
	}
	if rotation.changedPlan(s.Rotation) {
		rotation.plan(s.Type, now)
		rotation.FailedTasks = 0
	}
	s.Rotation = rotation
	assign(&s.KMSKeyID, p.KMSKeyID)
	assign(&s.Description, p.Description)
	assign(&s.EventSubscriptions, p.EventSubscriptions)
	s.UpdateTime = now
	s.outdate()
	return nil
}

// assign sets *field where there is a new value.
func assign[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

func orDefault(value, fallback string) string {
	if value == "" {
		return fallback
	}
	return value
}
