package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/coturn"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var turnRelayClosed = Rule{
	ID: "turn-relay-closed", Severity: finding.Error,
	Summary: "coturn relays to nobody in the networks of the host and of the stack",
	Why:     "Whoever may make a call, and that is every user, sends packets to PostgreSQL, Synapse's admin API and the router at home through the relay, as if they stood beside them.",
	Fix:     "Write a denied-peer-ip for each private range, as FROM-TO, and no-multicast-peers.",
	Source:  "coturn 4.17.1 src/server/ns_turn_server.c good_peer_addr, src/apps/relay/userdb.c add_ip_list_range; Synapse docs/setup/turn/coturn.md",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, t := range d.TurnServers() {
			if t.Hidden != "" {
				r.NotChecked("where coturn relays to was not looked at: "+t.Hidden, t.Site)
				continue
			}
			checkRelay(r, d, t)
		}
	},
}

// privateNetworks are the ranges for networks that nobody outside is meant to reach.
var privateNetworks = deployment.Prefixes("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")

func checkRelay(r *Reporter, d *deployment.Deployment, t deployment.TurnServer) {
	if unpublished(d, t) {
		if slices.ContainsFunc(d.Synapses, func(s *deployment.Synapse) bool { return means(s, t, s.TurnURIs()) && len(s.TurnURIs()) > 0 }) {
			return // turn-reachable says that nobody reaches it
		}
		r.NotChecked("coturn publishes no port; who may use the relay, and where it leads, was not looked at", t.PortsAt.Site(""), t.Site)
		return
	}
	if t.On("stun-only") || t.On("no-udp-relay") && t.On("no-tcp-relay") {
		return
	}
	if _, open := asksNobody(t); open && t.Unread != "" {
		n, _ := t.Last("n")
		r.Fail("-n has coturn read no file: what stands in "+t.Unread+" does nothing, and nobody is asked who they are; everybody on the internet may use the relay", "remove -n", n.Site)
		return
	}
	_, wrong := t.Ranges("denied-peer-ip")
	for _, o := range wrong {
		if o.Open || strings.Contains(o.Value, "$") {
			r.NotChecked("a denied-peer-ip of coturn stands behind a variable", o.Site)
			return
		}
		effect := "coturn 4.11 and later do not start, and earlier ones pass over it"
		if v, tagged := t.Image.Version(); tagged && v[0] > 0 {
			if effect = "coturn does not start"; v.Less(component.Version{4, 11, 0}) {
				effect = "coturn passes over it"
			}
		}
		written := asRange(o.Value)
		r.FailMend(fmt.Sprintf("%q is no range that coturn reads; %s", o.Value, effect), unless(written == noRange, swap(d, o.Site, o.Value, written, "denied-peer-ip="+written)), o.Site)
	}
	if o, ok := t.Last("allow-loopback-peers"); ok && t.On(o.Name) {
		r.Fail("coturn relays to its own host, and whoever makes a call reaches what listens there", "remove allow-loopback-peers", o.Site)
	}
	if site, open := asksNobody(t); open {
		r.Fail("coturn asks nobody who they are; everybody on the internet may use the relay", "use-auth-secret, with the secret that Synapse has", site)
	}
	var open []string
	for _, p := range privateNetworks {
		if t.Reachable(p) {
			open = append(open, p.String())
		}
	}
	if len(open) == 0 || len(wrong) > 0 {
		return
	}
	if len(t.All("psql-userdb", "mysql-userdb", "mongo-userdb", "redis-userdb", "sql-userdb")) > 0 && !t.On("no-dynamic-ip-list") {
		r.NotChecked("which networks coturn refuses to relay to may stand in its database", t.Site)
		return
	}
	var lines []string
	remove, closed := false, t
	closed.Settings = slices.DeleteFunc(slices.Clone(t.Settings), func(o coturn.Option) bool { return o.Name == "allowed-peer-ip" && strings.Contains(o.Value, "-") })
	for _, p := range privateNetworks {
		switch {
		case !t.Reachable(p):
		case !closed.Reachable(p):
			remove = true
		default:
			lines = append(lines, "denied-peer-ip="+asRange(p.String()))
		}
	}
	if remove {
		lines = append(lines, "remove allowed-peer-ip, which counts before denied-peer-ip")
	}
	if !t.On("no-multicast-peers") {
		lines = append(lines, "no-multicast-peers")
	}
	sites := []source.Site{t.Site}
	for _, o := range t.All("allowed-peer-ip") {
		if strings.Contains(o.Value, "-") {
			sites = append([]source.Site{o.Site}, sites...)
		}
	}
	report := r.Warn
	if slices.ContainsFunc(d.DockerNetworks(t.Service), t.Reachable) {
		report = r.Fail
	}
	report("coturn relays into "+finding.Sentence(open, "and")+"; whoever makes a call reaches the database and every other service there", strings.Join(lines, ", "), sites...)
}

