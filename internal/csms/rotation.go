package csms

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Type is the type of a secret.
type Type string

// The types that exist. RDS is read on old records and refused on creation (RO5).
const (
	Common   Type = "COMMON"
	RDS      Type = "RDS"
	RDSFG    Type = "RDS-FG"
	GaussDB  Type = "GaussDB-FG"
	fgTypes       = "RDS-FG and GaussDB-FG"
	newTypes      = "COMMON, RDS-FG or GaussDB-FG"
)

// Rotates reports whether secrets of type t rotate (RO6).
func (t Type) Rotates() bool { return t == RDSFG || t == GaussDB }

func (t Type) orCommon() Type {
	if t == "" {
		return Common
	}
	return t
}

func (t Type) checkCreatable() error {
	switch t.orCommon() {
	case Common, RDSFG, GaussDB:
		return nil
	default:
		return Invalidf("secret_type must be %s.", newTypes)
	}
}

// Rotation is the rotation part of a secret's metadata.
type Rotation struct {
	Auto     bool
	Period   string // as written, e.g. "1d"; "" for none
	Config   string // JSON text as written; "" for none
	FuncURN  string
	Time     Millis // last rotation; zero before the first
	NextTime Millis // next planned rotation; zero when none is planned

	TaskTime    Millis // creation of the last task
	FailedTasks int    // that ended one after the other up to now
}

// Bounds of rotation_period (RO1; C2: the newer minimum).
const (
	minPeriod Millis = 4 * 60 * 60 * 1000
	maxPeriod Millis = 8760 * 60 * 60 * 1000
)

// ParseRotationPeriod returns the length of a period written as digits and one of
// d, h, m, s. It must lie between 4 h and 8760 h.
func ParseRotationPeriod(text string) (Millis, error) {
	wrong := Invalidf("rotation_period must be digits and one of d, h, m, s, between 4h and 8760h.")
	if len(text) < 2 || len(text) > 50 {
		return 0, wrong
	}
	digits, unit := text[:len(text)-1], text[len(text)-1]
	factor := map[byte]Millis{'d': 86400_000, 'h': 3600_000, 'm': 60_000, 's': 1000}[unit]
	if factor == 0 || strings.Trim(digits, "0123456789") != "" {
		return 0, wrong
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > int64(maxPeriod/factor) {
		return 0, wrong
	}
	if period := Millis(n) * factor; period >= minPeriod {
		return period, nil
	}
	return 0, wrong
}

// The two kinds of accounts that rotation_config names (RO9).
const (
	SingleUser = "SingleUser" // one account, which gets another password
	MultiUser  = "MultiUser"  // two accounts, which take turns
)

// Instance is what rotation_config names.
type Instance struct {
	InstanceID    string
	SecretSubType string
}

// Instance returns the database instance that the secret is bound to; empty for a
// type that does not rotate (RO3).
func (s *Secret) Instance() Instance {
	if !s.Type.Rotates() {
		return Instance{}
	}
	return parseInstance(s.Rotation.Config)
}

// parseInstance returns what config names; a member that is missing or no text, and
// every member of an unreadable config, is empty. It decodes into a map because a
// struct would take names in any mix of cases, and names here are exact (RO3).
func parseInstance(config string) Instance {
	var members map[string]any
	_ = json.Unmarshal([]byte(config), &members)
	id, _ := members["InstanceId"].(string)
	subType, _ := members["SecretSubType"].(string)
	return Instance{id, subType}
}

// check reports the first rule that r breaks for a secret of type t.
func (r *Rotation) check(t Type) error {
	if r.Period != "" {
		if _, err := ParseRotationPeriod(r.Period); err != nil {
			return err
		}
	}
	if r.Auto && r.Period == "" {
		return Invalidf("auto_rotation is on, so rotation_period must be given.") // RO2
	}
	if n := utf8.RuneCountInString(r.Config); n > 1024 {
		return Invalidf("rotation_config has %d characters; it takes at most 1024.", n)
	}
	if !t.Rotates() {
		return nil
	}
	if r.Auto && r.FuncURN == "" {
		return Invalidf("auto_rotation is on, so rotation_func_urn must be given for %s.", fgTypes) // RO4
	}
	return checkInstance(r.Config)
}

// checkInstance reports a rotation_config that does not name an instance (RO3).
func checkInstance(config string) error {
	in := parseInstance(config)
	if in.InstanceID == "" || in.SecretSubType != SingleUser && in.SecretSubType != MultiUser {
		return Invalidf(`rotation_config must be JSON text with a non-empty InstanceId and SecretSubType SingleUser or MultiUser for %s.`, fgTypes)
	}
	return nil
}

func (r *Rotation) patch(p Patch) {
	assign(&r.Auto, p.AutoRotation)
	assign(&r.Period, p.RotationPeriod)
	assign(&r.FuncURN, p.RotationFuncURN)
}

func (r *Rotation) changedPlan(before Rotation) bool {
	return r.Auto != before.Auto || r.Period != before.Period
}

// maxJitter bounds how long after its planned time a rotation begins, so that secrets
// that were made together do not rotate together (neighbours.md 3.5).
const maxJitter = 5 * 60 * 1000

// postponement is how long a planned rotation waits for a task that runs already; the
// tries of a task end within that time.
const postponement = 30 * 60 * 1000

// NextRotation returns when s is planned to rotate by itself; zero if that will not come
// as s is: it is not ENABLED, or a REPLICA. A plan that has passed is carried out as
// soon as it can be.
func (s *Secret) NextRotation() Millis {
	if s.State != Enabled || s.ReplicaType() == ReplicaOf {
		return 0
	}
	return s.Rotation.NextTime
}

// RotationDue returns when s is to be rotated by itself, which is up to five minutes after
// the planned time; zero where there is none. The delay follows from secret and plan, so
// it is the same whenever it is asked for.
func (s *Secret) RotationDue() Millis {
	if s.NextRotation() == 0 {
		return 0
	}
	h := fnv.New32a()
	fmt.Fprintf(h, "%s %d", s.ID, s.Rotation.NextTime)
	return s.Rotation.NextTime + Millis(h.Sum32()%maxJitter)
}

// RotationBegun plans the rotation after the one that begins at now: a schedule that was
// missed several times is made up for once.
func (s *Secret) RotationBegun(now Millis) { s.Rotation.plan(s.Type, now) }

// PostponeRotation plans the rotation that is due for later.
func (s *Secret) PostponeRotation(now Millis) { s.Rotation.NextTime = now + postponement }

// plan sets the next rotation: one period from now while rotation is automatic and
// the type rotates, else none.
func (r *Rotation) plan(t Type, now Millis) {
	r.NextTime = 0
	if period, err := ParseRotationPeriod(r.Period); err == nil && r.Auto && t.Rotates() {
		r.NextTime = now + period
	}
}
