package component

// Discord bridges Discord.
const Discord Program = "discord"

var discord = Component{
	Program: Discord, Title: "Discord",
	Images: []string{"mautrix/discord", "mautrix-discord"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/discord", Tag: "v0.7.7"},
	Oldest: Version{0, 7, 4}, OldestWhy: "encryption.msc4190 exists since mautrix-discord v0.7.4",
	Container: &mautrixImage,
	Bridge: &Bridge{
		Names:       Names{ID: "discord", Bot: "discordbot", Prefix: "discord", Port: 29334},
		DisplayName: "Discord bridge bot", Avatar: "mxc://maunium.net/nIdEykemnwdisvHbpxflpDlC",
		CommandPrefix: "!discord", Binary: "/usr/bin/mautrix-discord",
		Releases: []Release{{Version{0, 8, 0}, ""}, {Version{}, Legacy}},
		MSC4190:  Version{0, 7, 4},
		Gap:      "that of mautrix-discord v0.7 is",
	},
}