// unpublished reports whether nobody outside of the stack reaches a coturn.
func unpublished(d *deployment.Deployment, t deployment.TurnServer) bool {
	return t.SpansKnown && len(t.Spans) == 0 && d.Bridged(t.Service) && !t.HasLabel("traefik.tcp") && !t.HasLabel("traefik.udp")
}

// asksNobody reports whether everybody may use the relay: by no-auth, or where there is nothing to ask for, neither a secret
// nor names (mainrelay.c: TURN_CREDENTIALS_NONE).
func asksNobody(t deployment.TurnServer) (site source.Site, open bool) {
	if o, ok := t.Last("no-auth"); ok && t.On(o.Name) && !sharesSecret(t) {
		return o.Site, true
	}
	return t.Site, !sharesSecret(t) && !t.On("lt-cred-mech") && len(t.All("user", "oauth")) == 0
}

// noRange stands for a range that cannot be told.
const noRange = "FROM-TO"

// asRange writes a network as coturn wants it.
func asRange(text string) string {
	p, err := netip.ParsePrefix(text)
	if err != nil {
		return noRange
	}
	return p.Masked().Addr().String() + "-" + coturn.Last(p).String()
}

// sharesSecret reports whether logins are made of a secret.
func sharesSecret(t deployment.TurnServer) bool {
	return len(t.All("use-auth-secret", "static-auth-secret")) > 0
}

var turnSecretMatches = Rule{
	ID: "turn-secret-matches", Severity: finding.Error,
	Summary: "Synapse makes logins for the relay of the secret that coturn has",
	Why:     "Calls between two networks that need the relay ring and stay silent: coturn answers every request for a relay with 401.",
	Fix:     "Write use-auth-secret and the same static-auth-secret as turn_shared_secret.",
	Source:  "Synapse 1.163.2 rest/client/voip.py, config/voip.py; coturn 4.17.1 src/apps/relay/mainrelay.c",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			uris := s.TurnURIs()
			if len(uris) == 0 || s.Partial() {
				continue
			}
			secret, at, reason := d.SecretOf(s.Service, s.Config.Root(), "turn_shared_secret", "turn_shared_secret_path")
			if byName := s.Config.At("turn_username").Set() && s.Config.At("turn_password").Set(); secret == "" && reason == "" {
				if !byName {
					r.Fail("turn_uris has no secret beside it; Synapse tells clients of no relay at all", "turn_shared_secret: the static-auth-secret of coturn", s.Config.At("turn_uris").Site(""))
				}
				continue
			}
			for _, t := range d.TurnServers() {
				if means(s, t, uris) {
					checkTurnSecret(r, t, secret, at, reason)
				}
			}
		}
	},
}

