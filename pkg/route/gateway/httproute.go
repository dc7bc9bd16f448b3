package gateway

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// httpRoute reads the rules of an HTTPRoute (gateway.networking.k8s.io/v1).
func (t *table) httpRoute(obj Object) {
	hosts := []string{}
	for _, v := range obj.At("spec", "hostnames").Items() {
		hosts = append(hosts, v.Str())
	}
	if len(hosts) == 0 {
		hosts = t.listeners(obj)
	}
	for _, rule := range obj.At("spec", "rules").Items() {
		var refs []ref
		for _, b := range rule.At("backendRefs").Items() {
			if kind := b.At("kind").Str(); b.At("weight").Str() == "0" || kind != "" && kind != "Service" {
				continue
			}
			at := b.At("port")
			if !at.Set() {
				at = b.At("name")
			}
			refs = append(refs, ref{namespace: b.At("namespace").Str(), name: b.At("name").Str(), port: b.At("port").Str(), at: at})
		}
		var to *route.Service
		if len(refs) > 0 {
			to = t.backend(obj.Namespace, refs...)
		}
		matches := rule.At("matches").Items()
		if len(matches) == 0 {
			matches = []source.Value{rule.At("matches")}
		}
		for _, host := range hosts {
			for _, m := range matches {
				t.matched(obj, rule, m, host, to)
			}
		}
	}
}

// listeners are the hosts of the gateways that a route without hosts of its own is attached to.
func (t *table) listeners(obj Object) (hosts []string) {
	for _, parent := range obj.At("spec", "parentRefs").Items() {
		for _, g := range t.gateways {
			if g.Name != parent.At("name").Str() {
				continue
			}
			for _, l := range g.At("spec", "listeners").Items() {
				section := parent.At("sectionName").Str()
				if host := l.At("hostname").Str(); (section == "" || section == l.At("name").Str()) && !slices.Contains(hosts, host) {
					hosts = append(hosts, host)
				}
			}
		}
	}
	if len(hosts) == 0 {
		return []string{""}
	}
	return hosts
}

func (t *table) matched(obj Object, rule, m source.Value, host string, to *route.Service) {
	k, path := prefix, cmp.Or(m.At("path", "value").Str(), "/")
	switch m.At("path", "type").Str() {
	case "Exact":
		k = exact
	case "RegularExpression":
		k = regular
	}
	e, finer := pathExpr(k, path, false), 0
	also := func(text string, kind route.Kind, named []string, eval func(*route.Request) route.Truth) {
		e = &route.Expr{Op: '&', Left: e, Right: &route.Expr{Matcher: &route.Matcher{Text: text, Kind: kind, Named: named, Finite: named != nil, Eval: eval}}}
	}
	if method := m.At("method").Str(); method != "" {
		finer += 10_000
		also("Method `"+method+"`", route.Method, []string{method}, func(r *route.Request) route.Truth { return route.TruthOf(r.Method == method) })
	}
	for _, h := range m.At("headers").Items() {
		finer += 100
		also("the header "+h.At("name").Str(), route.Other, nil, func(*route.Request) route.Truth { return route.Maybe })
	}
	for _, q := range m.At("queryParams").Items() {
		finer++
		name, value, re := q.At("name").Str(), q.At("value").Str(), q.At("type").Str() == "RegularExpression"
		also("the query "+name, route.Other, nil, func(r *route.Request) route.Truth {
			if re {
				return route.Maybe
			}
			return route.TruthOf(slices.Contains(r.Query[name], value))
		})
	}
	at := m.At("path", "value")
	if !m.Exists() {
		at = rule
	}
	r := t.add(obj, at, host, k, path, e, finer, to)
	r.Passes = passes(rule)
	redirects := 0
	for _, f := range rule.At("filters").Items() {
		switch f.At("type").Str() {
		case "RequestRedirect":
			redirects++
			r.Steps = append(r.Steps, redirect(f.At("requestRedirect"), path))
			own := f.At("requestRedirect")
			r.PlainHTTP = own.At("scheme").Str() == "https" && !own.At("hostname").Set() && !own.At("path").Set()
		case "URLRewrite":
			r.Steps = append(r.Steps, rewrite(f.At("urlRewrite", "path"), path))
		case "RequestHeaderModifier", "ResponseHeaderModifier", "RequestMirror", "CORS":
		default:
			r.Unchecked = "a filter of the HTTPRoute " + obj.Name + " is one of its controller's own"
		}
	}
	if to == nil && redirects == 0 {
		r.Steps = append(r.Steps, func(f *route.Flow) { f.Refused = "500, for the rule has no backend" })
	}
}

// passes is how long a rule has the gateway wait: the shorter of its two limits, of which 0s is none (gateway-api 1.6
// apis/v1/httproute_types.go, HTTPRouteTimeouts).
func passes(rule source.Value) *route.Passes {
	p := &route.Passes{Upgrades: true, Forwards: true}
	for _, key := range []string{"request", "backendRequest"} {
		v := rule.At("timeouts", key)
		if wait, err := time.ParseDuration(v.Str()); err == nil && wait > 0 && (p.Wait == 0 || wait < p.Wait) {
			p.Wait, p.WaitAt = wait, v.Site("")
		}
	}
	return p
}

// redirect is the answer of RequestRedirect.
func redirect(v source.Value, path string) route.Step {
	return func(f *route.Flow) {
		u := url.URL{Scheme: cmp.Or(v.At("scheme").Str(), "https"), Host: cmp.Or(v.At("hostname").Str(), f.Host), Path: replaced(v.At("path"), path, f.URL.Path), RawQuery: f.URL.RawQuery}
		if port := v.At("port").Str(); port != "" {
			u.Host = strings.Split(u.Host, ":")[0] + ":" + port
		}
		f.Redirect = u.String()
	}
}

// rewrite changes the path as URLRewrite does.
func rewrite(v source.Value, path string) route.Step {
	return func(f *route.Flow) {
		if !v.Set() {
			return
		}
		if escaped := f.URL.EscapedPath(); strings.HasPrefix(escaped, strings.TrimRight(path, "/")) { // the escapes behind it stay
			now := replaced(v, path, escaped)
			if plain, err := url.PathUnescape(now); err == nil {
				f.URL.Path, f.URL.RawPath = plain, now
				return
			}
		}
		f.URL.Path, f.URL.RawPath = replaced(v, path, f.URL.Path), ""
	}
}

// replaced is a path with the prefix that was matched, or all of it, replaced.
func replaced(v source.Value, matched, path string) string {
	switch v.At("type").Str() {
	case "ReplaceFullPath":
		return v.At("replaceFullPath").Str()
	case "ReplacePrefixMatch":
		rest := strings.TrimPrefix(path, strings.TrimRight(matched, "/"))
		return "/" + strings.TrimLeft(strings.TrimRight(v.At("replacePrefixMatch").Str(), "/")+"/"+strings.TrimLeft(rest, "/"), "/")
	}
	return path
}
