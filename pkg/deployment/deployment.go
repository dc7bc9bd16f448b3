// Package deployment is what the finished files of a stack say, read the way Compose, Traefik, Synapse, MAS and the
// bridges read them: images, mounts and commands lead from each service to its configuration.
package deployment

import (
	"io/fs"
	"path"
	"slices"
	"sync"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// Deployment is what the files of a directory say. It is complete when it is handed out, and does not change.
type Deployment struct {
	FS fs.FS
	// File is the one that the services stand in; "" where it could not be read, and then there is no service.
	File       string
	Project    string // the name of the whole; empty where it is that of a directory which is not known
	NameGiven  bool   // Project is written down, and not the name of the directory: on the host that may be another
	ProjectAt  Leaf   // where File says it
	Services   []*Service
	ServicesAt Leaf
	Networks   []Network

	Synapses []*Synapse
	Workers  []*Worker
	MASs     []*MAS
	Bridges  []*Bridge
	Elements []*Element
	LiveKits []*LiveKit
	Tokens   []*TokenService
	Admins   []*Admin
	// Appservices are the others that registrations lead to.
	Appservices []*Appservice
	others      []*Appservice // those of them whose programs are known, and such programs to which no registration leads
	// DoublePuppets are the registrations that claim every user without excluding anyone.
	DoublePuppets []*Registration
	// Before is what the stack has to keep, as Values gives it. Where it is nil, the manifest in FS says so.
	Before map[string]string
	// Accepted is the verdict of a judge from before: where it is the present one, it is not asked again.
	Accepted string

	Alone  bool        // what is missing may lie where FS will be put
	Chosen Chosen      // the files that were to be read
	Env    Environment // what is set for all of it
	// Assumed are the values that a file which is not here may make others.
	Assumed Assumed
	Unread  []source.Site // where the deployment takes more than is followed here
	// Lacks says that a part of it is not there, which is a finding of its own: what the rest does not have may stand in that.
	Lacks bool

	// Target is what it runs on, Lines how a setting is written for that.
	Target Target
	Lines  Lines
	// Doors are names under which services are found, beside those of their own.
	Doors []*Door
	// Policies say who reaches whom in the one network of a cluster.
	Policies []*Policy
	// Routed is the proxy by which people reach the stack where the deployment itself says how it routes; nil else.
	Routed *Routed
	// Keyless are the keys that containers need of what is here and that it does not have.
	Keyless []Keyless
	// Chart is the values of a Helm chart that runs some of the services, which are read as what it makes of them; absent where there is none.
	Chart source.Value
	// Misfits are what manifests say of an object in two places that do not go together.
	Misfits []Misfit
	// Holders says where files stand that are parts of others, by their names.
	Holders map[string]Holder
	// Faults is what keeps a file that stands in another one from being parsed, by its name.
	Faults map[string][]finding.Finding
	// ReadFrom is what the deployment was read from, for who knows its kind.
	ReadFrom any
	// Swarm says that Traefik reads the labels of the services of a Swarm, and not those of containers.
	Swarm bool
	// Scripts are those beside the stack, which may write its files; nil where they are not looked at.
	Scripts *Scripts
	// Secrecy gives the secrets of what was read beside the files that can be parsed, and words that are none although they stand in the place of one.
	Secrecy func() (hidden []source.Hidden, open []string)
	// Inputs gives the files and directories that the program which starts the deployment reads itself.
	Inputs func() []Input
	// Notices gives what who starts the deployment sees of a service that was another one in before, and makes it anew for.
	Notices func(before *Deployment, service string) []Notice
	// Interpolations are the places where a dollar may not be what is meant.
	Interpolations func() []Interpolation

	passedOver  string // labels for Traefik that it does not read
	index       index
	known       []*Deployment
	front       func() *Front
	fronts      func() []*Front
	proxy       func() *Proxy
	containers  map[*Service]*traefik.Container
	provisions  map[*Service]func() *provision // by the service that is a PostgreSQL
	connections func() []Connection
	secrets     func() []Secret
	backups     []*Backup
	operated    []*Service

	masking sync.Mutex
	mask    *finding.Mask // of the first masked files
	masked  int

	// What was read, and how: nothing that is asked depends on what was asked before.
	mu       sync.Mutex
	files    map[string]*source.File
	broken   map[string]bool // files with a finding of their own, which is not repeated
	problems []finding.Finding
	lacking  []lacking // until tellLacking
	unseen   []unseen  // until tellUnseen
	patterns map[string]*Pattern
}

// Input is a file or directory that the program which starts a deployment reads itself.
type Input struct {
	Name, What string // What in words
	At         Leaf
	Pulled     bool   // where it is missing, an image can be pulled in its place
	Within     string // another Input, without which this one is not asked for
}

// Notice is a setting of a service that is another one than before: its key, for labels and variables the names of those
// that differ, for what the service only uses the name of that. Whole says that which of them differ is not told.
type Notice struct {
	Key   string
	Names []string
	Whole bool
}

// Chosen are the files that a deployment is read from.
type Chosen struct {
	// Files are read by the program that starts the deployment.
	Files []string
	Named bool // somebody named them, and did not leave it to their usual names
	// Rendered is the one that stackgen writes.
	Rendered string
	// Managed says that there is one of stackgen's, which then is the deployment, whatever else is read.
	Managed bool
}

// Environment are the variables that are set for all of a deployment, in files beside its own.
type Environment struct {
	// Files are those that are there, the one that counts first at the front.
	Files  []EnvironmentFile
	Values map[string]string
	// Pos is the line that sets a variable; without a line when none does.
	Pos func(name string) source.Pos
	// By is the script that names the files to Compose, in the place of .env; "" where none does. Elsewhere are the files that set a variable
	// which is set nowhere else, where it is not clear which of those that scripts name is meant.
	By        string
	Elsewhere map[string][]string
	// Taken are the values in the deployment's own file that take a variable from it.
	Taken func() []Leaf
}

// EnvironmentFile is one of them.
type EnvironmentFile struct {
	Path string
	Text []byte
	Err  error // why it cannot be read here
	Odd  bool  // it is no file at all, and nobody else can read it either
	// Unparsed is the first line that cannot be taken; 0 when all can.
	Unparsed func() int
}

// Interpolation is a dollar in the deployment's own file.
type Interpolation struct {
	At    Leaf
	Kind  InterpolationKind
	Names []string // of the variables that are set nowhere here, as far as they are no part of a secret
}

// InterpolationKind is what becomes of it.
type InterpolationKind int

// The kinds.
const (
	Unset      InterpolationKind = iota // it is that of a variable, which is set nowhere here
	Eaten                               // it most likely is none of a variable, and is lost with what follows
	Unreadable                          // it can be no variable, and the file is refused
	Marked                              // it is none, but a mark of a template, for which something else puts a value
)

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

// New is a deployment without services. Who reads its own file puts them in and calls Load. alone says that what is
// missing may lie where the files will be put. What one of known has parsed is not parsed again where the bytes are the same.
func New(fsys fs.FS, alone bool, known ...*Deployment) *Deployment {
	d := &Deployment{
		FS: fsys, Alone: alone, known: known, files: make(map[string]*source.File), broken: make(map[string]bool),
		provisions: make(map[*Service]func() *provision), containers: make(map[*Service]*traefik.Container), patterns: make(map[string]*Pattern),
	}
	d.index = d.newIndex()
	d.Secrecy = func() ([]source.Hidden, []string) { return nil, nil }
	d.Notices = func(*Deployment, string) []Notice { return nil }
	d.proxy, d.fronts, d.front = sync.OnceValue(d.traefik), sync.OnceValue(d.readFronts), sync.OnceValue(d.readFront)
	d.connections, d.secrets = sync.OnceValue(d.readClients), sync.OnceValue(d.collect)
	return d
}

// Load follows the services to the configurations of their programs.
func (d *Deployment) Load() {
	for _, s := range d.Services {
		s.d = d
		for _, link := range s.Links {
			if target := d.Service(link.Service); target != nil && link.Alias != "" {
				target.linked = append(target.linked, link.Alias)
			}
		}
	}
	d.recogniseOwn()
	for _, s := range d.Services {
		d.recognise(s)
	}
	d.recogniseShapes()
	d.tellLacking()
	d.tellUnseen()
	for _, s := range d.Synapses {
		d.settleServer(s)
	}
	d.settleWorkers()
	d.readAppservices()
	d.settleSwarm()
	for _, s := range d.Services {
		d.containers[s] = d.container(s)
		if s.Program == component.Postgres {
			d.provisions[s] = sync.OnceValue(func() *provision { return d.provision(s) })
		}
	}
	d.readBackups()
	d.readBeside()
	// Each of these reads files. One that panics does so once more for the rule that asks for it, and for no other.
	for _, read := range []func(){func() { d.Routes() }, func() { d.Secrets() }} {
		func() {
			defer func() { _ = recover() }()
			read()
		}()
	}
}

// readBeside follows the paths that only single rules look behind.
func (d *Deployment) readBeside() {
	for _, s := range d.Synapses {
		if v := s.Config.At("log_config"); v.Set() {
			d.Follow(s.Service, s.Inside(v.Str()))
		}
	}
	for _, s := range d.Services {
		if s.Program == component.MAS && slices.Contains(s.Command(), "syn2mas") {
			for _, name := range append(s.Flags("--synapse-config"), s.ConfigFile()) {
				d.Follow(s, path.Join("/", name))
			}
		}
	}
}

// Network is the one with that key; the zero Network when there is none.
func (d *Deployment) Network(key string) Network {
	if n, ok := d.index.networks()[key]; ok {
		return n
	}
	return Network{Key: key}
}
