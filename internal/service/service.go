// Package service holds the operations of the CSMS API: authorize, apply the rule,
// commit.
//
// The rules that keep it honest: every operation takes the caller as an argument
// and authorizes before it tells anything, so that a caller without the right
// cannot probe names (S7: authorisation, syntax, semantics, existence, state,
// quota). It takes one instant and passes it down. KMS calls and randomness come
// before the transaction; inside there is pure code, which may run twice.
package service

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/notify"
	"coffer/internal/rotate"
	"coffer/internal/seal"
	"coffer/internal/store"
)

// Options are the parts of a Service. All are required but Aliases, Topics, Engines, RequestID, Targets and OnTry.
type Options struct {
	Store   *store.Store
	Sealer  *seal.Sealer
	Now     func() csms.Millis                     // business time; a held clock in dev mode
	Rand    io.Reader                              // for passwords; safe for concurrent use and fit for cryptography
	NewID   func() string                          // a fresh UUID
	Blobs   func(domain string) (*seal.Box, error) // seals backups of the secrets of a domain
	Region  string                                 // region part of resource names
	Aliases []string                               // further names of that region
	Limits  csms.Limits
	Logger  *slog.Logger

	// RotateKey rotates a KMS key if that is due at now, and reports whether it was.
	RotateKey func(ctx context.Context, project, keyID string, now csms.Millis) (bool, error)

	Topics    notify.Topics                    // where messages go; a topic that is not bound is INVALID
	Engines   rotate.Engines                   // what rotates secrets; a secret that nothing is bound to is not rotated
	RequestID func(ctx context.Context) string // of the request on whose behalf something happens

	Targets []csms.DatabaseTarget // that the configuration declares; sound, and their ids unique in the project
	OnTry   func(Try)             // is told how each try of a rotation ended; nil for nobody
}

// Service performs operations. It is safe for concurrent use.
type Service struct {
	store   *store.Store
	sealer  *seal.Sealer
	now     func() csms.Millis
	rand    io.Reader
	newID   func() string
	blobs   func(domain string) (*seal.Box, error)
	region  string
	aliases []string
	limits  csms.Limits
	log     *slog.Logger
	used    usage

	rotateKey func(ctx context.Context, project, keyID string, now csms.Millis) (bool, error)

	topics     notify.Topics
	requestID  func(ctx context.Context) string
	delivering chan struct{} // holds a token while a run delivers

	engines  rotate.Engines
	rotating chan struct{} // holds a token while a run rotates
	turns    turns         // one at a time speaks to the source of a secret
	declared declaredTargets
	onTry    func(Try)
}

// New returns a Service over o.
func New(o Options) *Service {
	if o.RequestID == nil {
		o.RequestID = func(context.Context) string { return "" }
	}
	if o.OnTry == nil {
		o.OnTry = func(Try) {}
	}
	return &Service{
		store: o.Store, sealer: o.Sealer, now: o.Now, rand: o.Rand, newID: o.NewID, blobs: o.Blobs,
		region: o.Region, aliases: o.Aliases, limits: o.Limits, log: o.Logger,
		rotateKey: o.RotateKey,
		topics:    o.Topics, requestID: o.RequestID, delivering: make(chan struct{}, 1),
		engines: o.Engines, rotating: make(chan struct{}, 1),
		declared: newDeclaredTargets(o.Targets), onTry: o.OnTry,
	}
}

// Authorize reports whether who may perform op on the secret of that name, or on
// the project for an empty name. The edge asks it before it reports a syntax error,
// which only a permitted caller gets to see (S7).
func (s *Service) Authorize(ctx context.Context, who *iam.Caller, op iam.Op, name string) error {
	_, err := s.authorize(ctx, who, s.request(who, op, name), s.now())
	return err
}

// AuthorizeByID is Authorize for an operation on the secret of that id.
func (s *Service) AuthorizeByID(ctx context.Context, who *iam.Caller, op iam.Op, id string) error {
	_, err := s.authorizeByID(ctx, who, s.request(who, op, ""), id, s.now())
	return err
}

// request describes op on the named secret, with no attributes yet.
func (s *Service) request(who *iam.Caller, op iam.Op, name string) iam.Request {
	return iam.Request{Op: op, Region: s.region, Domain: who.DomainID, Project: who.ProjectID, SecretName: name}
}

// target is the secret an operation addresses, or the reason why there is none. The
// reason is told only after the request has been found valid.
type target struct {
	secret  *csms.Secret // shared and immutable
	missing error
}

// authorize decides r with the attributes of the addressed secret. A secret whose
// destruction is due counts as missing (DEL7).
func (s *Service) authorize(ctx context.Context, who *iam.Caller, r iam.Request, now csms.Millis) (target, error) {
	var t target
	if r.SecretName != "" {
		t.secret, t.missing = s.lookUp(ctx, who.ProjectID, r.SecretName, now)
		if t.missing != nil && csms.CodeOf(t.missing) != csms.CodeSecretNotFound {
			return target{}, t.missing
		}
	}
	if denied := t.decide(who, r); denied != nil {
		if err := s.orGranted(ctx, who, t, r, now, denied); err != nil {
			return target{}, err
		}
	}
	if r.SecretName != "" {
		if err := csms.CheckName("secret_name", r.SecretName); err != nil {
			return target{}, err
		}
	}
	return t, nil
}

