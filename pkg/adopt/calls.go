package adopt

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// callers are LiveKit and lk-jwt-service, where both are here and can be read; nil where the spec has no calls, and what there
// is of them is kept.
func (r *reader) callers() (*deployment.LiveKit, *deployment.TokenService) {
	if len(r.d.LiveKits) != 1 || len(r.d.Tokens) != 1 || r.d.LiveKits[0].Config.Path == "" {
		return nil, nil
	}
	return r.d.LiveKits[0], r.d.Tokens[0]
}

// calls reads both.
func (r *reader) calls() {
	lk, jwt := r.callers()
	if lk == nil {
		for _, l := range r.d.LiveKits {
			r.note(l.Site("LiveKit"), l.Name+" is kept as it is: "+or(l.Hidden, "the spec has one LiveKit with one lk-jwt-service")+"; `calls: {}` renders both", "compose")
		}
		return
	}
	r.served["calls"] = true
	c := &r.spec.Calls
	c.LiveKit.Component, c.JWT.Component = r.component(lk.Service, component.LiveKit), r.component(jwt.Service, component.LkJwt)
	rtc := lk.Config.At("rtc")
	if !rtc.At("use_external_ip").True() {
		c.NodeIP = rtc.At("node_ip").Str()
	}
	c.TCPPort, _ = rtc.At("tcp_port").Int()
	if c.UDPPort, _ = rtc.At("udp_port").Int(); c.UDPPort == 0 && !r.d.Chosen.Managed {
		r.note(rtc.Site("the ports"), "calls came on a range of UDP ports, and come on the one of calls.udp_port from now on: open it in the firewall", "calls")
	}
	if u, err := url.Parse(jwt.URL().Text); err == nil {
		r.spec.Hosts.RTC = u.Hostname()
	}
	key, secret := jwt.Key()
	r.keep("calls.livekit_key", key.Text)
	r.keep("calls.livekit_secret", secret.Text)
	if reg := r.d.CallsOf(jwt); reg != nil {
		r.keep("calls.as_token", reg.At("as_token").Str())
		r.keep("calls.hs_token", reg.At("hs_token").Str())
		r.keep("calls.sender", reg.At("sender_localpart").Str())
	}
	more := &source.Node{Kind: source.Mapping}
	for _, v := range jwt.Variables {
		if v.Hidden == "" && v.Text != "" && strings.HasPrefix(v.Name, "LIVEKIT_") && !slices.Contains(tokenVariables, v.Name) {
			more.Set(v.Name, source.Made("!!str", v.Text))
		}
	}
	if len(more.Names()) > 0 {
		r.extra["calls.jwt.extra"] = more
	}
	if foci := r.extra["synapse.well_known_extra"]; foci != nil {
		if foci.Delete(spec.RTCFoci); len(foci.Names()) == 0 {
			delete(r.extra, "synapse.well_known_extra")
		}
	}
}

// tokenVariables are those of lk-jwt-service that are rendered from fields of the spec, or say where it listens.
var tokenVariables = []string{
	"LIVEKIT_URL", "LIVEKIT_KEY", "LIVEKIT_KEY_FROM_FILE", "LIVEKIT_SECRET", "LIVEKIT_SECRET_FROM_FILE", "LIVEKIT_KEY_FILE", "LIVEKIT_FULL_ACCESS_HOMESERVERS",
	"LIVEKIT_LOCAL_HOMESERVERS", "LIVEKIT_JWT_BIND", "LIVEKIT_JWT_PORT", "LIVEKIT_CS_API_URL_OVERRIDES", "LIVEKIT_AS_TOKEN", "LIVEKIT_HS_TOKEN", "LIVEKIT_AS_REGISTRATION_FILE",
	"LIVEKIT_HS_SERVER_NAME", "LIVEKIT_REDIS_URL", "LIVEKIT_REDIS_PASSWORD",
}

// relay is the coturn whose secret Synapse has; nil where there is none that can be read.
func (r *reader) relay() *deployment.TurnServer {
	all := r.d.TurnServers()
	if len(all) != 1 || all[0].Hidden != "" {
		return nil
	}
	shared := r.held(r.syn.Service, r.syn.Config.Root(), "turn_shared_secret", "turn_shared_secret_path")
	if o, ok := all[0].Last("static-auth-secret"); !ok || shared == "" || o.Value != shared {
		return nil
	}
	return &all[0]
}

