package component

// WhatsApp bridges WhatsApp.
const WhatsApp Program = "whatsapp"

var whatsapp = Component{
	Program: WhatsApp, Title: "WhatsApp",
	Images: []string{"mautrix/whatsapp", "mautrix-whatsapp"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{"dock.mau.dev/mautrix/whatsapp", "v0.2610.0", ""},
	Oldest: Version{0, 2510, 0}, OldestWhy: "older releases do not know every key that is rendered",
	User:     bridgeUser,
	Services: []Service{{Name: "whatsapp", Sandbox: Sandbox{Tmpfs: mediaInTmp}}},
	Affects:  bridgeAffects,
	Bridge: &Bridge{
		Names:       Names{ID: "whatsapp", Bot: "whatsappbot", Prefix: "whatsapp", Port: 29318},
		DisplayName: "WhatsApp bridge bot", Avatar: "mxc://maunium.net/NeXNQarUbrlYBiPCpprYsRqr",
		CommandPrefix: "!wa", Binary: "/usr/bin/mautrix-whatsapp",
		Releases: []Release{{Version{0, 11, 0}, BridgeV2}, {Version{}, Legacy}},
		Latest:   BridgeV2, Rolling: BridgeV2,
		Move: &Move{First: Version{0, 11, 0}, Last: Version{0, 12, 4}, From: "v0.8.6", PickleKey: "maunium.net/go/mautrix-whatsapp"},
	},
}
