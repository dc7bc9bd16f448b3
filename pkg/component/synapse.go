package component

// Synapse is the homeserver.
const Synapse Program = "synapse"

var synapse = Component{
	Program: Synapse, Title: "Synapse",
	Images:   []string{"synapse", "avhost/docker-matrix"}, // the second is AVENTER's, which reads /data/homeserver.yaml as well
	Tag:      TagForm{"v", `[0-9]+\.[0-9]+\.[0-9]+(rc[0-9]+)?`},
	Versions: Minors,
	Tested:   Ref{Repository: "ghcr.io/element-hq/synapse", Tag: "v1.163.2"},
	Oldest:   Version{1, 136, 0}, OldestWhy: "no older one was tried with what is rendered, and matrix_authentication_service exists since 1.136",
	Container: &Container{
		User: "991:991", ReadsAsUser: true, Start: FromEntrypoint, // docker/start.py: UID and GID
		Config:      Config{File: "/data/homeserver.yaml", Flags: []string{"-c", "--config-path"}, Env: "SYNAPSE_CONFIG_PATH", EnvDir: "SYNAPSE_CONFIG_DIR"},
		ImageHealth: []string{"CMD-SHELL", "curl -fSs http://localhost:8008/health"}, // its Dockerfile
		HealthPaths: []string{"/health", "/", "/_matrix/", "/_synapse/"},             // app/homeserver.py
		// Uploads go through its own directory instead of /tmp: TMPDIR.
		Sandbox:  Sandbox{Tmpfs: []string{"/tmp"}},
		Database: true,
		Affects:  "all users",
	},
	Port: 8008,
	Keys: "synapse",
	// storage/database.py (make_pool) hands cp_max to Twisted, whose ConnectionPool has 5 at most without it.
	Pool: Pool{"database.args.cp_max", 5},
	// config/*.py in v1.157.1
	Held: []Held{
		{"", "registration_shared_secret", "registration_shared_secret_path", Chosen},
		{"", "macaroon_secret_key", "macaroon_secret_key_path", Chosen},
		{"", "form_secret", "form_secret_path", Chosen},
		{"", "turn_shared_secret", "turn_shared_secret_path", Chosen},
		{"", "worker_replication_secret", "worker_replication_secret_path", Chosen},
		{"", "recaptcha_private_key", "recaptcha_private_key_path", Given},
		{"", "signing_key", "", Formed},
		{"matrix_authentication_service", "secret", "secret_path", Chosen},
		{"password_config", "pepper", "", Formed},
		{"redis", "password", "password_path", Chosen},
		{"email", "smtp_pass", "", Given},
		{"database.args", "password", "", Chosen},
		{"oidc_providers.*", "client_secret", "client_secret_path", Given},
		{"jwt_config", "secret", "", Given},
		{"modules.*.config", "shared_secret", "", Chosen},
	},
	Shape: []string{"server_name", "report_stats", "database"}, Runs: "synapse.app.homeserver",
	Entry: &Entry{
		Words: []string{"start.py", "python", "python3", "synapse_homeserver", "synctl"}, Modes: []string{"run", "generate", "migrate_config"},
		Images: []string{"matrixdotorg/synapse", "docker.io/matrixdotorg/synapse", "ghcr.io/element-hq/synapse"},
	},
	// adds/start.sh of AVENTER-UG/docker-matrix: with any other word it says that it is unknown, and ends.
	OtherEntries: []Entry{{Modes: []string{"start", "autostart"}, Images: []string{"avhost/docker-matrix", "docker.io/avhost/docker-matrix"}}},
	Once:         []string{"generate", "migrate_config", "migrate-config", "synapse.app.generic_worker", "register_new_matrix_user", "update_synapse_database", "synapse_port_db"}, WorkerEnv: "SYNAPSE_WORKER",
	Postgres: []PostgresSince{{Version{1, 143, 0}, 14}, {Version{1, 122, 0}, 13}, {Version{1, 72, 0}, 11}},
	Secrets: []Secret{
		{
			Name: "synapse.signing_key", Kind: SigningKey, Kept: true, Remembers: "synapse.old_signing_keys",
			Breaks: "other servers know this homeserver by its signing key: they refuse its events until the new key has spread, and rooms may stay broken",
		},
		{Name: "synapse.old_signing_keys", Kind: OldKeys},
		{Name: "synapse.macaroon_secret_key"},
		{Name: "synapse.form_secret"},
		{Name: "synapse.registration_shared_secret"},
		{Name: "synapse.replication_secret"},
		{Name: "synapse.redis_password"},
		{
			Name: "email.password", Kind: External,
			Where: "the password of {user} on the SMTP server {host}", Example: "placeholder-email-password",
		},
		{
			Name: "synapse.turn_shared_secret", Kind: External,
			Where: "static-auth-secret in the TURN server's configuration", Example: "placeholder-turn-shared-secret",
		},
	},
}

// BotDevices is the first Synapse that lets the bot of an appservice act as a device of its own without
// experimental_features.msc3202_device_masquerading.
var BotDevices = Version{1, 141, 0}

// RoomVersions are the releases of Synapse that made another room version the default, with what is new in it;
// Synapse's upgrade notes, config/server.py default_room_version.
var RoomVersions = []struct {
	Since        Version
	Version, New string
}{
	{Version{1, 158, 0}, "11", "redactions and the creator stand elsewhere in events"},
	{Version{1, 162, 0}, "12", "the ids of rooms name no server, and their creators outrank everybody"},
}
