package component

// Bluesky bridges the direct messages of Bluesky.
const Bluesky Program = "bluesky"

var bluesky = Component{
	Program: Bluesky, Title: "Bluesky",
	Images: []string{"mautrix/bluesky", "mautrix-bluesky"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/bluesky", Tag: "v0.2510.0"},
	Oldest: Version{0, 2510, 0}, OldestWhy: keysOfV2510,
	Container: &mautrixImage,
	Bridge: &Bridge{
		Names:       Names{ID: "bluesky", Bot: "blueskybot", Prefix: "bluesky", Port: 29340},
		DisplayName: "Bluesky bridge bot", Avatar: "mxc://maunium.net/ezAjjDxhiJWGEohmhkpfeHYf",
		CommandPrefix: "!bsky", Binary: "/usr/bin/mautrix-bluesky",
		Releases: []Release{{Version{}, BridgeV2}},
		Latest:   BridgeV2, Rolling: BridgeV2,
		NetworkRead: Span{Version{0, 2510, 0}, Version{0, 2510, 0}},
		Network: `
displayname_template: str
`,
	},
}
