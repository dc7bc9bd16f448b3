package deployment

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// Static is what Traefik is given of its static configuration: it takes the file, or else its flags, or else the
// environment, and passes over the rest.
type Static struct {
	Settings []traefik.Setting
	From     string // "file", "flags" or "environment"; "" where there is nothing
	Passed   []traefik.Setting
	PassedBy string // what it passes over, in words
	Hidden   string // why it cannot be seen
}

// staticFiles are where Traefik looks for its file, in its order: pkg/cli/loader_file.go. Its container has no other home
// than /root, and / for its directory.
func staticFiles() (names []string) {
	for _, base := range []string{"/etc/traefik/traefik", "/root/.config/traefik", "/traefik"} {
		for _, ext := range []string{".toml", ".yaml", ".yml"} {
			names = append(names, base+ext)
		}
	}
	return names
}

// Static reads what a Traefik is given.
func (d *Deployment) Static(s *Service) (st Static) {
	flags, script := s.traefikFlags()
	if script {
		st.Hidden = "its command is a script"
		return st
	}
	fromFlags, fromEnv := traefik.FlagSettings(flags), traefik.EnvSettings(words(s.variables(true)))
	names := staticFiles()
	named := false
	for _, f := range fromFlags {
		if strings.EqualFold(f.Key, "configFile") && f.Value != "" {
			names, named = []string{path.Join("/", f.Value)}, true
		}
	}
	for _, name := range names {
		host, there, reason := d.staticFile(s, name, &st)
		if reason != "" {
			st.Hidden = name + " cannot be seen: " + reason
			return st
		}
		if !there {
			continue
		}
		st.From, st.PassedBy = "file", "its file "+host
		st.Passed = slices.DeleteFunc(slices.Concat(fromFlags, fromEnv), func(s traefik.Setting) bool { return strings.EqualFold(s.Key, "configFile") })
		return st
	}
	switch {
	case named:
		st.Hidden = names[0] + " is not here"
	case len(flags) > 0:
		st.Settings, st.From = fromFlags, "flags"
		st.Passed, st.PassedBy = fromEnv, "its flags"
	case len(fromEnv) > 0:
		st.Settings, st.From = fromEnv, "environment"
	}
	return st
}

// staticFile reads one of the files that Traefik looks for. reason says why it may be there and cannot be seen.
func (d *Deployment) staticFile(s *Service, name string, st *Static) (host string, there bool, reason string) {
	if path.Ext(name) == ".toml" {
		text, host, reason := d.Text(s, name)
		if reason != "" {
			return "", false, unlessNowhere(reason)
		}
		f := &source.File{Path: host, Src: []byte(text)}
		var ok bool
		if st.Settings, ok = traefik.TOMLSettings(f); !ok {
			return host, true, "it is not read to its end"
		}
		return host, true, ""
	}
	f, reason, hidden := d.Follow(s, name)
	switch {
	case f != nil:
		st.Settings = traefik.FileSettings(f.Root())
		return f.Path, true, ""
	case hidden:
		return "", false, reason
	}
	host, _ = s.HostPath(name)
	return host, d.Faulty(host), ""
}

func unlessNowhere(reason string) string {
	if LeadsNowhere(reason) {
		return ""
	}
	return reason
}

// traefikFlags are the arguments of the program; script says that a shell makes them.
func (s *Service) traefikFlags() (words []traefik.Word, script bool) {
	for _, w := range s.CommandWords() {
		words = append(words, traefik.Word{Text: w.Text, Site: w.Site})
	}
	for len(words) > 0 && !strings.HasPrefix(words[0].Text, "-") {
		switch path.Base(words[0].Text) {
		case "sh", "bash", "ash":
			return nil, true
		case "traefik", "entrypoint.sh":
			words = words[1:]
		default:
			return nil, false // another command of the program
		}
	}
	return words, false
}

func words(list []Word) (ws []traefik.Word) {
	for _, w := range list {
		ws = append(ws, traefik.Word{Text: w.Text, Site: w.Site})
	}
	return ws
}
