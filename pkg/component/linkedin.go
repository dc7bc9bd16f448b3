package component

// LinkedIn bridges LinkedIn: a bridge in Python of another name up to v0.5.4, which is not known here.
const LinkedIn Program = "linkedin"

var linkedin = Component{
	Program: LinkedIn, Title: "LinkedIn",
	Images: []string{"mautrix/linkedin", "mautrix-linkedin"},
	Tag:    TagForm{"v", mautrixTag}, Versions: Calendar,
	Tested: Ref{Repository: "dock.mau.dev/mautrix/linkedin", Tag: "v0.2609.0"},
	Oldest: Version{0, 2511, 0}, OldestWhy: "the bridge in Go begins with v25.11 (v0.2511.0)",
	Container: &mautrixImage,
	Bridge: &Bridge{
		Names:       Names{ID: "linkedin", Bot: "linkedinbot", Prefix: "linkedin", Port: 29341},
		DisplayName: "LinkedIn bridge bot", Avatar: "mxc://maunium.net/CqzBEHjrLsfdqixWZgNHMlRT",
		CommandPrefix: "!linkedin", Binary: "/usr/bin/mautrix-linkedin",
		Releases: []Release{{Version{0, 2511, 0}, BridgeV2}, {Version{}, ""}},
		Latest:   BridgeV2, Rolling: BridgeV2,
		Move:        &Move{First: Version{0, 2511, 0}, From: "v0.5.4", PickleKey: pythonPickleKey},
		NetworkRead: Span{Version{0, 2604, 0}, Version{0, 2609, 0}},
		Network: `
displayname_template: str
sync:
  update_limit: int
  create_limit: int
`,
	},
}
