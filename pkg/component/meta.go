package component

// Meta bridges Facebook Messenger.
const Meta Program = "meta"

var meta = Component{
	Program: Meta, Title: "Facebook Messenger",
	Images: []string{"mautrix/meta", "mautrix-meta"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{"dock.mau.dev/mautrix/meta", "v0.2609.0", ""},
	Oldest: Version{0, 2608, 0}, OldestWhy: "older releases choose the network by network.mode and use the id meta",
	User:     bridgeUser,
	Services: []Service{{Name: "meta", Sandbox: Sandbox{Tmpfs: mediaInTmp}}},
	Affects:  bridgeAffects,
	Bridge: &Bridge{
		Names:       Names{ID: "facebook", Bot: "facebookbot", Prefix: "facebook", Port: 29319},
		DisplayName: "Facebook Messenger bridge bot", Avatar: "mxc://maunium.net/ygtkteZsXnGJLJHRchUwYWak",
		CommandPrefix: "!fb", Binary: "/usr/bin/mautrix-meta",
		Releases: []Release{{Version{0, 4, 0}, BridgeV2}, {Version{}, Legacy}},
		Latest:   BridgeV2, Rolling: BridgeV2,
		Move: &Move{First: Version{0, 4, 0}, Last: Version{0, 5, 3}, From: "v0.1.0", PickleKey: pythonPickleKey},
	},
}
