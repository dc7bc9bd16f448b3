package prove

import (
	"errors"
	"fmt"
	"io/fs"
	"path"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

var errOutside = errors.New("it lies outside of the spec's directory and its git repository")

// Copies reads the files that the spec has copied; read is given a path from the top of the tree that holds the spec, and
// below is the spec's directory there. The findings name those that cannot be had.
func Copies(s *spec.Spec, below string, read func(name string) ([]byte, error)) ([]render.Copy, []finding.Finding) {
	var all []render.Copy
	var findings []finding.Finding
	for to, v := range s.Copied() {
		name := path.Join(below, v.Str())
		data, err := []byte(nil), errOutside
		if fs.ValidPath(name) {
			data, err = read(name)
		}
		if err == nil && len(data) > source.MaxSize {
			err = fmt.Errorf("it is larger than %d MiB", source.MaxSize>>20)
		}
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = errors.New("it does not exist")
			}
			findings = append(findings, finding.Finding{
				Rule: "spec", Severity: finding.Error, Message: fmt.Sprintf("%q cannot be copied to %s: %v", v.Str(), to, err),
				Fix: "the path of a regular file, relative to the spec", Sites: []source.Site{v.Site("")},
			})
			continue
		}
		all = append(all, render.Copy{Path: to, Data: append([]byte{}, data...), At: v})
	}
	return all, findings
}
