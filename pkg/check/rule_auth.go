package check

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

var masSecretMatches = Rule{
	ID: "mas-secret-matches", Severity: finding.Error,
	Summary: "Synapse and MAS have the same shared secret",
	Why:     "Every request with a token fails with 503 \"Unable to introspect the access token\", and MAS gets 403 \"This endpoint must only be called by MAS\": nobody can log in.",
	Fix:     "Give matrix_authentication_service.secret (or the file at secret_path) and MAS's matrix.secret (or secret_file) the same value.",
	Source:  "Synapse api/auth/mas.py, rest/synapse/mas/_base.py; MAS crates/config sections/matrix.rs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.Pairs(func(s *deployment.Synapse, m *deployment.MAS) {
			a, at, reasonA := d.SecretOf(s.Service, s.Config.At("matrix_authentication_service"), "secret", "secret_path")
			b, bt, reasonB := d.SecretOf(m.Service, m.Config.At("matrix"), "secret", "secret_file")
			switch {
			case strings.HasPrefix(reasonA, deployment.NothingMounted):
				r.Fail("Synapse reads the shared secret from "+at.Str()+", but "+reasonA+"; Synapse does not start", d.Lines.Mount("the file", "there"), append([]source.Site{at.Site("")}, s.MountSites(at.Str())...)...)
			case strings.HasPrefix(reasonB, deployment.NothingMounted):
				r.Fail("MAS reads the shared secret from "+bt.Str()+", but "+reasonB+"; MAS does not start", d.Lines.Mount("the file", "there"), append([]source.Site{bt.Site("")}, m.MountSites(bt.Str())...)...)
			case reasonA != "":
				r.NotChecked("Synapse's secret cannot be seen: "+reasonA, at.Site(""))
			case reasonB != "":
				r.NotChecked("MAS's secret cannot be seen: "+reasonB, bt.Site(""))
			case a == "" && s.Partial(), b == "" && m.ReadsMore():
				r.NotChecked("the shared secret of Synapse and MAS may stand where it cannot be seen", at.Site("Synapse's"), bt.Site("MAS's"))
			case a == "" || b == "":
				r.Fail("one of Synapse and MAS has no shared secret; neither accepts the other's requests",
					"set the same secret on both sides", at.Site("Synapse's"), bt.Site("MAS's"))
			case a != b:
				r.Fail("the shared secret differs between Synapse and MAS; every request with a token fails with 503 and nobody can log in",
					"write the same secret in both places", at.Site("Synapse's"), bt.Site("MAS's differs"))
			}
		})
	},
}

