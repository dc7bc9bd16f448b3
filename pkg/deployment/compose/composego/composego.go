// Package composego asks compose-go whether Compose accepts a deployment. It takes longer than all rules together, and
// compose-go is most of what is linked for it: who can do without leaves this package out.
package composego

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// Judge is compose-go.
var Judge = &deployment.Judge{Refuses: refuses, Verdict: verdict}

func refuses(d *deployment.Deployment) []finding.Finding {
	p := compose.Of(d)
	if p == nil || len(p.Faults) > 0 { // which it refuses, and which are told already
		return nil
	}
	// compose-go warns through logrus' global logger; what it warns of are findings of ours.
	logrus.SetOutput(io.Discard)
	content, filled := p.Content("")
	details := types.ConfigDetails{WorkingDir: "/", ConfigFiles: []types.ConfigFile{{Filename: p.File.Path, Content: content}}, Environment: types.Mapping(maps.Clone(p.Env))}
	load := func(profiles ...string) error {
		_, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
			o.SetProjectName("stack", false)
			o.SkipResolveEnvironment = true
			o.SkipResolveLabels = true // label_file would be read from the disk of this machine
			o.ResolvePaths = false
			o.SkipExtends = true
			o.SkipInclude = true
			o.SkipConsistencyCheck = len(d.Unread) > 0 // what is missing may come from there
			o.Profiles = profiles
			o.Interpolate.TypeCastMapping = casts(p, o.Interpolate.TypeCastMapping)
		})
		return err
	}
	err := load("*")
	if err != nil && load(p.Profiles()...) == nil {
		return nil // it is about a service that does not run
	}
	// A variable that only the shell sets may be what makes the file valid: some value must do.
	names, needed := p.Unset(), []finding.Finding(nil)
	if err != nil {
		var empty []string
		empty, needed = emptied(p, names, err.Error())
		names = append(names, empty...)
	}
	if err != nil && len(names) > 0 {
		var refused error
		var chosen string
		for _, dummy := range []string{assumed, "./x" + assumed, assumedTruth} {
			for _, name := range names {
				details.Environment[name] = dummy
			}
			if filled {
				details.ConfigFiles[0].Content, _ = p.Content(dummy)
			}
			switch err := load("*"); {
			case err == nil:
				return needed
			case refused == nil || ofAssumed(p, refused.Error()) && !ofAssumed(p, err.Error()) && (undefinedName().MatchString(err.Error()) || strings.Contains(err.Error(), "has neither an image nor a build context")):
				refused, chosen = err, dummy // of several faults compose-go names any
			}
		}
		for _, name := range names {
			details.Environment[name] = chosen
		}
		if filled {
			details.ConfigFiles[0].Content, _ = p.Content(chosen)
		}
		if err = refused; ofAssumed(p, err.Error()) {
			return needed // which compose-interpolation warns of
		}
	}
	if err == nil {
		return needed
	}
	if len(p.Marked) > 0 {
		return nil // which compose-interpolation says
	}
	if _, umbrel := fs.Stat(d.FS, "umbrel-app.yml"); umbrel == nil && strings.Contains(err.Error(), `"app_proxy"`) {
		return []finding.Finding{finding.Unchecked("compose-valid", "app_proxy is a service that Umbrel adds the rest of, as umbrel-app.yml beside says: whether Compose takes the whole cannot be seen", site(p, err.Error()))}
	}
	if by := d.Scripts.Fill(p.File.Path, "{{"); by != "" && bytes.Contains(p.File.Src, []byte(": {{")) {
		// A name in braces without quotes is a mapping to YAML.
		return []finding.Finding{finding.Unchecked("compose-valid", by+" may put values in the place of the variables in "+p.File.Path+"; as it stands, Compose refuses it", site(p, ""))}
	}
	if mark := inTemplate(err.Error()); mark != "" {
		return []finding.Finding{finding.Unchecked("compose-valid", mark+" is a mark for which a script puts a value, and Compose refuses the file as it stands: whether it takes what is made of it cannot be seen", site(p, err.Error()))}
	}
	all := faults(p, details.ConfigFiles[0].Content, func(content []byte) error {
		details.ConfigFiles[0].Content = content
		return load(p.Profiles()...)
	})
	all = slices.DeleteFunc(all, func(f fault) bool { return ofAssumed(p, f.msg) || inTemplate(f.msg) != "" })
	if len(all) == 0 {
		all = []fault{{msg: err.Error()}}
	}
	for _, f := range all {
		needed = append(needed, told(p, f))
	}
	return needed
}

var missing = regex.Of(`required variable (\S+) is missing a value(?:: ([^\n]*))?`)

