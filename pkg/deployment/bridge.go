package deployment

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// dialectOf tells the dialect by the shape of the file, or by the image where the file has none. Whether the
// two fit is bridge-dialect's question alone: every other rule reads the file as it is.
func dialectOf(b *Bridge) (component.Dialect, source.Value) {
	for _, m := range component.Marks {
		v := b.At(m.Key)
		switch {
		case !v.Set() || m.Text && v.Kind() != source.Scalar:
		case m.Dialect == component.Python && b.Program != component.Telegram && !b.Config.At("telegram").Set():
			return component.OlderPython, v
		default:
			return m.Dialect, v
		}
	}
	if d, ok := b.Image.Dialect(); ok {
		return d, source.Value{}
	}
	return component.BridgeV2, source.Value{}
}

// Misread reports whether the image reads another dialect than the file is written in.
func (b *Bridge) Misread() bool {
	want, ok := b.Image.Dialect()
	return ok && want != b.Dialect
}

// Keys is what is known of the dialect of its configuration.
func (b *Bridge) Keys() *component.Shape { return b.Dialect.Shape() }

// LogFile is where the bridge logs to by itself.
func (b *Bridge) LogFile() string {
	name := b.Keys().LogFile
	if b.Older() {
		name = component.Legacy.Shape().LogFile
	}
	return strings.ReplaceAll(name, "{program}", b.Known())
}

// Known is what the bridge is called by those who know it: its program, or the id that its configuration has of one.
func (b *Bridge) Known() string { return cmp.Or(string(b.Program), b.About.ID) }

// Older reports whether the bridge is built on bridgev2 today and this is a release from before.
func (b *Bridge) Older() bool {
	want, ok := b.Image.Dialect()
	now, _ := b.Component().Tested.Dialect()
	return ok && (want == component.Legacy || want == component.OlderPython) && now != want
}

// At goes down to a dotted path.
func (b *Bridge) At(dotted string) source.Value { return b.Config.At(strings.Split(dotted, ".")...) }

// Encryption is the section of the bridge's configuration with its encryption.
func (b *Bridge) Encryption() source.Value { return b.At(b.Keys().Encryption) }

// Encrypts reports whether the bridge takes part in encrypted rooms.
func (b *Bridge) Encrypts() bool { return b.Encryption().At("allow").True() }

// Msc4190 is the bridge's setting. The old place is still read by bridgev2, and wins.
func (b *Bridge) Msc4190() source.Value {
	if old := b.Config.At("appservice", "msc4190"); b.Dialect == component.BridgeV2 && old.Set() {
		return old
	}
	return b.Encryption().At("msc4190")
}

// Permissions says who may use the bridge: a level by user, server or *.
func (b *Bridge) Permissions() source.Value { return b.Config.At("bridge", "permissions") }

// Defaults are those of the bridge's own example. known is false for releases before it had them.
func (b *Bridge) Defaults() (def component.Names, known bool) {
	v, ok := b.Image.Version()
	return b.About.Names, b.About.ID != "" && (!ok || !v.Less(b.About.NamesSince))
}

// Bot is the localpart of the bridge's bot, and where it stands; "" when it cannot be told.
func (b *Bridge) Bot() (string, source.Value) {
	v := b.At(b.Keys().Bot)
	def, known := b.Defaults()
	if !v.Set() && known {
		return def.Bot, v
	}
	return v.Str(), v
}

// Ghosts is the template of the localparts of remote users, as what stands before and after the id.
func (b *Bridge) Ghosts() (before, after string, v source.Value, ok bool) {
	v = b.At(b.Keys().Ghosts)
	text := v.Str()
	if def, known := b.Defaults(); !v.Set() && known {
		text = def.Prefix + "_" + b.Keys().Placeholder
	}
	// Go's templates may have blanks around the dot.
	text = strings.ReplaceAll(text, "{{ . }}", "{{.}}")
	before, after, ok = strings.Cut(text, b.Keys().Placeholder)
	return before, after, v, ok
}

// Port is the one that the bridge listens on.
func (b *Bridge) Port() (string, source.Value) {
	v := b.Config.At("appservice", "port")
	def, _ := b.Defaults()
	if n, ok := v.Int(); ok {
		return strconv.Itoa(n), v
	}
	return strconv.Itoa(def.Port), v
}

// Address is the one at which Synapse finds the bridge.
func (b *Bridge) Address() string {
	port, at := b.Port()
	if b.Silent(at) {
		port = "…"
	}
	return "http://" + b.Host() + ":" + b.Outer(port)
}

