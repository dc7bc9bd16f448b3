package adopt

import (
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// stays are the keys of a program's configuration that are rendered from fields of the spec, or fit only the
// deployment that they stand in: paths in its containers, listeners, addresses. They are not laid onto what is rendered.
var stays = map[string][]string{
	"synapse": {
		"server_name", "public_baseurl", "serve_server_wellknown", "listeners", "database.name", "log_config", "signing_key", "signing_key_path", "old_signing_keys",
		"database.args.host", "database.args.port", "database.args.user", "database.args.password", "database.args.passfile", "database.args.sslmode", "database.args.dbname", "database.args.database",
		"media_store_path", "uploads_path", "pid_file", "max_upload_size", "media_retention.local_media_lifetime", "media_retention.remote_media_lifetime",
		"retention.enabled", "retention.default_policy.max_lifetime", "url_preview_enabled", "matrix_authentication_service", "experimental_features.msc3861",
		"macaroon_secret_key", "macaroon_secret_key_path", "form_secret", "form_secret_path", "app_service_config_files", "turn_shared_secret", "turn_shared_secret_path",
		"email.smtp_host", "email.smtp_port", "email.smtp_user", "email.smtp_pass", "email.enable_tls", "email.force_tls", "email.require_transport_security",
		"email.notif_from", "email.enable_notifs", "extra_well_known_client_content", "config_files",
		"password_config", // passwords are MAS's
		// What workers are there, the spec says.
		"instance_map", "stream_writers", "send_federation", "federation_sender_instances", "start_pushers", "pusher_instances", "notify_appservices_from_worker",
		"update_user_directory_from_worker", "run_background_tasks_on", "media_instance_running_background_jobs", "enable_media_repo", "outbound_federation_restricted_to",
		"worker_replication_secret", "worker_replication_secret_path", "redis",
	},
	"mas": {
		"http.listeners", "http.public_base", "http.issuer", "http.trusted_proxies", "matrix", "secrets", "passwords.enabled", "passwords.schemes", "upstream_oauth2.providers",
		"database.uri", "database.host", "database.port", "database.socket", "database.username", "database.password", "database.password_file", "database.database", "database.ssl_mode",
		"email.transport", "email.hostname", "email.port", "email.mode", "email.username", "email.password", "email.password_file", "email.from", "email.reply_to", "templates", "policy.wasm_module",
	},
	"ketesa":  {"restrictBaseUrl", "asManagedUsers"},
	"element": {"default_server_config", "default_server_name", "default_hs_url", "default_is_url"},
	"livekit": {
		"port", "bind_addresses", "rtc.tcp_port", "rtc.udp_port", "rtc.port_range_start", "rtc.port_range_end", "rtc.use_external_ip", "rtc.node_ip", "rtc.interfaces", "rtc.ips",
		"key_file", "keys", "webhook", "room.auto_create", "redis", "turn", "log_level", "development", "prometheus_port", "prometheus",
	},
	"borgmatic": {
		"source_directories", "repositories", "encryption_passphrase", "encryption_passcommand", "keep_hourly", "keep_daily", "keep_weekly", "keep_monthly",
		"postgresql_databases", "uptime_kuma", "exclude_patterns",
	},
	string(component.BridgeV2): {
		"homeserver.address", "homeserver.domain", "appservice.address", "appservice.hostname", "appservice.port", "appservice.id", "appservice.bot.username",
		"appservice.as_token", "appservice.hs_token", "appservice.username_template", "appservice.msc4190", "database.type", "database.uri", "env_config_prefix",
		"double_puppet.secrets", "encryption.allow", "encryption.require", "encryption.msc4190", "encryption.self_sign", "encryption.pickle_key", "logging", "network.api_id", "network.api_hash", "bridge.permissions",
		"appservice.ephemeral_events",
	},
	string(component.Python): {
		"homeserver.address", "homeserver.domain", "appservice.address", "appservice.hostname", "appservice.port", "appservice.id", "appservice.bot_username",
		"appservice.as_token", "appservice.hs_token", "appservice.database", "appservice.ephemeral_events", "bridge.username_template", "bridge.alias_template",
		"bridge.login_shared_secret_map", "bridge.encryption.allow", "bridge.encryption.require", "bridge.encryption.msc4190", "logging", "telegram.api_id", "telegram.api_hash",
		"bridge.permissions", "appservice.provisioning.prefix",
	},
	string(component.Legacy): {
		"homeserver.address", "homeserver.domain", "appservice.address", "appservice.hostname", "appservice.port", "appservice.id", "appservice.bot.username",
		"appservice.as_token", "appservice.hs_token", "appservice.database.type", "appservice.database.uri", "appservice.ephemeral_events", "bridge.username_template",
		"bridge.login_shared_secret_map", "bridge.encryption.allow", "bridge.encryption.require", "bridge.encryption.msc4190", "logging", "bridge.permissions",
	},
}

// ofCalls are the keys of Synapse that are rendered for calls.
var ofCalls = []string{
	"matrix_rtc", "experimental_features.msc4143_enabled", "experimental_features.msc4222_enabled", "experimental_features.msc4502_enabled",
	"experimental_features.msc4512_enabled", "experimental_features.msc3266_enabled", "experimental_features.msc4140_enabled",
}

// logins are the keys by which Synapse logs users in itself, and with some of which it stops beside MAS.
var logins = []string{
	"enable_registration", "enable_registration_without_verification", "enable_registration_captcha", "recaptcha_public_key", "recaptcha_private_key", "recaptcha_private_key_path",
	"registration_requires_token", "registrations_require_3pid", "disable_msisdn_registration", "allowed_local_3pids", "registration_shared_secret", "registration_shared_secret_path",
	"bcrypt_rounds", "session_lifetime", "refresh_token_lifetime", "refreshable_access_token_lifetime", "nonrefreshable_access_token_lifetime", "oidc_providers", "oidc_config",
	"saml2_config", "cas_config", "jwt_config", "password_providers", "sso", "ui_auth", "login_via_existing_session", "allow_guest_access", "enable_3pid_changes", "modules", "user_consent",
}

// keptLogins are those of the keys of Synapse's own login that the spec has fields for.
var keptLogins = []string{
	"password_config.enabled", "password_config.pepper", "enable_registration", "registration_requires_token", "registrations_require_3pid", "oidc_providers", "oidc_config",
	"registration_shared_secret", "registration_shared_secret_path",
}

// pruned takes the keys out of a tree, and the sections that are empty without them.
func pruned(n *source.Node, keys []string) *source.Node {
	for _, key := range keys {
		path := strings.Split(key, ".")
		for i := len(path); i > 0; i-- {
			parent := n.Get(path[:i-1]...)
			if !parent.Is(source.Mapping) || i < len(path) && len(parent.Get(path[i-1]).Names()) > 0 {
				break
			}
			parent.Delete(path[i-1])
		}
	}
	return n
}
