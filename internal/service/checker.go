package service

import (
	"context"
	"errors"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/password"
	"coffer/internal/store"
)

// CheckType is the only type of check there is (K1).
const CheckType = "1"

// CheckSecrets accepts a check and finds nothing: what is checked, and how, belongs
// to the password vault of the cloud and is not published (K1, Q18).
func (s *Service) CheckSecrets(ctx context.Context, who *iam.Caller, checkType string) error {
	if err := s.Authorize(ctx, who, iam.CheckSecrets, ""); err != nil {
		return err
	}
	if checkType != CheckType {
		return csms.Invalidf("type must be %q.", CheckType)
	}
	return nil
}

// ShowSecretsConfig tells whether the strength of secrets is to be checked in the
// project; by default it is not (K2).
func (s *Service) ShowSecretsConfig(ctx context.Context, who *iam.Caller) (checkingStrength bool, err error) {
	if err := s.Authorize(ctx, who, iam.ShowSecretsConfig, ""); err != nil {
		return false, err
	}
	return s.checkingStrength(ctx, who)
}

func (s *Service) checkingStrength(ctx context.Context, who *iam.Caller) (bool, error) {
	c, err := s.store.SecretsConfig(ctx, who.DomainID, who.ProjectID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, internalf(err, "reading the configuration of the checker")
	}
	return c.CheckingSecretStrength, nil
}

// UpdateSecretsConfig sets whether the strength of secrets is to be checked in the
// project; nil leaves it as it is. It returns the configuration after the change.
func (s *Service) UpdateSecretsConfig(ctx context.Context, who *iam.Caller, checkingStrength *bool) (bool, error) {
	if err := s.Authorize(ctx, who, iam.UpdateSecretsConfig, ""); err != nil {
		return false, err
	}
	if checkingStrength == nil {
		return s.checkingStrength(ctx, who)
	}
	err := s.store.Update(ctx, func(tx *store.Tx) error {
		return tx.PutSecretsConfig(&store.SecretsConfig{
			DomainID: who.DomainID, ProjectID: who.ProjectID, CheckingSecretStrength: *checkingStrength,
		})
	})
	if err != nil {
		return false, internalf(err, "storing the configuration of the checker")
	}
	return *checkingStrength, nil
}

// GenerateRandomPassword returns a password that the rules permit (K3, K4). Named
// policies do not exist, so every name but none is unknown. The caller wipes the
// password once it is sent.
func (s *Service) GenerateRandomPassword(ctx context.Context, who *iam.Caller, policyName string, r password.Rules) (csms.Plaintext, error) {
	if err := s.Authorize(ctx, who, iam.GenerateRandomPassword, ""); err != nil {
		return nil, err
	}
	if policyName != "" {
		return nil, csms.Invalidf("The password policy %s does not exist; no policies are defined.", policyName)
	}
	return password.Generate(s.rand, r)
}
