package spec

// Backup with borgmatic.
type Backup struct {
	// Borgmatic configuration to render.
	Borgmatic Borgmatic `yaml:"borgmatic,omitempty"`
}

// Borgmatic is a borgmatic configuration.
type Borgmatic struct {
	// Repositories to back up to.
	Repositories []Repository `yaml:"repositories,omitempty"`
	// Keep is how many archives of each period are kept.
	Keep Keep `yaml:"keep,omitempty"`
	// Directory on the host that the stack is deployed to. Default: where it is rendered.
	Directory string `yaml:"directory,omitempty" jsonschema:"pattern=^/[^\\x00-\\x1f\\x7f-\\x9f*?\\[\\]$\\\\]*$" form:"an absolute path without what borgmatic takes for a pattern (any of * ? [ ] $ and a backslash), such as /srv/matrix"`
	// Sources are paths on the host that are kept besides the stack's directory. Default: the spec and what it
	// takes its secrets from, where the stack is deployed to the directory that it is rendered into.
	Sources []string `yaml:"sources,omitempty" example:"/home/anna/matrix"`
	// Heartbeat: uptime-kuma tells the push URL (the secret backup.heartbeat_url) how each run ended.
	Heartbeat string `yaml:"heartbeat,omitempty" jsonschema:"enum=uptime-kuma"`
	// Extra is laid onto the rendered borgmatic configuration.
	Extra Extra `yaml:"extra,omitempty"`
}

// Repository is a borg repository.
type Repository struct {
	// Path such as ssh://borg@host/./repo or /mnt/backup.
	Path string `yaml:"path" jsonschema:"required,pattern=^[^\\x00-\\x20\\x7f-\\x9f-][^\\x00-\\x1f\\x7f-\\x9f]*$" form:"a path on one line that does not begin with a dash, such as ssh://borg@backup.example.org/./matrix" example:"ssh://borg@backup.example.org/./matrix"`
	// Label to name it by on the command line.
	Label string `yaml:"label,omitempty" jsonschema:"pattern=^[^\\x00-\\x20\\x7f-\\x9f-][^\\x00-\\x1f\\x7f-\\x9f]*$" form:"a name on one line that does not begin with a dash, such as offsite"`
}

// Keep is how many archives of each period are kept.
type Keep struct {
	// Hourly archives.
	Hourly int `yaml:"hourly,omitempty" jsonschema:"minimum=0"`
	// Daily archives.
	Daily int `yaml:"daily,omitempty" jsonschema:"minimum=0"`
	// Weekly archives.
	Weekly int `yaml:"weekly,omitempty" jsonschema:"minimum=0"`
	// Monthly archives.
	Monthly int `yaml:"monthly,omitempty" jsonschema:"minimum=0"`
}
