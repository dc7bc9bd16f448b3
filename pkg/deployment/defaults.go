package deployment

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// parsedDefaults are the files of defaults by name: they are asked for key by key.
var parsedDefaults sync.Map

// DefaultsOf are what a program writes into a new configuration of its own, and takes where nothing is said. d is "" for
// what is no bridge.
func DefaultsOf(p component.Program, d component.Dialect) (all []*source.File) {
	names := []string{string(p)}
	if p == component.Synapse {
		names = append(names, "synapse-empty")
	}
	switch d {
	case component.Python:
		names = []string{string(p) + "-python"}
	case component.BridgeV2:
		names = []string{string(d), string(p)}
	case component.OlderPython:
		names = nil
	case component.Legacy:
	}
	for _, name := range names {
		f, read := parsedDefaults.Load(name)
		if !read {
			f, _ = source.Parse(name, component.Defaults(name)) // they are ours, and parse
			parsedDefaults.Store(name, f)
		}
		all = append(all, f.(*source.File))
	}
	return all
}

// IsDefault reports whether a text is the default, which may be known by its digest.
func IsDefault(def, text string) bool {
	digest, ok := strings.CutPrefix(def, "sha256:")
	if !ok {
		return def == text
	}
	sum := sha256.Sum256([]byte(text))
	return strings.HasPrefix(hex.EncodeToString(sum[:]), digest)
}
