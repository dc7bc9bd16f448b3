package source

import "gopkg.in/yaml.v3"

// Str is the text of a scalar as written between its quotes, whatever its type; "" for other kinds.
func (v Value) Str() string {
	if n := deref(v.node); n != nil && n.Kind == yaml.ScalarNode && n.ShortTag() != "!!null" {
		return n.Value
	}
	return ""
}

// IsString reports whether YAML 1.2 readers take the value for a string. They know no timestamps.
func (v Value) IsString() bool {
	return v.tag() == "!!str" || v.tag() == "!!timestamp" && !v.tagged()
}

func (v Value) tagged() bool { return deref(v.node).Style&yaml.TaggedStyle != 0 }

// Plain reports whether the value is a scalar without quotes.
func (v Value) Plain() bool {
	n := deref(v.node)
	return n != nil && n.Kind == yaml.ScalarNode && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
}

func (v Value) tag() string {
	if n := deref(v.node); n != nil && n.Kind == yaml.ScalarNode {
		return n.ShortTag()
	}
	return ""
}

// Bool is the truth value of a scalar as YAML 1.1 readers (PyYAML, and Go programs decoding into a bool)
// see it: true, yes, on and their opposites, unquoted. ok is false for anything else.
func (v Value) Bool() (value, ok bool) {
	if v.tag() == "!!bool" || v.tag() == "!!str" && v.Plain() && !v.tagged() {
		switch v.Str() {
		case "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON":
			return true, true
		case "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF":
			return false, true
		}
	}
	return false, false
}

// True reports whether the value is a scalar that reads as true.
func (v Value) True() bool {
	b, ok := v.Bool()
	return b && ok
}

// Int is the number of an unquoted integer scalar; ok is false for anything else.
func (v Value) Int() (value int, ok bool) {
	if v.tag() != "!!int" {
		return 0, false
	}
	var i int
	if deref(v.node).Decode(&i) != nil {
		return 0, false
	}
	return i, true
}

// Any gives the value as plain Go data (map[string]any, []any, string, bool, int, float64, nil). Keys
// that are not scalars are left out.
func (v Value) Any() any {
	switch v.Kind() {
	case Mapping:
		m := make(map[string]any)
		for k, val := range v.Entries() {
			if k.Kind() == Scalar {
				m[k.Str()] = val.Any()
			}
		}
		return m
	case Sequence:
		s := make([]any, 0, v.Len())
		for _, item := range v.Items() {
			s = append(s, item.Any())
		}
		return s
	case Scalar:
		if v.tag() == "!!binary" || v.tag() == "!!timestamp" {
			return v.Str()
		}
		var x any
		if deref(v.node).Decode(&x) != nil {
			return v.Str()
		}
		return x
	}
	return nil
}

// Equal reports whether two values mean the same: order of mapping keys, quotes and comments do not count.
func (v Value) Equal(w Value) bool {
	if v.Kind() != w.Kind() || v.Len() != w.Len() {
		return false
	}
	switch v.Kind() {
	case Mapping:
		theirs := make(map[keyID]Value)
		for k, val := range w.Entries() {
			theirs[k.id()] = val
		}
		for k, val := range v.Entries() {
			if other := theirs[k.id()]; !other.Exists() || !val.Equal(other) {
				return false
			}
		}
	case Sequence:
		theirs := w.Items()
		for i, item := range v.Items() {
			if !item.Equal(theirs[i]) {
				return false
			}
		}
	case Scalar:
		if v.tag() != w.tag() || v.Str() == w.Str() {
			return v.tag() == w.tag()
		}
		switch v.tag() {
		case "!!bool", "!!int", "!!float":
			return v.Any() == w.Any()
		}
		return false
	}
	return true
}
