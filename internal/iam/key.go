package iam

import (
	"fmt"
	"net/netip"
	"strings"
)

// key is a condition key (auth.md 7.3).
type key uint8

const (
	keyCurrentTime key = iota
	keyDomainID
	keyDomainName
	keyUserID
	keyUserName
	keyPrincipalID
	keyMFAPresent
	keyMFAAge
	keyProjectName
	keyServiceName
	keySourceIP
	keySecureTransport
	keyEnterpriseProjectID
	keyRequestTag
	keyResourceTag
	keyTagKeys
	keyType
	keyKMSKeyID
	keyVersionID
	keyVersionStage
	keyRecoveryWindow
)

// conditionKey is a row of the key table.
type conditionKey struct {
	key  key
	kind family // of the request value; a text may be compared as any family
}

// conditionKeys holds the keys in lower case: the public grammar compares them
// without case. A key ending in "/" is followed by the key of a tag.
var conditionKeys = map[string]conditionKey{
	"g:currenttime":             {keyCurrentTime, dateFamily},
	"g:domainid":                {keyDomainID, textFamily},
	"g:domainname":              {keyDomainName, textFamily},
	"g:userid":                  {keyUserID, textFamily},
	"g:username":                {keyUserName, textFamily},
	"g:principalid":             {keyPrincipalID, textFamily},
	"g:mfapresent":              {keyMFAPresent, boolFamily},
	"g:mfaage":                  {keyMFAAge, numberFamily},
	"g:projectname":             {keyProjectName, textFamily},
	"g:servicename":             {keyServiceName, textFamily},
	"g:sourceip":                {keySourceIP, addressFamily},
	"g:securetransport":         {keySecureTransport, boolFamily},
	"g:enterpriseprojectid":     {keyEnterpriseProjectID, textFamily},
	"g:requesttag/":             {keyRequestTag, textFamily},
	"g:resourcetag/":            {keyResourceTag, textFamily},
	"g:tagkeys":                 {keyTagKeys, textFamily},
	"csms:type":                 {keyType, textFamily},
	"csms:kmskeyid":             {keyKMSKeyID, textFamily},
	"csms:versionid":            {keyVersionID, textFamily},
	"csms:versionstage":         {keyVersionStage, textFamily},
	"csms:recoverywindowindays": {keyRecoveryWindow, numberFamily},
}

const keyHint = "g:{CurrentTime,DomainId,DomainName,UserId,UserName,PrincipalId,MFAPresent,MFAAge,ProjectName," +
	"ServiceName,SourceIp,SecureTransport,EnterpriseProjectId,RequestTag/<k>,ResourceTag/<k>,TagKeys}, " +
	"csms:{Type,KmsKeyId,VersionId,VersionStage,RecoveryWindowInDays}"

// parseKey finds the row of a condition key and the tag key in it, if any. Tag keys
// are case-sensitive.
func parseKey(name string) (conditionKey, string, error) {
	head, tag, slash := strings.Cut(name, "/")
	head = strings.ToLower(head)
	if slash && tag != "" {
		head += "/"
	}
	row, ok := conditionKeys[head]
	if !ok || slash && tag == "" {
		return row, "", fmt.Errorf("unknown condition key %s; allowed are %s", quote(name), keyHint)
	}
	return row, tag, nil
}

// operand is what a request has for a condition key: any number of values, in the
// field of their family. None means absent.
type operand struct {
	count  int
	text   string   // the only text
	texts  []string // else the texts, if not nil
	tags   []Tag    // else the keys of these tags
	number int64    // number, or milliseconds of a date
	addr   netip.Addr
	truth  bool
}

// at returns text i, for a key of the text family.
func (v *operand) at(i int) string {
	switch {
	case v.texts != nil:
		return v.texts[i]
	case v.tags != nil:
		return v.tags[i].Key
	}
	return v.text
}

// empty reports whether the operand is absent or an empty text.
func (v *operand) empty(kind family) bool {
	return v.count == 0 || kind == textFamily && v.count == 1 && v.at(0) == ""
}

// fromCaller is the operand of a text that every caller of its sort has; empty is
// absent.
func fromCaller(text string) operand {
	if text == "" {
		return operand{}
	}
	return operand{count: 1, text: text}
}

func fromText(v Value[string]) operand {
	if !v.known {
		return operand{}
	}
	return operand{count: 1, text: v.v}
}

func fromTag(tags []Tag, key string) operand {
	for i := range tags {
		if tags[i].Key == key {
			return operand{count: 1, text: tags[i].Value}
		}
	}
	return operand{}
}

// operand returns what the request has for k; tag is the tag key in it.
func (q *query) operand(k key, tag string) operand {
	c, r := q.c, q.r
	switch k {
	case keyDomainID:
		return fromCaller(c.DomainID)
	case keyDomainName:
		return fromCaller(c.DomainName)
	case keyUserID:
		return fromCaller(c.UserID)
	case keyUserName:
		return fromCaller(c.UserName)
	case keyPrincipalID:
		return fromCaller(c.PrincipalID)
	case keyProjectName:
		return fromCaller(c.ProjectName)
	case keyServiceName:
		return fromCaller(q.op.Operation().Service())
	case keyCurrentTime, keyMFAPresent, keyMFAAge, keySourceIP, keySecureTransport:
		return c.circumstance(k)
	case keyRequestTag:
		return fromTag(r.RequestTags, tag)
	case keyResourceTag:
		return fromTag(r.ResourceTags, tag)
	}
	return r.attribute(k)
}

// circumstance returns how, from where and when the caller came.
func (c *Caller) circumstance(k key) operand {
	switch k {
	case keyCurrentTime:
		if c.Now != 0 {
			return operand{count: 1, number: int64(c.Now)}
		}
	case keyMFAPresent:
		return operand{count: 1, truth: c.MFA}
	case keyMFAAge:
		if c.MFA && c.MFATime != 0 {
			return operand{count: 1, number: int64(c.Now-c.MFATime) / 1000}
		}
	case keySourceIP:
		if c.SourceIP.IsValid() {
			return operand{count: 1, addr: c.SourceIP.Unmap().WithZone("")}
		}
	case keySecureTransport:
		return operand{count: 1, truth: c.Secure}
	}
	return operand{}
}

// attribute returns what the request says of its resource.
func (r *Request) attribute(k key) operand {
	switch k {
	case keyEnterpriseProjectID:
		return fromText(r.EnterpriseProjectID)
	case keyType:
		return fromText(r.Type)
	case keyKMSKeyID:
		return fromText(r.KMSKeyID)
	case keyVersionID:
		return fromText(r.VersionID)
	case keyVersionStage:
		return fromText(r.VersionStage)
	case keyRecoveryWindow:
		if days, ok := r.RecoveryWindowInDays.Get(); ok {
			return operand{count: 1, number: days}
		}
	case keyTagKeys:
		if len(r.TagKeys) > 0 {
			return operand{count: len(r.TagKeys), texts: r.TagKeys}
		}
		return operand{count: len(r.RequestTags), tags: r.RequestTags}
	}
	return operand{}
}
