package csms_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"sort"
	"unicode/utf8"
)

// model is a secret as the statements of the contract describe it, written to be
// plainly right and not to be fast: every question is answered by walking over
// everything. It shares no code with the core, and answers an operation with the
// code of the refusal, "" for none.
type model struct {
	typ, state                  string
	created, updated, scheduled int64
	key, description            string
	events                      []string
	replicas                    int

	auto        bool
	period, urn string
	next        int64

	highest  int   // number of the newest version ever made
	newest   int64 // its create_time
	versions map[int]modelVersion
	labels   map[string]modelLabel
}

type modelVersion struct {
	created, expires int64
	announced        bool
	key, kind        string
}

type modelLabel struct {
	version int
	at      int64
}

const (
	current  = "SYSCURRENT"
	previous = "SYSPREVIOUS"
)

// answers is the table of section 1: what an operation gets in ENABLED, DISABLED,
// PENDING_DELETE and FROZEN.
var answers = map[string][4]string{
	"value":    {"", "CSMS.0109", "CSMS.0103", "CSMS.0109"}, // reading, writing, expiry, rotation, backup, replicas
	"change":   {"", "", "CSMS.0103", "CSMS.0109"},          // metadata, labels, tags
	"schedule": {"", "", "CSMS.0107", "CSMS.0109"},
	"restore":  {"CSMS.0108", "CSMS.0108", "", "CSMS.0108"},
	"destroy":  {"", "", "", "CSMS.0109"},
	"switch":   {"", "", "CSMS.0103", ""},
}

func (m *model) answer(operation string) string {
	column := slices.Index([]string{"ENABLED", "DISABLED", "PENDING_DELETE", "FROZEN"}, m.state)
	return answers[operation][column]
}

func newModel(typ, key, description string, r modelRotation, now int64) *model {
	m := &model{
		typ: typ, state: "ENABLED", created: now, updated: now, key: key, description: description,
		auto: r.auto, period: r.period, urn: r.urn,
		highest: 1, newest: now,
		versions: map[int]modelVersion{1: {created: now, key: key, kind: "string"}},
		labels:   map[string]modelLabel{current: {1, now}},
	}
	m.plan(now)
	return m
}

type modelRotation struct {
	auto        bool
	period, urn string
}

// periods is what RO1 says of the periods that the property uses: the length in
// milliseconds, or zero for a refusal.
var periods = map[string]int64{
	"4h": 14_400_000, "240m": 14_400_000, "14400s": 14_400_000, "1d": 86_400_000, "365d": 31_536_000_000, "8760h": 31_536_000_000,
	"31536000s": 31_536_000_000, "3h": 0, "239m": 0, "14399s": 0, "366d": 0, "8761h": 0, "31536001s": 0, "0d": 0, "h": 0, "12": 0, "1w": 0, "-1d": 0,
}

func (m *model) rotates() bool { return m.typ == "RDS-FG" || m.typ == "GaussDB-FG" }

func (m *model) plan(now int64) {
	m.next = 0
	if m.auto && m.rotates() {
		m.next = now + periods[m.period]
	}
}

// find is V6 to V8: vN or latest. It compares the id with the text of every version.
func (m *model) find(id string) (int, bool) {
	if id == "latest" {
		return m.labels[current].version, true
	}
	for n := range m.versions {
		if id == fmt.Sprintf("v%d", n) {
			return n, true
		}
	}
	return 0, false
}

var (
	modelLabelName = regexp.MustCompile(`\A[a-zA-Z0-9_-]{1,64}\z`)
	modelPath      = regexp.MustCompile(`\A[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}\z`)
	modelBodyID    = regexp.MustCompile(`\Av[0-9]{1,10}\z`)
)

// badExpiry is V9, TS2 and TS3.
func badExpiry(expire, now int64) bool {
	return expire <= 0 || expire > 9_999_999_999_999 || expire/1000*1000 <= now
}

func (m *model) bare(number int) bool {
	for _, label := range m.labels {
		if label.version == number {
			return false
		}
	}
	return true
}

// createVersion is V1 to V3, L4 to L10, L15 and TS4; dropped is the number of the
// version that was removed.
func (m *model) createVersion(list []string, key, kind string, expire, now int64) (code string, dropped int) {
	if len(list) > 12 {
		return "CSMS.0204", 0
	}
	listed := map[string]bool{}
	for _, name := range list {
		if listed[name] || !modelLabelName.MatchString(name) {
			return "CSMS.0002", 0
		}
		listed[name] = true
	}
	if expire != 0 && badExpiry(expire, now) {
		return "CSMS.0002", 0
	}
	if code := m.answer("value"); code != "" {
		return code, 0
	}
	if len(listed) == 0 {
		listed[current] = true
	}
	after := maps.Clone(m.labels)
	if listed[current] && !listed[previous] {
		after[previous] = modelLabel{m.labels[current].version, now}
	}
	for name := range listed {
		after[name] = modelLabel{m.highest + 1, now}
	}
	if len(after) > 12 {
		return "CSMS.0204", 0
	}
	for n := 1; len(m.versions) == 20; n++ {
		if _, kept := m.versions[n]; kept && m.bare(n) {
			delete(m.versions, n)
			dropped = n
		}
	}
	m.highest++
	m.newest = max(m.newest+1, now)
	m.versions[m.highest] = modelVersion{m.newest, expire / 1000 * 1000, false, key, kind}
	m.labels = after
	return "", dropped
}