// emptied are the variables without which Compose stops and that a .env sets to nothing, which is not to set them nowhere; with one finding
// for each.
func emptied(p *compose.Project, unset []string, msg string) (names []string, found []finding.Finding) {
	for _, g := range missing().FindAllStringSubmatch(msg, -1) {
		name := g[1]
		if slices.Contains(names, name) || slices.Contains(unset, name) {
			continue
		}
		var sites []source.Site
		for _, f := range p.EnvFiles {
			for i, line := range strings.Split(string(f.Text), "\n") {
				if key, _, ok := strings.Cut(line, "="); ok && strings.TrimSpace(key) == name {
					sites = append(sites, source.Site{Pos: source.Pos{File: f.Name, Line: i + 1, Col: 1}, Note: "set to nothing"})
				}
			}
		}
		for _, v := range p.Variables {
			if strings.Contains(v.At.Str(), "${"+name+":?") {
				sites = append(sites, v.At.Site(""))
			}
		}
		if len(sites) == 0 {
			continue
		}
		names = append(names, name)
		what := "required variable " + name + " is missing a value"
		if g[2] != "" {
			what += ": " + g[2]
		}
		found = append(found, finding.Finding{Rule: "compose-valid", Severity: finding.Error, Message: finding.Quoted + mask(p, what), Fix: "set " + name + " in .env", Sites: sites})
	}
	return names, found
}

