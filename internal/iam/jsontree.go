package iam

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Limits of a policy document. Any text in it is bounded too, which bounds the
// work of one match.
const (
	// MaxDocument is the largest policy document in bytes. A statement may list 100
	// actions and a policy holds several statements, so the 6144 of the public console
	// is too little.
	MaxDocument = 32 << 10
	maxDepth    = 8    // a condition value is at depth 6
	maxText     = 1024 // bytes of one action, resource, key or value; a tag value has 255 characters
)

// node is a JSON value with members in order. encoding/json would drop repeated
// members and fold their case, and a policy must mean what a reader sees.
type node struct {
	kind    nodeKind
	text    string // of a text, or the literal of a number or truth value
	items   []node
	members []member
}

type member struct {
	name  string
	value node
}

type nodeKind uint8

const (
	nullNode nodeKind = iota
	textNode
	literalNode // number, true, false
	arrayNode
	objectNode
)

// String names the kind, for messages.
func (k nodeKind) String() string {
	return [...]string{"null", "text", "a number or truth value", "an array", "an object"}[k]
}

// readTree reads one JSON value within the limits.
func readTree(document []byte) (node, error) {
	if len(document) > MaxDocument {
		return node{}, fmt.Errorf("the document has %d bytes; at most %d are allowed", len(document), MaxDocument)
	}
	if !utf8.Valid(document) {
		return node{}, errors.New("the document is not UTF-8")
	}
	d := json.NewDecoder(bytes.NewReader(document))
	d.UseNumber()
	root, err := readNode(d, 0)
	if err != nil {
		return node{}, err
	}
	if _, err := d.Token(); err != io.EOF {
		return node{}, errors.New("the document goes on after its JSON value")
	}
	return root, nil
}

func readNode(d *json.Decoder, depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fmt.Errorf("the document is nested deeper than %d levels", maxDepth)
	}
	token, err := d.Token()
	if err != nil {
		return node{}, fmt.Errorf("the document is not JSON: %w", err)
	}
	switch t := token.(type) {
	case json.Delim:
		if t == '[' {
			return readArray(d, depth)
		}
		return readObject(d, depth)
	case string:
		return node{kind: textNode, text: t}, checkText(t)
	case json.Number:
		return node{kind: literalNode, text: t.String()}, checkText(t.String())
	case bool:
		return node{kind: literalNode, text: fmt.Sprint(t)}, nil
	}
	return node{}, nil
}

func readArray(d *json.Decoder, depth int) (node, error) {
	array := node{kind: arrayNode}
	for d.More() {
		item, err := readNode(d, depth+1)
		if err != nil {
			return node{}, err
		}
		array.items = append(array.items, item)
	}
	return array, closeNode(d)
}

func readObject(d *json.Decoder, depth int) (node, error) {
	object := node{kind: objectNode}
	for d.More() {
		name, err := readNode(d, depth+1)
		if err != nil {
			return node{}, err
		}
		value, err := readNode(d, depth+1)
		if err != nil {
			return node{}, err
		}
		object.members = append(object.members, member{name.text, value})
	}
	return object, closeNode(d)
}

func closeNode(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("the document is not JSON: %w", err)
	}
	return nil
}

func checkText(s string) error {
	if len(s) > maxText {
		return fmt.Errorf("%s... has %d bytes; at most %d are allowed", quote(s), len(s), maxText)
	}
	return nil
}

// get returns the member called name, exactly in that spelling; nil if there is
// none. It reports a member that stands twice, because the reader of the document
// cannot know which one counts.
func (n *node) get(name string) (*node, error) {
	var found *node
	for i := range n.members {
		if n.members[i].name != name {
			continue
		}
		if found != nil {
			return nil, fmt.Errorf("member %s stands twice", quote(name))
		}
		found = &n.members[i].value
	}
	return found, nil
}

// checkRepeated reports a member that n or an object in it has twice.
func (n *node) checkRepeated() error {
	seen := make(map[string]bool, len(n.members))
	for i := range n.members {
		m := &n.members[i]
		if seen[m.name] {
			return fmt.Errorf("member %s stands twice", quote(m.name))
		}
		seen[m.name] = true
		if err := m.value.checkRepeated(); err != nil {
			return err
		}
	}
	return nil
}

// quote puts s in quotation marks, cut so that a message stays within the 512
// characters of an error_msg (ER3).
func quote(s string) string {
	const most = 48
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "")
	}
	return fmt.Sprintf("%q", s)
}
