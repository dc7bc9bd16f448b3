package component

// mautrix-telegram v0.15.3 mautrix_telegram/config.py
var python = Shape{
	Dialect: Python, Words: "the Python bridges (Telegram up to v0.15)",
	Database: "appservice.database", Bot: "appservice.bot_username", Ghosts: "bridge.username_template", Aliases: "bridge.alias_template",
	Encryption: "bridge.encryption", PuppetSecrets: "bridge.login_shared_secret_map", PuppetServers: "bridge.double_puppet_server_map",
	Network: "telegram", PublicOn: "appservice.public.enabled", PublicAddress: "appservice.public.external", Placeholder: "{userid}",
	Host: "0.0.0.0", LogFile: "./mautrix-{program}.log",
	Levels: []string{"relaybot", "user", "puppeting", "full", "admin"}, Barred: []string{"relaybot"},
	Meant:    [][2]string{{"relay", "relaybot"}, {"commands", "user"}},
	Mistaken: "they may not use the bridge",
	// It has no block: whoever is not named is.
	Given:     [][2]string{{"relay", "relaybot"}, {"user", "full"}, {"admin", "admin"}},
	AsksLogin: true,
	Pool:      Pool{"appservice.database_opts.max_size", 10}, // example-config.yaml; asyncpg.create_pool
	Keys:      "telegram-python", Read: Span{Version{0, 15, 3}, Version{0, 15, 3}},
	Held: []Held{
		{"appservice", "as_token", "", Chosen},
		{"appservice", "hs_token", "", Chosen},
		{"appservice.provisioning", "shared_secret", "", Chosen},
		{"telegram", "api_hash", "", Given},
		{"telegram", "bot_token", "", Given},
	},
	Made: []Made{{"appservice.provisioning.shared_secret", "", apiShutOut}},
	Secrets: []Secret{
		{Name: "as_token"},
		{Name: "hs_token"},
		{Name: "sender", Kind: Localpart},
		{Name: "provisioning_secret"},
	},
	Relay: []Secret{{
		Name: "bot_token", Kind: External, Where: "@BotFather on Telegram, /newbot: the bot that speaks for those with the permission relay",
		Form: `^[0-9]+:[A-Za-z0-9_-]+$`, FormHelp: "it is a number, a colon and letters", Example: "7654321:placeholder-bot-token",
	}},
}
