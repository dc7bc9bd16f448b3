package image

// Move is how a bridge of another dialect became the bridgev2 one of the same name: the new one takes the
// database over in place, once, and there is no way back but a backup.
type Move struct {
	// First is the first release on bridgev2, and Last the last that takes a forerunner's database over; the
	// zero Version where every later one does.
	First, Last Version
	// From is the oldest forerunner whose database is taken over.
	From string
	// PickleKey is what the forerunner encrypted its encryption keys with. It stood in its code, so it is no
	// secret; the new bridge has to be given it.
	PickleKey string
	// After is what people do once the new one runs, in its order. {bot} stands for the bot's user id.
	After []string
}

// Moves are those that were made. Read in each bridge's cmd/mautrix-NAME/main.go (CheckLegacyDB) and
// legacymigrate.go, at the last release that has it: whatsapp v0.12.4, signal v0.8.6, meta v0.5.3, telegram
// v0.2608.0; in their CHANGELOGs; and in mautrix-python 0.20.8 bridge/e2ee.py.
var Moves = map[Program]Move{
	Signal:    {First: Version{0, 7, 0}, Last: Version{0, 8, 6}, From: "v0.5.1", PickleKey: pythonPickleKey},
	WhatsApp:  {First: Version{0, 11, 0}, Last: Version{0, 12, 4}, From: "v0.8.6", PickleKey: "maunium.net/go/mautrix-whatsapp"},
	Meta:      {First: Version{0, 4, 0}, Last: Version{0, 5, 3}, From: "v0.1.0", PickleKey: pythonPickleKey},
	Instagram: {First: Version{0, 4, 0}, Last: Version{0, 5, 3}, From: "v0.1.0", PickleKey: pythonPickleKey},
	Telegram: {First: Version{0, 2604, 0}, From: "v0.15.3", PickleKey: pythonPickleKey, After: []string{
		"each user: `set-management-room` with the command prefix in the private chat with {bot}; until then it takes no command there without the prefix",
		"a group that is no supergroup is a room of its own for each of its users from now on: `upgrade` in it makes it a supergroup, which is shared",
	}},
}

// pythonPickleKey is mautrix-python's, which the first Go bridges kept.
const pythonPickleKey = "mautrix.bridge.e2ee"

// Takes reports whether a release of the bridge takes a forerunner's database over.
func (m Move) Takes(v Version) bool {
	return !v.Less(m.First) && (m.Last == Version{} || !m.Last.Less(v))
}

// Forerunner is the dialect that stackgen renders for releases of the program before its move; "" where it
// renders none so old.
func (p Program) Forerunner() Dialect {
	m, moved := Moves[p]
	if old := Oldest[p].Version; moved && old.Less(m.First) {
		d, _ := Ref{Repository: Tested[p].Repository, Tag: "v" + old.String()}.Dialect()
		return d
	}
	return ""
}
