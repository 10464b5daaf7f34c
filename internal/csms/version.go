package csms

import (
	"cmp"
	"slices"
	"strconv"
)

// Limits that the published contract fixes.
const (
	MaxVersions = 20            // versions kept per secret (V2)
	MaxStages   = 12            // labels per secret, the built-in two included (L2)
	maxMillis   = 9999999999999 // largest time the wire takes (TS2)
)

// Kind tells which of the two value fields a version was written with.
type Kind string

// The two kinds (N8, N9).
const (
	Text   Kind = "string"
	Binary Kind = "binary"
)

// Version is the metadata of one version. Its value never changes.
type Version struct {
	Number     int
	CreateTime Millis // strictly increasing within a secret (TS4)
	ExpireTime Millis // zero for none; whole seconds (TS3)
	Expired    bool   // the expiry of ExpireTime has been announced (E8)
	KMSKeyID   string // the key that protects this version, for ever (N13)
	Kind       Kind
}

// ID returns the version id as it stands on the wire: v1, v2 ... (V1).
func (v *Version) ID() string { return VersionID(v.Number) }

// VersionID returns the wire form of a version number.
func VersionID(number int) string { return "v" + strconv.Itoa(number) }

// Latest is the alias for the version that holds SYSCURRENT (V6).
const Latest = "latest"

// ParseVersionID returns the number in id, which must match ^v[0-9]{1,10}$. A
// number that no version can have (zero, leading zeros) is reported with ok false.
func ParseVersionID(id string) (number int, ok bool) {
	if !IsVersionID(id) || id[1] == '0' {
		return 0, false
	}
	number, err := strconv.Atoi(id[1:])
	return number, err == nil
}

