// Package deployment is what the finished files of a stack say, read the way Compose, Traefik, Synapse, MAS and the
// bridges read them: images, mounts and commands lead from each service to its configuration.
package deployment

import (
	"io/fs"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// Deployment is what the files of a directory say, found from its compose file on: images, mounts and
// commands lead to the other files.
type Deployment struct {
	FS       fs.FS
	Compose  *source.File
	Services []*Service

	Synapses []*Synapse
	MASs     []*MAS
	Bridges  []*Bridge
	// DoublePuppets are the registrations that claim every user without excluding anyone.
	DoublePuppets []*Registration
	// Accepted is a ComposeVerdict from before Run: where it is the present one, compose-go is not asked again.
	Accepted string
	// Before is what the stack has to keep, as Values gives it. Where it is nil, the manifest in FS says so.
	Before map[string]string

	Managed     bool // the compose file is stackgen's, whatever Compose reads
	Alone       bool // what is missing may lie where FS will be put
	routes      *route.Table
	Proxy       *Proxy
	containers  map[*Service]*traefik.Container
	provisions  map[*Service]*provision
	Patterns    map[string]*Pattern
	connections []Connection
	held        []Secret
	backup      []*Backup
	Env         map[string]string
	Unread      []source.Site // where Compose takes more than the rules follow
	Files       map[string]*source.File
	Problems    []finding.Finding
	Broken      map[string]bool // files with a finding of their own, which is not repeated
}

// Bridge is a bridge service with its configuration and its own copy of the registration.
type Bridge struct {
	*Service
	Config  *source.File
	Own     *source.File // registration.yaml beside its configuration; nil when there is none
	Dialect component.Dialect
	// About is what is known of the bridge; empty where it was told by its configuration alone.
	About *component.Bridge

	Shape  source.Value // what Dialect was told by; the zero Value when only the image tells it
	Hidden string       // why Own may be there and cannot be seen
}

// Open reads a deployment. The findings are what kept it from being read at all: then the deployment has no
// compose file and Run finds nothing more.
func Open(fsys fs.FS) (*Deployment, []finding.Finding) { return open(fsys, false) }

// OpenAlone is Open for files whose directory is not known: what is missing may lie there already, and is not checked.
func OpenAlone(fsys fs.FS) (*Deployment, []finding.Finding) { return open(fsys, true) }

func open(fsys fs.FS, alone bool) (*Deployment, []finding.Finding) {
	d := &Deployment{FS: fsys, Alone: alone, Files: make(map[string]*source.File), Env: make(map[string]string), Broken: make(map[string]bool), provisions: make(map[*Service]*provision), containers: make(map[*Service]*traefik.Container), Patterns: make(map[string]*Pattern)}
	d.readEnv()
	names, fault := d.composeFiles()
	if fault != nil {
		return d, []finding.Finding{*fault}
	}
	f, findings := d.Read(names[0])
	if len(findings) > 0 {
		return d, findings
	}
	d.Compose = f
	for _, name := range d.present(names[1:]) {
		d.Unread = append(d.Unread, source.Site{Pos: source.Pos{File: name}})
	}
	if v := f.At("include"); v.Set() {
		d.Unread = append(d.Unread, source.Site{Pos: v.KeyPos()})
	}
	for key, val := range d.Compose.At("services").Entries() {
		d.Services = append(d.Services, newService(d, key.Str(), val))
		for _, key := range []string{"extends", "label_file", "volumes_from"} {
			if v := val.At(key); v.Set() {
				d.Unread = append(d.Unread, source.Site{Pos: v.KeyPos()})
			}
		}
	}
	for _, s := range d.Services {
		for _, link := range Listed(s.Value.At("links")) {
			to, alias, _ := strings.Cut(link.Str(), ":")
			if target := d.Service(to); target != nil && alias != "" {
				target.linked = append(target.linked, alias)
			}
		}
	}
	for _, s := range d.Services {
		d.recognise(s)
	}
	for _, s := range d.Synapses {
		d.settleServer(s)
	}
	return d, nil
}
