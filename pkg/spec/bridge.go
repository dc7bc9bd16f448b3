package spec

import (
	"strings"

	"philipp.info/stackgen/pkg/component"
)

// Bridge is one mautrix bridge.
type Bridge struct {
	Component `yaml:",inline"`
	// Permissions of this bridge instead of the common ones.
	Permissions map[string]Permission `yaml:"permissions,omitempty"`
	// Encryption of bridged rooms: on (default), required, off.
	Encryption string `yaml:"encryption,omitempty" jsonschema:"enum=on,enum=required,enum=off"`
	// ID of the appservice. It cannot change once the bridge has run.
	ID string `yaml:"id,omitempty" jsonschema:"pattern=^[a-z][a-z0-9_-]*$" form:"a word of lower-case letters, digits, dashes and underscores, such as signal"`
	// Bot is the localpart of the bridge's bot.
	Bot string `yaml:"bot,omitempty" jsonschema:"pattern=^[a-z0-9._=/-]+$" form:"a localpart of lower-case letters, digits and any of . _ = / -, such as signalbot"`
	// UsernamePrefix begins the localpart of every ghost, before an underscore. It cannot change.
	UsernamePrefix string `yaml:"username_prefix,omitempty" jsonschema:"pattern=^[a-z0-9.=/-]+$" form:"a word of lower-case letters, digits and any of . = / - without an underscore, such as signal"`
	// UsernameTemplate is the whole localpart of every ghost where it is not a word, an underscore and the id, such as
	// _signal_{{.}}: as the bridge's configuration has had it. It cannot change.
	UsernameTemplate string `yaml:"username_template,omitempty" jsonschema:"pattern=^[a-z0-9._=/-]+([{][{] ?[.] ?[}][}]|[{]userid[}])[a-z0-9._=/-]*$" form:"a localpart that begins with a word of its own and has {{.}} where the id is, such as _signal_{{.}}"`
	// Port the appservice listens on.
	Port int `yaml:"port,omitempty" jsonschema:"minimum=1,maximum=65535"`
}

// Ghosts are what stands before and behind the id in the localpart of every ghost.
func (b Bridge) Ghosts(defaults component.Names) (before, after string) {
	if b.UsernameTemplate == "" {
		return b.Names(defaults).Prefix + "_", ""
	}
	before, after, _ = strings.Cut(b.UsernameTemplate, "{")
	return before, after[strings.LastIndexByte(after, '}')+1:]
}

// Names are what the homeserver is to know the bridge by, with its own defaults for what the spec leaves out.
func (b Bridge) Names(defaults component.Names) component.Names {
	return component.Names{ID: b.ID, Bot: b.Bot, Prefix: b.UsernamePrefix, Port: b.Port}.Or(defaults)
}
