package service

import (
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
)

// ImportItem is one secret of BatchImportSecrets, or what was wrong with the syntax
// of its item.
type ImportItem struct {
	Secret NewSecret // as far as it could be read
	Err    error     // a *csms.Error, or nil
}

// Imports is the outcome of BatchImportSecrets.
type Imports struct {
	Total  int
	Failed []FailedImport // in the order of the items
}

// FailedImport tells why one item was not imported.
type FailedImport struct {
	Name string
	Err  error // a *csms.Error
}

// BatchImportSecrets creates secrets one by one, as CreateSecret does, and says of
// each that could not be created why (I2). The right is asked for each of them; the
// call is refused only where there is none for any.
func (s *Service) BatchImportSecrets(ctx context.Context, who *iam.Caller, items []ImportItem) (Imports, error) {
	if n := len(items); n == 0 || n > csms.MaxImport {
		if err := s.Authorize(ctx, who, iam.BatchImportSecrets, ""); err != nil {
			return Imports{}, err
		}
		return Imports{}, csms.Invalidf("secrets takes 1 to %d items.", csms.MaxImport)
	}
	if err := s.authorizeImport(who, items); err != nil {
		return Imports{}, err
	}
	out := Imports{Total: len(items)}
	for _, item := range items {
		err := s.importOne(ctx, who, item)
		if ctx.Err() != nil {
			return Imports{}, ctx.Err()
		}
		if err != nil {
			out.Failed = append(out.Failed, FailedImport{item.Secret.Creation.Name, err})
		}
	}
	return out, nil
}

// authorizeImport reports a caller who has the right to none of the items.
func (s *Service) authorizeImport(who *iam.Caller, items []ImportItem) (err error) {
	for _, item := range items {
		if err = s.authorizeCreation(who, iam.BatchImportSecrets, &item.Secret.Creation); err == nil {
			return nil
		}
	}
	return err
}

func (s *Service) authorizeCreation(who *iam.Caller, op iam.Op, c *csms.Creation) error {
	r := s.request(who, op, c.Name)
	r.Attributes = creationAttributes(c)
	return who.Authorize(&r)
}

// importOne creates one secret. A syntax error is told only to a caller who may
// create it (S7).
func (s *Service) importOne(ctx context.Context, who *iam.Caller, item ImportItem) error {
	if item.Err != nil {
		if denied := s.authorizeCreation(who, iam.BatchImportSecrets, &item.Secret.Creation); denied != nil {
			return denied
		}
		return item.Err
	}
	_, err := s.CreateSecret(ctx, who, item.Secret)
	return s.told(ctx, iam.BatchImportSecrets, item.Secret.Creation.Name, err)
}
