package component

// mautrix-go v0.30.0 bridgev2/bridgeconfig
var bridgeV2 = Shape{
	Dialect: BridgeV2, Words: "the present Go bridges (bridgev2)",
	Database: "database.uri", Bot: "appservice.bot.username", Ghosts: "appservice.username_template", Encryption: "encryption",
	PuppetSecrets: "double_puppet.secrets", PuppetServers: "double_puppet.servers", Network: "network",
	PublicOn: "public_media.enabled", PublicAddress: "appservice.public_address", PublicPath: "/_mautrix/publicmedia", Placeholder: "{{.}}",
	Host: "127.0.0.1", LogFile: "./logs/bridge.log",
	Levels: []string{"block", "relay", "commands", "user", "admin"}, Barred: []string{"block", "relay"},
	Meant:    [][2]string{{"relaybot", "relay"}, {"full", "user"}, {"puppeting", "user"}},
	Mistaken: "the bridge does not start",
	Given:    [][2]string{{"block", "block"}, {"relay", "relay"}, {"user", "user"}, {"admin", "admin"}},
	SSLMode:  "?sslmode=disable",
	Pool:     Pool{"database.max_open_conns", 5}, // example-config.yaml, onto which the configuration is laid
	Keys:     "bridgev2", Read: Span{Version{0, 2608, 0}, Version{0, 2610, 0}},
	// The example configuration of v26.08.
	Held: []Held{
		{"appservice", "as_token", "", Chosen},
		{"appservice", "hs_token", "", Chosen},
		{"provisioning", "shared_secret", "", Chosen},
		{"public_media", "signing_key", "", Chosen},
		{"direct_media", "server_key", "", Formed},
		{"encryption", "pickle_key", "", Formed},
		{"network", "api_hash", "", Given},
	},
	Made: []Made{
		{"encryption.pickle_key", "encryption.allow", "it cannot read its own keys at the second start and stops (\"decrypt pickle: … bad mac\")"},
		{"direct_media.server_key", "direct_media.enabled", mediaRestart},
		{"public_media.signing_key", "public_media.enabled", "links to media end with the next restart"},
		{"provisioning.shared_secret", "", apiShutOut},
	},
	Secrets: []Secret{
		{Name: "as_token"},
		{Name: "hs_token"},
		{Name: "sender", Kind: Localpart},
		{Name: "provisioning_secret"},
		{Name: "direct_media_key", Kind: SigningKey},
		{Name: "public_media_key"},
		{
			Name: "pickle_key", Kept: true, Inherits: true,
			Breaks: "the bridge can no longer read its encryption keys and does not start (bad mac)",
		},
	},
}
