package component

import "embed"

// keyFiles hold what each program reads of its configuration: a document of the same shape that has, in
// place of every value, the types it may have, with | between them. A word that names no type is itself the
// value; "*" is any key; the one item of a list stands for all. A word may end in @ and the first release
// that has it, and then - and the first that has it no more.
//
//go:embed keys/*.yaml
var keyFiles embed.FS

// KnownKeys gives the file of known keys of that name, keys/NAME.yaml.
func KnownKeys(name string) []byte {
	src, err := keyFiles.ReadFile("keys/" + name + ".yaml")
	if err != nil {
		panic(err) // the name is one of a literal here
	}
	return src
}
