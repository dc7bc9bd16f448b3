package source

import (
	"fmt"
	"strings"
	"testing"
)

// What PyYAML 6.0.3, serde_yaml 0.9.34 and yaml.v3 3.0.1 made of these, each asked itself.
func TestReadAs(t *testing.T) {
	const number, truth, nothing, date = "a number", "true or false", "nothing", "a date"
	tests := []struct {
		texts               string
		pyyaml, serde, goes string
	}{
		{"123 0 -1 +1 1.5 .inf .nan 0x1f 0b11 1.e+3 1.2e+3 .5", number, number, number},
		{"1e3 1E5 1e+3 1.2e3 0o17", "", number, number},
		{"0123 017 00 1_000 1__0", number, "", number},
		{"08 089", "", "", number},
		{"12:30:45 1:20", number, "", ""},
		{"true TRUE false", truth, truth, truth},
		{"yes no on off Yes ON", truth, "", ""},
		{"~ null Null", nothing, nothing, nothing},
		{"2001-01-01 2001-01-01T00:00:00Z", date, "", date},
		{"=", "a sign that YAML keeps for itself", "", ""},
		{"y n + _1 0x 12e 1.0.0 text 0xfg '1' \"yes\"", "", "", ""},
	}
	for _, tt := range tests {
		for text := range strings.FieldsSeq(tt.texts) {
			f, problem := Parse("x.yaml", []byte("a: "+text+"\n"))
			if problem != nil {
				t.Fatal(problem)
			}
			v := f.At("a")
			got := fmt.Sprint([]string{v.ReadAs(PyYAML), v.ReadAs(SerdeYAML), v.ReadAs(GoYAML)})
			if want := fmt.Sprint([]string{tt.pyyaml, tt.serde, tt.goes}); got != want {
				t.Errorf("%s reads as %s, want %s", text, got, want)
			}
		}
	}
	f, _ := Parse("x.yaml", []byte("a: !!str 1\nb: !!int 1\nc: [1]\nd:\n"))
	for key, want := range map[string]string{"a": "", "b": "a number", "c": "", "d": "nothing", "none": ""} {
		for _, r := range []Reader{PyYAML, SerdeYAML, GoYAML} {
			if got := f.At(key).ReadAs(r); got != want {
				t.Errorf("%s reads as %q, want %q", key, got, want)
			}
		}
	}
}
