package identity

import (
	"context"
	"errors"
	"iter"
	"strconv"
	"strings"

	"coffer/internal/auth/credential"
	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// MaxAgencies is how many agencies a domain has at most. Those that CSMS makes for
// rotation count and are not held up.
const MaxAgencies = 50

// servicePrefix begins the names of accounts of the cloud's services, which have no
// domain here.
const servicePrefix = "op_svc_"

// Words for the life of an agency.
const (
	durationForever = "FOREVER"
	durationOneDay  = "ONEDAY"
)

// maxAgencyDays bounds the life of an agency that is not for ever.
const maxAgencyDays = 36500

const dayMillis = 24 * 60 * 60 * 1000

// AgencyInfo is an agency on the wire.
type AgencyInfo struct {
	ID              string  `json:"id"`
	Name            string  `json:"name"`
	DomainID        string  `json:"domain_id"`
	TrustDomainID   string  `json:"trust_domain_id"` // "" for a service of the cloud
	TrustDomainName string  `json:"trust_domain_name"`
	Description     string  `json:"description"`
	Duration        string  `json:"duration"`    // FOREVER, or hours as text
	ExpireTime      *string `json:"expire_time"` // null for never
	CreateTime      string  `json:"create_time"`
	URN             string  `json:"agency_urn"`
}

// AgencyAnswer is one agency on the wire.
type AgencyAnswer struct {
	Agency AgencyInfo `json:"agency"`
}

// AgencyList is a list of agencies on the wire.
type AgencyList struct {
	Agencies []AgencyInfo `json:"agencies"`
}

// agencyURN is the name of an agency among all resources.
func agencyURN(domainID, name string) string { return "iam::" + domainID + ":agency:" + name }

func agencyInfo(a *store.Agency) AgencyInfo {
	info := AgencyInfo{
		ID: a.ID, Name: a.Name, DomainID: a.DomainID, TrustDomainID: a.TrustDomainID, TrustDomainName: a.TrustDomainName,
		Description: a.Description, Duration: durationForever, CreateTime: credential.FormatTime(a.CreateTime),
		URN: agencyURN(a.DomainID, a.Name),
	}
	if a.Days > 0 {
		info.Duration = strconv.Itoa(a.Days * 24)
	}
	if a.ExpireTime != 0 {
		expires := credential.FormatTime(a.ExpireTime)
		info.ExpireTime = &expires
	}
	return info
}

// AgencyDays is how long an agency lives, in days; 0 is for ever.
type AgencyDays int

// UnmarshalJSON reads FOREVER, ONEDAY, or a number of days, as number or text.
func (d *AgencyDays) UnmarshalJSON(b []byte) error {
	text := string(b)
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	switch text {
	case durationForever, "null":
		*d = 0
		return nil
	case durationOneDay:
		*d = 1
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxAgencyDays {
		return invalidf("duration takes %s, %s or 1 to %d days.", durationForever, durationOneDay, maxAgencyDays)
	}
	*d = AgencyDays(n)
	return nil
}

// NewAgency is the request of CreateAgency of the IAM. The trusted account is named by
// name or id; the name goes before.
type NewAgency struct {
	Name            string     `json:"name"`
	DomainID        string     `json:"domain_id"` // the caller's; "" for it
	TrustDomainID   string     `json:"trust_domain_id"`
	TrustDomainName string     `json:"trust_domain_name"`
	Description     string     `json:"description"`
	Duration        AgencyDays `json:"duration"`
}

func (n *NewAgency) check(c *iam.Caller) error {
	if n.DomainID != "" && n.DomainID != c.DomainID {
		return notFound("domain", n.DomainID)
	}
	if n.TrustDomainID == "" && n.TrustDomainName == "" {
		return invalidf("trust_domain_id or trust_domain_name must be given.")
	}
	return checkDescription(n.Description)
}

// CreateAgency makes an agency without rights in the caller's domain.
func (s *Service) CreateAgency(ctx context.Context, c *iam.Caller, n NewAgency) (AgencyAnswer, error) {
	if err := s.authorize(c, iam.CreateTrustAgencyV5, n.Name); err != nil {
		return AgencyAnswer{}, err
	}
	if err := checkName("name", n.Name); err != nil {
		return AgencyAnswer{}, err
	}
	if err := n.check(c); err != nil {
		return AgencyAnswer{}, err
	}
	id, err := s.newID()
	if err != nil {
		return AgencyAnswer{}, err
	}
	now := s.o.Now()
	a := &store.Agency{ID: id, DomainID: c.DomainID, Name: n.Name, Description: n.Description, CreateTime: now}
	setLife(a, n.Duration, now)
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.agencies(ctx, c, func(*store.Agency) bool { return true })
	if err != nil {
		return AgencyAnswer{}, err
	}
	if len(all) >= MaxAgencies {
		return AgencyAnswer{}, conflictf("The account has %d agencies, which is the most.", len(all))
	}
	err = s.store.Update(ctx, func(tx *store.Tx) error {
		if err := trust(tx, a, n.TrustDomainID, n.TrustDomainName); err != nil {
			return err
		}
		return tx.PutAgency(a)
	})
	if errors.Is(err, store.ErrTaken) {
		err = conflictf("An agency called %s exists.", n.Name)
	}
	if err != nil {
		return AgencyAnswer{}, err
	}
	return AgencyAnswer{agencyInfo(a)}, nil
}

// setLife gives an agency a life of d from now on.
func setLife(a *store.Agency, d AgencyDays, now csms.Millis) {
	a.Days, a.ExpireTime = int(d), 0
	if d > 0 {
		a.ExpireTime = now + csms.Millis(d)*dayMillis
	}
}

// trust sets the account that an agency trusts: by name, else by id. The name of a
// service of the cloud is taken as it is.
func trust(tx *store.Tx, a *store.Agency, id, name string) error {
	if strings.HasPrefix(name, servicePrefix) {
		a.TrustDomainID, a.TrustDomainName = "", name
		return checkName("trust_domain_name", name)
	}
	get, text := tx.DomainByName, name
	if name == "" {
		get, text = tx.Domain, id
	}
	d, err := orNil(get(text))
	if err != nil {
		return err
	}
	if d == nil {
		return notFound("domain", text)
	}
	a.TrustDomainID, a.TrustDomainName = d.ID, d.Name
	return nil
}

// agencies lists the agencies of the caller's domain that keep chooses, by name.
func (s *Service) agencies(ctx context.Context, c *iam.Caller, keep func(*store.Agency) bool) ([]*store.Agency, error) {
	return collect(ctx, s.store, func(v *store.View) iter.Seq2[*store.Agency, error] { return v.Agencies(c.DomainID) }, keep)
}

// agencyFor authorizes op on an agency of the caller's domain and returns it. A policy
// names agencies by name; for an id that no agency has, it is the id itself.
func (s *Service) agencyFor(ctx context.Context, c *iam.Caller, op iam.Op, id string) (*store.Agency, error) {
	a, err := orNil(s.store.Agency(ctx, id))
	if err != nil {
		return nil, err
	}
	if a != nil && a.DomainID != c.DomainID {
		a = nil
	}
	resource := id
	if a != nil {
		resource = a.Name
	}
	if err := s.authorize(c, op, resource); err != nil {
		return nil, err
	}
	if a == nil {
		return nil, notFound("agency", id)
	}
	return a, nil
}

func ownAgency(c *iam.Caller, id string, get func(string) (*store.Agency, error)) (*store.Agency, error) {
	return own(c, "agency", id, get, func(a *store.Agency) string { return a.DomainID })
}

// ShowAgency returns an agency of the caller's domain, or IAM.0002 or IAM.0004.
func (s *Service) ShowAgency(ctx context.Context, c *iam.Caller, id string) (AgencyAnswer, error) {
	a, err := s.agencyFor(ctx, c, iam.GetAgencyV5, id)
	if err != nil {
		return AgencyAnswer{}, err
	}
	return AgencyAnswer{agencyInfo(a)}, nil
}

// AgencyFilter chooses agencies; an empty member chooses all. Page counts from 1 and
// goes with PerPage; both 0 are for all.
type AgencyFilter struct {
	DomainID, TrustDomainID, Name string
	Page, PerPage                 int
}

// ListAgencies lists agencies of the caller's domain by name.
func (s *Service) ListAgencies(ctx context.Context, c *iam.Caller, f AgencyFilter) (AgencyList, error) {
	if err := s.authorize(c, iam.ListAgenciesV5, ""); err != nil {
		return AgencyList{}, err
	}
	if f.DomainID != "" && f.DomainID != c.DomainID {
		return AgencyList{}, notFound("domain", f.DomainID)
	}
	found, err := s.agencies(ctx, c, func(a *store.Agency) bool {
		return (f.Name == "" || a.Name == f.Name) && (f.TrustDomainID == "" || a.TrustDomainID == f.TrustDomainID)
	})
	if f.PerPage > 0 {
		from := min((f.Page-1)*f.PerPage, len(found))
		found = found[from:min(from+f.PerPage, len(found))]
	}
	out := AgencyList{Agencies: make([]AgencyInfo, 0, len(found))}
	for _, a := range found {
		out.Agencies = append(out.Agencies, agencyInfo(a))
	}
	return out, err
}

// AgencyPatch is the request of UpdateAgency; nil leaves a member as it is. At least
// one is given.
type AgencyPatch struct {
	TrustDomainID   *string     `json:"trust_domain_id"`
	TrustDomainName *string     `json:"trust_domain_name"`
	Description     *string     `json:"description"`
	Duration        *AgencyDays `json:"duration"`
}

func (p *AgencyPatch) check() error {
	if p.TrustDomainID == nil && p.TrustDomainName == nil && p.Description == nil && p.Duration == nil {
		return invalidf("one of trust_domain_id, trust_domain_name, description and duration must be given.")
	}
	if p.Description != nil {
		return checkDescription(*p.Description)
	}
	return nil
}

// UpdateAgency changes an agency of the caller's domain. Who assumed it and is not
// trusted any more is out at his next request. A new life begins now.
func (s *Service) UpdateAgency(ctx context.Context, c *iam.Caller, id string, p AgencyPatch) (AgencyAnswer, error) {
	if _, err := s.agencyFor(ctx, c, iam.UpdateTrustAgencyV5, id); err != nil {
		return AgencyAnswer{}, err
	}
	if err := p.check(); err != nil {
		return AgencyAnswer{}, err
	}
	var out AgencyAnswer
	now := s.o.Now()
	err := s.updateAgency(ctx, c, id, func(tx *store.Tx, a *store.Agency) error {
		if p.Description != nil {
			a.Description = *p.Description
		}
		if p.Duration != nil && int(*p.Duration) != a.Days {
			setLife(a, *p.Duration, now)
		}
		if trusted, name := text(p.TrustDomainID), text(p.TrustDomainName); trusted != "" || name != "" {
			if err := trust(tx, a, trusted, name); err != nil {
				return err
			}
		}
		out = AgencyAnswer{agencyInfo(a)}
		return tx.PutAgency(a)
	})
	return out, err
}

// text returns what p points to, "" for nothing.
func text(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// updateAgency runs change on an agency of the caller's domain in one transaction.
func (s *Service) updateAgency(ctx context.Context, c *iam.Caller, id string, change func(*store.Tx, *store.Agency) error) error {
	return s.store.Update(ctx, func(tx *store.Tx) error {
		a, err := ownAgency(c, id, tx.Agency)
		if err != nil {
			return err
		}
		return change(tx, a)
	})
}

// DeleteAgency removes an agency of the caller's domain. What it was assumed with is
// void at the next request.
func (s *Service) DeleteAgency(ctx context.Context, c *iam.Caller, id string) error {
	if _, err := s.agencyFor(ctx, c, iam.DeleteAgencyV5, id); err != nil {
		return err
	}
	return s.updateAgency(ctx, c, id, func(tx *store.Tx, a *store.Agency) error { return tx.DeleteAgency(a) })
}
