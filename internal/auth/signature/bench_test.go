package signature

import (
	"bytes"
	"testing"
	"time"
)

// Each request is measured three ways: Verify alone, all that a request costs
// (parsing the header, the date, hashing the body, verifying), and the same by the
// plain implementation of reference_test.go.
func BenchmarkVerify(b *testing.B) {
	cases := []struct {
		name, method, target string
		body                 []byte
	}{
		{"get", "GET", vectorV1 + "/secrets/demo-secret/versions/latest", nil},
		{"list", "GET", vectorV1 + "/secrets?limit=50&marker=demo%20secret%2F1", nil},
		{"post1KiB", "POST", vectorV1 + "/secrets", bytes.Repeat([]byte("x"), 1024)},
	}
	for _, c := range cases {
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
		b.Run(c.name+"/verify", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := key.Verify(&h, &m, RefuseUnsigned); err != nil {
					b.Fatal(err)
				}
			}
		})
		var whole time.Duration
		b.Run(c.name+"/whole", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := wholeCheck(key, authorization, m, c.body); err != nil {
					b.Fatal(err)
				}
			}
			whole = b.Elapsed() / time.Duration(b.N)
		})
		b.Run(c.name+"/plain", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !plainCheck(authorization, m, c.body) {
					b.Fatal("refused")
				}
			}
			if whole > 0 {
				b.ReportMetric(float64(b.Elapsed()/time.Duration(b.N))/float64(whole), "plain/whole")
			}
		})
	}
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

func BenchmarkNewKey(b *testing.B) {
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
