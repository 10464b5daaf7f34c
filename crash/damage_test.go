package crash

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestDamage changes single bytes of what was acknowledged, in the log and in a
// table. A store must not lose or alter anything in silence: either it says that it
// is damaged, or it holds exactly what it held.
//
// The last record of the log of a server that was killed is the one exception. The
// disk cannot tell it from a write that was torn by the power cut and that nobody was
// told of. It may go, as a whole, and nothing else with it.
func TestDamage(t *testing.T) {
	t.Run("in_the_log_of_a_killed_server", func(t *testing.T) {
		d := newDamaged(t, (*process).kill)
		damage(t, d, newestLogName, 30, d.withoutLast(t))
	})
	t.Run("in_the_log_of_a_stopped_server", func(t *testing.T) {
		damage(t, newDamaged(t, (*process).stop), newestLogName, 30)
	})
	t.Run("in_a_table", func(t *testing.T) {
		d := newDamaged(t, (*process).kill)
		d.restart(t) // writes the log into a table
		damage(t, d, onlyTable, 12)
	})
}

// damaged is a data directory to be damaged, in copies.
type damaged struct {
	dir, data, logs, config string
	dump                    string // of the directory as it is
}

// damagedSecrets fill more than two blocks of the log, and their last records share
// one.
const damagedSecrets = 40

// newDamaged makes a data directory whose server was ended by end.
func newDamaged(t *testing.T, end func(*process, *testing.T)) *damaged {
	t.Helper()
	d := &damaged{dir: workDir(t)}
	d.data, d.logs = filepath.Join(d.dir, "data"), filepath.Join(d.dir, "log")
	d.config = writeConfig(t, d.dir, d.data, serverConfig)
	p := serve(t, d.logs, "server", "--config", d.config)
	c := p.client(t, p.account())
	w := newWriter("damaged", &tally{})
	for range damagedSecrets {
		if err := w.send(t.Context(), c, w.creation(w.newName())); err != nil {
			t.Fatal(err)
		}
	}
	end(p, t)
	d.dump = dump(t, d.copy(t, "pristine"))
	return d
}

func (d *damaged) restart(t *testing.T) {
	t.Helper()
	serve(t, d.logs, "server", "--config", d.config).kill(t)
}

// copy returns a fresh copy of the data directory.
func (d *damaged) copy(t *testing.T, name string) string {
	t.Helper()
	to := filepath.Join(d.dir, name)
	if err := os.RemoveAll(to); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(to, os.DirFS(d.data)); err != nil {
		t.Fatal(err)
	}
	return to
}

// dump returns every record of a store that is whole.
func dump(t *testing.T, data string) string {
	t.Helper()
	exit, stdout, stderr := run(t, "admin", "dump", "--data", data)
	if exit != 0 || !strings.Contains(stdout, `"table":"secret"`) {
		t.Fatalf("coffer admin dump ended with %d: %s%s", exit, stdout, stderr)
	}
	return stdout
}

func newestLogName(t *testing.T, data string) string {
	t.Helper()
	return newestLog(t, data).path
}

// onlyTable returns the one table that a restart has made.
func onlyTable(t *testing.T, data string) string {
	t.Helper()
	tables, err := filepath.Glob(filepath.Join(data, "store", "*.sst"))
	if err != nil || len(tables) != 1 {
		t.Fatalf("found the tables %v, %v", tables, err)
	}
	return tables[0]
}

// damage flips one bit at a time, so many times, at random places of the file and
// near its end. What verifies clean then must be as it was, or as allowed.
func damage(t *testing.T, d *damaged, file func(*testing.T, string) string, times int, allowed ...string) {
	choose := chance(t.Name())
	whole, err := os.ReadFile(file(t, d.data))
	if err != nil {
		t.Fatal(err)
	}
	noticed := 0
	for n := range times {
		at := choose.IntN(len(whole))
		if n%2 == 0 {
			at = len(whole) - 1 - choose.IntN(min(len(whole), walBlock/2))
		}
		data := d.copy(t, "damaged")
		changed := slices.Clone(whole)
		changed[at] ^= 1 << choose.IntN(8)
		if err := os.WriteFile(file(t, data), changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if exit, _, stderr := run(t, "admin", "verify", "--data", data); exit != 0 {
			noticed++
			if exit != 1 || !strings.HasPrefix(stderr, "coffer: ") {
				t.Errorf("byte %d of %d: verify ended with %d and said %q", at, len(whole), exit, stderr)
			}
			continue
		}
		if now := dump(t, data); now != d.dump && !slices.Contains(allowed, now) {
			t.Errorf("byte %d of %d: verify finds nothing, and %s", at, len(whole), missing(d.dump, now))
		}
	}
	if noticed == 0 {
		t.Error("no change was noticed at all")
	}
}

// withoutLast returns the dump of the store as it was before the last record of its
// log.
func (d *damaged) withoutLast(t *testing.T) string {
	t.Helper()
	data := d.copy(t, "shorter")
	w := newestLog(t, data)
	if err := os.Truncate(w.path, int64(w.lastStart())); err != nil {
		t.Fatal(err)
	}
	return dump(t, data)
}

// missing tells how many lines of one dump are not in the other.
func missing(before, now string) string {
	left := strings.Split(now, "\n")
	lost := 0
	for line := range strings.Lines(before) {
		if !slices.Contains(left, strings.TrimSuffix(line, "\n")) {
			lost++
		}
	}
	return fmt.Sprintf("%d of %d records are gone or changed", lost, strings.Count(before, "\n"))
}
