package identity

import (
	"context"
	"encoding/json"
	"errors"
	"iter"

	"coffer/internal/auth/credential"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// maxDocument bounds the text of a policy, in bytes.
const maxDocument = 16 << 10

// Kinds of policies.
const (
	PolicyCustom = "custom"
	PolicySystem = "system" // built in; its id is its name
	PolicyInline = "inline" // belongs to one user and has no id
)

// PolicyInfo is a policy on the wire.
type PolicyInfo struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Type        string          `json:"type"`
	Description string          `json:"description"`
	Document    json.RawMessage `json:"policy"`
	CreateTime  string          `json:"created_time,omitempty"`
	UpdateTime  string          `json:"updated_time,omitempty"`
}

// PolicyAnswer is one policy on the wire.
type PolicyAnswer struct {
	Policy PolicyInfo `json:"policy"`
}

// PolicyList is a list of policies on the wire.
type PolicyList struct {
	Policies []PolicyInfo `json:"policies"`
}

func policyInfo(p *store.Policy) PolicyInfo {
	return PolicyInfo{
		ID: p.ID, Name: p.Name, Type: PolicyCustom, Description: p.Description, Document: json.RawMessage(p.Document),
		CreateTime: credential.FormatTime(p.CreateTime), UpdateTime: credential.FormatTime(p.UpdateTime),
	}
}

func systemInfo(p *iam.Policy) PolicyInfo {
	return PolicyInfo{ID: p.Name(), Name: p.Name(), Type: PolicySystem, Document: p.Document()}
}

// NewPolicy is the request of CreatePolicy.
type NewPolicy struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Document    json.RawMessage `json:"policy"`
}

// CreatePolicy makes a policy in the caller's domain. Names of built-in policies and
// roles are taken.
func (s *Service) CreatePolicy(ctx context.Context, c *iam.Caller, n NewPolicy) (PolicyAnswer, error) {
	if err := s.authorize(c, iam.CreatePolicyV5, ""); err != nil {
		return PolicyAnswer{}, err
	}
	p, err := s.newPolicy(c, n)
	if err != nil {
		return PolicyAnswer{}, err
	}
	if err := s.addPolicy(ctx, p); err != nil {
		return PolicyAnswer{}, err
	}
	return PolicyAnswer{policyInfo(p)}, nil
}

// newPolicy checks a request and returns the record, which is not stored yet.
func (s *Service) newPolicy(c *iam.Caller, n NewPolicy) (*store.Policy, error) {
	if err := checkPolicyName(n.Name); err != nil {
		return nil, err
	}
	if err := checkDescription(n.Description); err != nil {
		return nil, err
	}
	document, err := checkDocument(n.Name, n.Document)
	if err != nil {
		return nil, err
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	now := s.o.Now()
	return &store.Policy{
		ID: id, DomainID: c.DomainID, Name: n.Name, Description: n.Description, Document: document, CreateTime: now, UpdateTime: now,
	}, nil
}

func checkPolicyName(name string) error {
	if err := checkLongName("name", name); err != nil {
		return err
	}
	if _, builtin := iam.BuiltinPolicy(name); builtin {
		return policyTaken(name)
	}
	return nil
}

func policyTaken(name string) error { return conflictf("A policy called %s exists.", name) }

// addPolicy stores a new policy.
func (s *Service) addPolicy(ctx context.Context, p *store.Policy) error {
	err := s.store.Update(ctx, func(tx *store.Tx) error { return tx.PutPolicy(p) })
	if errors.Is(err, store.ErrTaken) {
		return policyTaken(p.Name)
	}
	return err
}

// checkDocument compiles a document and returns it in the form that is stored.
func checkDocument(name string, document []byte) ([]byte, error) {
	if len(document) == 0 {
		return nil, invalidf("policy is missing.")
	}
	if len(document) > maxDocument {
		return nil, invalidf("policy has %d bytes; it takes up to %d.", len(document), maxDocument)
	}
	p, err := iam.ParsePolicy(name, document)
	if err != nil {
		return nil, err
	}
	return p.Document(), nil
}

// PolicyPatch is the request of UpdatePolicy; nil leaves a member as it is.
type PolicyPatch struct {
	Description *string         `json:"description"`
	Document    json.RawMessage `json:"policy"`

	name, kind, descriptionCN *string // what only the older IAM changes
}

// UpdatePolicy changes a policy of the caller's domain. It counts for the next
// request of everybody who has it.
func (s *Service) UpdatePolicy(ctx context.Context, c *iam.Caller, id string, p PolicyPatch) (PolicyAnswer, error) {
	record, err := s.updatePolicy(ctx, c, id, p)
	if err != nil {
		return PolicyAnswer{}, err
	}
	return PolicyAnswer{policyInfo(record)}, nil
}

func (s *Service) updatePolicy(ctx context.Context, c *iam.Caller, id string, p PolicyPatch) (*store.Policy, error) {
	if err := s.authorize(c, iam.CreatePolicyVersionV5, id); err != nil {
		return nil, err
	}
	if err := customOnly(id); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	var record *store.Policy
	now := s.o.Now()
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		var err error
		if record, err = ownPolicy(c, id, tx.Policy); err != nil {
			return err
		}
		p.apply(record)
		record.UpdateTime = now
		return tx.PutPolicy(record)
	})
	if errors.Is(err, store.ErrTaken) {
		err = policyTaken(record.Name)
	}
	return record, err
}

