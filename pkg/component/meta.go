package component

// Meta bridges Facebook Messenger.
const Meta Program = "meta"

var meta = Component{
	Program: Meta, Title: "Facebook Messenger",
	Images: []string{"mautrix/meta", "mautrix-meta"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/meta", Tag: "v0.2609.0"},
	Oldest: Version{0, 2608, 0}, OldestWhy: "older releases choose the network by network.mode and use the id meta",
	Container: &mautrixImage,
	Bridge: &Bridge{
		Names:       Names{ID: "facebook", Bot: "facebookbot", Prefix: "facebook", Port: 29319},
		DisplayName: "Facebook Messenger bridge bot", Avatar: "mxc://maunium.net/ygtkteZsXnGJLJHRchUwYWak",
		CommandPrefix: "!fb", Binary: "/usr/bin/mautrix-meta",
		Releases:   []Release{{Version{0, 4, 0}, BridgeV2}, {Version{}, Legacy}},
		NamesSince: Version{0, 2608, 0}, // before, they followed the network that it was set to
		OneNetwork: &Version{0, 2608, 0}, AlsoCalled: []string{"facebook", "messenger"},
		Latest: BridgeV2, Rolling: BridgeV2,
		Move:        &Move{First: Version{0, 4, 0}, Last: Version{0, 5, 3}, From: "v0.1.0", PickleKey: pythonPickleKey},
		NetworkRead: Span{Version{0, 2608, 0}, Version{0, 2608, 0}},
		Network: `
displayname_template: str
proxy: str
tor: bool
get_proxy_from: str
proxy_media: bool
proxy_e2ee: bool
proxy_messenger_lite: bool
proxy_other: bool
min_full_reconnect_interval_seconds: int
force_refresh_interval_seconds: int
cache_connection_state: bool
send_presence_on_typing: bool
disable_view_once: bool
marketplace_space: bool
log_redacted_bloks_payloads: bool
thread_backfill:
  batch_count: int
  batch_delay: str|int
mode: any
`,
	},
}
