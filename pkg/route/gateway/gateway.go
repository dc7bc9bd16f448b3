// Package gateway fills the table of package route from the Ingresses and HTTPRoutes of Kubernetes, by the precedence of their
// specifications, which knows no priorities.
package gateway

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// Object is an Ingress, an HTTPRoute or a Gateway.
type Object struct {
	source.Value
	Kind, Name, Namespace string
}

// Options is what must be known besides.
type Options struct {
	// Upstream tells which container, and which port of it, a port of a Service means: by its number or name, and where there is no such
	// Service by the Service's own name. address is that of the Service.
	Upstream func(namespace, service, port string) (container, inner, address string)
}

// match is one way in which a request is taken. Those of one object stand in its order.
type match struct {
	*route.Router
	host    string // "" for every one, *.DOMAIN for those below
	kind    kind
	path    string
	finer   int // that the method is asked for, and how many headers and queries are
	ordinal int
}

type kind int

// The kinds of paths, from that which comes last. Of regular expressions the specification of HTTPRoute says nothing: Traefik and Envoy try them
// before prefixes.
const (
	prefix kind = iota
	regular
	exact
)

// New builds what the controllers of the objects route by.
func New(objects []Object, o Options) *route.Table {
	t := &table{Options: o}
	for _, obj := range objects {
		if obj.Kind == "Gateway" {
			t.gateways = append(t.gateways, obj)
		}
	}
	for _, obj := range objects {
		switch obj.Kind {
		case "Ingress":
			t.ingress(obj)
		case "HTTPRoute":
			t.httpRoute(obj)
		}
	}
	slices.SortStableFunc(t.matches, func(a, b *match) int {
		return cmp.Or(
			cmp.Compare(named(b.host), named(a.host)), cmp.Compare(len(b.host), len(a.host)), cmp.Compare(b.kind, a.kind), cmp.Compare(len(b.path), len(a.path)),
			cmp.Compare(b.finer, a.finer), cmp.Compare(a.ordinal, b.ordinal),
		)
	})
	p := route.Parts{Services: t.services, Seen: seen}
	for i, m := range t.matches {
		m.Priority, m.Explicit = len(t.matches)-i, true
		p.Routers = append(p.Routers, m.Router)
	}
	return route.New(p)
}

// named is higher for a host that says more.
func named(host string) int {
	switch {
	case host == "":
		return 0
	case strings.HasPrefix(host, "*."):
		return 1
	}
	return 2
}

type table struct {
	Options
	gateways []Object
	matches  []*match
	services []*route.Service
}

// add keeps a way in which requests are taken. at is where it stands.
func (t *table) add(obj Object, at source.Value, host string, k kind, path string, by *route.Expr, finer int, to *route.Service) *route.Router {
	words := [...]string{"Prefix ", "RegularExpression ", "Exact "}[k]
	r := &route.Router{
		Name: strings.TrimSpace(fmt.Sprintf("%s %s", obj.Name, cmp.Or(path, "/"))), Rule: strings.TrimSpace(cmp.Or(host, "*") + " " + words + path), TLS: true, Expr: by,
		Site: at.Site(""), PrioritySite: at.Site(""), ContainerSite: obj.At("metadata", "name").Site(""), To: to,
	}
	if e := hostExpr(host); e != nil {
		r.Expr = &route.Expr{Op: '&', Left: e, Right: r.Expr}
	}
	if to != nil {
		r.Service = to.Name
		if len(to.Backends) > 0 {
			r.Container = to.Backends[0].Container
		}
	}
	t.matches = append(t.matches, &match{Router: r, host: host, kind: k, path: path, finer: finer, ordinal: len(t.matches)})
	return r
}

// backend makes a service of the table of those that requests are shared out to.
func (t *table) backend(namespace string, refs ...ref) *route.Service {
	s := &route.Service{}
	for _, r := range refs {
		container, inner, address := t.Upstream(cmp.Or(r.namespace, namespace), r.name, r.port)
		s.Name = r.name
		s.Backends = append(s.Backends, route.Backend{Service: r.name, Container: container, Port: inner, Scheme: "http", Address: address, Site: r.at.Site("")})
	}
	t.services = append(t.services, s)
	return s
}

// ref names a port of a Service.
type ref struct {
	namespace, name, port string
	at                    source.Value
}

func hostExpr(host string) *route.Expr {
	if host == "" {
		return nil
	}
	m := &route.Matcher{Text: "Host(`" + host + "`)", Kind: route.Host}
	domain, wild := strings.CutPrefix(host, "*")
	if wild {
		m.Eval = func(r *route.Request) route.Truth {
			return route.TruthOf(strings.HasSuffix(r.Host, strings.ToLower(domain)))
		}
	} else {
		m.Named, m.Finite = []string{host}, true
		m.Eval = func(r *route.Request) route.Truth { return route.TruthOf(r.Host == strings.ToLower(host)) }
	}
	return &route.Expr{Matcher: m}
}

func pathExpr(k kind, path string, loose bool) *route.Expr {
	m := &route.Matcher{Kind: route.Path}
	switch {
	case k == exact:
		m.Text, m.Named, m.Finite = "Exact `"+path+"`", []string{path}, true
		m.Eval = func(r *route.Request) route.Truth { return route.TruthOf(r.Path == path) }
	case k == regular:
		m.Text, m.Eval = "RegularExpression `"+path+"`", expression(path)
	case loose: // as a text, and not by its segments
		m.Text, m.Named, m.Prefixes, m.Whole = "Prefix `"+path+"`", []string{path}, []string{path}, true
		m.Eval = func(r *route.Request) route.Truth { return route.TruthOf(strings.HasPrefix(r.Path, path)) }
	default:
		whole := strings.TrimRight(path, "/")
		m.Text, m.Named, m.Prefixes, m.Whole = "Prefix `"+path+"`", []string{path}, []string{whole}, whole == ""
		m.Eval = func(r *route.Request) route.Truth {
			return route.TruthOf(r.Path == whole || strings.HasPrefix(r.Path, whole+"/"))
		}
	}
	return &route.Expr{Matcher: m}
}

// seen is the path that rules see: decoded, but for an encoded slash.
func seen(escaped string) (string, error) {
	const slash = "\x00"
	marked := strings.NewReplacer("%2F", slash, "%2f", slash).Replace(escaped)
	plain, err := url.PathUnescape(marked)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(plain, slash, "%2F"), nil
}
