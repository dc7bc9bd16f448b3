package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var rtcAppserviceAgrees = Rule{
	ID: "rtc-appservice-agrees", Severity: finding.Error,
	Summary: "where Synapse hands requests for tokens on to lk-jwt-service, both know each other, and Synapse has the switches for it",
	Why:     "Clients that ask Synapse for a token get 404 or 401, without a word in any log but \"proxy_prefix: None\"; or lk-jwt-service ends at its start, because it was given half of what it needs.",
	Fix:     "Write the registration with io.element.msc4512.proxy_prefix: rtc/livekit and proxy_url, the same file for both, and msc4502_enabled and msc4512_enabled.",
	Source:  "Synapse 1.163.2 config/appservice.py, rest/client/appservice_proxy.py, config/experimental.py; lk-jwt-service 0.8.0 README",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			for _, reg := range s.Registrations {
				if reg.Proxied() {
					checkProxied(r, d, s, reg)
				}
			}
		}
		for _, t := range d.Tokens {
			checkTokenRegistration(r, d, t)
		}
	},
}

// checkProxied has what a registration that Synapse proxies to needs of Synapse, and where it leads.
func checkProxied(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, reg *deployment.Registration) {
	at := reg.At("io.element.msc4512.proxy_url")
	features := s.Config.At("experimental_features")
	if v, known := s.Image.Version(); known && v.Less(component.SynapseCallsProxy) {
		r.Warn(fmt.Sprintf("Synapse hands requests on to appservices since %s, and this is %s; clients that ask it for a token get 404", component.SynapseCallsProxy, s.Image.Tag),
			s.ImageLine(component.Of(component.Synapse).Tested), s.ImageAt.Site(""), at.Site("asks for it"))
		return
	}
	wanted := []string{"msc4512_enabled"}
	if reg.At("io.element.msc4502.scopes").Set() {
		wanted = append(wanted, "msc4502_enabled")
	}
	const scope = "urn:matrix:client:io.element.msc4502:rooms:is_joined"
	if scopes := reg.At("io.element.msc4502.scopes"); len(d.Tokens) == 1 && d.CallsOf(d.Tokens[0]) == reg && !slices.Contains(deployment.ItemTexts(scopes), scope) {
		r.Warn(fmt.Sprintf("%s may not ask Synapse who is in a room; nobody gets a token by way of Synapse", d.Tokens[0].Name), "io.element.msc4502.scopes: ["+scope+"]", scopes.Site(""), at.Site("asked by way of Synapse"))
	}
	off := slices.DeleteFunc(wanted, func(name string) bool { return features.At(name).True() })
	if len(off) > 0 && !s.Partial() {
		to := "what a registration proxies"
		if u, _, ok := deployment.Endpoint(at.Str()); ok {
			to = u.Hostname()
		}
		sites := []source.Site{features.At(off[0]).Site(""), at.Site("asks for it")}
		r.FailMend(fmt.Sprintf("Synapse hands nothing on to %s without %s; clients that ask it for a token get 404", to, strings.Join(off, " and ")),
			mend{"experimental_features: {" + strings.Join(off, ": true, ") + ": true}", func() (edits []source.Edit) {
				for _, name := range off {
					on := features.At(name).Become("true")
					if on == nil {
						return nil
					}
					edits = append(edits, on...)
				}
				return edits
			}}, sites...)
	}
	u, port, ok := d.Endpoint(at.Str())
	if !ok {
		return
	}
	switch to := d.ServiceAt(u.Hostname()); {
	case to == nil && nobodys(s.Service, u.Hostname()) && len(d.Tokens) > 0:
		r.Warn(fmt.Sprintf("Synapse hands requests for tokens on to %s, a name that no service here has; unless a container of another stack has it, they are answered with 502", u.Hostname()), "io.element.msc4512.proxy_url: http://"+d.Tokens[0].Host()+":8080", at.Site(""), d.Tokens[0].Site("the service"))
	case to == nil:
	case to.Program == component.LkJwt && port != "8080" && !listensElsewhere(to):
		r.Fail(fmt.Sprintf("Synapse hands requests on to port %s of %s, which listens on 8080; they are answered with 502", port, to.Name), "io.element.msc4512.proxy_url: http://"+u.Hostname()+":8080", at.Site(""))
	case !to.Shares(s.Service) && !s.NetworkMode.Set() && !to.NetworkMode.Set():
		r.Fail(fmt.Sprintf("Synapse and %s share no network; requests for tokens are answered with 502", to.Name), "a network that both are in", at.Site(""), to.NetworksAt.Site(""))
	}
}

// listensElsewhere reports whether a lk-jwt-service is told where to listen.
func listensElsewhere(s *deployment.Service) bool {
	return slices.ContainsFunc([]string{"LIVEKIT_JWT_BIND", "LIVEKIT_JWT_PORT"}, func(name string) bool {
		text, _ := s.Env(name)
		return text != "" || s.EnvHidden(name) != ""
	})
}

