package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var appserviceAgrees = Rule{
	ID: "appservice-agrees", Severity: finding.Error,
	Summary: "a registration of any other appservice leads to a service that is there, and agrees with its own copy and configuration",
	Why:     "Synapse sends it nothing (\"push_bulk to http://… threw exception\"), or it is refused with M_UNKNOWN_TOKEN, or refuses what Synapse sends.",
	Fix:     "Write the same tokens into both copies, and the name and port of the service into url.",
	Source:  "Synapse 1.163.2 appservice/api.py; hookshot 7.5.0, heisenbridge 1.15.4, matrix-appservice-irc 4.0.0, -discord 4.0.0, -slack 2.1.2, mx-puppet-bridge, Meowlnir: their configuration",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			for _, reg := range s.Registrations {
				if d.BridgeOf(reg) == nil {
					checkRegisteredHost(r, d, s, reg)
				}
			}
		}
		var unknown []string
		var sites []source.Site
		for _, a := range d.Appservices {
			if a.Unseen != "" {
				unknown = append(unknown, a.Name)
				sites = append(sites, a.Registration.At("url").Site(""))
			}
			checkAppservice(r, d, a)
		}
		for _, a := range d.Beside() {
			for _, m := range a.Missing {
				r.Fail(fmt.Sprintf("%s is told to read its %s at %s, and nothing is mounted there; it does not start", a.Name, m.What, m.Path), "correct the path, or "+d.Lines.Mount("the file", m.Path), m.Sites...)
			}
			checkWebhooks(r, d, a)
		}
		if len(unknown) > 0 {
			r.NotChecked("the configuration of "+finding.Sentence(unknown, "and")+", to which registrations lead, was not read", sites...)
		}
	},
}

// checkRegisteredHost has a registration lead somewhere.
func checkRegisteredHost(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, reg *deployment.Registration) {
	v := reg.At("url")
	u, _, ok := deployment.Endpoint(v.Str())
	id := reg.At("id").Str()
	switch {
	case !ok || s.NetworkMode.Set():
	case deployment.Loopback(u.Hostname()) && !d.Inhabits(s.Service):
		if reg.Meant == nil {
			r.Warn(fmt.Sprintf("Synapse looks for the appservice %s in its own container, at %s; unless %s only sends, it misses all that Synapse has for it", id, u.Hostname(), id), "url: null, or an address at which Synapse's container reaches it", v.Site(""), s.Site(""))
			break
		}
		r.Fail(fmt.Sprintf("Synapse looks for the appservice %s in its own container, at %s; it sends it nothing", id, u.Hostname()), "url: http://"+reg.Meant.Name+":"+u.Port(), v.Site(""), s.Site(""), reg.Meant.Site("the appservice"))
	case d.ServiceAt(u.Hostname()) != nil || strings.ContainsAny(u.Hostname(), ".:") || deployment.Loopback(u.Hostname()):
	case s.MoreNames:
	default:
		r.Warn(fmt.Sprintf("no service here is called %s, where Synapse looks for the appservice %s; unless it runs in another stack of the same network, it is sent nothing", u.Hostname(), id), "url: http://the service that runs it:"+u.Port(), v.Site(""))
	}
}

func checkAppservice(r *Reporter, d *deployment.Deployment, a *deployment.Appservice) {
	reg, id := a.Registration, a.Registration.At("id").Str()
	for _, token := range []string{"as_token", "hs_token"} {
		own, seen := a.Tokens()[token]
		if theirs := reg.At(token); seen && own.Set() && theirs.Set() && own.Str() != theirs.Str() && own.Str() != "generate" {
			r.Fail(fmt.Sprintf("%s of %s differs from Synapse's registration; the one refuses what the other sends (M_UNKNOWN_TOKEN)", token, a.Name), "write the same token in both places", own.Site("its own"), theirs.Site("Synapse's differs"))
		}
	}
	if _, port, ok := d.Endpoint(reg.At("url").Str()); ok {
		if listens, at := a.Port(); listens != "" && listens != port {
			sites := []source.Site{reg.At("url").Site(""), a.Site("the service")}
			if at.Exists() {
				sites[1] = at.Site("its port")
			}
			r.Fail(fmt.Sprintf("Synapse looks for %s on port %s, but it listens on %s; Synapse sends it nothing", a.Name, port, listens), "url: http://"+a.Host()+":"+a.Outer(listens), sites...)
		}
	}
	if host, at := a.Listens(); deployment.Loopback(host) && !a.NetworkMode.Set() {
		fix, site := "listen on 0.0.0.0", a.Site("")
		if at.Path() != "" {
			fix, site = lastKey(a.About.Host)+": 0.0.0.0", at.Site("")
		}
		r.Fail(fmt.Sprintf("%s listens on %s only; Synapse cannot reach it from its own container", a.Name, host), fix, site, reg.At("url").Site("Synapse looks for it here"))
	}
	checkItsHomeserver(r, d, a)
	if name := a.Domain(); name.Set() && a.Synapse.Server.Set() && name.Str() != a.Synapse.Server.Str() {
		r.Fail(fmt.Sprintf("%s is configured for %s, and the server is %s; it claims users that there are not, and Synapse refuses them for %s", a.Name, name.Str(), a.Synapse.Server.Str(), id), name.Name()+": "+a.Synapse.Server.Str(), name.Site(""), a.Synapse.Server.Site("the server name"))
	}
}

