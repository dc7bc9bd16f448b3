package component

// Zulip bridges Zulip. Its section network is empty: example-config.yaml has no byte.
const Zulip Program = "zulip"

var zulip = Component{
	Program: Zulip, Title: "Zulip",
	Images: []string{"mautrix/zulip", "mautrix-zulip"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/zulip", Tag: "v0.2511.0"},
	Oldest: Version{0, 2511, 0}, OldestWhy: "v25.11 (v0.2511.0) is the first release",
	Container: &mautrixImage,
	Bridge: &Bridge{
		Names:       Names{ID: "zulip", Bot: "zulipbot", Prefix: "zulip", Port: 29342},
		DisplayName: "Zulip bridge bot", Avatar: "mxc://maunium.net/pKfjZaIjOREmSJoyYgnmonJZ",
		CommandPrefix: "!zulip", Binary: "/usr/bin/mautrix-zulip",
		Releases: []Release{{Version{}, BridgeV2}},
		Latest:   BridgeV2, Rolling: BridgeV2,
		Network:     "{}\n",
		NetworkRead: Span{Version{0, 2511, 0}, Version{0, 2511, 0}},
	},
}
