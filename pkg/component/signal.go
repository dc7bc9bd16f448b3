package component

// Signal bridges Signal.
const Signal Program = "signal"

var signal = Component{
	Program: Signal, Title: "Signal",
	Images: []string{"mautrix/signal", "mautrix-signal"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{"dock.mau.dev/mautrix/signal", "v0.2610.0", ""},
	Oldest: Version{0, 2510, 0}, OldestWhy: "older releases do not know every key that is rendered",
	User:     bridgeUser,
	Services: []Service{{Name: "signal", Sandbox: Sandbox{Tmpfs: mediaInTmp}}},
	Affects:  bridgeAffects,
	Bridge: &Bridge{
		Names:       Names{ID: "signal", Bot: "signalbot", Prefix: "signal", Port: 29328},
		DisplayName: "Signal bridge bot", Avatar: "mxc://maunium.net/wPJgTQbZOtpBFmDNkiNEMDUp",
		CommandPrefix: "!signal", Binary: "/usr/bin/mautrix-signal",
		Releases: []Release{{Version{0, 7, 0}, BridgeV2}, {Version{0, 5, 0}, Legacy}, {Version{}, ""}},
		Latest:   BridgeV2, Rolling: BridgeV2,
		Move: &Move{First: Version{0, 7, 0}, Last: Version{0, 8, 6}, From: "v0.5.1", PickleKey: pythonPickleKey},
	},
}
