package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

var traefikRouterUnique = Rule{
	ID: "traefik-router-unique", Severity: finding.Error,
	Summary:     "no two containers define a router, service or middleware of one name differently",
	Why:         "\"HTTP router defined multiple times with different configurations\" in Traefik's log, and 404 for both: all containers of a host share the names, those of other stacks too.",
	Fix:         "Give one of them another name; the name of the stack before it keeps other stacks apart.",
	Source:      "Traefik pkg/provider/configuration.go, run with Traefik 3.7",
	ComposeOnly: "two Ingresses or HTTPRoutes of one path are put in order by their specification",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.LabelProblems(func(p route.Problem, _ *deployment.Service) {
			if p.Kind == traefik.Duplicate {
				r.Fail(p.Message, "give one of them another name", p.Sites...)
			}
		})
	},
}

var traefikReferenceDefined = Rule{
	ID: "traefik-reference-defined", Severity: finding.Error,
	Summary:     "every service and middleware that a router names is defined",
	Why:         "\"the service \\\"x@docker\\\" does not exist\" or \"middleware \\\"x@docker\\\" does not exist\" in Traefik's log: the router is gone, and its requests fall through to another one or to 404.",
	Fix:         "Define it in a label, or correct the name. What a file or another provider defines is written name@file.",
	Source:      "Traefik pkg/server/router, run with Traefik 3.7",
	ComposeOnly: "what an Ingress or an HTTPRoute refers to is a Service: kubernetes-service-leads, proxy-target-exists",
	Check: func(d *deployment.Deployment, r *Reporter) {
		var missing []undefined
		var open []route.Problem // what may be defined where nothing is read
		broken := slices.ContainsFunc(d.Routes().Problems, func(p route.Problem) bool { return p.Kind == traefik.BadFile })
		d.LabelProblems(func(p route.Problem, s *deployment.Service) {
			key := "traefik.http.routers." + p.Router
			ref, provider, _ := strings.Cut(p.Ref, "@")
			if broken && provider == "file" {
				return // nothing of its files counts, which traefik-rule-parses tells
			}
			switch p.Kind {
			case traefik.UndefinedService:
				if !definedSomewhere(d, "services", ref) {
					missing = append(missing, undefined{p, s.Label(key+".service", firstService(s)), p.Sites})
				}
			case traefik.UndefinedMiddleware:
				fix := s.Label("traefik.http.middlewares."+ref+".…", "…")
				var names []string
				for _, m := range d.Routes().Middlewares {
					names = append(names, m.Name)
				}
				if provider == "file" {
					fix = "http.middlewares." + ref + " in a file that Traefik's file provider reads"
				}
				if near := finding.Nearest(ref, names); near != "" {
					fix = near + " instead of " + ref
				}
				if !definedSomewhere(d, "middlewares", ref) {
					missing = append(missing, undefined{p, fix, append(s.Listing(p.Ref, p.Sites[0]), p.Sites...)})
				}
			case traefik.NotChecked:
				p.Message = strings.TrimPrefix(p.Message, fmt.Sprintf("router %q: ", p.Router))
				open = append(open, p)
			default:
			}
		})
		tellUndefined(r, d, missing)
		for len(open) > 0 {
			var alike []route.Problem
			first := open[0].Message
			open = slices.DeleteFunc(open, func(p route.Problem) bool {
				if p.Message == first {
					alike = append(alike, p)
				}
				return p.Message == first
			})
			severally(r, alike, func(p route.Problem) []source.Site { return p.Sites }, func(r *Reporter, alike []route.Problem) {
				var sites []source.Site
				for _, p := range alike {
					sites = append(sites, p.Sites...)
				}
				r.NotChecked(first, sites...)
			})
		}
	},
}

// undefined is a router that names what is nowhere.
type undefined struct {
	problem route.Problem
	fix     string
	sites   []source.Site
}

