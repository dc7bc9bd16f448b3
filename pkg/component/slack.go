package component

// Slack bridges Slack.
const Slack Program = "slack"

var slack = Component{
	Program: Slack, Title: "Slack",
	Images: []string{"mautrix/slack", "mautrix-slack"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/slack", Tag: "v0.2609.1"},
	Oldest: Version{0, 2510, 0}, OldestWhy: keysOfV2510,
	Container: &mautrixImage,
	Bridge: &Bridge{
		Names:       Names{ID: "slack", Bot: "slackbot", Prefix: "slack", Port: 29335},
		DisplayName: "Slack bridge bot", Avatar: "mxc://maunium.net/pVtzLmChZejGxLqmXtQjFxem",
		CommandPrefix: "!slack", Binary: "/usr/bin/mautrix-slack",
		// CHANGELOG v26.08
		Note:     "log in with a token and cookies; with a password Slack may ask for a CAPTCHA, which the bot cannot show",
		Releases: []Release{{Version{}, BridgeV2}},
		Latest:   BridgeV2, Rolling: BridgeV2,
		Move:        &Move{First: Version{0, 1, 0}, NewConfig: true, From: "commit c565641", PickleKey: "maunium.net/go/mautrix-whatsapp"},
		NetworkRead: Span{Version{0, 2608, 0}, Version{0, 2609, 0}},
		Network: `
displayname_template: str
channel_name_template: str
team_name_template: str
custom_emoji_reactions: bool
workspace_avatar_in_rooms: bool
participant_sync_count: int
participant_sync_only_on_create: bool
mute_channels_by_default: bool
dm_only: bool
backfill:
  conversation_count: int
`,
	},
}
