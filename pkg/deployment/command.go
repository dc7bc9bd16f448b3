package deployment

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Command is the words of command, or of entrypoint and command.
func (s *Service) Command() []string {
	var words []string
	for _, list := range []List{s.Entrypoint, s.Cmd} {
		words = append(words, strings.Fields(list.Str())...)
		words = append(words, list.Texts()...)
	}
	return words
}

// flag gives the value of a command line flag, or def.
func (s *Service) flag(def string, names ...string) string {
	words := ownWords(s.Command())
	for i, w := range words {
		if i > 0 && w == "-c" && slices.Contains([]string{"sh", "ash", "bash"}, path.Base(words[i-1])) {
			continue // what follows is a script
		}
		if slices.Contains(names, w) && i+1 < len(words) {
			return words[i+1]
		}
		if name, val, ok := strings.Cut(w, "="); ok && slices.Contains(names, name) {
			return val
		}
	}
	return def
}

// ownWords are those of the last command of a line: the flags before it are those of others.
func ownWords(words []string) []string {
	for i, w := range slices.Backward(words) {
		if slices.Contains([]string{"&&", "||", ";", "exec"}, w) || strings.HasSuffix(w, ";") {
			own := slices.Clone(words[i:])
			own[len(own)-1] = strings.TrimRight(own[len(own)-1], `"'`) // of the script that the line is
			return own
		}
	}
	return words
}

// Flags gives the values of a flag that may stand several times.
func (s *Service) Flags(name string) []string {
	var values []string
	words := ownWords(s.Command())
	for i, w := range words {
		if w == name && i+1 < len(words) {
			values = append(values, words[i+1])
		}
		if val, ok := strings.CutPrefix(w, name+"="); ok {
			values = append(values, val)
		}
	}
	return values
}

// ConfigFile is where the service finds its configuration, in its container; "" where the program is not known.
func (s *Service) ConfigFile() string { return s.configFile(s.Component().Config) }

func (s *Service) configFile(c component.Config) string {
	file := c.File
	if s.ownFile != "" && s.Program == component.Synapse {
		file = s.ownFile
	}
	if dir, _ := s.Env(c.EnvDir); c.EnvDir != "" && dir != "" {
		file = path.Join(dir, path.Base(c.File))
	}
	if p, _ := s.Env(c.Env); c.Env != "" && p != "" {
		if file = p; c.Several {
			file, _, _ = strings.Cut(p, ":")
		}
	}
	if len(c.Flags) == 0 {
		return file
	}
	return s.flag(file, c.Flags...)
}

// configSites are the places that say where the program finds its configuration: the service, the word or
// variable that names the file, and the mounts.
func (s *Service) configSites() []source.Site {
	sites := []source.Site{s.Site("")}
	for _, name := range []string{s.Component().Config.Env, s.Component().Config.EnvDir} {
		if text, v := s.Env(name); name != "" && text != "" {
			sites = append(sites, v.Site("names the file"))
		}
	}
	for _, word := range slices.Concat(s.Entrypoint.Items, s.Cmd.Items) {
		if slices.ContainsFunc(s.ConfigPaths, func(name string) bool { return strings.Contains(word.Str(), name) }) {
			sites = append(sites, word.Site("names the file"))
		}
	}
	return append(sites, s.VolumeSites()...)
}
