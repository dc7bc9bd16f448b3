package spec

import (
	"cmp"
	"fmt"
	"reflect"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// maxSize bounds a spec in bytes; the largest real one is a few kilobytes.
const maxSize = 1 << 20

// Load reads the spec at path. The findings (rule "spec" or "yaml") name every problem of the file at
// once, each with its place; with an Error among them the Spec is nil. A file that cannot be read at all
// is an error.
func Load(path string) (*Spec, []finding.Finding, error) {
	src, err := source.ReadFile(path)
	if err != nil {
		return nil, nil, err
	}
	s, findings := Parse(path, src)
	return s, findings, nil
}

// Parse is Load for bytes at hand; path is only shown.
func Parse(path string, src []byte) (*Spec, []finding.Finding) {
	whole := source.Site{Pos: source.Pos{File: path}}
	if len(src) > maxSize {
		return nil, []finding.Finding{{
			Rule: "spec", Severity: finding.Error, Sites: []source.Site{whole},
			Message: fmt.Sprintf("the file is larger than %d MiB; a spec has a few hundred lines", maxSize>>20), Fix: "name the right file",
		}}
	}
	f, findings := finding.Parse(path, src)
	if len(findings) > 0 {
		for i := range findings {
			findings[i] = slipOf(f, findings[i])
			findings[i].Fix = cmp.Or(findings[i].Fix, "correct this line or the one before it: indentation, quotes, brackets, a colon")
		}
		return nil, findings
	}
	if !f.Root().Set() {
		return nil, []finding.Finding{{
			Rule: "spec", Severity: finding.Error, Sites: []source.Site{whole},
			Message: "the spec is empty", Fix: "run `stackgen init` for one to start from",
		}}
	}
	s := &Spec{file: f}
	d := &decoder{bad: make(map[string]bool), around: make(map[string]bool)}
	d.mapping(f.Root(), reflect.ValueOf(s).Elem())
	if f.Root().Kind() == source.Mapping {
		d.validating = true
		s.validate(d)
	}
	d.findings = finding.Sort(d.findings)
	if finding.HasErrors(d.findings) {
		return nil, d.findings
	}
	return s, d.findings
}
