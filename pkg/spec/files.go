package spec

import (
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode"

	"philipp.info/stackgen/pkg/source"
)

// checkFiles has the paths of compose.files: below the output directory, below the spec's directory or its
// repository, and none twice or within another. What is rendered there is known to render alone.
func (s *Spec) checkFiles(d *decoder) {
	seen := make(map[string]bool)
	for key, v := range s.At("compose", "files").Entries() {
		to, from := key.Str(), v.Str()
		top, _, _ := strings.Cut(to, "/")
		switch {
		case !plainPath(to) || !fs.ValidPath(to) || to == ".":
			d.fail(key, "compose.files: "+quote(to)+" is no path below the output directory", "config/element/config.json, without a leading slash and without ..")
		case strings.EqualFold(top, ".git"): // some file systems do not tell them apart
			d.fail(key, "compose.files: "+quote(to)+" lies in the records of git, which runs what it finds there", "a path below config/")
		case top == "data" || top == ".stackgen":
			d.fail(key, "compose.files: "+quote(to)+" lies where stackgen keeps what it never overwrites", "a path below config/")
		}
		for other := range seen {
			if strings.HasPrefix(other+"/", to+"/") || strings.HasPrefix(to+"/", other+"/") {
				d.fail(key, "compose.files: "+quote(to)+" and "+quote(other)+" cannot both be files", "another path for one of them")
			}
		}
		seen[to] = true
		if !plainPath(from) || path.IsAbs(from) || slices.ContainsFunc(strings.Split(from, "/"), func(part string) bool { return strings.EqualFold(part, ".git") }) {
			d.fail(v, "compose.files: "+quote(from)+" is no path relative to the spec", "files/element.json")
		}
	}
	for _, extra := range []source.Value{s.At("synapse", "well_known_extra"), s.At("database", "extra")} {
		for key, v := range extra.Entries() {
			if op, name := source.Operator(key.Str()); op == '-' || op == '+' && extra.Name() != "extra" {
				d.fail(key, key.Path()+" has nothing to append to or remove: nothing is rendered there", "remove the line, or write "+name+": …")
			} else if op == '+' && v.Kind() != source.Sequence {
				d.fail(v, v.Path()+" must be a list, whose items PostgreSQL gets with commas between them", key.Str()+": […]")
			}
		}
	}
}

func plainPath(p string) bool {
	return p != "" && !strings.ContainsFunc(p, func(r rune) bool { return r == '\\' || r == ':' || !unicode.IsPrint(r) })
}
