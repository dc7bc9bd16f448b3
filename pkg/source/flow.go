package source

import "strings"

// Flow gives the value on one line in flow style, with every string quoted, as YAML 1.1 and 1.2 readers
// agree on it.
func (v Value) Flow() string {
	return v.flow(func(v Value, key bool) string {
		if key || v.IsString() {
			return Quote(v.Str())
		}
		return v.Str()
	})
}

// Shown gives the value on one line for a person to read: strings without quotes where nothing is unclear,
// and Masked for whatever could be a secret.
func (v Value) Shown() string {
	return v.flow(func(v Value, _ bool) string {
		switch text := v.Str(); {
		case v.Secret():
			return Masked
		case v.IsString() && (text == "" || text != strings.TrimSpace(text) || strings.ContainsAny(text, "\n\"")):
			return Quote(text)
		default:
			return text
		}
	})
}

func (v Value) flow(scalar func(v Value, key bool) string) string {
	var parts []string
	switch v.Kind() {
	case Mapping:
		for k, val := range v.Entries() {
			parts = append(parts, scalar(k, true)+": "+val.flow(scalar))
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case Sequence:
		for _, item := range v.Items() {
			parts = append(parts, item.flow(scalar))
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case Scalar:
		return scalar(v, false)
	default:
		return "null"
	}
}
