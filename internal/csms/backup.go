package csms

import "slices"

// Backup is what a backup keeps of a secret beside its values (B4, Q10). Tags,
// subscriptions, state and enterprise project are not kept.
type Backup struct {
	Name        string
	Type        Type
	KMSKeyID    string // key of the secret; used again where the project has it
	Description string
	Rotation    Rotation  // without its times
	Versions    []Version // without their keys
	LastVersion int
	Stages      []Stage
}

// Backup returns what a backup keeps of s. It shares nothing with s.
func (s *Secret) Backup() Backup {
	b := Backup{
		Name: s.Name, Type: s.Type, KMSKeyID: s.KMSKeyID, Description: s.Description, Rotation: s.Rotation,
		Versions: slices.Clone(s.Versions), LastVersion: s.LastVersion, Stages: slices.Clone(s.Stages),
	}
	b.Rotation.Time, b.Rotation.NextTime, b.Rotation.TaskTime, b.Rotation.FailedTasks = 0, 0, 0, 0
	for i := range b.Versions {
		b.Versions[i].KMSKeyID = ""
	}
	return b
}

// Place is where a secret is recreated, and what only the service can decide.
type Place struct {
	ID, DomainID, ProjectID string
	KMSKeyID                string // protects every version
}

// Recreate returns the secret that b describes: ENABLED, with a fresh create_time and
// the old versions and labels (B4). An automatic rotation is planned from now on. The
// backup must have passed Validate.
func (b *Backup) Recreate(at Place, now Millis) *Secret {
	s := &Secret{
		ID: at.ID, DomainID: at.DomainID, ProjectID: at.ProjectID, Name: b.Name,
		State: Enabled, Type: b.Type, KMSKeyID: at.KMSKeyID, Description: b.Description,
		CreateTime: now, UpdateTime: now, Rotation: b.Rotation, EnterpriseProjectID: DefaultEnterpriseProject,
		Versions: slices.Clone(b.Versions), LastVersion: b.LastVersion, Stages: slices.Clone(b.Stages),
	}
	for i := range s.Versions {
		s.Versions[i].KMSKeyID = at.KMSKeyID
	}
	s.Rotation.plan(s.Type, now)
	return s
}

// Validate reports a backup that no secret can have left, as CSMS.0002: it would
// break what the other rules rely on.
func (b *Backup) Validate() error {
	if err := CheckName("name", b.Name); err != nil {
		return err
	}
	if !b.versionsInOrder() || !b.stagesInOrder() {
		return Invalidf("The backup holds no secret that can exist.")
	}
	return nil
}

// versionsInOrder reports whether numbers and times ascend, and the last number is
// known (V1, V2, TS4).
func (b *Backup) versionsInOrder() bool {
	var before Version
	for _, v := range b.Versions {
		if v.Number <= before.Number || v.Number > b.LastVersion || v.CreateTime <= before.CreateTime ||
			v.ExpireTime < 0 || v.Kind != Text && v.Kind != Binary {
			return false
		}
		before = v
	}
	return before.Number > 0 && len(b.Versions) <= MaxVersions
}

// stagesInOrder reports whether the labels ascend by name and sit on versions (L1,
// L2).
func (b *Backup) stagesInOrder() bool {
	before := ""
	for _, st := range b.Stages {
		on := func(v Version) bool { return v.Number == st.Version }
		if CheckStageName(st.Name) != nil || st.Name <= before || !slices.ContainsFunc(b.Versions, on) {
			return false
		}
		before = st.Name
	}
	return len(b.Stages) <= MaxStages
}
