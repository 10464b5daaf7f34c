package httpapi_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// schemas finds what the document says, and follows its references.
type schemas struct {
	t    *testing.T
	tree map[string]any
}

func readSchemas(t *testing.T) *schemas {
	t.Helper()
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	s := &schemas{t: t}
	if err := yaml.Unmarshal(text, &s.tree); err != nil {
		t.Fatal(err)
	}
	return s
}

// resolve follows $ref and allOf of one element.
func (s *schemas) resolve(node any) map[string]any {
	n, _ := node.(map[string]any)
	for n["$ref"] != nil {
		var at any = s.tree
		for _, part := range strings.Split(strings.TrimPrefix(n["$ref"].(string), "#/"), "/") {
			at = at.(map[string]any)[part]
		}
		n = at.(map[string]any)
	}
	if all, ok := n["allOf"].([]any); ok && len(all) > 0 {
		merged := map[string]any{}
		for _, part := range all {
			maps.Copy(merged, s.resolve(part))
		}
		return merged
	}
	return n
}

// operation returns the element of an operation.
func (s *schemas) operation(name string) map[string]any {
	for _, item := range s.tree["paths"].(map[string]any) {
		for _, op := range item.(map[string]any) {
			if o, ok := op.(map[string]any); ok && o["operationId"] == name {
				return o
			}
		}
	}
	return nil
}

// violation is a value that a constraint forbids.
type violation struct {
	what  string // the constraint
	value any
}

// violations returns a value for each constraint of a schema.
func (s *schemas) violations(schema map[string]any) []violation {
	var out []violation
	add := func(what string, value any) { out = append(out, violation{what, value}) }
	number := func(key string) (int, bool) { n, ok := schema[key].(int); return n, ok }
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		if !understood[keyword] {
			s.t.Errorf("the document has the keyword %s, which is not walked", keyword)
		}
	}
	if either, ok := schema["oneOf"].([]any); ok {
		return append(out, s.ofNone(either)...)
	}
	switch schema["type"] {
	case "string":
		add("type", 7)
		if schema["format"] == "byte" {
			add("format", "?!")
		}
		if _, ok := schema["x-pattern-pcre"]; ok { // characters that no tag may have (T2)
			add("x-pattern-pcre", "a<b")
		}
		if n, ok := number("maxLength"); ok && n < 1<<16 {
			add("maxLength", strings.Repeat("a", n+1))
		}
		if n, ok := number("minLength"); ok && n > 0 {
			add("minLength", strings.Repeat("a", n-1))
		}
		if pattern, ok := schema["pattern"].(string); ok && !regexp.MustCompile(pattern).MatchString("?!") {
			add("pattern", "?!")
		}
		if _, ok := schema["enum"]; ok {
			add("enum", "NO_SUCH_WORD")
		}
	case "integer":
		add("type", "x")
		if n, ok := number("minimum"); ok {
			add("minimum", n-1)
		}
		if n, ok := number("maximum"); ok {
			add("maximum", n+1)
		}
	case "boolean":
		add("type", "true")
	case "array":
		add("type", map[string]any{})
		if n, ok := number("minItems"); ok && n > 0 {
			add("minItems", []any{})
		}
		if n, ok := number("maxItems"); ok {
			add("maxItems", slices.Repeat([]any{s.sample(s.resolve(schema["items"]))}, n+1))
		}
		if unique, _ := schema["uniqueItems"].(bool); unique {
			add("uniqueItems", slices.Repeat([]any{s.sample(s.resolve(schema["items"]))}, 2))
		}
	case "object":
		add("type", []any{})
	}
	return out
}

// ofNone returns values that fit none of the schemas: what breaks one, unless it is of
// the type of another.
func (s *schemas) ofNone(either []any) []violation {
	out := []violation{{"oneOf", true}, {"oneOf", map[string]any{}}}
	for _, one := range either {
		for _, v := range s.violations(s.resolve(one)) {
			if v.what != "type" {
				v.what = "oneOf " + v.what
				out = append(out, v)
			}
		}
	}
	return out
}

// understood are the keywords of a schema that break something here, or constrain
// nothing.
var understood = map[string]bool{
	"type": true, "maxLength": true, "minLength": true, "pattern": true, "enum": true, "minimum": true, "maximum": true, "minItems": true,
	"maxItems": true, "uniqueItems": true, "oneOf": true, "required": true, "properties": true, "items": true, "format": true, "x-pattern-pcre": true,
	"description": true, "default": true, "example": true, "nullable": true, "additionalProperties": true, "x-unit": true,
}

// sample is a value that fits a schema well enough to be an item.
func (s *schemas) sample(schema map[string]any) any {
	if enum, ok := schema["enum"].([]any); ok {
		return enum[0]
	}
	switch schema["type"] {
	case "object":
		out := map[string]any{}
		properties, _ := schema["properties"].(map[string]any)
		for name, p := range properties {
			out[name] = s.sample(s.resolve(p))
		}
		return out
	case "array":
		return []any{s.sample(s.resolve(schema["items"]))}
	case "integer":
		return 1
	case "boolean":
		return true
	default:
		return "a"
	}
}

