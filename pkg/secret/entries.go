package secret

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// document is a flat YAML mapping of names to values: secrets.yaml, or what a command prints.
type document struct {
	text   []byte
	origin string
	label  string // begins a message about the whole document
	own    bool   // secrets.yaml: a name that nothing uses is worth a warning even if none is near
	site   func(source.Pos) source.Site
}

// entries takes all values of a document and reports what is wrong with it. It reports true, and takes
// nothing, when the document is encrypted with sops.
func (l *loader) entries(d *document) (encrypted bool) {
	f, problems := finding.Parse("", d.text)
	root := f.Root()
	at := func(p source.Pos) []source.Site { return []source.Site{d.site(p)} }
	switch {
	case len(problems) > 0:
		p := problems[0]
		// What the YAML reader says may quote the text: `unknown anchor 'SECRET'`.
		message, _, _ := strings.Cut(p.Message, ":")
		fix := p.Fix
		if message == "not valid YAML" {
			fix = "write every value in double quotes"
		}
		l.report(finding.Error, at(p.Pos()), d.label+" cannot be read: "+message, fix)
		l.broken = l.broken || d.own
		l.withhold(d.origin)
		return false
	case root.Kind() == source.Absent, root.Kind() == source.Null:
		return false
	case root.Kind() != source.Mapping:
		l.report(finding.Error, at(root.Pos()), fmt.Sprintf("%s holds %s, not names and values", d.label, root.Kind()), "write `NAME: \"VALUE\"` on each line")
		l.broken = l.broken || d.own
		l.withhold(d.origin)
		return false
	case root.At("sops").Kind() == source.Mapping:
		return true
	}
	l.keys(root, d)
	for k, v := range root.Entries() {
		l.entry(k, v, d)
	}
	if l.needs != nil {
		l.unused(root, d)
	}
	return false
}

// keys reports what is wrong with the names themselves.
func (l *loader) keys(root source.Value, d *document) {
	dups, merges, complexKeys := root.RawKeys()
	for _, dup := range dups {
		first := d.site(dup.First)
		first.Note = strings.TrimPrefix(first.Note+", the first one", ", ")
		l.report(finding.Error, []source.Site{d.site(dup.Key.Pos()), first},
			showName(dup.Key.Str())+" stands twice; which value counts depends on who reads it", "remove one of the two lines")
	}
	for _, k := range merges {
		l.report(finding.Error, []source.Site{d.site(k.Pos())}, "`<<` merges another mapping; "+d.label+" must be flat", "write the names and values out")
	}
	for _, k := range complexKeys {
		l.report(finding.Error, []source.Site{d.site(k.Pos())}, "a name is not a single word", "write `NAME: \"VALUE\"`")
	}
}

// entry takes one name and its value.
func (l *loader) entry(k, v source.Value, d *document) {
	name := k.Str()
	sites := []source.Site{d.site(k.Pos())}
	bad := func(message, fix string) {
		l.report(finding.Error, sites, message, fix)
		l.close(name, d.origin)
	}
	switch v.Kind() {
	case source.Mapping:
		l.hideAll(v)
		l.nested(name, v, d)
		return
	case source.Sequence:
		l.hideAll(v)
		bad(showName(name)+" holds a list, not a value", "write `NAME: \"VALUE\"`")
		return
	}
	switch {
	case v.Kind() == source.Null:
		bad(showName(name)+" is empty", "give it a value, or remove the line")
	case !faithful(v):
		l.Hide(v.Str())
		bad(showName(name)+" is not written as text; YAML readers may change a value without quotes", "write it in quotes")
	default:
		l.take(name, v.Str(), d.origin, showName(name), sites)
	}
}

// nested reports a value that stands below more than one key. Only names that the stack knows are shown:
// with the quotes forgotten, a value in braces is a mapping too.
func (l *loader) nested(name string, v source.Value, d *document) {
	found := false
	var walk func(prefix string, v source.Value)
	walk = func(prefix string, v source.Value) {
		for k, child := range v.Entries() {
			flat := prefix + "." + k.Str()
			if child.Kind() == source.Mapping {
				walk(flat, child)
				continue
			}
			if _, known := l.need(flat); known {
				found = true
				l.report(finding.Error, []source.Site{d.site(k.Pos())}, "the secret is nested; "+d.label+" must be flat, so it is not read",
					fmt.Sprintf("write `%s: \"VALUE\"` without indentation", flat))
				l.close(flat, d.origin)
			}
		}
	}
	walk(name, v)
	if !found {
		l.report(finding.Error, []source.Site{d.site(v.KeyPos())}, showName(name)+" holds a mapping, not a value",
			"write flat names with dots, as in `bridges.telegram.api_hash: \"VALUE\"`, and values in quotes")
		l.close(name, d.origin)
	}
}

// unused reports the names that no part of the stack uses: each mistyped one with the name that it is most
// likely meant for, and the others, which a bridge may have left behind, together.
func (l *loader) unused(root source.Value, d *document) {
	var open []Need
	for _, n := range l.needs {
		if !l.settled(n.Name) {
			open = append(open, n)
		}
	}
	warn := func(sites []source.Site, name, fix string) {
		l.report(finding.Warning, sites, "no part of the stack uses a secret with the name "+strings.TrimPrefix(showName(name), "the name ")+"; it is never read", fix)
	}
	var left []string
	var sites []source.Site
	for k, v := range root.Entries() {
		name := k.Str()
		if _, known := l.need(name); known || v.Kind() == source.Mapping || v.Kind() == source.Sequence {
			continue
		}
		site := d.site(k.Pos())
		if near := Nearest(name, open); near != "" {
			warn([]source.Site{site}, name, "write `"+near+"`")
			continue
		}
		left, sites = append(left, name), append(sites, site)
	}
	switch {
	case !d.own || len(left) == 0:
	case len(left) == 1:
		warn(sites, left[0], "remove the line")
	default:
		fix := "remove the lines"
		if slices.ContainsFunc(left, func(name string) bool { return strings.HasSuffix(name, ".pickle_key") }) {
			fix += " when the database of the bridge is dropped, too: it cannot be read without the pickle_key"
		}
		for i, name := range left {
			left[i] = showName(name)
		}
		l.report(finding.Warning, sites[:1], fmt.Sprintf("no part of the stack uses these %d secrets: %s; they are never read", len(left), strings.Join(left, ", ")), fix)
	}
}

// hideAll lets Mask know whatever stands below v: it is at the wrong place, and still secret.
func (l *loader) hideAll(v source.Value) {
	l.Hide(v.Str())
	for _, item := range v.Items() {
		l.hideAll(item)
	}
	for _, child := range v.Entries() {
		l.hideAll(child)
	}
}

// faithful reports whether every YAML reader takes the value for exactly the text that is written.
func faithful(v source.Value) bool {
	if v.Plain() && integer().MatchString(v.Str()) {
		return true
	}
	_, yes := v.Bool()
	return v.IsString() && !yes
}

var integer = regex.Of(`^(0|[1-9][0-9]*)$`)
