package crash

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"

	"coffer/internal/client"
	"coffer/internal/wire"

	"github.com/google/go-cmp/cmp"
)

// writer owns some secrets of a project: nobody else changes them, so that it knows
// what they must be after each answer, and that at most the one request in flight is
// open when the server dies.
type writer struct {
	prefix  string // of the names of its secrets
	chance  *rand.Rand
	secrets map[string]*secret // as acknowledged
	touched map[string]bool    // since the last comparison
	pending *write             // sent and not answered
	serial  int
	tally   *tally
}

// tally counts writes over all rounds: those that were acknowledged, and what became
// of those in flight.
type tally struct {
	acknowledged, happened, lost atomic.Int64
}

// settled counts one write that was in flight.
func (c *tally) settled(happened bool) {
	if happened {
		c.happened.Add(1)
		return
	}
	c.lost.Add(1)
}

func newWriter(prefix string, counts *tally) *writer {
	return &writer{
		prefix: prefix, chance: chance(prefix), secrets: map[string]*secret{}, touched: map[string]bool{}, tally: counts,
	}
}

// errRefused is an answer that the server must not give.
var errRefused = errors.New("the server refused a write, or answered it wrongly")

// liveSecrets is how many secrets a writer keeps, more or less.
const liveSecrets = 10

// next chooses the next write.
func (w *writer) next() *write {
	names := slices.Sorted(maps.Keys(w.secrets))
	if len(names) < 3 || len(names) < liveSecrets && w.chance.IntN(8) == 0 {
		return w.creation(w.freshName())
	}
	if len(names) > liveSecrets && w.chance.IntN(2) == 0 {
		return deleteSecret(names[w.chance.IntN(len(names))])
	}
	return anyWrite(w.chance, w.secrets[names[w.chance.IntN(len(names))]])
}

func (w *writer) creation(name string) *write {
	return createSecret(name, aValue(w.chance), "made by "+w.prefix)
}

// freshName returns a name that no secret has now; some have been used before.
func (w *writer) freshName() string {
	if w.chance.IntN(4) == 0 && w.serial > 0 {
		name := w.nameOf(1 + w.chance.IntN(w.serial))
		if w.secrets[name] == nil {
			return name
		}
	}
	return w.newName()
}

// newName returns a name that was never used.
func (w *writer) newName() string {
	w.serial++
	return w.nameOf(w.serial)
}

// nameOf returns names of equal length, none of which is the beginning of another.
func (w *writer) nameOf(serial int) string { return fmt.Sprintf("%s-%06d", w.prefix, serial) }

// applied returns what a write makes of the secret it is about, nil for nothing.
func (w *writer) applied(wr *write) *secret {
	if before := w.secrets[wr.name]; before != nil {
		return wr.apply(before.clone())
	}
	return wr.apply(nil)
}

// send sends one write and notes the answer. An error that is not errRefused leaves
// the outcome open.
func (w *writer) send(ctx context.Context, c *client.Client, wr *write) error {
	w.pending, w.touched[wr.name] = wr, true
	var answer answer
	_, err := c.Do(ctx, wr.method, wr.path, wr.body, &answer)
	if refused := (*client.Error)(nil); errors.As(err, &refused) {
		return fmt.Errorf("%w: %s of %s: %w", errRefused, wr.what, wr.name, err)
	}
	if err != nil {
		return err
	}
	after := w.applied(wr)
	if err := answer.agree(after); err != nil {
		return fmt.Errorf("%w: %s of %s: %w", errRefused, wr.what, wr.name, err)
	}
	w.settle(wr.name, after)
	w.tally.acknowledged.Add(1)
	return nil
}

func (w *writer) settle(name string, s *secret) {
	w.pending = nil
	if w.secrets[name] = s; s == nil {
		delete(w.secrets, name)
	}
}

// answer is whatever a write is answered with.
type answer struct {
	Secret  *wire.Secret          `json:"secret"`
	Version *wire.VersionMetadata `json:"version_metadata"`
	Stage   *wire.Stage           `json:"stage"`
}

// agree holds an answer against what the write should have made, and lets the model
// learn the times from it.
func (a *answer) agree(s *secret) error {
	switch {
	case a.Secret != nil:
		got := told(a.Secret)
		s.learn(got)
		if diff := cmp.Diff(s.metadata(), got); diff != "" {
			return fmt.Errorf("the answer is wrong (-want +got):\n%s", diff)
		}
	case a.Version != nil:
		return s.agreeVersion(a.Version)
	case a.Stage != nil:
		st := s.Stages[a.Stage.Name]
		learn(&st.Update, int64(a.Stage.UpdateTime))
		s.Stages[a.Stage.Name] = st
		if a.Stage.VersionID != versionID(st.Version) {
			return fmt.Errorf("the answer has the stage on %s, want v%d", a.Stage.VersionID, st.Version)
		}
	}
	return nil
}

