package csms

import (
	"slices"
	"strconv"
)

// MaxGrantees is how many grantees one secret has at most. They stand in one record,
// so there is a bound; the number is ours.
const MaxGrantees = 100

// maxGrantID bounds the ids in a request about grants (schema GrantRequestBody).
const maxGrantID = 64

// GranteeType is the kind of a grantee, with the words of the wire (G1).
type GranteeType string

// Kinds of grantees.
const (
	GranteeUser  GranteeType = "0"
	GranteeGroup GranteeType = "2"
)

// GrantTarget is the kind of what is granted (G1).
type GrantTarget string

// Kinds of targets. There are no groups of secrets, so GrantGroup names nothing.
const (
	GrantSecret GrantTarget = "SECRET"
	GrantGroup  GrantTarget = "GROUP"
)

// Grantee is who is granted something.
type Grantee struct {
	Type GranteeType
	ID   string
}

// Check reports a grantee that cannot be one, as CSMS.0002 (G1).
func (g Grantee) Check() error {
	if g.Type != GranteeUser && g.Type != GranteeGroup {
		return Invalidf("grantee_type must be \"0\" for a user or \"2\" for a group.")
	}
	return CheckGrantID("grantee_target_id", g.ID)
}

// Check reports a target of no known kind, as CSMS.0002 (G1).
func (t GrantTarget) Check() error {
	if t != GrantSecret && t != GrantGroup {
		return Invalidf("type must be SECRET or GROUP.")
	}
	return nil
}

// CheckGrantID reports an id of a resource or of a grantee that does not have 1 to 64
// characters, as CSMS.0002.
func CheckGrantID(member, id string) error {
	if n := len(id); n == 0 || n > maxGrantID {
		return Invalidf("%s has %d characters; it takes 1 to %d.", member, n, maxGrantID)
	}
	return nil
}

// Grant gives one grantee the reads of one secret until its end.
type Grant struct {
	Grantee
	ID           string
	CreateTime   Millis
	UpdateTime   Millis
	ValidityTime Millis // the first instant at which it gives nothing; zero for no end
}

// Live reports whether g gives anything at now (G4).
func (g *Grant) Live(now Millis) bool { return g.ValidityTime == 0 || now < g.ValidityTime }

// ParseValidity reads the end of a grant, which is decimal text in milliseconds (TS7);
// "" is no end. An end that is not after now is CSMS.0002: it would be a grant of
// nothing.
func ParseValidity(text string, now Millis) (Millis, error) {
	if text == "" {
		return 0, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil || Millis(n) > maxMillis {
		return 0, Invalidf("validity_time must be an instant in milliseconds, in decimal digits.")
	}
	if Millis(n) <= now {
		return 0, Invalidf("validity_time is %d; it must lie in the future, in milliseconds (it is now %d).", n, now)
	}
	return Millis(n), nil
}

// Grants are all grants on one secret, in the order in which they were made.
type Grants struct {
	SecretID string
	List     []Grant
}

// Of returns the grant of a grantee, or nil. It is part of gs.
func (gs *Grants) Of(who Grantee) *Grant {
	for i := range gs.List {
		if gs.List[i].Grantee == who {
			return &gs.List[i]
		}
	}
	return nil
}

// Set gives a grantee a grant that ends at validity. One that he has keeps its id and
// gets the new end (G4); a new one has the id newID. A grantee over MaxGrantees is
// CSMS.0002.
func (gs *Grants) Set(who Grantee, newID string, validity, now Millis) (Grant, error) {
	if _, err := gs.Change(who, validity, now); err == nil {
		return *gs.Of(who), nil
	}
	if len(gs.List) >= MaxGrantees {
		return Grant{}, Invalidf("The secret has %d grantees, which is the most; delete one first.", len(gs.List))
	}
	g := Grant{Grantee: who, ID: newID, CreateTime: now, UpdateTime: now, ValidityTime: validity}
	gs.List = append(gs.List, g)
	return g, nil
}

// Change gives the grant of a grantee a new end. CSMS.0005 if there is none.
func (gs *Grants) Change(who Grantee, validity, now Millis) (Grant, error) {
	g := gs.Of(who)
	if g == nil {
		return Grant{}, noGrant(who.ID)
	}
	g.UpdateTime, g.ValidityTime = now, validity
	return *g, nil
}

// Remove takes the grants of the grantee of that id away, or all for "" (G3).
// CSMS.0005 if the named one has none; nothing is left to do where there is none at all.
func (gs *Grants) Remove(granteeID string) error {
	before := len(gs.List)
	gs.List = slices.DeleteFunc(gs.List, func(g Grant) bool { return granteeID == "" || g.Grantee.ID == granteeID })
	if granteeID != "" && len(gs.List) == before {
		return noGrant(granteeID)
	}
	return nil
}

func noGrant(granteeID string) error {
	return Errorf(CodeNotFound, "The grantee %s has no grant on the resource.", granteeID)
}
