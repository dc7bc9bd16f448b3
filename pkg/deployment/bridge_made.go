package deployment

import (
	"strings"

	"philipp.info/stackgen/pkg/image"
)

// ImageFor is the line with an image that reads the file. Only Telegram has been more than one program.
func (b *Bridge) ImageFor() string {
	ref := b.Image
	switch {
	case b.Program == image.Telegram && b.Dialect == image.Python:
		ref.Tag, ref.Digest = "v0.15.3", ""
	case b.Program == image.Telegram && b.Dialect == image.BridgeV2:
		ref.Tag, ref.Digest = image.Tested[image.Telegram].Tag, ""
	default:
		return "write the file in the form of the image's example configuration"
	}
	return "image: " + ref.String()
}

func (b *Bridge) IsMeta() bool { return b.Program == image.Meta || b.Program == image.Instagram }

// generatedKey is a key that a bridge makes up when it is absent or "generate", with what depends on it: the
// key that turns it on, or "" when nothing has to.
type generatedKey struct{ Key, On, Consequence string }

var generated = map[image.Dialect][]generatedKey{
	image.BridgeV2: {
		{"encryption.pickle_key", "encryption.allow", "it cannot read its own keys at the second start and stops (\"decrypt pickle: … bad mac\")"},
		{"direct_media.server_key", "direct_media.enabled", "media that was sent before cannot be fetched after a restart"},
		{"public_media.signing_key", "public_media.enabled", "links to media end with the next restart"},
		{"provisioning.shared_secret", "", "who uses its provisioning API is shut out after a restart"},
	},
	image.Legacy: {
		{"bridge.direct_media.server_key", "bridge.direct_media.enabled", "media that was sent before cannot be fetched after a restart"},
		{"bridge.avatar_proxy_key", "bridge.public_address", "avatars of relayed people end with the next restart"},
		{"bridge.provisioning.shared_secret", "", "who uses its provisioning API is shut out after a restart"},
	},
	image.Python: {
		{"appservice.provisioning.shared_secret", "", "who uses its provisioning API is shut out after a restart"},
	},
}

// MadeUp are the keys that the bridge uses and nobody has given it.
func (b *Bridge) MadeUp() []generatedKey {
	var keys []generatedKey
	for _, g := range generated[b.Dialect] {
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
		case d.OneDatabase(o, c) && o.Service.Program != image.MAS && c.Service.Program != image.MAS:
			return &o
		}
	}
	return nil
}
