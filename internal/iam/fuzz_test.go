package iam

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzParsePolicy: no document makes a panic; a message fits on the wire; what may be
// saved means the same when it is loaded; what may not be saved grants nothing more
// than its readable statements.
func FuzzParsePolicy(f *testing.F) {
	f.Add([]byte(`{"Version":"1.1","Statement":[{"Effect":"Allow","Action":["csms:secret:get"],"Resource":"*"}]}`))
	f.Add([]byte(statement50(`"Sid":"x","Effect":"Deny","NotAction":["iam:*:*"],"NotResource":["csms:*:*:secretName:a?"],
		"Condition":{"ForAllValues:StringNotMatchIfExists":{"g:TagKeys":["a*","?"]},"IpAddress":{"g:SourceIp":["::/0"]},
		"DateLessThan":{"g:CurrentTime":["2026-11-21T12:00:00Z"]},"NumberLessThan":{"csms:RecoveryWindowInDays":["8"]}}`)))
	for _, p := range BuiltinPolicies() {
		f.Add(p.Document())
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		saved, err := ParsePolicy("p", document)
		stored, storedErr := CompilePolicy("p", document)
		if err != nil {
			checkRefusal(t, err, "Invalid policy document: ")
			if storedErr == nil && len(stored.Problems()) == 0 && stored.Version() != versionRole {
				t.Fatalf("refused with %v, loads without a problem", err)
			}
			decideAll(stored)
			return
		}
		if storedErr != nil || stored.Problems() != nil || stored.Version() == versionRole {
			t.Fatalf("may be saved, loads with %v %v", storedErr, stored.Problems())
		}
		checkSame(t, saved, stored)

		var tree any
		if err := json.Unmarshal(saved.Document(), &tree); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(tree)
		if err != nil || len(text) > MaxDocument {
			return // the escaped form may be longer
		}
		if again, err := ParsePolicy("p", text); err != nil {
			t.Fatalf("%s after a round trip: %v", text, err)
		} else {
			checkSame(t, saved, again)
		}
	})
}

// decideAll asks p everything that the two requests of the condition tests can ask.
func decideAll(p *Policy) []byte {
	if p == nil {
		return nil
	}
	var reasons []byte
	for _, c := range []*Caller{fullCaller(), bareCaller()} {
		c.Policies = []*Policy{p}
		for _, r := range []*Request{fullRequest(), bareRequest()} {
			r.Resource = "k1"
			for _, op := range Operations() {
				r.Op = op
				reasons = append(reasons, byte(Evaluate(c, r).Reason))
			}
		}
	}
	return reasons
}

func checkSame(t *testing.T, a, b *Policy) {
	t.Helper()
	if !bytes.Equal(decideAll(a), decideAll(b)) {
		t.Fatalf("%s and %s decide differently", a.Document(), b.Document())
	}
}