var masEndpointReachable = Rule{
	ID: "mas-endpoint-reachable", Severity: finding.Error,
	Summary: "Synapse's endpoint is a MAS listener that serves discovery and OAuth",
	Why:     "Synapse answers 503 to every request with a token. auth_metadata and /.well-known/matrix/client both answer 500 M_UNKNOWN, so that clients find neither the login nor the server.",
	Fix:     "Set matrix_authentication_service.endpoint to http://<MAS service>:<port><listener prefix>, on a network that both share.",
	Source:  "Synapse api/auth/mas.py; MAS crates/cli/src/server.rs build_router",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.Pairs(func(s *deployment.Synapse, m *deployment.MAS) {
			v := s.Config.At("matrix_authentication_service", "endpoint")
			u, port, ok := d.Endpoint(v.Str())
			fix, heard := fmt.Sprintf("http://%s:8080/", m.Host()), 0
			for _, l := range deployment.MasListeners(m) {
				if slices.Contains(l.Resources, "oauth") && !l.Loopback && !l.Socket() {
					fix = fmt.Sprintf("http://%s:%s%s", m.Host(), m.Outer(l.Port), l.Prefix)
					heard++
				}
			}
			right := unless(heard != 1 || !onlyPair(d), say(v, fix))
			switch {
			case !v.Set() || !ok:
				r.FailMend("Synapse's endpoint for MAS is missing or no URL; every request with a token fails with 503", right, v.Site(""))
				return
			case !slices.Contains(m.Names(), u.Hostname()):
				if d.ServiceAt(u.Hostname()) == nil && strings.Contains(u.Hostname(), ".") {
					r.NotChecked("the endpoint "+u.Redacted()+" is outside of the stack", v.Site(""))
					return
				}
				r.lostHost(d, u.Hostname(), fmt.Sprintf("Synapse looks for MAS at %q, but the service is called %q; every request with a token fails with 503", u.Hostname(), calls(m.Service)), right, append([]source.Site{v.Site(""), m.Site("MAS")}, deployment.NameSites(m.Service)...)...)
				return
			}
			if unheard(m) {
				return
			}
			prefix := strings.TrimSuffix(u.Path, "/") + "/"
			var near []source.Site
			for _, l := range deployment.MasListeners(m) {
				if slices.Contains(l.Resources, "oauth") {
					near = l.Sites("MAS's listener for OAuth")
				}
				if l.Port == port && l.Prefix == prefix && !l.Loopback && slices.Contains(l.Resources, "discovery") && slices.Contains(l.Resources, "oauth") {
					return
				}
			}
			r.FailMend("no listener of MAS serves discovery and oauth at "+u.Redacted()+"; every request with a token fails with 503", right, append([]source.Site{v.Site("")}, near...)...)
		})
	},
}

var synapseEndpointInternal = Rule{
	ID: "synapse-endpoint-internal", Severity: finding.Error,
	Summary: "MAS reaches Synapse on its internal client listener",
	Why:     "Logins end in an error: MAS cannot create the user or the device on Synapse. Through the public host /_synapse/mas is not routed, and should not be.",
	Fix:     "Set MAS's matrix.endpoint to http://<Synapse service>:<port of a client listener>/.",
	Source:  "MAS crates/matrix-synapse modern.rs; Synapse rest/synapse/client/__init__.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.Pairs(func(s *deployment.Synapse, m *deployment.MAS) {
			v := m.Config.At("matrix", "endpoint")
			fix := "endpoint: " + s.ClientAddress() + "/"
			right := unless(!onlyPair(d), say(v, s.ClientAddress()+"/"))
			u, port, ok := d.Endpoint(v.Str())
			switch {
			case !ok:
				r.FailMend("MAS's endpoint for Synapse is missing or no URL; no login can be completed", right, v.Site(""))
				return
			case !slices.Contains(s.Names(), u.Hostname()) && d.Stands(u.Hostname(), port, "/_synapse/mas/query_user", s.Service):
				return
			case !slices.Contains(s.Names(), u.Hostname()) && roundabout(r, d, s, m, u, fix):
				return
			case !slices.Contains(s.Names(), u.Hostname()):
				r.lostHost(d, u.Hostname(), fmt.Sprintf("MAS looks for Synapse at %q, but the service is called %q; no login can be completed", u.Hostname(), calls(s.Service)), right, append([]source.Site{v.Site(""), s.Site("Synapse")}, deployment.NameSites(s.Service)...)...)
				return
			case u.Path != "" && !strings.HasSuffix(u.Path, "/"):
				r.Fail("MAS's endpoint for Synapse has a path without a slash at its end; MAS drops the last part of it", fix, v.Site(""))
				return
			}
			if !s.Hears(port) && !d.Inward(s, port) {
				r.FailMend(fmt.Sprintf("Synapse has no client listener on port %s that other containers reach; no login can be completed", port), right, append([]source.Site{v.Site("")}, s.ListenerSites()...)...)
			}
		})
	},
}

// onlyPair reports whether Synapse and MAS are the only ones, so that one means the other.
func onlyPair(d *deployment.Deployment) bool { return len(d.Synapses) == 1 && len(d.MASs) == 1 }

