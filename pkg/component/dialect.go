package component

// Dialect is the shape of a bridge's configuration file.
type Dialect string

// The dialects of mautrix bridges.
const (
	BridgeV2 Dialect = "bridgev2" // mautrix-go bridgev2
	Legacy   Dialect = "legacy"   // mautrix-go before bridgev2: Discord v0.7
	Python   Dialect = "python"   // mautrix-python: Telegram up to v0.15.3

	OlderPython Dialect = "older python" // mautrix-python: the other bridges, none of which is in Python any more, or maintained
)

// InPython reports whether the bridges of the dialect are programs in Python.
func (d Dialect) InPython() bool { return d == Python || d == OlderPython }

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

// Mark is a key that the configurations of one dialect alone have.
type Mark struct {
	Key     string // a dotted path
	Text    bool   // and it is one where a text stands there
	Dialect Dialect
}

// Marks are those by which a file shows its dialect, those first that decide for mautrix-go, too
// (bridgeconfig/upgrade.go).
var Marks = []Mark{
	{Key: "appservice.database.uri", Dialect: Legacy},
	{Key: "appservice.database", Text: true, Dialect: Python},
	{Key: "database", Dialect: BridgeV2},
	{Key: "appservice.bot_username", Dialect: Python},
	{Key: "telegram", Dialect: Python},
	{Key: "network", Dialect: BridgeV2},
	{Key: "double_puppet", Dialect: BridgeV2},
	{Key: "encryption", Dialect: BridgeV2},
	{Key: "bridge.avatar_proxy_key", Dialect: Legacy},
}

// Shape is what the bridges of a dialect have in common. Its paths are dotted, and "" is what it lacks.
type Shape struct {
	Dialect Dialect
	// Words name it in a sentence.
	Words string
	// Where it keeps what every bridge has.
	Database, Bot, Ghosts, Aliases, Encryption, PuppetSecrets, PuppetServers, Network string
	// PublicOn and PublicAddress offer a page or media to everyone, below PublicPath of that address.
	PublicOn, PublicAddress, PublicPath string
	// Placeholder stands for the remote user's id in the template of ghosts.
	Placeholder string
	// Host is what it listens on by itself, LogFile its log below the working directory, where {program} stands for
	// the bridge.
	Host, LogFile string
	// Levels are its words for permissions, Barred those of them that let nobody use the bridge by themselves.
	Levels, Barred []string
	// Meant are its words for those of the other dialects, Mistaken what becomes of one that it does not know.
	Meant    [][2]string
	Mistaken string
	// Given are its words for the permissions of a spec, each behind the word there. Whoever has none may do
	// nothing.
	Given [][2]string
	// AsksLogin: an encrypting bridge asks GET /login before it makes a device, which Synapse does not serve next
	// to MAS (mautrix-python 0.20).
	AsksLogin bool
	// SSLMode is the parameter of a database URI that turns off TLS, which the driver would ask for.
	SSLMode string
	// Pool bounds the connections to its database.
	Pool Pool
	// Keys names what it reads of its configuration, keys/NAME.yaml, and Read the releases that this was read from.
	Keys string
	Read Span
	// Held are the secrets in its configuration, Made the keys that a bridge makes up.
	Held []Held
	Made []Made
	// Secrets are those of every bridge of the dialect; Relay those of one that lets people speak through
	// another's login.
	Secrets, Relay []Secret
}

// Made is a key that a bridge makes up when it is absent or "generate", with what depends on it: the key that turns
// it on, or "" when nothing has to.
type Made struct{ Key, On, Consequence string }

// NoSecret reports whether a text in the place of a secret of a bridge is one of the words of mautrix for none: that it
// makes one up ("generate"), or goes without ("disable"; "disabled" for Telegram's bot).
func NoSecret(text string) bool { return text == "generate" || text == "disable" || text == "disabled" }

// Shape is what is known of the dialect.
func (d Dialect) Shape() *Shape {
	for _, s := range shapes {
		if s.Dialect == d {
			return s
		}
	}
	return &Shape{}
}

var shapes = []*Shape{&bridgeV2, &legacy, &python, &olderPython}

const (
	apiShutOut   = "who uses its provisioning API is shut out after a restart"
	mediaRestart = "media that was sent before cannot be fetched after a restart"
)
