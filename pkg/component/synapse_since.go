package component

// SynapseSince are the keys of Synapse that came late: the first release whose synapse/config reads them, and what
// comes of a key that an older one passes over. A dot goes down, and * is any item.
var SynapseSince = []struct {
	Key    string
	First  Version
	Effect string
}{
	{"matrix_authentication_service", Version{1, 136, 0}, "Synapse asks for passwords itself, and whoever logs in at MAS is refused"},
	{"matrix_authentication_service.force_http2", Version{1, 151, 0}, ignored},
	{"registration_shared_secret_path", Version{1, 67, 0}, secretIgnored},
	{"turn_shared_secret_path", Version{1, 116, 0}, "calls get no relay"},
	{"redis.password_path", Version{1, 117, 0}, "Synapse logs in to Redis without a password"},
	{"macaroon_secret_key_path", Version{1, 122, 0}, secretIgnored},
	{"form_secret_path", Version{1, 126, 0}, secretIgnored},
	{"worker_replication_secret_path", Version{1, 126, 0}, "workers talk to each other without a secret"},
	{"recaptcha_public_key_path", Version{1, 135, 0}, secretIgnored},
	{"recaptcha_private_key_path", Version{1, 135, 0}, secretIgnored},
	{"oidc_providers.*.client_secret_path", Version{1, 91, 0}, "Synapse does not start"},
	{"database.allow_unsafe_locale", Version{1, 56, 0}, ignored},
	{"media_retention", Version{1, 61, 0}, "no media is ever removed"},
	{"listeners.*.path", Version{1, 81, 0}, "Synapse does not start"},
	{"forget_rooms_on_leave", Version{1, 84, 0}, ignored},
	{"auto_accept_invites", Version{1, 109, 0}, ignored},
	{"enable_authenticated_media", Version{1, 112, 0}, ignored},
	{"max_event_delay_duration", Version{1, 116, 0}, "calls of Element X are left hanging when a phone drops out"},
	{"rc_presence", Version{1, 124, 0}, ignored},
	{"rc_delayed_event_mgmt", Version{1, 126, 0}, ignored},
	{"exclude_remote_users_from_search_results", Version{1, 130, 0}, ignored},
	{"user_types", Version{1, 132, 0}, ignored},
	{"rc_reports", Version{1, 133, 0}, ignored},
	{"media_upload_limits", Version{1, 135, 0}, ignored},
	{"rc_room_creation", Version{1, 136, 0}, ignored},
	{"matrix_rtc", Version{1, 140, 0}, "clients find no server for calls"},
	{"enable_local_media_storage", Version{1, 146, 0}, ignored},
	{"exclude_rooms_from_presence", Version{1, 157, 0}, ignored},
	{"push_rules", Version{1, 157, 2}, ignored},
	{"include_profile_updates_in_sync", Version{1, 159, 0}, ignored},
	{"redaction_allowed_period", Version{1, 161, 0}, ignored},
	{"matrix_rtc.transports.*.url", Version{1, 161, 0}, ignored},
	{"rc_profile", Version{1, 162, 0}, ignored},
	{"redis.username", Version{1, 162, 0}, "Synapse logs in to Redis without a user"},
	{"task_scheduler", Version{1, 163, 0}, ignored},
	{"experimental_features.msc4108_enabled", Version{1, 106, 0}, ignored},
	{"experimental_features.msc4388_mode", Version{1, 149, 0}, ignored},
}

const (
	ignored       = "it has no effect"
	secretIgnored = "Synapse goes on without the secret"
)

// SynapseGone are the keys that Synapse refuses since a release, and what to write instead.
var SynapseGone = []struct {
	Key     string
	Since   Version
	Instead string
}{
	{"log_file", Version{1, 8, 0}, "log_config: the path of a log configuration"},
	{"worker_replication_port", Version{1, 67, 0}, "remove the line; workers talk through Redis"},
	{"account_threepid_delegates.email", Version{1, 66, 0}, "remove the line"},
}
