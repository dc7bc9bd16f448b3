package deployment

import (
	"path"
	"strings"
)

// clone takes what git makes of the last word of its clone: the directory, or the one of the repository's name.
func (s *script) clone(last string) {
	known := len(s.targets)
	s.add(strings.TrimSuffix(path.Base(last), ".git"), last)
	s.clones = append(s.clones, s.targets[known:]...)
}

// contained takes what a program writes that makes its configuration in a container: below what is mounted there.
func (s *script) contained(words []string, synapse bool) {
	files := []string{"config.yaml", "registration.yaml"}
	if synapse {
		files = []string{"homeserver.yaml", "*.log.config", "*.signing.key", "signing.key"}
	}
	mounted, known := false, len(s.targets)
	for i, w := range words {
		mount := ""
		for _, option := range []string{"-v", "--volume"} {
			if rest, ok := strings.CutPrefix(w, option); ok && rest != "" {
				mount = strings.TrimPrefix(rest, "=")
			} else if ok && i+1 < len(words) {
				mount = words[i+1]
			}
		}
		host, _, ok := strings.Cut(mount, ":")
		if !ok || !strings.ContainsAny(host, "/$.~"+base) { // a volume
			continue
		}
		mounted = true
		s.add(host) // Docker makes it
		for _, file := range files {
			s.add(host + "/" + file)
		}
	}
	s.made, s.targets = append(s.made, s.targets[known:]...), s.targets[:known]
	s.generates = s.generates || synapse && !mounted
}
