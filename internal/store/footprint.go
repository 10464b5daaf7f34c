package store

import "reflect"

// footprint returns about how many bytes of memory the record behind r takes:
// exact for structs, texts, lists and pointers, which is what records are made of.
func footprint(r any) int64 {
	v := reflect.ValueOf(r).Elem()
	return int64(v.Type().Size()) + behind(v)
}

// behind returns the bytes that v refers to beyond its own size.
func behind(v reflect.Value) int64 {
	switch v.Kind() {
	case reflect.String:
		return int64(v.Len())
	case reflect.Pointer:
		if v.IsNil() {
			return 0
		}
		return int64(v.Type().Elem().Size()) + behind(v.Elem())
	case reflect.Slice:
		n := int64(v.Cap()) * int64(v.Type().Elem().Size())
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return n
		}
		for i := range v.Len() {
			n += behind(v.Index(i))
		}
		return n
	case reflect.Struct:
		var n int64
		for i := range v.NumField() {
			n += behind(v.Field(i))
		}
		return n
	default:
		return 0
	}
}