// checkTokenRegistration holds what lk-jwt-service is told against the registration that Synapse has.
func checkTokenRegistration(r *Reporter, d *deployment.Deployment, t *deployment.TokenService) {
	file, fileAt := t.Env("LIVEKIT_AS_REGISTRATION_FILE")
	token, tokenAt := t.Env("LIVEKIT_AS_TOKEN")
	name, nameAt := t.Env("LIVEKIT_HS_SERVER_NAME")
	if file == "" && token == "" {
		return
	}
	site := fileAt
	if file == "" {
		site = tokenAt
	}
	if !nameAt.Exists() && t.EnvHidden("LIVEKIT_HS_SERVER_NAME") == "" {
		r.Fail(t.Name+" is told of a registration and not of the server's name; it does not start", "LIVEKIT_HS_SERVER_NAME: the server name", site.Site(""))
	}
	if len(d.Synapses) != 1 {
		return
	}
	s := d.Synapses[0]
	if name != "" && !deferred(name) && s.Server.Str() != "" && name != s.Server.Str() {
		r.Fail(fmt.Sprintf("LIVEKIT_HS_SERVER_NAME is %s, and the server is %s; every token is refused", name, s.Server.Str()), "LIVEKIT_HS_SERVER_NAME: "+s.Server.Str(), nameAt.Site(""), s.Server.Site("the name of the server"))
	}
	if v, known := t.Image.Version(); known && v.Less(component.CallsAppservice) {
		r.Warn(fmt.Sprintf("%s is told of a registration, which lk-jwt-service reads since %s, and this is %s", t.Name, component.CallsAppservice, t.Image.Tag), t.ImageLine(component.Of(component.LkJwt).Tested), t.ImageAt.Site(""), site.Site("told here"))
		return
	}
	theirs := d.CallsOf(t)
	switch {
	case len(s.Missing) > 0 || s.Partial() || file != "" && t.Registration == nil:
		r.NotChecked("a registration cannot be seen: whether Synapse knows "+t.Name+" was not looked at", site.Site(""))
	case theirs == nil:
		r.Lack(t.Name+" is told of a registration that Synapse does not list; clients that ask Synapse for a token get 404", "app_service_config_files: the same file", site.Site(""), s.Config.At("app_service_config_files").Site(""))
	case t.Registration != nil:
		for _, key := range []string{"as_token", "hs_token"} {
			if ours := t.Registration.At(key); ours.Str() != theirs.At(key).Str() && ours.Set() {
				r.Fail(fmt.Sprintf("%s differs between the registration that %s reads and the one that Synapse reads; every token is refused", key, t.Name), "the same value in both", ours.Site(t.Name+"'s"), theirs.At(key).Site("Synapse's"))
			}
		}
	}
}

var rtcCallsEnd = Rule{
	ID: "rtc-calls-end", Severity: finding.Warning,
	Summary: "a call ends for whoever drops out: Synapse takes delayed events, and LiveKit tells lk-jwt-service who left",
	Why:     "A phone loses its network, and the room shows its owner in the call for ever: clients send their leaving ahead of time, which Synapse refuses without max_event_delay_duration, and lk-jwt-service sends it once LiveKit says that they are gone.",
	Fix:     "Write max_event_delay_duration: 24h, and for LiveKit webhook: {api_key: …, urls: [http://LK-JWT:8080/sfu_webhook]}.",
	Source:  "Synapse 1.163.2 config/server.py; lk-jwt-service 0.8.0 README \"SFU Wiring (Webhooks)\"; element-call docs/self_hosting.md",
	Check: func(d *deployment.Deployment, r *Reporter) {
		if len(d.Tokens) == 0 {
			return
		}
		for _, s := range d.Synapses {
			if v := s.Config.At("max_event_delay_duration"); !v.Set() && !s.Partial() && len(d.Synapses) == 1 && !olderThan(s, 116) {
				r.Fail("Synapse takes no delayed events; whoever drops out of a call stays in it for the others", "max_event_delay_duration: 24h", v.Site(""), d.Tokens[0].Site("calls"))
			}
		}
		for _, l := range d.LiveKits {
			for _, v := range l.Config.At("webhook", "urls").Items() {
				checkHook(r, d, l, v)
			}
		}
	},
}

// nobodys reports whether a host is a name of Docker's that no service has, nor anybody else in the networks of the one that asks.
func nobodys(s *deployment.Service, host string) bool {
	return !strings.ContainsAny(host, ".:$") && !deployment.Loopback(host) && !s.MoreNames && !s.NetworkMode.Set()
}

// checkHook has an address at which LiveKit does not find lk-jwt-service.
func checkHook(r *Reporter, d *deployment.Deployment, l *deployment.LiveKit, v source.Value) {
	u, port, ok := d.Endpoint(v.Str())
	if !ok {
		return
	}
	to := d.ServiceAt(u.Hostname())
	if to == nil && nobodys(l.Service, u.Hostname()) {
		r.Fail(fmt.Sprintf("%s tells %s who left a call, a name that no service here has; unless a container of another stack has it, nobody is told", l.Name, u.Host), "http://"+d.Tokens[0].Host()+":8080/sfu_webhook", v.Site(""), d.Tokens[0].Site("waits for it"))
	}
	if to == nil || to.Program != component.LkJwt {
		return
	}
	fix := "http://" + u.Hostname() + ":8080/sfu_webhook"
	switch {
	case u.Path != "/sfu_webhook":
		r.Fail(fmt.Sprintf("%s tells %s%s who left a call, and %s is told at /sfu_webhook", l.Name, u.Host, u.Path, to.Name), fix, v.Site(""))
	case port != "8080" && !listensElsewhere(to):
		r.Fail(fmt.Sprintf("%s tells port %s of %s who left a call, which listens on 8080", l.Name, port, to.Name), fix, v.Site(""))
	case u.Scheme == "https":
		r.Fail(fmt.Sprintf("%s tells %s by https who left a call, which speaks plain HTTP; it is not told", l.Name, to.Name), fix, v.Site(""))
	case !to.Shares(l.Service) && !to.NetworkMode.Set() && !l.NetworkMode.Set():
		r.Fail(fmt.Sprintf("%s and %s share no network; nobody is told who left a call", l.Name, to.Name), "a network that both are in", v.Site(""), l.NetworksAt.Site(""))
	}
}
