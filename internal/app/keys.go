package app

import (
	"crypto/rand"

	"coffer/internal/seal"
	"coffer/internal/seal/localkms"
	"coffer/internal/service/eps"
	"coffer/internal/service/kms"
	"coffer/internal/store"
)

// keys makes the KMS API over the embedded KMS.
func (s *Server) keys(st *store.Store, local *localkms.KMS, sealer *seal.Sealer) *kms.Service {
	return kms.New(kms.Options{Store: st, Keys: local, Sealer: sealer, Now: s.clock.Now, Rand: rand.Reader, Region: s.config.Region})
}

// enterpriseProjects makes the operations on enterprise projects.
func (s *Server) enterpriseProjects(st *store.Store) *eps.Service {
	return eps.New(eps.Options{Store: st, Now: s.clock.Now, NewID: newID, Region: s.config.Region})
}
