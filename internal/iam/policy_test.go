package iam

import (
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

func TestPolicySize_knows_the_sizes_of_its_parts(t *testing.T) {
	if reflect.TypeFor[uintptr]().Size() != 8 {
		return // the sizes are those of a 64-bit machine
	}
	for name, size := range map[string][2]uintptr{
		"policy":    {policySize, reflect.TypeFor[Policy]().Size()},
		"statement": {statementSize, reflect.TypeFor[statement]().Size()},
		"pattern":   {patternSize, reflect.TypeFor[resourcePattern]().Size()},
		"condition": {conditionSize, reflect.TypeFor[condition]().Size()},
		"glob":      {globSize, reflect.TypeFor[glob]().Size()},
		"decimal":   {decimalSize, reflect.TypeFor[decimal]().Size()},
		"network":   {networkSize, reflect.TypeFor[netip.Prefix]().Size()},
		"text":      {textSize, reflect.TypeFor[string]().Size()},
	} {
		if size[0] < size[1] || size[0] > size[1]+32 {
			t.Errorf("%s is taken for %d bytes and has %d", name, size[0], size[1])
		}
	}
}

// TestPolicySize_counts_what_a_short_text_costs: a document of question marks is much
// smaller than what it compiles to.
func TestPolicySize_counts_what_a_short_text_costs(t *testing.T) {
	p := mustParse(t, statement50(`"Effect":"Allow","Action":["*"],"Condition":{"StringMatch":{"g:UserName":[`+
		strings.TrimSuffix(strings.Repeat(`"?",`, 1000), ",")+`]}}`))
	if size := p.Size(); size < 1000*globSize {
		t.Errorf("size %d of 1000 patterns", size)
	}
}

func TestPolicy_lists_are_copies(t *testing.T) {
	p, err := CompilePolicy("p", []byte(statement50(`"Effect":"Allow","Action":["x"]`)))
	if err != nil {
		t.Fatal(err)
	}
	p.Problems()[0] = nil
	BuiltinPolicies()[0] = nil
	if p.Problems()[0] == nil || BuiltinPolicies()[0] == nil {
		t.Error("a caller can change a policy")
	}
	if got := p.Problems()[0].Error(); !strings.HasPrefix(got, `Statement[0]: "x" is not an action`) {
		t.Errorf("problem = %s", got)
	}
}
