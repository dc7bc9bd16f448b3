package check

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var rtcMediaReachable = Rule{
	ID: "rtc-media-reachable", Severity: finding.Error,
	Summary: "sound and pictures reach LiveKit: its ports are published under their own numbers, from one network, at an address that clients can reach",
	Why:     "The call begins, and everybody sees \"waiting for media\": clients send to the numbers and the address that LiveKit tells them, and nobody is there. From a second network its answers come from another address, and no side says a word.",
	Fix:     "Publish rtc.udp_port over udp and rtc.tcp_port over tcp one to one, put LiveKit into one network, and write use_external_ip: true or a node_ip.",
	Source:  "livekit-server v1.13.11 config-sample.yaml; mediatransportutil pkg/rtcconfig; matrix-docker-ansible-deploy#4958",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, l := range d.LiveKits {
			if l.Hidden != "" || !d.Bridged(l.Service) && l.NetworkMode.Set() {
				continue
			}
			rtc := l.Config.At("rtc")
			checkOwnRelay(r, l)
			checkMediaPorts(r, l, rtc)
			checkMediaAddress(d, r, l, rtc)
			filtered := rtc.At("interfaces").Set() || rtc.At("ips").Set()
			if len(l.Networks) > 1 && !filtered {
				r.Warn(fmt.Sprintf("%s is in the networks %s; its answers to calls come from the address in one of them, and clients wait for another", l.Name, finding.Sentence(l.Networks, "and")),
					"one network, which the proxy and lk-jwt-service are in, too; or rtc.ips.includes with the range of one of them", l.NetworksAt.Site(""))
			}
		}
	},
}

// checkOwnRelay has a relay of LiveKit's own that stops it (pkg/service/turn.go).
func checkOwnRelay(r *Reporter, l *deployment.LiveKit) {
	turn := l.Config.At("turn")
	port := turn.At("tls_port")
	if n, ok := port.Int(); !turn.At("enabled").True() || !ok || n <= 0 {
		return
	}
	switch {
	case !turn.At("domain").Set():
		r.Fail("turn has a tls_port and no domain; LiveKit does not start (TURN domain required)", "domain: turn.example.org", port.Site(""))
	case !turn.At("external_tls").True() && (!turn.At("cert_file").Set() || !turn.At("key_file").Set()):
		r.Fail("turn has a tls_port and no certificate; LiveKit does not start (TURN tls cert required)", "cert_file and key_file, or external_tls: true where the proxy has the certificate", port.Site(""))
	}
}

// checkMediaPorts has ports for calls that are not published under their own numbers.
func checkMediaPorts(r *Reporter, l *deployment.LiveKit, rtc source.Value) {
	if !l.SpansKnown {
		r.NotChecked("the ports of "+l.Name+" stand behind a variable", l.PortsAt.Site(""))
		return
	}
	site := l.PortsAt.Site("")
	lacks := func(first, last int, protocol string, at source.Value) {
		got := 0
		for _, p := range l.Outside() {
			if p.Protocol == protocol && p.First == p.To {
				got += max(0, min(last, p.Last)-max(first, p.First)+1)
			}
		}
		what, line := fmt.Sprintf("port %d over %s, which is not published under that number", first, protocol), l.Lines().Port(strconv.Itoa(first), strconv.Itoa(first), protocol)
		if last > first {
			span := fmt.Sprintf("%d-%d", first, last)
			what, line = fmt.Sprintf("the ports %d to %d over %s, which are not published under these numbers", first, last, protocol), l.Lines().Port(span, span, protocol)
		}
		report, effect := r.Fail, "nobody hears or sees anything"
		switch {
		case got == last-first+1:
			return
		case got > 0:
			what = fmt.Sprintf("the ports %d to %d over %s, of which %d are published", first, last, protocol, got)
			report, effect = r.Warn, "calls over the others stay silent"
		case protocol == "tcp":
			report, effect = r.Warn, "whoever is in a network that lets no UDP out hears and sees nothing"
		}
		report(fmt.Sprintf("%s tells clients to send to %s; %s", l.Name, what, effect), line, site, at.Site("told to clients"))
	}
	start, ranged := rtc.At("port_range_start").Int()
	end, _ := rtc.At("port_range_end").Int()
	udp := rtc.At("udp_port")
	first, second, isRange := strings.Cut(udp.Str(), "-")
	a, err := strconv.Atoi(strings.TrimSpace(first))
	b, err2 := strconv.Atoi(strings.TrimSpace(second))
	switch {
	case ranged && start > 0 && end >= start:
		lacks(start, end, "udp", rtc.At("port_range_start"))
	case isRange && err == nil && err2 == nil:
		lacks(a, b, "udp", udp)
	case !isRange && err == nil && a > 0:
		lacks(a, a, "udp", udp)
	}
	if tcp, ok := rtc.At("tcp_port").Int(); ok && tcp > 0 {
		lacks(tcp, tcp, "tcp", rtc.At("tcp_port"))
	}
}

