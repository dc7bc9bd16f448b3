// Package traefik fills the table of package route from container labels and the files of the file provider: it
// decodes them, parses the rules and applies the path middlewares the way Traefik 2 and 3 do.
//
// What they do not show is taken for granted: that the named certificate resolvers exist, that containers are
// healthy, that Traefik reaches them. The entrypoint's own path cleaning
// (sanitizePath) is not applied.
package traefik

import (
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// Label is one container label. Value is what Docker sees, so with `$$` already turned into `$`.
type Label struct {
	Key, Value string
	// Gapped is KEY=VALUE of a label with variables that are set elsewhere, each as \x00NAME\x00; "" when there is none.
	Gapped string
	Site   source.Site
}

// Container is one container that Traefik may look at. Name and Project are Compose's service and project,
// Networks the real Docker names of its networks.
type Container struct {
	Name, Project string
	Networks      []string
	Labels        []Label
	Site          source.Site

	sites map[string]source.Site // of the labels; see sitesOf
}

// Options is what must be known of Traefik's static configuration. Major is 2 or 3 (0 means 3). DefaultNetwork
// is providers.docker.network, or providers.swarm.network.
type Options struct {
	Major            int
	ExposedByDefault bool
	DefaultNetwork   string
	// DefaultRule is providers.docker.defaultRule, the template that makes the rule of a router without one; "" is Traefik's own.
	DefaultRule string
	// Swarm says that the labels are those of services of a Swarm, which Traefik's provider for that reads (pkg/provider/docker/pswarm.go).
	Swarm bool
	// Shared says that Traefik may read the labels of other stacks on the host, too: what is not defined here may
	// be defined there, unless Slip says that the name is one of those that are, mistyped.
	Shared bool
	Slip   func(name string, defined []string) bool
	// Files are what the file provider reads, in its order. FilesSeen says that these are all of them.
	Files     []File
	FilesSeen bool
	// Entries are the entrypoints; nil where they cannot be seen. Public leads from published ports to their names.
	Entries []EntryPoint
	Public  map[string]string
	// Own tells which containers people's requests are followed to. Where all their routers are known, a rule of another
	// container with a variable of its own is most likely for other hosts; nil where nothing is known of that.
	Own func(container string) bool
	// Upstream tells which container, and which port of it, a URL of the file provider means.
	Upstream func(host, port string) (container, inner string)
}

// EntryPoint is one of Traefik's entrypoints with what its http section gives to every router on it.
type EntryPoint struct {
	route.Entry
	Middlewares []string
}

// The problem kinds, each with what Traefik does about it.
const (
	// BadLabel is an unknown key or a value of the wrong type: the whole container is skipped.
	BadLabel route.ProblemKind = "bad-label"
	// IgnoredLabel is a traefik.* label that Traefik does not read at all.
	IgnoredLabel route.ProblemKind = "ignored-label"
	// OldLabel is one that Traefik 1 read.
	OldLabel route.ProblemKind = "old-label"
	// BadName is a router whose name holds an @, behind which Traefik reads the name of a provider: the router is
	// dropped, for its service does not exist there.
	BadName route.ProblemKind = "bad-name"
	// NotEnabled is a container with routing labels that Traefik ignores for want of traefik.enable.
	NotEnabled route.ProblemKind = "not-enabled"
	// Disabled is a container with routing labels and traefik.enable=false.
	Disabled route.ProblemKind = "disabled"
	// BadRule is a rule that does not parse: the router is dropped.
	BadRule route.ProblemKind = "bad-rule"
	// NeverMatches is Traefik 2's {name:regexp} under Traefik 3: it parses and never matches.
	NeverMatches route.ProblemKind = "never-matches"
	// DefaultRule is a router without a rule: it gets Host(`<service>-<project>`).
	DefaultRule route.ProblemKind = "default-rule"
	// MissingService is a router without a service in a container with several: it is dropped.
	MissingService route.ProblemKind = "missing-service"
	// UndefinedService drops the router: its requests fall through to the next one.
	UndefinedService route.ProblemKind = "undefined-service"
	// UndefinedMiddleware drops the router: its requests fall through to the next one.
	UndefinedMiddleware route.ProblemKind = "undefined-middleware"
	// BadMiddleware is a middleware that cannot be built: the routers that use it are dropped.
	BadMiddleware route.ProblemKind = "bad-middleware"
	// NotChecked is a reference to what may be defined where nobody looked: by another provider (`name@file`), or by
	// a label of another stack of the same Traefik.
	NotChecked route.ProblemKind = "not-checked"
	// Gap is a rule with a variable that is set elsewhere: which requests it takes cannot be told.
	Gap route.ProblemKind = "gap"
	// Duplicate is a router, service or middleware that two containers define differently: all are deleted.
	Duplicate route.ProblemKind = "duplicate"
	// NoTLS is a router without tls: HTTPS does not reach it unless its entrypoint has http.tls.
	NoTLS route.ProblemKind = "no-tls"
	// MissingNetwork is a container with several networks and none named: Traefik takes a random one.
	MissingNetwork route.ProblemKind = "missing-network"
	// UnknownNetwork is a named network that the container is not in: Traefik takes a random one.
	UnknownNetwork route.ProblemKind = "unknown-network"
	// BadFile is a file of the file provider that does not decode: Traefik takes nothing of its directory.
	BadFile route.ProblemKind = "bad-file"
	// NoPort is a service without a usable port label.
	NoPort route.ProblemKind = "no-port"
)
