package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

// startScript reports whether the image's own start script runs the bridge. It needs root, and makes a new
// registration, with new tokens, where it finds none.
func (b *Bridge) startScript() bool {
	if direct, _ := b.Env("MAUTRIX_DIRECT_STARTUP"); direct != "" && b.Dialect == image.Python {
		return false
	}
	words := b.Command()
	return len(words) == 0 || slices.ContainsFunc(words, func(w string) bool { return path.Base(w) == "docker-run.sh" })
}

// root reports whether the container is not told to run as somebody else. The images of all bridges begin as root.
func (s *Service) root() bool {
	user, _, _ := strings.Cut(s.Value.At("user").Str(), ":")
	return user == "" || user == "0" || user == "root"
}

var bridgeWrites = Rule{
	ID: "bridge-writes", Severity: finding.Error,
	Summary: "a bridge can write what it is going to write, and is not made to write a new registration",
	Why:     "\"Didn't find a registration file. Generated one for you.\", a restart loop, and tokens that Synapse does not know; \"su-exec: setgroups: Operation not permitted\"; \"Error updating config: … permission denied\" at each start; or a log file that cannot be opened.",
	Fix:     "Start the bridge without its start script: command [/usr/bin/mautrix-<name>, -c, /data/config.yaml, -n], with its configuration mounted read-only and a log to stdout only.",
	Source:  "docker-run.sh of mautrix v0.2608.0, discord v0.7.7 and telegram v0.15.3; mautrix docs, Docker setup",
	Check: func(d *Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			why, at := b.keepsConfig()
			image := b.Value.At("image").Site("")
			switch {
			case b.startScript() && !b.root():
				r.Fail(fmt.Sprintf("the start script of %s needs root, but the container does not run as root; the bridge does not start", b.Name), b.directly(), b.Value.At("user").Site(""))
			case b.startScript() && b.Own == nil && b.hidden != "":
				r.NotChecked("whether "+b.Name+" has its registration cannot be seen: "+b.hidden, image)
			case b.startScript() && b.Own == nil && !d.ownBroken(b):
				r.Fail(fmt.Sprintf("%s has no registration.yaml beside its configuration; its start script makes one with new tokens, which Synapse does not know, and exits", b.Name), "put a copy of Synapse's registration there; or "+b.directly(), image)
			case len(b.madeUp()) > 0: // bridge-secrets-fixed says what comes of it
			case why != "" && !slices.ContainsFunc(b.Command(), func(w string) bool { return w == "-n" || w == "--no-update" }):
				r.Warn(fmt.Sprintf("%s writes its configuration at each start, but cannot, because %s; it says so each time (\"Error updating config\")", b.Name, why), b.directly(), at, b.Value.At("command").Site("without -n"))
			}
			b.checkStart(r)
			b.checkLog(r)
		}
	},
}

// checkStart looks whether a command without the start script begins with a program: the images have no entrypoint.
func (b *Bridge) checkStart(r *Reporter) {
	words, at := b.Command(), b.Value.At("command")
	switch {
	case b.startScript() || b.Value.At("entrypoint").Set() || at.Len() == 0:
	case strings.HasPrefix(words[0], "-"):
		r.Fail(fmt.Sprintf("the command of %s begins with %s and names no program; the container does not start", b.Name, words[0]), b.directly(), at.Site(""))
	case strings.HasPrefix(path.Base(words[0]), "python") && !slices.Contains(words, "mautrix_telegram"),
		strings.HasPrefix(path.Base(words[0]), "python") && !slices.Contains(words, "-m"):
		r.Fail(fmt.Sprintf("the command of %s does not run the module mautrix_telegram; the bridge does not start", b.Name), b.directly(), at.Site(""))
	}
	for i, w := range words {
		takesFile := i > 0 && slices.Contains([]string{"-c", "--config", "-r", "--registration"}, words[i-1])
		if !b.startScript() && strings.HasPrefix(w, "/") && path.Ext(w) == ".yaml" && !takesFile {
			r.Warn(fmt.Sprintf("the command of %s names %s without -c before it; the bridge does not start, or goes by another file", b.Name, w), "-c "+w, at.Site(""))
		}
	}
}

// ownBroken reports whether the bridge's copy of the registration is there and has a finding of its own.
func (d *Deployment) ownBroken(b *Bridge) bool {
	host, _ := b.HostPath(path.Join(path.Dir(b.configPath), "registration.yaml"))
	return d.broken[host]
}

