package check

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// routed reports whether anything is known of what is routed where; without labels for Traefik, or the files of another
// proxy, one is at work that cannot be seen.
func routed(r *Reporter, d *deployment.Deployment) bool {
	if d.HasRouters() {
		return true
	}
	why := d.Front().Unseen
	if why == "" {
		why = "no service has labels for Traefik: what is routed where cannot be seen"
		if front := d.Front(); front.Service != nil && front.Name != "Traefik" {
			why = fmt.Sprintf("no host of %s can be told: what is routed where cannot be seen", front.Name)
		}
		if d.Target == deployment.Kubernetes {
			why = "no Ingress and no HTTPRoute is among the manifests: what is routed where cannot be seen"
		}
		if lying := d.Unmounted(); lying != "" && d.Target == deployment.Compose {
			why = "no service has labels for Traefik, and none mounts " + lying + ", which lies here: what is routed where cannot be seen"
		}
	}
	for _, s := range d.Synapses {
		r.NotChecked(why, s.Site(""))
	}
	return false
}

// routerSite is the first of routerSites.
func routerSite(res route.Result, s *deployment.Service) source.Site { return routerSites(res, s)[0] }

// routerSites are the rule that decided a request and those of the service that should have got it: the ones
// that come too late, or else the nearest ones. Where there is none, they are the service's labels.
func routerSites(res route.Result, s *deployment.Service) (sites []source.Site) {
	if res.Router != nil {
		sites = append(sites, res.Router.Site)
	}
	for _, late := range res.Behind {
		if late.Container == s.Name {
			sites = append(sites, s.LabelSite("traefik.http.routers."+late.Name+".priority", late.Site))
		}
	}
	if len(sites) < 2 {
		sites = append(sites, nearRouters(res, s)...)
	}
	if len(sites) == 0 {
		sites = append(sites, s.LabelsAt.Site(""))
	}
	return sites
}

// nearRouters are the rules of the service that would fit a request but for a host that is none of the stack's;
// or else the one whose path is nearest; or else those that fit but for the host.
func nearRouters(res route.Result, s *deployment.Service) []source.Site {
	var strange, others []source.Site
	var nearest source.Site
	best := math.MaxInt
	for _, a := range res.Tried {
		hosts := a.Router.Hosts()
		switch {
		case a.Router.Container != s.Name || a.Router.Dropped != "" || a.Matched || len(hosts) == 0:
		case !a.Elsewhere && !strings.Contains(a.Why, "Host("):
			if far := farFrom(a.Why, res.Asked.Path); far < best {
				nearest, best = a.Router.Site, far
			}
		case s.Deployment().Routes().Match("GET", hosts[0], res.Asked.Path).Router != a.Router:
		case slices.ContainsFunc(hosts, s.Deployment().Serves):
			others = append(others, a.Router.Site)
		default:
			strange = append(strange, a.Router.Site)
		}
	}
	switch {
	case len(strange) > 0:
		return strange
	case best < math.MaxInt && res.Router == nil:
		return []source.Site{nearest}
	}
	return others
}

var ruleArgument = regex.Of("`([^`]*)`")

// farFrom is how many letters the nearest argument of a rule is away from a path or from its first segment.
func farFrom(rule, path string) int {
	far := math.MaxInt
	for _, g := range ruleArgument().FindAllStringSubmatch(rule, -1) {
		far = min(far, levenshtein.Distance(g[1], firstSegment(path), nil), levenshtein.Distance(g[1], path, nil))
	}
	return far
}

func firstSegment(path string) string {
	segment, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return "/" + segment + "/"
}

// portSite is the label that says to which port a request goes.
func portSite(res route.Result) source.Site {
	site := res.Backend.Site
	site.Note = "sends it to port " + res.Backend.Port
	return site
}

func answerer(res route.Result) string {
	switch {
	case res.Backend != nil:
		return res.Backend.Container
	case res.Router != nil && res.Tried != nil && res.Router.Rule != "" && res.Router.Explicit && res.Router.Service == "":
		return "the proxy itself by " + res.Router.Name
	case res.Router != nil:
		return "the router " + res.Router.Name
	}
	return "nobody"
}

// answererFor is answerer where a service is asked, but for another path than it serves.
func answererFor(res route.Result, s *deployment.Service) string {
	if res.Backend != nil && res.Backend.Container == s.Name && res.Redirect == "" && res.Path != res.Asked.Path && res.Path != "" {
		return fmt.Sprintf("%s, which is asked for %s,", s.Name, res.Path)
	}
	return answerer(res)
}

// reaches reports whether a request ends at a port on which the service listens, with the path unchanged if
// path is empty, otherwise with that path.
func reaches(res route.Result, s *deployment.Service, path string) bool {
	return res.Backend != nil && s.Is(res.Backend.Container) && res.Redirect == "" && (path == "" || res.Path == path)
}
