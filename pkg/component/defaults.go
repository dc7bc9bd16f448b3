package component

import "embed"

// defaultFiles hold what programs write into a new configuration, and take where nothing is said: a document of the same
// shape. A text that is long or a template is known by the beginning of its SHA-256, sha256:16 digits.
//
//go:embed defaults/*.yaml
var defaultFiles embed.FS

// Defaults gives the file of defaults of that name, defaults/NAME.yaml; nil where there is none.
func Defaults(name string) []byte {
	src, err := defaultFiles.ReadFile("defaults/" + name + ".yaml")
	if err != nil {
		return nil
	}
	return src
}
