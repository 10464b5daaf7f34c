package account

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coffer/internal/csms"
)

// The names of members, best first (neighbours.md 4.2, B4).
var (
	accountNames  = []string{"username", "user", "name", "account"}
	passwordNames = []string{"password", "passwd", "pwd"}
)

func listed(names []string) string { return strings.Join(names, ", ") }

// errLayout is the refusal of a value. It says nothing about it.
var errLayout = errors.New("account: the value names no account with a password")

// login is what a value says. The password is wiped by who asked for it.
type login struct {
	account  string
	password []byte
	from, to int // where the JSON text of the password stands in the value
}

// member is one member of the object.
type member struct {
	raw      json.RawMessage
	from, to int
}

// parse reads a value: one JSON object. A name that is looked for and stands there twice
// is refused, because readers differ about which one counts.
func parse(value csms.Plaintext) (*login, error) {
	members, err := split(value)
	if err != nil {
		return nil, err
	}
	user, err := first(members, accountNames)
	if err != nil {
		return nil, err
	}
	secret, err := first(members, passwordNames)
	if err != nil {
		return nil, err
	}
	var account, text string
	if json.Unmarshal(user.raw, &account) != nil || json.Unmarshal(secret.raw, &text) != nil || account == "" {
		return nil, errLayout
	}
	return &login{account: account, password: []byte(text), from: secret.from, to: secret.to}, nil
}

// split returns the members of the object that value is, by name.
func split(value []byte) (map[string]member, error) {
	d := json.NewDecoder(bytes.NewReader(value))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errLayout
	}
	members := map[string]member{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, errLayout
		}
		m := member{}
		if err := d.Decode(&m.raw); err != nil {
			return nil, errLayout
		}
		m.to = int(d.InputOffset())
		m.from = m.to - len(m.raw)
		key := name.(string) // the decoder takes nothing else for a name
		if _, twice := members[key]; twice && slices.Contains(slices.Concat(accountNames, passwordNames), key) {
			return nil, errLayout
		}
		members[key] = m
	}
	if _, err := d.Token(); err != nil || len(bytes.TrimSpace(value[d.InputOffset():])) > 0 {
		return nil, errLayout
	}
	return members, nil
}

// first returns the member with the best of those names.
func first(members map[string]member, names []string) (member, error) {
	for _, name := range names {
		if m, there := members[name]; there {
			if len(m.raw) == 0 || m.raw[0] != '"' {
				return member{}, errLayout
			}
			return m, nil
		}
	}
	return member{}, errLayout
}

// with returns value with another password.
func (l *login) with(value, password csms.Plaintext) csms.Plaintext {
	quoted := fmt.Appendf(nil, "%q", []byte(password)) // printable ASCII: JSON and Go quote it alike
	defer clear(quoted)
	return slices.Concat(value[:l.from], quoted, value[l.to:])
}
