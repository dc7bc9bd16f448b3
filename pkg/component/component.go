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
	// User is the uid:gid that its process runs as in its own image, AlpineUser that in one on Alpine.
	User, AlpineUser string
	// Port is the one that it listens on unless told otherwise, HealthPort that of its health alone.
	Port, HealthPort int
	// Services are the containers that it runs in.
	Services []Service
	// Affects says who notices when its container is away.
	Affects string
	// Secrets are those that nobody but it has, or that it has first.
	Secrets []Secret
	// Bridge is what it is as a bridge; nil for what is none.
	Bridge *Bridge
}

// Service is a container of a program.
type Service struct {
	Name string
	Sandbox
}

// Of is what is known of the program; what is not known is empty.
func Of(p Program) *Component {
	for _, c := range All {
		if c.Program == p {
			return c
		}
	}
	return &Component{}
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

// OfService is the program that runs in the rendered service of that name.
func OfService(name string) *Component {
	for _, c := range All {
		for _, s := range c.Services {
			if s.Name == name {
				return c
			}
		}
	}
	return &Component{}
}

// UserOf is the uid:gid that the process runs as in an image of the program.
func (c *Component) UserOf(r Ref) string {
	if c.AlpineUser != "" && strings.Contains(r.Tag, "alpine") {
		return c.AlpineUser
	}
	return c.User
}

// Sandbox is what the container of a rendered service needs beyond a read-only file system without capabilities.
func (c *Component) Sandbox(service string) Sandbox {
	for _, s := range c.Services {
		if s.Name == service {
			return s.Sandbox
		}
	}
	return Sandbox{}
}
