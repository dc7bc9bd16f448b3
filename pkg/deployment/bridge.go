package deployment

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

// bridgeKeys are the dotted paths at which a dialect keeps what every bridge has; "" is what it lacks.
type bridgeKeys struct {
	Database, bot, ghosts, Aliases, encryption, PuppetSecrets, PuppetServers, Network string

	PublicOn, PublicAddress string   // a page or media for everyone
	Placeholder             string   // stands for the remote user's id in the template of ghosts
	Host, LogFile           string   // defaults: what it listens on, and its log below the working directory
	Levels                  []string // the words for permissions
	Barred                  []string // those of them that let nobody use the bridge by themselves
}

var dialects = map[image.Dialect]bridgeKeys{
	// mautrix-go v0.30.0 bridgev2/bridgeconfig
	image.BridgeV2: {
		Database: "database.uri", bot: "appservice.bot.username", ghosts: "appservice.username_template", encryption: "encryption",
		PuppetSecrets: "double_puppet.secrets", PuppetServers: "double_puppet.servers", Network: "network",
		PublicOn: "public_media.enabled", PublicAddress: "appservice.public_address", Placeholder: "{{.}}",
		Host: "127.0.0.1", LogFile: "./logs/bridge.log",
		Levels: []string{"block", "relay", "commands", "user", "admin"}, Barred: []string{"block", "relay"},
	},
	// mautrix-discord v0.7.7 config
	image.Legacy: {
		Database: "appservice.database.uri", bot: "appservice.bot.username", ghosts: "bridge.username_template", encryption: "bridge.encryption",
		PuppetSecrets: "bridge.login_shared_secret_map", PuppetServers: "bridge.double_puppet_server_map",
		PublicAddress: "bridge.public_address", Placeholder: "{{.}}",
		Host: "0.0.0.0", LogFile: "./logs/mautrix-discord.log",
		Levels: []string{"block", "relay", "user", "admin"}, Barred: []string{"block", "relay"},
	},
	// mautrix-telegram v0.15.3 mautrix_telegram/config.py
	image.Python: {
		Database: "appservice.database", bot: "appservice.bot_username", ghosts: "bridge.username_template", Aliases: "bridge.alias_template",
		encryption: "bridge.encryption", PuppetSecrets: "bridge.login_shared_secret_map", PuppetServers: "bridge.double_puppet_server_map",
		Network: "telegram", PublicOn: "appservice.public.enabled", PublicAddress: "appservice.public.external", Placeholder: "{userid}",
		Host: "0.0.0.0", LogFile: "./mautrix-telegram.log",
		Levels: []string{"relaybot", "user", "puppeting", "full", "admin"}, Barred: []string{"relaybot"},
	},
}

// shapes are keys that one dialect alone has, those first that decide for mautrix-go, too (bridgeconfig/upgrade.go).
var shapes = []struct {
	key     string
	dialect image.Dialect
}{
	{"appservice.database.uri", image.Legacy},
	{"appservice.database", image.Python},
	{"appservice.bot_username", image.Python},
	{"telegram", image.Python},
	{"database", image.BridgeV2},
	{"network", image.BridgeV2},
	{"double_puppet", image.BridgeV2},
	{"encryption", image.BridgeV2},
	{"bridge.avatar_proxy_key", image.Legacy},
}

// dialectOf tells the dialect by the shape of the file, or by the image where the file has none. Whether the
// two fit is bridge-dialect's question alone: every other rule reads the file as it is.
func dialectOf(b *Bridge) (image.Dialect, source.Value) {
	for _, s := range shapes {
		v := b.At(s.key)
		if v.Set() && (s.key != "appservice.database" || v.Kind() == source.Scalar) {
			return s.dialect, v
		}
	}
	if d, ok := b.Image.Dialect(); ok {
		return d, source.Value{}
	}
	return image.BridgeV2, source.Value{}
}

// Misread reports whether the image reads another dialect than the file is written in.
func (b *Bridge) Misread() bool {
	want, ok := b.Image.Dialect()
	return ok && want != b.Dialect
}

func (b *Bridge) Keys() bridgeKeys {
	keys := dialects[b.Dialect]
	if b.Older() {
		keys.LogFile = "./logs/mautrix-" + string(b.Program) + ".log"
	}
	return keys
}

// Older reports whether the bridge is built on bridgev2 today and this is a release from before.
func (b *Bridge) Older() bool {
	want, ok := b.Image.Dialect()
	return ok && want == image.Legacy && b.Program != image.Discord
}

