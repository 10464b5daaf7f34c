package app

import (
	"errors"
	"fmt"

	"coffer/internal/kv/pebblekv"
)

var errStopping = errors.New("the server is stopping")

// ready reports why the server cannot carry out operations: it is stopping, or its
// store takes no more writes until it is opened again.
func (s *Server) ready() error {
	if s.stopping.Load() {
		return errStopping
	}
	if db, ok := s.db.(*pebblekv.Store); ok && db.Metrics().Failed {
		return fmt.Errorf("restart the server: %w", pebblekv.ErrFailed)
	}
	return nil
}