// roundabout looks whether MAS's endpoint leads to Synapse through the proxy, and reports it where it does or cannot
// be told. The path is one that MAS asks for (crates/matrix-synapse modern.rs).
func roundabout(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, m *deployment.MAS, u *url.URL, fix string) bool {
	v := m.Config.At("matrix", "endpoint")
	if u.Scheme != "https" || !d.HasRouters() {
		return false
	}
	path := strings.TrimSuffix(u.Path, "/") + "/_synapse/mas/query_user"
	res := d.Routes().Match("GET", u.Host, path)
	switch {
	case res.Unknown != "" && res.Router != nil:
		r.NotChecked(fmt.Sprintf("MAS's endpoint %s leads through the proxy: %s", u.Redacted(), res.Unknown), v.Site(""), res.Router.Site)
	case !reaches(res, s.Service, "/_synapse/mas/query_user"):
		return false
	case guard(d, res) != nil:
		g := guard(d, res)
		r.NotChecked(fmt.Sprintf("MAS's endpoint leads through the proxy, where the middleware %s decides who gets to %s%s", g.Name, u.Host, path), v.Site(""), g.Site)
	default:
		r.Warn(fmt.Sprintf("MAS goes round through the proxy to Synapse, by %s; that only works because /_synapse is reachable from outside, and ends when that is closed", u.Host),
			fix, v.Site(""), res.Router.Site)
	}
	return true
}

// forbiddenWithMAS are the options of Synapse that stop it next to MAS, in the order it looks at them.
var forbiddenWithMAS = []struct {
	path []string
	bad  func(source.Value) bool
}{
	{[]string{"password_config", "enabled"}, func(v source.Value) bool { return v.True() || v.Str() == "only_for_reauth" }},
	{[]string{"enable_registration"}, source.Value.True},
	{[]string{"disable_registration"}, deployment.IsFalse},
	{[]string{"user_consent"}, source.Value.Set},
	{[]string{"oidc_providers"}, func(v source.Value) bool { return v.Len() > 0 }},
	{[]string{"oidc_config"}, func(v source.Value) bool { return v.At("enabled").True() }},
	{[]string{"saml2_config"}, samlIsOn},
	{[]string{"cas_config"}, func(v source.Value) bool { return v.Len() > 0 && !deployment.IsFalse(v.At("enabled")) }},
	{[]string{"jwt_config", "enabled"}, source.Value.True},
	{[]string{"password_providers"}, func(v source.Value) bool { return v.Len() > 0 }},
	{[]string{"ldap_config", "enabled"}, source.Value.True},
	{[]string{"enable_registration_captcha"}, source.Value.True},
	{[]string{"login_via_existing_session", "enabled"}, source.Value.True},
	{[]string{"refresh_token_lifetime"}, source.Value.Set},
	{[]string{"nonrefreshable_access_token_lifetime"}, source.Value.Set},
	{[]string{"session_lifetime"}, source.Value.Set},
	{[]string{"enable_3pid_changes"}, source.Value.True},
}

// samlIsOn reports whether Synapse takes a saml2_config for one: it wants one of two keys in it (config/saml2.py).
func samlIsOn(v source.Value) bool {
	return !deployment.IsFalse(v.At("enabled")) && (v.At("sp_config").Len() > 0 || v.At("config_path").Str() != "")
}

var synapseNoLocalAuth = Rule{
	ID: "synapse-no-local-auth", Severity: finding.Error,
	Summary: "Synapse has none of its own ways to log in next to MAS",
	Why:     "Synapse does not start: \"… cannot be enabled when OAuth delegation is enabled\".",
	Fix:     "Remove the option; MAS does its work.",
	Source:  "Synapse config/mas.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			if !s.Delegates() {
				continue
			}
			for _, f := range forbiddenWithMAS {
				if v := s.Config.At(f.path...); f.bad(v) {
					fix := "remove the line"
					if v.Len() > 0 {
						fix = "remove " + v.Path() + " with all that stands below it"
					}
					r.FailMend(v.Path()+" is not possible next to MAS; Synapse does not start", unless(v.Kind() != source.Scalar, remove(v, fix)),
						v.Site(""), s.Config.At("matrix_authentication_service", "enabled").Site("MAS is on here"))
				}
			}
		}
	},
}

