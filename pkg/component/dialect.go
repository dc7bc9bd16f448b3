package component

// Dialect is the shape of a bridge's configuration file.
type Dialect string

// The dialects of mautrix bridges.
const (
	BridgeV2 Dialect = "bridgev2" // mautrix-go bridgev2
	Legacy   Dialect = "legacy"   // mautrix-go before bridgev2: Discord v0.7
	Python   Dialect = "python"   // mautrix-python: Telegram up to v0.15.3
)

// Dialect tells the dialect of a bridge image by its tag. ok is false where the tag names no version, the
// program is no bridge, or no release with that version can be placed.
func (r Ref) Dialect() (d Dialect, ok bool) {
	b := Of(r.Program()).Bridge
	if b == nil {
		return "", false
	}
	v, known := r.Version()
	switch {
	case known:
		d = b.of(v)
	case r.Tag == "latest":
		d = b.Latest
	default:
		d = b.Rolling
	}
	return d, d != ""
}

// Shape is what the bridges of a dialect have in common.
type Shape struct {
	Dialect Dialect
	// Levels are its words for the permissions of a spec, each behind the word there. Whoever has none may do
	// nothing.
	Levels [][2]string
	// AsksLogin: an encrypting bridge asks GET /login before it makes a device, which Synapse does not serve next
	// to MAS (mautrix-python 0.20).
	AsksLogin bool
	// Aliases: rooms of the other network have aliases that the bridge claims.
	Aliases bool
	// SSLMode is the parameter of a database URI that turns off TLS, which the driver would ask for.
	SSLMode string
	// Secrets are those of every bridge of the dialect; Relay those of one that lets people speak through
	// another's login.
	Secrets, Relay []Secret
}

// Shape is what is known of the dialect.
func (d Dialect) Shape() *Shape {
	for _, s := range shapes {
		if s.Dialect == d {
			return s
		}
	}
	return &Shape{}
}

var shapes = []*Shape{&bridgeV2, &legacy, &python}

var goLevels = [][2]string{{"block", "block"}, {"relay", "relay"}, {"user", "user"}, {"admin", "admin"}}

var bridgeV2 = Shape{
	Dialect: BridgeV2, Levels: goLevels, SSLMode: "?sslmode=disable",
	Secrets: []Secret{
		{Name: "as_token"},
		{Name: "hs_token"},
		{Name: "sender", Kind: Localpart},
		{Name: "provisioning_secret"},
		{Name: "direct_media_key", Kind: SigningKey},
		{Name: "public_media_key"},
		{
			Name: "pickle_key", Kept: true, Inherits: true,
			Breaks: "the bridge can no longer read its encryption keys and does not start (bad mac)",
		},
	},
}

var legacy = Shape{
	Dialect: Legacy, Levels: goLevels, SSLMode: "?sslmode=disable",
	Secrets: []Secret{
		{Name: "as_token"},
		{Name: "hs_token"},
		{Name: "sender", Kind: Localpart},
		{Name: "provisioning_secret"},
		{Name: "direct_media_key", Kind: SigningKey},
		{Name: "avatar_proxy_key"},
	},
}

// The words are those of mautrix-telegram v0.15. It has no block: whoever is not named is.
var python = Shape{
	Dialect: Python, AsksLogin: true, Aliases: true,
	Levels: [][2]string{{"relay", "relaybot"}, {"user", "full"}, {"admin", "admin"}},
	Secrets: []Secret{
		{Name: "as_token"},
		{Name: "hs_token"},
		{Name: "sender", Kind: Localpart},
		{Name: "provisioning_secret"},
	},
	Relay: []Secret{{
		Name: "bot_token", Kind: External, Where: "@BotFather on Telegram, /newbot: the bot that speaks for those with the permission relay",
		Form: `^[0-9]+:[A-Za-z0-9_-]+$`, FormHelp: "it is a number, a colon and letters", Example: "7654321:placeholder-bot-token",
	}},
}
