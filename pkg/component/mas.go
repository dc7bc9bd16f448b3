package component

// MAS is the Matrix Authentication Service.
const MAS Program = "mas"

var mas = Component{
	Program: MAS, Title: "MAS",
	Images:   []string{"matrix-authentication-service"},
	Tag:      TagForm{"", `[0-9]+\.[0-9]+(\.[0-9]+(-rc\.?[0-9]+)?)?(-debug)?`},
	Versions: Minors,
	Tested:   Ref{"ghcr.io/element-hq/matrix-authentication-service", "1.26.0", ""},
	Oldest:   Version{1, 8, 0}, OldestWhy: "claims_imports.localpart.on_conflict: set exists since MAS 1.8",
	User: "65532:65532", // distroless' nonroot
	Port: 8080, HealthPort: 8081,
	Services: []Service{
		{Name: "mas"},
		// Root, because it reads the files of two users, which root may not without this.
		{Name: "syn2mas", Sandbox: Sandbox{Caps: []string{"DAC_READ_SEARCH"}}},
	},
	Affects: "all users: nobody can log in meanwhile",
	Secrets: []Secret{
		{Name: "auth.matrix_secret"},
		{
			Name: "auth.encryption", Kind: Hex32, Kept: true,
			Breaks: "MAS can no longer read what it has encrypted in its database, and every browser session ends",
		},
		{Name: "auth.key_rsa", Kind: RSAPEM},
		{Name: "auth.key_ec", Kind: ECPEM},
		{
			Name: "auth.pepper", Kind: External, Where: "password_config.pepper in the old homeserver.yaml", Example: "placeholder-pepper",
			Breaks: "no password that came from Synapse is right any more",
		},
	},
}

// Upstream are the secrets of each provider that MAS lets users log in through.
var Upstream = []Secret{
	{
		Name: "auth.upstream.{name}.id", Kind: ULID, Kept: true,
		Breaks: "the id is part of the callback URL at {name} and of every user's link to it: nobody could log in through it until each is linked again",
	},
	{
		Name: "auth.upstream.{name}.client_secret", Kind: External,
		Where: "the client {client} of {issuer}", Example: "placeholder-client-secret",
	},
}

// PasswordFiles is the first MAS that takes the passwords of its database and of the SMTP server from files:
// database.password_file, email.password_file.
var PasswordFiles = Version{1, 22, 0}
