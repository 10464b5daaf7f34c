package csms_test

import (
	"fmt"
	"slices"

	"coffer/internal/csms"
)

// observation is all that a client can see of a secret, in the order it sees it.
type observation struct {
	State, Type, Key, Description string
	Created, Updated, Scheduled   int64
	Gone                          bool
	Events                        []string
	Replicas                      int
	ReplicaType                   string

	Auto        bool
	Period, URN string
	Next        int64

	Versions []observedVersion
	Labels   []observedLabel
	Found    map[string]string // the version id behind every id worth asking for
}

type observedVersion struct {
	ID               string
	Created, Expires int64
	Announced        bool
	Key, Kind        string
	Labels           []string
}

type observedLabel struct {
	Name, Version string
	At            int64
}

func worthAsking(highest int) []string {
	ids := []string{"latest", "v0", "v01", "V1", "1", ""}
	for n := 1; n <= highest+1; n++ {
		ids = append(ids, fmt.Sprintf("v%d", n))
	}
	return ids
}

// observe looks at a secret through the methods of the core where there are some.
func observe(s *csms.Secret, now int64) observation {
	o := observation{
		State: string(s.State), Type: string(s.Type), Key: s.KMSKeyID, Description: s.Description,
		Created: int64(s.CreateTime), Updated: int64(s.UpdateTime), Scheduled: int64(s.ScheduledDeleteTime),
		Gone: s.Gone(csms.Millis(now)), Events: append([]string{}, s.EventSubscriptions...),
		Replicas: len(s.Replicas), ReplicaType: string(s.ReplicaType()),
		Auto: s.Rotation.Auto, Period: s.Rotation.Period, URN: s.Rotation.FuncURN, Next: int64(s.Rotation.NextTime),
		Found: map[string]string{},
	}
	for _, v := range s.Versions {
		o.Versions = append(o.Versions, observedVersion{
			v.ID(), int64(v.CreateTime), int64(v.ExpireTime), v.Expired, v.KMSKeyID, string(v.Kind), s.StagesOf(v.Number),
		})
	}
	for _, st := range s.Stages {
		found, err := s.Stage(st.Name)
		if err != nil || *found != st {
			o.Labels = append(o.Labels, observedLabel{Name: "Stage does not find " + st.Name})
			continue
		}
		o.Labels = append(o.Labels, observedLabel{st.Name, csms.VersionID(st.Version), int64(st.UpdateTime)})
	}
	for _, id := range worthAsking(s.LastVersion) {
		if v, err := s.Version(id); err == nil {
			o.Found[id] = v.ID()
		} else {
			o.Found[id] = string(csms.CodeOf(err))
		}
	}
	return o
}

// observe describes the model in the same words.
func (m *model) observe(now int64) observation {
	o := observation{
		State: m.state, Type: m.typ, Key: m.key, Description: m.description,
		Created: m.created, Updated: m.updated, Scheduled: m.scheduled,
		Gone: m.state == "PENDING_DELETE" && now >= m.scheduled, Events: append([]string{}, m.events...),
		Replicas: m.replicas, ReplicaType: map[bool]string{true: "PRIMARY", false: "STANDALONE"}[m.replicas > 0],
		Auto: m.auto, Period: m.period, URN: m.urn, Next: m.next,
		Found: map[string]string{},
	}
	for n := 1; n <= m.highest; n++ {
		v, kept := m.versions[n]
		if !kept {
			continue
		}
		on := []string{}
		for name, label := range m.labels {
			if label.version == n {
				on = append(on, name)
			}
		}
		slices.Sort(on)
		o.Versions = append(o.Versions, observedVersion{fmt.Sprintf("v%d", n), v.created, v.expires, v.announced, v.key, v.kind, on})
	}
	for name, label := range m.labels {
		o.Labels = append(o.Labels, observedLabel{name, fmt.Sprintf("v%d", label.version), label.at})
	}
	slices.SortFunc(o.Labels, func(a, b observedLabel) int { return map[bool]int{true: -1, false: 1}[a.Name < b.Name] })
	for _, id := range worthAsking(m.highest) {
		o.Found[id] = "CSMS.0005"
		if n, found := m.find(id); found {
			o.Found[id] = fmt.Sprintf("v%d", n)
		}
	}
	return o
}
