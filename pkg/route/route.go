// Package route answers which backend a reverse proxy sends a request to, by one ordered table of routers,
// whoever fills it: the matcher, the way through middlewares, ties. Readers of one proxy's files stand below it.
package route

import (
	"cmp"
	"net/url"
	"slices"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Table is what a proxy routes by. Routers come in the order in which it tries them, dropped ones included.
// A Table does not change after New.
type Table struct {
	Routers     []*Router
	Middlewares []*Middleware
	Services    []*Service
	Problems    []Problem

	seen    func(escaped string) (string, error)
	entries Entries
	hasTLS  bool
	run     func(Ask) End
	behind  map[string]*Table
	alike   func(a, b string) bool
}

// Parts is what a reader of a proxy's files found. Problems are in the order in which they are told.
type Parts struct {
	Routers     []*Router
	Middlewares []*Middleware
	Services    []*Service
	Problems    []Problem
	// Seen gives the path that rules see for the escaped path of a request; an error when the proxy refuses it.
	Seen func(escaped string) (string, error)
	// Entries are the ways in; the zero value where they cannot be seen.
	Entries Entries
	// Run decides, where a proxy does not try the routers by their priorities but runs through its configuration.
	Run func(Ask) End
}

// New puts the routers into the order of their priorities, highest first, and reports those of which it cannot
// be told, or only by the length of their rules, which one comes first.
func New(p Parts) *Table {
	t := &Table{Routers: p.Routers, Middlewares: p.Middlewares, Services: p.Services, Problems: p.Problems, seen: p.Seen, entries: p.Entries, run: p.Run}
	t.hasTLS = slices.ContainsFunc(t.Routers, func(r *Router) bool { return r.TLS && r.Dropped == "" }) ||
		slices.ContainsFunc(p.Entries.All, func(e Entry) bool { return e.TLS })
	slices.SortStableFunc(t.Routers, func(a, b *Router) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Container, b.Container))
	})
	if t.run == nil {
		t.comparePriorities()
	}
	return t
}

// Plain reports whether every way in is seen, and none has TLS.
func (t *Table) Plain() bool {
	return len(t.entries.All) > 0 && (!t.hasTLS || t.run != nil && !slices.ContainsFunc(t.entries.All, func(e Entry) bool { return e.TLS }))
}

// Router sends the requests that its rule matches to a service. Priority is the effective one (higher is tried
// first), Explicit says that somebody wrote it. Site is where the rule stands, PrioritySite where the priority
// does or would. Dropped says why the proxy drops the router, "" when it is live.
type Router struct {
	Name, Rule                        string
	Priority                          int
	Explicit                          bool
	EntryPoints                       []string
	Middlewares                       []string
	Service                           string
	TLS                               bool
	CertResolver                      string
	Container                         string
	ContainerSite, Site, PrioritySite source.Site
	Dropped                           string

	// Expr is the parsed rule, nil when it does not parse; Steps are what the middlewares do, in order.
	Expr  *Expr
	Steps []Step
	// To is the service, nil where it is not defined in what was read.
	To *Service
	// Target is the same for two routers that do the same with a request; "" where a reader does not tell.
	Target string
	// PlainHTTP says that the router only sends plain HTTP to HTTPS.
	PlainHTTP bool
	// Unchecked says why what becomes of a request cannot be told wholly.
	Unchecked string
	// Assumed says that the rule is the proxy's default for a router that somebody named without writing one.
	Assumed bool
	// Matchers are what the matchers of a Caddyfile that Rule has the names of ask for, such as "path_regexp ^/x/".
	Matchers []string
	// Default says that the rule is the proxy's own, for a name that nobody asks for.
	Default bool
	// Passes is what the proxy hands on by it; nil where that is told of a request alone, or not at all.
	Passes *Passes
}

// Hosts are the names that the rule asks for, in its order.
func (r *Router) Hosts() []string {
	var hosts []string
	r.Expr.Walk(func(m *Matcher) {
		if m.Kind == Host && !m.Open {
			hosts = append(hosts, m.Named...)
		}
	})
	return hosts
}

// Middleware changes a request on its way. Type is its lower-case type name, such as "stripprefix".
type Middleware struct {
	Name, Type, Container string
	Site                  source.Site
	Dropped               string
	// Allows are the addresses, as networks, that an allow-list lets through by where the connection comes from; nil where
	// that cannot be told.
	Allows []string
	// Answers are the headers that it sets in every answer: name and value.
	Answers [][2]string
}

// Stranger is the first network of an allow-list that lets strangers in; "" where none does.
func (m *Middleware) Stranger() string {
	for _, text := range m.Allows {
		if p, ok := component.Network(text); ok && component.Open(p) {
			return text
		}
	}
	return ""
}

// Service is one or several servers. Containers that define it alike share it, one Backend each.
type Service struct {
	Name     string
	Backends []Backend
	Dropped  string
}

// Backend is one server of a service. Port is "" when it is not written down. Site is where the port is
// written, or the container when it is not. Address is HOST:PORT or HOST as it is written at Site; "" where a label of the
// container itself says the port. Container then is the service that it means, or HOST where none is known.
type Backend struct {
	Service, Container, Port, Scheme, Address string
	Site                                      source.Site
}

// Step is what one middleware does to a request.
type Step func(*Flow)

// Flow is a request on its way through the middlewares of a router. Host is as the client sent it. A step that
// answers in the backend's place sets Redirect (a URL) or Refused (an error); Unknown says what cannot be told.
type Flow struct {
	Host string
	URL  *url.URL

	Redirect, Refused, Unknown string
}

func (f *Flow) done() bool { return f.Redirect != "" || f.Refused != "" }

// ProblemKind is the kind of a Problem, in a form fit for tests and messages.
type ProblemKind string

// The problem kinds of every proxy. Those of one proxy stand with its reader.
const (
	// Tie is two routers of one priority that can match the same request: the winner is random.
	Tie ProblemKind = "tie"
	// NoPriority is a router whose place before or behind another that can match the same request is left to
	// the length of the rules.
	NoPriority ProblemKind = "no-priority"
	// TooMany says that not all pairs of routers were compared: there are too many, or their rules are too long.
	TooMany ProblemKind = "too-many"
)

// Problem is one thing in the files that does not do what it seems to. Message shows nothing but names and the
// text that routes. Ref is the service or middleware that a reference names.
type Problem struct {
	Kind              ProblemKind
	Message           string
	Sites             []source.Site
	Container, Router string
	Ref               string
	Meant             string // the key that an unknown one was most likely to be; "" where there is none
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
	// Unknown says why the answer cannot be told, or not wholly, from the files and the request.
	Unknown string
	// Among lists the backends of different containers that share the requests, Backend among them, where Unknown says that
	// alone, or nothing because they are alike; nil where there is one.
	Among []Backend
	// Entry is the way by which the request comes in, "" where that cannot be seen: Note says so for a port that is
	// not the usual one, and any way is taken. Closed says why no request comes in.
	Entry, Note, Closed string
	// Answer is the text with which the proxy itself answers, File the file of the deployment that holds it, "" where none does.
	// Unread says why a file with which it answers is not read. Guards are the middlewares that let only some through,
	// as far as the way led by them.
	Answer, File, Unread string
	Guards               []*Middleware
	// Through are the routers of the proxies before the one that decided, where there are several.
	Through []*Router
	// Passes is what the proxy hands on; nil where that is not told.
	Passes *Passes
	// Sends are the headers that the proxy itself adds to the answer, beside those of the backend that it hands on; nil where
	// that is not told.
	Sends *[]Header
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
	// Elsewhere says that it is for other hosts.
	Elsewhere bool
}
