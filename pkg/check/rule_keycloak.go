package check

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// keycloakDir is where render puts the clients that a Keycloak is to import.
const keycloakDir = "keycloak"

var keycloakClientAgrees = Rule{
	ID: "keycloak-client-agrees", Severity: finding.Error,
	Summary: "the client in keycloak/*.json is the one that MAS or Synapse logs in with, and returns to where that waits",
	Why:     "Keycloak says \"Invalid parameter: redirect_uri\" or \"Client not found\" instead of showing its login page; or whoever logs out there stays logged in here.",
	Fix:     "Write what MAS's public_base and the provider's id, or Synapse's public_baseurl, make of it, and import the client again.",
	Source:  "MAS crates/router/src/endpoints.rs, docs/setup/sso.md; Synapse 1.163.2 config/oidc.py, docs/openid.md",
	Check: func(d *deployment.Deployment, r *Reporter) {
		clients := keycloakClients(r, d)
		for _, m := range d.MASs {
			checkKeycloakClients(r, m, clients)
		}
		for _, s := range d.Synapses {
			for _, p := range s.Config.At("oidc_providers").Items() {
				checkKeycloakOfSynapse(r, s, p, clients)
			}
		}
	},
}

// keycloakClients gives the client id of every client that is kept beside the compose file.
func keycloakClients(r *Reporter, d *deployment.Deployment) []source.Value {
	var clients []source.Value
	files, _ := fs.Glob(d.FS, keycloakDir+"/*.json") // the pattern is well formed
	for _, name := range files {
		f, findings := d.Read(name)
		if len(findings) > 0 {
			r.NotChecked("the client cannot be read: "+findings[0].Message, source.Site{Pos: source.Pos{File: name}})
			continue
		}
		// A realm's export and other things of Keycloak are no clients.
		if id := f.At("clientId"); id.Set() {
			clients = append(clients, id)
		}
	}
	return clients
}

func checkKeycloakClients(r *Reporter, m *deployment.MAS, clients []source.Value) {
	var alone []source.Value // client ids of providers that have no client
	for _, p := range m.Upstreams() {
		id := p.At("client_id")
		i := slices.IndexFunc(clients, func(c source.Value) bool { return c.Str() == id.Str() })
		switch {
		case i >= 0:
			checkKeycloakClient(r, m, clients[i].File(), p)
			clients = slices.Delete(slices.Clone(clients), i, i+1)
		case strings.Contains(p.At("issuer").Str(), "/realms/"):
			alone = append(alone, id)
		}
	}
	// A client of another program is nothing wrong, as long as every provider has its own.
	for i := range min(len(clients), len(alone)) {
		r.Fail(fmt.Sprintf("the client is called %q, but MAS logs in as %q; Keycloak says \"Client not found\"", clients[i].Str(), alone[i].Str()),
			fmt.Sprintf("%q: %q", "clientId", alone[i].Str()), clients[i].Site(""), alone[i].Site("MAS's"))
	}
	base := m.Config.At("http", "public_base")
	for _, id := range clients[min(len(clients), len(alone)):] {
		uris := id.File().At("redirectUris")
		back := strings.TrimSuffix(base.Str(), "/") + "/upstream/callback/"
		if base.Set() && !m.ReadsMore() && slices.ContainsFunc(deployment.ItemTexts(uris), func(u string) bool { return strings.HasPrefix(u, back) }) {
			r.Fail(fmt.Sprintf("the client %q returns to MAS, which has no provider that logs in with it; nobody can choose it at the login", id.Str()), "client_id: "+id.Str()+" in a provider",
				m.Config.At("upstream_oauth2", "providers").Site(""), uris.Site("returns to MAS"))
		}
	}
}

