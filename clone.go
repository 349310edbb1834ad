package hub

import "reflect"

// cloned returns a deep copy of a definition: neither the caller nor the hub sees the
// other's later writes. It knows the kinds that definitions are made of.
func cloned[T any](v T) T {
	c := reflect.New(reflect.TypeFor[T]()).Elem()
	cloneInto(c, reflect.ValueOf(v))
	return c.Interface().(T)
}

func cloneInto(dst, src reflect.Value) {
	switch src.Kind() {
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(src.Type().Elem()))
			cloneInto(dst.Elem(), src.Elem())
		}
	case reflect.Slice:
		if !src.IsNil() {
			dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
			for i := range src.Len() {
				cloneInto(dst.Index(i), src.Index(i))
			}
		}
	case reflect.Map:
		if !src.IsNil() {
			dst.Set(reflect.MakeMapWithSize(src.Type(), src.Len()))
			for entries := src.MapRange(); entries.Next(); {
				value := reflect.New(src.Type().Elem()).Elem()
				cloneInto(value, entries.Value())
				dst.SetMapIndex(entries.Key(), value)
			}
		}
	case reflect.Struct:
		dst.Set(src) // also what is not exported: time.Time
		if src.Type() == typeTime {
			return
		}
		for i := range src.NumField() {
			if src.Type().Field(i).IsExported() {
				cloneInto(dst.Field(i), src.Field(i))
			}
		}
	default:
		dst.Set(src)
	}
}
