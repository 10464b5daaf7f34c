package csms

// CheckTagWrite is the gate of the tag operations, which have no exported rule of
// their own yet.
func CheckTagWrite(s *Secret) error { return s.checkChangeable() }