// authorizeByID is authorize for the operations that address a secret by its id
// (T15). An id that no secret of the project has counts as missing, and takes the
// right over all names.
func (s *Service) authorizeByID(ctx context.Context, who *iam.Caller, r iam.Request, id string, now csms.Millis) (target, error) {
	var t target
	t.secret, t.missing = s.lookUpByID(ctx, who.ProjectID, id, now)
	if t.missing != nil && csms.CodeOf(t.missing) != csms.CodeNotFound {
		return target{}, t.missing
	}
	if denied := t.decide(who, r); denied != nil {
		if err := s.orGranted(ctx, who, t, r, now, denied); err != nil {
			return target{}, err
		}
	}
	return t, csms.CheckSecretID(id)
}

// decide asks for r with what is known of the secret it is about.
func (t target) decide(who *iam.Caller, r iam.Request) error {
	if t.secret != nil {
		r = about(r, t.secret)
	}
	return who.Authorize(&r)
}

// about returns r with what a condition can see of sec.
func about(r iam.Request, sec *csms.Secret) iam.Request {
	r.SecretName = sec.Name
	r.Type = iam.Known(string(sec.Type))
	r.EnterpriseProjectID = iam.Known(sec.EnterpriseProjectID)
	r.ResourceTags = conditionTags(sec.Tags)
	return r
}

// conditionTags returns tags as a condition sees them.
func conditionTags(tags []csms.Tag) []iam.Tag {
	if len(tags) == 0 {
		return nil
	}
	out := make([]iam.Tag, len(tags))
	for i, t := range tags {
		out[i] = iam.Tag(t)
	}
	return out
}

// lookUp returns the shared record of a secret that is not gone.
func (s *Service) lookUp(ctx context.Context, project, name string, now csms.Millis) (*csms.Secret, error) {
	sec, err := s.store.Secret(ctx, project, name)
	if err != nil {
		return nil, err
	}
	if sec.Gone(now) {
		return nil, notFound(name)
	}
	return sec, nil
}

// lookUpByID is lookUp by the id of a secret of the project.
func (s *Service) lookUpByID(ctx context.Context, project, id string, now csms.Millis) (*csms.Secret, error) {
	sec, err := s.store.SecretByID(ctx, id)
	if err != nil {
		return nil, err
	}
	if sec.ProjectID != project || sec.Gone(now) {
		return nil, idNotFound(id)
	}
	return sec, nil
}

// find authorizes op and returns the addressed secret, which must not be changed.
func (s *Service) find(ctx context.Context, who *iam.Caller, op iam.Op, name string) (*csms.Secret, error) {
	t, err := s.authorize(ctx, who, s.request(who, op, name), s.now())
	if err != nil {
		return nil, err
	}
	return t.secret, t.missing
}

// change is an operation that changes one secret.
type change struct {
	request  iam.Request
	validate func(now csms.Millis) error // semantics of the request; may be nil
	apply    func(tx *store.Tx, sec *csms.Secret, now csms.Millis) error
}

// change authorizes c, validates it, and applies it in one transaction, in which
// everything about the secret is decided anew. It returns the secret as it is then.
func (s *Service) change(ctx context.Context, who *iam.Caller, c change) (*csms.Secret, error) {
	now := s.now()
	t, err := s.authorize(ctx, who, c.request, now)
	if err != nil {
		return nil, err
	}
	if c.validate != nil {
		if err := c.validate(now); err != nil {
			return nil, err
		}
	}
	if t.missing != nil {
		return nil, t.missing
	}
	return s.update(ctx, t.secret, now, c.apply)
}

// update applies fn to the secret in one transaction and stores the result. A
// secret that was destroyed and created anew since it was looked up is another one.
func (s *Service) update(ctx context.Context, seen *csms.Secret, now csms.Millis,
	fn func(*store.Tx, *csms.Secret, csms.Millis) error,
) (*csms.Secret, error) {
	var sec *csms.Secret
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		var err error
		if sec, err = tx.Secret(seen.ProjectID, seen.Name); err != nil {
			return err
		}
		if sec.ID != seen.ID || sec.Gone(now) {
			return notFound(seen.Name)
		}
		if err := fn(tx, sec, now); err != nil {
			return err
		}
		return tx.PutSecret(sec)
	})
	if err != nil {
		return nil, err
	}
	return s.used.overlay(sec), nil
}

// notFound has the text that the store gives for a name that never was, so that a
// secret which is due to go cannot be told from it.
func notFound(name string) error {
	return csms.Errorf(csms.CodeSecretNotFound, "The secret %s does not exist.", name)
}

// idNotFound is notFound for an id.
func idNotFound(id string) error {
	return csms.Errorf(csms.CodeNotFound, "The secret %s does not exist.", id)
}

// internalf marks an error that is not the caller's doing with what was going on.
func internalf(err error, format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, err)...)
}
