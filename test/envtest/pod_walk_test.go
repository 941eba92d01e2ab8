//go:build envtest

package envtest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// fieldChange is one pod of the manager with one field changed.
type fieldChange struct {
	path string
	pod  *corev1.Pod
}

// changesOf lists pods that differ from this one in one field of the spec.
func changesOf(pod *corev1.Pod) (changes []fieldChange) {
	w := walker{add: func(path string, at func(*corev1.PodSpec) reflect.Value, v reflect.Value) {
		changed := pod.DeepCopy()
		at(&changed.Spec).Set(v)
		changes = append(changes, fieldChange{strings.TrimPrefix(path, "."), changed})
	}}
	w.walk("", reflect.ValueOf(&pod.Spec).Elem(),
		func(s *corev1.PodSpec) reflect.Value { return reflect.ValueOf(s).Elem() })
	return changes
}

// walker visits every field below a value. For each other value that a field may have, it calls add with the field's
// path, with what finds the field in a copy, and with the value.
type walker struct {
	add func(path string, at func(*corev1.PodSpec) reflect.Value, v reflect.Value)
}

func (w walker) walk(path string, v reflect.Value, at func(*corev1.PodSpec) reflect.Value) {
	if !v.IsZero() && path != "" {
		w.add(path, at, reflect.Zero(v.Type()))
	}
	switch {
	case v.Kind() == reflect.Struct && !isLeaf(v.Type()):
		w.fields(path, v, at)
	case v.Kind() == reflect.Pointer && !v.IsNil() && v.Elem().Kind() == reflect.Struct && !isLeaf(v.Type().Elem()):
		w.walk(path, v.Elem(), func(s *corev1.PodSpec) reflect.Value { return at(s).Elem() })
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			w.walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i),
				func(s *corev1.PodSpec) reflect.Value { return at(s).Index(i) })
		}
		for _, e := range others(v.Type().Elem()) {
			w.add(path+"[+]"+e.path, at, reflect.Append(reflect.AppendSlice(reflect.Zero(v.Type()), v), e.value))
		}
	default:
		for _, e := range others(v.Type()) {
			if !reflect.DeepEqual(e.value.Interface(), v.Interface()) {
				w.add(path+e.path, at, e.value)
			}
		}
	}
}

func (w walker) fields(path string, v reflect.Value, at func(*corev1.PodSpec) reflect.Value) {
	for i := range v.NumField() {
		if jsonName(v.Type().Field(i)) == "-" {
			continue
		}
		name := path + "." + jsonName(v.Type().Field(i))
		if strings.HasSuffix(name, ".") {
			name = path // an embedded struct
		}
		w.walk(name, v.Field(i), func(s *corev1.PodSpec) reflect.Value { return at(s).Field(i) })
	}
}

// other is a value of a type that has one field set, and that field's path.
type other struct {
	path  string
	value reflect.Value
}

// isLeaf reports whether values of the type are taken as a whole.
func isLeaf(t reflect.Type) bool {
	_, leaf := valid[t]
	return leaf
}

// others lists other values of a type: whole ones that are valid, and one for each field of it that is set alone.
func others(t reflect.Type) (out []other) {
	for _, v := range slices.Concat(valid[t], whole[t]) {
		out = append(out, other{"", reflect.ValueOf(v)})
	}
	if isLeaf(t) {
		return out
	}
	switch t.Kind() {
	case reflect.Struct:
		out = append(out, otherFields(t)...)
	case reflect.Pointer:
		for _, e := range append(others(t.Elem()), other{"", reflect.Zero(t.Elem())}) {
			v := reflect.New(t.Elem())
			v.Elem().Set(e.value)
			out = append(out, other{e.path, v})
		}
	case reflect.Slice:
		for _, e := range others(t.Elem()) {
			out = append(out, other{"[+]" + e.path, reflect.Append(reflect.Zero(t), e.value)})
		}
	case reflect.Map:
		for _, key := range others(t.Key()) {
			for _, e := range others(t.Elem()) {
				m := reflect.MakeMap(t)
				m.SetMapIndex(key.value, e.value)
				out = append(out, other{"[+]" + e.path, m})
			}
		}
	case reflect.String:
		out = append(out, other{"", reflect.ValueOf("other").Convert(t)})
	case reflect.Bool:
		out = append(out, other{"", reflect.ValueOf(true).Convert(t)})
	case reflect.Int, reflect.Int32, reflect.Int64, reflect.Uint8:
		out = append(out, other{"", reflect.ValueOf(77).Convert(t)}, other{"", reflect.ValueOf(177).Convert(t)})
	default:
		panic("no value for a field of type " + t.String())
	}
	return out
}

// otherFields lists values of a struct of which one field is set.
func otherFields(t reflect.Type) (out []other) {
	for i := range t.NumField() {
		if jsonName(t.Field(i)) == "-" {
			continue
		}
		for _, e := range others(t.Field(i).Type) {
			v := reflect.New(t).Elem()
			v.Field(i).Set(e.value)
			out = append(out, other{strings.TrimSuffix("."+jsonName(t.Field(i)), ".") + e.path, v})
		}
	}
	return out
}

// jsonName is the name of a field in a manifest. It is "" for an embedded struct.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	return name
}
