package adopt

import (
	"net/url"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// auth reads MAS, or what logs users in where there is none yet.
func (r *reader) auth() {
	if r.mas == nil {
		r.withoutMAS()
		return
	}
	c := r.mas.Config
	a := &r.spec.Auth
	a.Component = r.component(r.mas.Service, component.MAS)
	a.PublicURL = c.At("http", "public_base").Str()
	a.Passwords = !deployment.IsFalse(c.At("passwords", "enabled"))
	if account := c.At("account"); a.Passwords && account.At("password_registration_enabled").True() {
		switch {
		case account.At("password_registration_token_required").True() || account.At("registration_token_required").True():
			a.Registration = "token"
		case !deployment.IsFalse(account.At("password_registration_email_required")):
			a.Registration = "open-with-email"
		}
	}
	if captcha := c.At("captcha"); captcha.At("service").Set() && a.Registration != "" {
		a.Captcha = spec.Captcha{Service: captcha.At("service").Str(), SiteKey: captcha.At("site_key").Str()}
		r.keep("auth.captcha_secret_key", captcha.At("secret_key").Str())
	}
	bcrypt := false
	for _, s := range c.At("passwords", "schemes").Items() {
		bcrypt = bcrypt || s.At("algorithm").Str() == "bcrypt"
		if pepper := r.held(r.mas.Service, s, "secret", "secret_file"); pepper != "" && s.At("algorithm").Str() == "bcrypt" {
			a.Pepper = true
			r.secrets["auth.pepper"] = pepper
		}
	}
	a.Migration = bcrypt && r.migrates()
	a.Migrated = bcrypt && !a.Migration
	r.keep("auth.matrix_secret", r.held(r.mas.Service, c.At("matrix"), "secret", "secret_file"))
	r.keep("auth.encryption", r.held(r.mas.Service, c.At("secrets"), "encryption", "encryption_file"))
	for _, k := range c.At("secrets", "keys").Items() {
		r.key(r.pem(k))
	}
}

// pem is a signing key of MAS, with the line break at its end.
func (r *reader) pem(k source.Value) string {
	if file := k.At("key_file").Str(); file != "" {
		text, _, _ := r.d.Text(r.mas.Service, file)
		return text
	}
	return k.At("key").Str()
}

// migrates reports whether there is a service that runs syn2mas.
func (r *reader) migrates() bool {
	return slices.ContainsFunc(r.d.Services, func(s *deployment.Service) bool {
		return s.Program == component.MAS && slices.Contains(s.Command(), "syn2mas")
	})
}

// existing are the spec's words for MAS's.
var existing = map[string]string{"set": "link", "replace": "relink", "fail": "fail", "add": "link"}

// upstreams reads the providers of MAS, or those of Synapse where it has none.
func (r *reader) upstreams() {
	if r.mas == nil {
		r.oidc()
		return
	}
	for _, p := range r.mas.Upstreams() {
		name := r.upstreamName(p.At("client_secret_file").Str(), p.At("human_name").Str(), p.At("issuer").Str())
		u := spec.Upstream{
			Issuer: p.At("issuer").Str(), ClientID: p.At("client_id").Str(), HumanName: p.At("human_name").Str(),
			SynapseIDP: p.At("synapse_idp_id").Str(), Scope: p.At("scope").Str(),
			ExistingUsers: existing[p.At("claims_imports", "localpart", "on_conflict").Str()],
		}
		if u.ExistingUsers == "" && (r.spec.Auth.Migration || r.spec.Auth.Migrated) {
			u.ExistingUsers = "fail" // MAS's default, and not that of the spec then
		}
		r.keep("auth.upstream."+name+".id", p.At("id").Str())
		r.keep("auth.upstream."+name+".client_secret", r.held(r.mas.Service, p, "client_secret", "client_secret_file"))
		r.addUpstream(name, u)
	}
}

func (r *reader) addUpstream(name string, u spec.Upstream) {
	if r.spec.Auth.Upstream == nil {
		r.spec.Auth.Upstream = make(map[string]spec.Upstream)
	}
	r.spec.Auth.Upstream[name] = u
}

var noName = regex.Of(`[^a-z0-9]+`)

// upstreamName is what the spec calls a provider: as before where stackgen rendered it, otherwise after what people see.
func (r *reader) upstreamName(file, human, issuer string) string {
	for _, service := range []string{"mas", "synapse"} {
		if name, ok := strings.CutPrefix(path.Base(file), service+"_upstream_"); ok {
			return name
		}
	}
	name := strings.Trim(noName().ReplaceAllString(strings.ToLower(human), "-"), "-")
	if u, err := url.Parse(issuer); err == nil && name == "" {
		name = strings.Trim(noName().ReplaceAllString(strings.ToLower(strings.SplitN(u.Hostname(), ".", 2)[0]), "-"), "-")
		if strings.Contains(issuer, "/realms/") {
			name = "keycloak"
		}
	}
	if name == "" || name[0] < 'a' {
		name = strings.Trim("oidc-"+name, "-")
	}
	for base, n := name, 2; r.spec.Auth.Upstream[name].Issuer != ""; n++ {
		name = base + "-" + strings.Repeat("i", n)
	}
	return name
}

// held is a secret that stands inline or in a file; "" where it cannot be seen.
func (r *reader) held(s *deployment.Service, at source.Value, inline, file string) string {
	value, _, reason := r.d.SecretOf(s, at, inline, file)
	if reason != "" {
		return ""
	}
	return value
}

// keep takes a secret over, if there is one.
func (r *reader) keep(name, value string) {
	if value != "" {
		r.secrets[name] = value
	}
}
