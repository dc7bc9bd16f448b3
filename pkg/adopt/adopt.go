// Package adopt takes over a stack that runs already: it reads a deployment through the model that check uses, and
// makes the spec and the secrets that say the same. It writes nothing, and changes nothing of what it reads.
package adopt

import (
	"io/fs"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// Options say where the spec will be, as far as what is rendered depends on it.
type Options struct {
	// SpecName is the name of its file.
	SpecName string
	// Dir is the absolute path of the directory that the deployment lies in.
	Dir string
	// Sources are the absolute paths that a backup keeps besides Dir, unless the spec says so.
	Sources []string
	// KeepAuth leaves logins to Synapse, where there is no MAS.
	KeepAuth bool
}

// Draft is the spec of a deployment.
type Draft struct {
	Spec *spec.Spec
	// Text is what Spec was read from: stack.yaml, with comments where a person has to decide.
	Text []byte
	// Secrets are the values that the deployment has, by name.
	Secrets map[string]string
	// Files are those that compose.files names, by their paths relative to the spec.
	Files map[string][]byte
	// Notes are what has to be decided, in the order of the spec.
	Notes []Note
}

// Set is the secrets of the spec: those that the deployment has, and placeholders for the others. One that cannot be right is
// told when the secrets are kept.
func (d *Draft) Set() *secret.Set {
	set := secret.Placeholders(render.Needs(d.Spec))
	for name, value := range d.Secrets {
		_ = set.Set(name, value)
	}
	return set
}

// File reads one of Files by its path relative to the spec, for prove.Copies.
func (d *Draft) File(name string) ([]byte, error) {
	if data, ok := d.Files[name]; ok {
		return data, nil
	}
	return nil, fs.ErrNotExist
}

// Note is what a person has to know about a field of the spec, and decide. It shows no secret.
type Note struct {
	// Field leads to it in the spec.
	Field []string
	// Text is a clause or two: what the deployment has, and what the spec makes of it.
	Text string
	// Site is where the deployment has it.
	Site source.Site
	// Aside: it is only told, in a comment. Nothing has to be decided.
	Aside bool
}

// Read makes the draft of a deployment. The findings say why there can be none, each with its place: then it is nil.
func Read(d *deployment.Deployment, o Options) (*Draft, []finding.Finding) {
	if refused := refusals(d); len(refused) > 0 {
		return nil, refused
	}
	r := newReader(d, o)
	for _, read := range readers {
		read(r)
	}
	return r.draft()
}

// readers read one part each, in the order of the spec.
var readers = []func(*reader){
	(*reader).names,
	(*reader).auth,
	(*reader).upstreams,
	(*reader).synapse,
	(*reader).workers,
	(*reader).email,
	(*reader).ingress,
	(*reader).database,
	(*reader).element,
	(*reader).calls,
	(*reader).turn,
	(*reader).admin,
	(*reader).bridges,
	(*reader).containers,
	(*reader).registrations,
	(*reader).permissions,
	(*reader).backup,
	(*reader).doublePuppet,
	(*reader).unseen,
}

// reader is a draft in the making.
type reader struct {
	d   *deployment.Deployment
	o   Options
	syn *deployment.Synapse
	mas *deployment.MAS // nil where there is none

	spec    spec.Spec
	served  map[string]bool         // sections that the spec has, whatever stands in them
	extra   map[string]*source.Node // what is laid onto a file, by the dotted path of its section
	secrets map[string]string
	files   map[string][]byte // copied as they are, by their paths relative to the spec
	notes   []Note
	said    map[*deployment.Service]*deployment.Registration // services of somebody else's that the spec says wholly, with what Synapse has of them
	sets    map[string]*secret.Set
	mask    *finding.Mask
	asked   map[string]map[string]string // of each bridge, what its permissions are in the words of the spec
}

func newReader(d *deployment.Deployment, o Options) *reader {
	r := &reader{d: d, o: o, syn: d.Synapses[0], extra: make(map[string]*source.Node), secrets: make(map[string]string), files: make(map[string][]byte), sets: make(map[string]*secret.Set), asked: make(map[string]map[string]string), said: make(map[*deployment.Service]*deployment.Registration), served: make(map[string]bool)}
	if len(d.MASs) > 0 {
		r.mas = d.MASs[0]
	}
	return r
}

// note adds what has to be decided about a field.
func (r *reader) note(site source.Site, text string, field ...string) {
	r.notes = append(r.notes, Note{Field: field, Text: text, Site: site})
}

// aside tells something of a field that nobody has to decide.
func (r *reader) aside(site source.Site, text string, field ...string) {
	r.notes = append(r.notes, Note{Field: field, Text: text, Site: site, Aside: true})
}
