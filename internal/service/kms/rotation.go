package kms

import (
	"cmp"
	"context"

	"coffer/internal/csms"
	"coffer/internal/iam"
	"coffer/internal/seal"
	"coffer/internal/seal/localkms"
)

// Bounds of rotation_interval, in days.
const (
	minInterval = 30
	maxInterval = 365
)

// Rotation is how a key is rotated by itself, and how often it was rotated at all.
type Rotation struct {
	Enabled  bool
	Interval int         // days
	Last     csms.Millis // zero if the key was never rotated
	Count    int
}

// ShowKeyRotationStatus returns the rotation of a key in whatever state it is. A
// default key is never rotated.
func (s *Service) ShowKeyRotationStatus(ctx context.Context, who *iam.Caller, keyID string) (Rotation, error) {
	key, err := s.find(ctx, who, iam.ShowKeyRotationStatus, keyID, nil)
	if err != nil {
		return Rotation{}, err
	}
	r := Rotation{
		Enabled: key.NextRotation != 0, Count: len(key.Versions) - 1,
		Interval: cmp.Or(key.RotationInterval, localkms.DefaultRotationInterval),
	}
	if r.Count > 0 {
		r.Last = key.Versions[r.Count].CreateTime
	}
	return r, nil
}

// EnableKeyRotation has a key rotated by itself, for the first time one interval from
// now.
func (s *Service) EnableKeyRotation(ctx context.Context, who *iam.Caller, keyID string) error {
	_, err := s.change(ctx, who, iam.EnableKeyRotation, keyID, nil, s.o.Keys.EnableKeyRotation)
	return err
}

// DisableKeyRotation ends the rotation of a key by itself.
func (s *Service) DisableKeyRotation(ctx context.Context, who *iam.Caller, keyID string) error {
	_, err := s.change(ctx, who, iam.DisableKeyRotation, keyID, nil, s.o.Keys.DisableKeyRotation)
	return err
}

// UpdateKeyRotationInterval sets the time between two rotations, 30 to 365 days. If
// the key is rotated by itself, it begins now.
func (s *Service) UpdateKeyRotationInterval(ctx context.Context, who *iam.Caller, keyID string, days int) error {
	_, err := s.change(ctx, who, iam.UpdateKeyRotationInterval, keyID,
		func() error {
			if days < minInterval || days > maxInterval {
				return csms.Errorf(csms.CodeKMSInvalid, "rotation_interval must be a number from %d to %d.", minInterval, maxInterval)
			}
			return nil
		},
		func(ctx context.Context, project, keyID string) (seal.Key, error) {
			return s.o.Keys.UpdateKeyRotationInterval(ctx, project, keyID, days)
		})
	return err
}
