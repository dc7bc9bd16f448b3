package spec

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Container is a service whose program stackgen knows nothing of. In command, entrypoint, environment and files it may
// name values of the stack in braces: see Words.
type Container struct {
	// Image without the tag.
	Image string `yaml:"image" jsonschema:"required" example:"docker.io/hif1/heisenbridge"`
	// Version is the image's tag, and may have a digest behind it.
	Version string `yaml:"version" jsonschema:"required" example:"\"1.15.4\""`
	// Command takes the place of the image's own.
	Command []string `yaml:"command,omitempty" example:"-c"`
	// Entrypoint takes the place of the image's own.
	Entrypoint []string `yaml:"entrypoint,omitempty"`
	// User is the uid:gid that it runs as. Default: owner, or 65532:65532, whom no host knows.
	User string `yaml:"user,omitempty" jsonschema:"pattern=^[0-9]+:[0-9]+$" form:"a uid and a gid in quotes, such as \"1000:1000\""`
	// Port that it listens on.
	Port int `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// Environment of its process: each value on one line.
	Environment map[string]Text `yaml:"environment,omitempty"`
	// Files by their path in the container: a file beside the spec, whose words in braces are filled in; or one such word,
	// of which the file is made, such as {registration}.
	Files map[string]string `yaml:"files,omitempty"`
	// Volumes that it writes to, by their path in the container. Default of a place: ./data/<name>.
	Volumes map[string]Data `yaml:"volumes,omitempty"`
	// Networks of Docker that it is in besides the stack's own. They exist already.
	Networks []Network `yaml:"networks,omitempty"`
	// Writable: it may write to its own root file system.
	Writable bool `yaml:"writable,omitempty"`
	// Healthcheck is a command that ends with 0 while it is well, such as [CMD, wget, -q, --spider, "http://127.0.0.1:8080/health"].
	Healthcheck []string `yaml:"healthcheck,omitempty"`
	// Routes lead requests from outside to it.
	Routes []Route `yaml:"routes,omitempty"`
	// Database gives it a database in the stack's PostgreSQL, and a role of its own.
	Database bool `yaml:"database,omitempty"`
	// Redis gives it a Valkey that nobody else can reach.
	Redis bool `yaml:"redis,omitempty"`
	// Secrets of its own by name: token and rsa are made, given is what somebody gave you.
	Secrets map[string]SecretOrigin `yaml:"secrets,omitempty"`
	// Limits of what its container may use. Default: all there is.
	Limits Limits `yaml:"limits,omitempty"`
}

// Text is a text that may be written as a number or a truth, too.
type Text string

// SecretOrigin says how a secret of a container comes about.
type SecretOrigin string

// secretKinds are the words for it.
var secretKinds = map[SecretOrigin]component.Kind{"token": component.Token, "rsa": component.RSAPEM, "given": component.External}

// Kind is the kind of the secret.
func (o SecretOrigin) Kind() component.Kind { return secretKinds[o] }

// Route leads requests for a host, or for what lies below a path of it, to a container.
type Route struct {
	// Host that is asked. Default: hosts.matrix.
	Host string `yaml:"host,omitempty"`
	// Path below which requests go to the container. Default: all of the host.
	Path string `yaml:"path,omitempty" jsonschema:"pattern=^/([A-Za-z0-9._~-]+/?)*$" form:"a path, such as /webhook"`
	// Port that it is asked on. Default: port.
	Port int `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
	// Strip takes the path off what the container is asked for.
	Strip bool `yaml:"strip,omitempty"`
}

