package component

import "slices"

// Entry is how an image comes from the words of entrypoint and command to its program.
type Entry struct {
	// Words are the program, or what starts it.
	Words []string
	// Modes is what the entrypoint of its own images takes for the first word of a command; nil where it runs whatever
	// it is given. Options says that a flag may stand there as well.
	Modes   []string
	Options bool
	// Images are the names of its own images, whose entrypoint is known.
	Images []string
}

// EntryOf is how an image of that name starts the program.
func (c *Component) EntryOf(image string) *Entry {
	for i, e := range c.OtherEntries {
		if slices.Contains(e.Images, image) {
			return &c.OtherEntries[i]
		}
	}
	return c.Entry
}

// BridgeEntry is that of the bridges: a script, which a command replaces.
var BridgeEntry = Entry{Words: []string{"docker-run.sh", "python", "python3"}}
