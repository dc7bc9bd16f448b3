package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var bridgeWrites = Rule{
	ID: "bridge-writes", Severity: finding.Error,
	Summary: "a bridge can write what it is going to write, and is not made to write a new registration",
	Why:     "\"Didn't find a registration file. Generated one for you.\", a restart loop, and tokens that Synapse does not know; \"su-exec: setgroups: Operation not permitted\"; \"Error updating config: … permission denied\" at each start; or a log file that cannot be opened.",
	Fix:     "Start the bridge without its start script: command [/usr/bin/mautrix-<name>, -c, /data/config.yaml, -n], with its configuration mounted read-only and a log to stdout only.",
	Source:  "docker-run.sh of mautrix v0.2608.0, discord v0.7.7 and telegram v0.15.3; mautrix docs, Docker setup",
	Check: func(d *deployment.Deployment, r *Reporter) {
		var unregistered, first []*deployment.Bridge
		for _, b := range d.Bridges {
			if b.Program == component.Unknown {
				continue // how its image starts it, and where, is not known: bridge-known-keys says so
			}
			why, at := b.KeepsConfig()
			image := b.ImageAt.Site("")
			switch {
			case b.StartScript() && !b.Root():
				r.Fail(fmt.Sprintf("the start script of %s needs root, but the container does not run as root; the bridge does not start", b.Name), directly(b), b.UserAt.Site(""))
			case b.StartScript() && b.Own == nil && b.Hidden != "":
				r.NotChecked("whether "+b.Name+" has its registration cannot be seen: "+b.Hidden, image)
			case b.StartScript() && b.Own == nil && !ownBroken(d, b) && makesSynapses(d, b):
				first = append(first, b)
			case b.StartScript() && b.Own == nil && !ownBroken(d, b):
				unregistered = append(unregistered, b)
			case len(b.MadeUp()) > 0: // bridge-secrets-fixed says what comes of it
			case why != "" && !slices.ContainsFunc(b.Command(), func(w string) bool { return w == "-n" || w == "--no-update" }):
				r.Warn(fmt.Sprintf("%s writes its configuration at each start, but cannot, because %s; it says so each time (\"Error updating config\")", b.Name, why), directly(b), at, b.Cmd.Site("without -n"))
			}
			checkStart(r, b)
			checkLog(r, b)
		}
		image := func(b *deployment.Bridge) []source.Site { return []source.Site{b.ImageAt.Site("")} }
		severally(r, unregistered, image, tellUnregistered)
		severally(r, first, image, tellFirst)
	},
}

// ownRegistration is where the start script of a bridge makes its registration.
func ownRegistration(b *deployment.Bridge) string {
	return path.Join(path.Dir(b.Config.Path), "registration.yaml")
}

// makesSynapses reports whether Synapse has the very registration that the start script of a bridge is going to make.
func makesSynapses(d *deployment.Deployment, b *deployment.Bridge) bool {
	own := ownRegistration(b)
	return slices.ContainsFunc(d.Services, func(s *deployment.Service) bool {
		if s.Program != component.Synapse {
			return false
		}
		if i := slices.IndexFunc(d.Synapses, func(one *deployment.Synapse) bool { return one.Service == s }); i >= 0 {
			return slices.ContainsFunc(d.Synapses[i].Config.At("app_service_config_files").Items(), func(v source.Value) bool {
				host, _ := s.HostPath(v.Str())
				return host == own
			})
		}
		return slices.ContainsFunc(s.Mounts, func(m deployment.Mount) bool { return m.Host == own })
	})
}

// imagesOf are the names of bridges, and where the image of each stands.
func imagesOf(bridges []*deployment.Bridge) (names []string, sites []source.Site) {
	for _, b := range bridges {
		names, sites = append(names, b.Name), append(sites, b.ImageAt.Site(""))
	}
	return names, sites
}

// tellFirst is one finding for all bridges that have to be started once before Synapse.
func tellFirst(r *Reporter, bridges []*deployment.Bridge) {
	names, sites := imagesOf(bridges)
	what := names[0] + " makes its registration at its first start, where Synapse has it"
	if len(bridges) > 1 {
		what = finding.Sentence(deployment.AtMost(names, 5), "and") + " make their registrations at their first start, where Synapse has them"
	}
	r.Warn(what+"; before that Synapse does not start, and where the file alone is mounted, a directory is made in its place", "start "+finding.Sentence(names, "and")+" once, before Synapse", sites...)
}

// tellUnregistered is one finding for all bridges whose start scripts are going to make a registration.
func tellUnregistered(r *Reporter, bridges []*deployment.Bridge) {
	names, sites := imagesOf(bridges)
	if len(bridges) == 1 {
		r.Fail(names[0]+" has no registration.yaml beside its configuration; its start script makes one with new tokens, which Synapse does not know, and exits",
			"put a copy of Synapse's registration there; or "+directly(bridges[0]), sites...)
		return
	}
	r.Fail(finding.Sentence(deployment.AtMost(names, 5), "and")+" have no registration.yaml beside their configurations; the start script of each makes one with new tokens, which Synapse does not know, and exits",
		"put a copy of Synapse's registration beside each; or start each without its start script", sites...)
}

// registers reports whether a path is where the start script of a bridge is going to make its registration: bridge-writes says so.
func registers(d *deployment.Deployment, host string) bool {
	return slices.ContainsFunc(d.Bridges, func(b *deployment.Bridge) bool {
		return b.Program != component.Unknown && b.StartScript() && b.Root() && b.Own == nil && b.Hidden == "" && !ownBroken(d, b) && host == ownRegistration(b)
	})
}

