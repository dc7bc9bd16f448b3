package component

// Telegram bridges Telegram: a bridge in Python up to v0.15.3, one in Go from v0.2604.0 on.
const Telegram Program = "telegram"

var telegram = Component{
	Program: Telegram, Title: "Telegram",
	Images: []string{"mautrix/telegram", "mautrix-telegram"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/telegram", Tag: "v0.2610.0"},
	Oldest: Version{0, 15, 3}, OldestWhy: "encryption.msc4190 exists since mautrix-telegram v0.15.3",
	Container: &mautrixImage,
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
		Releases:    []Release{{Version{0, 2604, 0}, BridgeV2}, {Version{0, 16, 0}, ""}, {Version{}, Python}},
		OtherIDs:    []string{"channel-1234567890"}, // pkg/connector/ids/ids.go
		MSC4190:     Version{0, 15, 3},
		Latest:      BridgeV2,
		Gap:         "the Python bridge ends at v0.15.3, the Go bridge begins with v26.04 (v0.2604.0)",
		NetworkRead: Span{Version{0, 2608, 0}, Version{0, 2608, 0}},
		Network: `
api_id: any
api_hash: str
device_info:
  device_model: str
  system_version: str
  app_version: str
  lang_code: str
  system_lang_code: str
animated_sticker:
  target: str
  convert_from_webm: bool
  args:
    width: int
    height: int
    fps: int
member_list:
  max_initial_sync: int
  sync_broadcast_channels: bool
  skip_deleted: bool
ping:
  interval_seconds: int
  timeout_seconds: int
proxy:
  type: str
  address: str
  username: str
  password: str
sync:
  update_limit: int
  create_limit: int
  login_sync_limit: int
  direct_chats: bool
takeout:
  dialog_sync: bool
  forward_backfill: bool
  backward_backfill: bool
max_member_count: int
contact_avatars: bool
contact_names: bool
always_custom_emoji_reaction: bool
saved_message_avatar: str
always_tombstone_on_supergroup_migration: bool
image_as_file_pixels: int
disable_view_once: bool
video_url_preview_as_file: bool
bridge_communities: bool
displayname_template: str
`,
		Move: &Move{First: Version{0, 2604, 0}, From: "v0.15.3", PickleKey: pythonPickleKey, After: []string{
			"each user: `set-management-room` with the command prefix in the private chat with {bot}; until then it takes no command there without the prefix",
			"a group that is no supergroup is a room of its own for each of its users from now on: `upgrade` in it makes it a supergroup, which is shared",
		}},
	},
}
