package component

// LkJwt is lk-jwt-service, which hands out tokens for LiveKit to users of Matrix.
const LkJwt Program = "lk-jwt"

var lkJwt = Component{
	Program: LkJwt, Title: "lk-jwt-service",
	Images:   []string{"lk-jwt-service"},
	Tag:      TagForm{"", `[0-9]+\.[0-9]+\.[0-9]+`},
	Versions: Minors,
	Tested:   Ref{Repository: "ghcr.io/element-hq/lk-jwt-service", Tag: "0.8.0"},
	Oldest:   Version{0, 4, 0}, OldestWhy: "clients ask for a token at /get_token, which it has since 0.4.0",
	Container: &Container{
		Rendered: "7888:7888", // its image runs it as root, of whose rights it needs none
		Affects:  "whoever joins a call",
	},
	Port: 8080,
	Secrets: []Secret{
		{Name: "calls.as_token"},
		{Name: "calls.hs_token"},
		{Name: "calls.sender", Kind: Localpart},
	},
}

// The first releases of lk-jwt-service and of Synapse by which Synapse hands requests for tokens on to lk-jwt-service, as
// to an appservice (Synapse docs/upgrade.md "v1.161.0"); of those with which LiveKit can tell lk-jwt-service who left a
// call; and of Synapse with matrix_rtc.
var (
	CallsAppservice   = Version{0, 7, 0}
	SynapseCallsProxy = Version{1, 161, 0}
	CallsWebhook      = Version{0, 6, 0}
	SynapseTransports = Version{1, 140, 0}
)
