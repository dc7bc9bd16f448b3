package check

import (
	"sync"

	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

var masKeys = sync.OnceValue(func() source.Value { return knownKeys("mas") })

var masKnownKeys = Rule{
	ID: "mas-known-keys", Severity: source.Error,
	Summary: "MAS knows every key of its configuration, and every value has the type it wants",
	Why:     "A mistyped key changes nothing: MAS ignores it without a word and goes by its default. A value of the wrong type stops it: \"invalid type: found string …, expected a boolean\".",
	Fix:     "Write the key as MAS knows it, where MAS knows it.",
	Source:  "MAS crates/config/src/sections (no deny_unknown_fields), docs/config.schema.json",
	Check: func(d *Deployment, r *Reporter) {
		for _, m := range d.MASs {
			reading{
				program: "MAS",
				unknown: "MAS ignores it and goes by its default",
				wrong:   "MAS does not start",
				report: func(message, fix string, sites ...source.Site) {
					// Another release may have other keys.
					if m.read() {
						r.Fail(message, fix, sites...)
						return
					}
					r.Warn(message+", unless "+m.Image.String()+" is another release than "+image.Tested[image.MAS].Tag, fix, append(sites, m.Value.At("image").Site("the image"))...)
				},
			}.check(masKeys(), m.Config.Root())
		}
	},
}

// read reports whether the image is a release whose keys are those that stackgen knows.
func (m *MAS) read() bool {
	v, ok := m.Image.Version()
	tested, _ := image.Tested[image.MAS].Version()
	return ok && !v.Less(image.Oldest[image.MAS].Version) && !tested.Less(v)
}