// checkStart looks whether a command without the start script begins with a program: the images have no entrypoint.
func checkStart(r *Reporter, b *deployment.Bridge) {
	words, at := b.Command(), b.Cmd
	switch {
	case b.StartScript() || b.Entrypoint.Set() || len(at.Items) == 0:
	case strings.HasPrefix(words[0], "-"):
		r.Fail(fmt.Sprintf("the command of %s begins with %s and names no program; the container does not start", b.Name, words[0]), directly(b), at.Site(""))
	case strings.HasPrefix(path.Base(words[0]), "python") && !slices.Contains(words, b.About.Module),
		strings.HasPrefix(path.Base(words[0]), "python") && !slices.Contains(words, "-m"):
		r.Fail(fmt.Sprintf("the command of %s does not run the module %s; the bridge does not start", b.Name, b.About.Module), directly(b), at.Site(""))
	}
	for i, w := range words {
		takesFile := i > 0 && slices.Contains([]string{"-c", "--config", "-r", "--registration"}, words[i-1])
		if !b.StartScript() && strings.HasPrefix(w, "/") && path.Ext(w) == ".yaml" && !takesFile {
			r.Warn(fmt.Sprintf("the command of %s names %s without -c before it; the bridge does not start, or goes by another file", b.Name, w), "-c "+w, at.Site(""))
		}
	}
}

// ownBroken reports whether the bridge's copy of the registration is there and has a finding of its own.
func ownBroken(d *deployment.Deployment, b *deployment.Bridge) bool {
	host, _ := b.HostPath(path.Join(path.Dir(b.ConfigPath), "registration.yaml"))
	return d.Faulty(host)
}

// directly is the line that starts the bridge without its start script.
func directly(b *deployment.Bridge) string {
	dialect := b.Dialect
	if of, ok := b.Image.Dialect(); ok { // bridge-dialect tells of a file in another one
		dialect = of
	}
	return b.Lines().Command(b.About.Start(dialect)...)
}

// checkLog looks at the files that the bridge logs to. The start script takes the default one out where it
// cannot be written, and changes to /data.
func checkLog(r *Reporter, b *deployment.Bridge) {
	files := b.LogFiles()
	dir := b.WorkingDir.Str()
	if dir == "" {
		dir = "/data"
		if b.Dialect.InPython() {
			dir = "/opt/mautrix-" + string(b.Program)
		}
	}
	for _, f := range files {
		name := f.Str()
		if name == "" {
			name = b.LogFile()
		}
		full := name
		if !path.IsAbs(name) {
			full = path.Join(dir, name)
		}
		if b.StartScript() && name == b.LogFile() || b.Writable(full) {
			continue
		}
		fix := "log to stdout only"
		if b.Dialect.InPython() {
			r.Fail(fmt.Sprintf("%s logs to %s, where it cannot write; it does not start", b.Name, full), fix, f.Site(""), b.Volumes.Site("its volumes"))
			continue
		}
		r.Warn(fmt.Sprintf("%s logs to %s, where it cannot write; each line is followed by an error", b.Name, full), fix, f.Site(""), b.Volumes.Site("its volumes"))
	}
}

var bridgePublicMedia = Rule{
	ID: "bridge-public-media", Severity: finding.Error,
	Summary: "a bridge that offers media to everyone has a public address, and Traefik leads it there",
	Why:     "\"failed to start Matrix connector: public media is enabled in config, but no public address is set\"; or people on the other network see a link that leads nowhere.",
	Fix:     "Write the https address, and a router for its path to the bridge's port.",
	Source:  "mautrix-go v0.30.0 bridgev2/matrix/publicmedia.go; mautrix-discord v0.7.7; mautrix-telegram v0.15.3 config.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, b := range d.Bridges {
			checkPublic(r, d, b)
		}
	},
}

func checkPublic(r *Reporter, d *deployment.Deployment, b *deployment.Bridge) {
	on, v := b.At(b.Keys().PublicOn), b.At(b.Keys().PublicAddress)
	if b.Keys().PublicOn == "" && v.Str() == "" || b.Keys().PublicOn != "" && !on.True() || b.FromEnv(b.Keys().PublicAddress) {
		return
	}
	u, _, ok := deployment.Endpoint(v.Str())
	if !ok || u.Hostname() == "bridge.example.com" || b.Dialect.InPython() && u.Hostname() == "example.com" {
		r.Fail(fmt.Sprintf("%s offers media to everyone, but has no public address; it does not start", b.Name), v.Name()+": https://…", v.Site(""), on.Site("on here"))
		return
	}
	if !routed(r, d) {
		return
	}
	// Python's address has the path already.
	below := b.Keys().PublicPath
	if prefix := b.Config.At("public_media", "path_prefix"); b.Dialect == component.BridgeV2 && prefix.Str() != "" {
		below = prefix.Str()
	}
	dir := path.Join("/", u.Path, below) + "/"
	// Whether the port is the right one is traefik-port-listens' question.
	if res := d.Routes().Match("GET", u.Hostname(), dir+"x"); !reaches(res, b.Service, "") {
		r.Fail(fmt.Sprintf("%s answers for https://%s%s, not the bridge %s; its links lead nowhere", answerer(res), u.Host, dir, b.Name),
			publicRoute(d, b, u.Hostname(), dir), v.Site(""), routerSite(res, b.Service))
	}
}

// publicRoute is what leads a path of a host to a bridge.
func publicRoute(d *deployment.Deployment, b *deployment.Bridge, host, dir string) string {
	if d.Target == deployment.Kubernetes {
		return routeFix(d, host, b.Service, dir)
	}
	return fmt.Sprintf("traefik.http.routers.%s.rule: Host(`%s`) && PathPrefix(`%s`)", b.Name, host, dir)
}
