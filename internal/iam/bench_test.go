package iam

import (
	"fmt"
	"testing"
)

// benchDocuments are 5 policies of 10 statements; the statement that decides is the
// last but one of the last, and a deny with conditions has to be ruled out.
func benchDocuments() [][]byte {
	var documents [][]byte
	for i := range 5 {
		document := `{"Version":"5.0","Statement":[`
		for j := range 8 {
			document += fmt.Sprintf(`{"Effect":"Allow","Action":["csms:secret:get","csms:secret:getVersion","csms:secretStage:*"],
				"Resource":["csms:*:*:secretName:team%d_%d_*","csms:*:*:secretName:shared%d_*"]},`, i, j, j)
		}
		document += fmt.Sprintf(`{"Effect":"Allow","Action":["csms:secretVersion:get"],"Resource":["csms:*:*:secretName:app%d_*"],
			"Condition":{"IpAddress":{"g:SourceIp":["10.0.0.0/8"]},"StringEqualsIfExists":{"g:ResourceTag/env":["prod"]}}},
			{"Effect":"Deny","Action":["csms:*:*"],"Condition":{"Bool":{"g:SecureTransport":["false"]},"StringNotMatch":{"g:UserName":["*-ci"]}}}]}`, i)
		documents = append(documents, []byte(document))
	}
	return documents
}

func benchCaller(tb testing.TB) (*Caller, *Request) {
	c, r := fullCaller(), fullRequest()
	r.SecretName = "app4_db"
	for i, document := range benchDocuments() {
		p, err := ParsePolicy(fmt.Sprint("p", i), document)
		if err != nil {
			tb.Fatal(err)
		}
		c.Policies = append(c.Policies, p)
	}
	return c, r
}

func TestAuthorize_allocates_nothing_when_it_allows(t *testing.T) {
	c, r := benchCaller(t)
	if d := Evaluate(c, r); !d.Allowed || d.Policy != c.Policies[4] {
		t.Fatal(&d)
	}
	c.Session, c.Boundary = builtin(t, "te_admin"), []*Policy{builtin(t, "te_admin")}
	if n := testing.AllocsPerRun(100, func() {
		if err := c.Authorize(r); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		if err := c.AuthorizeKey(DecryptDataKey, r, ""); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for the default key", n)
	}
}

func BenchmarkDecision(b *testing.B) {
	c, r := benchCaller(b)
	b.Run("allowed", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := c.Authorize(r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("refused", func(b *testing.B) {
		refused := *r
		refused.SecretName = "nobody"
		b.ReportAllocs()
		for b.Loop() {
			if Evaluate(c, &refused).Allowed {
				b.Fatal("allowed")
			}
		}
	})
	b.Run("full access", func(b *testing.B) {
		simple := *c
		simple.Policies = []*Policy{builtin(b, "CSMS FullAccess")}
		b.ReportAllocs()
		for b.Loop() {
			if err := simple.Authorize(r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parsed per request", func(b *testing.B) {
		documents := benchDocuments()
		parsing := *c
		b.ReportAllocs()
		for b.Loop() {
			parsing.Policies = parsing.Policies[:0:0]
			for _, document := range documents {
				p, err := CompilePolicy("p", document)
				if err != nil {
					b.Fatal(err)
				}
				parsing.Policies = append(parsing.Policies, p)
			}
			if err := parsing.Authorize(r); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkParsePolicy(b *testing.B) {
	document := benchDocuments()[0]
	b.SetBytes(int64(len(document)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParsePolicy("p", document); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWildcard(b *testing.B) {
	g := compileGlob("csms*secret?Name*prod", true)
	for b.Loop() {
		if !g.match("csms-xx-secretsName-for-prod") {
			b.Fatal("no match")
		}
	}
}