// check validates the patch and brings its document into the form that is stored.
func (p *PolicyPatch) check() (err error) {
	for _, text := range []*string{p.Description, p.descriptionCN} {
		if text != nil && err == nil {
			err = checkDescription(*text)
		}
	}
	if p.name != nil && err == nil {
		err = checkPolicyName(*p.name)
	}
	if p.kind != nil && err == nil {
		err = checkRoleType(*p.kind)
	}
	if p.Document != nil && err == nil {
		p.Document, err = checkDocument("", p.Document)
	}
	return err
}

func (p *PolicyPatch) apply(record *store.Policy) {
	set(&record.Name, p.name)
	set(&record.Description, p.Description)
	set(&record.DescriptionCN, p.descriptionCN)
	set(&record.Type, p.kind)
	if p.Document != nil {
		record.Document = store.Document(p.Document)
	}
}

// customOnly refuses the id of a built-in policy.
func customOnly(id string) error {
	if _, ok := systemRole(id); ok {
		return forbiddenf("The policy %s is built in and does not change.", id)
	}
	return nil
}

// DeletePolicy removes a policy that is attached to nobody.
func (s *Service) DeletePolicy(ctx context.Context, c *iam.Caller, id string) error {
	if err := s.authorize(c, iam.DeletePolicyV5, id); err != nil {
		return err
	}
	if err := customOnly(id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	havers, err := s.havers(ctx, c.DomainID, id)
	if err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx *store.Tx) error {
		p, err := ownPolicy(c, id, tx.Policy)
		if err != nil {
			return err
		}
		if len(havers) > 0 {
			return conflictf("The policy is given to %d users and groups, %s among them; detach it first.", len(havers), havers[0])
		}
		return tx.DeletePolicy(p)
	})
}

// ShowPolicy returns a policy of the caller's domain, or a built-in one by its name.
func (s *Service) ShowPolicy(ctx context.Context, c *iam.Caller, id string) (PolicyAnswer, error) {
	if err := s.authorize(c, iam.GetPolicyV5, id); err != nil {
		return PolicyAnswer{}, err
	}
	if p, ok := iam.BuiltinPolicy(id); ok {
		return PolicyAnswer{systemInfo(p)}, nil
	}
	p, err := ownPolicy(c, id, func(id string) (*store.Policy, error) { return s.store.Policy(ctx, id) })
	if err != nil {
		return PolicyAnswer{}, err
	}
	return PolicyAnswer{policyInfo(p)}, nil
}

// ListPolicies lists the built-in policies, then those of the caller's domain by
// name.
func (s *Service) ListPolicies(ctx context.Context, c *iam.Caller) (PolicyList, error) {
	if err := s.authorize(c, iam.ListPoliciesV5, ""); err != nil {
		return PolicyList{}, err
	}
	out := PolicyList{Policies: []PolicyInfo{}}
	for _, p := range iam.BuiltinPolicies() {
		out.Policies = append(out.Policies, systemInfo(p))
	}
	records, err := collect(ctx, s.store, func(v *store.View) iter.Seq2[*store.Policy, error] { return v.Policies(c.DomainID) },
		func(*store.Policy) bool { return true })
	for _, p := range records {
		out.Policies = append(out.Policies, policyInfo(p))
	}
	return out, err
}
