package component

// Signal bridges Signal.
const Signal Program = "signal"

var signal = Component{
	Program: Signal, Title: "Signal",
	Images: []string{"mautrix/signal", "mautrix-signal"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/signal", Tag: "v0.2610.0"},
	Oldest: Version{0, 2510, 0}, OldestWhy: keysOfV2510,
	Container: &mautrixImage,
	Bridge: &Bridge{
		Names:       Names{ID: "signal", Bot: "signalbot", Prefix: "signal", Port: 29328},
		DisplayName: "Signal bridge bot", Avatar: "mxc://maunium.net/wPJgTQbZOtpBFmDNkiNEMDUp",
		CommandPrefix: "!signal", Binary: "/usr/bin/mautrix-signal", Module: "mautrix_signal",
		Releases: []Release{{Version{0, 7, 0}, BridgeV2}, {Version{0, 5, 0}, Legacy}, {Version{}, OlderPython}},
		RemoteID: "0d7f5c1e-8a51-4c3e-9f2b-1d6a7c3b9e40",
		OtherIDs: []string{"pni_0d7f5c1e-8a51-4c3e-9f2b-1d6a7c3b9e40"}, // pkg/signalid/ids.go
		Latest:   BridgeV2, Rolling: BridgeV2,
		Move:        &Move{First: Version{0, 7, 0}, Last: Version{0, 8, 6}, From: "v0.5.1", PickleKey: pythonPickleKey},
		NetworkRead: Span{Version{0, 2608, 0}, Version{0, 2608, 0}},
		Network: `
displayname_template: str
use_contact_avatars: bool
sync_contacts_on_startup: bool
use_outdated_profiles: bool
number_in_topic: bool
device_name: str
note_to_self_avatar: str
location_format: str
disappear_view_once: bool
extev_polls: bool
`,
	},
}