// checkMediaAddress has an address that is the container's own, or of a network at home.
func checkMediaAddress(d *deployment.Deployment, r *Reporter, l *deployment.LiveKit, rtc source.Value) {
	node, external := rtc.At("node_ip"), rtc.At("use_external_ip")
	if external.True() || deferred(external.Str()+node.Str()) {
		return
	}
	fix := "use_external_ip: true, or node_ip: the address of this host"
	if !node.Set() {
		at := rtc.Site("")
		if at.File == "" {
			at = l.Site("") // nothing says anything
		}
		r.Fail(l.Name+" tells clients the address of its container; nobody hears or sees anything", fix, at)
		return
	}
	for text := range strings.SplitSeq(node.Str(), ",") {
		ip, err := netip.ParseAddr(strings.TrimSpace(text))
		switch {
		case err != nil:
			r.Fail(fmt.Sprintf("node_ip is %q, which is no address; clients cannot send there", text), fix, node.Site(""))
		case ip.IsLoopback() && !slices.ContainsFunc(d.Synapses, func(s *deployment.Synapse) bool {
			return s.Server.Str() != "" && !atHome(s.Server.Str()) && !deferred(s.Server.Str())
		}):
			r.Warn(fmt.Sprintf("node_ip is %s; nobody hears or sees anything but who calls from this very machine", ip), fix, node.Site(""))
		case ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast():
			r.Fail(fmt.Sprintf("node_ip is %s, which nobody else can reach; nobody hears or sees anything", ip), fix, node.Site(""))
		case ip.IsPrivate():
			r.Warn(fmt.Sprintf("node_ip is %s; unless all who call are in the network of that address, they hear and see nothing", ip), fix, node.Site(""))
		}
	}
}

var rtcSFURouted = Rule{
	ID: "rtc-sfu-routed", Severity: finding.Error,
	Summary: "the address of LiveKit that clients are given leads to LiveKit",
	Why:     "Clients have a token and no connection: the call ends with \"could not connect to server\". lk-jwt-service makes rooms at the same address.",
	Fix:     "Write LIVEKIT_URL: wss://HOST/PATH, and a router that takes PATH off on the way to port 7880.",
	Source:  "lk-jwt-service 0.8.0 README, src/helper.rs; livekit-server v1.13.11 pkg/service/server.go (/rtc, /rtc/v1, /twirp)",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, t := range d.Tokens {
			said := t.URL()
			u, err := url.Parse(said.Text)
			switch {
			case said.Text == "" || deferred(said.Text):
			case err != nil || !hasHost(said.Text):
				r.Fail(fmt.Sprintf("%q is no address of LiveKit; %s does not start, or gives clients one that they cannot ask", said.Text, t.Name), "LIVEKIT_URL: wss://…", said.At)
			case u.Scheme == "ws" && !deployment.Loopback(u.Hostname()) && strings.Contains(u.Hostname(), "."):
				r.Warn("LIVEKIT_URL is without encryption; no page that was loaded by https may ask it", "LIVEKIT_URL: wss://"+u.Host+u.Path, said.At)
			case len(d.LiveKits) == 1:
				checkSFURoute(r, d, d.LiveKits[0], u, said.At)
			}
		}
	},
}

// checkSFURoute has an address that does not lead to LiveKit, where that has routers here.
func checkSFURoute(r *Reporter, d *deployment.Deployment, l *deployment.LiveKit, u *url.URL, site source.Site) {
	const asks = "/rtc"
	at := strings.TrimSuffix(u.Path, "/") + asks
	res := d.Routes().Match("GET", u.Hostname(), at)
	switch {
	case !entered(d, l.Service, u.Hostname()) || res.Unknown != "" || res.Tie != nil || res.Redirect != "" || d.Explained(l.Service, "GET", u.Hostname(), at):
	case res.Backend == nil:
		r.Fail(fmt.Sprintf("clients connect to %s%s, and no router leads there; no call comes about", u.Host, at), "the address under which "+l.Name+" is reached", site, l.Site("the service"))
	case res.Backend.Container != l.Name:
		r.Fail(fmt.Sprintf("clients connect to %s%s, which is sent to %s and not to %s; no call comes about", u.Host, at, res.Backend.Container, l.Name), "the address under which "+l.Name+" is reached", site, res.Router.Site)
	case res.Path != asks:
		r.Fail(fmt.Sprintf("clients connect to %s%s, which arrives at %s as %s; it knows %s, and no call comes about", u.Host, at, l.Name, res.Path, asks), stripFix(d, l.Service, strings.TrimSuffix(at, asks)), site, res.Router.Site)
	case res.Passes != nil && !res.Passes.Upgrades && ownNginx(d.Front()):
		r.Fail(fmt.Sprintf("clients connect to %s%s over a WebSocket, which %s does not hand on to %s; no call comes about", u.Host, at, d.Front().Name, l.Name),
			"proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection \"upgrade\";", res.Passes.Site, site)
	}
}
