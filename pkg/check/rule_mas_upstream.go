package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

var masUpstreamConflict = Rule{
	ID: "mas-upstream-conflict", Severity: finding.Error,
	Summary: "on_conflict other than fail has a localpart that is forced or required; skip_confirmation leaves nothing to suggest",
	Why:     "MAS does not start: \"The field `action` must be either `force` or `require` when `on_conflict` is set to `add`, `replace` or `set`\".",
	Fix:     "Write action: require for the localpart.",
	Source:  "MAS crates/config/src/sections/upstream_oauth2.rs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			for _, p := range m.Upstreams() {
				imports := p.At("claims_imports")
				action, conflict := imports.At("localpart", "action"), imports.At("localpart", "on_conflict")
				if slices.Contains([]string{"add", "replace", "set"}, conflict.Str()) && !slices.Contains([]string{"force", "require"}, action.Str()) {
					r.Fail(fmt.Sprintf("on_conflict: %s needs a localpart that is forced or required, and it is %s; MAS does not start", conflict.Str(), actionOf(action)),
						"action: require", action.Site(""), conflict.Site("needs it"))
				}
				skip := imports.At("skip_confirmation")
				if !skip.True() {
					continue
				}
				if action.Str() != "require" {
					r.Fail(fmt.Sprintf("skip_confirmation needs a localpart that is required, and it is %s; MAS does not start", actionOf(action)), "action: require", action.Site(""), skip.Site("needs it"))
				}
				for _, claim := range []string{"email", "displayname"} {
					if v := imports.At(claim, "action"); v.Str() == "suggest" {
						r.Fail(fmt.Sprintf("the %s is suggested, but with skip_confirmation nobody is asked; MAS does not start", claim), "action: force", v.Site(""), skip.Site("asks nobody"))
					}
				}
			}
		}
	},
}

// actionOf is what MAS does with a claim; ignore is its default.
func actionOf(v source.Value) string {
	return cmp.Or(map[string]string{"suggest": "suggested", "force": "forced", "require": "required"}[v.Str()], "ignored")
}

// imported are the claims that MAS takes over, with the template it uses where none is written.
var imported = []struct{ name, template string }{
	{"localpart", "{{ user.preferred_username }}"},
	{"displayname", "{{ user.name }}"},
	{"email", "{{ user.email }}"},
	{"account_name", ""},
}

// scopeOf is the scope that a provider gives a claim out for, as OpenID Connect Core has it in 5.4.
var scopeOf = map[string]string{
	"preferred_username": "profile", "name": "profile", "given_name": "profile", "family_name": "profile", "middle_name": "profile",
	"nickname": "profile", "picture": "profile", "website": "profile", "locale": "profile", "zoneinfo": "profile",
	"email": "email", "email_verified": "email", "phone_number": "phone", "phone_number_verified": "phone", "address": "address",
}

var userClaim = regex.Of(`\buser\.([a-z_]+)`)

var masUpstreamClaims = Rule{
	ID: "mas-upstream-claims", Severity: finding.Error,
	Summary: "the scope of a provider covers the claims that MAS imports from it",
	Why:     "Whoever logs in for the first time gets 'Template \"{{ user.preferred_username }}\" rendered to an empty string' or an empty form: the provider did not send the claim. Without openid: \"Could not extract subject from ID token\".",
	Fix:     "scope: openid profile email",
	Source:  "MAS docs/setup/sso.md, crates/handlers upstream_oauth2/link.rs; OpenID Connect Core 5.4",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			for _, p := range m.Upstreams() {
				scopes := strings.Fields(p.At("scope").Str())
				if !p.At("scope").Set() {
					scopes = []string{"openid"} // MAS's default
				}
				// Without discovery the provider speaks OAuth 2 of its own kind, and Apple has scopes of its own.
				switch {
				case p.At("discovery_mode").Str() == "disabled" || p.At("sign_in_with_apple").Set() || deployment.IsFalse(p.At("enabled")):
				case !slices.Contains(scopes, "openid"):
					fix := say(p.At("scope"), strings.Join(append([]string{"openid"}, scopes...), " "))
					if strings.Contains(p.At("issuer").Str(), "/realms/") {
						r.FailMend("the scope lacks openid, without which Keycloak sends no ID token; nobody can log in through it (400, \"Could not extract subject from ID token\")", fix, p.At("scope").Site(""))
						break
					}
					r.Warn("the scope lacks openid, without which a provider sends no ID token; nobody can log in through it unless it sends one anyway", fix.text, p.At("scope").Site(""))
				default:
					checkScope(r, p, scopes)
				}
			}
		}
	},
}

func checkScope(r *Reporter, p source.Value, scopes []string) {
	for _, i := range imported {
		v := p.At("claims_imports", i.name)
		template, at := v.At("template").Str(), v.At("template")
		if !at.Set() {
			template, at = i.template, v.At("action")
		}
		if action := v.At("action").Str(); i.template != "" && (action == "" || action == "ignore") {
			continue
		}
		for _, g := range userClaim().FindAllStringSubmatch(template, -1) {
			if scope := scopeOf[g[1]]; scope != "" && !slices.Contains(scopes, scope) {
				r.Warn(fmt.Sprintf("the %s comes from the claim %s, which a provider sends for the scope %s, and MAS does not ask for that; it stays empty unless the provider sends it anyway", i.name, g[1], scope),
					"scope: "+strings.Join(append(slices.Clone(scopes), scope), " "), p.At("scope").Site(""), at.Site("needs it"))
				break
			}
		}
	}
}

var ulidForm = regex.Of(`^[0-7][0-9A-HJKMNP-TV-Z]{25}$`)

