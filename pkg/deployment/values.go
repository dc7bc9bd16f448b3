package deployment

import (
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// IsFalse tells a value that is false from one that is not set.
func IsFalse(v source.Value) bool {
	b, ok := v.Bool()
	return ok && !b
}

// ItemTexts are the texts of the items of a list.
func ItemTexts(v source.Value) []string {
	var words []string
	for _, i := range v.Items() {
		words = append(words, i.Str())
	}
	return words
}

// Scalars calls f for each scalar of a value, in the order of the file.
func Scalars(v source.Value, f func(source.Value)) {
	switch v.Kind() {
	case source.Mapping:
		for _, val := range v.Entries() {
			Scalars(val, f)
		}
	case source.Sequence:
		for _, item := range v.Items() {
			Scalars(item, f)
		}
	case source.Scalar:
		f(v)
	default:
	}
}

// Each gives the values at a dotted path, in which "*" stands for every key or item.
func Each(v source.Value, dotted string) []source.Value {
	if dotted == "" {
		return []source.Value{v}
	}
	key, rest, _ := strings.Cut(dotted, ".")
	if key != "*" {
		return Each(v.At(key), rest)
	}
	var vs []source.Value
	for _, item := range v.Items() {
		vs = append(vs, Each(item, rest)...)
	}
	for _, val := range v.Entries() {
		vs = append(vs, Each(val, rest)...)
	}
	return vs
}

// Listed gives the items of what may be a list or a single value.
func Listed(v source.Value) []source.Value {
	if v.Kind() == source.Scalar {
		return []source.Value{v}
	}
	return v.Items()
}