// Appservice is an appservice that is none of the bridges: its registration, and the container that runs it.
type Appservice struct {
	Container `yaml:",inline"`
	// ID of the appservice. Default: its name in the spec.
	ID string `yaml:"id,omitempty" jsonschema:"pattern=^[^|\\x00-\\x20\\x7f-\\x9f]+$" form:"a word without a bar, such as heisenbridge"`
	// Bot is the localpart of its own user, sender_localpart. Default: its name in the spec.
	Bot string `yaml:"bot,omitempty" jsonschema:"pattern=^[a-z0-9._~/-]+$" form:"a localpart of lower-case letters, digits and any of . _ ~ / -, such as heisenbridge"`
	// Users, aliases and rooms that it claims: an expression such as @irc_.*, which is completed with the server's name, or
	// {regex, exclusive}.
	Users []Namespace `yaml:"users,omitempty" example:"\"@irc_.*\""`
	// Aliases that it claims.
	Aliases []Namespace `yaml:"aliases,omitempty" example:"\"#irc_.*\""`
	// Rooms that it claims by their ids.
	Rooms []Namespace `yaml:"rooms,omitempty" example:"\"!.*\""`
	// RateLimited has Synapse hold it back as a person.
	RateLimited bool `yaml:"rate_limited,omitempty"`
	// Ephemeral has Synapse send it what people type and read.
	Ephemeral bool `yaml:"ephemeral,omitempty"`
	// Encryption has Synapse send it what it needs to read encrypted rooms, and lets it make devices.
	Encryption bool `yaml:"encryption,omitempty"`
	// Registration is a file of your own beside the spec instead of a rendered one. Words in braces are filled in.
	Registration string `yaml:"registration,omitempty" example:"files/registration.yaml"`
	// Extra is laid onto the rendered registration: mappings are merged, +key appends to a list, -key removes, everything
	// else is replaced.
	Extra Extra `yaml:"extra,omitempty"`
}

// Namespace is what an appservice claims. In a spec it may be one text, the expression.
type Namespace struct {
	// Regex of whole ids: without a colon in it, :<server_name> is added.
	Regex string `yaml:"regex" jsonschema:"required" example:"\"@irc_.*\""`
	// Exclusive: nobody else may have them. Default: true.
	Exclusive *bool `yaml:"exclusive,omitempty"`
}

// DefaultUser is the uid:gid of a container that no user is given for: that of distroless images, which no host has.
const DefaultUser = "65532:65532"

// Named is a container of a spec with its name and where it stands.
type Named struct {
	Container
	Name    string
	Section []string
	// Appservice is what it is besides; nil for a plain service.
	Appservice *Appservice
}

// Containers are those whose programs are not known here: appservices, then services, each by name.
func (s *Spec) Containers() []Named {
	var all []Named
	for _, name := range slices.Sorted(maps.Keys(s.Appservices)) {
		a := s.Appservices[name]
		all = append(all, Named{Container: a.Container, Name: name, Section: []string{"appservices", name}, Appservice: &a})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Services)) {
		all = append(all, Named{Container: s.Services[name], Name: name, Section: []string{"services", name}})
	}
	return all
}

// Ref is its image.
func (c Container) Ref() component.Ref {
	tag, digest, _ := strings.Cut(c.Version, "@")
	return component.Ref{Repository: c.Image, Tag: tag, Digest: digest}
}

// UserIn is the uid:gid that it runs as in a stack of that owner.
func (c Container) UserIn(owner string) string { return cmp.Or(c.User, owner, DefaultUser) }

// Secret is the full name of one of its secrets.
func (n Named) Secret(name string) string { return strings.Join(n.Section, ".") + "." + name }

// Place is where it has a volume: a path is clean, and one below the output directory has neither a slash nor dots in front.
func (n Named) Place(at string) Data {
	d := n.Volumes[at]
	if d.Path == "" && d.Volume == "" {
		d.Path = "data/" + n.Name
	}
	return d.clean()
}

// RedisName is what its Valkey is called.
func (n Named) RedisName() string { return n.Name + "-redis" }

// Full is the expression as a registration has it. It has no ^ in front: Synapse holds an id against it from its beginning
// (appservice/__init__.py, Namespace), and heisenbridge reads its ghosts off one that begins with an @.
func (n Namespace) Full(serverName string) string {
	if strings.Contains(n.Regex, ":") {
		return n.Regex
	}
	return n.Regex + ":" + strings.ReplaceAll(serverName, ".", `\.`) + "$"
}

// Sole reports whether nobody else may have what is claimed.
func (n Namespace) Sole() bool { return n.Exclusive == nil || *n.Exclusive }

// copied yields the files of the container that lie beside the spec: the path in the output directory, and what names it.
func (n Named) copied(at source.Value, yield func(string, source.Value) bool) bool {
	for key, v := range at.At("files").Entries() {
		if sole(v.Str()) == "" && !yield(n.FilePath(key.Str()), v) {
			return false
		}
	}
	if a := n.Appservice; a != nil && a.Registration != "" {
		if !yield("config/matrix/"+n.Name+".yaml", at.At("registration")) {
			return false
		}
		return n.RegistrationPath() == "" || yield(n.RegistrationFile(), at.At("registration"))
	}
	return true
}

// FilePath is where the rendered tree has a file of the container.
func (n Named) FilePath(inside string) string { return "config/" + n.Name + inside }
