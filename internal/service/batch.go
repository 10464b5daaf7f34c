package service

import (
	"context"
	"errors"
	"log/slog"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/store"
)

// BatchDeletion names what BatchDeleteSecrets destroys.
type BatchDeletion struct {
	InstanceID   string
	InstanceType string // RDS, TaurusDB, GaussDB or APIG; "" for any
}

// Deletions is the outcome of BatchDeleteSecrets.
type Deletions struct {
	Deleted []string
	Failed  []FailedDeletion
}

// FailedDeletion tells why one secret was not destroyed.
type FailedDeletion struct {
	Name string
	Err  error // a *csms.Error
}

// instanceTypes says which secrets each instance_type means. No secret is bound to
// an APIG instance yet.
var instanceTypes = map[string]csms.Type{
	"RDS": csms.RDSFG, "TaurusDB": csms.GaussDB, "GaussDB": csms.GaussDB, "APIG": "",
}

func (b BatchDeletion) validate() error {
	if b.InstanceID == "" {
		return csms.Invalidf("instance_id must be given: it names the secrets to destroy.")
	}
	if _, known := instanceTypes[b.InstanceType]; b.InstanceType != "" && !known {
		return csms.Invalidf("instance_type must be RDS, TaurusDB, GaussDB or APIG.")
	}
	return nil
}

func (b BatchDeletion) matches(sec *csms.Secret) bool {
	return b.InstanceType == "" || sec.Type == instanceTypes[b.InstanceType]
}

// BatchDeleteSecrets destroys every secret that is bound to an instance, without
// recovery window, and says of each that could not be why (DEL9).
func (s *Service) BatchDeleteSecrets(ctx context.Context, who *iam.Caller, b BatchDeletion) (Deletions, error) {
	var out Deletions
	now := s.now()
	if _, err := s.authorize(ctx, who, s.request(who, iam.BatchDeleteSecrets, ""), now); err != nil {
		return out, err
	}
	if err := b.validate(); err != nil {
		return out, err
	}
	matches, err := s.boundTo(ctx, who.ProjectID, b, now)
	if err != nil {
		return out, err
	}
	for _, sec := range matches {
		switch err := s.destroyOne(ctx, who, sec, now); {
		case err == nil:
			out.Deleted = append(out.Deleted, sec.Name)
		default:
			out.Failed = append(out.Failed, FailedDeletion{sec.Name, err})
		}
	}
	return out, nil
}

func (s *Service) boundTo(ctx context.Context, project string, b BatchDeletion, now csms.Millis) ([]*csms.Secret, error) {
	var matches []*csms.Secret
	err := s.store.View(ctx, func(v *store.View) error {
		for sec, err := range v.SecretsByInstance(project, b.InstanceID) {
			if err != nil {
				return err
			}
			if b.matches(sec) && !sec.Gone(now) {
				matches = append(matches, sec)
			}
		}
		return nil
	})
	return matches, err
}

// destroyOne destroys one match for which the caller has the right.
func (s *Service) destroyOne(ctx context.Context, who *iam.Caller, sec *csms.Secret, now csms.Millis) error {
	if _, err := s.authorize(ctx, who, s.request(who, iam.DeleteSecret, sec.Name), now); err != nil {
		return err
	}
	return s.told(ctx, iam.BatchDeleteSecrets, sec.Name, s.destroy(ctx, sec, s.originOf(ctx, who), now))
}

// told returns what the answer of a batch may say of the failure err of one secret,
// and logs what it may not.
func (s *Service) told(ctx context.Context, op iam.Op, name string, err error) error {
	if e := (*csms.Error)(nil); err == nil || errors.As(err, &e) {
		return err
	}
	s.log.ErrorContext(ctx, "part of a batch failed", slog.String("operation", op.Name()), slog.String("secret", name), slog.Any("error", err))
	return csms.Errorf(csms.CodeInternal, "Internal error.")
}
