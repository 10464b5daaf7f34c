package service

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/rotate/template"
)

// FunctionTemplate asks for the source of a rotation function.
type FunctionTemplate struct {
	SecretType    csms.Type
	SecretSubType string
	Engine        string // mysql, postgresql or sqlserver for RDS-FG; "" for GaussDB-FG (RO13)
}

// ShowSecretFunctionTemplates returns the source of a rotation function for the contract
// of neighbours.md 3.3. It holds for every project.
func (s *Service) ShowSecretFunctionTemplates(ctx context.Context, who *iam.Caller, t FunctionTemplate) (string, error) {
	if err := s.Authorize(ctx, who, iam.ShowSecretFunctionTemplates, ""); err != nil {
		return "", err
	}
	if err := t.validate(); err != nil {
		return "", err
	}
	if t.SecretType == csms.GaussDB { // it speaks the protocol of MySQL
		t.Engine = "mysql"
	}
	return template.Source(t.Engine, t.SecretSubType), nil
}

func (t *FunctionTemplate) validate() error {
	if !t.SecretType.Rotates() {
		return csms.Invalidf("secret_type must be RDS-FG or GaussDB-FG.")
	}
	if t.SecretSubType != csms.SingleUser && t.SecretSubType != csms.MultiUser {
		return csms.Invalidf("secret_sub_type must be SingleUser or MultiUser.")
	}
	if t.SecretType == csms.GaussDB {
		if t.Engine != "" {
			return csms.Invalidf("engine is for RDS-FG only.")
		}
		return nil
	}
	switch t.Engine {
	case "mysql", "postgresql", "sqlserver":
		return nil
	default:
		return csms.Invalidf("engine must be mysql, postgresql or sqlserver for RDS-FG.")
	}
}
