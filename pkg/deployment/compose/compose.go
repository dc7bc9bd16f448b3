// Package compose reads what Docker Compose reads: the compose file, .env, and the files that they name. It is the
// only place that knows how they are written.
package compose

import (
	"io/fs"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Names are the file names that Compose looks for, in its order; compose-go v2, cli/options.go.
var Names = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}

// overrideNames are the names that Compose looks for next, to lay the first over what it found.
var overrideNames = []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}

// Project is what Compose reads of a deployment, for those who need to know what only Compose does.
type Project struct {
	File *source.File
	// Env are the variables of .env, from which Compose fills ${X}.
	Env map[string]string

	fsys fs.FS
}

// Of is the project that a deployment was read from; nil where it is none of Compose's or could not be read.
func Of(d *deployment.Deployment) *Project {
	p, _ := d.ReadFrom.(*Project)
	return p
}

// Open reads a deployment. The findings are what kept it from being read at all: then it has no services, and no rule
// finds anything. What one of known has parsed is not parsed again where the bytes are the same.
func Open(fsys fs.FS, known ...*deployment.Deployment) (*deployment.Deployment, []finding.Finding) {
	return open(fsys, false, known)
}

// OpenAlone is Open for files whose directory is not known: what is missing may lie there already, and is not checked.
func OpenAlone(fsys fs.FS, known ...*deployment.Deployment) (*deployment.Deployment, []finding.Finding) {
	return open(fsys, true, known)
}

func open(fsys fs.FS, alone bool, known []*deployment.Deployment) (*deployment.Deployment, []finding.Finding) {
	p := &Project{fsys: fsys}
	d := deployment.New(fsys, alone, known...)
	d.Env = p.environmentFile()
	p.Env, d.Secrecy = d.Env.Values, p.secrecy
	d.Chosen = p.choose()
	names, fault := p.files(d)
	if fault != nil {
		return d, []finding.Finding{*fault}
	}
	f, findings := d.Read(names[0])
	if len(findings) > 0 {
		return d, findings
	}
	p.File = f
	d.ReadFrom, d.File, d.ServicesAt = p, f.Path, p.leaf(f.At("services"))
	d.Project, d.ProjectAt, d.Interpolations = p.name(), p.leaf(f.At("name")), p.interpolations
	d.Inputs = p.inputs
	for _, name := range p.present(names[1:]) {
		d.Unread = append(d.Unread, source.Site{Pos: source.Pos{File: name}})
	}
	unread := func(v source.Value) {
		if v.Set() {
			d.Unread = append(d.Unread, source.Site{Pos: v.KeyPos()})
		}
	}
	unread(f.At("include"))
	for key, v := range f.At("services").Entries() {
		d.Services = append(d.Services, p.service(key.Str(), v))
		for _, key := range []string{"extends", "label_file", "volumes_from"} {
			unread(v.At(key))
		}
	}
	d.Networks = p.networks(d.Services)
	d.Load()
	return d, nil
}

// name is that of the project; empty where only the name of the directory gives it.
func (p *Project) name() string {
	if name, ok := p.expand(p.File.At("name")); ok && name != "" {
		return name
	}
	return p.Env["COMPOSE_PROJECT_NAME"]
}
