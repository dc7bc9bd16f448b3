package compare

import "philipp.info/stackgen/pkg/component"

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
	{component.Synapse, "enable_metrics", "false"},
	{component.Synapse, "allow_public_rooms_without_auth", "false"},
	{component.Synapse, "allow_public_rooms_over_federation", "false"},
	{component.MAS, "http.trusted_proxies[192.168.0.0/16]", "192.168.0.0/16"},
	{component.MAS, "http.trusted_proxies[172.16.0.0/12]", "172.16.0.0/12"},
	{component.MAS, "http.trusted_proxies[10.0.0.0/8]", "10.0.0.0/8"},
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
	{"bridge", "logging.min_level", "debug"},
}

// isDefault reports whether a program takes a value anyway.
func isDefault(program component.Program, key, value string) bool {
	for _, d := range defaults {
		if (d.program == program || d.program == "bridge" && component.Of(program).Bridge != nil) && match(d.key, key) && d.value == value {
			return true
		}
	}
	return false
}
