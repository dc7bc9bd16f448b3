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

var bridgeMSC4190 = Rule{
	ID: "bridge-msc4190", Severity: finding.Error,
	Summary: "an encrypting bridge next to MAS has encryption.msc4190 on, in an image that knows it",
	Why:     "The bridge stops at its start: \"failed to get supported login flows: M_UNRECOGNIZED\", because Synapse next to MAS has no /login for bots.",
	Fix:     "Write msc4190: true in the bridge's encryption section.",
	Source:  "Synapse rest/client/login.py; mautrix-go bridgev2/matrix/crypto.go",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			for _, b := range d.Bridges {
				if !s.Delegates() || !b.Encrypts() {
					continue
				}
				v := b.Msc4190()
				if b.Dialect == component.OlderPython {
					r.Fail(fmt.Sprintf("the bridge %s encrypts and knows no msc4190, but Synapse leaves logins to MAS; the bridge stops with M_UNRECOGNIZED", b.Name),
						"allow: false", b.Encryption().At("allow").Site(""), s.Config.At("matrix_authentication_service", "enabled").Site("MAS is on here"))
					continue
				}
				if !v.True() {
					r.FailMend(fmt.Sprintf("the bridge %s encrypts without msc4190, but Synapse leaves logins to MAS; the bridge stops with M_UNRECOGNIZED", b.Name),
						set(v, "true"), v.Site(""), s.Config.At("matrix_authentication_service", "enabled").Site("MAS is on here"))
				}
				ver, ok := b.Image.Version()
				first := b.About.MSC4190
				if ok && ver.Less(first) {
					r.Fail(fmt.Sprintf("%s %s does not know encryption.msc4190, which begins with %s; the bridge stops with M_UNRECOGNIZED", b.Program, b.Image.Tag, first),
						b.ImageLine(component.Of(b.Program).Tested), b.ImageAt.Site(""), v.Site("the setting is ignored"))
				}
			}
		}
	},
}

var bridgeHomeserverAddress = Rule{
	ID: "bridge-homeserver-address", Severity: finding.Error,
	Summary: "a bridge talks to Synapse's internal listener; Python Telegram next to MAS to one whose /login is MAS's",
	Why:     "\"Failed to connect to homeserver, retrying in 10 seconds…\" for ever; or, for the Python bridge, M_UNRECOGNIZED on GET /login.",
	Fix:     "Set homeserver.address to http://<Synapse service>:<port>; for the encrypting Python Telegram bridge to the public https address.",
	Source:  "mautrix-go bridgev2; mautrix-python 0.20.8 bridge/e2ee.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			for _, b := range d.Bridges {
				checkHomeserverAddress(r, d, s, b)
			}
		}
	},
}

func checkHomeserverAddress(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, b *deployment.Bridge) {
	v := b.Config.At("homeserver", "address")
	u, port, ok := d.Endpoint(v.Str())
	internal := unless(len(d.Synapses) != 1, say(v, s.ClientAddress()))
	if !ok {
		r.FailMend("homeserver.address is missing or no URL; the bridge does not start", internal, v.Site(""))
		return
	}
	inside := slices.Contains(s.Names(), u.Hostname())
	if b.Dialect == component.Python && s.Delegates() && b.Encrypts() {
		public, _, _ := deployment.Endpoint(s.Config.At("public_baseurl").Str())
		switch {
		case inside:
			fix := mend{text: "address: the public https address of Synapse"}
			if public != nil {
				fix = say(v, "https://"+public.Host)
			}
			r.FailMend("this bridge asks Synapse itself for GET /login, which only MAS answers; it stops with M_UNRECOGNIZED", fix,
				v.Site(""), s.Config.At("matrix_authentication_service", "enabled").Site("MAS is on here"))
		case public != nil && u.Hostname() != public.Hostname() && u.Hostname() != s.Server.Str() &&
			!reaches(d.Routes().Match("GET", u.Hostname(), "/_matrix/client/versions"), s.Service, ""):
			r.FailMend(fmt.Sprintf("%s is not a host of this homeserver; the bridge cannot connect", u.Hostname()), unless(len(d.Synapses) != 1, say(v, "https://"+public.Host)),
				v.Site(""), s.Config.At("public_baseurl").Site("Synapse's"))
		}
		return
	}
	switch {
	case !inside && d.Stands(u.Hostname(), port, "/_matrix/client/versions", s.Service):
	case !inside && !s.Delegates() && strings.Contains(u.Hostname(), "."):
		// Without MAS the way through the proxy works as well, only slower.
		if !slices.Contains(s.Hosts(), u.Hostname()) {
			r.NotChecked("the address "+u.Redacted()+" of Synapse is outside of the stack", v.Site(""))
		}
	case !inside:
		msg := fmt.Sprintf("the bridge looks for Synapse at %q, but the service is called %q; it never connects", u.Hostname(), calls(s.Service))
		if strings.Contains(u.Hostname(), ".") {
			msg = fmt.Sprintf("the bridge reaches Synapse through %s and the proxy, where MAS answers its logins; it belongs on the internal listener", u.Hostname())
		}
		r.lostHost(d, u.Hostname(), msg, internal, append([]source.Site{v.Site(""), s.Site("Synapse")}, deployment.NameSites(s.Service)...)...)
	case !s.Hears(port) && !d.Inward(s, port):
		r.FailMend(fmt.Sprintf("Synapse has no client listener on port %s that other containers reach; the bridge never connects", port), internal,
			append([]source.Site{v.Site("")}, s.ListenerSites()...)...)
	}
}