// tellUndefined has one finding for each name, with all routers that use it.
func tellUndefined(r *Reporter, d *deployment.Deployment, all []undefined) {
	for len(all) > 0 {
		first := all[0].problem
		_, what, _ := strings.Cut(first.Message, ": ")
		what, _, _ = strings.Cut(what, "; ")
		var alike []undefined
		all = slices.DeleteFunc(all, func(u undefined) bool {
			same := u.problem.Kind == first.Kind && strings.HasPrefix(u.problem.Message, fmt.Sprintf("router %q: %s; ", u.problem.Router, what))
			if same = same || len(alike) == 0; same {
				alike = append(alike, u)
			}
			return same
		})
		severally(r, alike, func(u undefined) []source.Site { return u.sites }, func(r *Reporter, alike []undefined) {
			message, sites := alike[0].problem.Message, alike[0].sites
			if len(alike) > 1 {
				var routers []string
				sites = nil
				for _, u := range alike {
					routers, sites = append(routers, strconv.Quote(u.problem.Router)), append(sites, u.sites...)
				}
				message = fmt.Sprintf("%s; Traefik drops the routers %s, and their requests fall through to the next", what, finding.Sentence(deployment.AtMost(routers, 3), "and"))
			}
			if d.Proxy().Service == nil { // which is told here for a name that looks mistyped
				r.Warn(message+", unless another stack of the same Traefik defines it", alike[0].fix, sites...)
				return
			}
			r.Fail(message, alike[0].fix, sites...)
		})
	}
}

// definedSomewhere reports whether labels define a service or middleware, although Traefik does not have it:
// another rule says why its container is skipped or the definitions are deleted.
func definedSomewhere(d *deployment.Deployment, kind, name string) bool {
	return slices.ContainsFunc(d.Services, func(s *deployment.Service) bool { return s.HasLabel("traefik.http." + kind + "." + name) })
}

var traefikRuleParses = Rule{
	ID: "traefik-rule-parses", Severity: finding.Error,
	Summary:     "every label decodes and every rule parses in the Traefik at hand",
	Why:         "\"field not found, node: …\" or \"error while parsing rule\" in Traefik's log. One wrong label loses the whole container with all its routers; a rule of Traefik 2 in Traefik 3 loses its router or never matches.",
	Fix:         "Correct the label. Traefik 3 takes one value per matcher, and PathRegexp in place of {name:regexp}.",
	Source:      "Traefik pkg/config/label, pkg/rules; docs/content/migrate/v2-to-v3-details.md",
	ComposeOnly: "a path of an Ingress or an HTTPRoute is no rule that has to parse; the API refuses what it does not know",
	Check: func(d *deployment.Deployment, r *Reporter) {
		var gaps, braces []route.Problem
		defer func() {
			severally(r, braces, func(p route.Problem) []source.Site { return p.Sites }, func(r *Reporter, braces []route.Problem) { tellBraces(d, r, braces) })
			severally(r, gaps, func(p route.Problem) []source.Site { return p.Sites }, func(r *Reporter, gaps []route.Problem) {
				var gapped []string
				var places []source.Site
				for _, p := range gaps {
					gapped, places = append(gapped, strconv.Quote(p.Router)), append(places, p.Sites...)
				}
				r.NotChecked(fmt.Sprintf("which requests %s cannot be told: the rule holds a variable that is set elsewhere", take(gapped)), places...)
			})
		}()
		checkOldLabels(d, r)
		d.LabelProblems(func(p route.Problem, s *deployment.Service) {
			switch p.Kind {
			case traefik.Gap:
				gaps = append(gaps, p)
			case traefik.BadLabel:
				r.Fail(p.Message, labelFix(d, p), p.Sites...)
			case traefik.IgnoredLabel:
				r.Warn(p.Message, "correct or remove "+d.Lines.Label, p.Sites...)
			case traefik.BadFile:
				fix := "correct the file"
				if p.Meant != "" {
					fix = "rename it to " + p.Meant
				}
				r.Fail(p.Message, fix, p.Sites...)
			case traefik.BadRule:
				r.Fail(p.Message, ruleFix(d.Proxy().Major), p.Sites...)
			case traefik.NeverMatches:
				if strings.Contains(p.Message, "braces") {
					braces = append(braces, p)
				} else {
					r.Fail(p.Message+"; no request ever matches it", ruleFix(d.Proxy().Major), p.Sites...)
				}
			case traefik.BadMiddleware:
				r.Fail(p.Message, "correct the middleware", p.Sites...)
			case traefik.BadName:
				name, _, _ := strings.Cut(p.Router, "@")
				r.Fail(p.Message, s.Label("traefik.http.routers."+name+".rule", "…"), p.Sites...)
			default:
			}
		})
	},
}

