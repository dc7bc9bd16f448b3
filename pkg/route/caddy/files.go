package caddy

import (
	"cmp"
	"fmt"
	"path"
	"strings"
)

// from is the directory whose files Caddy serves, and why that cannot be told, or what becomes of what lies there.
type from struct{ root, unclear, changed string }

// serving sets what a directive says of the files that are served later.
func (s *site) serving(e *entry, l *line, args []string) {
	e.serves = true
	where := e.at
	e.steps = []step{func(w *walk) bool {
		if l.name() != "root" {
			w.files.changed = "what " + where + " makes of it cannot be told"
			return false
		}
		root, ok := w.expand(strings.Join(args, " "))
		if w.files.root, w.files.unclear = root, ""; !ok {
			w.files.unclear = "where " + where + " points to cannot be told"
		}
		return false
	}}
}

// fileServer compiles Caddy's answer with files (modules/caddyhttp/fileserver/staticfiles.go). Without a root they are those of the
// directory in which it was started.
func (s *site) fileServer(e *entry, l *line, above string) {
	r := s.router(e, l, above)
	where, own, changed := e.at, "", ""
	for _, b := range l.block {
		switch args := b.args(); b.name() {
		case "root":
			own = strings.Join(args, "")
		case "fs", "hide", "status":
			changed = fmt.Sprintf("what %s in line %d makes of it cannot be told", b.name(), b.words[0].site.Line)
		}
	}
	e.steps = []step{func(w *walk) bool {
		in := w.files
		if own != "" {
			root, ok := w.expand(own)
			if in.root, in.unclear = root, ""; !ok {
				in.unclear = "where the root of " + where + " points to cannot be told"
			}
		}
		why := cmp.Or(in.unclear, in.changed, changed)
		if strings.HasSuffix(w.url.Path, "/") {
			why = where + " looks for an index of a directory"
		}
		w.end.Serve(s.files, w.orig.Path, path.Join(cmp.Or(in.root, "."), path.Clean("/"+w.url.Path)), why)
		if w.end.File != "" {
			w.end.Sends = w.answered(false)
		}
		return w.finish(r)
	}}
}
