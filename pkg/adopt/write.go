package adopt

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// written is the spec as a tree, in the order of its types, without what is empty. extra has what is laid onto files, by
// section; whole are the sections that are there even if they are empty.
func written(s *spec.Spec, extra map[string]*source.Node, whole ...string) *source.Node {
	w := writer{extra, whole}
	return w.value(reflect.ValueOf(s).Elem(), nil)
}

type writer struct {
	extra map[string]*source.Node
	whole []string
}

// value is nil where there is nothing to say.
func (w writer) value(v reflect.Value, path []string) *source.Node {
	dotted := strings.Join(path, ".")
	if v.Type() == reflect.TypeFor[spec.Extra]() {
		return w.extra[dotted]
	}
	if n, is := reflect.TypeAssert[spec.DatabaseName](v); is && n.Name == n.User {
		return source.Made("!!str", n.Name)
	}
	if data, is := reflect.TypeAssert[spec.Data](v); is && data.Path != "" {
		return source.Made("!!str", data.Path)
	}
	if n, is := reflect.TypeAssert[spec.Network](v); is && len(n.Aliases) == 0 {
		return source.Made("!!str", n.Name)
	}
	if w, is := reflect.TypeAssert[spec.Workers](v); is {
		for name, set := range component.WorkerSets() {
			if maps.Equal(set, w) {
				return source.Made("!!str", name)
			}
		}
	}
	if n, is := reflect.TypeAssert[spec.Namespace](v); is && n.Exclusive == nil {
		return source.Made("!!str", n.Regex)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		return source.Made("!!bool", fmt.Sprint(v.Elem().Interface()))
	case reflect.Struct:
		n := &source.Node{Kind: source.Mapping}
		w.fields(n, v, path)
		if len(n.Names()) == 0 && !slices.Contains(w.whole, dotted) {
			return nil
		}
		return n
	case reflect.Map:
		if v.Len() == 0 {
			return nil
		}
		n := &source.Node{Kind: source.Mapping}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return order(path, a.String(), b.String()) })
		for _, k := range keys {
			below := w.value(v.MapIndex(k), append(slices.Clip(path), k.String()))
			if below == nil {
				below = &source.Node{Kind: source.Mapping}
			}
			n.Set(k.String(), below)
		}
		return n
	case reflect.Slice:
		if v.Len() == 0 {
			return nil
		}
		n := &source.Node{Kind: source.Sequence}
		for i := range v.Len() {
			n.Items = append(n.Items, w.value(v.Index(i), append(slices.Clip(path), strconv.Itoa(i))))
		}
		return n
	case reflect.String:
		if v.String() == "" {
			return nil
		}
		if _, err := strconv.ParseFloat(v.String(), 64); err == nil && strings.HasSuffix(dotted, "limits.cpus") {
			return source.Made(number(v.String()), v.String())
		}
		return source.Made("!!str", v.String())
	case reflect.Bool:
		if !v.Bool() {
			return nil
		}
		return source.Made("!!bool", "true")
	case reflect.Int:
		if v.Int() == 0 {
			return nil
		}
		return source.Made("!!int", strconv.FormatInt(v.Int(), 10))
	}
	return nil
}

func (w writer) fields(n *source.Node, v reflect.Value, path []string) {
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported():
		case options == "inline":
			w.fields(n, v.Field(i), path)
		default:
			if below := w.value(v.Field(i), append(slices.Clip(path), name)); below != nil {
				n.Set(name, below)
			}
		}
	}
}

// order has bridges as all output has them, and everything else by its name.
func order(path []string, a, b string) int {
	if slices.Equal(path, []string{"bridges"}) {
		names := spec.BridgeNames()
		return slices.Index(names, a) - slices.Index(names, b)
	}
	return strings.Compare(a, b)
}

// leaves are the paths of all fields that can be left out alone, those at the end first. What is laid onto files is none of
// them.
func leaves(n *source.Node, path []string) (all [][]string) {
	for _, name := range slices.Backward(n.Names()) {
		at, below := append(slices.Clip(path), name), n.Get(name)
		switch {
		case name == "extra" || name == "well_known_extra" || len(path) == 0 && (name == "version" || name == "server_name"):
		case name == "keep": // all of it or none is the default
			all = append(all, at)
		case below.Is(source.Mapping):
			all = append(all, leaves(below, at)...)
		default:
			all = append(all, at)
		}
	}
	return all
}

func number(text string) string {
	if strings.Contains(text, ".") {
		return "!!float"
	}
	return "!!int"
}

// ordered has the sections of a tree in the order of the spec.
func ordered(tree *source.Node) *source.Node {
	sorted := &source.Node{Kind: source.Mapping}
	for f := range reflect.TypeFor[spec.Spec]().Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if n := tree.Get(name); n != nil {
			sorted.Set(name, n)
		}
	}
	return sorted
}