var synapseNoPasswordModule = Rule{
	ID: "synapse-no-password-module", Severity: finding.Error,
	Summary: "no module of Synapse checks passwords next to MAS",
	Why:     "Synapse stops at its start: \"Cannot use password auth provider callbacks when OAuth delegation is enabled\".",
	Fix:     "Remove the module. Bridges puppet their users through the doublepuppet appservice instead.",
	Source:  "Synapse module_api/__init__.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			for _, v := range s.PasswordModules() {
				if s.Delegates() {
					r.Fail(fmt.Sprintf("the module %s checks passwords, which Synapse leaves to MAS; Synapse stops at its start", v.Str()),
						"remove the module; double puppeting works through the doublepuppet registration",
						v.Site(""), s.Config.At("matrix_authentication_service", "enabled").Site("MAS is on here"))
				}
			}
		}
	},
}

var masPublicBaseSlash = Rule{
	ID: "mas-public-base-slash", Severity: finding.Error,
	Summary: "http.public_base is an address, and with a path it ends in a slash",
	Why:     "Every address that MAS advertises loses the path: the login page is not found, and the provider says \"Invalid parameter: redirect_uri\".",
	Fix:     "Write the slash.",
	Source:  "MAS crates/router/src/traits.rs (Url::join), url_builder.rs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			http := m.Config.At("http")
			v := http.At("public_base")
			u, _, ok := deployment.Endpoint(v.Str())
			issuer := http.At("issuer")
			switch nowhere := deployment.Nowhere(issuer.Str()); {
			case nowhere && v.Str() == issuer.Str(): // one cause
			case nowhere && d.OnHost(issuer.Str()):
				r.Warn("http.issuer is an address of the host itself; only there clients find where to log in", "remove the line: the issuer is public_base then", issuer.Site(""))
			case nowhere:
				r.FailMend("http.issuer is an address to listen on; clients are told to log in where nobody answers", remove(issuer, "remove the line: the issuer is public_base then"), issuer.Site(""))
			}
			switch {
			case !v.Set() && !http.Set() && m.Config.Root().Set() && !m.ReadsMore():
				r.Fail("MAS has no http section, and advertises http://[::]:8080/ for all that it does; nobody can log in",
					"http: {public_base: https://…/, listeners: …}", m.Config.Root().Site(""))
			case !v.Set():
			case d.OnHost(v.Str()):
				r.Warn("http.public_base is an address of the host itself; nobody logs in from anywhere else", "public_base: the https address that clients see, with a slash at its end", v.Site(""))
			case deployment.Nowhere(v.Str()):
				r.Fail("http.public_base is an address to listen on; every address that MAS advertises leads nowhere, and nobody can log in", "public_base: the https address that clients see, with a slash at its end", v.Site(""))
			case !ok || u.RawQuery != "" || u.Fragment != "" || u.User != nil:
				r.Fail("http.public_base must be an http or https address without credentials, query and fragment; MAS stops at its start", "public_base: https://…/", v.Site(""))
			case u.Path != "" && !strings.HasSuffix(u.Path, "/"):
				r.FailMend("http.public_base has a path without a slash at its end; every address that MAS advertises loses the path", say(v, v.Str()+"/"), v.Site(""))
			}
		}
	},
}

