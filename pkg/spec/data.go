package spec

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Data is where a program keeps what it writes: a path on the host, or a volume of Docker. In a spec it may be one text, a
// path.
type Data struct {
	// Path on the host: absolute, or relative to the output directory.
	Path string `yaml:"path,omitempty" jsonschema:"pattern=^[^~\\x00-\\x1f\\x7f-\\x9f:$*?\\[\\]\\\\][^\\x00-\\x1f\\x7f-\\x9f:$*?\\[\\]\\\\]*$" form:"a path without any of : $ * ? [ ] and a backslash, such as ./data/postgres"`
	// Volume of Docker: one of the stack's own, which Compose makes as <name>_<volume>, or with external another one.
	Volume string `yaml:"volume,omitempty" jsonschema:"pattern=^[a-zA-Z0-9][a-zA-Z0-9_.-]*$" form:"the name of a volume, such as postgres"`
	// External: the volume exists already, by exactly this name.
	External bool `yaml:"external,omitempty"`
}

// rendered are the first words of the paths of what stackgen writes itself.
var rendered = []string{"config", "secrets", "keycloak", "borgmatic.d", ".stackgen"}

// defaultData is where each program keeps its data unless the spec says so.
var defaultData = map[component.Program]string{component.Synapse: "data/matrix", component.Postgres: "data/postgres"}

// DataOf is where a program keeps its data, with its default: a path is clean, and one below the output directory has
// neither a slash nor dots in front.
func (s *Spec) DataOf(p component.Program) Data {
	data := map[component.Program]Data{component.Synapse: s.Synapse.Data, component.Postgres: s.Database.Data}[p]
	if data.Path == "" && data.Volume == "" {
		data.Path = defaultData[p]
	}
	return data.clean()
}

func (d Data) clean() Data {
	if d.Path != "" {
		d.Path = path.Clean(d.Path)
	}
	return d
}

func (s *Spec) checkData(d *decoder) {
	var first source.Value
	taken := Data{}
	for _, p := range []component.Program{component.Synapse, component.Postgres} {
		if _, on := s.Component(p); !on {
			continue
		}
		at, data := s.At(append(Section(p), "data")...), s.DataOf(p)
		checkPlace(d, at, data, defaultData[p])
		if data == taken {
			if !at.Exists() {
				at, first = first, at
			}
			d.fail(at, "Synapse and PostgreSQL have their data in the same place; PostgreSQL makes no cluster in a directory that holds other files", "data: ./"+strings.Join(at.Keys()[:1], "")+"-data", first.Site("the other"))
		}
		first, taken = at, data
	}
}

// checkPlace refuses a place that holds other things.
func checkPlace(d *decoder, at source.Value, data Data, usual string) {
	top, _, _ := strings.Cut(data.Path, "/")
	fix := at.Name() + ": ./" + usual
	switch {
	case at.Kind() == source.Mapping && at.Name() == "data" && at.At("path").Exists() == at.At("volume").Exists(), at.At("path").Exists() && at.At("volume").Exists():
		d.fail(at, at.Path()+" must be a path or a volume, one of the two", fix)
	case data.External && data.Volume == "":
		d.fail(at.At("external"), at.Path()+".external says that a volume exists already, and none is named", "remove the line")
	case data.Path == "." || data.Path == "/" || data.Path == "..":
		d.fail(at, at.Path()+" is a whole directory of other things; the container would write among them, and own them", fix)
	case slices.Contains(rendered, top):
		d.fail(at, at.Path()+" lies in "+top+", which is rendered: what the program writes would stand among the files of the stack", fix)
	}
}
