package deployment

import (
	"errors"
	"io/fs"
	"path"
	"slices"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// lacking is a configuration that is not there, and what is to be said of it alone.
type lacking struct {
	service *Service
	host    string
	found   finding.Finding
}

func (d *Deployment) lack(s *Service, host string, found finding.Finding) {
	d.lacking = append(d.lacking, lacking{s, host, found})
	d.fault(host)
}

// tellLacking makes the findings of what is missing: one for all that belongs into a directory that does not exist, as the
// files of many workers, and one for each of the others.
func (d *Deployment) tellLacking() {
	for len(d.lacking) > 0 {
		first := d.lacking[0]
		dir := path.Dir(first.host)
		same := func(l lacking) bool { return l.host == first.host }
		if _, err := fs.Stat(d.FS, dir); errors.Is(err, fs.ErrNotExist) {
			same = func(l lacking) bool { return path.Dir(l.host) == dir }
		}
		var alike []lacking
		for _, l := range d.lacking {
			if same(l) {
				alike = append(alike, l)
			}
		}
		d.lacking = slices.DeleteFunc(d.lacking, same)
		d.problem(together(dir, alike))
	}
}

// together is one finding of several configurations that are not there.
func together(dir string, alike []lacking) finding.Finding {
	if len(alike) == 1 {
		return alike[0].found
	}
	found := alike[0].found
	var names []string
	found.Sites = nil
	for _, l := range alike {
		names = append(names, l.service.Name)
		found.Sites = append(found.Sites, l.service.Site(""))
	}
	found.Message = "the configurations of " + finding.Sentence(AtMost(names, 3), "and") + " cannot be read: " + dir + ", where they belong, does not exist; the services do not start"
	found.Fix = "put the files there, or correct the mounts"
	found.Some = func(wanted func([]source.Site) bool) (finding.Finding, bool) {
		some := slices.DeleteFunc(slices.Clone(alike), func(l lacking) bool { return !wanted(l.found.Sites) })
		if len(some) == 0 {
			return finding.Finding{}, false
		}
		part := together(dir, some)
		part.Sites = part.Sites[:len(some)]
		return part, true
	}
	return found
}
