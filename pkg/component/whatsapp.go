package component

// WhatsApp bridges WhatsApp.
const WhatsApp Program = "whatsapp"

var whatsapp = Component{
	Program: WhatsApp, Title: "WhatsApp",
	Images: []string{"mautrix/whatsapp", "mautrix-whatsapp"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/whatsapp", Tag: "v0.2610.0"},
	Oldest: Version{0, 2510, 0}, OldestWhy: keysOfV2510,
	Container: &mautrixImage,
	Bridge: &Bridge{
		Names:       Names{ID: "whatsapp", Bot: "whatsappbot", Prefix: "whatsapp", Port: 29318},
		DisplayName: "WhatsApp bridge bot", Avatar: "mxc://maunium.net/NeXNQarUbrlYBiPCpprYsRqr",
		CommandPrefix: "!wa", Binary: "/usr/bin/mautrix-whatsapp",
		Releases: []Release{{Version{0, 11, 0}, BridgeV2}, {Version{}, Legacy}},
		OtherIDs: []string{"lid-123456789012345", "bot-13135550002"}, // pkg/waid/id.go
		Latest:   BridgeV2, Rolling: BridgeV2,
		Move:        &Move{First: Version{0, 11, 0}, Last: Version{0, 12, 4}, From: "v0.8.6", PickleKey: "maunium.net/go/mautrix-whatsapp"},
		NetworkRead: Span{Version{0, 2608, 0}, Version{0, 2608, 0}},
		Network: `
os_name: str
browser_name: str
proxy: str
get_proxy_url: str
proxy_only_login: bool
displayname_template: str
call_start_notices: bool
identity_change_notices: bool
send_presence_on_typing: bool
enable_status_broadcast: bool
disable_status_broadcast_send: bool
mute_status_broadcast: bool
pinned_tag: str
archive_tag: str
status_broadcast_tag: str
whatsapp_thumbnail: bool
url_previews: bool
extev_polls: bool
disable_view_once: bool
force_active_delivery_receipts: bool
direct_media_auto_request: bool
initial_auto_reconnect: bool
use_whatsapp_retry_store: bool
animated_sticker:
  target: str
  args:
    width: int
    height: int
    fps: int
history_sync:
  max_initial_conversations: int
  request_full_sync: bool
  dispatch_wait: str|int
  full_sync_config:
    days_limit: int
    size_mb_limit: int
    storage_quota_mb: int
  media_requests:
    auto_request_media: bool
    request_method: str
    request_local_time: int
    max_async_handle: int
  backwards_on_demand: bool
`,
	},
}
