package component

import (
	"cmp"
	"slices"
)

// Names are what the homeserver knows a bridge by.
type Names struct {
	ID     string // of the appservice
	Bot    string // localpart
	Prefix string // of the localpart of every ghost, before an underscore
	Port   int    // that the appservice listens on
}

// Or gives the names, and those of the defaults where there is none.
func (n Names) Or(defaults Names) Names {
	return Names{
		ID: cmp.Or(n.ID, defaults.ID), Bot: cmp.Or(n.Bot, defaults.Bot),
		Prefix: cmp.Or(n.Prefix, defaults.Prefix), Port: cmp.Or(n.Port, defaults.Port),
	}
}

// Bridge is what differs between the bridges. Names and texts are the defaults of each bridge's own example
// configuration, so that a rendered bridge has those that its documentation uses.
type Bridge struct {
	Names
	DisplayName, Avatar string // of the bot
	CommandPrefix       string
	// Note is what people must know to log in, in a clause.
	Note string
	// Binary is the bridge in its image, Module that of a bridge in Python.
	Binary, Module string
	// Releases say which dialect each release has, the newest first: those from First on, unless one above has
	// them. Before the last of them nothing is known.
	Releases []Release
	// Latest is the dialect of the tag latest, Rolling that of any other tag that names no release; "" where it
	// cannot be told.
	Latest, Rolling Dialect
	// NamesSince is the first release whose default Names these are, MSC4190 the first that knows encryption.msc4190
	// where an older one is of the same dialect.
	NamesSince, MSC4190 Version
	// OneNetwork is the first release that goes to its network whatever network.mode says.
	OneNetwork *Version
	// RemoteID is what a user of the other network looks like; "" for a number.
	RemoteID string
	// OtherIDs are what further users of it look like to the present Go bridge, each form once.
	OtherIDs []string
	// AlsoCalled are words by which people call files of it, besides its Program.
	AlsoCalled []string
	// Gap says which releases have no dialect that is known.
	Gap string
	// Network is what a bridge on bridgev2 reads of its section network, in the form of the files of known keys;
	// NetworkRead are the releases that it was read from.
	Network     string
	NetworkRead Span
	// Former is the name of a bridge that nothing is rendered for, Followed that of the one that is recommended in its place; "" where none is.
	Former, Followed string
	// Move is how releases of another dialect became those of bridgev2; nil where there were none.
	Move *Move
}

// Release is the first one of a dialect, up to the next of the list. An empty dialect is one that is not known.
type Release struct {
	First   Version
	Dialect Dialect
}

// Span are the first and the last release that something was read from.
type Span struct{ First, Last Version }

// Speaks reports whether a release of the bridge has the dialect.
func (b *Bridge) Speaks(d Dialect) bool {
	return slices.ContainsFunc(b.Releases, func(r Release) bool { return r.Dialect == d })
}

// Start is the command that runs the bridge on its configuration and leaves that as it is. The image's own start
// script rewrites it.
func (b *Bridge) Start(d Dialect) []string {
	start := []string{b.Binary}
	if d == Python {
		start = []string{"python3", "-m", b.Module}
	}
	return append(start, "-c", "/data/config.yaml", "-n")
}

// Siblings are the other programs in images of the same name, told apart by their tags.
func (c *Component) Siblings() []*Component {
	var all []*Component
	for _, o := range All {
		if o != c && len(o.Images) > 0 && len(c.Images) > 0 && o.Images[0] == c.Images[0] {
			all = append(all, o)
		}
	}
	return all
}

// DoublePuppet are the secrets of the appservice by which the bridges speak for the homeserver's own users.
var DoublePuppet = []Secret{
	{Name: "doublepuppet.as_token"},
	{Name: "doublepuppet.hs_token"},
	{Name: "doublepuppet.sender", Kind: Localpart},
}

// Move is how a bridge of another dialect became the bridgev2 one of the same name: the new one takes the
// database over in place, once, and there is no way back but a backup. Read in each bridge's
// cmd/mautrix-NAME/main.go (CheckLegacyDB) and legacymigrate.go, at the last release that has it: whatsapp
// v0.12.4, signal v0.8.6, meta v0.5.3, telegram v0.2608.0; in their CHANGELOGs; and in mautrix-python 0.20.8
// bridge/e2ee.py.
type Move struct {
	// First is the first release on bridgev2, and Last the last that takes a forerunner's database over; the
	// zero Version where every later one does.
	First, Last Version
	// NewConfig says that it takes over no configuration of the forerunner, which it stops at.
	NewConfig bool
	// From is the oldest forerunner whose database is taken over.
	From string
	// PickleKey is what the forerunner encrypted its encryption keys with. It stood in its code, so it is no
	// secret; the new bridge has to be given it.
	PickleKey string
	// After is what people do once the new one runs, in its order. {bot} stands for the bot's user id.
	After []string
}

// pythonPickleKey is mautrix-python's, which the first Go bridges kept.
const pythonPickleKey = "mautrix.bridge.e2ee"

// Takes reports whether a release of the bridge takes a forerunner's database over.
func (m *Move) Takes(v Version) bool {
	return !v.Less(m.First) && (m.Last == Version{} || !m.Last.Less(v))
}

// Forerunner is the dialect that stackgen renders for releases of the program before its move; "" where it
// renders none so old.
func (c *Component) Forerunner() Dialect {
	if b := c.Bridge; b != nil && b.Move != nil && c.Oldest.Less(b.Move.First) {
		return b.of(c.Oldest)
	}
	return ""
}

// of is the dialect of a release; "" where it is not known.
func (b *Bridge) of(v Version) Dialect {
	for _, r := range b.Releases {
		if !v.Less(r.First) {
			return r.Dialect
		}
	}
	return ""
}

const keysOfV2510 = "older releases do not know every key that is rendered" // encryption.self_sign: mautrix-go v0.25.2

// mautrixImage is how all bridges run in their images: docker-run.sh makes itself UID and GID, unless a command takes
// its place.
var mautrixImage = Container{
	User: "1337:1337", Start: FromCommand,
	Config: Config{File: "/data/config.yaml", Flags: []string{"-c", "--config"}},
	// mautrix-go appservice/http.go, mautrix-python bridge/bridge.py
	HealthPaths: []string{"/_matrix/mau/live", "/_matrix/mau/ready"},
	// Media are converted in files of /tmp.
	Sandbox:  Sandbox{Tmpfs: []string{"/tmp"}},
	Database: true,
	Affects:  "the users of this bridge",
}
