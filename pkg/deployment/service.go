package deployment

import (
	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// Service is one container of the deployment, or several that are the same.
type Service struct {
	Name    string
	Self    Leaf // the service as a whole
	Image   component.Ref
	ImageAt Leaf
	Program component.Program
	Build   Leaf // that its image is built here
	// BuildUnread says why the image that it is built on is not known; then Image is what the built one is called.
	BuildUnread string

	Entrypoint, Cmd List
	WorkingDir      Leaf

	// Variables are those of its environment, the one that counts first; see Env.
	Variables []Variable
	// EnvAt is where a variable would be added.
	EnvAt Leaf
	// EnvUnread says why there may be variables that are not among them; "" when there are none.
	EnvUnread string

	Mounts []Mount
	// Baked is what its image, which is built here, has of the files here, in the order in which they are put there. A mount hides it.
	Baked   []Mount
	Volumes List
	Tmpfs   List
	// Handed are the secrets that it is handed, Unhanded those that nothing defines.
	Handed   List
	Unhanded []Leaf
	// Reads are the paths below the deployment that are mounted read-only, and its secrets and configs.
	Reads []string

	Networks    []string // keys of Deployment.Networks
	Attachments []Attachment
	NetworksAt  Leaf
	NetworkMode Leaf
	Links       []Link
	MoreNames   bool   // it knows others by names that stand nowhere else: extra_hosts, external_links
	Ports       []Port // those that have a fixed number on the host
	PortsAt     Leaf
	// Spans are those that the host has, those for itself alone among them; SpansKnown says that these are all.
	Spans      []PortSpan
	SpansKnown bool
	// Exposed are ports of the container that are said to be there, and not for the host.
	Exposed     []int
	PortsHidden bool // there may be others, which stand behind variables that are set elsewhere

	Hostname, ContainerName Leaf
	// Unnamed says that others do not find it by its own name, but by those alone that it is given besides.
	Unnamed bool
	// Namespace is where a bare name means something, "" where there is but one such place.
	Namespace string
	// Paired says that containers of others are in its network, and it reaches them by localhost.
	Paired bool

	Labels   []traefik.Label
	LabelsAt Leaf
	// Deployed are labels for Traefik that the container does not have, but the service of a Swarm; nil where there are none.
	Deployed *Labels
	// LabelLine gives a label as a line of the service, in the style that its labels are written in.
	LabelLine func(key, value string) string
	// LabelEdit gives the edits that make a label that; nil where none is certain.
	LabelEdit func(key, value string) []source.Edit

	Probe     Probe
	DependsOn []Wait
	Restart   Leaf
	// Once says that it does its work and ends.
	Once     bool
	Profiles []Leaf
	// Absent says why the service does not run.
	Absent Absent
	// Copies is how many containers are started of it, CopiesAt what says so.
	Copies   int
	CopiesAt Leaf

	// Overlaps is what has a new container of it start before the old one has ended, where anything has.
	Overlaps Leaf

	// MemoryAt and CPUsAt are what it may use at most, ShmAt the size of its /dev/shm, GraceAt how long it is given to end.
	MemoryAt, CPUsAt, ShmAt, GraceAt Leaf

	UserAt, ReadOnly, Privileged Leaf
	CapDrop, CapAdd              List

	d          *Deployment
	ConfigPath string   // in the container; "" for what has none
	linked     []string // the names that links of other services give it
	ownFile    string   // where an image of another name has its configuration, as far as its mounts say so
	// ConfigPaths are all files that the program reads its configuration from, in its container; Layered says that they
	// have been laid over each other.
	ConfigPaths []string
	Layered     bool
	partly      bool   // one of them cannot be seen
	adding      string // what may read others besides, where that is why
	// Assembled are the configurations that another container of the pod puts together before the program starts, by their paths.
	Assembled map[string]Assembly
	// Unread says why the configuration of a program that is known was not read; "" where it was, or was not looked for.
	Unread string
}

// Site is the place of the service.
func (s *Service) Site(note string) source.Site { return s.Self.Site(note) }

// Component is what is known of the program of the service.
func (s *Service) Component() *component.Component { return component.Of(s.Program) }

// Deployment is the one that the service is of.
func (s *Service) Deployment() *Deployment { return s.d }

// Charted reports whether the chart of Deployment.Chart makes the service.
func (s *Service) Charted() bool {
	return s.d != nil && s.d.Chart.Exists() && s.Site("").Pos.File == s.d.Chart.File().Path
}

// Assembly is a configuration made of several files, in the container of a service that finds them where whoever makes it does: they are laid
// over each other as MAS does. Value gives what stands for ${NAME} in them; ok is false where that cannot be seen.
type Assembly struct {
	Files []string
	Value func(name string) (text string, ok bool)
}

// Variable is one of the environment. Hidden says why its value cannot be seen; "" when it can.
type Variable struct {
	Name, Text, Hidden string
	At                 Leaf
	FromFile           bool // At is the entry that names the file
}

// Mount is what a container finds at a path: a directory or file of the machine, a volume, a tmpfs, a secret. Host is
// the slash-separated path below the deployment, Reason why there is none (a named volume, an absolute path, an
// external secret). Source is what is mounted, as the deployment calls it.
type Mount struct {
	Host, Container, Reason, Source string
	At                              Leaf
	SourceAt                        Leaf // what says where it lies
	ReadOnly                        bool
	Fleeting                        bool // what is written there is gone with the container
	Shown                           Leaf // what lets others than its owner read the file, of one that a cluster makes; not set where nothing does
	External                        bool // a volume that Compose does not make: another than its own of that name
}

// Attachment is what a service says of one of its networks.
type Attachment struct {
	Network   string
	Aliases   []Leaf
	AliasesAt Leaf
	Addresses []Leaf // that it has there, whatever happens
}

// Link is a name that a service gives another one for itself.
type Link struct{ Service, Alias string }

// Probe is what a service says of the check of its health.
type Probe struct {
	At   Leaf
	Test List
	Off  bool // it is switched off
	// Outside says that nothing is run for it in the container: who starts that asks itself.
	Outside bool
}

// Wait is what a service waits for before it starts.
type Wait struct {
	Service, Condition string
	At, ConditionAt    Leaf
	Optional           bool // it starts without the other, too
}

// Port is a port of the host that a service takes, or a range of them.
type Port struct {
	IP          string // empty for all addresses
	First, Last int
	Inner       int // the first of those of the container that they lead to; 0 where it cannot be told
	Protocol    string
	At          Leaf
}

// Network is one that services of the deployment are in.
type Network struct {
	Key      string
	At       Leaf
	NameAt   Leaf
	External Leaf // that it is made elsewhere
	Internal Leaf // that no way leads out of it
	Driver   string
	Name     string
	Known    bool // Name does not stand behind a variable that is set elsewhere
	Ranges   Leaf // where its addresses are said
	Subnets  []string
}