var doublePuppetToken = Rule{
	ID: "double-puppet-token", Severity: finding.Error,
	Summary: "every bridge puppets through the doublepuppet registration's as_token",
	Why:     "Double puppeting does nothing: what you write in the other app appears in Matrix as somebody else. No bridge checks the token when it starts.",
	Fix:     "Write \"as_token:\" and right behind it the as_token of the doublepuppet registration, under your server name.",
	Source:  "mautrix docs, Double puppeting; mautrix-go bridgev2/matrix/doublepuppet.go",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			server := s.Server.Str()
			if list := s.Config.At("app_service_config_files"); server == "" || list.Exists() && list.Kind() != source.Sequence {
				continue // synapse-required-keys says so
			}
			for _, b := range d.Bridges {
				if b.Misread() && misreadingOf(b).stops != "" {
					continue // bridge-dialect says so, and the file is to be written anew
				}
				secrets := b.At(b.Keys().PuppetSecrets)
				v := secrets.At(server)
				token, isToken := strings.CutPrefix(v.Str(), "as_token:")
				if len(d.DoublePuppets) == 0 {
					if isToken {
						r.Fail(fmt.Sprintf("the bridge %s puppets with an as_token, but Synapse lists no registration for that; double puppeting does nothing", b.Name),
							"list a doublepuppet registration below app_service_config_files", v.Site(""), s.Config.At("app_service_config_files").Site("Synapse's registrations"))
					}
					continue
				}
				dp := d.DoublePuppets[0]
				switch {
				case !isToken && !s.Delegates() && len(s.PasswordModules()) > 0:
					// Without MAS the shared secret works, too.
				case !v.Set() && secrets.Len() == 0:
					r.Fail(fmt.Sprintf("the bridge %s has no secret for double puppeting on %s", b.Name, server), `"`+server+`": "as_token:…"`, v.Site(""), dp.At("as_token").Site("the token to use"))
				case !v.Set():
					at := secrets
					if servers := keyNames(secrets); len(servers) == 1 {
						at = secrets.At(servers[0])
					} else if near := finding.Nearest(server, servers); near != "" {
						at = secrets.At(near)
					}
					r.Fail(fmt.Sprintf("the bridge %s has a secret for double puppeting, but not under %s; it is never used", b.Name, server), `"`+server+`": "as_token:…"`,
						at.Site(""), s.Server.Site("Synapse's"))
				case !isToken:
					r.Fail(fmt.Sprintf("the secret of %s for double puppeting does not begin with as_token:; it is ignored, or tried as a password, which MAS refuses", b.Name), `"as_token:…"`, v.Site(""))
				case !slices.ContainsFunc(d.DoublePuppets, func(o *deployment.Registration) bool { return o.At("as_token").Str() == token }):
					r.Fail(fmt.Sprintf("the token of %s for double puppeting is not the doublepuppet registration's; double puppeting fails", b.Name),
						"write the same token in both places", v.Site("the bridge's"), dp.At("as_token").Site("the registration's differs"))
				}
			}
		}
	},
}

var doublePuppetRegistration = Rule{
	ID: "double-puppet-registration", Severity: finding.Error,
	Summary: "the doublepuppet registration has url null, is not exclusive, covers the server and is not rate limited",
	Why:     "exclusive: true stops every bridge (M_EXCLUSIVE) and every new user. Without the key url Synapse does not start. An empty url makes Synapse push to nowhere.",
	Fix:     "url: null, exclusive: false, regex @.*:<server name>, rate_limited: false.",
	Source:  "Synapse config/appservice.py; mautrix docs, Double puppeting",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, dp := range d.DoublePuppets {
			if v := dp.At("url"); v.Kind() != source.Null {
				consequence := "Synapse pushes every event there"
				if !v.Exists() {
					consequence = "Synapse does not start"
				}
				r.FailMend("url of the doublepuppet registration must be present and null; "+consequence, set(v, "null"), v.Site(""))
			}
			if v := dp.At("rate_limited"); !deployment.IsFalse(v) {
				r.FailMend("rate_limited of the doublepuppet registration is not false; bridged messages are held back", set(v, "false"), v.Site(""))
			}
			for _, u := range dp.At("namespaces", "users").Items() {
				if v := u.At("exclusive"); !deployment.IsFalse(v) && strings.Contains(u.At("regex").Str(), "@.*:") {
					r.FailMend("the doublepuppet registration claims every user for itself; no bridge starts and nobody new can register", set(v, "false"), v.Site(""))
				}
			}
		}
	},
}
