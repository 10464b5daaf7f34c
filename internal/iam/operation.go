package iam

import (
	"fmt"
	"slices"
	"strings"
)

// Level classes an operation by what it can do (behaviour.md section 18).
type Level uint8

// The access levels of the cloud's permission tables.
const (
	List Level = iota + 1
	Read
	Write
	Tagging
	PermissionManagement
)

// String returns the level as the permission tables spell it.
func (l Level) String() string {
	switch l {
	case List:
		return "List"
	case Read:
		return "Read"
	case Write:
		return "Write"
	case Tagging:
		return "Tagging"
	case PermissionManagement:
		return "Permission_management"
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// Resource types, the fourth part of a resource URN.
const (
	typeSecret = "secretName"
	typeKey    = "KeyId"
	typeTopic  = "topic"
	typeUser   = "user"
	typeGroup  = "group"
	typePolicy = "policy"
	typeAgency = "agency"
)

// Operation is one operation of the API and the right it needs.
type Operation struct {
	Name    string   // as the API spells it, such as RestoreSecret
	Action  string   // the action of grammar 5.0, such as csms:secret:restoreSecret
	Aliases []string // older actions that mean the same in either grammar (auth.md 7.4)
	Level   Level

	// ResourceType is the type the right is limited by, "" for an operation of the
	// whole project, which only a statement about all resources covers.
	ResourceType string
	// Collection marks an operation that may be asked without a name, because it
	// lists, because the name stands in a body that is not read yet, or because the
	// resource is addressed by an id that may be unknown. Without a name it needs
	// the right over all names.
	Collection bool
	// Open marks "none" of behaviour.md section 18: no grant is needed. The Action is
	// then our own name; only a deny can hit it.
	Open bool
	// AdminOnly marks what IAM2 keeps for administrators: the caller needs the right
	// of the row and the right of Administer.
	AdminOnly bool
	// Grantable marks what a grant on a secret gives: the reads of that secret.
	Grantable bool
	// KeyGrant is the word that gives the operation in a grant on a KMS key, such as
	// decrypt-datakey; "" for what no such grant gives.
	KeyGrant string
	// Global marks a service without regions; its URNs have an empty region.
	Global bool
}

// Service returns the first part of the action, such as csms.
func (o *Operation) Service() string {
	service, _, _ := strings.Cut(o.Action, ":")
	return service
}

// ProjectLevel reports whether the operation has no resource.
func (o *Operation) ProjectLevel() bool { return o.ResourceType == "" }

// Op names a row of the operation table. The zero Op is no operation; every
// decision about it is a refusal.
type Op uint8

// Valid reports whether o is a row of the table.
func (o Op) Valid() bool { return o > 0 && o < opEnd }

// Operation returns the row of o. The caller must not change it. An invalid Op
// gives an empty row.
func (o Op) Operation() *Operation {
	if !o.Valid() {
		return &operations[0]
	}
	return &operations[o]
}

// Name returns the name of the operation, "" for an invalid Op.
func (o Op) Name() string { return o.Operation().Name }

// Action returns the action that a denial names (IE2), "" for an invalid Op.
func (o Op) Action() string { return o.Operation().Action }

// String returns the name, or Op(n) for an invalid Op.
func (o Op) String() string {
	if !o.Valid() {
		return fmt.Sprintf("Op(%d)", uint8(o))
	}
	return o.Name()
}

// Lookup returns the row of the operation called name, in the spelling of the
// API.
func Lookup(name string) (*Operation, bool) {
	o, ok := opsByName[name]
	return o.Operation(), ok
}

// LookupOp returns the Op called name, in the spelling of the API.
func LookupOp(name string) (Op, bool) {
	o, ok := opsByName[name]
	return o, ok
}

// InKeyGrant reports whether a grant on a KMS key can give what word stands for.
func InKeyGrant(word string) bool {
	return word != "" && slices.ContainsFunc(operations[:], func(o Operation) bool { return o.KeyGrant == word })
}

// Operations returns every Op, in the order of the table.
func Operations() []Op {
	all := make([]Op, 0, opEnd-1)
	for o := Op(1); o < opEnd; o++ {
		all = append(all, o)
	}
	return all
}

var opsByName = indexOperations()

func indexOperations() map[string]Op {
	byName := make(map[string]Op, opEnd)
	for o := Op(1); o < opEnd; o++ {
		byName[operations[o].Name] = o
	}
	return byName
}

// opSet is a set of Ops.
type opSet [(int(opEnd) + 63) / 64]uint64

func (s *opSet) add(o Op)      { s[o/64] |= 1 << (o % 64) }
func (s *opSet) remove(o Op)   { s[o/64] &^= 1 << (o % 64) }
func (s *opSet) has(o Op) bool { return s[o/64]&(1<<(o%64)) != 0 }

func (s *opSet) addAll(t opSet) {
	for i := range s {
		s[i] |= t[i]
	}
}

// allOps returns the set of every Op.
func allOps() opSet {
	var s opSet
	for o := Op(1); o < opEnd; o++ {
		s.add(o)
	}
	return s
}

// complement returns every Op that is not in s.
func (s *opSet) complement() opSet {
	rest := allOps()
	for i := range rest {
		rest[i] &^= s[i]
	}
	return rest
}
