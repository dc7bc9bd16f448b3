// Package component knows the programs of a stack, each in one file: images and versions, what a release can do,
// secrets, names and ports, and what its container needs. It knows neither the spec nor Compose.
package component

import (
	"iter"
	"strings"
)

// Program is a program that stackgen configures, by the name used in specs and messages.
type Program string

// Unknown is any other program.
const Unknown Program = ""

// Component is what is known of one program.
type Component struct {
	// Program is its name: what a spec calls a bridge, and the service that runs it.
	Program Program
	// Title is its name in texts for people.
	Title string
	// Images are the ends of the names of its images, wherever they lie.
	Images []string
	// ImageWord is in the names of its images, whoever builds them.
	ImageWord string
	// TagPrefix begins the tags of its images where they lie beside those of another program.
	TagPrefix string
	// Tag is the form of the tags that its own image has. A mirror or a build of somebody's own may have others.
	Tag TagForm
	// Versions says which tags name a release.
	Versions Scheme
	// Tested is the image that it was tested with: what is rendered where a spec asks for no other.
	Tested Ref
	// Oldest is the first version whose configuration is rendered, and OldestWhy the reason.
	Oldest    Version
	OldestWhy string
	*Container
	// Port is the one that it listens on unless told otherwise, HealthPort that of its health alone.
	Port, HealthPort int
	// Keys names what it reads of its configuration: keys/NAME.yaml.
	Keys string
	// Held are the secrets in its configuration.
	Held []Held
	// Once are the words of a command by which its image does one thing and ends, unless Serve is there, too.
	Once  []string
	Serve string
	// Entry is how its image starts it; nil where that is not known, and BridgeEntry for a bridge.
	Entry *Entry
	// OtherEntries are those of images of others.
	OtherEntries []Entry
	// Shape are keys that its configuration has and together that of no other program, the one it always has first; Runs is what a command line says that starts
	// it in an image of another name.
	Shape []string
	Runs  string
	// WorkerEnv is the variable by which its image runs a worker instead.
	WorkerEnv string
	// Postgres are the oldest PostgreSQL of its own versions, the newest first.
	Postgres []PostgresSince
	// Pool bounds its connections to its database; that of a bridge is its dialect's.
	Pool Pool
	// Jobs are the rendered services of its image besides the one that has its name.
	Jobs []Job
	// Secrets are those that nobody but it has, or that it has first.
	Secrets []Secret
	// Bridge is what it is as a bridge; nil for what is none.
	Bridge *Bridge
}

// Container is how a program runs in its own image.
type Container struct {
	// User is the uid:gid of its process, AlpineUser that in an image on Alpine.
	User, AlpineUser string
	// Rendered is the uid:gid that it is rendered with, where that is another than User.
	Rendered string
	// Config is where it looks for its configuration.
	Config Config
	// ReadsAsUser: it reads its files as User. Other start scripts hand them to User, or read them as root, first.
	ReadsAsUser bool
	// Start is how the image comes to run it as User.
	Start Start
	// ImageHealth is the health check in the image; HealthPaths are those that it answers with 200 to whoever asks,
	// and below those that end in a slash it may do so, too.
	ImageHealth, HealthPaths []string
	// Sandbox is what it needs where it is rendered.
	Sandbox Sandbox
	// Database: it keeps its data in a database of its own.
	Database bool
	// Affects says who notices when it is away.
	Affects string
}

// Config says how a program is told where its configuration is: a flag counts most, then the variable Env, then the
// directory that EnvDir names, with the name of File.
type Config struct {
	File        string // in its container
	Flags       []string
	Env, EnvDir string
	// Several: Env may name more files, with colons between them.
	Several bool
}

// Start is how a start script changes the user.
type Start int

// The ways to start.
const (
	AsItself       Start = iota // the image runs as its own user, or as whoever it is told
	FromEntrypoint              // begins as root, whatever the command is
	FromCommand                 // begins as root, unless a command takes the script's place
)

// PostgresSince is the oldest PostgreSQL of a version and those after it.
type PostgresSince struct {
	From  Version
	Major int
}

// Held is where a configuration has a secret: inline, or in a file whose path stands beside it. "*" in Below is any
// key or item.
type Held struct {
	Below, Inline, File string
	Origin              Origin
}

// Origin says what can be told of a secret by looking at it.
type Origin int

// The origins.
const (
	Chosen Origin = iota // whoever keeps the stack chose it
	Formed               // it has a form that another rule knows, or may not be chosen anew
	Given                // a third party gave it out
)

// Job is a service that runs the program's image for something else.
type Job struct {
	Name    string
	Sandbox Sandbox
	// Migration: it is only there as long as users move from Synapse to MAS.
	Migration bool
}

// none is what is known of any other program.
var none = Component{Container: &Container{}}

// Of is what is known of the program; what is not known is empty.
func Of(p Program) *Component {
	for _, c := range All {
		if c.Program == p {
			return c
		}
	}
	return &none
}

// Bridges yields the bridges, in the order of all output.
func Bridges() iter.Seq[*Component] {
	return func(yield func(*Component) bool) {
		for _, c := range All {
			if c.Bridge != nil && !yield(c) {
				return
			}
		}
	}
}

// OfService is the program of a rendered service, and what its container needs.
func OfService(name string) (*Component, Sandbox) {
	for _, c := range All {
		if string(c.Program) == name {
			return c, c.Container.Sandbox
		}
		for _, job := range c.Jobs {
			if job.Name == name {
				return c, job.Sandbox
			}
		}
	}
	return &none, Sandbox{}
}

// UserOf is the uid:gid that the process runs as in an image of the program.
func (c *Component) UserOf(r Ref) string {
	if c.AlpineUser != "" && strings.Contains(r.Tag, "alpine") {
		return c.AlpineUser
	}
	return c.User
}