// broken is a request that breaks one constraint.
type broken struct{ what, path, query, body string }

// bodies returns the valid body with one constraint broken in each.
func (s *schemas) bodies(schema map[string]any, valid map[string]any, at string, wrap func(map[string]any) string) []broken {
	var out []broken
	with := func(what, name string, value any) {
		changed := maps.Clone(valid)
		changed[name] = value
		out = append(out, broken{what: what, body: wrap(changed)})
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		changed := maps.Clone(valid)
		delete(changed, name.(string))
		out = append(out, broken{what: at + name.(string) + " required", body: wrap(changed)})
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, p := range properties {
		property := s.resolve(p)
		for _, v := range s.violations(property) {
			with(at+name+" "+v.what, name, v.value)
		}
		inner, ok := valid[name].(map[string]any)
		if members, _ := property["properties"].(map[string]any); len(members) > 0 && !ok {
			s.t.Errorf("the valid body has no %s%s, whose members are not walked", at, name)
		}
		if ok {
			out = append(out, s.bodies(property, inner, at+name+".", func(m map[string]any) string {
				changed := maps.Clone(valid)
				changed[name] = m
				return wrap(changed)
			})...)
		}
		out = append(out, s.itemsOf(property, valid[name], at+name, func(item any) string {
			changed := maps.Clone(valid)
			changed[name] = []any{item}
			return wrap(changed)
		})...)
	}
	return out
}

// itemsOf returns bodies whose array holds one item that breaks a constraint: of itself,
// or of its members, where the other members are those of the first item of valid.
func (s *schemas) itemsOf(array map[string]any, valid any, at string, wrap func(item any) string) []broken {
	if array["type"] != "array" {
		return nil
	}
	var out []broken
	items := s.resolve(array["items"])
	for _, v := range s.violations(items) {
		out = append(out, broken{what: at + "[] " + v.what, body: wrap(v.value)})
	}
	if items["type"] != "object" {
		return out
	}
	list, _ := valid.([]any)
	if len(list) == 0 {
		s.t.Errorf("the valid body has no item of %s, whose members are not walked", at)
		return out
	}
	return append(out, s.bodies(items, list[0].(map[string]any), at+"[].", func(m map[string]any) string { return wrap(m) })...)
}

// requests returns every request of an operation that breaks one constraint of body or
// query.
func (s *schemas) requests(t *testing.T, o *operation, body string) []broken {
	t.Helper()
	op := s.operation(o.name)
	var out []broken
	if content, ok := s.resolve(op["requestBody"])["content"].(map[string]any); ok {
		var valid map[string]any
		if err := json.Unmarshal([]byte(body), &valid); err != nil {
			t.Fatal(err)
		}
		schema := s.resolve(content["application/json"].(map[string]any)["schema"])
		out = s.bodies(schema, valid, "", func(m map[string]any) string {
			b, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		})
		for i := range out {
			out[i].query = o.query
		}
	}
	parameters, _ := op["parameters"].([]any)
	for _, p := range parameters {
		parameter := s.resolve(p)
		name := parameter["name"].(string)
		if parameter["in"] == "path" {
			out = append(out, s.paths(o, name, s.resolve(parameter["schema"]), body)...)
		}
		if parameter["in"] != "query" {
			continue
		}
		for _, v := range s.violations(s.resolve(parameter["schema"])) {
			text, isText := v.value.(string)
			if n, ok := v.value.(int); ok && v.what != "type" {
				b, _ := json.Marshal(n)
				text, isText = string(b), true
			}
			if !isText {
				continue // a query has texts only
			}
			query, _ := url.ParseQuery(o.query)
			query.Set(name, text)
			out = append(out, broken{what: name + " " + v.what, query: query.Encode(), body: body})
		}
		if required, _ := parameter["required"].(bool); required {
			query, _ := url.ParseQuery(o.query)
			query.Del(name)
			out = append(out, broken{what: name + " required", query: query.Encode(), body: body})
		}
	}
	return out
}

// elsewhere are the parameters of a path whose violation addresses something else: the
// project is judged before the operation (S7), and the constant is a part of the route.
var elsewhere = map[string]bool{"project_id": true, "resource_instances": true}

// paths returns a request for each constraint of a parameter in the path. Without a text
// for it the path would be another one.
func (s *schemas) paths(o *operation, name string, schema map[string]any, body string) []broken {
	if elsewhere[name] {
		return nil
	}
	documented := strings.Split(s.pathOf(o.name), "/")
	var out []broken
	for _, v := range s.violations(schema) {
		text, isText := v.value.(string)
		if !isText || text == "" {
			continue
		}
		parts := strings.Split(o.target(), "/")
		parts[slices.Index(documented, "{"+name+"}")] = url.PathEscape(text)
		out = append(out, broken{what: name + " " + v.what, path: strings.Join(parts, "/"), query: o.query, body: body})
	}
	return out
}

// pathOf returns the path of an operation.
func (s *schemas) pathOf(name string) string {
	for path, item := range s.tree["paths"].(map[string]any) {
		for _, op := range item.(map[string]any) {
			if o, ok := op.(map[string]any); ok && o["operationId"] == name {
				return path
			}
		}
	}
	return ""
}
