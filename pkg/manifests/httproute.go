package manifests

import (
	"net/url"
	"slices"

	"philipp.info/stackgen/pkg/source"
)

// How many matches a rule of an HTTPRoute has at most, and how many rules an HTTPRoute: gateway-api 1.6 apis/v1/httproute_types.go.
const (
	maxMatches = 64
	maxRules   = 16
)

// httpRoutes writes an HTTPRoute for each router, beside what it leads to. Of two that take a request, the longer path counts, whoever has it.
func (m *maker) httpRoutes(all []routed) {
	for _, r := range all {
		var hosts []string
		for _, w := range r.ways {
			if w.host != "" && !slices.Contains(hosts, w.host) {
				hosts = append(hosts, w.host)
			}
		}
		// What does not stand for all hosts alike has an HTTPRoute of its own.
		for _, group := range r.alike(hosts) {
			parent := mapping("name", text(m.Gateway.Name))
			if m.Gateway.Namespace != "" {
				parent.Set("namespace", text(m.Gateway.Namespace))
			}
			spec := mapping("parentRefs", list(parent))
			name := label(r.Name)
			if len(group.hosts) > 0 {
				spec.Set("hostnames", words(group.hosts))
			}
			if len(group.hosts) < len(hosts) {
				name += "-" + label(group.hosts[0])
			}
			spec.Set("rules", m.rules(r, group.ways))
			o := object("gateway.networking.k8s.io/v1", "HTTPRoute", name, m.Namespace, mapping("labels", m.labels(r.Container)))
			o.Set("spec", spec)
			m.put(label(r.Container), o)
		}
	}
}

// alike are hosts with the same ways.
type alike struct {
	hosts []string
	ways  []way // without their host
}

// alike gathers the hosts of a router whose ways are the same.
func (r routed) alike(hosts []string) (groups []alike) {
	if len(hosts) == 0 {
		return []alike{{ways: r.ways}}
	}
	for _, host := range hosts {
		var own []way
		for _, w := range r.ways {
			if w.host == host {
				w.host = ""
				own = append(own, w)
			}
		}
		if i := slices.IndexFunc(groups, func(g alike) bool { return slices.Equal(g.ways, own) }); i >= 0 {
			groups[i].hosts = append(groups[i].hosts, host)
			continue
		}
		groups = append(groups, alike{[]string{host}, own})
	}
	return groups
}

// rules are those of an HTTPRoute: what is done to a request is one thing in each, and a prefix that is replaced stands alone.
func (m *maker) rules(r routed, ways []way) *node {
	rules, plain := list(), list()
	to := list(mapping("name", text(r.service), "port", number(r.port)))
	for _, w := range ways {
		path := mapping("type", text("PathPrefix"), "value", text(w.path))
		if w.exact {
			path = mapping("type", text("Exact"), "value", text(w.path))
		}
		match := mapping("path", path)
		if w.method != "" {
			match.Set("method", text(w.method))
		}
		if f := r.done(r.ways[0].host, w.path); w.exact && f.Redirect != "" {
			rules.Items = append(rules.Items, mapping("matches", list(match), "filters", list(redirect(f.Redirect))))
			continue
		}
		if now := r.replaced(w); !w.exact && now != w.path && now+"/" != w.path {
			rewrite := mapping("type", text("URLRewrite"), "urlRewrite", mapping("path", mapping("type", text("ReplacePrefixMatch"), "replacePrefixMatch", text(now))))
			rules.Items = append(rules.Items, mapping("matches", list(match), "filters", list(append([]*node{rewrite}, r.headers()...)...), "backendRefs", to.Clone(), "timeouts", unlimited()))
			continue
		}
		plain.Items = append(plain.Items, match)
	}
	for some := range slices.Chunk(plain.Items, maxMatches) {
		rule := mapping("matches", list(some...))
		if headers := r.headers(); len(headers) > 0 {
			rule.Set("filters", list(headers...))
		}
		rule.Set("backendRefs", to.Clone())
		rule.Set("timeouts", unlimited())
		rules.Items = append(rules.Items, rule)
	}
	return rules
}

// unlimited has a gateway wait for as long as the answer takes: one that is made of Envoy gives up after 15 s else (RouteAction.timeout),
// and a sync without news takes 30 s. gateway-api 1.6 apis/v1/httproute_types.go, HTTPRouteTimeouts; who does not know it leaves it alone.
func unlimited() *node { return mapping("request", text("0s")) }

// redirect is the answer that leads to another URL.
func redirect(to string) *node {
	u, err := url.Parse(to)
	if err != nil {
		return nil
	}
	return mapping("type", text("RequestRedirect"), "requestRedirect", mapping(
		"scheme", text("https"), "hostname", text(u.Hostname()), "path", mapping("type", text("ReplaceFullPath"), "replaceFullPath", text(u.Path)), "statusCode", number("302"),
	))
}

// headers is the filter that sets headers of the answers; none where there are none.
func (r routed) headers() []*node {
	if len(r.answers) == 0 {
		return nil
	}
	set := &node{Kind: source.Sequence}
	for _, h := range r.answers {
		set.Items = append(set.Items, mapping("name", text(h[0]), "value", text(h[1])))
	}
	return []*node{mapping("type", text("ResponseHeaderModifier"), "responseHeaderModifier", mapping("set", set))}
}