// told is the finding for a message of compose-go.
func told(p *compose.Project, f fault) finding.Finding {
	var lines []string // the same of several services is one
	for line := range strings.SplitSeq(f.msg, "\n") {
		if !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	msg, fix, sites := undefined(p, strings.Join(lines, " "))
	if sites == nil {
		fix, sites = "correct what Compose names", []source.Site{site(p, msg)}
		if len(f.at) > 0 {
			fix, sites = "correct what stands there", nil
		}
		for _, at := range f.at {
			sites = append(sites, p.File.At(at...).Site(""))
		}
		if near := meant(msg); near != "" {
			fix = "rename it to " + near
		}
		if imageless().MatchString(msg) {
			fix = "image: …, or build: …"
		}
		if strings.Contains(msg, `mapping key "<<" already`) {
			fix = "one line for both: <<: [*first, *second]"
		}
	}
	return finding.Finding{Rule: "compose-valid", Severity: finding.Error, Message: finding.Quoted + mask(p, msg), Fix: fix, Sites: sites}
}

// inTemplate is a mark of a template that a message names, {{NAME}} or __NAME__; "" where there is none.
func inTemplate(msg string) string {
	for _, ends := range [][2]string{{"{{", "}}"}, {"__", "__"}} {
		_, rest, _ := strings.Cut(msg, ends[0])
		name, _, closed := strings.Cut(rest, ends[1])
		if name = strings.TrimSpace(name); closed && name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r != '_' && (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) {
			return ends[0] + name + ends[1]
		}
	}
	return ""
}

// assumed is the value of a variable that is set nowhere here: a port, a number, a name, and nothing that anybody has.
const assumed = "10457"

// assumedTruth is the last that is tried: a switch.
const assumedTruth = "true"

// ofAssumed reports whether compose-go refuses the value that was assumed, and not what stands in the file.
func ofAssumed(p *compose.Project, msg string) bool {
	at := site(p, msg).Pos
	for _, v := range p.Variables {
		if len(v.Unset) > 0 && v.At.Pos() == at {
			return true
		}
	}
	g := undefinedName().FindStringSubmatch(msg)
	return strings.Contains(msg, assumed) || g != nil && (g[3] == assumedTruth || strings.HasPrefix(g[3], assumedTruth+"/"))
}

// casts leaves out the types of keys that do not stand in the file: compose-go tries each pattern on each
// scalar, a third of what it allocates on a file that holds a handful of these keys.
func casts(p *compose.Project, all map[tree.Path]interpolation.Cast) map[tree.Path]interpolation.Cast {
	keys := keysOf(p)
	some := maps.Clone(all)
	maps.DeleteFunc(some, func(pattern tree.Path, _ interpolation.Cast) bool {
		return slices.ContainsFunc(pattern.Parts(), func(part string) bool {
			return part != tree.PathMatchAll && part != tree.PathMatchList && !keys[part]
		})
	})
	return some
}

// keysOf are the keys of all mappings in the compose file.
func keysOf(p *compose.Project) map[string]bool {
	keys := make(map[string]bool)
	var collect func(source.Value)
	collect = func(v source.Value) {
		for k, val := range v.Entries() {
			keys[k.Str()] = true
			collect(val)
		}
		for _, item := range v.Items() {
			collect(item)
		}
	}
	collect(p.File.Root())
	return keys
}

// composeGo is the version of compose-go in go.mod; a test holds the two together.
const composeGo = "v2.16.2"

func verdict(d *deployment.Deployment) string {
	p := compose.Of(d)
	if p == nil {
		return ""
	}
	h := sha256.New()
	content, _ := p.Content("")
	h.Write(content)
	fmt.Fprint(h, "\x00", p.Env) // in the order of the keys
	return "compose-go " + composeGo + " sha256:" + hex.EncodeToString(h.Sum(nil))
}

// mask keeps what a message says, without values that it may quote: what stands between quotes
// stays only where it is a key of the file.
func mask(p *compose.Project, msg string) string {
	keys := keysOf(p)
	keys["<<"] = true
	if g := undefinedName().FindStringSubmatch(msg); g != nil {
		keys[g[3]] = true // a name, and no value
	}
	// An interpolation error ends in the whole value, without quotes.
	if i := strings.Index(msg, " You may need to escape"); i >= 0 {
		msg = msg[:i] + " You may need to escape any $ with another $"
	}
	deployment.Scalars(p.File.At("services"), func(v source.Value) {
		hides := slices.ContainsFunc(v.Keys(), func(k string) bool { return slices.Contains(mayHide, k) })
		if hides && len(v.Str()) > 3 && !keys[v.Str()] {
			msg = strings.ReplaceAll(msg, v.Str(), "…")
		}
	})
	msg = additional().ReplaceAllStringFunc(msg, func(m string) string { // they come in the order of a map
		names := strings.Split(m, ", ")
		slices.Sort(names)
		return strings.Join(names, ", ")
	})
	return quoted().ReplaceAllStringFunc(msg, func(m string) string {
		if word := strings.Trim(m, `"'`); keys[word] || setting().MatchString(word) {
			return m
		}
		return `"…"`
	})
}

// mayHide are the keys of a service below which secrets stand inline.
var mayHide = []string{"environment", "command", "entrypoint", "labels", "healthcheck", "build", "annotations"}

var (
	quoted      = regex.Of(`"[^"]*"|\B'[^']*'`)   // and no apostrophe
	setting     = regex.Of(`^deploy(\.[a-z]+)+$`) // compose-go's own name of one, beside that in the old form
	additional  = regex.Of(`'[^']*'(, '[^']*')+`)
	composePath = regex.Of(`\b(services|networks|volumes|secrets|configs)\.([A-Za-z0-9_.-]+)|service "([^"]+)"`)
)

// twice is what the YAML library says of a key that a mapping has two times.
var twice = regex.Of(`line ([0-9]+): mapping key "[^"]*" already defined at line`)

var undefinedName = regex.Of(`service "([^"]+)" (?:refers to|depends on) undefined (service|network|volume|config|secret) "?([^":\s]+)`)

// named is how a name goes on.
var named = regex.Of(`^[A-Za-z0-9_-]`)

// undefined finds the places of a name that a service uses and nothing defines: where it is used, and the
// definition that was most likely meant. compose-go looks at the services in any order; the message then is
// about the first of the file. No sites where it is about something else.
func undefined(p *compose.Project, msg string) (about, fix string, sites []source.Site) {
	g := undefinedName().FindStringSubmatch(msg)
	if g == nil {
		return msg, "", nil
	}
	kind, name := g[2]+"s", g[3]
	key := map[bool]string{true: "depends_on", false: kind}[kind == "services"]
	for service, v := range p.File.At("services").Entries() {
		if at := uses(v.At(key), name); at.Exists() && sites == nil {
			msg = strings.Replace(msg, `service "`+g[1]+`"`, `service "`+service.Str()+`"`, 1)
			sites = []source.Site{at.Site("")}
		}
	}
	if sites == nil {
		return msg, "", nil
	}
	var defined []string
	for key := range p.File.At(kind).Entries() {
		defined = append(defined, key.Str())
	}
	if near := finding.Nearest(name, defined); near != "" {
		return msg, near + " instead of " + name, append(sites, p.File.At(kind, near).Site("most likely this one is meant"))
	}
	return msg, "define " + name + " below " + kind + ":", append(sites, p.File.At(kind).Site("not among these"))
}

// uses is the entry of a list or mapping that names something defined elsewhere; absent when none does.
func uses(list source.Value, name string) source.Value {
	for _, item := range list.Items() {
		if first, _, _ := strings.Cut(item.Str(), ":"); first == name || item.At("source").Str() == name {
			return item
		}
	}
	return list.At(name)
}

// site finds the place that an error of compose-go names by its path; it knows no lines.
func site(p *compose.Project, msg string) source.Site {
	if g := twice().FindStringSubmatch(msg); g != nil && strings.Contains(msg, "failed to parse "+p.File.Path) {
		n, _ := strconv.Atoi(g[1])
		return source.Site{Pos: source.Pos{File: p.File.Path, Line: n, Col: 1}}
	}
	g := composePath().FindStringSubmatch(msg)
	if g == nil {
		return p.File.Root().Site("")
	}
	if g[3] != "" {
		return p.File.At("services", g[3]).Site("")
	}
	v, rest := p.File.At(g[1]), msg[strings.Index(msg, g[1]+"."+g[2])+len(g[1])+1:]
	for {
		// Keys may hold blanks and dots: the longest that the message has here is meant.
		key := ""
		for k := range v.Entries() {
			if name := k.Str(); len(name) > len(key) && strings.HasPrefix(rest, name) && !named().MatchString(rest[len(name):]) {
				key = name
			}
		}
		if key == "" {
			break
		}
		v, rest = v.At(key), strings.TrimPrefix(rest[len(key):], ".")
	}
	return v.Site("")
}
