package signature

import (
	"bytes"
	"testing"
	"time"
)

// Each request is measured in three ways: Verify alone; whole, which is all that
// a request costs (parsing the header, the date, hashing the body, verifying); and
// plain, the same by the plain implementation of reference_test.go.
func BenchmarkVerify(b *testing.B) {
	for _, c := range []struct {
		name, method, target string
		body                 []byte
	}{
		{"get", "GET", vectorV1 + "/secrets/demo-secret/versions/latest", nil},
		{"list", "GET", vectorV1 + "/secrets?limit=50&marker=demo%20secret%2F1", nil},
		{"post1KiB", "POST", vectorV1 + "/secrets", bytes.Repeat([]byte("x"), 1024)},
	} {
		v := vector{method: c.method, target: c.target, header: goHeader(), body: string(c.body)}
		m, key := v.message(), vectorKey(b)
		authorization, err := key.Sign(&m, nil, vectorTime())
		if err != nil {
			b.Fatal(err)
		}
		h, err := ParseHeader(authorization)
		if err != nil {
			b.Fatal(err)
		}
		verify := func() bool { return key.Verify(&h, &m, RefuseUnsigned) == nil }
		whole := func() bool { return wholeCheck(key, authorization, m, c.body) == nil }
		plain := func() bool { return plainCheck(authorization, m, c.body) }
		b.Run(c.name+"/verify", func(b *testing.B) { benchmark(b, verify) })
		b.Run(c.name+"/whole", func(b *testing.B) { benchmark(b, whole) })
		b.Run(c.name+"/plain", func(b *testing.B) { benchmark(b, plain) })
		b.Run(c.name+"/ratio", func(b *testing.B) { benchmarkRatio(b, whole, plain) })
	}
}

func benchmark(b *testing.B, check func() bool) {
	b.ReportAllocs()
	for b.Loop() {
		if !check() {
			b.Fatal("refused")
		}
	}
}

// benchmarkRatio takes turns, and compares the quickest turns, so that other work
// on the machine hits neither side alone.
func benchmarkRatio(b *testing.B, whole, plain func() bool) {
	quickest := func(last time.Duration, check func() bool) time.Duration {
		start := time.Now()
		for range 32 {
			if !check() {
				b.Fatal("refused")
			}
		}
		return min(last, time.Since(start))
	}
	w, p := time.Hour, time.Hour
	for b.Loop() {
		w, p = quickest(w, whole), quickest(p, plain)
	}
	b.ReportMetric(float64(w)/32, "whole-ns")
	b.ReportMetric(float64(p)/32, "plain-ns")
	b.ReportMetric(float64(p)/float64(w), "plain/whole")
	b.ReportMetric(0, "ns/op")
}

func wholeCheck(key *Key, authorization string, m Message, body []byte) error {
	h, err := ParseHeader(authorization)
	if err != nil {
		return err
	}
	date, err := m.Date()
	if err != nil {
		return err
	}
	if _, err := CheckDate(date, vectorTime(), 15*time.Minute); err != nil {
		return err
	}
	m.BodyHash = BodyHash(body)
	return key.Verify(&h, &m, RefuseUnsigned)
}

func plainCheck(authorization string, m Message, body []byte) bool {
	date, err := time.Parse(DateLayout, m.Header.Get("X-Sdk-Date"))
	if err != nil || vectorTime().Sub(date).Abs() > 15*time.Minute {
		return false
	}
	m.BodyHash = BodyHash(body)
	return refVerify(authorization, m, vectorSecret)
}

func BenchmarkVerifyParallel(b *testing.B) {
	m, key := derivedMessage(), vectorKey(b)
	authorization, err := key.Sign(&m, nil, vectorTime())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := wholeCheck(key, authorization, m, nil); err != nil {
				b.Error(err)
			}
		}
	})
}

func BenchmarkVerifyDerived(b *testing.B) {
	h, err := ParseHeader(derivedVector)
	if err != nil {
		b.Fatal(err)
	}
	m, key := derivedMessage(), vectorKey(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := key.Verify(&h, &m, RefuseUnsigned); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyFirst is a request whose key is not kept from an earlier one.
func BenchmarkVerifyFirst(b *testing.B) {
	m := derivedMessage()
	authorization, err := vectorKey(b).Sign(&m, nil, vectorTime())
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if err := wholeCheck(vectorKey(b), authorization, m, nil); err != nil {
			b.Fatal(err)
		}
	}
}
