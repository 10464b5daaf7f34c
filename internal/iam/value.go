package iam

import (
	"cmp"
	"math"
	"strconv"
	"strings"
)

// Value is an attribute of a request that may be absent. Absent and empty are two
// things: a condition on an absent value is false, but for IfExists and the null
// family (auth.md 7.3). The zero Value is absent.
type Value[T string | int64] struct {
	v     T
	known bool
}

// Known returns a Value that is present.
func Known[T string | int64](v T) Value[T] { return Value[T]{v: v, known: true} }

// Get returns the value and whether it is present.
func (v Value[T]) Get() (T, bool) { return v.v, v.known }

// decimal is a number as written, compared digit by digit: a tag value may hold
// more digits than a float keeps.
type decimal struct {
	negative    bool
	whole, frac string // without leading, respectively trailing, zeros
}

// parseDecimal reads an optional sign, digits and an optional fraction.
func parseDecimal(s string) (decimal, bool) {
	var d decimal
	if s != "" && (s[0] == '-' || s[0] == '+') {
		d.negative = s[0] == '-'
		s = s[1:]
	}
	whole, frac, dot := strings.Cut(s, ".")
	if !digits(whole) || dot && !digits(frac) {
		return decimal{}, false
	}
	d.whole, d.frac = strings.TrimLeft(whole, "0"), strings.TrimRight(frac, "0")
	if d.whole == "" && d.frac == "" {
		d.negative = false
	}
	return d, true
}

func digits(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// compare returns -1, 0 or +1 as d is less than, equal to or greater than e.
func (d decimal) compare(e decimal) int {
	if d.negative != e.negative {
		if d.negative {
			return -1
		}
		return +1
	}
	order := d.compareSize(e)
	if d.negative {
		return -order
	}
	return order
}

func (d decimal) compareSize(e decimal) int {
	if len(d.whole) != len(e.whole) {
		if len(d.whole) < len(e.whole) {
			return -1
		}
		return +1
	}
	if order := strings.Compare(d.whole, e.whole); order != 0 {
		return order
	}
	return strings.Compare(d.frac, e.frac)
}

// compareInt returns the order of n and d without writing n out.
func (d decimal) compareInt(n int64) int {
	away := -1 // the order if d is further from zero than n
	if d.negative {
		away = +1
	}
	whole, ok := d.int64()
	if !ok {
		return away
	}
	if n == whole && d.frac != "" {
		return away
	}
	return cmp.Compare(n, whole)
}

// int64 returns d without its fraction, and false if that is beyond an int64.
func (d decimal) int64() (int64, bool) {
	if d.whole == "" {
		return 0, true
	}
	size, err := strconv.ParseUint(d.whole, 10, 64)
	switch {
	case err != nil:
		return 0, false
	case d.negative:
		return -int64(size), size <= -math.MinInt64
	}
	return int64(size), size <= math.MaxInt64
}
