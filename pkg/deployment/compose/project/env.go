package project

import (
	"cmp"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"github.com/compose-spec/compose-go/v2/template"
	"github.com/sirupsen/logrus"

	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// quiet silences compose-go, which warns through logrus' global logger; what it warns of are findings of ours.
var quiet = sync.OnceFunc(func() { logrus.SetOutput(io.Discard) })

// environment is what ${X} is taken from. A value may hold gaps: what it was made of is set nowhere.
type environment struct {
	vars   map[string]string
	assume string // what a variable holds that is set nowhere; "" for nothing
}

// A gap stands where the text of a variable would, between two bytes that no file can hold: \x00NAME\x00.
func gap(name string) string { return "\x00" + name + "\x00" }

// fill takes the gaps out of a text, and names them.
func fill(text string) (filled string, unset []string) {
	if !strings.Contains(text, "\x00") {
		return text, nil
	}
	parts := strings.Split(text, "\x00")
	var b strings.Builder
	for i, part := range parts {
		if i%2 == 0 {
			b.WriteString(part)
		} else if !slices.Contains(unset, part) {
			unset = append(unset, part)
		}
	}
	return b.String(), unset
}

// expand replaces the variables of a text as Compose does. unset are those that have neither value nor default, taken
// those that have a value.
func (e *environment) expand(text string) (expanded string, unset []string, taken map[string]string, err error) {
	if !strings.Contains(text, "$") && !strings.Contains(text, "{{") {
		return text, nil, nil, nil
	}
	quiet()
	taken = make(map[string]string)
	expanded, required, err := e.substitute(text, e.assume, func(name, val string) { taken[name], _ = fill(val) })
	if len(required) > 0 && err == nil {
		expanded, unset = fill(expanded)
		for name := range required {
			if !slices.Contains(unset, name) { // of a message that nobody gets to see
				unset = append(unset, name)
			}
		}
		slices.Sort(unset)
		return expanded, unset, taken, nil
	}
	if err != nil {
		return text, nil, taken, err
	}
	expanded, unset = fill(expanded)
	return expanded, unset, taken, nil
}

// gapped is a text with its variables replaced as Compose does, and a gap in the place of each that has no value.
func (e *environment) gapped(text string) string {
	quiet()
	filled, _, _ := e.substitute(text, "", func(string, string) {})
	return filled
}

// marks are what a template of Ansible's has in the place of a value. Templates of Go's, which Docker and Traefik fill in, have
// a dot or a function there, and caddy-docker-proxy the word upstreams.
var marks = regex.Of(`\{\{-? *([A-Za-z_][A-Za-z0-9_.]*)(?: *\|[^{}]*)? *-?\}\}`)

// ofGo is what only a template of Go's has, which an application fills in itself, or a variable whose name says that it holds one.
var ofGo = regex.Of(`\{\{-? *(?:\.|(?:range|if|with|else|end|define|template|block|println|printf|json|index)\b)|^[A-Za-z_.]*(?i:TEMPLATE|FORMAT)[A-Za-z_]*=`)

// unmark puts a gap in the place of each mark, or what is assumed, and names the marks.
func unmark(text, assume string) (open string, names []string) {
	if !strings.Contains(text, "{{") || ofGo().MatchString(text) {
		return text, nil
	}
	return marks().ReplaceAllStringFunc(text, func(mark string) string {
		name := marks().FindStringSubmatch(mark)[1]
		if name == "upstreams" {
			return mark
		}
		names = append(names, name)
		return cmp.Or(assume, gap(name))
	}), names
}

// substitute replaces the variables of a text as Compose does: by assume those that are set nowhere, or by a gap where there is
// nothing to assume. required are those without which Compose would stop, took is told those that have a value.
func (e *environment) substitute(text, assume string, took func(name, val string)) (filled string, required map[string]bool, err error) {
	required = make(map[string]bool)
	text, _ = unmark(text, assume)
	for {
		filled, err = template.Substitute(text, func(name string) (string, bool) {
			if val, ok := e.vars[name]; ok {
				took(name, val)
				return val, true
			}
			if assume != "" {
				return assume, true
			}
			if optional(text, name) {
				return "", false
			}
			return gap(name), required[name]
		})
		missing := (*template.MissingRequiredError)(nil)
		if !errors.As(err, &missing) || required[missing.Variable] {
			return filled, required, err
		}
		// Compose stops at the first; those behind it are needed as well.
		required[missing.Variable] = true
	}
}

var named = regex.Of(`\$\{?([A-Za-z_][A-Za-z0-9_]*)(:?\+)?`)

// optional reports whether the text uses a variable only to say what stands there where it is set: ${X:+y}.
func optional(text, name string) bool {
	if !strings.Contains(text, "+") {
		return false
	}
	for _, g := range named().FindAllStringSubmatch(text, -1) {
		if g[1] == name && g[2] == "" {
			return false
		}
	}
	return true
}

// with is the environment and what it lacks of more, as include adds a file's.
func (e *environment) with(more map[string]string) *environment {
	both := maps.Clone(more)
	if both == nil {
		both = make(map[string]string)
	}
	maps.Copy(both, e.vars)
	return &environment{both, e.assume}
}

// visible are the variables without gaps.
func (e *environment) visible() map[string]string {
	env := maps.Clone(e.vars)
	maps.DeleteFunc(env, func(_, val string) bool { return strings.Contains(val, "\x00") })
	return env
}

// parse reads an environment file over what is known already, which counts first where it names variables.
func (e *environment) parse(src []byte) (map[string]string, error) {
	if tooLong(src, e.vars) > 0 {
		return nil, errors.New("a variable grows too long")
	}
	quiet()
	missed := make(map[string]bool)
	vars, err := dotenv.UnmarshalBytesWithLookup(src, func(name string) (string, bool) {
		val, ok := e.vars[name]
		if !ok {
			missed[name] = true
		}
		return val, ok
	})
	delete(vars, "") // compose-go's variable of a last line that has no `=`
	for name := range vars {
		delete(missed, name)
	}
	if len(missed) == 0 || err != nil {
		return vars, err
	}
	// The second time each name that is set nowhere leaves a gap. A value that had a default then differs by more than it.
	gaps, err := dotenv.UnmarshalBytesWithLookup(src, func(name string) (string, bool) {
		if missed[name] {
			return gap(name), true
		}
		val, ok := e.vars[name]
		return val, ok
	})
	for name, val := range gaps {
		if filled, unset := fill(val); len(unset) > 0 && filled == vars[name] {
			vars[name] = val
		}
	}
	return vars, err
}

// EnvFile is an environment file that need not be there.
type EnvFile struct {
	Name string
	Text []byte
	// Err is why there is no text; nil also for what is not there, and for a directory, for compose-go passes over both.
	Err error
	// Odd says that what is there is no file at all: Compose cannot read it either.
	Odd bool

	there bool
}

// readEnvFile reads one below the root of a file system.
func readEnvFile(fsys fs.FS, name string) *EnvFile {
	text, err := source.ReadFS(fsys, name)
	if err == nil {
		return &EnvFile{Name: name, Text: text, there: true}
	}
	info, statErr := fs.Stat(fsys, name)
	if errors.Is(err, fs.ErrNotExist) || statErr == nil && info.IsDir() {
		return &EnvFile{Name: name}
	}
	return &EnvFile{Name: name, Err: err, Odd: statErr == nil && !info.Mode().IsRegular(), there: true}
}

// envFile is the file of that name, read once.
func (r *reader) envFile(name string) *EnvFile {
	if r.envFiles[name] == nil {
		r.envFiles[name] = readEnvFile(r.fs, name)
	}
	return r.envFiles[name]
}

// environment adds the variables of a .env, or those of the files that stand in its place.
func (r *reader) environment(name string) {
	if len(r.options.EnvFiles) == 0 {
		r.dotenv(name)
		return
	}
	if r.given {
		return
	}
	r.given = true
	for _, name := range r.options.EnvFiles {
		before := maps.Clone(r.env.vars)
		r.dotenv(name)
		vars, _ := (&environment{vars: before}).parse(r.envFile(name).Text)
		maps.Copy(r.env.vars, vars)
	}
	slices.Reverse(r.project.EnvFiles)
}

// dotenv adds the variables of a .env that may be missing, as far as it can be read.
func (r *reader) dotenv(name string) {
	f := r.envFile(name)
	if f.there && !slices.Contains(r.project.EnvFiles, f) {
		r.project.EnvFiles = append(r.project.EnvFiles, f)
	}
	if line := tooLong(f.Text, r.env.vars); line > 0 {
		r.refuseLong(name, line)
		return
	}
	vars, _ := r.env.parse(f.Text)
	for key, val := range vars {
		if _, there := r.env.vars[key]; !there {
			r.env.vars[key] = val
		}
	}
}

// absent notes the files that were looked for.
func (r *reader) absent() {
	for _, name := range slices.Sorted(maps.Keys(r.envFiles)) {
		if !r.envFiles[name].there {
			r.project.Absent = append(r.project.Absent, name)
		}
	}
}

// lineOf is the line that an error of dotenv names. The rest of it may quote a value.
func lineOf(err error) string {
	_, rest, ok := strings.Cut(err.Error(), "line ")
	number, _, end := strings.Cut(rest, ":")
	if !ok || !end || strings.Trim(number, "0123456789") != "" {
		return ""
	}
	return ", at line " + number
}
