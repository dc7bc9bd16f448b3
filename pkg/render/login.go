package render

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// resolveLogin settles how users log in, at MAS or at Synapse itself.
func (st *Stack) resolveLogin(s *spec.Spec, secrets *secret.Set) {
	a, service := s.Auth, string(component.MAS)
	if !s.MAS() {
		service = string(component.Synapse)
	}
	st.Login = Login{Passwords: a.Passwords, Registration: cmp.Or(a.Registration, "closed")}
	moved := a.Migration || a.Migrated
	if a.Pepper {
		st.Login.Pepper = secrets.Get("auth.pepper")
	}
	if c := a.Captcha; c.Service != "" {
		st.Login.Captcha = &Captcha{c.Service, c.SiteKey, secrets.Get("auth.captcha_secret_key")}
	}
	files := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(a.Upstream)) {
		up := a.Upstream[name]
		conflict := onConflict[up.ExistingUsers]
		if up.ExistingUsers == "" && moved {
			conflict = onConflict["link"]
		}
		idp := up.SynapseIDP
		if a.Migration || !s.MAS() {
			idp = spec.SynapseIDP(idp, name)
		}
		file := up.ClientID
		if !safeName().MatchString(file) || files[file] {
			file = name
		}
		files[file] = true
		u := Upstream{
			Name: name, Issuer: up.Issuer, ClientID: up.ClientID, HumanName: cmp.Or(up.HumanName, name),
			Scope: cmp.Or(up.Scope, "openid profile email"), SynapseIDP: idp, OnConflict: conflict, Link: conflict == "set" || conflict == "replace",
			Keycloak: keycloak(up), ClientFile: "keycloak/" + file + ".json",
			RedirectURI:  "https://" + st.MatrixHost + "/_synapse/client/oidc/callback",
			ClientSecret: secrets.Get("auth.upstream." + name + ".client_secret"),
			SecretFile:   service + "_upstream_" + name,
		}
		if s.MAS() {
			base := masBase(s)
			u.ID = secrets.Get("auth.upstream." + name + ".id")
			u.RedirectURI, u.LogoutURI = base+"upstream/callback/"+u.ID, base+"upstream/backchannel-logout/"+u.ID
		}
		st.Login.Upstreams = append(st.Login.Upstreams, u)
	}
}

// resolveOwnLogin hands Synapse what it needs to log users in itself.
func (st *Stack) resolveOwnLogin(secrets *secret.Set) {
	if st.Login.Passwords {
		st.addSecret("synapse", "synapse_registration_shared_secret", secrets.Get("synapse.registration_shared_secret"))
	}
	for _, u := range st.Login.Upstreams {
		st.addSecret("synapse", u.SecretFile, u.ClientSecret)
	}
}

// IDP is the idp_id of the provider in Synapse's own configuration, which Synapse puts oidc- before unless it is oidc.
func (u Upstream) IDP() string { return strings.TrimPrefix(u.SynapseIDP, "oidc-") }

// Scopes are the words of Scope.
func (u Upstream) Scopes() []string { return strings.Fields(u.Scope) }

// onConflict are MAS's words for existing_users.
var onConflict = map[string]string{"link": "set", "relink": "replace", "fail": "fail"}

var safeName = regex.Of(`^[A-Za-z0-9][A-Za-z0-9._-]{0,80}$`)

// masBase is MAS's public address. It ends in a slash.
func masBase(s *spec.Spec) string {
	u, _ := url.Parse(cmp.Or(s.Auth.PublicURL, "https://"+s.MatrixHost()+"/auth/"))
	return "https://" + u.Host + strings.TrimRight(u.Path, "/") + "/"
}

func (st *Stack) resolveMAS(s *spec.Spec, secrets *secret.Set) {
	base := masBase(s)
	u, _ := url.Parse(base)
	v, known := release(component.MAS, s.Auth.Component).Version()
	mas := component.Of(component.MAS)
	st.MAS = &MAS{
		Host: u.Host, Path: strings.TrimRight(u.Path, "/"), PublicBase: base, Port: mas.Port, HealthPort: mas.HealthPort,
		InternalHost: st.internal("mas"), Bcrypt: s.Auth.Migration || s.Auth.Migrated,
		PasswordFile: known && !v.Less(component.PasswordFiles), TokenKey: "password_registration_token_required", DB: st.database(component.MAS),
	}
	if known && v.Less(component.PasswordTokens) {
		st.MAS.TokenKey = "registration_token_required"
	}
	st.MAS.Address = fmt.Sprintf("http://%s:%d/", st.MAS.InternalHost, mas.Port)
	base = cmp.Or(s.At("auth", "extra", "http", "public_base").Str(), base)
	st.MAS.Addresses = output.Clean(strings.TrimSpace(base + " " + s.At("auth", "extra", "http", "issuer").Str()))
	if st.Login.Pepper != "" {
		st.addSecret("mas", "mas_pepper", st.Login.Pepper)
	}
	st.addSecret("mas", "mas_matrix_secret", secrets.Get("auth.matrix_secret"))
	st.addSecret("mas", "mas_encryption", secrets.Get("auth.encryption"))
	st.addSecret("mas", "mas_key_rsa", secrets.Get("auth.key_rsa"))
	st.addSecret("mas", "mas_key_ec", secrets.Get("auth.key_ec"))
	if st.MAS.PasswordFile {
		st.addSecret("mas", "mas_database_password", st.MAS.DB.Password)
	}
	for _, u := range st.Login.Upstreams {
		st.addSecret("mas", u.SecretFile, u.ClientSecret)
	}
}