// Methods by which MAS proves to a provider who it is.
var (
	withSecret = []string{"client_secret_basic", "client_secret_post", "client_secret_jwt"}
	withJWT    = []string{"client_secret_jwt", "private_key_jwt"}
)

var masUpstreamClient = Rule{
	ID: "mas-upstream-client", Severity: finding.Error,
	Summary: "a provider has an id of its own, an issuer as the provider writes it, and the secret that its method of authentication needs",
	Why:     "MAS does not start (\"missing field `client_secret`\", \"Unexpected field `client_secret` for the selected authentication method\"), or the login page fails: the issuer in the discovery document is another.",
	Fix:     "Write what the provider's client is set to. The id is a ULID and must never change.",
	Source:  "MAS crates/config/src/sections/upstream_oauth2.rs, crates/oauth2-types/src/oidc.rs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			first := make(map[string]source.Value)
			for _, p := range m.Upstreams() {
				checkProviderID(r, p, first)
				checkIssuer(r, p)
				checkClientAuth(r, m, p)
			}
		}
	},
}

func checkProviderID(r *Reporter, p source.Value, first map[string]source.Value) {
	id := p.At("id")
	if !ulidForm().MatchString(id.Str()) {
		fix := mend{text: "id: a new ULID, 26 characters without I, L, O and U"}
		if up := strings.ToUpper(id.Str()); ulidForm().MatchString(up) {
			fix = say(id, up)
		}
		r.FailMend("the id of the provider is no ULID in upper case; MAS does not start", fix, id.Site(""))
		return
	}
	if other, ok := first[id.Str()]; ok {
		r.Fail("two providers have the same id; one of them replaces the other", "give one of them a ULID of its own", id.Site(""), other.Site("the other"))
	}
	first[id.Str()] = id
}

func checkIssuer(r *Reporter, p source.Value) {
	issuer := p.At("issuer")
	if p.At("discovery_mode").Str() == "disabled" {
		for _, key := range []string{"authorization_endpoint", "token_endpoint", "jwks_uri"} {
			if !p.At(key).Set() {
				r.Warn("without discovery MAS does not know "+key+"; the login through this provider may fail", key+": its URL", p.At(key).Site(""), p.At("discovery_mode").Site("discovery is off here"))
			}
		}
		return
	}
	switch u, _, ok := deployment.Endpoint(issuer.Str()); {
	case !issuer.Set():
		r.Fail("the provider has no issuer, which discovery needs; MAS does not start", "issuer: the provider's, as its discovery document has it", issuer.Site(""))
	case !ok:
		r.Fail("the issuer of the provider is no URL; nobody can log in through it", "issuer: https://…", issuer.Site(""))
	case strings.Contains(u.Path, "/realms/") && strings.HasSuffix(u.Path, "/"):
		r.FailMend("the issuer ends in a slash, which Keycloak's own does not; MAS refuses the discovery document and nobody can log in", say(issuer, strings.TrimRight(issuer.Str(), "/")), issuer.Site(""))
	case strings.HasSuffix(u.Path, "/.well-known/openid-configuration"):
		r.FailMend("the issuer is the address of the discovery document; MAS looks for that below it and nobody can log in", say(issuer, strings.TrimSuffix(issuer.Str(), "/.well-known/openid-configuration")), issuer.Site(""))
	}
}

func checkClientAuth(r *Reporter, m *deployment.MAS, p source.Value) {
	if !p.At("client_id").Set() {
		r.Fail("the provider has no client_id; MAS does not start", "client_id: the name of the client at the provider", p.At("client_id").Site(""))
	}
	method, inline, file := p.At("token_endpoint_auth_method"), p.At("client_secret"), p.At("client_secret_file")
	alg, apple := p.At("token_endpoint_auth_signing_alg"), p.At("sign_in_with_apple")
	if !method.Set() {
		r.Fail("the provider has no token_endpoint_auth_method; MAS does not start", "token_endpoint_auth_method: client_secret_basic", method.Site(""))
		return
	}
	unexpected := func(v source.Value) {
		r.Fail(fmt.Sprintf("%s does not go with token_endpoint_auth_method: %s; MAS does not start", v.Name(), method.Str()), "remove it, or choose another method", v.Site(""), method.Site("the method"))
	}
	missing := func(v source.Value, fix string) {
		r.Fail(fmt.Sprintf("token_endpoint_auth_method: %s needs %s; MAS does not start", method.Str(), v.Name()), fix, v.Site(""), method.Site("the method"))
	}
	secret := inline
	if !inline.Set() {
		secret = file
	}
	wantsSecret, wantsAlg := slices.Contains(withSecret, method.Str()), slices.Contains(withJWT, method.Str())
	switch {
	case inline.Set() && file.Set():
		r.Fail("both client_secret and client_secret_file are set; MAS does not start", "keep one of them", inline.Site(""), file.Site("the other"))
	case wantsSecret && !secret.Set():
		missing(inline, "client_secret_file: the path of a file with the client's secret")
	case !wantsSecret && secret.Set():
		unexpected(secret)
	case file.Set():
		if text, ok := namedByMAS(r, m, file); ok && strings.TrimSpace(text) == "" {
			r.Fail("the file of the client secret is empty; nobody can log in through this provider (unauthorized_client)", "write the client's secret into it", file.Site(""))
		}
	}
	switch {
	case wantsAlg && !alg.Set():
		missing(alg, "token_endpoint_auth_signing_alg: "+map[bool]string{true: "HS256", false: "RS256"}[wantsSecret])
	case !wantsAlg && alg.Set():
		unexpected(alg)
	}
	switch isApple := method.Str() == "sign_in_with_apple"; {
	case isApple && !apple.Set():
		missing(apple, "sign_in_with_apple: {team_id: …, key_id: …, private_key_file: …}")
	case !isApple && apple.Set():
		unexpected(apple)
	}
}
