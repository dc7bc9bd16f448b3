package check

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

var elementConfigured = Rule{
	ID: "element-configured", Severity: finding.Error,
	Summary: "Element Web is given a configuration that names a homeserver in one of the three ways",
	Why:     "The page shows \"Your Element is misconfigured\" instead of a login. Where no file is mounted at all, the one in the image offers matrix.org, and nobody is told.",
	Fix:     "Mount a config.json at /app/config.json with default_server_config alone.",
	Source:  "element-web v1.12.30 apps/web/src/vector/app.tsx (verifyServerConfig), apps/web/src/IConfigOptions.ts, apps/web/Dockerfile",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, e := range d.Elements {
			for _, f := range e.Configs {
				if !json.Valid(f.Src) && !deferred(string(f.Src)) {
					r.Fail("the configuration is no JSON, however well YAML takes it: a comma too many, a comment, or a text without quotes; Element Web shows \"Your Element configuration contains invalid JSON\"", "see what `jq . "+f.Path+"` says", invalidAt(f))
				}
				checkElementServer(r, d, f)
			}
			at := e.Component().Config.File
			switch {
			case len(e.Configs) > 0:
			case e.Hidden != "":
				r.NotChecked(fmt.Sprintf("the configuration of %s, %s in its container, cannot be seen: %s", e.Name, at, e.Hidden), e.MountSites(at)...)
			default:
				host, _ := e.HostPath(at)
				if host == "" || !d.Faulty(host) && !mountMissed(d, e.Service, host) {
					r.Warn(fmt.Sprintf("%s has no configuration at %s; it serves the one in its image, which leads people to matrix.org", e.Name, at), d.Lines.Mount("a config.json", "there"), e.MountSites(at)...)
				}
			}
		}
	},
}

// invalidAt is the place at which a text is no JSON any more.
func invalidAt(f *source.File) source.Site {
	var any any
	site := f.Root().Site("")
	var syntax *json.SyntaxError
	if err := json.Unmarshal(f.Src, &any); errors.As(err, &syntax) {
		before := string(f.Src[:max(0, min(int(syntax.Offset)-1, len(f.Src)))])
		line := strings.Count(before, "\n") + 1
		site.Line, site.Col = line, len([]rune(before[strings.LastIndexByte(before, '\n')+1:]))+1
	}
	return site
}

// serverKeys are the ways to name a homeserver: the first two go together, the last one stands alone.
var serverKeys = []string{"default_server_config", "default_server_name", "default_hs_url"}

func checkElementServer(r *Reporter, d *deployment.Deployment, f *source.File) {
	var named []source.Value
	for _, key := range serverKeys {
		if v := f.At(key); v.Set() {
			named = append(named, v)
		}
	}
	base := elementBase(f)
	u, err := url.Parse(base.Str())
	fix := `default_server_config: {"m.homeserver": {"base_url": "https://…"}}`
	switch last := len(named) - 1; {
	case last < 0:
		r.Fail("the configuration names no homeserver; Element Web shows that it is misconfigured, and no login", fix, f.Root().Site(""))
	case last > 0 && named[last].Name() == serverKeys[2]:
		r.Fail(fmt.Sprintf("default_hs_url stands beside %s; Element Web shows that it is misconfigured, and no login", named[0].Name()), "remove default_hs_url", named[last].Site(""), named[0].Site("names it, too"))
	case named[0].Name() == serverKeys[0] && base.Str() == "":
		r.Fail("default_server_config names no base_url; Element Web shows that it is misconfigured, and no login", fix, named[0].Site(""))
	case base.Set() && !deferred(base.Str()) && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http"):
		if by := d.Scripts.Fill(f.Path, base.Str()); by != "" {
			r.NotChecked(fmt.Sprintf("%s may put another value in the place of %s in %s", by, base.Name(), f.Path), base.Site(""))
			return
		}
		r.Fail(base.Name()+" is no address; Element Web shows that it is misconfigured, and no login", base.Name()+": https://…", base.Site(""))
	}
}