func checkKeycloakClient(r *Reporter, m *deployment.MAS, f *source.File, p source.Value) {
	u, base, ok := m.Base()
	if !ok {
		return
	}
	want := func(what string) string {
		return u.JoinPath("upstream", what, p.At("id").Str()).String()
	}
	because := []source.Site{base.Site("MAS's address"), p.At("id").Site("the provider")}
	uris := f.At("redirectUris")
	if callback := want("callback"); !slices.ContainsFunc(uris.Items(), func(v source.Value) bool { return allows(v.Str(), callback) }) {
		at := uris
		if uris.Len() == 1 {
			at = uris.At("0")
		}
		r.Fail("Keycloak does not let the client return to where MAS waits; it says \"Invalid parameter: redirect_uri\" instead of showing its login page",
			fmt.Sprintf("%q: [%q]", "redirectUris", callback), append([]source.Site{at.Site("")}, because...)...)
	}
	logout := f.At("attributes", "backchannel.logout.url")
	if back := want("backchannel-logout"); logout.Set() && logout.Str() != back {
		r.FailMend("Keycloak reports a logout where MAS does not wait for it; whoever logs out there stays logged in here",
			inJSON(logout, source.Quote(back)), append([]source.Site{logout.Site("")}, because...)...)
	}
	if action := p.At("on_backchannel_logout"); logout.Set() && action.Set() && action.Str() != "do_nothing" {
		if v := f.At("frontchannelLogout"); v.True() {
			r.WarnMend("Keycloak reports a logout through the browser, which MAS does not know; whoever logs out there stays logged in here", inJSON(v, "false"), v.Site(""), action.Site("MAS waits for it"))
		}
		if v := f.At("attributes", "backchannel.logout.session.required"); v.Set() && v.Str() != "true" {
			r.WarnMend("Keycloak does not say which session has ended; MAS ends every session of that user", inJSON(v, `"true"`), v.Site(""), action.Site("MAS's action"))
		}
	}
	checkKeycloakSettings(r, m, f, p)
}

// checkKeycloakOfSynapse holds a provider by which Synapse itself logs users in against its client.
func checkKeycloakOfSynapse(r *Reporter, s *deployment.Synapse, p source.Value, clients []source.Value) {
	id := p.At("client_id")
	i := slices.IndexFunc(clients, func(c source.Value) bool { return c.Str() == id.Str() })
	if i < 0 {
		if len(clients) == 1 && len(s.Config.At("oidc_providers").Items()) == 1 && strings.Contains(p.At("issuer").Str(), "/realms/") {
			r.Fail(fmt.Sprintf("the client is called %q, but Synapse logs in as %q; Keycloak says \"Client not found\"", clients[0].Str(), id.Str()),
				fmt.Sprintf("%q: %q", "clientId", id.Str()), clients[0].Site(""), id.Site("Synapse's"))
		}
		return
	}
	f := clients[i].File()
	base := s.Config.At("public_baseurl")
	callback := strings.TrimSuffix(base.Str(), "/") + "/_synapse/client/oidc/callback"
	uris := f.At("redirectUris")
	if base.Set() && !s.Partial() && !slices.ContainsFunc(uris.Items(), func(v source.Value) bool { return allows(v.Str(), callback) }) {
		at := uris
		if uris.Len() == 1 {
			at = uris.At("0")
		}
		r.Fail("Keycloak does not let the client return to where Synapse waits; it says \"Invalid parameter: redirect_uri\" instead of showing its login page",
			fmt.Sprintf("%q: [%q]", "redirectUris", callback), at.Site(""), base.Site("Synapse's address"))
	}
	given, at, _ := s.Deployment().SecretOf(s.Service, p, "client_secret", "client_secret_path")
	if own := f.At("secret"); own.Set() && given != "" && given != own.Str() {
		r.Fail("the client's secret is not the one that Synapse has; Keycloak answers unauthorized_client and nobody can log in",
			"the same value at both places; what Keycloak has itself decides", own.Site("differs"), at.Site("Synapse's"))
	}
	if public := f.At("publicClient"); public.True() && given != "" {
		r.FailMend("the client is public, but Synapse proves who it is; Keycloak answers unauthorized_client and nobody can log in", inJSON(public, "false"), public.Site(""), at.Site("Synapse's secret"))
	}
}

// authenticators are Keycloak's names for the methods by which MAS proves who it is.
var authenticators = map[string]string{
	"client_secret_basic": "client-secret", "client_secret_post": "client-secret", "client_secret_jwt": "client-secret-jwt", "private_key_jwt": "client-jwt",
}

// inJSON makes a value of a client another one.
func inJSON(v source.Value, written string) mend {
	return mend{fmt.Sprintf("%q: %s", v.Name(), written), func() []source.Edit { return v.Become(written) }}
}

