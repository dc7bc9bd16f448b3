package check

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
	database, bot, ghosts, aliases, encryption, puppetSecrets, puppetServers, network string

	publicOn, publicAddress string   // a page or media for everyone
	placeholder             string   // stands for the remote user's id in the template of ghosts
	host, logFile           string   // defaults: what it listens on, and its log below the working directory
	levels                  []string // the words for permissions
	barred                  []string // those of them that let nobody use the bridge by themselves
}

var dialects = map[image.Dialect]bridgeKeys{
	// mautrix-go v0.30.0 bridgev2/bridgeconfig
	image.BridgeV2: {
		database: "database.uri", bot: "appservice.bot.username", ghosts: "appservice.username_template", encryption: "encryption",
		puppetSecrets: "double_puppet.secrets", puppetServers: "double_puppet.servers", network: "network",
		publicOn: "public_media.enabled", publicAddress: "appservice.public_address", placeholder: "{{.}}",
		host: "127.0.0.1", logFile: "./logs/bridge.log",
		levels: []string{"block", "relay", "commands", "user", "admin"}, barred: []string{"block", "relay"},
	},
	// mautrix-discord v0.7.7 config
	image.Legacy: {
		database: "appservice.database.uri", bot: "appservice.bot.username", ghosts: "bridge.username_template", encryption: "bridge.encryption",
		puppetSecrets: "bridge.login_shared_secret_map", puppetServers: "bridge.double_puppet_server_map",
		publicAddress: "bridge.public_address", placeholder: "{{.}}",
		host: "0.0.0.0", logFile: "./logs/mautrix-discord.log",
		levels: []string{"block", "relay", "user", "admin"}, barred: []string{"block", "relay"},
	},
	// mautrix-telegram v0.15.3 mautrix_telegram/config.py
	image.Python: {
		database: "appservice.database", bot: "appservice.bot_username", ghosts: "bridge.username_template", aliases: "bridge.alias_template",
		encryption: "bridge.encryption", puppetSecrets: "bridge.login_shared_secret_map", puppetServers: "bridge.double_puppet_server_map",
		network: "telegram", publicOn: "appservice.public.enabled", publicAddress: "appservice.public.external", placeholder: "{userid}",
		host: "0.0.0.0", logFile: "./mautrix-telegram.log",
		levels: []string{"relaybot", "user", "puppeting", "full", "admin"}, barred: []string{"relaybot"},
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
		v := b.at(s.key)
		if v.Set() && (s.key != "appservice.database" || v.Kind() == source.Scalar) {
			return s.dialect, v
		}
	}
	if d, ok := b.Image.Dialect(); ok {
		return d, source.Value{}
	}
	return image.BridgeV2, source.Value{}
}

// misread reports whether the image reads another dialect than the file is written in.
func (b *Bridge) misread() bool {
	want, ok := b.Image.Dialect()
	return ok && want != b.Dialect
}

func (b *Bridge) keys() bridgeKeys {
	keys := dialects[b.Dialect]
	if b.older() {
		keys.logFile = "./logs/mautrix-" + string(b.Program) + ".log"
	}
	return keys
}

// older reports whether the bridge is built on bridgev2 today and this is a release from before.
func (b *Bridge) older() bool {
	want, ok := b.Image.Dialect()
	return ok && want == image.Legacy && b.Program != image.Discord
}

// at goes down to a dotted path.
func (b *Bridge) at(dotted string) source.Value { return b.Config.At(strings.Split(dotted, ".")...) }

func (b *Bridge) encryption() source.Value { return b.at(b.keys().encryption) }

func (b *Bridge) encrypts() bool { return b.encryption().At("allow").True() }

// msc4190 is the bridge's setting. The old place is still read by bridgev2, and wins.
func (b *Bridge) msc4190() source.Value {
	if old := b.Config.At("appservice", "msc4190"); b.Dialect == image.BridgeV2 && old.Set() {
		return old
	}
	return b.encryption().At("msc4190")
}