// At goes down to a dotted path.
func (b *Bridge) At(dotted string) source.Value { return b.Config.At(strings.Split(dotted, ".")...) }

func (b *Bridge) Encryption() source.Value { return b.At(b.Keys().encryption) }

func (b *Bridge) Encrypts() bool { return b.Encryption().At("allow").True() }

// Msc4190 is the bridge's setting. The old place is still read by bridgev2, and wins.
func (b *Bridge) Msc4190() source.Value {
	if old := b.Config.At("appservice", "msc4190"); b.Dialect == image.BridgeV2 && old.Set() {
		return old
	}
	return b.Encryption().At("msc4190")
}

func (b *Bridge) Permissions() source.Value { return b.Config.At("bridge", "permissions") }

// Defaults are those of the bridge's own example. known is false for Facebook before v26.08, which took its
// names from the network that it was set to.
func (b *Bridge) Defaults() (def image.BridgeDefaults, known bool) {
	i := slices.IndexFunc(image.Bridges, func(d image.BridgeDefaults) bool { return d.Program == b.Program })
	if i < 0 {
		return def, false
	}
	v, ok := b.Image.Version()
	return image.Bridges[i], b.Program != image.Meta || !ok || !v.Less(image.Version{0, 2608, 0})
}

// Bot is the localpart of the bridge's bot, and where it stands; "" when it cannot be told.
func (b *Bridge) Bot() (string, source.Value) {
	v := b.At(b.Keys().bot)
	def, known := b.Defaults()
	if !v.Set() && known {
		return def.Bot, v
	}
	return v.Str(), v
}

// Ghosts is the template of the localparts of remote users, as what stands before and after the id.
func (b *Bridge) Ghosts() (before, after string, v source.Value, ok bool) {
	v = b.At(b.Keys().ghosts)
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
	port, _ := b.Port()
	return "http://" + b.Host() + ":" + port
}

// Setting is the value at the dotted path as the bridge has it in the end: its environment wins over its file
// (bridgeconfig's env_config_prefix, mautrix-python's util/config). reason says why the value cannot be seen.
func (b *Bridge) Setting(dotted string) (text string, v source.Value, reason string) {
	for _, name := range b.envNames(dotted) {
		text, v = b.Env(name)
		if reason = b.EnvHidden(name); reason != "" || text != "" && !strings.HasSuffix(name, "_FILE") {
			return text, v, reason
		}
		if text != "" {
			text, _, reason = b.D.Text(b.Service, text)
			return strings.TrimSpace(text), v, reason
		}
	}
	v = b.At(dotted)
	return v.Str(), v, ""
}

// envNames are the variables that give the setting at the dotted path.
func (b *Bridge) envNames(dotted string) []string {
	switch prefix := b.Config.At("env_config_prefix").Str(); {
	case b.Dialect == image.BridgeV2 && prefix != "":
		name := prefix + strings.ToUpper(strings.ReplaceAll(dotted, ".", "__"))
		return []string{name, name + "_FILE", prefix + dotted}
	case b.Dialect == image.Python:
		return []string{"MAUTRIX_TELEGRAM_" + strings.ToUpper(strings.ReplaceAll(dotted, ".", "_"))}
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
			return "it is started with " + flag, b.Value.At("command").Site("started with " + flag)
		}
	}
	if m := b.MountAt(b.ConfigPath); m != nil && m.ReadOnly {
		return "its configuration is mounted read-only", m.Value.Site("mounted read-only")
	}
	// The start script hands the directory to the bridge's user first. A new file is put in place of the old one.
	dir := path.Dir(b.Config.Path)
	if uid, gid, user, ok := b.User(); ok && !b.StartScript() {
		if a, known := b.D.Access(dir); known && !a.Allows(uid, gid, 0o2) {
			return fmt.Sprintf("it runs as %d, which cannot write to %s (%s)", uid, dir, a), user.Site("this user cannot write to " + dir)
		}
	}
	return "", source.Site{}
}

// StartScript reports whether the image's own start script runs the bridge. It needs root, and makes a new
// registration, with new tokens, where it finds none.
func (b *Bridge) StartScript() bool {
	if direct, _ := b.Env("MAUTRIX_DIRECT_STARTUP"); direct != "" && b.Dialect == image.Python {
		return false
	}
	words := b.Command()
	return len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return path.Base(w) == "docker-run.sh" })
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
