package spec

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

var (
	urlPath      = regex.Of(`^/([A-Za-z0-9._~-]+/?)*$`)
	synapsePath  = regex.Of(`^/(_matrix|_synapse|\.well-known)(/|$)`)
	upstreamName = regex.Of(`^[a-z][a-z0-9_-]*$`)
)

// ownLogin is the kind of auth, and the word for all of it, where Synapse logs users in itself.
const ownLogin = "synapse"

// ofMAS are the keys of auth that say something of MAS.
var ofMAS = []string{"image", "version", "service", "container_name", "user", "networks", "limits", "extra", "public_url", "captcha", "migration", "migrated"}

// MAS reports whether the stack has MAS; without it Synapse logs users in itself.
func (s *Spec) MAS() bool { return s.Auth.Kind != ownLogin }

// synapseOIDC is what Synapse puts before an idp_id, with a dash between, unless it is that word itself (config/oidc.py).
const synapseOIDC = "oidc"

// SynapseIDP is the name under which Synapse keeps the links of users to a provider: given, or that of its name in the spec.
func SynapseIDP(given, name string) string {
	if name == synapseOIDC {
		return cmp.Or(given, synapseOIDC)
	}
	return cmp.Or(given, synapseOIDC+"-"+name)
}

func (s *Spec) checkAuth(d *decoder, named bool) {
	auth, own := s.At("auth"), !s.MAS()
	if !s.Auth.Passwords && len(s.Auth.Upstream) == 0 {
		d.fail(auth, "auth has neither passwords nor an upstream; nobody could log in", "passwords: true")
	}
	for _, key := range ofMAS {
		if v := auth.At(key); own && v.Exists() {
			d.fail(v, v.Path()+" is about MAS, and with kind synapse there is none; it would do nothing", "remove the line, or `kind: synapse`", auth.At("kind").Site("without MAS"))
		}
	}
	s.checkRegistration(d)
	s.checkCaptcha(d)
	switch migration := s.At("auth", "migration"); {
	case s.Auth.Migration && s.Auth.Migrated:
		d.fail(migration, "auth.migration prepares the move of the users to MAS, but auth.migrated says that it is done; only one of them can be true", "remove `migration: true`", s.At("auth", "migrated").Site("done"))
	case s.Auth.Pepper && !own && !s.Auth.Migration && !s.Auth.Migrated:
		d.fail(s.At("auth", "pepper"), "auth.pepper belongs to passwords that came from another Synapse, and none did; it would be used for nothing", "remove the line, or write `migration: true`")
	}
	if s.Auth.PublicURL != "" {
		s.checkPublicURL(d, s.At("auth", "public_url"), named)
	}
	ids := make(map[string]source.Value)
	for key, v := range s.At("auth", "upstream").Entries() {
		name := key.Str()
		if !upstreamName().MatchString(name) {
			d.fail(v, fmt.Sprintf("the name of the upstream %s cannot be part of the name of its secret", quote(name)), "name it with lower-case letters, digits and dashes, beginning with a letter")
		}
		idp := v.At("synapse_idp_id")
		rest, named := strings.CutPrefix(idp.Str(), synapseOIDC+"-")
		if own && idp.Set() && idp.Str() != synapseOIDC && (!named || rest == "" || rest == synapseOIDC) {
			d.fail(idp, idp.Path()+" is no name that Synapse gives a provider; it puts `oidc-` before the idp_id, and users would lose their link", "synapse_idp_id: "+SynapseIDP("", cmp.Or(rest, idp.Str())))
		}
		if first, ok := ids[SynapseIDP(idp.Str(), name)]; own && ok {
			d.fail(idp, fmt.Sprintf("two providers are called %s in Synapse, which refuses to start with them", SynapseIDP(idp.Str(), name)), "another synapse_idp_id for one of them", first.Site("the other"))
		}
		ids[SynapseIDP(idp.Str(), name)] = idp
		issuer := v.At("issuer")
		u, err := url.Parse(issuer.Str())
		switch {
		case err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || !visible(issuer.Str()):
			d.fail(issuer, issuer.Path()+" is not an https URL without query and fragment; the provider could not be found", "issuer: https://sso.example.org/realms/main")
		case strings.HasSuffix(issuer.Str(), "/") && strings.Contains(u.Path, "/realms/"):
			d.fail(issuer, issuer.Path()+" ends in a slash; it is compared byte for byte with the provider's own answer, and Keycloak's has none",
				"issuer: "+strings.TrimRight(issuer.Str(), "/"))
		}
	}
}

