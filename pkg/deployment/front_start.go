package deployment

import (
	"path"
	"slices"
	"strings"
)

// hooks are the directories whose scripts nginx's image runs before nginx: docker-entrypoint.sh of nginxinc/docker-nginx.
const hooks = "/docker-entrypoint.d/"

// writtenAtStart says why the configuration of a proxy is not what lies here: a script with which its container starts writes
// below one of the directories, or cannot be read; "" where none does.
func (d *Deployment) writtenAtStart(s *Service, dirs ...string) string {
	writes := func(name, text string) bool {
		one := script{name: name, dir: "/", text: text, inside: true}
		one.parse()
		return slices.ContainsFunc(one.targets, func(t string) bool {
			return strings.HasPrefix(t, "$") || slices.ContainsFunc(dirs, func(dir string) bool { return Under(t, dir) })
		})
	}
	words := s.CommandWords()
	for i, w := range words {
		switch {
		case i > 0 && strings.HasPrefix(words[i-1].Text, "-") && strings.HasSuffix(words[i-1].Text, "c") && strings.ContainsAny(w.Text, " \n;"):
			if writes("the command of "+s.Name, w.Text) {
				return "it is written by the command with which " + s.Name + " starts"
			}
		case !path.IsAbs(w.Text) || path.Ext(w.Text) != ".sh" && i > 0:
		case s.MountAt(w.Text) != nil || s.BakedAt(w.Text) != nil:
			if text, _, reason := d.Text(s, path.Clean(w.Text)); reason != "" || writes(w.Text, text) {
				return "it may be written by " + w.Text + ", with which " + s.Name + " starts"
			}
		case path.Ext(w.Text) == ".sh" && path.Base(w.Text) != "docker-entrypoint.sh":
			return "it may be written by " + w.Text + ", with which " + s.Name + " starts"
		}
	}
	for _, m := range s.holdings() {
		if inside := path.Clean(m.Container); strings.HasPrefix(inside, hooks) {
			if text, _, reason := d.Text(s, inside); reason != "" || writes(inside, text) {
				return "it may be written by " + inside + ", with which " + s.Name + " starts"
			}
		}
	}
	return ""
}
