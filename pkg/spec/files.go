package spec

import (
	"io/fs"
	"iter"
	"path"
	"slices"
	"strings"
	"unicode"

	"philipp.info/stackgen/pkg/source"
)

// Copied yields the files of somebody's own that are copied into the output directory: the path there, and the value that
// names the file to copy, relative to the spec.
func (s *Spec) Copied() iter.Seq2[string, source.Value] {
	return func(yield func(string, source.Value) bool) {
		for _, v := range s.At("synapse", "registrations").Items() {
			if !yield("config/matrix/"+path.Base(v.Str()), v) {
				return
			}
		}
		for key, v := range s.At("compose", "files").Entries() {
			if !yield(key.Str(), v) {
				return
			}
		}
		for _, n := range s.Containers() {
			if !n.copied(s.At(n.Section...), yield) {
				return
			}
		}
	}
}

// checkRegistrations has the files of registrations: relative to the spec, each with a name of its own.
func (s *Spec) checkRegistrations(d *decoder, seen map[string]bool) {
	for _, v := range s.At("synapse", "registrations").Items() {
		name := "config/matrix/" + path.Base(v.Str())
		switch {
		case !sourcePath(v.Str()):
			d.fail(v, v.Path()+" is no path relative to the spec", "registrations/hookshot.yaml")
		case seen[name]:
			d.fail(v, v.Path()+" has the name of another registration, and Synapse gets all of them in one directory", "another name for one of the files")
		}
		seen[name] = true
	}
}

func sourcePath(from string) bool {
	return plainPath(from) && !path.IsAbs(from) && path.Base(from) != ".." && path.Base(from) != "." &&
		!slices.ContainsFunc(strings.Split(from, "/"), func(part string) bool { return strings.EqualFold(part, ".git") })
}

// checkFiles has the paths of compose.files: below the output directory, below the spec's directory or its
// repository, and none twice or within another. What is rendered there is known to render alone.
func (s *Spec) checkFiles(d *decoder) {
	seen := make(map[string]bool)
	s.checkRegistrations(d, seen)
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
		if !sourcePath(from) {
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
