package render

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Route is one line of the stack's table of routes: requests for one of Hosts whose path is one of Paths, begins with one
// of Prefixes or fits Regexp, or all of them where there is none of the three, go to Service.
type Route struct {
	Name     string
	Hosts    []string
	Paths    []string
	Prefixes []string // each ends in a slash
	Regexp   string
	// Templates are what Regexp says in the words of Traefik 2: paths, and beginnings of paths.
	Templates [2]string
	Service   string
	Port      int // on which the service listens
	// Strip is a path that the service is not asked for. Without a slash behind it, it is redirected to To, or nobody's.
	Strip, To string
	// WebSocket: its connections stay open, and both sides send when they like.
	WebSocket bool
	// Headers that the answer has: name and value.
	Headers [][2]string
	// Allow are the networks from which alone it is reached; nil for all.
	Allow []string

	priority   int
	entrypoint string // of Traefik, where it is another one
}

// Routes is the table of all that is reached from outside: of two that fit, the first one counts. /_synapse/mas is not in it,
// and stays inside; the admin APIs are in it with an allow-list, or not at all.
func (st *Stack) Routes() []Route {
	synapse := func(name, host string) Route {
		return Route{Name: name, Service: st.Front(), Port: st.frontPort(), priority: 100, Hosts: []string{host}}
	}
	matrix := synapse("matrix", st.MatrixHost)
	matrix.Prefixes = []string{"/_matrix/", "/_synapse/client/"}
	rest := []Route{matrix}
	if st.Admin != nil {
		admin := synapse("admin", st.MatrixHost)
		admin.Prefixes, admin.Allow, admin.priority = []string{"/_synapse/admin/"}, st.Admin.Allow, 150
		rest = []Route{admin, matrix}
	}
	if st.Apex {
		// Element X asks there first, and Synapse's own well-known file sends other servers there.
		apex := synapse("apex", st.ServerName)
		apex.Prefixes = []string{"/_matrix/"}
		rest = append(rest, apex)
	}
	if st.WellKnown {
		// The two discovery files; the rest of the host is its site's.
		wellKnown := synapse("well-known", st.ServerName)
		wellKnown.Paths = []string{"/.well-known/matrix/client", "/.well-known/matrix/server"}
		rest = append(rest, wellKnown)
	}
	if e := st.Element; e != nil {
		rest = append(rest, Route{
			Name: "element", Service: "element", Port: e.Port, priority: 100, Hosts: []string{e.Host},
			// No other site may show it in a frame, and what it serves is what it says: Element Web's own advice.
			Headers: [][2]string{
				{"X-Frame-Options", "SAMEORIGIN"},
				{"X-Content-Type-Options", "nosniff"},
				{"Content-Security-Policy", "frame-ancestors 'self'"},
				{"Referrer-Policy", "no-referrer"},
				{"X-Robots-Tag", "noindex"},
			},
		})
	}
	if a := st.Admin; a != nil {
		rest = append(rest, Route{
			Name: "ketesa", Service: "ketesa", Port: a.Port, priority: 100, Hosts: []string{a.Host}, Allow: a.Allow,
			Headers: [][2]string{
				{"X-Frame-Options", "SAMEORIGIN"},
				{"X-Content-Type-Options", "nosniff"},
				{"Referrer-Policy", "no-referrer"},
				{"X-Robots-Tag", "noindex"},
			},
		})
	}
	return slices.Concat(st.compatRoutes(), st.containerRoutes(), st.masRoutes(), rest, st.callRoutes())
}

// compatRoutes are those of the old client API that MAS answers; none where there is no MAS.
func (st *Stack) compatRoutes() []Route {
	if st.MAS == nil {
		return nil
	}
	compat := Route{
		// Login, logout and refresh of the old client API on every host that serves /_matrix, and nothing else: the
		// expression in MAS's documentation also takes account data and state events of these names away from Synapse.
		Name: "mas-compat", Service: "mas", Port: st.MAS.Port, priority: 300,
		Hosts: []string{st.MatrixHost}, Regexp: "^/_matrix/client/[^/]+/(login|logout|refresh)(/.*)?$",
		Templates: [2]string{"/_matrix/client/{v:[^/]+}/{w:login|logout|refresh}", "/_matrix/client/{v:[^/]+}/{w:login|logout|refresh}/"},
	}
	if st.Apex {
		compat.Hosts = append(compat.Hosts, st.ServerName)
	}
	return []Route{compat}
}

// masRoutes are those of MAS itself; none where there is no MAS.
func (st *Stack) masRoutes() []Route {
	if st.MAS == nil {
		return nil
	}
	// The bare path needs a match of its own, and a prefix without the slash would also match /authentication.
	mas := Route{Name: "mas", Service: "mas", Port: st.MAS.Port, priority: 200, Hosts: []string{st.MAS.Host}}
	if st.MAS.Path != "" {
		mas.Paths, mas.Prefixes = []string{st.MAS.Path}, []string{st.MAS.Path + "/"}
		mas.Strip, mas.To = st.MAS.Path, st.MAS.PublicBase
	}
	if st.Admin == nil {
		return []Route{mas}
	}
	admin := Route{
		Name: "mas-admin", Service: "mas", Port: st.MAS.Port, priority: 250, Hosts: []string{st.MAS.Host},
		Prefixes: []string{st.MAS.Path + "/api/admin/"}, Strip: st.MAS.Path, Allow: st.Admin.Allow,
	}
	return []Route{admin, mas}
}

// Site is one public host with what of it is the stack's. On a Shared one another site may stand beside it.
type Site struct {
	Host   string
	Shared bool
	Routes []Route
}

// Sites is the table of routes by host, for proxies that are configured so.
func (st *Stack) Sites() (sites []Site) {
	for _, r := range st.Routes() {
		for _, host := range r.Hosts {
			i := slices.IndexFunc(sites, func(s Site) bool { return s.Host == host })
			if i < 0 {
				i, sites = len(sites), append(sites, Site{Host: host, Shared: host == st.ServerName})
			}
			sites[i].Routes = append(sites[i].Routes, r)
		}
	}
	return sites
}

// Backend is the address at which the proxy finds the service of a route.
func (st *Stack) Backend(r Route) string {
	if port := st.Ingress.Ports[Endpoint{r.Service, r.Port}]; port != 0 {
		return fmt.Sprintf("127.0.0.1:%d", port)
	}
	return fmt.Sprintf("%s:%d", st.internal(r.Service), r.Port)
}

// Whole reports whether the route takes all of its hosts.
func (r Route) Whole() bool { return len(r.Paths)+len(r.Prefixes) == 0 && r.Regexp == "" }

// Pattern is the route's paths as one regular expression, without the bare form of what is stripped.
func (r Route) Pattern() string {
	if r.Regexp != "" {
		return r.Regexp
	}
	var alternatives []string
	for _, p := range r.Paths {
		if p != r.Strip {
			alternatives = append(alternatives, regexp.QuoteMeta(p)+"$")
		}
	}
	for _, p := range r.Prefixes {
		alternatives = append(alternatives, regexp.QuoteMeta(p))
	}
	if len(alternatives) == 1 {
		return "^" + alternatives[0]
	}
	return "^(" + strings.Join(alternatives, "|") + ")"
}

// Bare is the expression for the path that is redirected.
func (r Route) Bare() string { return "^" + regexp.QuoteMeta(r.Strip) + "$" }
