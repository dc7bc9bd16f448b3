package kubernetes

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/regex"
)

// assembled finds what the matrix-tools of the ESS chart make before the program of a pod starts: `render-config -output FILE FILES…` lays
// files over each other, as MAS does with its own, and puts the variables of its container in the place of ${NAME} (ess-helm 26.8.1,
// matrix-tools/internal/pkg/renderer).
func (c *cluster) assembled(p *pod) {
	for _, k := range p.containers {
		words := k.Cmd.Texts()
		i := slices.Index(words, "render-config")
		if i < 0 {
			continue
		}
		output, files := "", []string(nil)
		for words = words[i+1:]; len(words) > 0; words = words[1:] {
			switch {
			case strings.HasPrefix(words[0], "-") && len(words) > 1:
				if words[0] == "-output" {
					output = words[1]
				}
				words = words[1:]
			default:
				files = append(files, words[0])
			}
		}
		made := deployment.Assembly{Files: files, Value: func(name string) (string, bool) { return c.rendered(p, k.Service, name) }}
		for _, main := range p.containers {
			if main.Once {
				continue
			}
			if main.Assembled == nil {
				main.Assembled = make(map[string]deployment.Assembly)
			}
			main.Assembled[output] = made
			for _, file := range files {
				if m := k.MountAt(file); m != nil && main.MountAt(file) == nil {
					main.Mounts = append(main.Mounts, *m)
				}
			}
		}
	}
}

// reads is a variable that stands for what a file holds.
var reads = regex.Of(`^\s*\{\{ readfile "([^"]+)" (\| quote )?\}\}\s*$`)

// rendered is what the tools put in the place of a variable.
func (c *cluster) rendered(p *pod, s *deployment.Service, name string) (text string, ok bool) {
	text, _ = s.Env(name)
	file := reads().FindStringSubmatch(text)
	switch {
	case file != nil:
		held, _, why := c.d.Text(s, file[1])
		return strings.TrimSpace(held), why == ""
	case strings.TrimSpace(text) == "{{ hostname }}" && p.of.kind == "StatefulSet" && s.Copies == 1:
		return p.of.name + "-0", true
	case text == "" || strings.Contains(text, "{{"):
		return "", false
	}
	return text, true
}
