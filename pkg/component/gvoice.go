package component

// GVoice bridges Google Voice.
const GVoice Program = "gvoice"

var gvoice = Component{
	Program: GVoice, Title: "Google Voice",
	Images: []string{"mautrix/gvoice", "mautrix-gvoice"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/gvoice", Tag: "v0.2605.0"},
	Oldest: Version{0, 2510, 0}, OldestWhy: keysOfV2510,
	Container: &mautrixImage,
	Bridge: &Bridge{
		Names:       Names{ID: "gvoice", Bot: "gvoicebot", Prefix: "gvoice", Port: 29338},
		DisplayName: "Google Voice bridge bot", Avatar: "mxc://maunium.net/VOPtYGBzHLRfPTEzGgNMpeKo",
		CommandPrefix: "!gv", Binary: "/usr/bin/mautrix-gvoice",
		// mautrix docs, Docker setup
		Note:     "to send from an account outside of Google Workspace the bridge needs Electron, which its image does not have",
		Releases: []Release{{Version{}, BridgeV2}},
		Latest:   BridgeV2, Rolling: BridgeV2,
		NetworkRead: Span{Version{0, 2605, 0}, Version{0, 2605, 0}},
		Network: `
displayname_template: str
`,
	},
}
