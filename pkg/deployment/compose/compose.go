// Package compose reads what Docker Compose reads: the compose files, .env, and the files that they name. It is the
// only place that knows how they are written.
package compose

import (
	"cmp"
	"encoding/json"
	"io/fs"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose/project"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Names are the file names that Compose looks for, in its order.
var Names = project.Names

// Options are what Compose is told besides the directory.
type Options = project.Options

// Project is what Compose reads of a deployment, for those who need to know what only Compose does.
type Project struct {
	*project.Project

	options Options
	fsys    fs.FS
	inline  map[string]string // the name of each config and secret whose text is known without a file, as a file
	unread  []source.Site

	inImages    []source.Hidden // the secrets that Dockerfiles put into images
	dockerfiles []*source.File
}

// Of is the project that a deployment was read from; nil where it is none of Compose's or could not be read.
func Of(d *deployment.Deployment) *Project {
	p, _ := d.ReadFrom.(*Project)
	return p
}

// Open reads a deployment. The findings are what Compose stops at while it reads its files, and what kept the deployment
// from being read at all: then it has no services, and no rule finds anything. What one of known has parsed is not parsed
// again where the bytes are the same.
func Open(fsys fs.FS, known ...*deployment.Deployment) (*deployment.Deployment, []finding.Finding) {
	return OpenWith(fsys, Options{}, known...)
}

// OpenAlone is Open for files whose directory is not known: what is missing may lie there already, and is not checked.
func OpenAlone(fsys fs.FS, known ...*deployment.Deployment) (*deployment.Deployment, []finding.Finding) {
	return OpenWith(fsys, Options{Alone: true}, known...)
}

// OpenWith is Open for what a command line of Compose names.
func OpenWith(fsys fs.FS, o Options, known ...*deployment.Deployment) (*deployment.Deployment, []finding.Finding) {
	o.Parsed = func(name string, src []byte) *source.File {
		for _, k := range known {
			if f := k.Parsed(name, src); f != nil {
				return f
			}
		}
		return nil
	}
	called, env := project.Called(fsys)
	o.EnvFile = env
	p := &Project{Project: called, options: o, fsys: fsys}
	_, named := p.Env["COMPOSE_PROJECT_NAME"]
	d := deployment.New(fsys, o.Alone, known...)
	d.Env, d.Secrecy, d.Lines = p.environmentFiles(), p.secrecy, lines
	d.Chosen = p.choose()
	if !d.Chosen.Managed && !o.Alone {
		d.Scripts = deployment.NewScripts(fsys)
		o.Written = d.Scripts.Write
		d.FS = &kept{FS: fsys, ignored: o.Ignored, written: o.Written, known: make(map[string]bool)}
	}
	names, fault := p.files(d)
	if fault != nil {
		return d, []finding.Finding{*fault}
	}
	o.Files = names
	p.options = o
	p.Project = project.Load(fsys, o)
	by, elsewhere := p.byEnvFile(d.Scripts)
	d.Env = p.environmentFiles()
	d.Env.By, d.Env.Elsewhere = by, elsewhere
	for _, f := range p.Files {
		d.Add(f.Path, f)
	}
	findings := p.faults(d.Chosen.Named)
	if p.File == nil {
		return d, findings
	}
	f := p.File
	d.ReadFrom, d.File, d.ServicesAt = p, f.Path, p.leaf(f.At("services"))
	d.Project, d.ProjectAt, d.Interpolations = p.Name, p.leaf(f.At("name")), p.interpolations
	d.NameGiven = named || d.ProjectAt.Set()
	d.Inputs = p.inputs
	d.Notices = func(before *deployment.Deployment, service string) []deployment.Notice {
		return p.notices(d, before, service)
	}
	for _, u := range p.Unread {
		site := u.Sites[0]
		site.Note = u.Message
		p.unread = append(p.unread, site)
	}
	p.contents(d)
	for key, v := range f.At("services").Entries() {
		d.Services = append(d.Services, p.service(key.Str(), v))
		if v := v.At("volumes_from"); v.Set() {
			p.unread = append(p.unread, v.Site("what is mounted by it"))
		}
	}
	for _, f := range p.dockerfiles {
		d.Add(f.Path, f)
	}
	d.Unread = p.unread
	d.Lacks = slices.ContainsFunc(p.Faults, func(f project.Problem) bool { return f.Rule == "compose-reads-exist" })
	d.Networks = p.networks(d.Services)
	if k, ok := d.FS.(*kept); ok {
		k.ask(p.named(d), o.IgnoredOf)
	}
	d.Assumed = p.assumed()
	d.Load()
	return d, d.Unless(findings)
}

// faults are what Compose stops at while it reads its files, as findings.
func (p *Project) faults(named bool) []finding.Finding {
	var all []finding.Finding
	for _, f := range p.Faults {
		if named && f.Rule == "compose-reads-exist" && f.Sites[0].Line == 0 {
			continue // a rule says that COMPOSE_FILE names it
		}
		all = append(all, finding.Finding{Rule: f.Rule, Severity: finding.Error, Message: f.Message, Fix: f.Fix, Sites: f.Sites})
	}
	if p.File == nil && len(p.Faults) == 0 {
		for _, u := range p.Unread {
			all = append(all, finding.Finding{
				Rule: "compose-valid", Severity: finding.Error, Message: u.Message + "; there is nothing else to check", Fix: cmp.Or(u.Fix, "name the directory that it lies in"), Sites: u.Sites,
			})
		}
	}
	return all
}

// expand gives the text of a value as Compose hands it on. ok is false when a variable in it is set nowhere here.
func (p *Project) expand(v source.Value) (text string, ok bool) { return v.Str(), len(v.Unset()) == 0 }

// Content is all that Compose reads as one compose file: the file itself where there is one, and otherwise what is made
// of several. Then its variables are filled in; assume is what those hold that are set nowhere.
func (p *Project) Content(assume string) (src []byte, filled bool) {
	if !p.Merged {
		return p.File.Src, false
	}
	merged := p.Project
	if assume != "" {
		o := p.options
		o.Assume = assume
		if again := project.Load(p.fsys, o); again.File != nil {
			merged = again
		}
	}
	invalid := make(map[source.Pos]bool)
	for _, v := range merged.Variables {
		if v.Invalid {
			invalid[v.At.Pos()] = true
		}
	}
	src, err := json.Marshal(escaped(merged.File.Root(), invalid))
	if err != nil {
		return nil, true // as of a number that JSON has not
	}
	return src, true
}

// escaped is a value with each $ doubled, for there is nothing left to be filled in; what Compose cannot read stays.
func escaped(v source.Value, invalid map[source.Pos]bool) any {
	switch v.Kind() {
	case source.Mapping:
		m := make(map[string]any)
		for k, val := range v.Entries() {
			m[k.Str()] = escaped(val, invalid)
		}
		return m
	case source.Sequence:
		list := make([]any, 0, v.Len())
		for _, item := range v.Items() {
			list = append(list, escaped(item, invalid))
		}
		return list
	default:
		text, ok := v.Any().(string)
		if !ok {
			return v.Any()
		}
		if invalid[v.Pos()] {
			return text
		}
		return strings.ReplaceAll(text, "$", "$$")
	}
}
