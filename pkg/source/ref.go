package source

import (
	"regexp"
	"sync"

	"gopkg.in/yaml.v3"
)

// refName is the name of a secret. Without a dot, {secret: x} is a mapping like any other.
var refName = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)+$`)
})

// Ref gives NAME of a value that is `{secret: NAME}` and nothing else: the secret of that name is meant.
func (v Value) Ref() (string, bool) {
	if v.Kind() != Mapping {
		return "", false
	}
	n, name := 0, v.At("secret")
	for range v.Entries() {
		n++
	}
	return name.Str(), n == 1 && name.IsString() && refName().MatchString(name.Str())
}

// Refs lists the values below v, or v itself, that are a Ref.
func (v Value) Refs() []Value {
	if _, ok := v.Ref(); ok {
		return []Value{v}
	}
	var refs []Value
	for _, item := range v.Items() {
		refs = append(refs, item.Refs()...)
	}
	for _, val := range v.Entries() {
		refs = append(refs, val.Refs()...)
	}
	return refs
}

// Filled is v with the text that get has for its name in the place of each Ref. It keeps its places in the file.
func (v Value) Filled(get func(name string) string) Value {
	if len(v.Refs()) > 0 {
		v.node = filled(v, get)
	}
	return v
}

func filled(v Value, get func(name string) string) *yaml.Node {
	n := *deref(v.node)
	n.Anchor, n.Content = "", nil
	if name, ok := v.Ref(); ok {
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: get(name), Style: yaml.DoubleQuotedStyle, Line: n.Line, Column: n.Column}
	}
	for k, val := range v.Entries() {
		n.Content = append(n.Content, filled(k, get), filled(val, get))
	}
	for _, item := range v.Items() {
		n.Content = append(n.Content, filled(item, get))
	}
	return &n
}
