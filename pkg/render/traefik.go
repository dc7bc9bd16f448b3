package render

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// TraefikFile is where the static configuration of a Traefik in the stack is, and Resolver what gets its certificates.
const (
	TraefikFile = "config/traefik/traefik.yml"
	Resolver    = "letsencrypt"
)

// Label is a label of a service. Comment stands above it.
type Label struct{ Key, Value, Comment string }

// Labels are what a proxy that goes by labels is told at a service.
func (st *Stack) Labels(service string) []Label {
	switch {
	case st.Ingress.Kind == "traefik" && !st.Ingress.Managed:
		return st.traefikLabels(service)
	case st.Ingress.Labels && service == st.Front():
		return st.caddyLabels()
	}
	return nil
}

// setting is one of Traefik's dynamic configuration, by its dotted key below http, as a file has it. A list is one text with
// commas.
type setting struct {
	key, value string
	list       bool
	comment    string // above it
}

// traefikRouter is what Traefik is told of a route, but for the service itself. Routers and services are named after the stack,
// because all containers of a host share Traefik's names.
func (st *Stack) traefikRouter(r Route) (settings []setting) {
	add := func(key, value string) { settings = append(settings, setting{key: key, value: value}) }
	name := st.Name + "-" + r.Name
	router, middleware := "routers."+name+".", "middlewares."+name+"-"
	add(router+"rule", r.rule(st.Traefik.V2))
	add(router+"priority", fmt.Sprint(r.priority))
	add(router+"service", st.traefikService(r))
	settings = append(settings, setting{key: router + "entryPoints", value: cmp.Or(r.entrypoint, st.Traefik.Entrypoint), list: true})
	if !st.Ingress.Managed {
		add(router+"tls", "true")
	}
	if st.Traefik.CertResolver != "" {
		add(router+"tls.certResolver", st.Traefik.CertResolver)
	}
	var through []string
	if len(r.Allow) > 0 {
		through = append(through, name+"-allow")
	}
	if r.Service == st.Front() || r.Service == "mas" {
		through = append(through, st.Traefik.Middlewares...)
	}
	if r.To != "" {
		through = append(through, name+"-slash")
	}
	if r.Strip != "" {
		through = append(through, name+"-strip")
	}
	if len(r.Headers) > 0 {
		through = append(through, name+"-headers")
	}
	if len(through) > 0 {
		settings = append(settings, setting{key: router + "middlewares", value: strings.Join(through, ","), list: true})
	}
	if len(r.Allow) > 0 {
		settings = append(settings, setting{key: middleware + "allow.ipAllowList.sourceRange", value: strings.Join(r.Allow, ","), list: true})
	}
	if r.To != "" {
		// The full URL of the bare path, which MAS itself answers with 404.
		add(middleware+"slash.redirectRegex.regex", "^https?://[^/]+"+regexp.QuoteMeta(r.Strip)+`(\?.*)?$`)
		add(middleware+"slash.redirectRegex.replacement", r.To)
	}
	if r.Strip != "" {
		settings = append(settings, setting{key: middleware + "strip.stripPrefix.prefixes", value: r.Strip, list: true})
	}
	for i, h := range r.Headers {
		key, value := traefikHeaders[h[0]], h[1]
		if key == "" {
			key = customHeaders + h[0]
		}
		if h[0] == "X-Content-Type-Options" {
			value = "true"
		}
		s := setting{key: middleware + "headers.headers." + key, value: value}
		if i == 0 {
			s.comment = "No other site may show it in a frame, and what it serves is what it says."
			if r.Service == "element" {
				s.comment = strings.TrimSuffix(s.comment, ".") + ": Element Web's own advice."
			}
		}
		settings = append(settings, s)
	}
	return settings
}

// traefikHeaders are the headers for which Traefik has a setting of their own (pkg/config/dynamic/middlewares.go).
var traefikHeaders = map[string]string{
	"X-Frame-Options": "customFrameOptionsValue", "X-Content-Type-Options": "contentTypeNosniff",
	"Content-Security-Policy": "contentSecurityPolicy", "Referrer-Policy": "referrerPolicy",
}

const customHeaders = "customResponseHeaders."

// traefikService is what Traefik calls the service of a route: a container that is asked on several ports is several to it.
func (st *Stack) traefikService(r Route) string {
	name := st.Name + "-" + r.Service
	for _, other := range st.Routes() {
		if other.Service == r.Service && other.Port != r.Port {
			return fmt.Sprintf("%s-%d", name, r.Port)
		}
	}
	return name
}

