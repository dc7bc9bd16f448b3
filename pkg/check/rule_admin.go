package check

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

var adminAPIsReached = Rule{
	ID: "admin-apis-reached", Severity: finding.Warning,
	Summary: "a page for administrators is held to the homeserver of the stack, and its requests reach the admin APIs",
	Why:     "The interface shows a login and then \"404\" or nothing: it is files for a browser, which asks https://MATRIX/_synapse/admin itself, and below MAS's address /api/admin/v1. Without a homeserver in its configuration anybody may use it for any.",
	Fix:     "restrictBaseUrl in its config.json is Synapse's public_baseurl; a route to /_synapse/admin/ for the networks of administrators; the resource adminapi on a listener of MAS.",
	Source:  "ketesa v1.4.0 docs/config.md, docs/external-auth-provider.md, docs/restrict-hs.md; MAS docs/topics/admin-api.md",
	Check: func(d *deployment.Deployment, r *Reporter) {
		if len(d.Synapses) != 1 {
			return // which of them it is for, nobody says
		}
		s := d.Synapses[0]
		for _, a := range d.Admins {
			list := a.Homeservers()
			if a.Hidden != "" {
				r.NotChecked(fmt.Sprintf("the configuration of %s cannot be seen: %s", a.Name, a.Hidden), a.MountSites(component.Of(component.Ketesa).Config.File)...)
			}
			i := slices.IndexFunc(list, func(v source.Value) bool { return leadsTo(s, v.Str()) })
			if a.Config == nil && a.Hidden == "" {
				misplaced(r, d, a)
			}
			if i >= 0 && strings.HasPrefix(list[i].Str(), "http://") {
				r.FailMend(a.Name+" is held to an address without https, which no browser asks from a page with it; nobody can log in", say(list[i], "https://"+strings.TrimPrefix(list[i].Str(), "http://")), list[i].Site(""))
			}
			switch {
			case len(list) == 0: // people type where they want to go
			case i < 0 && !slices.ContainsFunc(list, func(v source.Value) bool { return deferred(v.Str()) }) && s.MatrixHost() != "" && !s.Partial():
				r.Fail(fmt.Sprintf("%s is held to %s, and Synapse is %s; nobody can log in to this one there", a.Name, list[0].Str(), s.MatrixHost()),
					list[0].Name()+": https://"+s.MatrixHost(), list[0].Site(""), s.Config.At("public_baseurl").Site("Synapse's address"))
			case i >= 0:
				checkReached(r, d, s, a, list[i])
			}
		}
	},
}

// misplaced has a configuration that is mounted where the page does not look for it. Of one that is mounted there and does not exist,
// or cannot be read, others tell.
func misplaced(r *Reporter, d *deployment.Deployment, a *deployment.Admin) {
	at := component.Of(component.Ketesa).Config.File
	if slices.ContainsFunc(a.Mounts, func(m deployment.Mount) bool { return path.Clean(m.Container) == at }) {
		return
	}
	for _, m := range a.Mounts {
		if path.Base(m.Container) == path.Base(at) {
			r.Fail(fmt.Sprintf("%s is given a configuration at %s, and reads %s; it takes people to any homeserver", a.Name, m.Container, at), d.Lines.Mount("it", "there"), m.At.Site(""))
		}
	}
}

// leadsTo reports whether an address is one by which the homeserver is found: its own, or that of its server name, whose
// well-known file leads there.
func leadsTo(s *deployment.Synapse, address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Hostname() == s.MatrixHost() || u.Hostname() == s.Server.Str())
}