var masHealthcheck = Rule{
	ID: "mas-healthcheck", Severity: finding.Error,
	Summary: "MAS's health check is off, or one that its image can run",
	Why:     "The container is unhealthy for ever, Traefik does not route to it, and nobody can log in. The image has no shell, no curl and no wget.",
	Fix:     "Write healthcheck: {disable: true}, or take a -debug image and ask the port of the listener that has the health resource.",
	Source:  "MAS Dockerfile (distroless); Traefik pkg/provider/docker keepContainer",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			test := m.Probe.Test
			words := append([]string{test.Str()}, test.Texts()...)
			text := strings.Join(words, " ")
			if m.Probe.Off || !test.Set() || slices.Contains(words, "NONE") {
				continue
			}
			switch {
			case strings.Contains(text, "mas-cli") && !slices.Contains(words, "CMD-SHELL") && len(test.Items) > 0:
			case m.Probe.Outside && m.Partial(): // the listener may be in what cannot be seen
			case m.Probe.Outside:
				healthPort(r, m, test, text)
			case strings.HasSuffix(m.Image.Tag, "-debug") && strings.Contains(text, "/busybox/"):
				healthPort(r, m, test, text)
			default:
				r.Fail("the image of MAS has no shell and no client to run this check; the container stays unhealthy and Traefik does not route to it",
					d.Lines.NoProbe, test.Site(""), m.ImageAt.Site("the image"))
			}
		}
	},
}

var urlPort = regex.Of(`https?://[^/:\s]+:(\d+)`)

func healthPort(r *Reporter, m *deployment.MAS, test deployment.List, text string) {
	g := urlPort().FindStringSubmatch(text)
	if g == nil {
		return
	}
	for _, l := range deployment.MasListeners(m) {
		if l.Port == g[1] && slices.Contains(l.Resources, "health") && (!m.Probe.Outside || !l.Loopback) {
			there := l.Prefix + "health"
			p := urlPath().FindStringSubmatch(text)
			alone := !slices.ContainsFunc(l.Resources, func(name string) bool { return name != "health" }) // others answer other paths
			if p != nil && p[1] != there && m.Probe.Outside && (alone || finding.Nearest(p[1], []string{there}) != "") {
				r.Fail("MAS serves health at "+there+", and is asked for "+p[1]+"; it is never ready, and nobody can log in", "path: "+there, test.Site(""))
			}
			return
		}
	}
	r.Fail(fmt.Sprintf("no listener of MAS serves health on port %s; the container stays unhealthy", g[1]),
		"ask the port of a listener with the resource health", test.Site(""), m.Config.At("http", "listeners").Site("the listeners"))
}

var masUpstreamMigrated = Rule{
	ID: "mas-upstream-migrated", Severity: finding.Warning,
	Summary: "users that come from Synapse can log in through the provider",
	Why:     "Whoever was migrated sees \"User exists\" when logging in through the provider for the first time.",
	Fix:     "Set synapse_idp_id to what Synapse called the provider, or claims_imports.localpart.on_conflict: set.",
	Source:  "MAS crates/handlers upstream_oauth2/link.rs, crates/syn2mas",
	Check: func(d *deployment.Deployment, r *Reporter) {
		migrating := d.Migrating()
		for _, m := range d.MASs {
			// The bcrypt scheme is what a Synapse's users bring along.
			scheme := source.Value{}
			for _, v := range m.Config.At("passwords", "schemes").Items() {
				if v.At("algorithm").Str() == "bcrypt" {
					scheme, migrating = v, true
				}
			}
			for _, p := range m.Config.At("upstream_oauth2", "providers").Items() {
				local := p.At("claims_imports", "localpart")
				conflict := local.At("on_conflict").Str()
				// With the move behind it, somebody who writes fail has decided so.
				decided := conflict == "fail" && !d.Migrating()
				if !migrating || decided || p.At("synapse_idp_id").Set() || conflict != "" && conflict != "fail" || deployment.IsFalse(p.At("enabled")) {
					continue
				}
				sites := []source.Site{local.Site("")}
				if scheme.Exists() {
					sites = append(sites, scheme.Site("users from Synapse are expected here"))
				}
				r.Fail("an existing user who logs in through this provider sees \"User exists\"", "on_conflict: set; in stack.yaml: existing_users: link", sites...)
			}
		}
	},
}