// checkItsHomeserver has an appservice find Synapse.
func checkItsHomeserver(r *Reporter, d *deployment.Deployment, a *deployment.Appservice) {
	text, key, site := a.Homeserver()
	if at, none := a.Unaddressed(); none && !a.NetworkMode.Set() {
		r.Fail(fmt.Sprintf("%s is told no address of Synapse, and looks for it at http://localhost:8008, in its own container; nobody answers", a.Name), a.Synapse.ClientAddress()+" as the last word of its command", at)
		return
	}
	u, port, ok := d.Endpoint(text)
	if !ok || a.NetworkMode.Set() {
		return
	}
	ls, fix := a.Synapse.Listeners(), a.Synapse.ClientAddress()
	if key != "" {
		fix = key + ": " + fix
	}
	switch {
	case deployment.Loopback(u.Hostname()):
		r.Fail(fmt.Sprintf("%s looks for Synapse in its own container, at %s", a.Name, u.Hostname()), fix, site)
	case !a.About.HomeserverWord && slices.Contains(a.Synapse.Names(), u.Hostname()) && len(ls) > 0 && !slices.ContainsFunc(ls, func(l deployment.Listener) bool { return l.Port == port }):
		r.Fail(fmt.Sprintf("%s looks for Synapse on port %s, where it does not listen", a.Name, port), fix, site, ls[0].Value.Site("Synapse's listeners"))
	case !a.About.HomeserverWord && slices.Contains(a.Synapse.Names(), u.Hostname()) && u.Scheme == "https" && plain(ls, port):
		r.Fail(fmt.Sprintf("%s asks Synapse by https, which speaks plain HTTP on port %s; it never connects", a.Name, port), fix, site, ls[0].Value.Site("plain HTTP"))
	case strings.ContainsAny(u.Hostname(), ".:") || d.ServiceAt(u.Hostname()) != nil || d.Door(u.Hostname()) != nil || a.MoreNames:
	default:
		r.lostHost(d, u.Hostname(), fmt.Sprintf("%s looks for Synapse at %q, but the service is called %q; it never connects", a.Name, u.Hostname(), calls(a.Synapse.Service)), mend{text: fix},
			append([]source.Site{site}, deployment.NameSites(a.Synapse.Service)...)...)
	}
}

// plain reports whether something listens on that port, and without TLS.
func plain(ls []deployment.Listener, port string) bool {
	i := slices.IndexFunc(ls, func(l deployment.Listener) bool { return l.Port == port })
	return i >= 0 && !ls[i].Tls
}

// checkWebhooks has the address under which others call it lead to where it listens for them.
func checkWebhooks(r *Reporter, d *deployment.Deployment, a *deployment.Appservice) {
	v := a.Webhooks()
	u, _, ok := deployment.Endpoint(v.Str())
	if !ok || len(d.Routes().Routers) == 0 {
		return
	}
	path := strings.TrimSuffix(u.Path, "/") + "/hook"
	res := d.Routes().Match("POST", u.Hostname(), path)
	ls, known := d.Listeners(a.Service)
	switch {
	case !known || res.Unknown != "" || deployment.Loopback(u.Hostname()):
	case res.Backend == nil || !a.Is(res.Backend.Container):
		told, sites := "nobody answers there", []source.Site{v.Site("")}
		if res.Backend != nil {
			told, sites = res.Backend.Container+" answers there", append(sites, res.Router.Site)
		}
		r.Warn(fmt.Sprintf("%s tells people that webhooks are called at %s, and %s; none arrives", a.Name, u.Redacted(), told), "the address that is routed to "+a.Name, sites...)
	default:
		for _, l := range ls {
			if l.Port != a.BackendPort(*res.Backend) || l.Loopback { // traefik-port-listens says so
				continue
			}
			if !slices.Contains(l.Resources, a.About.Resource) {
				r.Fail(fmt.Sprintf("requests for webhooks come to port %s of %s, which is for other things; none is taken", l.Port, a.Name), "resources: ["+a.About.Resource+"]", l.Value.Site(""), v.Site("told to people"))
			} else if prefix := strings.TrimSuffix(l.Prefix, "/"); prefix == "" && res.Path != "/hook" && res.Path != "/webhook/hook" {
				r.Fail(fmt.Sprintf("requests for webhooks come to %s with the path %s, and it takes those below /webhook; each is a 404", a.Name, res.Path), "prefix: "+strings.TrimSuffix(strings.TrimSuffix(res.Path, "/hook"), "/webhook"), l.Value.Site(""), v.Site("told to people"))
			} else if !strings.HasPrefix(res.Path, prefix+"/") {
				r.Fail(fmt.Sprintf("requests for webhooks come to %s with the path %s, and it takes those below %s; each is a 404", a.Name, res.Path, prefix), "prefix: "+strings.TrimSuffix(strings.TrimSuffix(res.Path, "/hook"), "/webhook"), l.Value.At("prefix").Site(""), v.Site("told to people"))
			}
		}
	}
}

func lastKey(dotted string) string { return dotted[strings.LastIndexByte(dotted, '.')+1:] }
