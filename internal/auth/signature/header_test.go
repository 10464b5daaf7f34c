package signature

import (
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const headerSignature = "a5362b9eb69c613328c56e1776b03b8d746b113be93eb8bff1072f017dce1fbf"

func TestParseHeader(t *testing.T) {
	want := Header{Algorithm: HMAC, AccessKey: "AK", SignedHeaders: "host;x-sdk-date"}
	hex.Decode(want.Signature[:], []byte(headerSignature))
	derived := want
	derived.Algorithm, derived.Scope = Derived, "20261121/self-1/csms"
	unsorted := want
	unsorted.SignedHeaders = "x-sdk-date;accept;host;x-project-id"

	s := "Signature=" + headerSignature
	for name, c := range map[string]struct {
		value string
		want  Header
	}{
		"as the SDKs write it":    {"SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, " + s, want},
		"no blanks after commas":  {"SDK-HMAC-SHA256 Access=AK,SignedHeaders=host;x-sdk-date," + s, want},
		"blanks in all places":    {" \tSDK-HMAC-SHA256 \t Access=AK ,\t SignedHeaders=host;x-sdk-date  ,  " + s + "\t ", want},
		"parameters in any order": {"SDK-HMAC-SHA256 " + s + ", SignedHeaders=host;x-sdk-date, Access=AK", want},
		"older Credential form":   {"SDK-HMAC-SHA256 Credential=AK/20261121/any/thing, SignedHeaders=host;x-sdk-date, " + s, want},
		"Credential of a key":     {"SDK-HMAC-SHA256 Credential=AK, SignedHeaders=host;x-sdk-date, " + s, want},
		"derived":                 {"V11-HMAC-SHA256 Credential=AK/20261121/self-1/csms, SignedHeaders=host;x-sdk-date, " + s, derived},
		"unsorted names":          {"SDK-HMAC-SHA256 Access=AK, SignedHeaders=x-sdk-date;accept;host;x-project-id, " + s, unsorted},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ParseHeader(c.value)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Error(diff)
			}
			again, err := ParseHeader(got.Value())
			if diff := cmp.Diff(again, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		})
	}
}

