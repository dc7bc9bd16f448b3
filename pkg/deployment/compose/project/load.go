package project

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// What a project may cost. Nobody's has more; what exceeds it is not read, and said.
const (
	maxValues = 300_000 // values of all files, with what extends copies
	maxLoads  = 500     // files, each as often as it is included
	maxDepth  = 50      // of include and extends
)

type reader struct {
	fs      fs.FS
	options Options
	env     *environment
	project *Project

	merged   bool // there was something to merge
	parsed   map[string][]*source.File
	envFiles map[string]*EnvFile
	given    bool // the environment files of the options are read
	values   int
	loads    int
}

func newReader(fsys fs.FS, o Options) *reader {
	fillTop()
	r := &reader{
		fs: fsys, options: o, env: &environment{vars: make(map[string]string)}, project: &Project{fs: fsys, profiles: o.Profiles}, parsed: make(map[string][]*source.File),
		envFiles: make(map[string]*EnvFile),
	}
	if f := o.EnvFile; f != nil {
		r.envFiles[f.Name] = f
	}
	return r
}

// scope is what the files of one model share: their variables, the directory that their relative paths lead from, and
// the files that extends has named.
type scope struct {
	env   *environment
	dir   string
	bases map[string]*base
}

// document is one YAML document of a compose file, ready to be laid over others.
type document struct {
	name   string
	root   *source.Node
	resets [][]string // where it has !reset or !override
}

func (r *reader) unread(site source.Site, message string) {
	for _, p := range r.project.Unread {
		if p.Message == message && p.Sites[0].Pos == site.Pos {
			return
		}
	}
	r.project.Unread = append(r.project.Unread, Problem{Sites: []source.Site{site}, Message: message})
}

func (r *reader) fault(message, fix string, sites ...source.Site) {
	r.faultOf("compose-valid", message, fix, sites...)
}

// missing is a file that Compose reads and that is not there; what says what it is.
func (r *reader) missing(what, name string, at source.Site) {
	r.faultOf("compose-reads-exist", what+", "+name+", does not exist; Compose stops at it and starts nothing", "correct the path, or make the file", at)
}

func (r *reader) faultOf(rule, message, fix string, sites ...source.Site) {
	for _, p := range r.project.Faults {
		if p.Message == message && p.Sites[0].Pos == sites[0].Pos {
			return
		}
	}
	r.project.Faults = append(r.project.Faults, Problem{Rule: rule, Sites: sites, Message: message, Fix: fix})
}

// model reads files, each laid over those before it. chain are the files that include it.
func (r *reader) model(names []string, sc scope, chain []string) *source.Node {
	var dict *source.Node
	for i, name := range names {
		for _, doc := range r.documents(name, source.Site{}, "a compose file", sc) {
			r.include(doc, sc, append(slices.Clip(chain), name))
			doc.reset(dict)
			r.extendAll(doc, sc)
			if dict == nil {
				dict = doc.root
			} else {
				dict = r.merge(dict, doc.root, top)
				r.merged = true
			}
			if r.merged || len(names) > 1 { // of one file alone, a rule may want to see what stands there twice
				unify(dict, top)
			}
		}
		if chain != nil || i < len(names)-1 {
			spellOut(dict)
		}
	}
	return dict
}

// documents reads a file into trees with its variables replaced. at is where it is named, and what says as what.
func (r *reader) documents(name string, at source.Site, what string, sc scope) []*document {
	var docs []*document
	for _, f := range r.read(name, at, what) {
		if f.Root().Kind() != source.Mapping {
			if f.Root().Set() {
				r.fault("Compose takes a mapping of services and the like, and nothing else, for a compose file", "services: {…}", f.Root().Site(""))
			}
			continue
		}
		doc := &document{name: name, root: f.Root().Node()}
		if !r.afford(doc.root, f.Root().Site("")) {
			continue
		}
		r.tags(doc, doc.root, nil)
		r.expand(doc.root, sc.env)
		docs = append(docs, doc)
	}
	return docs
}

// begun is a value without quotes that begins with what a program puts something in the place of: an action of Go's, a mark
// between @ or %, and a line of ERB. In quotes or within a text such a thing is YAML, and breaks no file.
var begun = regex.Of(`(?m)^\s*(?:- +|[\w.-]+: +)(?:\{\{-? *\.|@@?\w+@@?(?:[^\w.-]|$)|%%?\w+%)|^\s*(?:- +)?<%`)

// read parses a file once.
func (r *reader) read(name string, at source.Site, what string) []*source.File {
	if files, done := r.parsed[name]; done {
		return files
	}
	if at.File == "" {
		at = source.Site{Pos: source.Pos{File: name}}
	}
	src, err := source.ReadFS(r.fs, name)
	if err != nil {
		r.parsed[name] = nil
		switch reason := r.unseen(name); {
		case reason != "":
			r.unread(at, name+reason)
		case errors.Is(err, fs.ErrNotExist):
			r.missing(what, name, at)
		default:
			r.project.Faults = append(r.project.Faults, Problem{Rule: "compose-mount-exists", Message: "cannot be read: " + source.Cause(err), Fix: "put a readable file there", Sites: []source.Site{{Pos: source.Pos{File: name}}}})
		}
		return nil
	}
	files, problem := r.parse(name, src)
	if _, names := unmark(string(src), ""); problem != nil && (len(names) > 0 || bytes.Contains(src, []byte("{%")) || begun().Match(src)) {
		r.project.Unread = append(r.project.Unread, Problem{Message: name + " is a template, and no YAML before something fills it in", Fix: "fill it in, and check what comes out", Sites: []source.Site{at}})
	} else if problem != nil {
		r.project.Faults = append(r.project.Faults, Problem{Rule: "yaml", Message: problem.Message, Fix: problem.Fix, Sites: []source.Site{{Pos: problem.Pos}}})
	}
	for _, f := range files {
		r.strict(f.Root())
	}
	r.parsed[name] = files
	r.project.Files = append(r.project.Files, files...)
	return files
}

