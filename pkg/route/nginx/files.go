package nginx

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// from is the root or the alias of a location, nil where none is said, and why what becomes of the files cannot be told.
type from struct {
	at      *directive
	own     bool // it stands in the location itself
	changed string
}

// changing are the directives that have nginx answer with something else than the file.
var changing = []string{"sub_filter", "ssi", "add_before_body", "add_after_body", "js_body_filter", "body_filter_by_lua_block", "body_filter_by_lua_file"}

func fromOf(given []*directive, l *location) (f from) {
	for _, d := range given {
		switch {
		case d.name == "root", d.name == "alias":
			f.at, f.own = d, slices.Contains(l.lines, d)
		case slices.Contains(changing, d.name) && d.arg(0) != "off":
			f.changed = fmt.Sprintf("what %s in line %d makes of it cannot be told", d.name, d.site.Line)
		}
	}
	for _, d := range l.lines {
		if d.name == "if" && slices.ContainsFunc(d.block, func(in *directive) bool { return in.name == "root" }) {
			f.changed = fmt.Sprintf("the if in line %d has a root of its own", d.site.Line)
		}
	}
	return f
}

// file has nginx answer with a file (ngx_http_map_uri_to_path in src/http/ngx_http_core_module.c).
func (w *walk) file(l *location, f from) {
	inside, unclear := "", f.changed
	if f.at != nil {
		var ok bool
		if inside, ok = w.fill(f.at.arg(0), false); !ok {
			unclear = fmt.Sprintf("where the %s in line %d points to cannot be told", f.at.name, f.at.site.Line)
		}
	}
	switch {
	case unclear != "":
	case !f.own && len(w.notes) > 0:
		unclear = w.notes[0].text
	case !path.IsAbs(inside): // where nginx was built for is not the same in each image
		unclear = "its root is said nowhere from / on"
	case f.at.name == "root":
		inside += w.uri
	case !f.own || !w.validLocation:
		unclear = fmt.Sprintf("of which part the alias in line %d takes the place cannot be told", f.at.site.Line)
	case l.re == nil:
		inside += strings.TrimPrefix(w.uri, l.path)
	}
	if unclear == "" && strings.HasSuffix(inside, "/") {
		unclear = "it is the index of a directory"
	}
	w.end.Serve(w.read, w.raw, inside, unclear)
}
