package iam

import (
	"math/big"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestValue_absent_is_not_empty(t *testing.T) {
	if v, ok := (Value[string]{}).Get(); ok || v != "" {
		t.Errorf("zero Value = %q, %v; want absent", v, ok)
	}
	if v, ok := Known("").Get(); !ok || v != "" {
		t.Errorf("Known(\"\") = %q, %v; want present and empty", v, ok)
	}
	if v, ok := Known(int64(0)).Get(); !ok || v != 0 {
		t.Errorf("Known(0) = %d, %v; want present", v, ok)
	}
}

func TestDecimal_reads_plain_numbers_only(t *testing.T) {
	for _, s := range []string{"0", "7", "-7", "+7", "007", "1.50", "-0.0", "123456789012345678901234567890"} {
		if _, ok := parseDecimal(s); !ok {
			t.Errorf("parseDecimal(%q) refuses a number", s)
		}
	}
	for _, s := range []string{"", "-", ".", "1.", ".5", "1e3", "0x10", "1_000", " 1", "1 ", "--1", "NaN", "Inf", "１"} {
		if _, ok := parseDecimal(s); ok {
			t.Errorf("parseDecimal(%q) accepts what is no plain number", s)
		}
	}
}

// TestDecimal_compares_exactly has more digits than a float keeps.
func TestDecimal_compares_exactly(t *testing.T) {
	numeral := rapid.StringMatching(`[-+]?[0-9]{1,25}(\.[0-9]{1,25})?`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := numeral.Draw(t, "a"), numeral.Draw(t, "b")
		if rapid.Bool().Draw(t, "near") {
			b = a + "0"
		}
		x, _ := parseDecimal(a)
		y, _ := parseDecimal(b)
		if got, want := x.compare(y), rational(a).Cmp(rational(b)); got != want {
			t.Fatalf("compare(%s, %s) = %d, want %d", a, b, got, want)
		}
	})
}

func TestDecimal_compares_with_integers_exactly(t *testing.T) {
	numeral := rapid.StringMatching(`[-+]?[0-9]{1,20}(\.[0-9]{1,3})?`)
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64().Draw(t, "n")
		s := numeral.Draw(t, "d")
		if rapid.Bool().Draw(t, "near") {
			s = strconv.FormatInt(n, 10) + rapid.SampledFrom([]string{"", ".0", ".1"}).Draw(t, "fraction")
		}
		d, _ := parseDecimal(s)
		want := new(big.Rat).SetInt64(n).Cmp(rational(s))
		if got := d.compareInt(n); got != want {
			t.Fatalf("order of %d and %s = %d, want %d", n, s, got, want)
		}
	})
}

func rational(s string) *big.Rat {
	r, _ := new(big.Rat).SetString(s)
	return r
}