// Silent reports whether nothing says which port the bridge listens on; at is that of Port.
func (b *Bridge) Silent(at source.Value) bool {
	return b.About.Port == 0 && !at.Set()
}

// Setting is the value at the dotted path as the bridge has it in the end: its environment wins over its file
// (bridgeconfig's env_config_prefix, mautrix-python's util/config). reason says why the value cannot be seen.
func (b *Bridge) Setting(dotted string) (text string, v Leaf, reason string) {
	for _, name := range b.envNames(dotted) {
		text, v = b.Env(name)
		if reason = b.EnvHidden(name); reason != "" || text != "" && !strings.HasSuffix(name, "_FILE") {
			return text, v, reason
		}
		if text != "" {
			text, _, reason = b.d.Text(b.Service, text)
			return strings.TrimSpace(text), v, reason
		}
	}
	v = LeafOf(b.At(dotted))
	return v.Str(), v, ""
}

// envNames are the variables that give the setting at the dotted path.
func (b *Bridge) envNames(dotted string) []string {
	switch prefix := b.Config.At("env_config_prefix").Str(); {
	case b.Dialect == component.BridgeV2 && prefix != "":
		name := prefix + strings.ToUpper(strings.ReplaceAll(dotted, ".", "__"))
		return []string{name, name + "_FILE", prefix + dotted}
	case b.Dialect.InPython():
		return []string{"MAUTRIX_" + strings.ToUpper(b.Known()+"_"+strings.ReplaceAll(dotted, ".", "_"))}
	}
	return nil
}

// FromEnv reports whether the environment gives the setting, so that the file does not count.
func (b *Bridge) FromEnv(dotted string) bool {
	return slices.ContainsFunc(b.envNames(dotted), func(n string) bool {
		text, _ := b.Env(n)
		return text != "" || b.EnvHidden(n) != ""
	})
}

// KeepsConfig says why the bridge does not write its configuration back, and where that stands: "" when it does.
func (b *Bridge) KeepsConfig() (why string, at source.Site) {
	for _, flag := range []string{"-n", "--no-update"} {
		if slices.Contains(b.Command(), flag) {
			return "it is started with " + flag, b.Cmd.Site("started with " + flag)
		}
	}
	if m := b.MountAt(b.ConfigPath); m != nil && m.ReadOnly {
		return "its configuration is mounted read-only", m.At.Site("mounted read-only")
	}
	// The start script hands the directory to the bridge's user first. A new file is put in place of the old one.
	dir := path.Dir(b.Config.Path)
	if uid, gid, user, ok := b.User(); ok && !b.StartScript() {
		if a, known := b.d.Access(dir); known && !a.Allows(uid, gid, 0o2) {
			return fmt.Sprintf("it runs as %d, which cannot write to %s (%s)", uid, dir, a), user.Site("this user cannot write to " + dir)
		}
	}
	return "", source.Site{}
}

// StartScript reports whether the image's own start script runs the bridge. It needs root, and makes a new
// registration, with new tokens, where it finds none.
func (b *Bridge) StartScript() bool {
	if direct, _ := b.Env("MAUTRIX_DIRECT_STARTUP"); direct != "" && b.Dialect.InPython() {
		return false
	}
	words := b.Command()
	older := b.Dialect == component.OlderPython && b.Program == component.Unknown // each of their images has it
	return len(words) == 0 && (older || b.Component().Start == component.FromCommand) || slices.ContainsFunc(words, func(w string) bool { return path.Base(w) == "docker-run.sh" })
}

// StartUser is whom the start script gives /data to: UID, or 1337; -1 where that cannot be told.
func (b *Bridge) StartUser() int {
	text, v := b.Env("UID")
	if text == "" {
		if v.Exists() || b.EnvHidden("UID") != "" {
			return -1
		}
		return 1337
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		return -1
	}
	return n
}

// LogFiles are the names of the files that the bridge logs to; an absent one stands for the default.
func (b *Bridge) LogFiles() []source.Value {
	logging := b.Config.At("logging")
	if !logging.Set() {
		return []source.Value{logging}
	}
	var files []source.Value
	for _, w := range logging.At("writers").Items() {
		if w.At("type").Str() == "file" {
			files = append(files, w.At("filename"))
		}
	}
	for _, h := range logging.At("handlers").Entries() {
		if h.At("filename").Set() {
			files = append(files, h.At("filename"))
		}
	}
	return files
}