// means reports whether the addresses that a Synapse hands out are those of a coturn of this stack: it calls itself so,
// or they are on the homeserver's own domain.
func means(s *deployment.Synapse, t deployment.TurnServer, uris []deployment.TurnURI) bool {
	return slices.ContainsFunc(uris, func(u deployment.TurnURI) bool {
		if slices.ContainsFunc(t.All("realm", "server-name"), func(o coturn.Option) bool { return strings.EqualFold(o.Value, u.Host) }) {
			return true
		}
		domain := strings.ToLower(s.Config.At("server_name").Str())
		host := strings.ToLower(u.Host)
		return domain != "" && (host == domain || strings.HasSuffix(host, "."+domain))
	})
}

func checkTurnSecret(r *Reporter, t deployment.TurnServer, secret string, at deployment.Leaf, reason string) {
	statics := t.All("static-auth-secret")
	switch {
	case t.Hidden != "":
		r.NotChecked("the secret of coturn was not looked at: "+t.Hidden, t.Site)
		return
	case reason != "":
		r.NotChecked("Synapse's secret for the relay cannot be seen: "+reason, at.Site(""))
		return
	case !sharesSecret(t):
		if _, open := asksNobody(t); open {
			return // turn-relay-closed says so
		}
		r.Fail("Synapse makes logins of a shared secret, and coturn knows none; every relay is refused", "use-auth-secret, and static-auth-secret as turn_shared_secret", t.Site, at.Site("Synapse's"))
		return
	case len(statics) == 0:
		if m := t.MountAt("/var/lib/coturn"); m != nil && m.Fleeting && len(t.All("psql-userdb", "sql-userdb", "mysql-userdb", "mongo-userdb", "redis-userdb", "userdb", "db")) == 0 {
			r.Fail("coturn has no static-auth-secret, and its database is gone with the container; every relay is refused", "static-auth-secret, as turn_shared_secret", t.Site, at.Site("Synapse's"))
		} else if sharesSecret(t) {
			r.NotChecked("the secret of coturn may stand in its database", t.Site)
		}
		return
	}
	if o, ok := t.Last("no-auth"); ok && t.On("no-auth") {
		r.Fail("no-auth and a secret stand side by side; coturn does not start", "remove no-auth", o.Site, statics[0].Site)
	}
	for _, o := range statics {
		if o.Value == secret {
			return
		}
		if strings.Contains(o.Value, "$") {
			r.NotChecked("the secret of coturn stands behind a variable", o.Site)
			return
		}
		if unfilled(secret) || unfilled(o.Value) || o.Value == "" { // which no other can be; secret-strength says so
			return
		}
	}
	r.Fail(fmt.Sprintf("static-auth-secret of %s and turn_shared_secret differ; every relay is refused", t.Name), "the same value in both", statics[0].Site, at.Site("Synapse's"))
}

// checkTurnStrength reports the secrets of relays that nobody has to guess. What Synapse has as well is told of there.
func checkTurnStrength(d *deployment.Deployment, r *Reporter) {
	told := make(map[string]bool)
	for _, h := range d.Secrets() {
		told[h.Value] = !h.Idle || told[h.Value]
	}
	for _, t := range d.TurnServers() {
		for _, o := range t.All("static-auth-secret") {
			weak := ""
			switch {
			case t.Hidden != "" || o.Open || strings.Contains(o.Value, "$") || told[o.Value] && o.Value != "":
			case o.Value == "":
				weak = "is empty; it protects nothing, or every relay is refused"
			case slices.Contains(examples, strings.ToLower(o.Value)) || placeholders().MatchString(o.Value):
				weak = "is an example or a word that everybody tries; anybody can relay through it"
			case len(o.Value) < shortest:
				weak = fmt.Sprintf("has fewer than %d characters; it can be guessed, and anybody can relay through it", shortest)
			}
			if weak == "" {
				continue
			}
			if by := d.Scripts.Write(o.Site.File); by != "" {
				r.NotChecked(by+" may put another value in the place of static-auth-secret in "+o.Site.File, o.Site)
				continue
			}
			r.Fail("static-auth-secret of "+t.Name+" "+weak, "write a random text, as openssl rand -hex 32 makes it, here and as turn_shared_secret", o.Site)
		}
	}
}
