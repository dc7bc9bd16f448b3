package component

// MAS is the Matrix Authentication Service.
const MAS Program = "mas"

var mas = Component{
	Program: MAS, Title: "MAS",
	Images:   []string{"matrix-authentication-service"},
	Tag:      TagForm{"", `[0-9]+\.[0-9]+(\.[0-9]+(-rc\.?[0-9]+)?)?(-debug)?`},
	Versions: Minors,
	Tested:   Ref{Repository: "ghcr.io/element-hq/matrix-authentication-service", Tag: "1.26.0"},
	Oldest:   Version{1, 8, 0}, OldestWhy: "claims_imports.localpart.on_conflict: set exists since MAS 1.8",
	Container: &Container{
		User: "65532:65532", ReadsAsUser: true, // distroless' nonroot
		Config:   Config{File: "/config.yaml", Flags: []string{"-c", "--config"}, Env: "MAS_CONFIG", Several: true},
		Database: true,
		Affects:  "all users: nobody can log in meanwhile",
	},
	Port: 8080, HealthPort: 8081,
	Keys: "mas",
	Pool: Pool{"database.max_connections", 10}, // crates/config/src/sections/database.rs
	// crates/config/src/sections in v1.22.0
	Held: []Held{
		{"matrix", "secret", "secret_file", Chosen},
		{"secrets", "encryption", "encryption_file", Formed},
		{"secrets.keys.*", "password", "password_file", Formed},
		{"database", "password", "password_file", Chosen},
		{"passwords.schemes.*", "secret", "secret_file", Formed},
		{"upstream_oauth2.providers.*", "client_secret", "client_secret_file", Given},
		{"clients.*", "client_secret", "client_secret_file", Chosen},
		{"email", "password", "password_file", Given},
		{"captcha", "secret_key", "", Given},
	},
	Shape: []string{"secrets", "matrix", "http"}, Runs: "mas-cli server",
	Entry: &Entry{
		Words: []string{"mas-cli"}, Modes: []string{"server", "worker", "config", "database", "manage", "templates", "debug", "doctor", "syn2mas", "help"},
		Options: true, Images: []string{"ghcr.io/element-hq/matrix-authentication-service", "ghcr.io/matrix-org/matrix-authentication-service"},
	},
	Once: []string{"syn2mas", "config", "database", "manage", "doctor", "templates", "worker"}, Serve: "server",
	Postgres: []PostgresSince{{Version{}, 13}},
	// Root, because it reads the files of two users, which root may not without this.
	Jobs: []Job{{Name: "syn2mas", Sandbox: Sandbox{Caps: []string{"DAC_READ_SEARCH"}}, Migration: true}},
	Secrets: []Secret{
		{Name: "auth.matrix_secret"},
		{
			Name: "auth.encryption", Kind: Hex32, Kept: true,
			Breaks: "MAS can no longer read what it has encrypted in its database, and every browser session ends",
		},
		{Name: "auth.key_rsa", Kind: RSAPEM},
		{Name: "auth.key_ec", Kind: ECPEM},
		{
			Name: "auth.pepper", Kind: External, Where: "password_config.pepper in the old homeserver.yaml", Example: "placeholder-pepper",
			Breaks: "no password that came from Synapse is right any more",
		},
		{Name: "auth.captcha_secret_key", Kind: External, Where: "the secret key beside the site key at {captcha}", Example: "placeholder-captcha-secret-key"},
	},
}

// MASEnvironment are settings that MAS takes from its environment where no file of it has them, as MAS_SECTION_KEY: an
// underscore leads one level down, so that no key with one can be given so (crates/cli/src/commands/mod.rs, figment's
// Env). The rules on secrets.encryption, matrix.homeserver and email look there themselves.
var MASEnvironment = []string{
	"http.issuer", "matrix.kind", "matrix.secret", "matrix.endpoint", "passwords.enabled",
	"database.uri", "database.host", "database.port", "database.socket", "database.username", "database.password", "database.database",
}

// Upstream are the secrets of each provider that MAS lets users log in through.
var Upstream = []Secret{
	{
		Name: "auth.upstream.{name}.id", Kind: ULID, Kept: true,
		Breaks: "the id is part of the callback URL at {name} and of every user's link to it: nobody could log in through it until each is linked again",
	},
	{
		Name: "auth.upstream.{name}.client_secret", Kind: External,
		Where: "the client {client} of {issuer}", Example: "placeholder-client-secret",
	},
}

// PasswordFiles is the first MAS that takes the passwords of its database and of the SMTP server from files:
// database.password_file, email.password_file.
var PasswordFiles = Version{1, 22, 0}

// PasswordTokens is the first MAS that asks for a registration token by account.password_registration_token_required; before it
// was registration_token_required.
var PasswordTokens = Version{1, 19, 0}