func checkReached(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, a *deployment.Admin, base source.Value) {
	if !d.HasRouters() {
		return // who is in front is not seen
	}
	const path = "/_synapse/admin/v1/server_version"
	res := d.Routes().Match("GET", s.MatrixHost(), path)
	if res.Unknown == "" && res.Tie == nil && (res.Backend == nil || !s.Is(res.Backend.Container)) && !d.Explained(s.Service, "GET", s.MatrixHost(), path) {
		r.Fail(fmt.Sprintf("%s asks %s%s, which is answered by %s and not by Synapse; it shows nothing", a.Name, s.MatrixHost(), path, answererFor(res, s.Service)),
			routeFix(d, s.MatrixHost(), s.Service, "/_synapse/admin/")+", for the networks of administrators alone", append([]source.Site{base.Site("")}, routerSites(res, s.Service)...)...)
	}
	for _, m := range d.MASs {
		host, path, ok := m.AdminAPI()
		if !ok {
			r.Fail(fmt.Sprintf("%s asks MAS for sessions, addresses and registration tokens, and no listener of MAS has the resource adminapi; all of that fails", a.Name),
				"- name: adminapi", append(resourceSites(m), base.Site("the interface"))...)
			continue
		}
		res := d.Routes().Match("GET", host, path)
		if res.Unknown == "" && res.Tie == nil && !servesAdmin(m, res) && !d.Explained(m.Service, "GET", host, path) {
			r.Fail(fmt.Sprintf("%s asks %s%s, which does not come to the resource adminapi of MAS; sessions, addresses and registration tokens cannot be had", a.Name, host, path),
				"a route to the listener of MAS that has adminapi", append([]source.Site{routerSite(res, m.Service)}, resourceSites(m)...)...)
		}
	}
}

func resourceSites(m *deployment.MAS) (sites []source.Site) {
	for _, l := range deployment.MasListeners(m) {
		sites = append(sites, l.Value.At("resources").Site("served on port "+l.Port))
	}
	if len(sites) == 0 {
		sites = append(sites, m.Config.At("http").Site(""))
	}
	return sites
}

// servesAdmin reports whether a request ends at the admin API of MAS.
func servesAdmin(m *deployment.MAS, res route.Result) bool {
	return res.Backend != nil && m.Is(res.Backend.Container) && slices.ContainsFunc(deployment.MasListeners(m), func(l deployment.Listener) bool {
		return l.Port == m.BackendPort(*res.Backend) && slices.Contains(l.Resources, "adminapi") && strings.HasPrefix(res.Path, l.Prefix+"api/admin/")
	})
}

// checkListed judges a way to one of the inner APIs that an allow-list guards. told says that this is all there is to say of it.
func checkListed(r *Reporter, list *route.Middleware, host, path string) (told bool) {
	networks := strings.Join(list.Allows, ", ")
	switch open := list.Stranger(); {
	case open != "":
		r.Fail(fmt.Sprintf("%s%s is reachable from %s, which holds strangers; it is meant for administrators alone", host, path, open),
			"the networks that administrators come from, such as 192.168.0.0/16", list.Site)
	case strings.HasPrefix(path, "/_synapse/mas/"), path == "/_synapse/replication":
		r.Warn(fmt.Sprintf("%s%s is reachable from %s, although no administrator asks for it; whoever has the secret can be anybody", host, path, networks),
			"a prefix of /_synapse/admin/ for what the allow-list guards", list.Site)
	default:
		return false
	}
	return true
}

// checkMASAdmin wants the admin API of MAS behind an allow-list where that of Synapse is.
func checkMASAdmin(r *Reporter, d *deployment.Deployment, synapse *route.Middleware) {
	for _, m := range d.MASs {
		host, path, ok := m.AdminAPI()
		if !ok {
			continue
		}
		res := d.Routes().Match("GET", host, path)
		if res.Unknown != "" || res.Redirect != "" || res.Refused != "" || !servesAdmin(m, res) {
			continue
		}
		guards := d.Guards(res)
		i := slices.IndexFunc(guards, func(g *route.Middleware) bool { return g.Allows != nil })
		switch {
		case len(guards) == 0:
			r.Warn(fmt.Sprintf("%s%s is reachable for everybody, and Synapse's admin API only from %s", host, path, strings.Join(synapse.Allows, ", ")),
				"the same allow-list on a route to "+strings.TrimSuffix(path, "v1/users"), routerSite(res, m.Service), synapse.Site)
		case i >= 0:
			checkListed(r, guards[i], host, path)
		}
	}
}
