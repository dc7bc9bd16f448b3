package project

import (
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// base is a file that extends has named.
type base struct {
	services *source.Node
	doc      *document
}

// step is one service of a chain of extends.
type step struct{ file, service string }

// extendAll lays each service of the document over the one that it extends.
func (r *reader) extendAll(doc *document, sc scope) {
	for _, section := range []string{"services", "jobs"} {
		services := doc.root.Get(section)
		for _, name := range services.Names() {
			r.extended(name, services, doc, sc, nil)
		}
	}
}

// extended is a service laid over what it extends, which takes its place in services; nil when it is null or missing.
func (r *reader) extended(name string, services *source.Node, doc *document, sc scope, chain []step) *source.Node {
	s := services.Get(name)
	ext := s.Get("extends")
	if ext == nil {
		if s.Is(source.Null) {
			return nil
		}
		return s
	}
	r.merged = true
	file, ref, site := ext.Get("file").Str(), ext.Get("service").Str(), ext.From.Site("")
	if ext.Kind == source.Scalar {
		ref = ext.Text
	}
	at := step{doc.name, name}
	defer s.Delete("extends")
	if slices.Contains(chain, at) {
		r.fault("Compose refuses a service that extends itself: "+name, "remove this line", site)
		return s
	}
	if len(chain) > maxDepth {
		r.unread(site, "this is not read: the services extend each other through more levels than anybody needs")
		return s
	}
	from := &base{services, doc}
	if file != "" {
		if from = r.base(file, site, "what "+name+" extends", sc); from == nil {
			return s
		}
	}
	if !slices.Contains(from.services.Names(), ref) {
		r.fault("there is no service "+ref+" in "+from.doc.name+" for "+name+" to extend; Compose refuses it", "the name of a service in "+from.doc.name, site)
		return s
	}
	under := r.extended(ref, from.services, from.doc, sc, append(slices.Clip(chain), at))
	if under == nil {
		return s
	}
	if !r.afford(under, site) {
		return s
	}
	under = under.Clone()
	doc.resetAt(under, "services", name)
	merged := r.merge(under, s, top.at("services").at(name))
	merged.Delete("extends")
	merged.Key, merged.From = s.Key, s.From
	services.Set(name, merged)
	return merged
}

// base reads a file that extends names; nil when it cannot be read.
func (r *reader) base(file string, site source.Site, what string, sc scope) *base {
	name, reason := clean(file)
	if name = path.Join(sc.dir, name); reason == "" {
		reason = r.unseen(name)
	}
	if reason != "" {
		r.unread(site, file+reason)
		return nil
	}
	if b, done := sc.bases[name]; done {
		return b
	}
	sc.bases[name] = nil
	r.loads++
	if r.loads > maxLoads {
		r.unread(site, "this is not read: there are more files than anybody needs")
		return nil
	}
	var b *base
	for _, doc := range r.documents(name, site, what, sc) {
		doc.root.Delete("include") // what extends names is read alone
		if b != nil {
			doc.reset(b.doc.root)
			doc.root = r.merge(b.doc.root, doc.root, top)
		}
		unify(doc.root, top)
		spellOut(doc.root)
		b = &base{doc.root.Get("services"), doc}
	}
	if b == nil {
		return nil
	}
	if !b.services.Is(source.Mapping) {
		r.fault("there are no services in "+strings.TrimPrefix(name, "./")+" to extend", "name the file of the service", site)
		return nil
	}
	rebase(b.doc.root, top, path.Dir(file))
	sc.bases[name] = b
	return b
}
