package manifests

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/route"
)

// Gateway is one of the Gateway API, which is there already.
type Gateway struct{ Name, Namespace string }

// Ingress is the class of the Ingress, and the ClusterIssuer of cert-manager that makes its certificates; either may be empty.
type Ingress struct{ Class, Issuer string }

// way is one way in which a router takes requests: as both kinds of routes of Kubernetes can say it.
type way struct {
	host, method, path string
	exact              bool // of the path alone, and not of all below it
}

// routed are the ways of a router, and what becomes of the requests.
type routed struct {
	*route.Router
	ways    []way
	answers [][2]string
	service string // its name and port
	port    string
}

// clientVersions are those of the client API that MAS's old paths are asked with. An expression takes any word in their place, and a prefix
// takes one: a client that knows another one does not log in at MAS by these paths.
var clientVersions = []string{"r0", "v1", "v3", "unstable"}

// routed reads the table of routes. What cannot be said by prefixes is an error: everybody would get where only some are let, or nobody.
func (m *maker) routed() (all []routed, err error) {
	table := m.d.Routes()
	for _, r := range table.Routers {
		if r.Dropped != "" || r.PlainHTTP || r.Default || r.To == nil || len(r.To.Backends) == 0 {
			continue
		}
		b := r.To.Backends[0]
		s := m.d.Service(b.Container)
		if s == nil || m.kept(s) {
			continue
		}
		one := routed{Router: r, port: b.Port, service: m.host(s)}
		for _, name := range r.Middlewares {
			i := slices.IndexFunc(table.Middlewares, func(w *route.Middleware) bool { return w.Name == name })
			if i < 0 {
				continue
			}
			if w := table.Middlewares[i]; w.Allows != nil {
				return nil, fmt.Errorf("the route %s lets %s in alone, and neither an HTTPRoute nor an Ingress tells where a request comes from", r.Name, strings.Join(w.Allows, ", "))
			} else {
				one.answers = append(one.answers, w.Answers...)
			}
		}
		ways, ok := waysOf(r.Expr)
		if !ok {
			return nil, fmt.Errorf("the route %s asks for more than hosts, paths and methods: %s", r.Name, r.Rule)
		}
		for _, w := range ways {
			if w.path == "" {
				w.path = "/"
			}
			one.ways = append(one.ways, w)
		}
		all = append(all, one)
	}
	return all, nil
}

// host is the name of the Service of a service.
func (m *maker) host(s *deployment.Service) string {
	if names := m.names(s); len(names) > 0 {
		return names[0]
	}
	return label(s.Name)
}

// waysOf takes a rule apart: whatever fulfils one of the ways fulfils it. ok is false where that cannot be said.
func waysOf(e *route.Expr) (ways []way, ok bool) {
	switch {
	case e == nil || e.Not:
		return nil, false
	case e.Op == 0:
		return waysOfOne(e.Matcher)
	}
	left, ok := waysOf(e.Left)
	right, ok2 := waysOf(e.Right)
	if !ok || !ok2 {
		return nil, false
	}
	if e.Op == '|' {
		return append(left, right...), true
	}
	for _, a := range left {
		for _, b := range right {
			if a.host != "" && b.host != "" && a.host != b.host || a.path != "" && b.path != "" || a.method != "" && b.method != "" {
				return nil, false
			}
			ways = append(ways, way{host: cmp.Or(a.host, b.host), method: cmp.Or(a.method, b.method), path: a.path + b.path, exact: a.exact || b.exact})
		}
	}
	return ways, true
}

func waysOfOne(m *route.Matcher) (ways []way, ok bool) {
	switch {
	case m.Kind == route.Host && m.Finite:
		for _, name := range m.Named {
			ways = append(ways, way{host: strings.ToLower(name)})
		}
	case m.Kind == route.Method && m.Finite:
		for _, name := range m.Named {
			ways = append(ways, way{method: strings.ToUpper(name)})
		}
	case m.Kind == route.Path && m.Finite:
		for _, path := range m.Named {
			ways = append(ways, way{path: path, exact: true})
		}
	case m.Kind == route.Path && m.Whole:
		for _, path := range m.Prefixes {
			ways = append(ways, way{path: cmp.Or(strings.TrimRight(path, "/"), "/")})
		}
	case m.Kind == route.Path:
		for _, version := range clientVersions {
			for _, word := range []string{"login", "logout", "refresh"} {
				path := "/_matrix/client/" + version + "/" + word
				fits := func(path string) bool { return m.Eval(&route.Request{Path: path}) == route.Yes }
				if fits(path) && fits(path+"/") && fits(path+"/x") && !fits(path+"x") {
					ways = append(ways, way{path: path})
				}
			}
		}
	}
	return ways, len(ways) > 0
}

// done is what the steps of a router make of a request for a path.
func (r routed) done(host, path string) *route.Flow {
	f := &route.Flow{Host: host, URL: &url.URL{Path: path}}
	for _, step := range r.Steps {
		if step(f); f.Redirect != "" || f.Refused != "" {
			break
		}
	}
	return f
}

// replaced is what a prefix becomes on the way to the service.
func (r routed) replaced(w way) string {
	const rest = "/x/y"
	f := r.done(w.host, strings.TrimRight(w.path, "/")+rest)
	return cmp.Or(strings.TrimSuffix(f.URL.Path, rest), "/")
}