// tellBraces tells the placeholders of Traefik 2 that Traefik 3 takes literally.
func tellBraces(d *deployment.Deployment, r *Reporter, braces []route.Problem) {
	message, sites := braces[0].Message+"; no request ever matches it", braces[0].Sites
	if len(braces) > 1 {
		var routers []string
		sites = nil
		for _, p := range braces {
			if name := strconv.Quote(p.Router); !slices.Contains(routers, name) {
				routers = append(routers, name)
			}
			sites = append(sites, p.Sites...)
		}
		message = "braces in the rules of " + finding.Sentence(deployment.AtMost(routers, 3), "and") + " are the syntax of Traefik 2, and Traefik 3 takes them literally; no request ever matches what has them"
	}
	r.Fail(message, ruleFix(d.Proxy().Major), sites...)
}

// checkOldLabels tells the labels of Traefik 1 in one finding.
func checkOldLabels(d *deployment.Deployment, r *Reporter) {
	if d.Proxy().Service != nil && d.Proxy().Major == 1 {
		var later []source.Site
		for _, s := range d.Services {
			for _, l := range d.Container(s).Labels {
				if strings.HasPrefix(strings.ToLower(l.Key), "traefik.http.") {
					later = append(later, l.Site)
				}
			}
		}
		if len(later) > 0 {
			r.Warn("labels that begin with traefik.http are those of Traefik 2 and later, and Traefik 1 ignores them: nothing is routed by them", "another image of Traefik, or traefik.frontend.rule and traefik.port", later...)
		}
	}
	var names []string
	var sites []source.Site
	for _, s := range d.Services {
		for _, l := range d.Container(s).Labels {
			if !traefik.OfTraefik1(l.Key) {
				continue
			}
			if sites = append(sites, l.Site); !slices.Contains(names, l.Key) {
				names = append(names, l.Key)
			}
		}
	}
	switch unseen := d.Proxy().Service == nil; {
	case len(names) == 0:
	case d.Proxy().Major == 1 && !unseen:
		r.NotChecked("the labels are those of Traefik 1, whose rules are not read", sites...)
	default:
		msg := finding.Sentence(deployment.AtMost(names, 3), "and") + " are labels of Traefik 1, which later ones ignore: nothing is routed by them"
		if len(names) == 1 {
			msg = names[0] + " is a label of Traefik 1, which later ones ignore: nothing is routed by it"
		}
		if unseen {
			msg += ", unless Traefik 1 runs elsewhere"
		}
		r.Warn(msg, "traefik.http.routers.NAME.rule: Host(`…`), and traefik.http.services.NAME.loadbalancer.server.port", sites...)
	}
}

// take is the subject of a sentence about what routers take.
func take(routers []string) string {
	if len(routers) == 1 {
		return "router " + routers[0] + " takes"
	}
	return "routers " + finding.Sentence(routers, "and") + " take"
}

func ruleFix(major int) string {
	if major == 2 {
		return "PathPrefix(`/path/{name:regexp}`), or another rule of Traefik 2"
	}
	return "one value in each of Host(`…`), PathPrefix(`/…`), PathRegexp(`^/…`), joined by && and ||"
}

// routerKeys are the labels of a router that people mistype.
var routerKeys = []string{"rule", "entrypoints", "middlewares", "service", "priority", "tls", "loadbalancer", "server", "port", "certresolver"}

// labelFix names the label that was most likely meant.
func labelFix(d *deployment.Deployment, p route.Problem) string {
	_, rest, ok := strings.Cut(p.Message, "field not found, node: ")
	if word, _, _ := strings.Cut(rest, ";"); ok {
		for _, k := range routerKeys {
			if strings.HasPrefix(k, strings.ToLower(word)) || finding.Nearest(word, []string{k}) != "" {
				return k + " instead of " + word
			}
		}
	}
	switch {
	case strings.Contains(p.Message, "has no port label") && d.Service(p.Container) != nil:
		name, _, _ := strings.Cut(strings.TrimPrefix(p.Message, "service \""), "\"")
		return d.Service(p.Container).Label("traefik.http.services."+name+".loadbalancer.server.port", "…")
	case strings.Contains(p.Message, "strconv.ParseInt"):
		return "a whole number"
	case strings.Contains(p.Message, "strconv.ParseBool"):
		return "true or false"
	}
	return "correct or remove " + d.Lines.Label
}
