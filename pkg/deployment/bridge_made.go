package deployment

import (
	"strings"

	"philipp.info/stackgen/pkg/component"
)

// ImageFor is the line with an image that reads the file, where one that is rendered for does.
func (b *Bridge) ImageFor() string {
	ref, c := b.Image, b.Component()
	now, _ := c.Tested.Dialect()
	switch before := c.Forerunner(); {
	case before != "" && b.Dialect == before:
		ref.Tag, ref.Digest = c.Tag.Prefix+c.Oldest.String(), ""
	case before != "" && b.Dialect == now:
		ref.Tag, ref.Digest = c.Tested.Tag, ""
	default:
		return "write the file in the form of the image's example configuration"
	}
	return b.ImageLine(ref)
}

// MadeUp are the keys that the bridge uses and nobody has given it.
func (b *Bridge) MadeUp() []component.Made {
	var keys []component.Made
	for _, g := range b.Keys().Made {
		v, on := b.At(g.Key), b.At(g.On)
		used := g.On == "" || on.True() || strings.HasPrefix(on.Str(), "http")
		if used && !b.FromEnv(g.Key) && (!v.Set() || v.Str() == "generate") {
			keys = append(keys, g)
		}
	}
	return keys
}

// SameDatabase gives the client that has the client's database, too, and is listed before it. MAS is left to
// mas-database-own.
func (d *Deployment) SameDatabase(c Connection) *Connection {
	for _, o := range d.Connections() {
		switch {
		case o.Service == c.Service:
			return nil
		case d.OneDatabase(o, c) && o.Service.Program != component.MAS && c.Service.Program != component.MAS:
			return &o
		}
	}
	return nil
}