func (r *reader) parse(name string, src []byte) ([]*source.File, *source.Problem) {
	if r.options.Parsed != nil && !bytes.Contains(src, []byte("\n---")) { // which may begin a second document
		if f := r.options.Parsed(name, src); f != nil {
			return []*source.File{f}, nil
		}
	}
	return source.ParseAll(name, src)
}

// strict refuses what the YAML of Compose does not take, and ours would.
func (r *reader) strict(v source.Value) {
	twice, _, _ := v.RawKeys()
	for _, d := range twice {
		r.fault("Compose refuses the file: the key "+d.Key.Str()+" stands twice", "remove one of the two", d.Key.Site(""), source.Site{Pos: d.First, Note: "the first"})
	}
	for _, key := range v.BadMerges() {
		r.fault("Compose refuses the file: what << brings in is no mapping", "<<: *name, of an anchor at a mapping", key.Site(""))
	}
	for _, value := range v.Entries() {
		r.strict(value)
	}
	for _, item := range v.Items() {
		r.strict(item)
	}
}

// afford reports whether there is room for the node, and takes it.
func (r *reader) afford(n *source.Node, at source.Site) bool {
	r.values += n.Size(maxValues)
	if r.values <= maxValues {
		return true
	}
	r.unread(at, fmt.Sprintf("the files hold more than %d values once include and extends are followed; what comes from here on is not read", maxValues))
	return false
}

// clean is a path that a compose file names as one below the root, or why it is none.
func clean(file string) (name, reason string) {
	switch {
	case file == "-":
		return "", " is the standard input of Compose, and is not read"
	case strings.Contains(file, "://") || strings.HasPrefix(file, "git@") || strings.HasPrefix(file, "github.com/"):
		return "", " is fetched from elsewhere by Compose, and is not read"
	case path.IsAbs(file) || strings.HasPrefix(file, "~"):
		return "", " is outside of the directory, and is not read"
	}
	return path.Clean(file), ""
}

// unseen says why a file may be there and cannot be seen; "" when it can, or is not there.
func (r *reader) unseen(name string) string {
	_, err := fs.Stat(r.fs, name)
	switch {
	case source.Escapes(err):
		return " is " + source.LeadsOut + ", and is not read"
	case source.Beyond(r.fs, name):
		return " is outside of the directory, and is not read"
	case errors.Is(err, fs.ErrNotExist) && r.options.Alone:
		return source.NotRendered
	case errors.Is(err, fs.ErrNotExist) && r.options.Ignored != nil && r.options.Ignored(name):
		return " is " + source.ErrIgnored.Error()
	case errors.Is(err, fs.ErrNotExist) && r.options.Written != nil:
		if by := r.options.Written(name); by != "" {
			return " is " + source.Elsewhere{By: by}.Error()
		}
	}
	return ""
}

// tags takes out what has !reset and notes where it and !override stand: both clear what earlier files have there.
func (r *reader) tags(doc *document, n *source.Node, at []string) {
	for _, name := range slices.Clone(n.Names()) {
		value := n.Get(name)
		below := append(slices.Clip(at), name)
		switch value.Tag {
		case "!reset":
			n.Delete(name)
			doc.resets = append(doc.resets, below)
			if behind := n.From.Behind(name); behind.Exists() { // with << it is there all the same
				n.Set(name, behind.Node())
				r.tags(doc, n.Get(name), below)
			}
		case "!override":
			plain(value)
			doc.resets = append(doc.resets, below)
		default:
			r.tags(doc, value, below)
		}
	}
	n.Items = slices.DeleteFunc(n.Items, func(item *source.Node) bool { return item.Tag == "!reset" })
	for _, item := range n.Items {
		if item.Tag == "!override" {
			plain(item)
			continue
		}
		r.tags(doc, item, nil)
	}
}

func plain(n *source.Node) {
	if n.Tag = ""; n.Kind == source.Scalar {
		n.Tag = "!!str"
	}
}

// reset clears in earlier files what the document does not take from them.
func (doc *document) reset(dict *source.Node) {
	if dict == nil {
		return
	}
	for _, at := range doc.resets {
		if parent := dict.Get(at[:len(at)-1]...); parent.Is(source.Mapping) {
			parent.Delete(at[len(at)-1])
		}
	}
}

// expand replaces the variables in every string.
func (r *reader) expand(n *source.Node, env *environment) {
	for _, name := range n.Names() {
		r.expand(n.Get(name), env)
	}
	for _, item := range n.Items {
		r.expand(item, env)
	}
	dollars := strings.Contains(n.Text, "$")
	if n.Kind != source.Scalar || n.Tag != "!!str" || !dollars && !strings.Contains(n.Text, "{{") {
		return
	}
	_, marked := unmark(n.Text, env.assume)
	text, unset, taken, err := env.expand(n.Text)
	n.Text, n.Unset = text, unset
	if len(marked) > 0 {
		r.project.Marked = append(r.project.Marked, n.From)
		unset = slices.DeleteFunc(slices.Clone(unset), func(name string) bool { return slices.Contains(marked, name) })
	}
	if !dollars {
		return
	}
	r.project.Variables = append(r.project.Variables, Variable{At: n.From, Text: text, Values: taken, Unset: unset, Invalid: err != nil})
}
