package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"coffer/internal/csms"
	"coffer/internal/kv"
)

// Finding is one thing that is wrong with the contents of a store.
type Finding struct {
	Key     string // for the eye: parts after slashes, numbers in digits
	Problem string // what is wrong; never what a record holds
}

// String returns the finding as one line.
func (f Finding) String() string { return f.Key + ": " + f.Problem }

// Verify reads one snapshot of the whole store and reports whatever does not fit
// together: records that cannot be read or stand in the wrong place, index rows and
// counters that differ from what the records say, versions without a sealed value
// and values without a version, replicas and primaries that do not know each other,
// users in groups that do not exist, keys of no known form. What it reports about rows
// and counters, Reindex puts right. An error means that it could not finish.
func (s *Store) Verify(ctx context.Context) ([]Finding, error) {
	var c *checker
	err := s.db.View(ctx, func(r kv.Reader) error {
		c = &checker{r: r, codec: s.codec, counted: map[string]int{}, counters: map[string]int{}}
		return c.run()
	})
	if err != nil {
		return nil, fmt.Errorf("verifying the store: %w", err)
	}
	return c.findings, nil
}

// checker is one run of Verify.
type checker struct {
	r        kv.Reader
	codec    codec
	findings []Finding
	counted  map[string]int // what was seen, by key of the counter it is counted by
	counters map[string]int // counters seen, by key; -1 for a damaged one
}

func (c *checker) report(k []byte, format string, args ...any) {
	c.findings = append(c.findings, Finding{show(k), fmt.Sprintf(format, args...)})
}

func (c *checker) run() error {
	for item, err := range c.r.Scan(kv.Range{To: []byte{0xff}}) {
		if err != nil {
			return err
		}
		if err := c.item(slices.Clone(item.Key), item.Value); err != nil {
			return err
		}
	}
	c.compareCounters()
	return nil
}

func (c *checker) item(k key, value []byte) error {
	p, err := parseKey(k)
	if err != nil {
		c.report(k, "key of no known form")
		return nil //nolint:nilerr // it is a finding, and the check goes on
	}
	switch {
	case kinds[p.table] != nil:
		return c.record(k, value, p)
	case slices.Contains(indexTables, p.table):
		return c.indexRow(k, value)
	case p.table == tableValue:
		return c.value(k, p)
	case slices.Contains(counterTables, p.table):
		c.counter(k, value)
	}
	return nil
}

// record checks that a record can be read, stands where it belongs, and that every
// row that follows from it is there.
func (c *checker) record(k key, value []byte, p parsed) error {
	if counter := p.counter(); counter != nil {
		c.counted[string(counter)]++
	}
	o, err := kinds[p.table].open(c.codec, value)
	if err != nil {
		c.report(k, "%v", err)
		return nil
	}
	if !bytes.Equal(o.key, k) {
		c.report(k, "the record belongs under another key")
		return nil
	}
	if err := c.references(k, o.refers); err != nil {
		return err
	}
	for _, r := range o.rows {
		if counter := r.counter(); counter != nil {
			c.counted[string(counter)]++
		}
		if err := c.rowOf(k, r); err != nil {
			return err
		}
	}
	if s, is := o.record.(*csms.Secret); is {
		return c.members(k, s)
	}
	return nil
}

// references checks that the records that one refers to are there.
func (c *checker) references(k key, refers []key) error {
	for _, to := range refers {
		_, err := getRaw(c.r, to)
		if err != nil && !errors.Is(err, ErrNotFound) {
			return err
		}
		if err != nil {
			c.report(k, "it refers to %s, which does not exist", show(to))
		}
	}
	return nil
}

func (c *checker) rowOf(owner key, r row) error {
	value, err := getRaw(c.r, r.key)
	switch {
	case errors.Is(err, ErrNotFound) && r.owned:
		c.report(owner, "there is no %s", show(r.key))
	case errors.Is(err, ErrNotFound):
		c.report(owner, "the index row %s is missing", show(r.key))
	case err != nil:
		return err
	case !r.owned && !bytes.Equal(value, owner):
		c.report(owner, "the index row %s leads to another record", show(r.key))
	}
	return nil
}

// indexRow checks that a row follows from the record it leads to.
func (c *checker) indexRow(k, owner key) error {
	follows, err := derived(c.r, c.codec, k, owner)
	switch {
	case errors.Is(err, errUnreadable):
		return nil // reported with the record
	case err != nil:
		return err
	case !follows:
		c.report(k, "no record has this index row")
	}
	return nil
}

// value checks that a sealed value belongs to a kept version.
func (c *checker) value(k key, p parsed) error {
	owner, err := getRaw(c.r, secretIDKey(nil, p.texts[0]))
	if errors.Is(err, ErrNotFound) {
		c.report(k, "no secret has the id of this value")
		return nil
	}
	if err != nil {
		return err
	}
	follows, err := derived(c.r, c.codec, k, owner)
	switch {
	case errors.Is(err, errUnreadable):
		return nil // reported with the record
	case err != nil:
		return err
	case !follows:
		c.report(k, "no version has this value")
	}
	return nil
}

func (c *checker) counter(k key, value []byte) {
	n, err := parseCount(value)
	if err != nil || n == 0 {
		c.report(k, "the counter is damaged")
		n = -1
	}
	c.counters[string(k)] = n
}

func (c *checker) compareCounters() {
	names := slices.Collect(maps.Keys(c.counters))
	for name := range c.counted {
		if _, both := c.counters[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if want, got := c.counted[name], c.counters[name]; got != want && got >= 0 {
			c.report(key(name), "the counter is %d and there are %d %s", got, want, countedBy(name))
		}
	}
}

// countedBy says what a counter counts.
func countedBy(counter string) string {
	if isOf(key(counter), tableTaskCount) {
		return "tasks"
	}
	return "secrets"
}
