package kubernetes

import (
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

// kustomizations are the names that kustomize looks for, in its order.
var kustomizationNames = []string{"kustomization.yaml", "kustomization.yml", "Kustomization"}

func kustomizationIn(fsys fs.FS, dir string) string {
	for _, name := range kustomizationNames {
		if info, err := fs.Stat(fsys, path.Join(dir, name)); err == nil && info.Mode().IsRegular() {
			return path.Join(dir, name)
		}
	}
	return ""
}

// kustomizations are the directories with one, and those of them that another one builds on.
func (c *cluster) kustomizations() (dirs []string, based map[string]bool) {
	based = make(map[string]bool)
	for _, name := range yamlFiles(c.fsys) {
		if dir := path.Dir(name); !slices.Contains(dirs, dir) && kustomizationIn(c.fsys, dir) != "" {
			dirs = append(dirs, dir)
		}
	}
	for _, dir := range dirs {
		f, _ := c.parse(kustomizationIn(c.fsys, dir))
		if f == nil {
			continue
		}
		for _, key := range []string{"resources", "bases", "components"} {
			for _, v := range f.At(key).Items() {
				based[path.Join(dir, v.Str())] = true
			}
		}
	}
	return dirs, based
}

func (c *cluster) parse(name string) (*source.File, *source.Problem) {
	src, err := source.ReadFS(c.fsys, name)
	if err != nil {
		return nil, &source.Problem{Pos: source.Pos{File: name}, Message: "cannot be read: " + source.Cause(err)}
	}
	f, problem := source.Parse(name, src)
	if problem != nil {
		return nil, problem
	}
	return f, nil
}

// unfollowed are the settings of a kustomization that change what is applied and are not carried out here, rewriting those of them that
// change any name or value: what is applied bears little likeness to what lies here.
var (
	unfollowed = []string{"helmCharts", "helmChartInflationGenerator", "generators", "patchesJson6902", "crds", "replicas"}
	rewriting  = []string{"namePrefix", "nameSuffix", "replacements", "vars", "transformers"}
)

// kustomize gives what a kustomization makes of its resources. One that is a component of another is given what that has of its own.
func (c *cluster) kustomize(dir string, deep int, all []*object) (_ []*object, findings []finding.Finding) {
	name := kustomizationIn(c.fsys, dir)
	c.built++
	f, problem := c.parse(name)
	if problem != nil {
		return all, []finding.Finding{{Rule: "yaml", Severity: finding.Error, Message: problem.Message, Fix: problem.Fix, Sites: []source.Site{{Pos: problem.Pos}}}}
	}
	c.d.Add(name, f)
	for _, key := range []string{"resources", "bases"} {
		for _, v := range f.At(key).Items() {
			objects, found := c.resource(dir, v, deep)
			all, findings = append(all, objects...), append(findings, found...)
		}
	}
	for _, v := range f.At("components").Items() {
		at := path.Join(dir, v.Str())
		if deep > maxDeep || source.Beyond(c.fsys, at) || kustomizationIn(c.fsys, at) == "" {
			c.unread = append(c.unread, v.Site("the component "+v.Str()+" is not here"))
			continue
		}
		objects, found := c.kustomize(at, deep+1, all)
		all, findings = objects, append(findings, found...)
	}
	for _, key := range unfollowed {
		if at := f.At(key); at.Set() {
			c.unread = append(c.unread, at.Site(key+" of "+name+" is not followed"))
		}
	}
	for _, key := range rewriting {
		if at := f.At(key); at.Set() {
			c.unread = append(c.unread, at.Site(key+" of "+name+" is not followed, and nothing of "+c.top+" was looked at: kubectl kustomize "+c.top+" | stackgen check -"))
			c.rewritten = true
		}
	}
	if c.rewritten {
		return nil, findings
	}
	for _, kind := range []string{"Secret", "ConfigMap"} {
		for _, v := range f.At(strings.ToLower(kind[:1]) + kind[1:] + "Generator").Items() {
			all = append(all, c.generated(dir, kind, v))
		}
	}
	for _, key := range []string{"patches", "patchesStrategicMerge"} {
		for _, v := range f.At(key).Items() {
			all = c.patch(dir, v, all)
		}
	}
	for _, v := range f.At("images").Items() {
		for i, o := range all {
			all[i] = renamed(o, v)
		}
	}
	for i, o := range all {
		all[i] = labelled(o, f)
	}
	if space := f.At("namespace"); space.Set() {
		for _, o := range all {
			if o.kind != "Namespace" && !strings.HasPrefix(o.kind, "Cluster") {
				o.namespace = space.Str()
			}
		}
	}
	return all, findings
}

// resource is a manifest, or a directory with a kustomization of its own.
func (c *cluster) resource(dir string, v source.Value, deep int) ([]*object, []finding.Finding) {
	name := path.Join(dir, v.Str())
	switch {
	case strings.Contains(v.Str(), "://") || strings.HasPrefix(v.Str(), "github.com/") || strings.Contains(v.Str(), "?ref="):
		c.unread = append(c.unread, v.Site(v.Str()+" was not fetched"))
		return nil, nil
	case deep > maxDeep || c.built > maxManifests:
		c.unread = append(c.unread, v.Site(v.Str()+" is one of too many"))
		return nil, nil
	case source.Beyond(c.fsys, name):
		c.unread = append(c.unread, v.Site(v.Str()+" is outside of the directory"))
		return nil, nil
	case kustomizationIn(c.fsys, name) != "":
		return c.kustomize(name, deep+1, nil)
	}
	return c.manifest(name, false)
}

// generated is what a generator makes of literals and files. Its name gets a hash at its end, in the same way wherever it is used.
func (c *cluster) generated(dir, kind string, v source.Value) *object {
	o := &object{Value: v, kind: kind, name: v.At("name").Str(), namespace: v.At("namespace").Str()}
	k := &content{object: o, dir: c.key(kind, o.namespace, o.name), of: make(map[string]*entry)}
	take := func(at source.Value, key, file string) {
		e := &entry{at: at, site: file}
		if file != "" {
			src, err := source.ReadFS(c.fsys, file)
			if e.text = string(src); err != nil {
				e.why = file + " cannot be read: " + source.Cause(err)
			}
		}
		k.set(key, e)
	}
	for _, at := range v.At("literals").Items() {
		key, text, _ := strings.Cut(at.Str(), "=")
		take(at, key, "")
		k.of[key].text = text
	}
	for _, at := range v.At("files").Items() {
		key, file, named := strings.Cut(at.Str(), "=")
		if !named {
			key, file = path.Base(at.Str()), at.Str()
		}
		take(at, key, path.Join(dir, file))
	}
	for _, at := range slices.Concat(v.At("envs").Items(), deployment.Listed(v.At("env"))) {
		src, err := source.ReadFS(c.fsys, path.Join(dir, at.Str()))
		if err != nil {
			k.why = path.Join(dir, at.Str()) + " cannot be read: " + source.Cause(err)
			continue
		}
		for line := range strings.Lines(string(src)) {
			key, text, ok := strings.Cut(strings.TrimSpace(line), "=")
			if ok && !strings.HasPrefix(key, "#") {
				take(at, key, "")
				k.of[key].text = text
			}
		}
	}
	o.made = k
	return o
}

// patch lays a patch over the objects that it means: one that is merged, by kind and name. Others are not carried out.
func (c *cluster) patch(dir string, v source.Value, all []*object) []*object {
	var files []*source.File
	var problem *source.Problem
	text := v
	if v.Kind() == source.Mapping {
		text = v.At("patch")
	}
	inline := strings.Contains(text.Str(), "\n")
	switch name := cmp.Or(v.At("path").Str(), text.Str()); {
	case inline:
		files, problem = source.ParseAll(text.File().Path, text.Inside(text.Str()))
	default:
		src, err := source.ReadFS(c.fsys, path.Join(dir, name))
		if err != nil {
			c.unread = append(c.unread, v.Site("the patch "+name+" cannot be read"))
			return all
		}
		files, problem = source.ParseAll(path.Join(dir, name), src)
		for i, f := range files {
			c.d.Add(deployment.Document(path.Join(dir, name), i+1), f)
		}
	}
	if problem != nil {
		c.unread = append(c.unread, v.Site("a patch that cannot be parsed"))
		return all
	}
	for _, f := range files {
		over, target := f.Root(), v.At("target")
		if over.Kind() != source.Mapping {
			c.unread = append(c.unread, v.Site("a patch of single operations is not carried out"))
			continue
		}
		kind, name := cmp.Or(target.At("kind").Str(), over.At("kind").Str()), over.At("metadata", "name").Str()
		if target.Set() {
			name = target.At("name").Str()
		}
		if target.At("labelSelector").Set() || target.At("annotationSelector").Set() || strings.ContainsAny(name, ".*[(|") {
			c.unread = append(c.unread, v.Site("a patch whose target is a pattern is not carried out"))
			continue
		}
		met := false
		for i, o := range all {
			if (o.kind == kind || kind == "") && (o.name == name || name == "") && o.made == nil {
				all[i], met = patched(o, over), true
			}
		}
		if !met {
			c.unread = append(c.unread, v.Site(fmt.Sprintf("a patch of the %s %s, which is not among the manifests", kind, name)))
		}
	}
	return slices.DeleteFunc(all, func(o *object) bool { return o.At("$patch").Str() == "delete" })
}

// patched is the object with the patch merged into it; its names stay.
func patched(o *object, over source.Value) *object {
	tree := merged(o.Node(), over.Node(), "")
	for _, key := range []string{"kind", "apiVersion"} {
		if at := o.At(key); at.Set() {
			tree.Set(key, at.Node())
		}
	}
	next := *o
	next.Value = source.Join(tree).Root()
	return &next
}

// listKeys tell the items of a list apart that is merged item by item, by the name of the list (the patchMergeKey of the API).
var listKeys = map[string]string{
	"containers": "name", "initContainers": "name", "env": "name", "volumes": "name", "volumeMounts": "mountPath", "ports": "containerPort", "imagePullSecrets": "name", "hostAliases": "ip",
}

// merged is base with over laid onto it as a strategic merge does.
func merged(base, over *source.Node, name string) *source.Node {
	switch {
	case over.Is(source.Null):
		return nil
	case base.Is(source.Mapping) && over.Is(source.Mapping):
		for _, key := range over.Names() {
			if next := merged(base.Get(key), over.Get(key), key); next != nil {
				base.Set(key, next)
			} else {
				base.Delete(key)
			}
		}
		return base
	case base.Is(source.Sequence) && over.Is(source.Sequence) && listKeys[name] != "":
		key := listKeys[name]
		if name == "ports" && len(over.Items) > 0 && over.Items[0].Get(key) == nil {
			key = "port"
		}
		for _, item := range over.Items {
			i := slices.IndexFunc(base.Items, func(n *source.Node) bool { return n.Get(key).Str() == item.Get(key).Str() })
			switch {
			case item.Get("$patch").Str() == "delete" && i >= 0:
				base.Items = slices.Delete(base.Items, i, i+1)
			case i >= 0:
				base.Items[i] = merged(base.Items[i], item, "")
			default:
				base.Items = append(base.Items, item)
			}
		}
		return base
	}
	return over
}
