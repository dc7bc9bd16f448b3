package kubernetes

import (
	"bytes"
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// object is one of the API: a document of a manifest, or an item of a List.
type object struct {
	source.Value
	kind, group     string // group is that of apiVersion, "" for the core
	name, namespace string
	made            *content // what a generator made; nil for every other object
}

func newObject(v source.Value) *object {
	group, _, grouped := strings.Cut(v.At("apiVersion").Str(), "/")
	if !grouped {
		group = ""
	}
	return &object{Value: v, kind: v.At("kind").Str(), group: group, name: v.At("metadata", "name").Str(), namespace: v.At("metadata", "namespace").Str()}
}

// How much of a directory is looked at.
const (
	maxManifests = 1000
	maxDeep      = 8
)

// read finds the objects; the findings say which manifests cannot be read.
func (c *cluster) read() (findings []finding.Finding) {
	if name := kustomizationIn(c.fsys, "."); name != "" {
		c.top = "."
		objects, findings := c.kustomize(".", 0, nil)
		c.objects = objects
		return findings
	}
	// What one kustomization builds on is not to be read a second time by itself.
	below, based := c.kustomizations()
	for _, dir := range below {
		if based[dir] {
			continue
		}
		c.top, c.rewritten = dir, false
		objects, found := c.kustomize(dir, 0, nil)
		c.add(objects...)
		findings = append(findings, found...)
	}
	for _, name := range yamlFiles(c.fsys) {
		if slices.ContainsFunc(below, func(dir string) bool { return name == dir || strings.HasPrefix(name, dir+"/") }) {
			continue
		}
		objects, found := c.manifest(name, true)
		c.add(objects...)
		findings = append(findings, found...)
	}
	return findings
}

// add keeps objects. Of two of one name the later counts, as where kubectl applies the files in their order; that they are overlays of which
// another one is meant can be as well, and is told.
func (c *cluster) add(objects ...*object) {
	for _, o := range objects {
		same := func(p *object) bool {
			return p.kind == o.kind && p.group == o.group && p.name == o.name && p.namespace == o.namespace && o.name != ""
		}
		if i := slices.IndexFunc(c.objects, same); i >= 0 {
			c.unread = append(c.unread, c.objects[i].At("metadata", "name").Site(fmt.Sprintf("%s %s, of which there is a second that replaces it: name the directory of the overlay that is meant", o.kind, o.name)))
			c.objects[i] = o
			continue
		}
		c.objects = append(c.objects, o)
	}
}

// manifest reads the objects of a file. What is no manifest is passed over where nobody named it.
func (c *cluster) manifest(name string, found bool) ([]*object, []finding.Finding) {
	src, err := source.ReadFS(c.fsys, name)
	at := []source.Site{{Pos: source.Pos{File: name}}}
	switch {
	case err != nil && found:
		return nil, nil
	case err != nil:
		return nil, []finding.Finding{{Rule: "kubernetes", Severity: finding.Error, Message: "cannot be read: " + source.Cause(err), Fix: "put the file there, or correct the kustomization", Sites: at}}
	case found && !looksLike(src):
		return nil, nil
	}
	files, problem := source.ParseAll(name, src)
	if templated(src) || problem != nil && bytes.Contains(src, []byte("{{")) {
		at[0].Note = name + " is a template of Helm, which is not filled in here: helm template … | stackgen check -"
		c.unread = append(c.unread, at[0])
		return nil, nil
	}
	if problem != nil {
		return nil, []finding.Finding{{Rule: "yaml", Severity: finding.Error, Message: problem.Message, Fix: problem.Fix, Sites: []source.Site{{Pos: problem.Pos}}}}
	}
	var all []*object
	for i, f := range files {
		if f.Root().Kind() == source.Mapping {
			c.d.Add(deployment.Document(name, i+1), f)
			all = append(all, expand(f.Root())...)
		}
	}
	return all, nil
}

// templated reports whether a text has actions of Helm that say so themselves. What helm template has filled in names its source; what looks
// like an action there is for some other program.
func templated(src []byte) bool {
	return !bytes.Contains(src, []byte("\n# Source: ")) && bytes.Contains(src, []byte("{{")) && slices.ContainsFunc([]string{".Values", ".Release.", ".Chart.", "{{ include ", "{{- include "}, func(word string) bool { return bytes.Contains(src, []byte(word)) })
}

// expand gives the items of a List, and every other object itself.
func expand(v source.Value) (all []*object) {
	if kind := v.At("kind").Str(); strings.HasSuffix(kind, "List") && v.At("items").Kind() == source.Sequence {
		for _, item := range v.At("items").Items() {
			all = append(all, expand(item)...)
		}
		return all
	}
	if !v.At("apiVersion").Set() || !v.At("kind").Set() {
		return nil
	}
	return []*object{newObject(v)}
}

// yamlFiles are the files that may be manifests, in the order of their paths. Charts of Helm are none.
func yamlFiles(fsys fs.FS) (names []string) {
	_ = fs.WalkDir(fsys, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil && e != nil && e.IsDir():
			return fs.SkipDir
		case err != nil || len(names) >= maxManifests:
			return nil
		case e.IsDir() && name != "." && (strings.HasPrefix(e.Name(), ".") || e.Name() == "node_modules" || strings.Count(name, "/") >= maxDeep):
			return fs.SkipDir
		case e.Type().IsRegular() && slices.Contains([]string{".yaml", ".yml"}, path.Ext(name)):
			names = append(names, name)
		}
		return nil
	})
	return names
}

// in reports whether the object is in the namespace; one that says none goes where kubectl is set to, which is everywhere the same.
func (o *object) in(namespace string) bool {
	return cmp.Or(o.namespace, "default") == cmp.Or(namespace, "default") || o.namespace == "" || namespace == ""
}

// The kinds that have pods, and where the template of theirs is.
var templates = map[string][]string{
	"Pod": {}, "Deployment": {"spec", "template"}, "StatefulSet": {"spec", "template"}, "DaemonSet": {"spec", "template"}, "ReplicaSet": {"spec", "template"},
	"ReplicationController": {"spec", "template"}, "Job": {"spec", "template"}, "CronJob": {"spec", "jobTemplate", "spec", "template"},
}
