package component

// LiveKit carries the sound and the pictures of calls.
const LiveKit Program = "livekit"

var livekit = Component{
	Program: LiveKit, Title: "LiveKit",
	Images:   []string{"livekit-server"},
	Tag:      TagForm{"v", `[0-9]+\.[0-9]+\.[0-9]+`},
	Versions: Minors,
	Tested:   Ref{Repository: "docker.io/livekit/livekit-server", Tag: "v1.13.11"},
	Oldest:   Version{1, 8, 0}, OldestWhy: "no older one was tried with what is rendered",
	Container: &Container{
		Rendered: "7880:7880", // its image runs it as root, of whose rights it needs none
		Config:   Config{Flags: []string{"--config"}},
		Affects:  "whoever is in a call: it ends",
	},
	Port: 7880,
	Secrets: []Secret{
		{Name: "calls.livekit_key"},
		{Name: "calls.livekit_secret"},
	},
}
