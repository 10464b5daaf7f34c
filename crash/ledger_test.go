package crash

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"

	"coffer/internal/client"
	"coffer/internal/wire"

	"github.com/google/go-cmp/cmp"
)

// ledger is a secret to which many writers add versions at once, so that its
// transactions conflict and commit in groups.
type ledger struct {
	name  string
	tally *tally

	mu    sync.Mutex
	known map[int]value  // by version number; what was pruned before it was seen is empty
	open  map[value]bool // sent and not answered
}

func newLedger(name string, counts *tally) *ledger {
	return &ledger{name: name, tally: counts, known: map[int]value{}, open: map[value]bool{}}
}

// create makes the secret, before anybody adds to it.
func (l *ledger) create(ctx context.Context, c *client.Client, chance *rand.Rand) error {
	wr := createSecret(l.name, aValue(chance), "")
	_, err := c.Do(ctx, wr.method, wr.path, wr.body, nil)
	l.known[1] = wr.apply(nil).Versions[0].Value
	return err
}

// add adds a version and notes its number.
func (l *ledger) add(ctx context.Context, c *client.Client, v value) error {
	l.mu.Lock()
	l.open[v] = true
	l.mu.Unlock()
	var answer wire.VersionMetadataAnswer
	_, err := c.Do(ctx, http.MethodPost, secretPath(l.name, "versions"), v.fields(), &answer)
	if refused := (*client.Error)(nil); errors.As(err, &refused) {
		return fmt.Errorf("%w: CreateSecretVersion of %s: %w", errRefused, l.name, err)
	}
	if err != nil {
		return err
	}
	number, err := versionNumber(answer.VersionMetadata.ID)
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, twice := l.known[number]; err != nil || twice {
		return fmt.Errorf("%w: %s of %s was given twice", errRefused, answer.VersionMetadata.ID, l.name)
	}
	l.known[number] = v
	delete(l.open, v)
	l.tally.acknowledged.Add(1)
	return nil
}

// check demands that the numbers given are 1, 2, 3 and so on, each to one write that
// was acknowledged or in flight; that the newest 20 are kept with their values; and
// that the labels sit on the last two.
func (l *ledger) check(ctx context.Context, c *client.Client) error {
	got, err := observe(ctx, c, l.name, func(int) bool { return true })
	if err != nil || got == nil {
		return errors.Join(err, fmt.Errorf("%s is %v", l.name, got))
	}
	last := got.newest().Number
	if newest := slices.Max(slices.Collect(maps.Keys(l.known))); newest > last {
		return fmt.Errorf("%s ends at v%d, and v%d was acknowledged", l.name, last, newest)
	}
	var errs []error
	for i, v := range got.Versions {
		if want := last - len(got.Versions) + 1 + i; v.Number != want || len(got.Versions) != min(last, keptVersions) {
			errs = append(errs, fmt.Errorf("%s keeps v%d in place %d of %d, want v%d", l.name, v.Number, i, len(got.Versions), want))
		}
		errs = append(errs, l.adopt(v))
	}
	labels := map[string]int{}
	for name, st := range got.Stages {
		labels[name] = st.Version
	}
	if diff := cmp.Diff(map[string]int{current: last, previous: last - 1}, labels); diff != "" && last > 1 {
		errs = append(errs, fmt.Errorf("the labels of %s are wrong (-want +got):\n%s", l.name, diff))
	}
	return errors.Join(append(errs, l.close(last))...)
}

// adopt compares a kept version with what is known, or takes it for a write that was
// in flight.
func (l *ledger) adopt(v version) error {
	want, ok := l.known[v.Number]
	switch {
	case ok && want != v.Value:
		return fmt.Errorf("v%d of %s has another value than the one acknowledged", v.Number, l.name)
	case !ok && !l.open[v.Value]:
		return fmt.Errorf("v%d of %s has a value that nobody was waiting for", v.Number, l.name)
	case !ok:
		delete(l.open, v.Value)
		l.known[v.Number] = v.Value
		l.tally.settled(true)
	}
	return nil
}

// close accounts for the numbers that were given to writes in flight and pruned
// since, and for the writes that did not happen.
func (l *ledger) close(last int) error {
	missing := 0
	for number := 1; number <= last; number++ {
		if _, ok := l.known[number]; !ok {
			l.known[number] = value{}
			missing++
		}
	}
	if missing > len(l.open) {
		return fmt.Errorf("%d numbers of %s were given to nobody; %d writes were in flight", missing, l.name, len(l.open))
	}
	l.tally.happened.Add(int64(missing))
	l.tally.lost.Add(int64(len(l.open) - missing))
	clear(l.open)
	return nil
}