// turn reads coturn.
func (r *reader) turn() {
	t := r.relay()
	if t == nil {
		for _, other := range r.d.TurnServers() {
			r.note(other.Site, other.Name+" is kept as it is: "+or(other.Hidden, "its secret is not the one of Synapse")+"; `turn: {}` renders one", "compose")
		}
		return
	}
	r.served["turn"] = true
	r.spec.Synapse.TURN.URIs = nil
	delete(r.secrets, "synapse.turn_shared_secret")
	c := &r.spec.Turn
	c.Component = r.component(t.Service, component.Coturn)
	o, _ := t.Last("static-auth-secret")
	r.secrets["turn.shared_secret"] = o.Value
	number := func(name string) int {
		n, _ := strconv.Atoi(t.Port(name, ""))
		return n
	}
	c.Port, c.MinPort, c.MaxPort = number("listening-port"), cmp.Or(number("min-port"), 0), number("max-port")
	if ip, ok := t.Last("external-ip"); ok && !strings.Contains(ip.Value, "$") {
		c.ExternalIP, _, _ = strings.Cut(ip.Value, "/")
	}
	if c.MinPort == 0 || c.MaxPort-c.MinPort > 1000 {
		if !r.d.Chosen.Managed {
			r.note(t.Site, "coturn relays over more than 1000 ports, which Docker publishes one by one: without turn.min_port and turn.max_port it is 49152 to 49172", "turn")
		}
		c.MinPort, c.MaxPort = 0, 0
	}
	for _, u := range r.syn.TurnURIs() {
		if u.Secure {
			r.note(u.At.Site("the address"), "the relay was also reached over TLS, for which the spec has no words: see turn.extra and synapse.extra", "turn")
			continue
		}
		r.spec.Hosts.Turn = u.Host
	}
	r.extra["turn.extra"] = r.options(t)
}

// droppedOptions are those of turnserver.conf that fit only the container that they stand in, or that coturn has no more.
var droppedOptions = []string{
	"log-file", "simple-log", "syslog", "pidfile", "cert", "pkey", "pkey-pwd", "dh-file", "tls-listening-port", "alt-listening-port", "alt-tls-listening-port", "listening-ip",
	"relay-ip", "listening-device", "relay-device", "lt-cred-mech", "userdb", "db", "no-cli", "no-dtls", "no-stdout-log", "verbose", "Verbose", "server-name", "no-tlsv1", "no-tlsv1_1",
	"no-loopback-peers", "no-stun-backward-compatibility", "response-origin-only-with-rfc5780", "no-rfc5780", "proc-user", "proc-group", "c", "n", "o", "daemon",
	"allowed-peer-ip", "allow-loopback-peers", "no-auth", "cipher-list",
}

// options are those of a coturn that the rendered one would not have, as `turn.extra` says them.
func (r *reader) options(t *deployment.TurnServer) *source.Node {
	ours := render.TurnOptions()
	fields := []string{"listening-port", "min-port", "max-port", "external-ip", "static-auth-secret", "realm", "use-auth-secret"}
	over := &source.Node{Kind: source.Mapping}
	var names []string
	for _, o := range t.Settings {
		if !slices.Contains(names, o.Name) {
			names = append(names, o.Name)
		}
	}
	for _, name := range names {
		if slices.Contains(fields, name) || !r.d.Chosen.Managed && slices.Contains(droppedOptions, name) {
			continue
		}
		var was, is []string
		for _, o := range ours {
			if o.Name == name {
				was = append(was, o.Value)
			}
		}
		for _, o := range t.Settings {
			if o.Name == name {
				is = append(is, o.Value)
			}
		}
		key := name
		if !r.d.Chosen.Managed && name == "denied-peer-ip" {
			is = slices.DeleteFunc(is, func(ip string) bool { return slices.Contains(was, ip) })
			key, was = "+"+name, nil
		}
		switch {
		case slices.Equal(was, is):
			continue
		case len(was) > 0 && len(is) > len(was) && slices.Equal(was, is[:len(was)]):
			key, is = "+"+name, is[len(was):]
		}
		if r.d.Chosen.Managed && name == "log-file" { // said by the command
			continue
		}
		over.Set(key, optionValues(is))
	}
	for _, o := range ours {
		if r.d.Chosen.Managed && !slices.Contains(names, o.Name) {
			over.Set("-"+o.Name, source.Made("!!null", "null"))
		}
	}
	if len(over.Names()) == 0 {
		return nil
	}
	return over
}

// optionValues are the values of one option in YAML.
func optionValues(values []string) *source.Node {
	one := func(text string) *source.Node {
		switch _, err := strconv.Atoi(text); {
		case text == "":
			return source.Made("!!bool", "true")
		case err == nil:
			return source.Made("!!int", text)
		}
		return source.Made("!!str", text)
	}
	if len(values) == 1 {
		return one(values[0])
	}
	list := &source.Node{Kind: source.Sequence}
	for _, v := range values {
		list.Items = append(list.Items, one(v))
	}
	return list
}