func TestParseHeaderRefuses(t *testing.T) {
	const good = "SDK-HMAC-SHA256 Access=AK, SignedHeaders=host;x-sdk-date, Signature=" + headerSignature
	change := func(old, new string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %q to change", old)
		}
		return strings.Replace(good, old, new, 1)
	}
	for name, c := range map[string]struct {
		value string
		want  error
	}{
		"nothing":                   {"", ErrAlgorithm},
		"an algorithm alone":        {"SDK-HMAC-SHA256", ErrSyntax},
		"another scheme":            {"Basic QUs6U0s=", ErrAlgorithm},
		"no Access":                 {change("Access=AK, ", ""), ErrSyntax},
		"empty Access":              {change("Access=AK", "Access="), ErrSyntax},
		"Access twice":              {change("Access=AK", "Access=AK, Access=AK"), ErrSyntax},
		"Access and Credential":     {change("Access=AK", "Access=AK, Credential=AK/x"), ErrSyntax},
		"Access with a blank":       {change("Access=AK", "Access=A K"), ErrSyntax},
		"Access with a control":     {change("Access=AK", "Access=A\x1bK"), ErrSyntax},
		"Access not ASCII":          {change("Access=AK", "Access=Ä"), ErrSyntax},
		"Access too long":           {change("Access=AK", "Access="+strings.Repeat("A", MaxAccessKey+1)), ErrSyntax},
		"empty Credential":          {change("Access=AK", "Credential=/x"), ErrSyntax},
		"no SignedHeaders":          {change("SignedHeaders=host;x-sdk-date, ", ""), ErrSyntax},
		"empty SignedHeaders":       {change("host;x-sdk-date", ""), ErrSyntax},
		"SignedHeaders twice":       {good + ", SignedHeaders=x-sdk-date", ErrSyntax},
		"no Signature":              {change(", Signature="+headerSignature, ""), ErrSyntax},
		"Signature twice":           {good + ", Signature=" + headerSignature, ErrSyntax},
		"Signature short":           {good[:len(good)-1], ErrSyntax},
		"Signature long":            {good + "0", ErrSyntax},
		"Signature not hex":         {good[:len(good)-1] + "g", ErrSyntax},
		"N14 Signature upper case":  {change(headerSignature, strings.ToUpper(headerSignature)), ErrSyntax},
		"unknown parameter":         {good + ", Extra=1", ErrSyntax},
		"empty parameter":           {change(", Sig", ",, Sig"), ErrSyntax},
		"comma at the end":          {good + ",", ErrSyntax},
		"parameter in lower case":   {change("Access", "access"), ErrSyntax},
		"no blank after the name":   {change("256 Access", "256,Access"), ErrAlgorithm},
		"N3 x-sdk-date not signed":  {change("x-sdk-date", "x-project-id"), ErrSignedHeaders},
		"upper-case name":           {change("host", "Host"), ErrSignedHeaders},
		"empty name":                {change("host;", "host;;"), ErrSignedHeaders},
		"semicolon first":           {change("host", ";host"), ErrSignedHeaders},
		"semicolon last":            {change("x-sdk-date", "x-sdk-date;"), ErrSignedHeaders},
		"name with a blank":         {change("host", "ho st"), ErrSignedHeaders},
		"name with a colon":         {change("host", "ho:st"), ErrSignedHeaders},
		"name with a line feed":     {change("host", "ho\nst"), ErrSignedHeaders},
		"N15 adjacent duplicate":    {change("host", "host;host"), ErrSignedHeaders},
		"N15 distant duplicate":     {change("host", "host;accept;b;c;host"), ErrSignedHeaders},
		"N15 x-sdk-date twice":      {change("host", "x-sdk-date;host"), ErrSignedHeaders},
		"N15 long name":             {change("host", strings.Repeat("a", MaxHeaderName+1)), ErrSignedHeaders},
		"N15 ten kB":                {change("host", strings.Repeat("a", 10<<10)), ErrSyntax},
		"N15 a thousand names":      {change("host", manyNames(1000)), ErrSyntax},
		"N15 names in the limit":    {change("host", manyNames(MaxSignedHeaders)), ErrSignedHeaders},
		"N15 a thousand duplicates": {change("host", strings.Repeat("a;", 1000)+"b"), ErrSignedHeaders},
		"V11 with Access":           {change("SDK-HMAC", "V11-HMAC"), ErrSyntax},
		"V11 without scope":         {"V11-HMAC-SHA256 Credential=AK" + good[len("SDK-HMAC-SHA256 Access=AK"):], ErrSyntax},
		"V11 with a short scope":    {"V11-HMAC-SHA256 Credential=AK/20261121/r" + good[len("SDK-HMAC-SHA256 Access=AK"):], ErrSyntax},
		"V11 with a long scope":     {"V11-HMAC-SHA256 Credential=AK/20261121/r/s/t" + good[len("SDK-HMAC-SHA256 Access=AK"):], ErrSyntax},
		"V11 with a bad day":        {"V11-HMAC-SHA256 Credential=AK/2026112x/r/s" + good[len("SDK-HMAC-SHA256 Access=AK"):], ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := ParseHeader(c.value)
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if diff := cmp.Diff(h, Header{}); diff != "" {
				t.Errorf("a refused header is not empty: %s", diff)
			}
		})
	}
}

func TestHeaderSigns(t *testing.T) {
	h := Header{SignedHeaders: "content-type;host;x-sdk-date"}
	for name, want := range map[string]bool{"content-type": true, "host": true, "x-sdk-date": true, "hos": false, "x-sdk": false, "": false, "host;x-sdk-date": false} {
		if got := h.Signs(name); got != want {
			t.Errorf("%q: got %v", name, got)
		}
	}
}

func manyNames(n int) string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("a%03d", i)
	}
	return strings.Join(names, ";")
}

func TestParseHeaderTakesAsManyNamesAsTheLimit(t *testing.T) {
	list := manyNames(MaxSignedHeaders-1) + ";x-sdk-date"
	h, err := ParseHeader("SDK-HMAC-SHA256 Access=AK, SignedHeaders=" + list + ", Signature=" + headerSignature)
	if err != nil || h.SignedHeaders != list {
		t.Errorf("got %q, %v", h.SignedHeaders, err)
	}
}

func TestErrorTextsCarryNoControlBytes(t *testing.T) {
	for _, value := range []string{"\x00\x1b[31m\xff", strings.Repeat("A", 4000)} {
		_, err := ParseHeader(value)
		if err == nil || len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\x00\x1b\xff") {
			t.Errorf("got %q", err)
		}
	}
}

func TestHeaderNamesAreCanonical(t *testing.T) {
	for _, name := range []string{AuthorizationHeader, DateHeader, ContentHashHeader} {
		if got := http.CanonicalHeaderKey(name); got != name {
			t.Errorf("got %s, want %s", name, got)
		}
	}
}
