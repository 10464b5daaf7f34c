package csms

import (
	"slices"
	"strings"
)

// The two built-in labels.
const (
	StageCurrent  = "SYSCURRENT"
	StagePrevious = "SYSPREVIOUS"
)

// Stage is a label: it sits on one version, and one version can hold many (L1).
type Stage struct {
	Name       string
	Version    int
	UpdateTime Millis // when the label was last placed (L11)
}

// move says where a label goes when a version is added: to the new version, or to
// the one that was current before.
type move struct {
	name   string
	former int // zero for the new version
}

func (m move) target(added int) int {
	if m.former != 0 {
		return m.former
	}
	return added
}

// movesOf returns what happens to the labels when a version is added with stages:
// by default SYSCURRENT moves and its former holder becomes SYSPREVIOUS (L4, L5); a
// list without SYSCURRENT, or with both built-in labels, moves just what it names
// (L6, L7).
func (s *Secret) movesOf(stages []string) []move {
	if len(stages) == 0 {
		stages = []string{StageCurrent}
	}
	moves := make([]move, 0, len(stages)+1)
	for _, name := range stages {
		moves = append(moves, move{name: name})
	}
	current := s.stage(StageCurrent)
	if current != nil && slices.Contains(stages, StageCurrent) && !slices.Contains(stages, StagePrevious) {
		moves = append(moves, move{name: StagePrevious, former: current.Version})
	}
	return moves
}

// stagesAfter counts the labels that s has once moves are done.
func (s *Secret) stagesAfter(moves []move) int {
	total := len(s.Stages)
	for _, m := range moves {
		if s.stage(m.name) == nil {
			total++
		}
	}
	return total
}

// Stage returns the label of that name, or CSMS.0005.
func (s *Secret) Stage(name string) (*Stage, error) {
	if st := s.stage(name); st != nil {
		return st, nil
	}
	return nil, Errorf(CodeNotFound, "The secret %s has no version stage %s.", s.Name, name)
}

// MoveStage places the label name on the version that id names, and creates it
// where it did not exist; nothing else moves, for the built-in labels too (L11 to
// L13). Repeating it is a success. The name must have passed CheckStageName, and an
// id from a body CheckVersionID (L1, L14).
func (s *Secret) MoveStage(name, versionID string, now Millis) (*Stage, error) {
	v, err := s.Version(versionID)
	if err != nil {
		return nil, err
	}
	if err := s.checkChangeable(); err != nil {
		return nil, err
	}
	if s.stage(name) == nil && len(s.Stages) >= MaxStages {
		return nil, Errorf(CodeStageFull, "The secret %s has %d labels already; at most %d fit.", s.Name, len(s.Stages), MaxStages)
	}
	s.outdate()
	return s.place(name, v.Number, now), nil
}

// CheckRemovable refuses the deletion of a built-in label (L16).
func CheckRemovable(stage string) error {
	if stage == StageCurrent || stage == StagePrevious {
		return Errorf(CodeSystemStage, "The version stage %s is built in and cannot be deleted.", stage)
	}
	return nil
}

// RemoveStage takes the label name away. Its version stays (L16, L17).
func (s *Secret) RemoveStage(name string) error {
	if err := CheckRemovable(name); err != nil {
		return err
	}
	if _, err := s.Stage(name); err != nil {
		return err
	}
	if err := s.checkChangeable(); err != nil {
		return err
	}
	s.Stages = slices.DeleteFunc(s.Stages, func(st Stage) bool { return st.Name == name })
	s.outdate()
	return nil
}

// StagesOf returns the names of the labels on the version of that number, in
// order of name; empty for a deprecated version (V3).
func (s *Secret) StagesOf(number int) []string {
	names := []string{}
	for _, st := range s.Stages {
		if st.Version == number {
			names = append(names, st.Name)
		}
	}
	return names
}

func (s *Secret) labelled(number int) bool {
	return slices.ContainsFunc(s.Stages, func(st Stage) bool { return st.Version == number })
}

// stage returns the label of that name, or nil.
func (s *Secret) stage(name string) *Stage {
	i, found := s.searchStage(name)
	if !found {
		return nil
	}
	return &s.Stages[i]
}

// place puts the label name on the version of that number.
func (s *Secret) place(name string, number int, now Millis) *Stage {
	i, found := s.searchStage(name)
	if !found {
		s.Stages = slices.Insert(s.Stages, i, Stage{Name: name})
	}
	s.Stages[i].Version, s.Stages[i].UpdateTime = number, now
	return &s.Stages[i]
}

func (s *Secret) searchStage(name string) (int, bool) {
	return slices.BinarySearchFunc(s.Stages, name, func(st Stage, n string) int { return strings.Compare(st.Name, n) })
}
