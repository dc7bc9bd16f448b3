package adopt

import (
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// withoutMAS reads Synapse's own login. The spec leaves it there or, where that is not asked for, renders MAS beside it and
// prepares the move of the users.
func (r *reader) withoutMAS() {
	c, a := r.syn.Config, &r.spec.Auth
	login := c.At("password_config")
	a.Passwords = !deployment.IsFalse(login.At("enabled"))
	if pepper := login.At("pepper").Str(); pepper != "" {
		a.Pepper = true
		r.secrets["auth.pepper"] = pepper
	}
	if c.At("enable_registration").True() && a.Passwords {
		switch {
		case c.At("registration_requires_token").True():
			a.Registration = "token"
		case strings.Contains(strings.Join(texts(c.At("registrations_require_3pid")), " "), "email"):
			a.Registration = "open-with-email"
		default:
			r.note(c.At("enable_registration").Site(""), "anybody can make an account, and the spec has that for nobody (auth.registration)", "auth")
		}
	}
	if r.keptLogin() {
		a.Kind = "synapse"
		r.keep("synapse.registration_shared_secret", r.held(r.syn.Service, c.Root(), "registration_shared_secret", "registration_shared_secret_path"))
		return
	}
	a.Migration = true
	if !r.labelled() {
		r.note(r.syn.Site("Synapse"), "the proxy that is kept as it is has to lead /login, /logout and /refresh of clients and the address of MAS there (MIGRATION.md)", "ingress")
	}
	r.note(r.syn.Site("Synapse"), "Synapse logs users in itself, and the spec has MAS do it: first move the users (auth.migration, Migrate in RUNBOOK.md), or import with --keep-auth", "auth", "migration")
}

// keptLogin reports whether Synapse goes on to log users in itself.
func (r *reader) keptLogin() bool {
	return r.mas == nil && (r.o.KeepAuth || r.d.Chosen.Managed)
}

// oidc reads the providers of Synapse. Their users are found again by the name that Synapse keeps each provider under.
func (r *reader) oidc() {
	list := r.syn.Config.At("oidc_providers").Items()
	if old := r.syn.Config.At("oidc_config"); old.At("enabled").True() {
		list = append(list, old)
	}
	for _, p := range list {
		id := or(p.At("idp_id").Str(), "oidc")
		name := r.upstreamName(p.At("client_secret_path").Str(), or(p.At("idp_id").Str(), p.At("idp_name").Str()), p.At("issuer").Str())
		u := spec.Upstream{
			Issuer: p.At("issuer").Str(), ClientID: p.At("client_id").Str(), HumanName: or(p.At("idp_name").Str(), "OIDC"),
			SynapseIDP: spec.SynapseIDP("", id), Scope: "openid",
		}
		if scopes := deployment.ItemTexts(p.At("scopes")); len(scopes) > 0 {
			u.Scope = strings.Join(scopes, " ")
		}
		if p.At("allow_existing_users").True() {
			u.ExistingUsers = "link"
		}
		r.keep("auth.upstream."+name+".client_secret", r.held(r.syn.Service, p, "client_secret", "client_secret_path"))
		r.addUpstream(name, u)
	}
}

// oidcFields are the keys of an OpenID Connect provider of Synapse that a spec has fields for.
var oidcFields = []string{"idp_id", "idp_name", "issuer", "client_id", "client_secret", "client_secret_path", "scopes", "allow_existing_users"}

// ownProviders adds what the providers of Synapse have beside those fields.
func (r *reader) ownProviders(over, ours *source.Node) *source.Node {
	return listed(over, ours, []string{"oidc_providers"}, r.syn.Config.At("oidc_providers").Items(), "idp_id", oidcFields)
}
