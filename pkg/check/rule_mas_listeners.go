package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// asked are those that nobody else can serve, and what is missing without them. compat has mas-compat-listener,
// and the files of assets may come from elsewhere.
var asked = map[string]string{
	"discovery": "Synapse and clients find no login (503)",
	"human":     "the login page is a 404",
	"oauth":     "every request with a token fails with 503",
	"graphql":   "nobody can see or end their sessions in the account page",
}

// misbound is a reason why a port of MAS is not there: what is wrong, and what to write.
type misbound struct {
	value        source.Value
	message, fix string
}

// misbound lists what keeps MAS from listening where it is asked.
func misboundOf(m *deployment.MAS) []misbound {
	http := m.Config.At("http")
	if !http.Set() {
		return nil // MAS then has listeners of its own: masListeners
	}
	listeners := http.At("listeners")
	if listeners.Len() == 0 {
		if m.ReadsMore() {
			return nil
		}
		return []misbound{{
			listeners, "the http block of MAS has no listeners, and with the block MAS has none of its own; no port is open",
			`listeners: [{resources: [{name: discovery}, {name: human}, {name: oauth}, {name: compat}, {name: graphql}, {name: assets}], binds: [{address: "[::]:8080"}]}]`,
		}}
	}
	var wrong []misbound
	for _, l := range listeners.Items() {
		if l.At("resources").Len() == 0 {
			wrong = append(wrong, misbound{l.At("resources"), "a listener of MAS has no resources; MAS does not start", "resources: [{name: health}]"})
		}
		if l.At("binds").Len() == 0 {
			wrong = append(wrong, misbound{l.At("binds"), "a listener of MAS binds to no address; MAS does not start", `binds: [{address: "[::]:8080"}]`})
		}
	}
	all := deployment.MasListeners(m)
	for i, l := range all {
		if j := slices.IndexFunc(all[:i], func(o deployment.Listener) bool { return bindsTwice(o, l) }); j >= 0 {
			wrong = append(wrong, misbound{l.HostAt(), fmt.Sprintf("two binds of MAS's listeners have port %s; MAS does not start (could not bind address: Address already in use)", l.Port), "another port for one of them"})
			break
		}
	}
	for _, resource := range deployment.Facing {
		inside, outside := m.Listening(resource)
		if consequence := asked[resource]; consequence != "" && len(inside)+len(outside) == 0 && !misnamed(m) && !m.ReadsMore() {
			wrong = append(wrong, misbound{m.Widest(), fmt.Sprintf("no listener of MAS serves %s; %s", resource, consequence), "- name: " + resource})
			break
		}
		if len(outside) == 0 && len(inside) > 0 {
			wrong = append(wrong, misbound{
				inside[0].HostAt(), fmt.Sprintf("MAS serves %s on its own loopback address only; nobody reaches it there (connection refused)", resource), inside[0].Everywhere(),
			})
			break
		}
	}
	return wrong
}

// bindsTwice reports whether two listeners have the same port of an address: [::] is every one, 0.0.0.0 every one of IPv4.
func bindsTwice(a, b deployment.Listener) bool {
	every := func(host string) bool { return host == "" || host == "::" }
	v4 := func(host string) bool {
		addr, err := netip.ParseAddr(host)
		return err == nil && addr.Is4()
	}
	port, err := strconv.Atoi(a.Port)
	return err == nil && port > 0 && a.Port == b.Port &&
		(a.Host == b.Host || every(a.Host) || every(b.Host) || a.Host == "0.0.0.0" && v4(b.Host) || b.Host == "0.0.0.0" && v4(a.Host))
}

// everywhere is the fix of an address that MAS listens on, where the value is that address.
func everywhere(v source.Value, fix string) mend {
	return unless(v.Name() != "host" && v.Name() != "address" || !strings.HasPrefix(fix, v.Name()+": "), line(v, fix))
}

// unheard reports whether mas-listeners-bound, or mas-known-keys about a resource, says why MAS may not answer.
// Rules that look for a listener say nothing then.
func unheard(m *deployment.MAS) bool {
	return len(misboundOf(m)) > 0 || misnamed(m)
}

// misnamed reports whether a listener has a resource that MAS does not know: mas-known-keys says so.
func misnamed(m *deployment.MAS) bool {
	known := wordsOf(masKeys().At("http", "listeners", "0", "resources", "0", "name"))
	return slices.ContainsFunc(deployment.MasListeners(m), func(l deployment.Listener) bool {
		return slices.ContainsFunc(l.Resources, func(name string) bool { return !slices.Contains(known, name) })
	})
}