// updateVersion is V9 and V10.
func (m *model) updateVersion(id string, expire, now int64) string {
	if !modelPath.MatchString(id) || badExpiry(expire, now) {
		return "CSMS.0002"
	}
	n, found := m.find(id)
	if !found {
		return "CSMS.0005"
	}
	if code := m.answer("value"); code != "" {
		return code
	}
	v := m.versions[n]
	v.expires, v.announced = expire/1000*1000, false
	m.versions[n] = v
	return ""
}

// expire is E8: it returns the numbers of the versions that are announced, ascending.
func (m *model) expire(now int64) []int {
	fired := []int{}
	for n := 1; n <= m.highest; n++ {
		v, kept := m.versions[n]
		if kept && v.expires > 0 && v.expires <= now && !v.announced {
			v.announced = true
			m.versions[n] = v
			fired = append(fired, n)
		}
	}
	// What expired first is told first; of one instant, the older version.
	sort.SliceStable(fired, func(i, j int) bool { return m.versions[fired[i]].expires < m.versions[fired[j]].expires })
	return fired
}

// readValue is the row ShowSecretVersion.
func (m *model) readValue(id string) string {
	if !modelPath.MatchString(id) {
		return "CSMS.0002"
	}
	if _, found := m.find(id); !found {
		return "CSMS.0005"
	}
	return m.answer("value")
}

// moveLabel is L11 to L15.
func (m *model) moveLabel(name, id string, now int64) string {
	if !modelLabelName.MatchString(name) || !modelBodyID.MatchString(id) {
		return "CSMS.0002"
	}
	n, found := m.find(id)
	if !found {
		return "CSMS.0005"
	}
	if code := m.answer("change"); code != "" {
		return code
	}
	if _, exists := m.labels[name]; !exists && len(m.labels) == 12 {
		return "CSMS.0203"
	}
	m.labels[name] = modelLabel{n, now}
	return ""
}

// removeLabel is L16 and L17.
func (m *model) removeLabel(name string) string {
	switch _, exists := m.labels[name]; {
	case !modelLabelName.MatchString(name):
		return "CSMS.0002"
	case name == current || name == previous:
		return "CSMS.0105"
	case !exists:
		return "CSMS.0005"
	}
	if code := m.answer("change"); code != "" {
		return code
	}
	delete(m.labels, name)
	return ""
}

// modelPatch is the body of UpdateSecret; what is nil is absent.
type modelPatch struct {
	key, description, period, urn *string
	auto                          *bool
	events                        *[]string
}

func (p modelPatch) bad() bool {
	switch {
	case p.key != nil && (utf8.RuneCountInString(*p.key) < 2 || utf8.RuneCountInString(*p.key) > 64),
		p.description != nil && len(*p.description) > 2048,
		p.period != nil && *p.period != "" && periods[*p.period] == 0,
		p.events != nil && len(*p.events) > 1:
		return true
	}
	return p.events != nil && len(*p.events) == 1 && !modelLabelName.MatchString((*p.events)[0])
}

// update is N10, N12, N15, N16 and RO1 to RO4.
func (m *model) update(p modelPatch, now int64) string {
	if p.bad() {
		return "CSMS.0002"
	}
	if code := m.answer("change"); code != "" {
		return code
	}
	if p == (modelPatch{}) {
		return ""
	}
	before, after := *m, *m
	set(&after.auto, p.auto)
	set(&after.period, p.period)
	set(&after.urn, p.urn)
	set(&after.key, p.key)
	set(&after.description, p.description)
	set(&after.events, p.events)
	if after.auto && (after.period == "" || after.rotates() && after.urn == "") {
		return "CSMS.0002"
	}
	after.updated = now
	if after.auto != before.auto || after.period != before.period {
		after.plan(now)
	}
	*m = after
	return ""
}

func set[T any](field, given *T) {
	if given != nil {
		*field = *given
	}
}

// schedule is S2, DEL3, DEL4 and DEL10.
func (m *model) schedule(days int, now int64) string {
	if days < 7 || days > 30 {
		return "CSMS.0002"
	}
	if code := m.answer("schedule"); code != "" {
		return code
	}
	if m.replicas > 0 {
		return "CSMS.0002"
	}
	m.state, m.updated, m.scheduled = "PENDING_DELETE", now, now+int64(days)*86_400_000
	return ""
}

// restore is S3, DEL5 and DEL6.
func (m *model) restore(now int64) string {
	if code := m.answer("restore"); code != "" {
		return code
	}
	m.state, m.updated, m.scheduled = "ENABLED", now, 0
	return ""
}

// destroy is S4 and DEL10; the secret itself stays, for the next operations.
func (m *model) destroy() string {
	if code := m.answer("destroy"); code != "" {
		return code
	}
	if m.replicas > 0 {
		return "CSMS.0002"
	}
	return ""
}

// switchState is S6.
func (m *model) switchState(to string, now int64) string {
	if !slices.Contains([]string{"ENABLED", "DISABLED", "FROZEN"}, to) {
		return "CSMS.0002"
	}
	if code := m.answer("switch"); code != "" {
		return code
	}
	if m.state != to {
		m.state, m.updated = to, now
	}
	return ""
}
