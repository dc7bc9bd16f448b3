package compare

import (
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
)

// defaults are what a program takes where its configuration does not say it: keys that are written all the same have no
// effect. Of Synapse 1.163 synapse/config, of MAS 1.22 crates/config/src/sections, of mautrix-go v0.32 bridgev2/bridgeconfig.
var defaults = []struct {
	program    component.Program
	key, value string
}{
	{component.Synapse, "max_upload_size", "50M"},
	{component.Synapse, "url_preview_enabled", "false"},
	{component.Synapse, "serve_server_wellknown", "false"},
	{component.Synapse, "report_stats", "false"},
	{component.Synapse, "trusted_key_servers[matrix.org].server_name", "matrix.org"},
	{component.Synapse, "listeners[**].tls", "false"},
	{component.Synapse, "listeners[**].bind_addresses[0.0.0.0]", "0.0.0.0"},
	{component.Synapse, "listeners[**].resources[**].compress", "false"},
	{component.Synapse, "email.require_transport_security", "false"},
	{component.Synapse, "enable_registration", "false"},
	{component.Synapse, "database.allow_unsafe_locale", "false"},
	{component.Synapse, "database.txn_limit", "0"},
	{component.Synapse, "modules", "[]"},
	{component.Synapse, "app_service_config_files", "[]"},
	{component.Synapse, "password_config.enabled", "true"},
	{component.Synapse, "presence.enabled", "true"},
	{component.Synapse, "oidc_providers[**].allow_existing_users", "false"},
	{component.Synapse, "oidc_providers[**].client_auth_method", "client_secret_basic"},
	{component.Synapse, "oidc_providers[**].discover", "true"},
	{component.Synapse, "enable_metrics", "false"},
	{component.Synapse, "allow_public_rooms_without_auth", "false"},
	{component.Synapse, "allow_public_rooms_over_federation", "false"},
	{component.MAS, "http.trusted_proxies[192.168.0.0/16]", "192.168.0.0/16"},
	{component.MAS, "http.trusted_proxies[172.16.0.0/12]", "172.16.0.0/12"},
	{component.MAS, "http.trusted_proxies[10.0.0.0/8]", "10.0.0.0/8"},
	{component.MAS, "http.trusted_proxies[10.0.0.0/10]", "10.0.0.0/10"},
	{component.MAS, "http.trusted_proxies[127.0.0.0/8]", "127.0.0.0/8"},
	{component.MAS, "http.trusted_proxies[127.0.0.1/8]", "127.0.0.1/8"},
	{component.MAS, "http.trusted_proxies[fd00::/8]", "fd00::/8"},
	{component.MAS, "http.trusted_proxies[::1/128]", "::1/128"},
	{component.MAS, "matrix.kind", "synapse"},
	{component.MAS, "passwords.enabled", "true"},
	{component.MAS, "passwords.schemes[0].version", "1"},
	{component.MAS, "passwords.schemes[0].algorithm", "argon2id"},
	{component.MAS, "passwords.minimum_complexity", "3"},
	{component.MAS, "account.password_registration_enabled", "false"},
	{component.MAS, "account.email_change_allowed", "true"},
	{component.MAS, "account.displayname_change_allowed", "true"},
	{component.MAS, "account.password_change_allowed", "true"},
	{component.MAS, "account.password_recovery_enabled", "false"},
	{component.MAS, "account.account_deactivation_allowed", "true"},
	{component.MAS, "email.transport", "blackhole"},
	{component.MAS, "upstream_oauth2.providers[**].scope", "openid"},
	{component.MAS, "upstream_oauth2.providers[**].token_endpoint_auth_method", "client_secret_basic"},
	{component.MAS, "upstream_oauth2.providers[**].on_backchannel_logout", "do_nothing"},
	{"bridge", "network", "null"},
	{"bridge", "homeserver.software", "standard"},
	{"bridge", "appservice.ephemeral_events", "true"},
	{"bridge", "database.type", "postgres"},
	{"bridge", "encryption.allow", "false"},
	{"bridge", "encryption.default", "false"},
	{"bridge", "encryption.require", "false"},
	{"bridge", "encryption.appservice", "false"},
	{"bridge", "encryption.msc4190", "false"},
	{"bridge", "encryption.self_sign", "false"},
	{"bridge", "bridge.encryption.allow", "false"},
	{"bridge", "bridge.encryption.default", "false"},
	{"bridge", "bridge.encryption.require", "false"},
	{"bridge", "bridge.encryption.appservice", "false"},
	{"bridge", "bridge.encryption.msc4190", "false"},
	{"bridge", "bridge.double_puppet_allow_discovery", "false"},
	{"bridge", "bridge.double_puppet_server_map", "{}"},
	{"bridge", "bridge.relay.enabled", "false"},
	{"bridge", "double_puppet.allow_discovery", "false"},
	{"bridge", "double_puppet.servers", "{}"},
}

// isDefault reports whether a program takes what one side says anyway.
func (c *comparison) isDefault(k id, f fact) bool {
	s := c.old
	program, known := s.programs[k.about]
	if !known {
		program = c.ours.programs[k.about]
	}
	for _, d := range defaults {
		if (d.program == program || d.program == "bridge" && component.Of(program).Bridge != nil) && match(d.key, k.key) && d.value == f.shown {
			return true
		}
	}
	is, there := c.written(k.about, program)[k.key]
	if !there {
		return false
	}
	if text, err := strconv.Unquote(f.text); err == nil {
		return deployment.IsDefault(strings.Trim(is.text, `"`), text)
	}
	return is.text == f.text
}

// written are the defaults that the program writes itself, by their keys.
func (c *comparison) written(about string, program component.Program) map[string]fact {
	if had, done := c.defaults[about]; done {
		return had
	}
	var dialect component.Dialect
	for _, b := range c.ours.Bridges {
		if c.ours.whom(b.Service) == about {
			dialect = b.Dialect
		}
	}
	s := &side{Deployment: c.old.Deployment, of: c.old.of, facts: make(map[id]fact), used: make(map[string]bool)}
	found := make(map[string]fact)
	for _, f := range deployment.DefaultsOf(program, dialect) {
		s.walk(document{about: f.Path, doc: "config", program: program}, "", f.Root())
	}
	for k, f := range s.facts {
		found[k.key] = f
	}
	if c.defaults == nil {
		c.defaults = make(map[string]map[string]fact)
	}
	c.defaults[about] = found
	return found
}
