package render

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// The paths of the host of calls: lk-jwt-service's own documentation has them.
const (
	sfuPath   = "/livekit/sfu"
	tokenPath = "/livekit/jwt"
)

// resolveCalls makes both wirings where the versions have both: clients of today ask lk-jwt-service itself for a token,
// later ones ask Synapse, which hands that on.
func (st *Stack) resolveCalls(s *spec.Spec, secrets *secret.Set) {
	host := s.RTCHost()
	if host == "" {
		return
	}
	c := &Calls{
		Host: host, NodeIP: s.Calls.NodeIP, Port: component.Of(component.LiveKit).Port, TokenPort: component.Of(component.LkJwt).Port,
		Key: secrets.Get("calls.livekit_key"), Secret: secrets.Get("calls.livekit_secret"),
		URL: "wss://" + host + sfuPath, ServiceURL: "https://" + host + tokenPath,
	}
	c.TCPPort, c.UDPPort = s.CallPorts()
	st.Calls = c
	service := fmt.Sprintf("http://%s:%d", st.internal("lk-jwt"), c.TokenPort)
	jwt, known := release(component.LkJwt, s.Calls.JWT.Component).Version()
	syn, knownToo := release(component.Synapse, s.Synapse.Component).Version()
	if known && !jwt.Less(component.CallsWebhook) {
		c.Webhook = service + "/sfu_webhook"
	}
	if st.Synapse.Transports = knownToo && !syn.Less(component.SynapseTransports); st.Synapse.Transports {
		st.Synapse.Features = append(st.Synapse.Features, "msc4143_enabled")
	}
	st.Synapse.Features = append(st.Synapse.Features, "msc4222_enabled")
	env := map[string]string{
		"LIVEKIT_URL":                     c.URL,
		"LIVEKIT_KEY_FROM_FILE":           "/run/secrets/lk_jwt_key",
		"LIVEKIT_SECRET_FROM_FILE":        "/run/secrets/lk_jwt_secret",
		"LIVEKIT_FULL_ACCESS_HOMESERVERS": st.ServerName,
		"LIVEKIT_CS_API_URL_OVERRIDES":    st.ServerName + "=" + st.Synapse.Address,
	}
	if known && knownToo && !jwt.Less(component.CallsAppservice) && !syn.Less(component.SynapseCallsProxy) {
		c.Registration = &Registration{
			ID: "matrix-rtc-authorisation-service", Sender: sender(secrets.Get("calls.sender")), Proxy: service,
			ASToken: secrets.Get("calls.as_token"), HSToken: secrets.Get("calls.hs_token"),
			Users: []Namespace{{Regex: "@.*:" + regexp.QuoteMeta(st.ServerName)}},
		}
		env["LIVEKIT_AS_REGISTRATION_FILE"], env["LIVEKIT_HS_SERVER_NAME"] = "/config/registration.yaml", st.ServerName
		st.Synapse.Features = append(st.Synapse.Features, "msc4502_enabled", "msc4512_enabled")
		st.Synapse.Registrations = append(st.Synapse.Registrations, "lk-jwt.yaml")
	}
	for key, value := range s.Calls.JWT.Extra {
		op, name := source.Operator(key)
		if delete(env, name); op != '-' {
			env[name] = fmt.Sprint(value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		c.Environment = append(c.Environment, Entry{name, env[name]})
	}
	st.addSecret("livekit", "livekit_keys", source.Quote(c.Key)+": "+source.Quote(c.Secret)+"\n")
	st.addSecret("lk-jwt", "lk_jwt_key", c.Key)
	st.addSecret("lk-jwt", "lk_jwt_secret", c.Secret)
}

// FociKey is the key of /.well-known/matrix/client below which clients find lk-jwt-service.
func (Calls) FociKey() string { return spec.RTCFoci }

// callRoutes are those of the host for calls.
func (st *Stack) callRoutes() []Route {
	if st.Calls == nil {
		return nil
	}
	hosts := []string{st.Calls.Host}
	return []Route{
		{Name: "lk-jwt", Service: "lk-jwt", Port: st.Calls.TokenPort, priority: 100, Hosts: hosts, Prefixes: []string{tokenPath + "/"}, Strip: tokenPath},
		{Name: "livekit", Service: "livekit", Port: st.Calls.Port, priority: 100, Hosts: hosts, Prefixes: []string{sfuPath + "/"}, Strip: sfuPath, WebSocket: true},
	}
}

// closedPeers are the networks that nobody outside is meant to reach, and those that are no addresses of anybody: Synapse
// docs/setup/turn/coturn.md.
var closedPeers = []string{
	"0.0.0.0-0.255.255.255", "10.0.0.0-10.255.255.255", "100.64.0.0-100.127.255.255", "127.0.0.0-127.255.255.255",
	"169.254.0.0-169.254.255.255", "172.16.0.0-172.31.255.255", "192.0.0.0-192.0.0.255", "192.0.2.0-192.0.2.255",
	"192.88.99.0-192.88.99.255", "192.168.0.0-192.168.255.255", "198.18.0.0-198.19.255.255", "198.51.100.0-198.51.100.255",
	"203.0.113.0-203.0.113.255", "240.0.0.0-255.255.255.255", "::1", "64:ff9b::-64:ff9b::ffff:ffff",
	"::ffff:0.0.0.0-::ffff:255.255.255.255", "100::-100::ffff:ffff:ffff:ffff", "2001::-2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff",
	"2002::-2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fc00::-fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
	"fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
}

// TurnOptions are those of turnserver.conf that do not come from the spec.
func TurnOptions() []Option {
	list := []Option{
		// Media are encrypted from one end to the other anyway, and a certificate would have to be had in here.
		{"fingerprint", ""},
		{"no-tls", ""},
		{"no-tcp-relay", ""},
		{"no-multicast-peers", ""},
		{"user-quota", "12"},
		{"total-quota", "1200"},
		{"pidfile", "/var/tmp/turnserver.pid"},
	}
	for _, peers := range closedPeers {
		list = append(list, Option{"denied-peer-ip", peers})
	}
	return list
}

func (st *Stack) resolveTurn(s *spec.Spec, secrets *secret.Set) {
	host := s.TurnHost()
	if host == "" {
		return
	}
	t := &Turn{Host: host, Detects: s.Turn.ExternalIP == ""}
	t.Port, t.MinPort, t.MaxPort = s.TurnPorts()
	t.Options = append([]Option{
		{"listening-port", strconv.Itoa(t.Port)},
		{"min-port", strconv.Itoa(t.MinPort)},
		{"max-port", strconv.Itoa(t.MaxPort)},
		{"realm", host},
		{"use-auth-secret", ""},
		{"static-auth-secret", secrets.Get("turn.shared_secret")},
	}, TurnOptions()...)
	if !t.Detects {
		t.Options = append(t.Options, Option{"external-ip", s.Turn.ExternalIP})
	}
	for _, key := range slices.Sorted(maps.Keys(s.Turn.Extra)) {
		t.lay(key, s.Turn.Extra[key])
	}
	st.Turn = t
	for _, transport := range []string{"udp", "tcp"} {
		st.Synapse.TURN = append(st.Synapse.TURN, fmt.Sprintf("turn:%s:%d?transport=%s", host, t.Port, transport))
	}
}

// lay puts what an extra says of an option onto those that are there, by the rules of all extras.
func (t *Turn) lay(key string, value any) {
	op, name := source.Operator(key)
	if op != '+' {
		t.Options = slices.DeleteFunc(t.Options, func(o Option) bool { return o.Name == name })
	}
	values, list := value.([]any)
	if !list {
		values = []any{value}
	}
	for _, v := range values {
		switch {
		case op == '-' || v == false:
		case v == true || v == nil:
			t.Options = append(t.Options, Option{Name: name})
		default:
			t.Options = append(t.Options, Option{name, fmt.Sprint(v)})
		}
	}
}

// Opening is a port of the host that the world reaches without the proxy.
type Opening struct{ Ports, Protocol, Service, What string }

// Openings are all of them.
func (st *Stack) Openings() (list []Opening) {
	if c := st.Calls; c != nil {
		list = append(list,
			Opening{strconv.Itoa(c.UDPPort), "udp", "livekit", "calls"},
			Opening{strconv.Itoa(c.TCPPort), "tcp", "livekit", "calls from networks that let no UDP out"})
	}
	if t := st.Turn; t != nil {
		list = append(list,
			Opening{strconv.Itoa(t.Port), "udp", "coturn", "the relay is asked"},
			Opening{strconv.Itoa(t.Port), "tcp", "coturn", "the relay is asked, from networks that let no UDP out"},
			Opening{fmt.Sprintf("%d-%d", t.MinPort, t.MaxPort), "udp", "coturn", "what is relayed"})
	}
	return list
}
