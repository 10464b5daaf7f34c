package store

import "coffer/internal/csms"

// secretRecord is csms.Secret as it stands on disk. The types are kept apart, so
// that a change of the core cannot change the disk unnoticed: the parts convert
// only while they have the same fields, and a test finds a field of the aggregate
// that is lost here.
type secretRecord struct {
	ID        string `cbor:"1,keyasint"`
	DomainID  string `cbor:"2,keyasint"`
	ProjectID string `cbor:"3,keyasint"`
	Name      string `cbor:"4,keyasint"`

	State               csms.State  `cbor:"5,keyasint"`
	Type                csms.Type   `cbor:"6,keyasint"`
	KMSKeyID            string      `cbor:"7,keyasint"`
	Description         string      `cbor:"8,keyasint,omitempty"`
	CreateTime          csms.Millis `cbor:"9,keyasint"`
	UpdateTime          csms.Millis `cbor:"10,keyasint"`
	ScheduledDeleteTime csms.Millis `cbor:"11,keyasint,omitempty"`
	LastUsedTime        csms.Millis `cbor:"12,keyasint,omitempty"`

	Rotation rotationRecord `cbor:"13,keyasint,omitempty"`

	EventSubscriptions  []string `cbor:"14,keyasint,omitempty"`
	EnterpriseProjectID string   `cbor:"15,keyasint,omitempty"`

	Replicas []replicaRecord `cbor:"16,keyasint,omitempty"`

	Versions    []versionRecord `cbor:"17,keyasint,omitempty"`
	LastVersion int             `cbor:"18,keyasint"`
	Stages      []stageRecord   `cbor:"19,keyasint,omitempty"`

	Tags        []tagRecord `cbor:"20,keyasint,omitempty"`
	LastMessage int         `cbor:"21,keyasint,omitempty"`
}

type rotationRecord struct {
	Auto     bool        `cbor:"1,keyasint,omitempty"`
	Period   string      `cbor:"2,keyasint,omitempty"`
	Config   string      `cbor:"3,keyasint,omitempty"`
	FuncURN  string      `cbor:"4,keyasint,omitempty"`
	Time     csms.Millis `cbor:"5,keyasint,omitempty"`
	NextTime csms.Millis `cbor:"6,keyasint,omitempty"`

	TaskTime    csms.Millis `cbor:"7,keyasint,omitempty"`
	FailedTasks int         `cbor:"8,keyasint,omitempty"`
}

type replicaRecord struct {
	ID        string             `cbor:"1,keyasint"`
	KMSKeyID  string             `cbor:"2,keyasint"`
	ProjectID string             `cbor:"3,keyasint"`
	Region    string             `cbor:"4,keyasint"`
	Type      csms.ReplicaType   `cbor:"5,keyasint"`
	Status    csms.ReplicaStatus `cbor:"6,keyasint"`
	CreatedAt csms.Millis        `cbor:"7,keyasint"`
	UpdatedAt csms.Millis        `cbor:"8,keyasint"`
	NextTry   csms.Millis        `cbor:"9,keyasint,omitempty"`
	Attempts  int                `cbor:"10,keyasint,omitempty"`
}

type versionRecord struct {
	Number     int         `cbor:"1,keyasint"`
	CreateTime csms.Millis `cbor:"2,keyasint"`
	ExpireTime csms.Millis `cbor:"3,keyasint,omitempty"`
	Expired    bool        `cbor:"4,keyasint,omitempty"`
	KMSKeyID   string      `cbor:"5,keyasint"`
	Kind       csms.Kind   `cbor:"6,keyasint"`
}

type stageRecord struct {
	Name       string      `cbor:"1,keyasint"`
	Version    int         `cbor:"2,keyasint"`
	UpdateTime csms.Millis `cbor:"3,keyasint"`
}

type tagRecord struct {
	Key   string `cbor:"1,keyasint"`
	Value string `cbor:"2,keyasint,omitempty"`
}

func secretToRecord(s *csms.Secret) *secretRecord {
	return &secretRecord{
		ID: s.ID, DomainID: s.DomainID, ProjectID: s.ProjectID, Name: s.Name,
		State: s.State, Type: s.Type, KMSKeyID: s.KMSKeyID, Description: s.Description,
		CreateTime: s.CreateTime, UpdateTime: s.UpdateTime,
		ScheduledDeleteTime: s.ScheduledDeleteTime, LastUsedTime: s.LastUsedTime,
		Rotation:           rotationRecord(s.Rotation),
		EventSubscriptions: s.EventSubscriptions, LastMessage: s.LastMessage, EnterpriseProjectID: s.EnterpriseProjectID,
		Replicas: convert(s.Replicas, func(r csms.Replica) replicaRecord { return replicaRecord(r) }),
		Versions: convert(s.Versions, func(v csms.Version) versionRecord { return versionRecord(v) }), LastVersion: s.LastVersion,
		Stages: convert(s.Stages, func(s csms.Stage) stageRecord { return stageRecord(s) }),
		Tags:   convert(s.Tags, func(t csms.Tag) tagRecord { return tagRecord(t) }),
	}
}

func (r *secretRecord) secret() *csms.Secret {
	return &csms.Secret{
		ID: r.ID, DomainID: r.DomainID, ProjectID: r.ProjectID, Name: r.Name,
		State: r.State, Type: r.Type, KMSKeyID: r.KMSKeyID, Description: r.Description,
		CreateTime: r.CreateTime, UpdateTime: r.UpdateTime,
		ScheduledDeleteTime: r.ScheduledDeleteTime, LastUsedTime: r.LastUsedTime,
		Rotation:           csms.Rotation(r.Rotation),
		EventSubscriptions: r.EventSubscriptions, LastMessage: r.LastMessage, EnterpriseProjectID: r.EnterpriseProjectID,
		Replicas: convert(r.Replicas, func(r replicaRecord) csms.Replica { return csms.Replica(r) }),
		Versions: convert(r.Versions, func(v versionRecord) csms.Version { return csms.Version(v) }), LastVersion: r.LastVersion,
		Stages: convert(r.Stages, func(s stageRecord) csms.Stage { return csms.Stage(s) }),
		Tags:   convert(r.Tags, func(t tagRecord) csms.Tag { return csms.Tag(t) }),
	}
}

// convert converts every item. An empty list becomes nil, as in csms.Secret.Clone.
func convert[From, To any](from []From, to func(From) To) []To {
	if len(from) == 0 {
		return nil
	}
	out := make([]To, len(from))
	for i := range from {
		out[i] = to(from[i])
	}
	return out
}
