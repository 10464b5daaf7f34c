package csms

import "unicode/utf8"

const maxName = 64

// DefaultEnterpriseProject is the enterprise project of whatever names none (N14).
const DefaultEnterpriseProject = "0"

// CheckNewName reports a name that a new secret cannot have: it must match
// ^[a-zA-Z0-9_-]{1,64}$ (N1). With dots the compatibility switch of N2 is on.
func CheckNewName(name string, dots bool) error {
	if isName(name, dots) {
		return nil
	}
	if dots {
		return Invalidf("name must match ^[a-zA-Z0-9._-]{1,64}$.")
	}
	return Invalidf("name must match ^[a-zA-Z0-9_-]{1,64}$.")
}

// CheckName reports a secret name that no secret can have ever had: look-ups take
// the dot of older names too (N2).
func CheckName(field, name string) error {
	if isName(name, true) {
		return nil
	}
	return Invalidf("%s must match ^[a-zA-Z0-9._-]{1,64}$.", field)
}

// CheckEventName reports an event name that does not match ^[a-zA-Z0-9_-]{1,64}$.
func CheckEventName(field, name string) error {
	if isName(name, false) {
		return nil
	}
	return Invalidf("%s must match ^[a-zA-Z0-9_-]{1,64}$.", field)
}

// CheckSecretID reports a secret id in a path that is no UUID (T15).
func CheckSecretID(id string) error {
	if IsUUID(id) {
		return nil
	}
	return Invalidf("secret_id must be a UUID in lower case.")
}

// CheckStageName reports a label that does not match ^[a-zA-Z0-9_-]{1,64}$ (L1).
func CheckStageName(name string) error {
	if isName(name, false) {
		return nil
	}
	return Invalidf("A version stage must match ^[a-zA-Z0-9_-]{1,64}$.")
}

// CheckVersionPath reports a version id in a path that does not match
// ^[a-zA-Z0-9][a-zA-Z0-9._-]{0,63}$. What passes may still name no version (V8).
func CheckVersionPath(id string) error {
	if isName(id, true) && isAlnum(id[0]) {
		return nil
	}
	return Invalidf("version_id must be vN or latest.")
}

// CheckVersionID reports a version id in a body that does not match ^v[0-9]{1,10}$
// (L14).
func CheckVersionID(id string) error {
	if IsVersionID(id) {
		return nil
	}
	return Invalidf("version_id must match ^v[0-9]{1,10}$.")
}

// IsUUID reports whether id has the form of a secret id or key id: 8-4-4-4-12
// characters 0-9 and a-z, as the published pattern has it.
func IsUUID(id string) bool {
	if len(id) != 36 {
		return false
	}
	for i := range len(id) {
		c := id[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if c != '-' {
				return false
			}
		} else if (c < '0' || c > '9') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return true
}

func isName(s string, dots bool) bool {
	if len(s) == 0 || len(s) > maxName {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !isAlnum(c) && c != '_' && c != '-' && (c != '.' || !dots) {
			return false
		}
	}
	return true
}

func isAlnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func checkDescription(text string) error {
	if len(text) > 2048 {
		return Invalidf("description has %d bytes; it takes at most 2048.", len(text))
	}
	return nil
}

func checkSubscriptions(names []string) error {
	if len(names) > 1 {
		return Invalidf("event_subscriptions has %d items; a secret subscribes to at most one event.", len(names))
	}
	for _, name := range names {
		if err := CheckEventName("event_subscriptions", name); err != nil {
			return err
		}
	}
	return nil
}

func checkEnterpriseProject(id string) error {
	if n := utf8.RuneCountInString(id); n > 36 {
		return Invalidf("enterprise_project_id has %d characters; it takes 1 to 36.", n)
	}
	return nil
}
