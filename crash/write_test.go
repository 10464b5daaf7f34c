package crash

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"
)

// write is one request that changes a secret, and what it makes of it.
type write struct {
	what         string // the operation, for messages and counts
	name         string
	method, path string
	body         any
	// apply returns what becomes of a secret, of which it gets a copy, nil where there
	// is none.
	apply func(*secret) *secret
}

// labels are few, so that they move more often than they are made.
var labels = []string{"alpha", "beta", "gamma", "delta"}

// aValue returns a value that no other version has: mostly short, at times as long
// as one can be, so that records cross the blocks of the log.
func aValue(chance *rand.Rand) value {
	size := 16 + chance.IntN(200)
	if chance.IntN(20) == 0 {
		size = 16<<10 + chance.IntN(8000)
	}
	raw := make([]byte, size)
	for i := range raw {
		raw[i] = byte(chance.Uint32())
	}
	text := base64.StdEncoding.EncodeToString(raw)
	if chance.IntN(3) == 0 {
		return value{"secret_binary", text}
	}
	return value{"secret_string", `"ü\` + "\t" + text}
}

func (v value) fields() map[string]any { return map[string]any{v.Field: v.Text} }

func createSecret(name string, v value, description string) *write {
	body := v.fields()
	body["name"], body["description"] = name, description
	return &write{
		what: "CreateSecret", name: name, method: http.MethodPost, path: secretsPath, body: body,
		apply: func(*secret) *secret {
			return &secret{
				Name: name, State: stateEnabled, Description: description,
				Versions: []version{{Number: 1, Value: v}}, Stages: map[string]stage{current: {Version: 1}},
			}
		},
	}
}

func createVersion(name string, v value, stages []string) *write {
	body := v.fields()
	if stages != nil {
		body["version_stages"] = stages
	}
	return change("CreateSecretVersion", name, http.MethodPost, secretPath(name, "versions"), body,
		func(s *secret) { s.addVersion(v, stages) })
}

func moveStage(name, label string, number int) *write {
	return change("UpdateSecretStage", name, http.MethodPut, secretPath(name, "stages", label),
		map[string]any{"version_id": versionID(number)}, func(s *secret) { s.Stages[label] = stage{Version: number} })
}

func deleteStage(name, label string) *write {
	return change("DeleteSecretStage", name, http.MethodDelete, secretPath(name, "stages", label), nil,
		func(s *secret) { delete(s.Stages, label) })
}

func updateSecret(name, description string) *write {
	return change("UpdateSecret", name, http.MethodPut, secretPath(name), map[string]any{"description": description},
		func(s *secret) { s.Description, s.Update = description, 0 })
}

// updateVersion sets an expiry on a whole second, which is kept as it is (TS3).
func updateVersion(name string, number int, expire time.Time) *write {
	ms := expire.Unix() * 1000
	return change("UpdateVersion", name, http.MethodPut, secretPath(name, "versions", versionID(number)),
		map[string]any{"expire_time": ms}, func(s *secret) {
			i := slices.IndexFunc(s.Versions, func(v version) bool { return v.Number == number })
			s.Versions[i].Expire = ms
		})
}

func scheduleDeletion(name string, days int64) *write {
	return change("DeleteSecretForSchedule", name, http.MethodPost, secretPath(name, "scheduled-deleted-tasks", "create"),
		map[string]any{"recovery_window_in_days": days}, func(s *secret) { s.schedule(days) })
}

func restoreSecret(name string) *write {
	return change("RestoreSecret", name, http.MethodPost, secretPath(name, "scheduled-deleted-tasks", "cancel"), nil,
		func(s *secret) { s.restore() })
}

func deleteSecret(name string) *write {
	return &write{
		what: "DeleteSecret", name: name, method: http.MethodDelete, path: secretPath(name),
		apply: func(*secret) *secret { return nil },
	}
}

func change(what, name, method, path string, body any, to func(*secret)) *write {
	return &write{what, name, method, path, body, func(s *secret) *secret {
		to(s)
		return s
	}}
}

// anyWrite chooses what to do with a secret in the state that it is in.
func anyWrite(chance *rand.Rand, s *secret) *write {
	if s.State == statePending {
		if chance.IntN(10) < 3 {
			return deleteSecret(s.Name)
		}
		return restoreSecret(s.Name)
	}
	number := s.Versions[chance.IntN(len(s.Versions))].Number
	switch n := chance.IntN(100); {
	case n < 45:
		return createVersion(s.Name, aValue(chance), someStages(chance))
	case n < 60:
		return moveStage(s.Name, anyLabel(chance), number)
	case n < 68:
		return aDeletedStage(chance, s)
	case n < 77:
		return updateSecret(s.Name, fmt.Sprintf("description %d", chance.Uint32()))
	case n < 83:
		return updateVersion(s.Name, number, time.Now().Add(time.Hour+time.Duration(chance.IntN(1e6))*time.Second))
	case n < 94:
		return scheduleDeletion(s.Name, 7+chance.Int64N(24))
	default:
		return deleteSecret(s.Name)
	}
}

func anyLabel(chance *rand.Rand) string {
	return slices.Concat(labels, []string{current, previous})[chance.IntN(len(labels)+2)]
}

// someStages returns a list of labels for a new version: none, or some without a
// repetition.
func someStages(chance *rand.Rand) []string {
	if chance.IntN(2) == 0 {
		return nil
	}
	all := slices.Concat(labels, []string{current, previous})
	chance.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:1+chance.IntN(len(all))]
}

// aDeletedStage takes a label away that the secret has, or adds one to be taken.
func aDeletedStage(chance *rand.Rand, s *secret) *write {
	for _, label := range labels {
		if _, ok := s.Stages[label]; ok {
			return deleteStage(s.Name, label)
		}
	}
	return moveStage(s.Name, labels[chance.IntN(len(labels))], s.newest().Number)
}