// elementBase is the address of the homeserver in Element Web's configuration; absent where it gives only a name.
func elementBase(f *source.File) source.Value {
	if v := f.At("default_server_config", "m.homeserver", "base_url"); v.Set() {
		return v
	}
	return f.At("default_hs_url")
}

// deferred reports whether a text holds a variable, for which a value may be put before a browser sees it.
func deferred(text string) bool { return strings.Contains(text, "$") || strings.Contains(text, "{{") }

var elementServerAgrees = Rule{
	ID: "element-server-agrees", Severity: finding.Warning,
	Summary: "Element Web leads to the homeserver of the stack, by the name that it has itself",
	Why:     "The login page asks a host where no homeserver answers, or one that browsers may not ask from an https page; or it shows another server's name.",
	Fix:     "Make base_url Synapse's public_baseurl, and server_name its server_name.",
	Source:  "element-web v1.12.30 apps/web/src/vector/app.tsx, docs/config.md; element-web#15467, #11154",
	Check: func(d *deployment.Deployment, r *Reporter) {
		if len(d.Synapses) != 1 {
			return // which of them it is for, or whether it is for another, nobody says
		}
		for _, e := range d.Elements {
			for _, f := range e.Configs {
				checkElementAgrees(r, d, d.Synapses[0], f)
			}
		}
	},
}

func checkElementAgrees(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, f *source.File) {
	base, name, server := elementBase(f), f.At("default_server_config", "m.homeserver", "server_name"), s.Server
	u, err := url.Parse(base.Str())
	if err != nil || u.Hostname() == "" || deferred(base.Str()+name.Str()) || server.Str() == "" || s.Partial() {
		return
	}
	host := u.Hostname()
	ours := host == s.MatrixHost()
	res := d.Routes().Match("GET", host, "/_matrix/client/versions")
	reaches := res.Backend != nil && res.Backend.Container == s.Name
	public := s.Config.At("public_baseurl")
	switch {
	case !ours && !reaches && name.Str() != server.Str(), deployment.Loopback(host):
		return // it is for another homeserver, or for a developer
	case u.Scheme == "http":
		address := "https://" + u.Host + u.Path
		r.FailMend("base_url is http; no browser asks it from an https page, and on any other Element Web can encrypt nothing", unless(!ours || u.Port() != "" || !strings.HasPrefix(public.Str(), "https:"), say(base, address)), base.Site(""))
	case !ours && !reaches && d.HasRouters() && res.Tie == nil && !d.Explained(s.Service, "GET", host, "/_matrix/client/versions"):
		r.Fail(fmt.Sprintf("Element Web asks %s, and Synapse is %s; unless another proxy sends the one to the other, nobody gets in", host, s.MatrixHost()), base.Name()+": https://"+s.MatrixHost(), base.Site(""), public.Site("Synapse's address"))
	case !ours && !reaches && !d.HasRouters():
		r.NotChecked(fmt.Sprintf("Element Web asks %s, and Synapse is %s: whether the one leads to the other cannot be seen", host, s.MatrixHost()), base.Site(""), public.Site("Synapse's address"))
	case ours && strings.Trim(u.Path, "/") != "" && strings.Trim(pathOf(public.Str()), "/") != strings.Trim(u.Path, "/"):
		r.Fail(fmt.Sprintf("base_url has the path %s, behind which no homeserver answers: Element Web puts /_matrix/… behind it; nobody gets in", u.Path), base.Name()+": https://"+s.MatrixHost(), base.Site(""), public.Site("Synapse's address"))
	case name.Set() && name.Str() != server.Str():
		r.FailMend(fmt.Sprintf("Element Web calls the server %q, and it is %s; people see and pass on a name that leads elsewhere", name.Str(), server.Str()), say(name, server.Str()), name.Site(""), server.Site("its name"))
	}
}

