package crash

import (
	"maps"
	"slices"

	"coffer/internal/wire"
)

// secret is what is known of one secret: the naive model that the server is held
// against. What is not known yet is zero and takes whatever the server says; see
// learn.
type secret struct {
	Name, ID, State, KeyID, Description string
	Create, Update                      int64
	Scheduled                           int64 // negative: so many days after Update
	Versions                            []version
	Stages                              map[string]stage
}

type version struct {
	Number         int
	Create, Expire int64
	Value          value
}

// value is the field a version was written with, and its text.
type value struct {
	Field string // secret_string or secret_binary; "" where it could not be read
	Text  string
}

type stage struct {
	Version int
	Update  int64
}

const (
	current  = "SYSCURRENT"
	previous = "SYSPREVIOUS"

	stateEnabled = "ENABLED"
	statePending = "PENDING_DELETE"

	keptVersions = 20
	dayMillis    = 24 * 60 * 60 * 1000
)

func (s *secret) clone() *secret {
	c := *s
	c.Versions, c.Stages = slices.Clone(s.Versions), maps.Clone(s.Stages)
	return &c
}

func (s *secret) newest() *version { return &s.Versions[len(s.Versions)-1] }

// addVersion is CreateSecretVersion (L4 to L7, V2, V3).
func (s *secret) addVersion(v value, stages []string) {
	before := s.Stages[current].Version
	if len(s.Versions) == keptVersions {
		i := slices.IndexFunc(s.Versions, func(v version) bool { return len(s.stagesOf(v.Number)) == 0 })
		s.Versions = slices.Delete(s.Versions, i, i+1)
	}
	number := s.newest().Number + 1
	s.Versions = append(s.Versions, version{Number: number, Value: v})
	if len(stages) == 0 {
		stages = []string{current}
	}
	for _, name := range stages {
		s.Stages[name] = stage{Version: number}
	}
	if slices.Contains(stages, current) && !slices.Contains(stages, previous) {
		s.Stages[previous] = stage{Version: before}
	}
}

// stagesOf returns the labels of a version in order of name, never nil.
func (s *secret) stagesOf(number int) []string {
	names := []string{}
	for name, st := range s.Stages {
		if st.Version == number {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// schedule is DeleteSecretForSchedule.
func (s *secret) schedule(days int64) {
	s.State, s.Update, s.Scheduled = statePending, 0, -days
}

// restore is RestoreSecret.
func (s *secret) restore() { s.State, s.Update, s.Scheduled = stateEnabled, 0, 0 }

// learn fills in what s does not know from what the server says. Everything else
// stays, to be compared.
func (s *secret) learn(from *secret) {
	learn(&s.ID, from.ID)
	learn(&s.KeyID, from.KeyID)
	learn(&s.Create, from.Create)
	learn(&s.Update, from.Update)
	if s.Scheduled < 0 {
		s.Scheduled = s.Update - s.Scheduled*dayMillis
	}
	for i := range s.Versions {
		v := &s.Versions[i]
		j := slices.IndexFunc(from.Versions, func(other version) bool { return other.Number == v.Number })
		if j >= 0 {
			learn(&v.Create, from.Versions[j].Create)
		}
	}
	for name, st := range s.Stages {
		learn(&st.Update, from.Stages[name].Update)
		s.Stages[name] = st
	}
}

func learn[T comparable](known *T, said T) {
	var unknown T
	if *known == unknown {
		*known = said
	}
}

// metadata returns s as ListSecrets and ShowSecret tell it.
func (s *secret) metadata() *secret {
	return &secret{
		Name: s.Name, ID: s.ID, State: s.State, KeyID: s.KeyID, Description: s.Description,
		Create: s.Create, Update: s.Update, Scheduled: s.Scheduled,
	}
}

// told returns the metadata in an answer.
func told(s *wire.Secret) *secret {
	return &secret{
		Name: s.Name, ID: s.ID, State: string(s.State), KeyID: s.KMSKeyID, Description: s.Description,
		Create: int64(s.CreateTime), Update: int64(s.UpdateTime), Scheduled: int64(s.ScheduledDeleteTime),
	}
}
