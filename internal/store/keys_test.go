package store

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"coffer/internal/csms"
	"coffer/internal/kv"
)

func TestKeyOfAnImpossiblePartNamesNothing(t *testing.T) {
	cases := map[string]key{
		"empty_part":             secretKey(nil, "", "name"),
		"empty_last_part":        secretKey(nil, "project", ""),
		"zero_byte":              secretKey(nil, "project", "a\x00b"),
		"too_long":               secretKey(nil, "project", strings.Repeat("x", kv.MaxKey)),
		"negative_number":        valueKey(nil, "id", -1),
		"number_too_large":       valueKey(nil, "id", math.MaxUint32+1),
		"too_long_before_number": valueKey(nil, strings.Repeat("x", kv.MaxKey-len("value")-1), 1),
		"no_start":               key(nil).instant(1).digest(&[32]byte{}),
	}
	for name, k := range cases {
		if k != nil {
			t.Errorf("%s: key %q", name, k)
		}
	}
	if r := cases["zero_byte"].under(); len(r.To) != 0 {
		t.Errorf("range under a key that names nothing: %v", r)
	}
}

func TestKeyAtTheLimitIsAKey(t *testing.T) {
	if k := secretIDKey(nil, strings.Repeat("x", kv.MaxKey-len("secret-id")-1)); len(k) != kv.MaxKey {
		t.Errorf("key of %d bytes, want %d", len(k), kv.MaxKey)
	}
}

// The order of the bytes is the order of the times and numbers.
func TestByteOrderIsTheOrderOfTimesAndNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at, bt := csms.Millis(rapid.Int64Min(0).Draw(t, "at")), csms.Millis(rapid.Int64Min(0).Draw(t, "bt"))
		a, b := start(nil, tableDue).instant(at), start(nil, tableDue).instant(bt)
		if bytes.Compare(a, b) != compare(at, bt) {
			t.Fatalf("instants %d and %d are out of order", at, bt)
		}
		an, bn := rapid.IntRange(0, math.MaxUint32).Draw(t, "an"), rapid.IntRange(0, math.MaxUint32).Draw(t, "bn")
		if bytes.Compare(valueKey(nil, "id", an), valueKey(nil, "id", bn)) != compare(an, bn) {
			t.Fatalf("numbers %d and %d are out of order", an, bn)
		}
	})
}

func compare[T int | csms.Millis](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Two different lists of parts are two different keys, of one table or of two.
func TestKeysOfDifferentPartsDiffer(t *testing.T) {
	part := rapid.StringMatching(`[a-c\x01/-]{1,3}`)
	rapid.Check(t, func(t *rapid.T) {
		a := []string{part.Draw(t, "a0"), part.Draw(t, "a1")}
		b := []string{part.Draw(t, "b0"), part.Draw(t, "b1")}
		same := a[0] == b[0] && a[1] == b[1]
		if bytes.Equal(secretKey(nil, a[0], a[1]), secretKey(nil, b[0], b[1])) != same {
			t.Fatalf("%q and %q: keys are equal where the parts differ", a, b)
		}
		if bytes.HasPrefix(secretKey(nil, a[0], a[1]), start(nil, tableSecret).text(b[0]).under().From) != (a[0] == b[0]) {
			t.Fatalf("the range of project %q holds a secret of %q", b[0], a[0])
		}
	})
}

func TestNoTableIsInTheRangeOfAnother(t *testing.T) {
	for a := range layouts {
		for b := range layouts {
			if r := a.all(); a != b && strings.HasPrefix(string(b)+"\x00", string(r.From)) {
				t.Errorf("table %s lies in the range of %s", b, a)
			}
		}
	}
}

func TestEveryTableIsOfOneClass(t *testing.T) {
	class := map[table]int{tableSchema: 1, tableMeta: 1, tableValue: 1}
	for _, t := range counterTables {
		class[t]++
	}
	for _, t := range indexTables {
		class[t]++
	}
	for _, t := range recordTables {
		class[t]++
		if kinds[t] == nil {
			class[t] = -1
		}
	}
	for name := range layouts {
		if class[name] != 1 {
			t.Errorf("table %s is listed %d times", name, class[name])
		}
	}
}

func TestKeysAreShownForTheEye(t *testing.T) {
	hash := [32]byte{0xab}
	cases := map[string]key{
		"secret/p1/db":                       secretKey(nil, "p1", "db"),
		"value/id/7":                         valueKey(nil, "id", 7),
		"due/1700000000000/purge/id/0":       dueRow(1700000000000, DuePurge, "id", 0).key,
		"event-count/p1/nightly":             subscribersKey("p1", "nightly"),
		"outbox/id/3":                        outboxKey("id").number(3),
		"token/ab" + strings.Repeat("0", 62): tokenKey(nil, &hash),
		`"secret\x00p1"`:                     start(nil, tableSecret).text("p1"),
		`"other\x00\xff"`:                    key("other\x00\xff"),
	}
	for want, k := range cases {
		if got := show(k); got != want {
			t.Errorf("show(%q) = %s, want %s", k, got, want)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	hash := [32]byte{1}
	for _, k := range []key{
		secretKey(nil, "p", "n"), valueKey(nil, "id", 3), tokenKey(nil, &hash), instanceKey("p", "i").text("n"),
		dueRow(5, DueVersionExpiry, "id", 2).key, start(nil, tableSchema), metaKey(MetaRootCheck),
	} {
		f.Add([]byte(k))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := parseKey(raw)
		_ = show(raw)
		if err != nil || len(raw) > kv.MaxKey || p.at < 0 {
			return
		}
		k, texts := start(nil, p.table), p.texts
		for _, form := range layouts[p.table] {
			switch form {
			case text:
				k, texts = k.text(texts[0]), texts[1:]
			case number:
				k = k.number(p.number)
			case instant:
				k = k.instant(p.at)
			case digest:
				k = k.digest(&p.digest)
			}
		}
		if !bytes.Equal(k, raw) {
			t.Fatalf("%q was parsed and is written as %q", raw, k)
		}
	})
}
