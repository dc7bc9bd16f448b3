package suppress

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Name is the file that lies beside the compose file, or beside the spec of a stack that is rendered.
const Name = ".stackgen.yaml"

const (
	maxSize    = 1 << 20 // bytes of it
	maxEntries = 1000    // and what it may hold
)

// Config is what a .stackgen.yaml says.
type Config struct {
	dir     string // that it lies in, as the sites of findings have it
	entries []*entry
}

// entry suppresses the findings of one rule, in the files that path names: all when that is empty.
type entry struct {
	rule, reason, until string
	path                []string // the segments of a pattern
	at                  source.Value
	used                bool
}

// entryKeys are those of an entry.
var entryKeys = []string{"rule", "path", "reason", "until"}

// Parse reads a .stackgen.yaml: `ignore`, a list of entries with rule, path, reason and until. path is a pattern as .gitignore has
// them, relative to the file; until the last day on which the entry holds. name is the path of the file among those of the
// deployment. The findings are errors, each with its place; what they are about suppresses nothing.
func Parse(name string, src []byte, known []string) (*Config, []finding.Finding) {
	c := &Config{dir: path.Dir(name)}
	if len(src) > maxSize {
		return c, []finding.Finding{{
			Rule: Rule, Severity: finding.Error, Message: fmt.Sprintf("the file is larger than %d MiB; nothing is suppressed by it", maxSize>>20), Fix: "remove what is no entry of yours",
			Sites: []source.Site{{Pos: source.Pos{File: name}}},
		}}
	}
	f, findings := finding.Parse(name, src)
	if len(findings) > 0 {
		return c, findings
	}
	p := &parser{known: known, findings: []finding.Finding{}}
	root := f.Root()
	if !root.Set() {
		return c, nil
	}
	if root.Kind() != source.Mapping {
		p.fail(root, "the file is "+root.Kind().String()+", not a mapping", "ignore: [{rule: RULE, reason: why}]")
		return c, p.findings
	}
	p.keys(root, []string{"ignore"})
	list := root.At("ignore")
	switch {
	case !list.Set():
	case list.Kind() != source.Sequence:
		p.fail(list, "ignore is "+list.Kind().String()+", not a list of entries", "ignore: [{rule: RULE, reason: why}]")
	case list.Len() > maxEntries:
		p.fail(list, fmt.Sprintf("the list has %d entries; more than %d are not read", list.Len(), maxEntries), "one entry without path for all files of a rule")
	default:
		for _, item := range list.Items() {
			if e := p.entry(item); e != nil {
				c.entries = append(c.entries, e)
			}
		}
	}
	return c, p.findings
}

type parser struct {
	known    []string
	findings []finding.Finding
}

func (p *parser) fail(v source.Value, message, fix string) {
	p.findings = append(p.findings, finding.Finding{Rule: Rule, Severity: finding.Error, Message: message, Fix: fix, Sites: []source.Site{v.Site("")}})
}

// keys reports the keys of a mapping that are unknown or stand twice.
func (p *parser) keys(v source.Value, known []string) {
	dups, merges, odd := v.RawKeys()
	for _, d := range dups {
		p.fail(d.Key, fmt.Sprintf("the key %s stands twice; only one of them would count", short(d.Key.Str())), "remove one of them")
	}
	for _, v := range append(merges, odd...) {
		p.fail(v, "this is no key that the file may have", "write each entry out: "+strings.Join(known, ", "))
	}
	for key := range v.Entries() {
		if slices.Contains(known, key.Str()) {
			continue
		}
		fix := "the known keys here are " + strings.Join(known, ", ")
		if near := finding.Nearest(key.Str(), known); near != "" {
			fix = fmt.Sprintf("did you mean %s? %s", near, fix)
		}
		p.fail(key, fmt.Sprintf("unknown key %q", short(key.Str())), fix)
	}
}