var elementOwnHost = Rule{
	ID: "element-own-host", Severity: finding.Warning,
	Summary: "Element Web has a host of its own, where no homeserver answers",
	Why:     "Media that somebody sends is served from the origin of the client. One hole in how it is served, and it reads the keys and messages of whoever opens it.",
	Fix:     "Give Element Web a host of its own, such as element.example.org.",
	Source:  "element-web README.md, Important Security Notes",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, e := range d.Elements {
			for _, s := range d.Synapses {
				for _, host := range s.Hosts() {
					page, api := d.Routes().Match("GET", host, "/"), d.Routes().Match("GET", host, "/_matrix/media/v3/download/a/b")
					if page.Backend != nil && page.Backend.Container == e.Name && page.Redirect == "" && api.Backend != nil && api.Backend.Container == s.Name {
						r.Fail(fmt.Sprintf("%s and Synapse are both on %s; what people send is of the same origin as the client, and a hole in one is a hole in the other", e.Name, host),
							"a host of its own for "+e.Name, page.Router.Site, api.Router.Site)
						break
					}
					if router := routerTo(d, host, e.Name); router != nil && api.Backend != nil && api.Backend.Container == s.Name {
						r.Fail(fmt.Sprintf("%s is below a path of %s, where Synapse answers; what people send is of the same origin as the client, and a hole in one is a hole in the other", e.Name, host),
							"a host of its own for "+e.Name, router.Site, api.Router.Site)
						break
					}
				}
			}
		}
	},
}

// elementFixed are the advisories of Element Web by the release that fixes each.
var elementFixed = []advisory{
	{id: "GHSA-wqmv-r2qj-2j9p", fixed: component.Version{1, 12, 28}},
	{id: "GHSA-9r5h-8m2x-w7q6", fixed: component.Version{1, 12, 27}},
}

var elementKnownVulnerabilities = Rule{
	ID: "element-known-vulnerabilities", Severity: finding.Warning,
	Summary: "no vulnerability of Element Web is published that the tagged release has",
	Why:     "Whoever can send a message, or lead somebody to a link, can read the advisory as well.",
	Fix:     "Take the release that the message names, or a later one.",
	Source:  "element-web CHANGELOG.md up to v1.12.30: the advisories since 1.12.27",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, e := range d.Elements {
			v, ok := e.Image.Version()
			if holes := holesOf(elementFixed, v); ok && len(holes) > 0 {
				r.Fail(published("Element Web "+e.Image.Tag, holes, ""), e.ImageLine(component.Of(component.Element).Tested), e.ImageAt.Site(""))
			}
		}
	},
}

// deadKeys are keys of Element Web's configuration that it does not read any more.
var deadKeys = []struct {
	path  []string
	since component.Version
	why   string
}{
	{[]string{"element_call", "url"}, component.Version{1, 12, 24}, "it runs the Element Call that it comes with"},
	{[]string{"features", "feature_group_calls"}, component.Version{1, 12, 24}, "calls are on, unless element_call.disable is"},
}

var elementKnownKeys = Rule{
	ID: "element-known-keys", Severity: finding.Warning,
	Summary: "the configuration of Element Web has no key that its release no longer reads",
	Why:     "What the key once switched on or pointed elsewhere does nothing now, without a word.",
	Fix:     "Remove the key.",
	Source:  "element-web v1.12.30 apps/web/src/IConfigOptions.ts, CHANGELOG.md of 1.12.24",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, e := range d.Elements {
			v, ok := e.Image.Version()
			for _, f := range e.Configs {
				for _, dead := range deadKeys {
					if at := f.At(dead.path...); at.Set() && ok && !v.Less(dead.since) {
						r.Fail(fmt.Sprintf("Element Web reads no %s since %s; %s", at.Path(), dead.since, dead.why), "remove "+at.Path(), at.Site(""), e.ImageAt.Site("its image"))
					}
				}
			}
		}
	},
}

// routerTo is a router for that host which leads to a container; nil where there is none.
func routerTo(d *deployment.Deployment, host, container string) *route.Router {
	for _, router := range d.Routes().Routers {
		if router.To != nil && router.Dropped == "" && !strings.Contains(router.Rule, "well-known") && slices.Contains(router.Hosts(), host) && slices.ContainsFunc(router.To.Backends, func(b route.Backend) bool { return b.Container == container }) {
			return router
		}
	}
	return nil
}

// pathOf is the path of an address; "" where it is none.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Path
}
