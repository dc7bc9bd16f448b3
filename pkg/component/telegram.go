package component

// Telegram bridges Telegram: a bridge in Python up to v0.15.3, one in Go from v0.2604.0 on.
const Telegram Program = "telegram"

var telegram = Component{
	Program: Telegram, Title: "Telegram",
	Images: []string{"mautrix/telegram", "mautrix-telegram"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{"dock.mau.dev/mautrix/telegram", "v0.2610.0", ""},
	Oldest: Version{0, 15, 3}, OldestWhy: "encryption.msc4190 exists since mautrix-telegram v0.15.3",
	User:     bridgeUser,
	Services: []Service{{Name: "telegram", Sandbox: Sandbox{Tmpfs: mediaInTmp}}},
	Affects:  bridgeAffects,
	Secrets: []Secret{
		{
			Name: "api_id", Kind: External, Where: "https://my.telegram.org, API development tools, App api_id",
			Form: `^[1-9][0-9]{0,9}$`, FormHelp: "it is a number", Example: "7654321", Fake: "12345",
		},
		{
			Name: "api_hash", Kind: External, Where: "https://my.telegram.org, API development tools, App api_hash",
			Form: `^[0-9a-f]{32}$`, FormHelp: "it has 32 hexadecimal digits", Example: "00000000000000000000000000000001",
		},
	},
	Bridge: &Bridge{
		Names:       Names{ID: "telegram", Bot: "telegrambot", Prefix: "telegram", Port: 29317},
		DisplayName: "Telegram bridge bot", Avatar: "mxc://maunium.net/tJCRmUyJDsgRNgqhOgoiHWbX",
		CommandPrefix: "!tg", Binary: "/usr/bin/mautrix-telegram", Module: "mautrix_telegram",
		Releases: []Release{{Version{0, 2604, 0}, BridgeV2}, {Version{0, 16, 0}, ""}, {Version{}, Python}},
		Latest:   BridgeV2,
		Gap:      "the Python bridge ends at v0.15.3, the Go bridge begins with v26.04 (v0.2604.0)",
		Move: &Move{First: Version{0, 2604, 0}, From: "v0.15.3", PickleKey: pythonPickleKey, After: []string{
			"each user: `set-management-room` with the command prefix in the private chat with {bot}; until then it takes no command there without the prefix",
			"a group that is no supergroup is a room of its own for each of its users from now on: `upgrade` in it makes it a supergroup, which is shared",
		}},
	},
}