func (s *Spec) checkPublicURL(d *decoder, v source.Value, named bool) {
	u, err := url.Parse(s.Auth.PublicURL)
	fix := "public_url: https://matrix.example.org/auth/"
	if named {
		fix = "public_url: https://" + s.MatrixHost() + "/auth/"
	}
	switch {
	case err == nil && u.Scheme == "http":
		d.fail(v, "auth.public_url is http; clients refuse to log in without https", fix)
	case err != nil || u.Scheme != "https" || !hostName().MatchString(u.Host):
		d.fail(v, "auth.public_url must be an https URL with a host name in lower case and without a port", fix)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.User != nil:
		d.fail(v, "auth.public_url has a query, a fragment or a user; MAS refuses to start with it", fix)
	case u.Path != "" && (!urlPath().MatchString(u.EscapedPath()) || path.Clean(u.Path) != strings.TrimSuffix(u.Path, "/") && u.Path != "/"):
		d.fail(v, "auth.public_url has a path with characters that Traefik and MAS read differently", fix)
	case u.Host == s.MatrixHost() && strings.Trim(u.Path, "/") == "":
		d.fail(v, "auth.public_url is the root of the Matrix host; MAS would answer for Synapse", fix+", or a host of its own")
	case synapsePath().MatchString(u.Path):
		d.fail(v, "auth.public_url lies inside a path of Synapse; MAS would answer for it", fix)
	case u.Host == s.ServerName && u.Host != s.MatrixHost() && strings.Trim(u.Path, "/") == "":
		d.fail(v, "auth.public_url is the root of the server name's own host; MAS would answer for the site there", fix)
	}
}

// Captcha is a service that tells people from programs. Its secret key is the secret auth.captcha_secret_key.
type Captcha struct {
	// Service: recaptcha_v2, cloudflare_turnstile or hcaptcha.
	Service string `yaml:"service" jsonschema:"required,enum=recaptcha_v2,enum=cloudflare_turnstile,enum=hcaptcha" example:"cloudflare_turnstile"`
	// SiteKey that the service gave out for the host of MAS; everybody may see it.
	SiteKey string `yaml:"site_key" jsonschema:"required,pattern=^[A-Za-z0-9_.-]+$" form:"the site key as the service shows it, such as 0x4AAAAAAA" example:"0x4AAAAAAA"`
}

// checkCaptcha refuses one that nobody would meet.
func (s *Spec) checkCaptcha(d *decoder) {
	if at := s.At("auth", "captcha"); at.Set() && s.MAS() && (s.Auth.Registration == "" || s.Auth.Registration == "closed") {
		d.fail(at, "auth.captcha is for whoever makes an account, and auth.registration is closed; nobody would meet it", "registration: token, or open-with-email; or remove the section")
	}
}

// checkRegistration refuses accounts that nobody could make.
func (s *Spec) checkRegistration(d *decoder) {
	at := s.At("auth", "registration")
	switch reg := s.Auth.Registration; {
	case reg == "" || reg == "closed":
	case !s.Auth.Passwords:
		d.fail(at, "auth.registration is for accounts with a password, and auth.passwords is off; nobody could make one", "remove the line, or write `passwords: true`")
	case reg == "open-with-email" && s.Email.Host == "" && !s.At("email").Exists():
		d.fail(at, "auth.registration sends a code to each new address, and the spec has no email; nobody could make an account", "registration: token, or an `email` section")
	}
}