var masListenersBound = Rule{
	ID: "mas-listeners-bound", Severity: finding.Error,
	Summary: "MAS has listeners, each with resources and an address, and what others ask for is not on loopback",
	Why:     "Traefik answers 502 Bad Gateway and Synapse 503, for the port refuses connections; or MAS stops with \"listener has no resources\", \"listener does not bind to any address\" or \"could not bind address\".",
	Fix:     "Write http.listeners with resources and binds. The default listeners are only there without an http block.",
	Source:  "MAS crates/config/src/sections/http.rs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			for _, w := range misboundOf(m) {
				r.FailMend(w.message, everywhere(w.value, w.fix), w.value.Site(""))
			}
			for _, l := range deployment.MasListeners(m) {
				if m.Lacks(l.Host) {
					r.WarnMend(fmt.Sprintf("MAS listens on %s, which %s does not give its container; MAS does not start unless %s happens to", l.Host, d.Lines.File, d.Lines.Engine), everywhere(l.HostAt(), l.Everywhere()), l.HostAt().Site(""))
				}
			}
			if http := m.Config.At("http"); http.Set() && !http.At("public_base").Set() && !m.ReadsMore() {
				r.Fail("http has no public_base, which MAS wants with the block; MAS does not start (missing field `public_base`)",
					"public_base: the https address of MAS, with a slash at its end", http.At("public_base").Site(""))
			}
		}
	},
}

var masCompatListener = Rule{
	ID: "mas-compat-listener", Severity: finding.Error,
	Summary: "the listener that the compat router reaches serves compat at the path it is asked for",
	Why:     "Older clients cannot log in: /_matrix/client/v3/login is a 404 from MAS, although it is routed there.",
	Fix:     "Mount compat on the listener whose port the router names. With a prefix on that listener, add the prefix to the path in Traefik.",
	Source:  "MAS crates/router/src/endpoints.rs, crates/cli/src/server.rs build_router",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.Pairs(func(s *deployment.Synapse, m *deployment.MAS) {
			inside, outside := m.Listening("compat")
			switch {
			case unheard(m):
			case len(inside)+len(outside) == 0:
				r.Fail("no listener of MAS serves compat; older clients and bridges cannot log in", "- name: compat", m.Widest().Site(""))
			case d.HasRouters():
				for _, host := range s.Hosts() {
					if checkCompatListener(r, d, m, host) {
						return
					}
				}
			}
		})
	},
}

// allAstray reports whether what MAS advertises goes to the port, too, and that serves nothing of it.
func allAstray(d *deployment.Deployment, m *deployment.MAS, port string) bool {
	u, _, ok := m.Base()
	if !ok || slices.ContainsFunc(deployment.MasListeners(m), func(l deployment.Listener) bool {
		return l.Port == port && slices.ContainsFunc(deployment.Facing, func(name string) bool { return slices.Contains(l.Resources, name) })
	}) {
		return false
	}
	res := d.Routes().Match("GET", u.Hostname(), u.JoinPath(".well-known/openid-configuration").Path)
	return reaches(res, m.Service, "") && res.Backend.Port == port
}

// checkCompatListener holds the listeners against what arrives of the first path that a host sends to MAS, and
// reports whether it found something.
func checkCompatListener(r *Reporter, d *deployment.Deployment, m *deployment.MAS, host string) bool {
	for _, p := range compatPaths {
		res := d.Routes().Match(p.method, host, p.path)
		if res.Unknown != "" || !reaches(res, m.Service, "") || m.Serves("compat", strings.TrimPrefix(p.path, "/"), res) || d.Explained(m.Service, p.method, host, p.path) {
			continue // where it does not reach MAS at all, compat-router-wins says so
		}
		if allAstray(d, m, res.Backend.Port) {
			continue // mas-path-routing says so
		}
		sites := []source.Site{routerSite(res, m.Service)}
		fix := "send the router to the port of that listener"
		_, outside := m.Listening("compat")
		for _, l := range outside {
			sites = append(sites, l.Sites(fmt.Sprintf("serves compat on port %s below %s", l.Port, l.Prefix))...)
			if l.Port == res.Backend.Port && l.Prefix != "/" {
				fix = "a router middleware addprefix.prefix=" + strings.TrimSuffix(l.Prefix, "/") + ", or compat on a listener without prefix"
			}
			if l.Port == res.Backend.Port && res.Path != p.path {
				fix = "leave the path of this router as it is"
			}
		}
		sites = append(sites, portSite(res))
		r.Fail(fmt.Sprintf("%s %s%s arrives at MAS as %s on port %s, where no listener serves compat; older clients cannot log in (404)", p.method, host, p.path, res.Path, res.Backend.Port), fix, sites...)
		return true
	}
	return false
}
