package source

import (
	"regexp"

	"philipp.info/stackgen/pkg/regex"
)

// Reader is a YAML library. They disagree about what a scalar without quotes is.
type Reader int

// The readers of the programs of a stack.
const (
	PyYAML    Reader = iota // Synapse: YAML 1.1
	SerdeYAML               // MAS: YAML 1.2
	GoYAML                  // Compose and the Go bridges: YAML 1.2 with a few forms of 1.1; ruamel.yaml of the Python bridge reads alike
)

// plainForms are those of a scalar without quotes that is no text, for the readers whose answer differs from
// yaml.v3's: yaml/resolver.py of PyYAML 6, and de.rs of serde_yaml 0.9.
var plainForms = map[Reader][]struct {
	is   string
	form func() *regexp.Regexp
}{
	PyYAML: {
		{"nothing", regex.Of(`^(?:~|null|Null|NULL|)$`)},
		{"true or false", regex.Of(`^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$`)},
		{"a number", regex.Of(`^[-+]?(?:0b[01_]+|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|[1-9][0-9_]*(?::[0-5]?[0-9])+)$`)},
		{"a number", regex.Of(`^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)},
		{"a date", regex.Of(`^[0-9]{4}-(?:[0-9]{2}-[0-9]{2}|[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?)$`)},
		{"a sign that YAML keeps for itself", regex.Of(`^=$`)},
	},
	SerdeYAML: {
		{"nothing", regex.Of(`^(?:~|null|Null|NULL|)$`)},
		{"true or false", regex.Of(`^(?:true|True|TRUE|false|False|FALSE)$`)},
		{"a number", regex.Of(`^[-+]?(?:0|[1-9][0-9]*|0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+)$`)},
		{"a number", regex.Of(`^(?:[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$`)},
	},
}

// ReadAs says in a few words what a reader takes a scalar for; "" when it is a text to it.
func (v Value) ReadAs(r Reader) string {
	if v.Kind() == Absent || !v.Plain() || v.tagged() && deref(v.node).Tag == "!!str" {
		return ""
	}
	forms, ok := plainForms[r]
	if !ok || v.tagged() {
		return map[string]string{
			"!!null": "nothing", "!!bool": "true or false", "!!int": "a number", "!!float": "a number", "!!timestamp": "a date",
		}[v.tag()]
	}
	for _, f := range forms {
		if f.form().MatchString(deref(v.node).Value) {
			return f.is
		}
	}
	return ""
}