func checkKeycloakSettings(r *Reporter, m *deployment.MAS, f *source.File, p source.Value) {
	method := p.At("token_endpoint_auth_method")
	wanted := authenticators[method.Str()]
	if public := f.At("publicClient"); public.True() && wanted != "" {
		r.FailMend("the client is public, but MAS proves who it is; Keycloak answers unauthorized_client and nobody can log in", inJSON(public, "false"), public.Site(""), method.Site("MAS's method"))
	} else if v := f.At("clientAuthenticatorType"); v.Set() && wanted != "" && v.Str() != wanted {
		r.Fail("the client is asked for another proof than MAS gives; Keycloak answers unauthorized_client and nobody can log in", fmt.Sprintf("%q: %q", v.Name(), wanted), v.Site(""), method.Site("MAS's method"))
	}
	if own := f.At("secret"); own.Set() && wanted == "client-secret" {
		given, at, _ := m.Deployment().SecretOf(m.Service, p, "client_secret", "client_secret_file")
		if given != "" && given != own.Str() {
			r.Fail("the client's secret is not the one that MAS has; Keycloak answers unauthorized_client and nobody can log in",
				"the same value at both places; what Keycloak has itself decides", own.Site("differs"), at.Site("MAS's"))
		}
	}
	for _, need := range []struct{ key, value, message string }{
		{"enabled", "true", "the client is disabled; nobody can log in"},
		{"standardFlowEnabled", "true", "the standard flow of the client is off, which is the one that MAS uses; nobody can log in"},
		{"protocol", `"openid-connect"`, "the client does not speak OpenID Connect; nobody can log in"},
	} {
		if v := f.At(need.key); v.Set() && v.Str() != strings.Trim(need.value, `"`) {
			r.FailMend(need.message, inJSON(v, need.value), v.Site(""))
		}
	}
	given, optional := f.At("defaultClientScopes"), f.At("optionalClientScopes")
	for scope := range strings.FieldsSeq(p.At("scope").Str()) {
		if given.Set() && optional.Set() && scope != "openid" && !slices.Contains(append(deployment.ItemTexts(given), deployment.ItemTexts(optional)...), scope) {
			r.Fail(fmt.Sprintf("MAS asks for the scope %s, which the client does not have; Keycloak answers invalid_scope and nobody can log in", scope),
				fmt.Sprintf("%q: %q and the others", given.Name(), scope), given.Site(""), p.At("scope").Site("MAS asks for it"))
		}
	}
}

// allows reports whether a redirect URI of Keycloak's client lets the address pass; a * at its end stands for
// the rest.
func allows(pattern, address string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(address, prefix)
	}
	return pattern == address
}

var oidcCallbackRouted = Rule{
	ID: "oidc-callback-routed", Severity: finding.Error,
	Summary: "where Synapse itself logs users in through a provider, they come back to it",
	Why:     "The provider sends the browser to /_synapse/client/oidc/callback, and the proxy answers 404, or somebody else does: nobody can log in.",
	Fix:     "Route /_synapse/client/ of Synapse's public_baseurl to Synapse.",
	Source:  "Synapse 1.163.2 rest/synapse/client/oidc/callback_resource.py, docs/reverse_proxy.md",
	Check: func(d *deployment.Deployment, r *Reporter) {
		const path = "/_synapse/client/oidc/callback"
		for _, s := range d.Synapses {
			providers := s.Config.At("oidc_providers")
			host := s.MatrixHost()
			if providers.Len() == 0 || s.Delegates() || host == "" || !s.Config.At("public_baseurl").Set() || s.Partial() || !d.HasRouters() {
				continue
			}
			if in := d.Routes().Match("GET", host, "/_matrix/client/versions"); in.Backend == nil || !s.Is(in.Backend.Container) {
				continue // who is in front of it is not seen
			}
			res := d.Routes().Match("GET", host, path)
			if res.Unknown != "" || res.Tie != nil || res.Redirect != "" || res.Backend != nil && s.Is(res.Backend.Container) || d.Explained(s.Service, "GET", host, path) {
				continue
			}
			r.Fail(fmt.Sprintf("whoever comes back from a provider to %s%s is answered by %s and not by Synapse; nobody can log in through it", host, path, answererFor(res, s.Service)),
				routeFix(d, host, s.Service, "/_synapse/client/"), append([]source.Site{providers.Site("")}, routerSites(res, s.Service)...)...)
		}
	},
}