func (s *secret) agreeVersion(m *wire.VersionMetadata) error {
	i := slices.IndexFunc(s.Versions, func(v version) bool { return versionID(v.Number) == m.ID })
	if i < 0 {
		return fmt.Errorf("the answer is about %s, and the newest version is v%d", m.ID, s.newest().Number)
	}
	v := &s.Versions[i]
	learn(&v.Create, int64(m.CreateTime))
	got := version{Number: v.Number, Create: int64(m.CreateTime), Expire: int64(m.ExpireTime), Value: v.Value}
	if diff := cmp.Diff(*v, got) + cmp.Diff(s.stagesOf(v.Number), m.VersionStages); diff != "" {
		return fmt.Errorf("the answer is wrong (-want +got):\n%s", diff)
	}
	return nil
}

// owns reports whether a secret of that name is one of this writer.
func (w *writer) owns(name string) bool { return strings.HasPrefix(name, w.prefix+"-") }

// check holds everything of this writer against the server: the metadata of all its
// secrets, and all of those that were touched. With full it is all of all. The
// request in flight has either happened or not; which one is noted.
func (w *writer) check(ctx context.Context, c *client.Client, listed map[string]*secret, full bool) error {
	var errs []error
	if w.pending != nil {
		errs = append(errs, w.checkPending(ctx, c))
	}
	for name, got := range listed {
		if w.owns(name) && w.secrets[name] == nil {
			errs = append(errs, fmt.Errorf("%s (%s) exists and should not", name, got.State))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(w.secrets)) {
		if full || w.touched[name] || w.chance.IntN(8) == 0 {
			errs = append(errs, w.checkSecret(ctx, c, name, full))
		} else if diff := compare(w.secrets[name].metadata(), listed[name]); diff != "" {
			errs = append(errs, fmt.Errorf("the list has %s wrong: %s", name, diff))
		}
	}
	clear(w.touched)
	return errors.Join(errs...)
}

func (w *writer) checkSecret(ctx context.Context, c *client.Client, name string, full bool) error {
	got, err := observe(ctx, c, name, func(number int) bool {
		return full || number == w.secrets[name].newest().Number || w.chance.IntN(4) == 0
	})
	if err != nil {
		return err
	}
	if diff := compare(w.secrets[name], got); diff != "" {
		return fmt.Errorf("%s was acknowledged and is wrong: %s", name, diff)
	}
	w.secrets[name].learn(got)
	return nil
}

// checkPending finds out what became of the write that was in flight.
func (w *writer) checkPending(ctx context.Context, c *client.Client) error {
	wr := w.pending
	got, err := observe(ctx, c, wr.name, func(int) bool { return true })
	if err != nil {
		return fmt.Errorf("after a %s in flight: %w", wr.what, err)
	}
	before, after := w.secrets[wr.name], w.applied(wr)
	without, with := compare(before, got), compare(after, got)
	switch {
	case without == "":
		w.settle(wr.name, before)
	case with == "":
		w.settle(wr.name, after)
	default:
		return fmt.Errorf("a %s of %s in flight is half there.\nIf it did not happen: %s\nIf it did: %s", wr.what, wr.name, without, with)
	}
	w.tally.settled(without != "")
	if known := w.secrets[wr.name]; known != nil {
		known.learn(got)
	}
	return nil
}

// compare returns how got differs from what is wanted, "" if it does not. Values
// that were not read do not count.
func compare(want, got *secret) string {
	switch {
	case want == nil && got == nil:
		return ""
	case want == nil:
		return fmt.Sprintf("it exists (%s) and should not", got.State)
	case got == nil:
		return fmt.Sprintf("it is not there, and should be %s", want.State)
	}
	want, got = want.clone(), got.clone()
	want.learn(got)
	for i := range got.Versions {
		v := &got.Versions[i]
		j := slices.IndexFunc(want.Versions, func(other version) bool { return other.Number == v.Number })
		if v.Value.Field == "" && j >= 0 {
			v.Value = want.Versions[j].Value
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return "(-want +got)\n" + diff
	}
	return ""
}
