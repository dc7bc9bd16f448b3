package project

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// include reads what the document includes, below what the document says itself.
func (r *reader) include(doc *document, sc scope, chain []string) {
	list := doc.root.Get("include")
	doc.root.Delete("include")
	if list == nil {
		return
	}
	r.merged = true
	if list.Kind != source.Sequence && list.Kind != source.Null {
		r.fault("include must be a list", "include: [file.yml]", list.From.Site(""))
	}
	for _, item := range list.Items {
		imported := r.included(item, sc, chain)
		if imported == nil {
			continue
		}
		for _, section := range []string{"services", "jobs", "volumes", "networks", "secrets", "configs", "models"} {
			r.importAll(doc, section, imported.Get(section))
		}
	}
}

// importAll adds a section of an included model to the document, which is laid over what is in both.
func (r *reader) importAll(doc *document, section string, from *source.Node) {
	if from == nil {
		return
	}
	to := doc.root.Get(section)
	if !to.Is(source.Mapping) {
		to = source.NewMapping(from)
		doc.root.Set(section, to)
	}
	for _, name := range from.Names() {
		theirs, ours := from.Get(name), to.Get(name)
		switch {
		case ours == nil:
			to.Set(name, theirs)
		case !theirs.Equal(ours): // one that comes by two ways is the same
			doc.resetAt(theirs, section, name)
			to.Set(name, r.merge(theirs, ours, top.at(section).at(name)))
		}
	}
}

// resetAt is reset for what will stand at a place of the tree.
func (doc *document) resetAt(n *source.Node, section, name string) {
	for _, at := range doc.resets {
		if len(at) > 2 && at[0] == section && at[1] == name {
			if parent := n.Get(at[2 : len(at)-1]...); parent.Is(source.Mapping) {
				parent.Delete(at[len(at)-1])
			}
		}
	}
}

// included is the model of one entry of include; nil when it is not read.
func (r *reader) included(item *source.Node, sc scope, chain []string) *source.Node {
	files := texts(item)
	if item.Kind == source.Mapping {
		files = texts(item.Get("path"))
	}
	site := item.From.Site("")
	rel := item.Get("project_directory").Str()
	var names []string
	for i, file := range files {
		name, reason := clean(file)
		if name = path.Join(sc.dir, name); reason == "" {
			reason = r.unseen(name)
		}
		switch {
		case reason != "":
			r.unread(site, file+reason)
			return nil
		case i == 0 && slices.Contains(chain, name):
			r.fault("Compose refuses a file that includes itself: "+strings.Join(append(chain, name), " includes "), "remove this line", site)
			return nil
		case i == 0:
			rel = cmp.Or(rel, path.Dir(file))
		}
		names = append(names, name)
	}
	dir, reason := clean(rel)
	if reason != "" {
		r.unread(site, rel+reason)
		return nil
	}
	r.loads += len(names)
	if len(names) == 0 || len(chain) > maxDepth || r.loads > maxLoads {
		if len(names) > 0 {
			r.unread(site, fmt.Sprintf("this is not read: more than %d files are included, or deeper than %d levels", maxLoads, maxDepth))
		}
		return nil
	}
	for _, name := range names {
		r.read(name, site, "an included file")
	}
	inner := scope{dir: path.Join(sc.dir, dir), bases: make(map[string]*base)}
	inner.env = sc.env.with(r.includeEnv(item.Get("env_file"), sc, inner.dir))
	model := r.model(names, inner, chain)
	if model == nil {
		return nil
	}
	defaults(model)
	rebase(model, top, dir)
	settle(model, inner.env)
	return model
}

// includeEnv are the variables of the files that an entry of include names, or of the .env in its directory.
func (r *reader) includeEnv(list *source.Node, sc scope, dir string) map[string]string {
	env := &environment{vars: make(map[string]string)}
	read := func(name string, required bool, site source.Site) {
		f := r.envFile(name)
		switch {
		case f.there && f.Err == nil:
			vars, err := sc.env.with(env.vars).parse(f.Text)
			if err != nil {
				r.fault(name+" is none that Compose can read"+lineOf(err), "write NAME=value on each line", source.Site{Pos: source.Pos{File: name}})
			}
			maps.Copy(env.vars, vars)
		case required && r.unseen(name) != "":
			r.unread(site, name+r.unseen(name))
		case required:
			r.missing("the env_file of an included file", name, site)
		}
	}
	files := texts(list)
	if len(files) == 0 {
		read(path.Join(dir, ".env"), false, source.Site{})
		return env.vars
	}
	for _, file := range files {
		if file == "/dev/null" {
			continue
		}
		name, reason := clean(file)
		if reason != "" {
			r.unread(list.From.Site(""), file+reason)
			continue
		}
		read(path.Join(sc.dir, name), true, list.From.Site(""))
	}
	return env.vars
}

// texts are the scalars of what is one or a list of them.
func texts(n *source.Node) []string {
	switch {
	case n.Is(source.Scalar):
		return []string{n.Text}
	case n.Is(source.Sequence):
		var all []string
		for _, item := range n.Items {
			all = append(all, texts(item)...)
		}
		return all
	}
	return nil
}
