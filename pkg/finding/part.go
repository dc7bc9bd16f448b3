package finding

// Part is one program of a deployment, or several of which the same is to say, and how far its configuration was read.
type Part struct {
	// Name is the program in words, with its service where the program does not tell it: "Synapse", "bridge signal".
	Name string
	Seen Seen
	// From are the files that were read of it.
	From []string
	// Why says what was not read and for what reason, or else what is to know about what was.
	Why string
}

// Seen is how far a part was read.
type Seen int

// The degrees.
const (
	Whole Seen = iota
	Partly
	Unread
)

// String gives the word used in every output format.
func (s Seen) String() string {
	return [...]string{"read", "partly read", "not read"}[s]
}
