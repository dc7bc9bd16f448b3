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

var turnReachable = Rule{
	ID: "turn-reachable", Severity: finding.Error,
	Summary: "the addresses of the relay that Synapse hands out lead to coturn, and so do the ports that coturn relays on",
	Why:     "Calls between two networks that need the relay ring and stay silent: nothing answers at the address, or coturn hands out ports, or an address of its container, that nobody outside can reach.",
	Fix:     "Publish the listening port over tcp and udp and the range from min-port to max-port over udp, one to one, or put coturn on the host's network.",
	Source:  "coturn 4.17.1 src/apps/relay/mainrelay.c, docker/coturn; Synapse docs/setup/turn/coturn.md",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, t := range d.TurnServers() {
			var uris []deployment.TurnURI
			for _, s := range d.Synapses {
				if all := s.TurnURIs(); means(s, t, all) {
					uris = append(uris, all...)
				}
			}
			if len(uris) == 0 {
				continue
			}
			if t.Hidden != "" {
				r.NotChecked("whether coturn can be reached was not looked at: "+t.Hidden, t.Site)
				continue
			}
			spoken := checkTransports(r, t, uris)
			checkTurnAddress(r, t)
			for _, s := range d.Synapses {
				for _, v := range deployment.Listed(s.Config.At("turn_uris")) {
					if kind, rest, _ := strings.Cut(v.Str(), ":"); strings.HasPrefix(rest, "//") && strings.HasPrefix(strings.ToLower(kind), "turn") && !deferred(v.Str()) {
						r.Fail(fmt.Sprintf("%q is no address of a relay: it has none of the slashes that a website has; browsers refuse it, and every call with it", v.Str()), kind+":"+strings.TrimPrefix(rest, "//"), v.Site(""))
						continue
					}
					if kind, _, _ := strings.Cut(v.Str(), ":"); !slices.Contains([]string{"turn", "turns", "stun", "stuns"}, strings.ToLower(kind)) && !deferred(v.Str()) {
						r.Warn(fmt.Sprintf("%q is no address of a relay; clients pass over it", v.Str()), "turn:HOST:PORT?transport=udp", v.Site(""))
					}
				}
			}
			// On a network of another kind the container may have an address that all can reach.
			if d.Bridged(t.Service) && !t.HasLabel("traefik.tcp") && !t.HasLabel("traefik.udp") {
				checkTurnPorts(r, t, uris, spoken)
			}
		}
	},
}

// checkTurnAddress has an address that is one of a network at home or in a company.
func checkTurnAddress(r *Reporter, t deployment.TurnServer) {
	for _, o := range t.All("external-ip") {
		outer, _, _ := strings.Cut(o.Value, "/")
		if ip, err := netip.ParseAddr(outer); err == nil && (ip.IsPrivate() || ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast()) {
			r.Warn(fmt.Sprintf("external-ip is %s; unless all who call are in the network of that address, nobody reaches what coturn hands out", ip), "external-ip=the address that others reach this host by", o.Site)
		}
	}
}

// mute is an address in a way to talk that coturn does not speak.
type mute struct {
	deployment.TurnURI
	why, fix string
	at       source.Site
}

// checkTransports has the ways to talk that coturn is told not to speak. It gives the other addresses.
func checkTransports(r *Reporter, t deployment.TurnServer, uris []deployment.TurnURI) (spoken []deployment.TurnURI) {
	var all []mute
	for _, u := range uris {
		_, cert := t.Last("cert")
		_, key := t.Last("pkey")
		off := ""
		switch {
		case u.Secure && t.On("no-tls"):
			off = "no-tls"
		case u.Secure && (!cert || !key):
			all = append(all, mute{u, "coturn speaks no TLS without a cert and a pkey", "cert and pkey, or remove the address", t.Site})
			continue
		case u.Transport == "udp" && t.On("no-udp"):
			off = "no-udp"
		case u.Transport == "tcp" && !u.Secure && t.On("no-tcp"):
			off = "no-tcp"
		default:
			spoken = append(spoken, u)
			continue
		}
		o, _ := t.Last(off)
		all = append(all, mute{u, "coturn has " + off, "remove one of the two", o.Site})
	}
	for len(all) > 0 {
		why := all[0].why
		same := func(m mute) bool { return m.why == why }
		var together []mute
		for _, m := range all {
			if same(m) {
				together = append(together, m)
			}
		}
		all = slices.DeleteFunc(all, same)
		severally(r, together, func(m mute) []source.Site { return []source.Site{m.At.Site(""), m.at} }, func(r *Reporter, list []mute) {
			var sites []source.Site
			for _, m := range list {
				sites = append(sites, m.At.Site(""))
			}
			these := map[bool]string{true: "this address", false: "these addresses"}[len(list) == 1]
			r.Warn(fmt.Sprintf("%s; a client that tries %s gets no relay there", list[0].why, these), list[0].fix, append(sites, list[0].at)...)
		})
	}
	return spoken
}

