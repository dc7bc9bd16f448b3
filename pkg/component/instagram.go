package component

// Instagram bridges Instagram. Its images lie beside mautrix-meta's and hold it under that name.
const Instagram Program = "instagram"

var instagram = Component{
	Program: Instagram, Title: "Instagram",
	Images: []string{"mautrix/meta", "mautrix-meta"}, TagPrefix: "ig-",
	Tag: TagForm{"ig-v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/meta", Tag: "ig-v0.2609.0"},
	Oldest: Version{0, 2608, 0}, OldestWhy: "Instagram is an image of its own since v26.07, tested since v26.08",
	Container: &mautrixImage,
	Bridge: &Bridge{
		Names:       Names{ID: "instagram", Bot: "instagrambot", Prefix: "instagram", Port: 29330},
		DisplayName: "Instagram bridge bot", Avatar: "mxc://maunium.net/JxjlbZUlCPULEeHZSwleUXQv",
		CommandPrefix: "!ig", Binary: "/usr/bin/mautrix-meta",
		Releases:   []Release{{Version{}, BridgeV2}},
		OneNetwork: &Version{0, 2608, 0}, AlsoCalled: []string{"facebook", "messenger"},
		Latest: BridgeV2, Rolling: BridgeV2,
		Move:        &Move{First: Version{0, 4, 0}, Last: Version{0, 5, 3}, From: "v0.1.0", PickleKey: pythonPickleKey},
		NetworkRead: Span{Version{0, 2608, 0}, Version{0, 2608, 0}},
		Network: `
displayname_template: str
proxy: str
get_proxy_from: str
proxy_media: bool
proxy_other: bool
min_full_reconnect_interval_seconds: int
force_refresh_interval_seconds: int
cache_connection_state: bool
disable_xma_backfill: bool
disable_xma_always: bool
disable_typing: bool
disable_view_once: bool
thread_backfill:
  batch_count: int
  batch_delay: str|int
mode: any
`,
	},
}
