package auth

import (
	"context"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"

	"coffer/internal/auth/credential"
	"coffer/internal/auth/signature"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// isSignature reports whether an Authorization value is meant as a signature of any
// SDK algorithm. Beside a token, a value of another scheme is somebody else's.
func isSignature(value string) bool {
	return strings.HasPrefix(value, "SDK-") || strings.HasPrefix(value, "V11-")
}

// bySignature authenticates a signed request (auth.md 5.2). All refusals about the
// key come after the signature was computed, whatever key that was (N5).
func (a *Authenticator) bySignature(ctx context.Context, t *attempt, values []string, body []byte) (iam.Caller, error) {
	if len(values) > 1 {
		return iam.Caller{}, t.refuseSigned(signature.ErrHeaderRepeated)
	}
	h, err := signature.ParseHeader(values[0])
	if err != nil {
		return iam.Caller{}, t.refuseSigned(err)
	}
	t.accessKey, t.prefix = shown(h.AccessKey), binary.BigEndian.Uint32(h.Signature[:])
	m := signature.NewMessage(t.r, signature.BodyHash(body))
	if err := a.checkDate(&h, &m); err != nil {
		return iam.Caller{}, t.refuseSigned(err)
	}
	p, err := a.principal(ctx, h.AccessKey)
	if err != nil {
		return iam.Caller{}, err
	}
	if p.record != nil {
		t.accessKey = h.AccessKey
	}
	mismatch := a.verify(t, p.key, &h, &m)
	switch {
	case p.unusable != "":
		t.reason = "access key " + p.unusable
		return iam.Caller{}, unauthenticated("ak " + shown(h.AccessKey) + " not exist")
	case mismatch != nil:
		return iam.Caller{}, a.mismatch(t, &h, &m, mismatch)
	}
	if p.user != nil {
		t.userID = p.user.ID
	}
	if err := t.checkSecurityToken(p.record); err != nil {
		return iam.Caller{}, err
	}
	c, err := a.holder(ctx, t, p)
	c.AccessKey, c.Session = h.AccessKey, p.session
	return c, err
}

// holder returns who acts with an access key: its user, the agency he assumed, or the
// function of a rotation.
func (a *Authenticator) holder(ctx context.Context, t *attempt, p principal) (iam.Caller, error) {
	if id := p.ofTask(); id != "" {
		return a.function(ctx, t, id, p.domain)
	}
	if temporary := p.record.Temporary; temporary != nil && temporary.Assumed != nil {
		return a.assumed(ctx, t, p.user, temporary.Assumed)
	}
	return a.caller(ctx, t, p.user, p.domain)
}

// shown returns an access key that nobody has looked up yet as log and answer may
// tell it. What does not have the form of one may be a secret key that was taken for
// it, and is withheld.
func shown(accessKey string) string {
	if len(accessKey) > maxShown || strings.Trim(accessKey, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return "(withheld)"
	}
	return accessKey
}

// maxShown is longer than the access keys of the cloud and ours, and shorter than
// their secret keys.
const maxShown = 32

func (t *attempt) refuseSigned(err error) error {
	return t.refuse("calc aksk signature fail:" + err.Error())
}

// errRegion refuses a key that was derived for another region.
var errRegion = errors.New("credential scope is of another region")

// checkDate judges the date and, of the derived algorithm, the region.
func (a *Authenticator) checkDate(h *signature.Header, m *signature.Message) error {
	date, err := m.Date()
	if err != nil {
		return err
	}
	if _, err := signature.CheckDate(date, a.o.WallNow(), a.o.Window); err != nil {
		return err
	}
	if h.Algorithm == signature.Derived && !a.serves(h.Scope) {
		return errRegion
	}
	return nil
}

// serves reports whether a scope, YYYYMMDD/region/service, is of this region. The
// service is not judged: one listener answers for all.
func (a *Authenticator) serves(scope string) bool {
	_, rest, _ := strings.Cut(scope, "/")
	region, _, _ := strings.Cut(rest, "/")
	if a.o.AnyRegion || region == a.o.Region {
		return true
	}
	for _, alias := range a.o.RegionAliases {
		if region == alias {
			return true
		}
	}
	return false
}

// verify checks the signature. Clients that sign Host signed the name they dialled,
// which a trusted proxy may have replaced.
func (a *Authenticator) verify(t *attempt, key *signature.Key, h *signature.Header, m *signature.Message) error {
	err := key.Verify(h, m, a.unsigned)
	if !t.proxied || !errors.Is(err, signature.ErrMismatch) {
		return err
	}
	forwarded := t.r.Header["X-Forwarded-Host"]
	if len(forwarded) != 1 || forwarded[0] == m.Host {
		return err
	}
	behind := *m
	behind.Host = forwarded[0]
	return key.Verify(h, &behind, a.unsigned)
}

// mismatch returns the answer to a request that is not what was signed.
func (a *Authenticator) mismatch(t *attempt, h *signature.Header, m *signature.Message, err error) error {
	if !errors.Is(err, signature.ErrMismatch) {
		return t.refuseSigned(err)
	}
	refusal := t.refuse(err.Error())
	if !a.o.DebugSignatures {
		return refusal
	}
	text, err := signature.MaskedRequest(h, m)
	if err != nil {
		return refusal
	}
	return unauthenticated(t.reason + ", canonicalRequest:" + text)
}

// checkSecurityToken holds a request against the security token of a temporary key,
// whether it was signed or not (A8); a permanent key has none (N6).
func (t *attempt) checkSecurityToken(k *store.AccessKey) error {
	values := t.r.Header["X-Security-Token"]
	if k.Temporary == nil {
		if len(values) > 0 && values[0] != "" {
			return t.refuse("x-security-token is not expected for a permanent access key")
		}
		return nil
	}
	if len(values) != 1 {
		return t.refuse("x-security-token not found")
	}
	hash := credential.HashSecurityToken(values[0])
	if subtle.ConstantTimeCompare(hash[:], k.Temporary.TokenHash[:]) != 1 {
		return t.refuse("x-security-token does not belong to the access key")
	}
	if k.Temporary.ExpiresAt <= t.now {
		return t.refuse("token expires, expires_at: " + credential.FormatTime(k.Temporary.ExpiresAt))
	}
	return nil
}

func hex32(n uint32) string {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return hex.EncodeToString(b[:])
}