// directly is the line that starts the bridge without its start script.
func (b *Bridge) directly() string {
	if b.Dialect == image.Python {
		return `command: ["python3", "-m", "mautrix_telegram", "-c", "/data/config.yaml", "-n"]`
	}
	def, _ := b.defaults()
	return fmt.Sprintf(`command: [%q, "-c", "/data/config.yaml", "-n"]`, def.Binary)
}

// checkLog looks at the files that the bridge logs to. The start script takes the default one out where it
// cannot be written, and changes to /data.
func (b *Bridge) checkLog(r *Reporter) {
	files := b.logFiles()
	dir := b.Value.At("working_dir").Str()
	if dir == "" {
		dir = "/data"
		if b.Dialect == image.Python {
			dir = "/opt/mautrix-telegram"
		}
	}
	for _, f := range files {
		name := f.Str()
		if name == "" {
			name = b.keys().logFile
		}
		full := name
		if !path.IsAbs(name) {
			full = path.Join(dir, name)
		}
		if b.startScript() && name == b.keys().logFile || b.writable(full) {
			continue
		}
		fix := "log to stdout only"
		if b.Dialect == image.Python {
			r.Fail(fmt.Sprintf("%s logs to %s, where it cannot write; it does not start", b.Name, full), fix, f.Site(""), b.Value.At("volumes").Site("its volumes"))
			continue
		}
		r.Warn(fmt.Sprintf("%s logs to %s, where it cannot write; each line is followed by an error", b.Name, full), fix, f.Site(""), b.Value.At("volumes").Site("its volumes"))
	}
}

// logFiles are the names of the files that the bridge logs to; an absent one stands for the default.
func (b *Bridge) logFiles() []source.Value {
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

// writable reports whether the container can make a file at a path, as far as the compose file says. Who owns
// a directory on the host does not stand there.
func (s *Service) writable(file string) bool {
	if m := s.mountAt(file); m != nil {
		return !m.ReadOnly
	}
	return !s.Value.At("read_only").True() && (s.root() || strings.HasPrefix(file, "/tmp/"))
}

var bridgePublicMedia = Rule{
	ID: "bridge-public-media", Severity: finding.Error,
	Summary: "a bridge that offers media to everyone has a public address, and Traefik leads it there",
	Why:     "\"failed to start Matrix connector: public media is enabled in config, but no public address is set\"; or people on the other network see a link that leads nowhere.",
	Fix:     "Write the https address, and a router for its path to the bridge's port.",
	Source:  "mautrix-go v0.30.0 bridgev2/matrix/publicmedia.go; mautrix-discord v0.7.7; mautrix-telegram v0.15.3 config.py",
	Check: func(d *Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			d.checkPublic(r, b)
		}
	},
}

func (d *Deployment) checkPublic(r *Reporter, b *Bridge) {
	on, v := b.at(b.keys().publicOn), b.at(b.keys().publicAddress)
	if b.keys().publicOn == "" && v.Str() == "" || b.keys().publicOn != "" && !on.True() || b.fromEnv(b.keys().publicAddress) {
		return
	}
	u, _, ok := endpoint(v.Str())
	if !ok || u.Hostname() == "bridge.example.com" || b.Dialect == image.Python && u.Hostname() == "example.com" {
		r.Fail(fmt.Sprintf("%s offers media to everyone, but has no public address; it does not start", b.Name), v.Name()+": https://…", v.Site(""), on.Site("on here"))
		return
	}
	if !d.routed(r) {
		return
	}
	// Python's address has the path already.
	below := map[image.Dialect]string{image.BridgeV2: "/_mautrix/publicmedia", image.Legacy: "/mautrix-discord/avatar"}[b.Dialect]
	if prefix := b.Config.At("public_media", "path_prefix"); b.Dialect == image.BridgeV2 && prefix.Str() != "" {
		below = prefix.Str()
	}
	dir := path.Join("/", u.Path, below) + "/"
	// Whether the port is the right one is traefik-port-listens' question.
	if res := d.Routes().Match("GET", u.Hostname(), dir+"x"); !reaches(res, b.Service, "") {
		r.Fail(fmt.Sprintf("%s answers for https://%s%s, not the bridge %s; its links lead nowhere", answerer(res), u.Host, dir, b.Name),
			fmt.Sprintf("traefik.http.routers.%s.rule: Host(`%s`) && PathPrefix(`%s`)", b.Name, u.Hostname(), dir), v.Site(""), routerSite(res, b.Service))
	}
}
