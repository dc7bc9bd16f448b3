package e2e

// fault is one thing that a person may break in a rendered tree by hand, and what then can be seen.
type fault struct {
	kind   string // what is broken: secret, token, regex, mount, mode, port, database, flag, label
	what   string // what was done, for the table
	file   string // in the rendered tree
	old    string // regular expression; what it finds is replaced by now
	now    string
	gone   bool   // instead: the file is removed
	rooted bool   // instead: the file belongs to root, with a mode that lets nobody else read it
	start  string // the services that are made anew, one after the other
	at     string // whose log shows the symptom; compose for Docker Compose's own words; else a request "METHOD URL"
	shows  string // regular expression; what it finds goes into the table
	rule   string // the rule of stackgen check that names the fault
}

// faults come in the order in which they cost least: those that leave Synapse alone first.
var faults = []fault{
	// What WhatsApp's own configuration says.
	{
		kind: "token", what: "another as_token in the bridge's configuration",
		file: "config/whatsapp/config.yaml", old: `as_token: "\w+"`, now: `as_token: "AnotherTokenThanTheOneInTheRegistration"`,
		start: "whatsapp", at: "whatsapp", shows: `The as_token was not accepted`, rule: "registration-tokens-match",
	},
	{
		kind: "token", what: "another hs_token in the bridge's configuration",
		file: "config/whatsapp/config.yaml", old: `hs_token: "\w+"`, now: `hs_token: "AnotherTokenThanTheOneInTheRegistration"`,
		start: "whatsapp", at: "whatsapp", shows: `Homeserver -> appservice connection is not working`, rule: "registration-tokens-match",
	},
	{
		kind: "flag", what: "MSC4190 switched off in the bridge",
		file: "config/whatsapp/config.yaml", old: `msc4190: true`, now: `msc4190: false`,
		start: "whatsapp", at: "whatsapp", shows: `failed to get supported login flows: M_UNRECOGNIZED`, rule: "bridge-msc4190",
	},
	{
		kind: "database", what: "another password in the bridge's database URI",
		file: "config/whatsapp/config.yaml", old: `postgres://whatsapp:[^@]+@`, now: `postgres://whatsapp:AnotherPassword@`,
		start: "whatsapp", at: "whatsapp", shows: `password authentication failed for user \W*whatsapp\W*"`, rule: "database-credentials-match",
	},
	{
		kind: "database", what: "a database in the URI that nothing creates",
		file: "config/whatsapp/config.yaml", old: `(uri: .*)/whatsapp\?`, now: `$1/whatsapp2?`,
		start: "whatsapp", at: "whatsapp", shows: `database \W*whatsapp2\W* does not exist`, rule: "database-created",
	},
	{
		kind: "port", what: "another port than the registration's url",
		file: "config/whatsapp/config.yaml", old: `port: 29318`, now: `port: 29399`,
		start: "whatsapp", at: "whatsapp", shows: `M_CONNECTION_FAILED`, rule: "registration-url-reaches-bridge",
	},
	{
		kind: "port", what: "the bridge listens on loopback",
		file: "config/whatsapp/config.yaml", old: `hostname: "0\.0\.0\.0"`, now: `hostname: "127.0.0.1"`,
		start: "whatsapp", at: "whatsapp", shows: `M_CONNECTION_FAILED`, rule: "registration-url-reaches-bridge",
	},
	{
		kind: "flag", what: "the API's host as the bridge's domain",
		file: "config/whatsapp/config.yaml", old: `domain: "philipp\.info"`, now: `domain: "matrix.philipp.info"`,
		start: "whatsapp", at: "whatsapp", shows: `Application service cannot masquerade as this user \(@whatsappbot:matrix\.philipp\.info\)`, rule: "server-name-agrees",
	},
	{
		kind: "flag", what: "another appservice id in the bridge's configuration",
		file: "config/whatsapp/config.yaml", old: `id: "whatsapp"`, now: `id: "wa"`,
		start: "whatsapp", at: "whatsapp", shows: `Mismatching application service ID`, rule: "registration-ids-unique",
	},
	{
		kind: "port", what: "another port in homeserver.address",
		file: "config/whatsapp/config.yaml", old: `http://matrix-stack-synapse:8008`, now: `http://matrix-stack-synapse:8448`,
		start: "whatsapp", at: "whatsapp", shows: `connect: connection refused`, rule: "bridge-homeserver-address",
	},
	{
		kind: "flag", what: "a permission word of the Python bridges",
		file: "config/whatsapp/config.yaml", old: `"philipp\.info": user`, now: `"philipp.info": full`,
		start: "whatsapp", at: "whatsapp", shows: `invalid permissions level full`, rule: "bridge-permissions",
	},
	{
		kind: "secret", what: "another pickle_key than at the first start",
		file: "config/whatsapp/config.yaml", old: `pickle_key: "\w+"`, now: `pickle_key: "AnotherTestKeyOf43CharactersLongForTheBridge"`,
		start: "whatsapp", at: "whatsapp", shows: `decrypt pickle: [^"\\]*`, rule: "irreversible-change",
	},
	{
		kind: "mode", what: "the bridge's configuration belongs to root",
		file: "config/whatsapp/config.yaml", rooted: true,
		start: "whatsapp", at: "whatsapp", shows: `permission denied`, rule: "config-readable",
	},
	{
		kind: "mount", what: "the configuration mounted from a directory that is not there",
		file: "docker-compose.yml", old: `\./config/whatsapp:/data:ro`, now: `./config/whats-app:/data:ro`,
		start: "whatsapp", at: "whatsapp", shows: `no such file or directory`, rule: "compose-mount-exists",
	},
	{
		kind: "mount", what: "the bridge outside of the stack's network",
		file: "docker-compose.yml", old: `(\./config/whatsapp:/data:ro"\n    networks:\n      )stack: \{aliases: \["matrix-stack-whatsapp"\]\}`, now: `${1}ingress: {}`,
		start: "whatsapp", at: "whatsapp", shows: `lookup matrix-stack-postgres on 127\.0\.0\.11:53`, rule: "compose-network-shared",
	},

	// Telegram's, which is Python.
	{
		kind: "port", what: "Synapse's internal address for the Python bridge",
		file: "config/telegram/config.yaml", old: `address: "https://matrix\.philipp\.info"`, now: `address: "http://matrix-stack-synapse:8008"`,
		start: "telegram", at: "telegram", shows: `MUnrecognized: Unrecognized request`, rule: "bridge-homeserver-address",
	},
	{
		kind: "flag", what: "the example's api_id",
		file: "config/telegram/config.yaml", old: `api_id: 4242424`, now: `api_id: 12345`,
		start: "telegram", at: "telegram", shows: `telegram\.api_id not configured`, rule: "telegram-api",
	},

	// PostgreSQL and Compose.
	{
		kind: "mode", what: "the superuser's pgpass belongs to root",
		file: "secrets/postgres_pgpass", rooted: true,
		start: "db-init", at: "db-init", shows: `no password supplied`, rule: "config-readable",
	},
	{
		kind: "flag", what: "a service that waits for the health of one without a check",
		file: "docker-compose.yml", old: `(signal:/data:ro"\n    networks:\n      stack: \{aliases: \["matrix-stack-signal"\]\}\n    depends_on:\n)`, now: "${1}      mas: {condition: service_healthy}\n",
		start: "signal", at: "compose", shows: `has no healthcheck configured`, rule: "compose-health-dependency",
	},
	{
		kind: "flag", what: "two containers of one name",
		file: "docker-compose.yml", old: `(dock\.mau\.dev/mautrix/signal:\S+)`, now: "$1\n    container_name: \"matrix-db\"",
		start: "signal", at: "compose", shows: `container name "matrix-db" is already in use`, rule: "compose-unique",
	},

	// Routing, as the labels say it.
	{
		kind: "label", what: "the compat router below Synapse's",
		file: "docker-compose.yml", old: `(matrix-mas-compat\.priority: )"300"`, now: `$1"50"`,
		start: "proxy", at: "GET https://matrix.philipp.info/_matrix/client/v3/login", shows: `M_UNRECOGNIZED`, rule: "compat-router-wins",
	},
	{
		kind: "regex", what: "the compat rule without the host of the server name",
		file: "docker-compose.yml", old: " \\|\\| Host\\(`philipp\\.info`\\)\\)( && PathRegexp)", now: `)$1`,
		start: "proxy", at: "GET https://philipp.info/_matrix/client/v3/login", shows: `M_UNRECOGNIZED`, rule: "compat-router-wins",
	},
	{
		kind: "label", what: "Synapse's whole API behind the public host",
		file: "docker-compose.yml", old: "PathPrefix\\(`/_synapse/client/`\\)", now: "PathPrefix(`/_synapse/`)",
		start: "proxy", at: "GET https://matrix.philipp.info/_synapse/mas/query_user", shows: `This endpoint must only be called by MAS`, rule: "internal-apis-private",
	},
	{
		kind: "label", what: "no StripPrefix before a MAS that has no prefix",
		file: "docker-compose.yml", old: `"matrix-mas-slash,matrix-mas-strip"`, now: `"matrix-mas-slash"`,
		start: "proxy", at: "GET https://matrix.philipp.info/auth/.well-known/openid-configuration", shows: `404 page not found`, rule: "mas-path-routing",
	},
	{
		kind: "label", what: "no /_matrix on the server name's host",
		file: "docker-compose.yml", old: "(Host\\(`philipp\\.info`\\) && PathPrefix\\()`/_matrix/`", now: "$1`/matrix/`",
		start: "proxy", at: "GET https://philipp.info/_matrix/key/v2/server", shows: `404 page not found`, rule: "apex-matrix-routed",
	},

	// MAS.
	{
		kind: "secret", what: "a newline at the end of MAS's encryption secret",
		file: "secrets/mas_encryption", old: `$`, now: "\n",
		start: "mas", at: "mas", shows: "Content of `encryption_file` must contain hex characters encoding exactly 32 bytes", rule: "mas-encryption-key",
	},
	{
		kind: "secret", what: "another shared secret on MAS's side",
		file: "secrets/mas_matrix_secret", old: `\w+`, now: `AnotherSecretThanSynapseHas`,
		start: "mas", at: "mas", shows: `This endpoint must only be called by MAS`, rule: "mas-secret-matches",
	},
	{
		kind: "database", what: "another password for MAS's database",
		file: "secrets/mas_database_password", old: `\w+`, now: `AnotherPassword`,
		start: "mas", at: "mas", shows: `password authentication failed for user "mas"`, rule: "database-credentials-match",
	},
	{
		kind: "port", what: "another port in MAS's address of Synapse",
		file: "config/mas/config.yaml", old: `http://matrix-stack-synapse:8008/`, now: `http://matrix-stack-synapse:8448/`,
		start: "mas", at: "mas", shows: `connection refused`, rule: "synapse-endpoint-internal",
	},

	// Synapse.
	{
		kind: "database", what: "another password for Synapse's database",
		file: "config/matrix/homeserver.yaml", old: `password: "\w+"`, now: `password: "AnotherPassword"`,
		start: "synapse", at: "synapse", shows: `password authentication failed for user "synapse"`, rule: "database-credentials-match",
	},
	{
		kind: "flag", what: "registration at Synapse beside MAS",
		file: "config/matrix/homeserver.yaml", old: `report_stats: false`, now: "report_stats: false\nenable_registration: true",
		start: "synapse", at: "synapse", shows: `Registration cannot be enabled when OAuth delegation is enabled`, rule: "synapse-no-local-auth",
	},
	{
		kind: "flag", what: "the old MSC3861 block",
		file: "config/matrix/homeserver.yaml", old: `report_stats: false`, now: "report_stats: false\nexperimental_features:\n  msc3861: {enabled: true}",
		start: "synapse", at: "synapse", shows: `experimental_features\.msc3861 was removed`, rule: "synapse-no-msc3861",
	},
	{
		kind: "mount", what: "a registration listed that is not there",
		file: "config/matrix/homeserver.yaml", old: `/config/whatsapp\.yaml`, now: `/config/whats-app.yaml`,
		start: "synapse", at: "synapse", shows: `No such file or directory: '/config/whats-app\.yaml'`, rule: "registration-listed",
	},
	{
		kind: "token", what: "an as_token that two registrations share",
		file: "config/matrix/doublepuppet.yaml", old: `as_token: "\w+"`, now: `as_token: "{whatsapp}"`,
		start: "synapse", at: "synapse", shows: `Cannot reuse as_token across application services`, rule: "registration-ids-unique",
	},
	{
		kind: "regex", what: "a namespace that is no regular expression",
		file: "config/matrix/whatsapp.yaml", old: `\^@whatsapp_\.\*`, now: `^@whatsapp_(.*`,
		start: "synapse", at: "synapse", shows: `missing \), unterminated subpattern`, rule: "registration-shape",
	},
	{
		kind: "flag", what: "no url in the double puppet's registration",
		file: "config/matrix/doublepuppet.yaml", old: `\nurl: null`, now: ``,
		start: "synapse", at: "synapse", shows: `Required string field or explicit null: 'url'`, rule: "double-puppet-registration",
	},
	{
		kind: "flag", what: "a string where msc4190 is a boolean",
		file: "config/matrix/whatsapp.yaml", old: `io\.element\.msc4190: true`, now: `io.element.msc4190: "true"`,
		start: "synapse", at: "synapse", shows: "The `io\\.element\\.msc4190` option should be true or false if specified", rule: "registration-shape",
	},
	{
		kind: "mode", what: "the signing key belongs to root",
		file: "config/matrix/philipp.info.signing.key", rooted: true,
		start: "synapse", at: "synapse", shows: `Error accessing file '/config/philipp\.info\.signing\.key'`, rule: "config-readable",
	},
	{
		kind: "secret", what: "no signing key",
		file: "config/matrix/philipp.info.signing.key", gone: true,
		start: "synapse", at: "synapse", shows: `Read-only file system: '/config/philipp\.info\.signing\.key'`, rule: "synapse-signing-key",
	},
	{
		kind: "port", what: "another port in Synapse's address of MAS",
		file: "config/matrix/homeserver.yaml", old: `endpoint: "http://matrix-stack-mas:8080/"`, now: `endpoint: "http://matrix-stack-mas:8008/"`,
		start: "synapse", at: "GET https://matrix.philipp.info/_matrix/client/v3/account/whoami", shows: `Unable to introspect the access token`, rule: "mas-endpoint-reachable",
	},
	{
		kind: "secret", what: "another shared secret on Synapse's side",
		file: "secrets/synapse_mas_secret", old: `\w+`, now: `AnotherSecretThanMASHas`,
		start: "synapse", at: "GET https://matrix.philipp.info/_matrix/client/v3/account/whoami", shows: `Unable to introspect the access token`, rule: "mas-secret-matches",
	},
	{
		kind: "regex", what: "the double puppet's namespace made exclusive",
		file: "config/matrix/doublepuppet.yaml", old: `exclusive: false`, now: `exclusive: true`,
		start: "synapse mas", at: "mas", shows: `would take no new user: .*M_EXCLUSIVE`, rule: "double-puppet-registration",
	},
	{
		kind: "regex", what: "the bot left out of Synapse's copy of the namespaces",
		file: "config/matrix/whatsapp.yaml", old: `\^@whatsappbot:`, now: `^@wabot:`,
		start: "synapse whatsapp", at: "whatsapp", shows: `Application service cannot masquerade as this user \(@whatsappbot:philipp\.info\)`, rule: "registration-bot-namespace",
	},
}
