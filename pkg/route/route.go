// Package route answers which backend Traefik sends a request to, from container labels alone: it decodes
// the labels, parses the rules and applies the path middlewares the way Traefik 2 and 3 do.
//
// What the labels do not show is taken for granted: that the named entrypoints and certificate resolvers
// exist, that containers are healthy, that Traefik reaches them. The entrypoint's own path cleaning
// (sanitizePath) is not applied.
package route

import "philipp.info/stackgen/pkg/source"

// Label is one container label. Value is what Docker sees, so with `$$` already turned into `$`.
type Label struct {
	Key, Value string
	Site       source.Site
}

// Container is one container that Traefik may look at. Name and Project are Compose's service and project,
// Networks the real Docker names of its networks.
type Container struct {
	Name, Project string
	Networks      []string
	Labels        []Label
	Site          source.Site
}

// Options is what must be known of Traefik's static configuration. Major is 2 or 3 (0 means 3). DefaultNetwork
// is providers.docker.network. With an EntryPoint, Match sees only the routers on it; "" means any.
type Options struct {
	Major            int
	ExposedByDefault bool
	DefaultNetwork   string
	EntryPoint       string
}

// Table is what Traefik makes of the labels. Routers come in the order in which Traefik tries them, dropped
// ones included. A Table does not change after New.
type Table struct {
	Routers     []*Router
	Middlewares []*Middleware
	Services    []*Service
	Problems    []Problem

	opts        Options
	middlewares map[string]*Middleware
	services    map[string]*Service
	hasTLS      bool
}

// Router is one HTTP router. Priority is the effective one (len(Rule) unless Explicit), Service the name
// that Traefik links it to, Site its rule label. Dropped says why Traefik drops it, "" when it is live.
type Router struct {
	Name, Rule          string
	Priority            int
	Explicit            bool
	EntryPoints         []string
	Middlewares         []string
	Service             string
	TLS                 bool
	CertResolver        string
	Container           string
	ContainerSite, Site source.Site
	Dropped             string

	from      *Container
	conf      *routerLabels
	expr      *expr
	steps     []step
	plainHTTP bool
	unchecked string
}

// Middleware is one HTTP middleware. Type is its lower-case type name, such as "stripprefix".
type Middleware struct {
	Name, Type, Container string
	Site                  source.Site
	Dropped               string

	conf *middlewareLabels
	step step
	err  string
}

// Service is one HTTP service. Containers that define it alike share it, one Backend each.
type Service struct {
	Name     string
	Backends []Backend
	Dropped  string

	conf *serviceLabels
}

// Backend is one server of a service. Port is "" when the labels do not name one: Traefik then takes the
// lowest port the image exposes. Site is the port label, or the container when there is none.
type Backend struct {
	Service, Container, Port, Scheme string
	Site                             source.Site
}

// ProblemKind is the kind of a Problem, in a form fit for tests and messages.
type ProblemKind string

// The problem kinds, each with what Traefik does about it.
const (
	// BadLabel is an unknown key or a value of the wrong type: the whole container is skipped.
	BadLabel ProblemKind = "bad-label"
	// IgnoredLabel is a traefik.* label that Traefik does not read at all.
	IgnoredLabel ProblemKind = "ignored-label"
	// BadName is a router whose name holds an @, behind which Traefik reads the name of a provider: the router is
	// dropped, for its service does not exist there.
	BadName ProblemKind = "bad-name"
	// NotEnabled is a container with routing labels that Traefik ignores for want of traefik.enable.
	NotEnabled ProblemKind = "not-enabled"
	// Disabled is a container with routing labels and traefik.enable=false.
	Disabled ProblemKind = "disabled"
	// BadRule is a rule that does not parse: the router is dropped.
	BadRule ProblemKind = "bad-rule"
	// NeverMatches is Traefik 2's {name:regexp} under Traefik 3: it parses and never matches.
	NeverMatches ProblemKind = "never-matches"
	// DefaultRule is a router without a rule: it gets Host(`<service>-<project>`).
	DefaultRule ProblemKind = "default-rule"
	// MissingService is a router without a service in a container with several: it is dropped.
	MissingService ProblemKind = "missing-service"
	// UndefinedService drops the router: its requests fall through to the next one.
	UndefinedService ProblemKind = "undefined-service"
	// UndefinedMiddleware drops the router: its requests fall through to the next one.
	UndefinedMiddleware ProblemKind = "undefined-middleware"
	// BadMiddleware is a middleware that cannot be built: the routers that use it are dropped.
	BadMiddleware ProblemKind = "bad-middleware"
	// NotChecked is a reference to another provider (`name@file`), which the labels do not define.
	NotChecked ProblemKind = "not-checked"
	// Duplicate is a router, service or middleware that two containers define differently: all are deleted.
	Duplicate ProblemKind = "duplicate"
	// Tie is two routers of one priority that can match the same request: the winner is random.
	Tie ProblemKind = "tie"
	// NoPriority is a router whose place before or behind another that can match the same request is left to
	// the length of the rules.
	NoPriority ProblemKind = "no-priority"
	// NoTLS is a router without tls: HTTPS does not reach it unless its entrypoint has http.tls.
	NoTLS ProblemKind = "no-tls"
	// MissingNetwork is a container with several networks and none named: Traefik takes a random one.
	MissingNetwork ProblemKind = "missing-network"
	// UnknownNetwork is a named network that the container is not in: Traefik takes a random one.
	UnknownNetwork ProblemKind = "unknown-network"
	// NoPort is a service without a usable port label.
	NoPort ProblemKind = "no-port"
)

// Problem is one thing in the labels that does not do what it seems to. Message shows nothing but names
// and the text of labels that route. Ref is the service or middleware that a reference names.
type Problem struct {
	Kind              ProblemKind
	Message           string
	Sites             []source.Site
	Container, Router string
	Ref               string
}

// Result is the answer of Match.
//
// Router is nil when no router takes the request, or when Unknown says that it cannot be told which one.
// Backend is the server that Router leads to, also when Redirect or Refused answers in its place. Path is
// the escaped path, without query, that the container is asked for.
type Result struct {
	Router  *Router
	Backend *Backend
	Path    string
	// Redirect is the URL that a redirect middleware answers with.
	Redirect string
	// Refused is the error that a middleware answers with.
	Refused string
	// Tie lists the routers, Router among them, of which a random one wins; nil when there is no choice.
	Tie []*Router
	// Behind lists the other routers that match the request and come later in the order of trial.
	Behind []*Router
	// Unknown says why the answer cannot be told, or not wholly, from the labels and the request.
	Unknown string
	// Asked is the host without port and the path without query, as rules see them.
	Asked struct{ Host, Path string }
	// Tried lists the routers in the order of trial, up to the one that decided.
	Tried []Attempt
}

// Attempt is one router that Match tried. Why is the part of the rule that failed or cannot be told, or
// why the router does not take part.
type Attempt struct {
	Router  *Router
	Matched bool
	Why     string
}