func (b *Bridge) permissions() source.Value { return b.Config.At("bridge", "permissions") }

// defaults are those of the bridge's own example. known is false for Facebook before v26.08, which took its
// names from the network that it was set to.
func (b *Bridge) defaults() (def image.BridgeDefaults, known bool) {
	i := slices.IndexFunc(image.Bridges, func(d image.BridgeDefaults) bool { return d.Program == b.Program })
	if i < 0 {
		return def, false
	}
	v, ok := b.Image.Version()
	return image.Bridges[i], b.Program != image.Meta || !ok || !v.Less(image.Version{0, 2608, 0})
}

// bot is the localpart of the bridge's bot, and where it stands; "" when it cannot be told.
func (b *Bridge) bot() (string, source.Value) {
	v := b.at(b.keys().bot)
	def, known := b.defaults()
	if !v.Set() && known {
		return def.Bot, v
	}
	return v.Str(), v
}

// ghosts is the template of the localparts of remote users, as what stands before and after the id.
func (b *Bridge) ghosts() (before, after string, v source.Value, ok bool) {
	v = b.at(b.keys().ghosts)
	text := v.Str()
	if def, known := b.defaults(); !v.Set() && known {
		text = def.Prefix + "_" + b.keys().placeholder
	}
	// Go's templates may have blanks around the dot.
	text = strings.ReplaceAll(text, "{{ . }}", "{{.}}")
	before, after, ok = strings.Cut(text, b.keys().placeholder)
	return before, after, v, ok
}

// port is the one that the bridge listens on.
func (b *Bridge) port() (string, source.Value) {
	v := b.Config.At("appservice", "port")
	def, _ := b.defaults()
	if n, ok := v.Int(); ok {
		return strconv.Itoa(n), v
	}
	return strconv.Itoa(def.Port), v
}

// address is the one at which Synapse finds the bridge.
func (b *Bridge) address() string {
	port, _ := b.port()
	return "http://" + b.host() + ":" + port
}

// setting is the value at the dotted path as the bridge has it in the end: its environment wins over its file
// (bridgeconfig's env_config_prefix, mautrix-python's util/config). reason says why the value cannot be seen.
func (b *Bridge) setting(dotted string) (text string, v source.Value, reason string) {
	for _, name := range b.envNames(dotted) {
		text, v = b.Env(name)
		if reason = b.envHidden(name); reason != "" || text != "" && !strings.HasSuffix(name, "_FILE") {
			return text, v, reason
		}
		if text != "" {
			text, _, reason = b.d.Text(b.Service, text)
			return strings.TrimSpace(text), v, reason
		}
	}
	v = b.at(dotted)
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

// fromEnv reports whether the environment gives the setting, so that the file does not count.
func (b *Bridge) fromEnv(dotted string) bool {
	return slices.ContainsFunc(b.envNames(dotted), func(n string) bool {
		text, _ := b.Env(n)
		return text != "" || b.envHidden(n) != ""
	})
}

// keepsConfig says why the bridge does not write its configuration back, and where that stands: "" when it does.
func (b *Bridge) keepsConfig() (why string, at source.Site) {
	for _, flag := range []string{"-n", "--no-update"} {
		if slices.Contains(b.Command(), flag) {
			return "it is started with " + flag, b.Value.At("command").Site("started with " + flag)
		}
	}
	if m := b.mountAt(b.configPath); m != nil && m.ReadOnly {
		return "its configuration is mounted read-only", m.Value.Site("mounted read-only")
	}
	// The start script hands the directory to the bridge's user first. A new file is put in place of the old one.
	dir := path.Dir(b.Config.Path)
	if uid, gid, user, ok := b.user(); ok && !b.startScript() {
		if a, known := b.d.access(dir); known && !a.allows(uid, gid, 0o2) {
			return fmt.Sprintf("it runs as %d, which cannot write to %s (%s)", uid, dir, a), user.Site("this user cannot write to " + dir)
		}
	}
	return "", source.Site{}
}