// entry reads one; nil when something is wrong with it.
func (p *parser) entry(v source.Value) *entry {
	before := len(p.findings)
	if v.Kind() != source.Mapping {
		p.fail(v, "an entry is "+v.Kind().String()+", not a mapping", "{rule: RULE, reason: why}")
		return nil
	}
	p.keys(v, entryKeys)
	e := &entry{at: v}
	for _, field := range []struct {
		key string
		to  *string
	}{{"rule", &e.rule}, {"reason", &e.reason}, {"until", &e.until}} {
		*field.to = p.text(v, field.key)
	}
	pattern := p.text(v, "path")
	switch rule := v.At("rule"); {
	case !rule.Set():
		p.fail(v, "the entry names no rule; it suppresses nothing", "rule: the one that stands in brackets at the end of the finding")
	case e.rule != "" && !slices.Contains(p.known, e.rule):
		message, fix := noRule(e.rule, p.known)
		p.fail(rule, message, fix)
	}
	if at := v.At("reason"); !at.Set() || at.Kind() == source.Scalar && e.reason == "" {
		p.fail(v, "the entry gives no reason; whoever reads it later cannot tell whether it still holds", "reason: why it is right here")
	}
	if at := v.At("until"); at.Set() && at.Kind() == source.Scalar {
		if _, err := time.Parse(time.DateOnly, e.until); err != nil {
			p.fail(v.At("until"), fmt.Sprintf("%q is no day; nothing is suppressed by the entry", short(e.until)), "until: the last day, as in 2027-01-31")
		}
	}
	if at := v.At("path"); at.Set() && at.Kind() == source.Scalar {
		var err error
		if e.path, err = segments(pattern); err != nil {
			p.fail(v.At("path"), fmt.Sprintf("the pattern %q %v; it names no file", short(pattern), err), "path: as in .gitignore, such as config/*/config.yaml")
		}
	}
	e.reason = short(e.reason)
	if len(p.findings) > before {
		return nil
	}
	return e
}

// text is that of a key.
func (p *parser) text(v source.Value, key string) string {
	at := v.At(key)
	if at.Set() && at.Kind() != source.Scalar {
		p.fail(at, key+" is "+at.Kind().String()+", not a text", key+": in one line")
		return ""
	}
	return strings.TrimSpace(at.Str())
}

// segments takes a pattern apart. Without a slash it is meant at any depth.
func segments(pattern string) ([]string, error) {
	if !strings.Contains(strings.TrimSuffix(pattern, "/"), "/") {
		pattern = "**/" + pattern
	}
	if pattern == "**/" {
		return nil, errors.New("is empty")
	}
	up := 0
	clean := path.Clean("/" + strings.TrimSuffix(pattern, "/"))
	for rest := path.Clean(pattern); strings.HasPrefix(rest, "../"); rest = rest[len("../"):] {
		up++
	}
	parts := append(slices.Repeat([]string{".."}, up), strings.Split(strings.TrimPrefix(clean, "/"), "/")...)
	for _, part := range parts {
		if _, err := path.Match(part, ""); err != nil {
			return nil, errors.New("cannot be read")
		}
	}
	return parts, nil
}

// matches reports whether the pattern names the file, or a directory that it lies in.
func matches(pattern, name []string) bool {
	p, n, star, tried := 0, 0, -1, 0
	for n < len(name) {
		if p == len(pattern) {
			return true
		}
		if pattern[p] == "**" {
			star, tried = p, n
			p++
			continue
		}
		if ok, _ := path.Match(pattern[p], name[n]); ok {
			p++
			n++
			continue
		}
		if star < 0 {
			return false
		}
		tried++
		p, n = star+1, tried
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}

// holds reports whether the entry is about one of the places of a finding.
func (e *entry) holds(f finding.Finding, in Input) bool {
	return e.path == nil || slices.ContainsFunc(f.Sites, func(s source.Site) bool {
		return s.File != "" && matches(e.path, strings.Split(in.relative(s.File), "/"))
	})
}

// expired reports whether the last day of the entry is over.
func (e *entry) expired(today string) bool { return e.until != "" && e.until < today }

// problems are what is wrong with the entries today.
func (c *Config) problems(in Input) []finding.Finding {
	var all []finding.Finding
	for _, e := range c.entries {
		warn := func(v source.Value, message, fix string) {
			all = append(all, finding.Finding{Rule: Rule, Severity: finding.Warning, Message: message, Fix: fix, Sites: []source.Site{v.Site("")}})
		}
		switch {
		case e.expired(in.Today):
			warn(e.at.At("until"), fmt.Sprintf("the entry on %s ended on %s; it suppresses nothing any more", e.rule, e.until), "mend what the rule finds and remove the entry, or set a later day")
		case !e.used && !in.Unsure(e.rule):
			where := ""
			if e.path != nil {
				where = " in a file that path names"
			}
			warn(e.at, fmt.Sprintf("the entry suppresses nothing: %s has no finding%s; it would hide one that comes later", e.rule, where), "remove the entry")
		}
	}
	return all
}
