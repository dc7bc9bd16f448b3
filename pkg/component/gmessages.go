package component

// GMessages bridges Google Messages: SMS and RCS of an Android phone.
const GMessages Program = "gmessages"

var gmessages = Component{
	Program: GMessages, Title: "Google Messages",
	Images: []string{"mautrix/gmessages", "mautrix-gmessages"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/gmessages", Tag: "v0.2609.0"},
	Oldest: Version{0, 2510, 0}, OldestWhy: keysOfV2510,
	Container: &mautrixImage,
	Bridge: &Bridge{
		Names:       Names{ID: "gmessages", Bot: "gmessagesbot", Prefix: "gmessages", Port: 29336},
		DisplayName: "Google Messages bridge bot", Avatar: "mxc://maunium.net/yGOdcrJcwqARZqdzbfuxfhzb",
		CommandPrefix: "!gm", Binary: "/usr/bin/mautrix-gmessages",
		// example-config.yaml, ping_interval
		Note:     "`login` pairs the bridge with the Google Messages of an Android phone, which has to stay online",
		Releases: []Release{{Version{0, 5, 0}, BridgeV2}, {Version{}, Legacy}},
		Latest:   BridgeV2, Rolling: BridgeV2,
		Move:        &Move{First: Version{0, 5, 0}, Last: Version{0, 6, 5}, From: "v0.4.3", PickleKey: "go.mau.fi/mautrix-gmessages"},
		NetworkRead: Span{Version{0, 2602, 0}, Version{0, 2609, 0}},
		Network: `
displayname_template: str
device_meta:
  os: str
  browser: str
  type: str
aggressive_reconnect: bool
initial_chat_sync_count: int
ping_interval: str|int
`,
	},
}
