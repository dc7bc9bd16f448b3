package gateway

import (
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// changing are the ends of annotations that change who answers a request or what it is asked for, beside those that are carried out.
var changing = []string{
	"configuration-snippet", "server-snippet", "app-root", "permanent-redirect", "temporal-redirect", "router.middlewares", "router.rule", "router.pathmatcher", "canary", "/rewrite", "path-rewrite",
	"auth-url", "auth-type", "whitelist-source-range", "allowlist-source-range", "denylist-source-range", "config-backend", "conditions.", "actions.",
}

// ingress reads the rules of an Ingress (networking.k8s.io/v1; the older forms have the same rules with other names).
func (t *table) ingress(obj Object) {
	notes := obj.At("metadata", "annotations")
	note := func(end string) source.Value {
		for key, v := range notes.Entries() {
			if strings.HasSuffix(key.Str(), "/"+end) {
				return v
			}
		}
		return source.Value{}
	}
	unchecked := ""
	for key := range notes.Entries() {
		if slices.ContainsFunc(changing, func(end string) bool { return strings.Contains(key.Str(), end) }) {
			unchecked = "the annotation " + key.Str() + " of the Ingress " + obj.Name + " was not read"
		}
	}
	regex := note("use-regex").Str() == "true"
	rewrite := note("rewrite-target")
	add := func(at source.Value, host string, k kind, path string, loose bool, backend source.Value) {
		r := t.add(obj, at, host, k, path, pathExpr(k, path, loose), 0, t.backend(obj.Namespace, ingressRef(backend)))
		r.Unchecked = unchecked
		if rewrite.Set() {
			r.Steps = append(r.Steps, rewritten(path, rewrite.Str()))
		}
	}
	if backend := obj.At("spec", "defaultBackend"); backend.Set() {
		add(backend, "", prefix, "/", false, backend)
	}
	for _, rule := range obj.At("spec", "rules").Items() {
		for _, p := range rule.At("http", "paths").Items() {
			at, path := p.At("path"), p.At("path").Str()
			if !at.Set() {
				at, path = p, "/"
			}
			k, loose := prefix, false
			switch p.At("pathType").Str() {
			case "Exact":
				k = exact
			case "Prefix":
			default: // the controller's own way: nginx takes a text, or an expression where the annotation or the path says so
				loose = true
				if regex || strings.ContainsAny(path, "*()[]|^$\\") {
					k = regular
				}
			}
			if regex && k == prefix {
				loose = true
			}
			add(at, rule.At("host").Str(), k, path, loose, p.At("backend"))
		}
	}
}

func ingressRef(v source.Value) ref {
	if s := v.At("service"); s.Exists() {
		port := s.At("port", "number")
		if !port.Set() {
			port = s.At("port", "name")
		}
		at := port
		if !at.Set() {
			at = s.At("name")
		}
		return ref{name: s.At("name").Str(), port: port.Str(), at: at}
	}
	return ref{name: v.At("serviceName").Str(), port: v.At("servicePort").Str(), at: v.At("serviceName")}
}

// rewritten is what the annotation rewrite-target of nginx makes of a path.
func rewritten(path, target string) route.Step {
	re, err := regexp.Compile("(?i)^" + path)
	groups := strings.NewReplacer("$1", "${1}", "$2", "${2}", "$3", "${3}").Replace(target)
	return func(f *route.Flow) {
		if err != nil {
			f.Unknown = "the path of the rule cannot be compiled as an expression"
			return
		}
		at := re.FindStringSubmatchIndex(f.URL.Path)
		if at == nil {
			return
		}
		next := string(re.ExpandString(nil, groups, f.URL.Path, at))
		if f.URL.Path, f.URL.RawPath = next, ""; f.URL.Path == "" {
			f.URL.Path = "/"
		}
	}
}

// expression decides a path by a regular expression. Some controllers hold it against the whole path and some against its beginning: where
// that makes a difference it cannot be told.
func expression(text string) func(*route.Request) route.Truth {
	start, err := regexp.Compile("^(?:" + text + ")")
	whole, err2 := regexp.Compile("^(?:" + text + ")$")
	return func(r *route.Request) route.Truth {
		switch {
		case err != nil || err2 != nil:
			return route.Maybe
		case whole.MatchString(r.Path):
			return route.Yes
		case start.MatchString(r.Path):
			return route.Maybe
		}
		return route.No
	}
}