// federation is what other servers ask for at an entrypoint of their own, on every host that they may know; none where there is
// no such entrypoint.
func (st *Stack) federation() []Route {
	if st.Traefik.Federation == "" {
		return nil
	}
	r := Route{
		Name: "federation", Service: st.Front(), Port: st.frontPort(), priority: 100, entrypoint: st.Traefik.Federation,
		Hosts: []string{st.MatrixHost}, Prefixes: []string{"/_matrix/federation/", "/_matrix/key/"},
	}
	if st.ServerName != st.MatrixHost {
		r.Hosts = append(r.Hosts, st.ServerName)
	}
	return []Route{r}
}

func (st *Stack) traefikLabels(service string) (labels []Label) {
	add := func(key, value string) { labels = append(labels, Label{Key: "traefik." + key, Value: value}) }
	routes := slices.DeleteFunc(append(st.Routes(), st.federation()...), func(r Route) bool { return r.Service != service })
	slices.SortStableFunc(routes, func(a, b Route) int { return cmp.Compare(len(a.Regexp), len(b.Regexp)) })
	var ports []int
	for i, r := range routes {
		if i == 0 {
			add("enable", "true")
			if st.Traefik.V2 {
				labels = append(labels, Label{Key: component.TraefikRules, Value: "v2"})
			}
			add("docker.network", st.Ingress.Network)
		}
		if !slices.Contains(ports, r.Port) {
			ports = append(ports, r.Port)
			add("http.services."+st.traefikService(r)+".loadbalancer.server.port", fmt.Sprint(r.Port))
		}
		for _, s := range st.traefikRouter(r) {
			if s.comment != "" {
				labels = append(labels, Label{Comment: s.comment})
			}
			key, header, custom := strings.Cut(s.key, customHeaders)
			if key = strings.ToLower(key); custom {
				key += strings.ToLower(customHeaders) + header
			}
			add("http."+key, s.value)
		}
	}
	return labels
}

// TraefikRoutes is the same for the file of a Traefik in the stack, which asks for the services by name: YAML, by the keys
// below http.
func (st *Stack) TraefikRoutes() string {
	var settings []setting
	told := make(map[string]bool)
	for _, r := range st.Routes() {
		settings = append(settings, st.traefikRouter(r)...)
		if service := "services." + st.traefikService(r) + ".loadBalancer.servers"; !told[service] {
			told[service] = true
			settings = append(settings, setting{key: service, value: "http://" + st.Backend(r)})
		}
	}
	slices.SortStableFunc(settings, func(a, b setting) int { // routers, services, middlewares
		return strings.Compare(sections[a.key[:3]], sections[b.key[:3]])
	})
	var b strings.Builder
	var open []string
	for _, s := range settings {
		keys := strings.Split(s.key, ".")
		last := len(keys) - 1
		for depth, key := range keys {
			if depth < last && depth < len(open) && slices.Equal(open[:depth+1], keys[:depth+1]) {
				continue
			}
			indent := strings.Repeat("  ", depth+1)
			if depth == last && s.comment != "" {
				b.WriteString(indent + "# " + s.comment + "\n")
			}
			b.WriteString(indent + key + ":")
			if depth < last {
				b.WriteString("\n")
			}
		}
		open = keys[:last]
		switch value := source.Quote(s.value); {
		case s.list:
			var items []string
			for item := range strings.SplitSeq(s.value, ",") {
				items = append(items, source.Quote(item))
			}
			b.WriteString(" [" + strings.Join(items, ", ") + "]\n")
		case keys[last] == "servers":
			b.WriteString(" [{url: " + value + "}]\n")
		case keys[last] == "priority" || s.value == "true":
			b.WriteString(" " + s.value + "\n")
		default:
			b.WriteString(" " + value + "\n")
		}
	}
	if len(open) == 0 || open[0] != "middlewares" { // the file ends with one for all
		b.WriteString("  middlewares:\n")
	}
	return b.String()
}

// sections are the order of what stands below http, by the first letters.
var sections = map[string]string{"rou": "1", "ser": "2", "mid": "3"}

// rule is the route in Traefik's words.
func (r Route) rule(v2 bool) string {
	calls := func(name string, args []string) (list []string) {
		for _, arg := range args {
			list = append(list, name+"(`"+arg+"`)")
		}
		return list
	}
	either := func(list []string, always bool) string {
		if len(list) > 1 || always {
			return "(" + strings.Join(list, " || ") + ")"
		}
		return strings.Join(list, "")
	}
	hosts := calls("Host", r.Hosts)
	switch paths := append(calls("Path", r.Paths), calls("PathPrefix", r.Prefixes)...); {
	case r.Regexp != "" && v2:
		return either(hosts, true) + " && " + either(append(calls("Path", r.Templates[:1]), calls("PathPrefix", r.Templates[1:])...), true)
	case r.Regexp != "":
		return either(hosts, true) + " && PathRegexp(`" + r.Regexp + "`)"
	case len(paths) > 0:
		return either(hosts, false) + " && " + either(paths, false)
	}
	return either(hosts, false)
}
