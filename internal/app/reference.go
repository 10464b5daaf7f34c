package app

import (
	"fmt"
	"io"
	"reflect"
	"strings"
	"time"
)

// WriteReference prints the configuration reference as a YAML file that holds every
// key with its default and meaning. It is made from Config itself, so it cannot
// tell of a key that does not exist.
func WriteReference(w io.Writer) error {
	_, err := io.WriteString(w, "# Configuration of `coffer server`: every key, with its default.\n"+reference(reflect.ValueOf(DefaultConfig()), ""))
	return err
}

func reference(v reflect.Value, indent string) string {
	var b strings.Builder
	for i := range v.NumField() {
		f := v.Type().Field(i)
		fmt.Fprintf(&b, "\n%s# %s\n%s%s:%s", indent, f.Tag.Get("doc"), indent, f.Tag.Get("yaml"), referenceValue(v.Field(i), indent))
	}
	return b.String()
}

func referenceValue(v reflect.Value, indent string) string {
	switch v.Kind() {
	case reflect.Struct:
		return strings.TrimSuffix(reference(v, indent+"  "), "\n") + "\n"
	case reflect.Slice:
		if item := v.Type().Elem(); item.Kind() == reflect.Struct {
			return " []\n" + itemReference(item, indent+"  ")
		}
		items := make([]string, v.Len())
		for i := range items {
			items[i] = fmt.Sprint(v.Index(i))
		}
		return " [" + strings.Join(items, ", ") + "]\n"
	case reflect.String:
		return fmt.Sprintf(" %q\n", v.String())
	default:
		if d, ok := v.Interface().(time.Duration); ok {
			return " " + d.String() + "\n"
		}
		return fmt.Sprintf(" %v\n", v.Interface())
	}
}

// itemReference returns the keys of a list's items, of which there are none, as
// comments.
func itemReference(item reflect.Type, indent string) string {
	b := strings.Builder{}
	b.WriteString(indent + "# Keys of an item:\n")
	for line := range strings.Lines(reference(reflect.Zero(item), "  ")) {
		if line != "\n" {
			b.WriteString(indent + "#" + line)
		}
	}
	return b.String()
}
