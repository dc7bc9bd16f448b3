// Package kubernetes reads manifests of Kubernetes, plain or put together by a kustomization.yaml, as kubectl would apply them. It is
// the only place that knows how they are written.
package kubernetes

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/source"
)

// cluster is what is gathered while the manifests of one deployment are read.
type cluster struct {
	fsys    fs.FS
	d       *deployment.Deployment
	objects []*object
	unread  []source.Site
	built   int // how many kustomizations were carried out

	top       string // the directory of the kustomization that no other one builds on
	rewritten bool   // it, or what it builds on, gives names or values that are not followed

	contents map[string]*content // Secrets and ConfigMaps, by KIND/NAME or KIND/NAMESPACE/NAME
	files    []memfs.File
	laid     map[string]source.Pos // the directories of volumes with items
	pods     []*pod
	spaces   []string // the namespaces of the workloads
}

// Open reads the manifests of a directory: those that its kustomization.yaml names, or all that lie in it. The findings are what
// kept one from being read.
func Open(fsys fs.FS, known ...*deployment.Deployment) (*deployment.Deployment, []finding.Finding) {
	d := deployment.New(fsys, false, known...)
	c := &cluster{fsys: fsys, d: d, contents: make(map[string]*content)}
	d.Target, d.Lines, d.Secrecy, d.Faults = deployment.Kubernetes, lines, c.secrecy, make(map[string][]finding.Finding)
	d.ReadFrom, d.Notices = c, c.notices
	d.Holders = make(map[string]deployment.Holder)
	findings := c.read()
	if len(c.objects) == 0 {
		return d, append(findings, c.nothing()...)
	}
	c.unread = append(c.unread, c.elsewhere()...)
	c.spread()
	c.hold()
	c.charted()
	for _, o := range c.objects {
		c.workload(o)
	}
	if len(c.pods) == 0 {
		return d, append(findings, c.noWorkload())
	}
	for _, p := range c.pods {
		c.assembled(p)
	}
	d.File = c.pods[0].of.File().Path
	d.ServicesAt = deployment.LeafOf(c.pods[0].of.Value)
	d.Networks = []deployment.Network{{Key: network, Name: "the cluster's", Known: true}}
	c.operated()
	c.doors()
	c.policies()
	c.fits()
	d.FS = &within{FS: fsys, files: memfs.New(c.files)}
	d.Unread = c.unread
	c.routes()
	d.Load()
	return d, findings
}

// network is the one in which all pods of a cluster are.
const network = "default"

// nothing says why there is no object at all, where nothing else does.
func (c *cluster) nothing() (findings []finding.Finding) {
	for _, at := range c.unread {
		f := finding.Finding{Rule: "kubernetes", Severity: finding.Error, Message: at.Note + "; there is nothing else to check", Fix: "name the directory of manifests that can be applied as they are", Sites: []source.Site{at}}
		f.Sites[0].Note = ""
		return []finding.Finding{f}
	}
	return nil
}

// elsewhere are the objects of which something in the cluster makes others: a chart that is filled in there, or a directory that is fetched.
func (c *cluster) elsewhere() (all []source.Site) {
	for _, o := range c.objects {
		fill := ""
		switch o.kind + "." + o.group {
		case "HelmRelease.helm.toolkit.fluxcd.io", "HelmRelease.helm.fluxcd.io", "HelmChart.helm.cattle.io":
			fill = "whose chart is filled in in the cluster: helm template … | stackgen check -"
		case "Application.argoproj.io", "ApplicationSet.argoproj.io":
			fill = "whose manifests Argo CD makes: argocd app manifests … | stackgen check -"
		case "Kustomization.kustomize.toolkit.fluxcd.io":
			fill = "which has Flux apply another directory: name that one"
		}
		if fill != "" {
			all = append(all, o.At("metadata", "name").Site("the "+o.kind+" "+o.name+", "+fill))
		}
	}
	return all
}

func (c *cluster) noWorkload() finding.Finding {
	if all := c.elsewhere(); len(all) > 0 {
		what, fix, _ := strings.Cut(all[0].Note, ": ")
		f := finding.Finding{Rule: "kubernetes", Severity: finding.Error, Message: "no manifest here is of a workload, but there is " + what + "; there is nothing to check", Fix: fix, Sites: all}
		f.Sites[0].Note = ""
		return f
	}
	if f := c.nothing(); f != nil {
		return f[0]
	}
	return finding.Finding{
		Rule: "kubernetes", Severity: finding.Error, Message: "no manifest here is of a workload, such as a Deployment or a StatefulSet; there is nothing to check",
		Fix: "name the directory of the manifests, or the one of the overlay", Sites: []source.Site{{Pos: source.Pos{File: cmp.Or(c.objects[0].File().Path, ".")}}},
	}
}

// Has reports whether a directory has manifests: a kustomization.yaml, or a YAML file with an apiVersion and a kind.
func Has(fsys fs.FS) bool {
	if kustomizationIn(fsys, ".") != "" {
		return true
	}
	for _, name := range yamlFiles(fsys) {
		if src, err := source.ReadFS(fsys, name); err == nil && looksLike(src) {
			return true
		}
	}
	return false
}

// looksLike reports whether a text has the two lines that every manifest has. A kind that is indented below its apiVersion is YAML
// that nobody can read, and a manifest still.
func looksLike(src []byte) bool {
	version, kind, under := false, false, false
	for line := range strings.Lines(string(src)) {
		line = strings.TrimPrefix(line, "- ")
		kind = kind || strings.HasPrefix(line, "kind:") || under && strings.HasPrefix(strings.TrimLeft(line, " \t"), "kind:")
		under = strings.HasPrefix(line, "apiVersion:")
		version = version || under
	}
	return version && kind
}

// within is a file system, and before it the files that stand in Secrets and ConfigMaps.
type within struct {
	fs.FS
	files *memfs.FS
}

func (w *within) Open(name string) (fs.File, error) {
	if f, err := w.files.Open(name); err == nil && name != "." {
		return f, nil
	}
	return w.FS.Open(name)
}

func (w *within) Stat(name string) (fs.FileInfo, error) {
	if info, err := w.files.Stat(name); err == nil && name != "." {
		return info, nil
	}
	return fs.Stat(w.FS, name)
}

func (w *within) ReadDir(name string) ([]fs.DirEntry, error) {
	if list, err := w.files.ReadDir(name); err == nil && name != "." {
		return list, nil
	}
	return fs.ReadDir(w.FS, name)
}

func (w *within) Lstat(name string) (fs.FileInfo, error) {
	if info, err := w.files.Stat(name); err == nil && name != "." {
		return info, nil
	}
	return fs.Lstat(w.FS, name)
}

func (w *within) ReadLink(name string) (string, error) { return fs.ReadLink(w.FS, name) }

// spread gives the namespaces of the workloads, each once.
func (c *cluster) spread() {
	for _, o := range c.objects {
		if _, ok := templates[o.kind]; ok && !slices.Contains(c.spaces, o.namespace) {
			c.spaces = append(c.spaces, o.namespace)
		}
	}
}

// key is KIND/NAME, with the namespace between where there are several.
func (c *cluster) key(kind, namespace, name string) string {
	if len(c.spaces) > 1 {
		return path.Join(kind, cmp.Or(namespace, "default"), name)
	}
	return path.Join(kind, name)
}
