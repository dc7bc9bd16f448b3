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
		r.Fail(fmt.Sprintf("%s listens on %s only; Synapse cannot reach it from its own container", a.Name, host), lastKey(a.About.Host)+": 0.0.0.0", at.Site(""), reg.At("url").Site("Synapse looks for it here"))
	}
	if u, port, ok := d.Endpoint(a.Homeserver().Str()); ok && !a.NetworkMode.Set() {
		ls := a.Synapse.Listeners()
		switch {
		case deployment.Loopback(u.Hostname()):
			r.Fail(fmt.Sprintf("%s looks for Synapse in its own container, at %s", a.Name, u.Hostname()), a.Homeserver().Name()+": "+a.Synapse.ClientAddress(), a.Homeserver().Site(""))
		case slices.Contains(a.Synapse.Names(), u.Hostname()) && len(ls) > 0 && !slices.ContainsFunc(ls, func(l deployment.Listener) bool { return l.Port == port }):
			r.Fail(fmt.Sprintf("%s looks for Synapse on port %s, where it does not listen", a.Name, port), a.Homeserver().Name()+": "+a.Synapse.ClientAddress(), a.Homeserver().Site(""), ls[0].Value.Site("Synapse's listeners"))
		}
	}
	if name := a.Domain(); name.Set() && a.Synapse.Server.Set() && name.Str() != a.Synapse.Server.Str() {
		r.Fail(fmt.Sprintf("%s is configured for %s, and the server is %s; it claims users that there are not, and Synapse refuses them for %s", a.Name, name.Str(), a.Synapse.Server.Str(), id), name.Name()+": "+a.Synapse.Server.Str(), name.Site(""), a.Synapse.Server.Site("the server name"))
	}
}

func lastKey(dotted string) string { return dotted[strings.LastIndexByte(dotted, '.')+1:] }