// IsVersionID reports whether id has the form ^v[0-9]{1,10}$.
func IsVersionID(id string) bool {
	if len(id) < 2 || len(id) > 11 || id[0] != 'v' {
		return false
	}
	for _, c := range []byte(id[1:]) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// VersionPosition returns the place of a version id in the order of versions, for
// use as an exclusive marker: its number, whether or not such a version is kept, and
// zero for what is no version id.
func VersionPosition(id string) int {
	if !IsVersionID(id) {
		return 0
	}
	number, _ := strconv.Atoi(id[1:])
	return number
}

// Version returns the version that id names: vN, or latest for the holder of
// SYSCURRENT. Anything else is CSMS.0005 (V8).
func (s *Secret) Version(id string) (*Version, error) {
	number, ok := ParseVersionID(id)
	if id == Latest {
		number, ok = s.current(), true
	}
	if v := s.version(number); ok && v != nil {
		return v, nil
	}
	return nil, Errorf(CodeNotFound, "The secret %s has no version %s.", s.Name, id)
}

// current returns the number that latest stands for: the holder of SYSCURRENT, or
// the highest number if nothing holds it (V7).
func (s *Secret) current() int {
	if st := s.stage(StageCurrent); st != nil {
		return st.Version
	}
	return s.LastVersion
}

// version returns the kept version of that number, or nil.
func (s *Secret) version(number int) *Version {
	i, found := slices.BinarySearchFunc(s.Versions, number, func(v Version, n int) int { return v.Number - n })
	if !found {
		return nil
	}
	return &s.Versions[i]
}

// NewVersion describes a version to be added.
type NewVersion struct {
	Kind       Kind
	KMSKeyID   string
	Stages     []string // empty means the default move of SYSCURRENT (L4, L8)
	ExpireTime Millis   // zero for none
}

// Validate reports what is wrong with n by itself: label names, duplicates (L9),
// too many labels, an expiry that is not in the future (V9).
func (n *NewVersion) Validate(now Millis) error {
	if len(n.Stages) > MaxStages {
		return Errorf(CodeStageQuota, "version_stages has %d items; at most %d labels fit on a secret.", len(n.Stages), MaxStages)
	}
	for i, name := range n.Stages {
		if err := CheckStageName(name); err != nil {
			return err
		}
		if slices.Contains(n.Stages[:i], name) {
			return Invalidf("version_stages lists %s twice.", name)
		}
	}
	if n.ExpireTime == 0 {
		return nil
	}
	return CheckExpiry(n.ExpireTime, now)
}

// AddVersion adds the version that n describes, which must have passed Validate,
// and moves the labels (L4 to L7). At the cap the oldest version without a label is
// dropped first (V3); pruned is its number, or zero.
func (s *Secret) AddVersion(n NewVersion, now Millis) (added *Version, pruned int, err error) {
	if err := s.CheckWritable(); err != nil {
		return nil, 0, err
	}
	moves := s.movesOf(n.Stages)
	if total := s.stagesAfter(moves); total > MaxStages {
		return nil, 0, Errorf(CodeStageQuota, "The secret %s would have %d labels; at most %d fit.", s.Name, total, MaxStages)
	}
	if len(s.Versions) >= MaxVersions {
		pruned = s.prune()
	}
	v := Version{
		Number: s.LastVersion + 1, CreateTime: max(now, s.lastCreateTime()+1),
		ExpireTime: wholeSeconds(n.ExpireTime), KMSKeyID: n.KMSKeyID, Kind: n.Kind,
	}
	s.LastVersion = v.Number
	s.Versions = append(s.Versions, v)
	for _, m := range moves {
		s.place(m.name, m.target(v.Number), now)
	}
	s.outdate()
	return &s.Versions[len(s.Versions)-1], pruned, nil
}

// lastCreateTime is kept by the newest version, which is never pruned before a
// newer one exists.
func (s *Secret) lastCreateTime() Millis {
	if len(s.Versions) == 0 {
		return 0
	}
	return s.Versions[len(s.Versions)-1].CreateTime
}

// prune drops the oldest version without a label. One exists at the cap, because
// there are fewer labels than versions (V3).
func (s *Secret) prune() int {
	for i := range s.Versions {
		if number := s.Versions[i].Number; !s.labelled(number) {
			s.Versions = slices.Delete(s.Versions, i, i+1)
			return number
		}
	}
	return 0
}

// SetExpiry changes the expiry of the version that id names and arms its
// announcement again (V10).
func (s *Secret) SetExpiry(id string, expire, now Millis) (*Version, error) {
	if err := CheckExpiry(expire, now); err != nil {
		return nil, err
	}
	v, err := s.Version(id)
	if err != nil {
		return nil, err
	}
	if err := s.CheckWritable(); err != nil {
		return nil, err
	}
	v.ExpireTime, v.Expired = wholeSeconds(expire), false
	s.outdate()
	return v, nil
}

// Expire marks every version whose expiry has passed and was not announced yet,
// and returns them in the order of their expiry: each setting of expire_time is
// announced once (E8). An expired version stays readable (V9).
func (s *Secret) Expire(now Millis) []Version {
	var fired []Version
	for i := range s.Versions {
		v := &s.Versions[i]
		if v.ExpireTime != 0 && !v.Expired && v.ExpireTime <= now {
			v.Expired = true
			fired = append(fired, *v)
		}
	}
	slices.SortStableFunc(fired, func(a, b Version) int { return cmp.Compare(a.ExpireTime, b.ExpireTime) })
	return fired
}

// CheckExpiry reports an expiry that is not in the future once it is cut to whole
// seconds, as CSMS.0002 (V9, TS3).
func CheckExpiry(expire, now Millis) error {
	if expire > maxMillis {
		return Invalidf("expire_time is %d; it takes at most %d (milliseconds).", expire, int64(maxMillis))
	}
	if wholeSeconds(expire) <= now {
		return Invalidf("expire_time is %d; it must lie in the future, in milliseconds (it is now %d).", expire, now)
	}
	return nil
}

func wholeSeconds(t Millis) Millis { return t - t%1000 }
