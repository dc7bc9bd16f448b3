package source

import "strings"

// Flow gives the value on one line in flow style, with every string quoted, as YAML 1.1 and 1.2 readers
// agree on it.
func (v Value) Flow() string {
	var parts []string
	switch v.Kind() {
	case Mapping:
		for k, val := range v.Entries() {
			parts = append(parts, Quote(k.Str())+": "+val.Flow())
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case Sequence:
		for _, item := range v.Items() {
			parts = append(parts, item.Flow())
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case Scalar:
		if v.IsString() {
			return Quote(v.Str())
		}
		return v.Str()
	default:
		return "null"
	}
}
