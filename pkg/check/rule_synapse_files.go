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

var synapseSigningKey = Rule{
	ID: "synapse-signing-key", Severity: finding.Error,
	Summary: "Synapse's signing key is there, has its form, and lies where it outlives the container",
	Why:     "\"Error reading signing_key\" or \"Read-only file system\" at the start; or, without a word, a new key after an update: other servers refuse the events of this one, and rooms break.",
	Fix:     "Keep the key below a mounted directory, and name it by signing_key_path. Where that mount is read-only the key must be there before the first start.",
	Source:  "Synapse config/key.py (generate_files makes a missing key)",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			file, v := s.SigningKey()
			if file == "" {
				if v.Set() && !isSigningKey(v.Str()) {
					r.Fail("signing_key is no signing key; Synapse does not start", "signing_key: ed25519 a_ID SEED, as Synapse makes it", v.Site(""))
				}
				continue
			}
			m := s.MountAt(file)
			if m == nil {
				if _, _, reason := d.Text(s.Service, file); reason == "" || !deployment.LeadsNowhere(reason) {
					m = s.BakedAt(file) // each image has the same one
				}
			}
			if m == nil || m.Fleeting {
				fix := "signing_key_path: a path below a directory that is mounted"
				if dir := s.MountAt(s.ConfigPath); dir != nil && dir.Host != "" && dir.Container != s.ConfigPath {
					fix = "signing_key_path: " + path.Join(path.Dir(s.ConfigPath), path.Base(file))
				}
				r.Fail(fmt.Sprintf("the signing key %s is inside the container only; each update makes a new one, and other servers no longer trust this one", file), fix, append([]source.Site{v.Site("")}, s.VolumeSites()...)...)
				continue
			}
			text, host, reason := d.Text(s.Service, file)
			switch {
			case host == "" && reason != "":
				r.NotChecked("the signing key "+file+" cannot be seen: "+reason, v.Site(""))
			case reason != "" && !m.ReadOnly: // Synapse makes it when it starts for the first time
			case reason != "" && mountMissed(d, s.Service, host): // compose-mount-exists says so
			case reason != "":
				r.Fail(fmt.Sprintf("there is no signing key at %s, and Synapse cannot make one because the mount is read-only; it does not start", host), "signing_key_path: the path of the key that this server has", v.Site(""), m.At.Site("read-only"))
			case !isSigningKey(text):
				r.Fail("the signing key has not the form of one; Synapse does not start", "ed25519 a_ID SEED, as Synapse makes it", source.Site{Pos: source.Pos{File: host}, Note: "it stands in this file"}, v.Site("named here"))
			}
		}
	},
}

func isSigningKey(text string) bool {
	_, ok := component.VerifyKeys(text)
	return ok
}

var synapseLogConfig = Rule{
	ID: "synapse-log-config", Severity: finding.Error,
	Summary: "log_config leads to a file that Python's logging accepts, and its log files can be written",
	Why:     "Synapse does not start: \"No such file or directory\", \"dictionary doesn't specify a version\", \"Unable to configure root logger\", \"Permission denied: '/homeserver.log'\". Or docker logs stays empty.",
	Fix:     "Name a file that Synapse's container sees: version: 1, and a handler of the class logging.StreamHandler, so that docker logs shows it.",
	Source:  "Synapse config/logger.py; Python logging.config",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			v := s.Config.At("log_config")
			if !v.Set() {
				continue
			}
			f, reason, hidden := d.Follow(s.Service, s.Inside(v.Str()))
			host, _ := s.HostPath(s.Inside(v.Str()))
			switch {
			case f != nil:
				checkLogging(r, s, f, v)
			case d.Faulty(host), mountMissed(d, s.Service, host), unfilled(v.Str()), shellVariable().MatchString(v.Str()): // a finding of its own
			case hidden:
				r.NotChecked("log_config cannot be seen: "+reason, v.Site(""))
			default:
				r.Fail(fmt.Sprintf("log_config leads to no file: %s; what Synapse makes up in its place logs to /homeserver.log, where it cannot write, and Synapse does not start", reason), "log_config: the path of a file that Synapse's container sees", v.Site(""))
			}
		}
	},
}

// logClasses are the handlers of Python's standard library.
var logClasses = strings.Fields(`StreamHandler FileHandler NullHandler handlers.WatchedFileHandler handlers.RotatingFileHandler
	handlers.TimedRotatingFileHandler handlers.SocketHandler handlers.DatagramHandler handlers.SysLogHandler
	handlers.NTEventLogHandler handlers.SMTPHandler handlers.MemoryHandler handlers.HTTPHandler handlers.QueueHandler`)

var logLevels = []string{"CRITICAL", "FATAL", "ERROR", "WARN", "WARNING", "INFO", "DEBUG", "NOTSET"}

// logNames are the places of a log configuration that name something defined in another part of it.
var logNames = []struct{ at, in, what string }{
	{"root.handlers.*", "handlers", "handler"},
	{"loggers.*.handlers.*", "handlers", "handler"},
	{"handlers.*.target", "handlers", "handler"},
	{"handlers.*.formatter", "formatters", "formatter"},
	{"handlers.*.filters.*", "filters", "filter"},
}

// checkLogging holds a log configuration against what logging.config.dictConfig refuses.
func checkLogging(r *Reporter, s *deployment.Synapse, f *source.File, named source.Value) {
	stops := func(fact, fix string, v source.Value) {
		r.Fail(fact+"; Synapse does not start", fix, v.Site(""), named.Site("named here"))
	}
	if v := f.At("version"); f.Root().Kind() != source.Mapping || !v.Exists() {
		r.FailMend("the log configuration has no version; Synapse does not start", set(v, "1"), v.Site(""), named.Site("named here"))
		return
	} else if n, ok := v.Int(); !ok || n != 1 {
		r.FailMend("the log configuration has a version that Python does not know; Synapse does not start", set(v, "1"), v.Site(""), named.Site("named here"))
	}
	if v := f.At("structured"); v.True() {
		stops("structured belongs to a form of log configuration that Synapse gave up", "remove it with what belongs to it", v)
	}
	for _, ref := range logNames {
		for _, v := range deployment.Each(f.Root(), ref.at) {
			if v.Set() && !f.At(ref.in).At(v.Str()).Exists() {
				stops(fmt.Sprintf("the log configuration defines no %s %q", ref.what, v.Str()), "one of those below "+ref.in, v)
			}
		}
	}
	levels := slices.Concat(deployment.Each(f.Root(), "root.level"), deployment.Each(f.Root(), "loggers.*.level"), deployment.Each(f.Root(), "handlers.*.level"))
	for _, v := range levels {
		if _, number := v.Int(); v.Set() && !number && !slices.Contains(logLevels, v.Str()) {
			stops(fmt.Sprintf("Python knows no log level %q", v.Str()), "level: INFO", v)
		}
	}
	for _, h := range deployment.Each(f.Root(), "handlers.*") {
		class := h.At("class")
		if name, own := strings.CutPrefix(class.Str(), "logging."); own && !slices.Contains(logClasses, name) {
			stops(fmt.Sprintf("Python has no log handler %q", class.Str()), "class: logging.StreamHandler", class)
		}
		if file := h.At("filename"); file.Set() {
			tellLost(r, (*Reporter).Warn, s, checkLasts(r, s, file, file.Str(), "filename"), goneLater)
		}
	}
}
