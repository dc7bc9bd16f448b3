package component

// Twitter bridges Twitter, which is called X: a bridge in Python up to v0.1.8, which is not known here.
const Twitter Program = "twitter"

var twitter = Component{
	Program: Twitter, Title: "Twitter",
	Images: []string{"mautrix/twitter", "mautrix-twitter"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/twitter", Tag: "v0.2609.0"},
	Oldest: Version{0, 2510, 0}, OldestWhy: keysOfV2510,
	Container: &mautrixImage,
	Bridge: &Bridge{
		Names:       Names{ID: "twitter", Bot: "twitterbot", Prefix: "twitter", Port: 29327},
		DisplayName: "Twitter bridge bot", Avatar: "mxc://maunium.net/HVHcnusJkQcpVcsVGZRELLCn",
		CommandPrefix: "!twitter", Binary: "/usr/bin/mautrix-twitter",
		// CHANGELOG v26.08
		Note:     "log in with cookies; the login with a password needs mautrix-manager",
		Releases: []Release{{Version{0, 2, 0}, BridgeV2}, {Version{}, ""}},
		Latest:   BridgeV2, Rolling: BridgeV2,
		Move:        &Move{First: Version{0, 2, 0}, Last: Version{0, 5, 0}, From: "v0.1.0", PickleKey: pythonPickleKey},
		NetworkRead: Span{Version{0, 2608, 0}, Version{0, 2609, 0}},
		Network: `
proxy: str
get_proxy_url: str
displayname_template: str
conversation_sync_limit: int
cache_session: bool
x: bool
`,
	},
}
