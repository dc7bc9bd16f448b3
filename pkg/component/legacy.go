package component

// mautrix-discord v0.7.7 config
var legacy = Shape{
	Dialect: Legacy, Words: "the older Go bridges (before bridgev2, and Discord v0.7)",
	Database: "appservice.database.uri", Bot: "appservice.bot.username", Ghosts: "bridge.username_template", Encryption: "bridge.encryption",
	PuppetSecrets: "bridge.login_shared_secret_map", PuppetServers: "bridge.double_puppet_server_map",
	PublicAddress: "bridge.public_address", PublicPath: "/mautrix-discord/avatar", Placeholder: "{{.}}",
	Host: "0.0.0.0", LogFile: "./logs/mautrix-{program}.log",
	Levels: []string{"block", "relay", "user", "admin"}, Barred: []string{"block", "relay"},
	Meant:    [][2]string{{"relaybot", "relay"}, {"full", "user"}, {"puppeting", "user"}, {"commands", "relay"}},
	Mistaken: "they are blocked",
	Given:    [][2]string{{"block", "block"}, {"relay", "relay"}, {"user", "user"}, {"admin", "admin"}},
	SSLMode:  "?sslmode=disable",
	Pool:     Pool{"appservice.database.max_open_conns", 20}, // example-config.yaml, onto which the configuration is laid
	Keys:     "discord", Read: Span{Version{0, 7, 7}, Version{0, 7, 7}},
	Held: []Held{
		{"appservice", "as_token", "", Chosen},
		{"appservice", "hs_token", "", Chosen},
		{"bridge", "avatar_proxy_key", "", Chosen},
		{"bridge.provisioning", "shared_secret", "", Chosen},
		{"bridge.direct_media", "server_key", "", Formed},
	},
	Made: []Made{
		{"bridge.direct_media.server_key", "bridge.direct_media.enabled", mediaRestart},
		{"bridge.avatar_proxy_key", "bridge.public_address", "avatars of relayed people end with the next restart"},
		{"bridge.provisioning.shared_secret", "", apiShutOut},
	},
	Secrets: []Secret{
		{Name: "as_token"},
		{Name: "hs_token"},
		{Name: "sender", Kind: Localpart},
		{Name: "provisioning_secret"},
		{Name: "direct_media_key", Kind: SigningKey},
		{Name: "avatar_proxy_key"},
	},
}