// checkTurnPorts looks who reaches the addresses, of which coturn speaks some.
func checkTurnPorts(r *Reporter, t deployment.TurnServer, uris, spoken []deployment.TurnURI) {
	list := t.Spans
	if !t.SpansKnown {
		r.NotChecked("the ports of coturn stand behind a variable", t.Site)
		return
	}
	site := t.PortsAt.Site("")
	if len(list) == 0 {
		ports := []string{}
		sites := []source.Site{site}
		for _, u := range uris {
			if at := u.Port + " over " + u.Transport; !slices.Contains(ports, at) {
				ports, sites = append(ports, at), append(sites, u.At.Site("handed out"))
			}
		}
		report := r.Fail
		if !slices.ContainsFunc(uris, func(u deployment.TurnURI) bool { return !deployment.Loopback(u.Host) }) {
			report = r.Warn // a stack to try things with, whose ports something else may hand on
		}
		report("coturn publishes no port, and Synapse hands out "+finding.Sentence(ports, "and")+" of it; calls over the relay stay silent",
			"publish the ports, and those from min-port to max-port over udp", sites...)
		return
	}
	for _, o := range t.All("listening-port", "tls-listening-port") {
		if o.Open || strings.Contains(o.Value, "$") {
			r.NotChecked("the port that coturn listens on stands behind a variable", o.Site)
			return
		}
	}
	// coturn speaks both on either port.
	ports := []string{t.Port("listening-port", "3478"), t.Port("tls-listening-port", "5349")}
	missed := make(map[string][]deployment.TurnURI)
	var order []string
	for _, u := range spoken {
		n, _ := strconv.Atoi(u.Port)
		if !slices.ContainsFunc(list, func(p deployment.PortSpan) bool {
			return p.Protocol == u.Transport && p.First <= n && n <= p.Last && slices.Contains(ports, strconv.Itoa(p.To+n-p.First))
		}) && !slices.ContainsFunc(missed[u.Port], func(o deployment.TurnURI) bool { return o.Transport == u.Transport }) {
			if len(missed[u.Port]) == 0 {
				order = append(order, u.Port)
			}
			missed[u.Port] = append(missed[u.Port], u)
		}
	}
	for _, port := range order {
		severally(r, missed[port], func(u deployment.TurnURI) []source.Site { return []source.Site{site, u.At.Site("")} }, func(r *Reporter, list []deployment.TurnURI) {
			var over, fix []string
			sites := []source.Site{site}
			for _, u := range list {
				over, fix, sites = append(over, u.Transport), append(fix, t.Lines().Port(port, ports[0], u.Transport)), append(sites, u.At.Site("handed out"))
			}
			r.Fail(fmt.Sprintf("Synapse hands out port %s over %s of the relay, where coturn is not reached; it listens on %s", port, finding.Sentence(over, "and"), finding.Sentence(ports, "and")),
				finding.Sentence(fix, "and"), sites...)
		})
	}
	first, err := strconv.Atoi(t.Port("min-port", "49152"))
	last, err2 := strconv.Atoi(t.Port("max-port", "65535"))
	if err != nil || err2 != nil {
		return
	}
	got := 0
	for _, p := range list {
		if p.Protocol == "udp" && p.First == p.To {
			got += max(0, min(last, p.Last)-max(first, p.First)+1)
		}
	}
	span := fmt.Sprintf(`- "%d-%d:%d-%d/udp"`, first, last, first, last)
	switch {
	case got == 0:
		r.Fail(fmt.Sprintf("coturn relays on the ports %d to %d, none of which is published; calls over the relay stay silent", first, last), span, site, t.Site)
	case got < last-first+1:
		r.Warn(fmt.Sprintf("coturn relays on the ports %d to %d, of which %d are published; calls over the others stay silent", first, last, got), span, site, t.Site)
	}
	if _, set := t.Last("external-ip"); !set && len(t.CommandWords()) > 0 {
		if detect, _ := t.Env("DETECT_EXTERNAL_IP"); detect == "" {
			r.Warn("coturn is told no external-ip and its command leaves out the one that its image finds; it hands out the address of its container", "external-ip=the address of the host", t.Site)
		}
	}
}
