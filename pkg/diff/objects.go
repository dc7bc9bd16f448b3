package diff

import (
	"encoding/base64"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/source"
)

// kustomization is the file that a tree of manifests begins at.
const kustomization = "kustomization.yaml"

// ofManifests reports whether the tree is for a cluster.
func (t Tree) ofManifests() bool { _, ok := t[kustomization]; return ok }

// deployment reads a tree as what it is for.
func (t Tree) deployment(known ...*deployment.Deployment) *deployment.Deployment {
	if !t.ofManifests() {
		d, _ := compose.Open(t.fs(), known...)
		return d
	}
	var files []memfs.File
	for p, data := range t {
		if p != kustomization { // which leaves the Secrets out where something else makes them
			files = append(files, memfs.File{Path: p, Data: data})
		}
	}
	d, _ := kubernetes.Open(memfs.New(files), known...)
	return d
}

// pieces are the files of a tree as they are compared. Of manifests each object is one, KIND/NAME.yaml, and each file that a Secret or
// ConfigMap holds is one, KIND/NAME/KEY, as the deployment has it; from says which file each was in, of is the service that an object
// belongs to. What cannot be taken apart stays as it is.
func (t Tree) pieces() (all Tree, from, of map[string]string) {
	all, from, of = make(Tree, len(t)), make(map[string]string), make(map[string]string)
	add := func(name, file string, data []byte) { all[name], from[name] = data, file }
	for p, data := range t {
		docs, problem := source.ParseAll(p, data)
		if !t.ofManifests() || path.Ext(p) != ".yaml" || problem != nil {
			add(p, p, data)
			continue
		}
		for _, doc := range docs {
			kind, name := doc.At("kind").Str(), doc.At("metadata", "name").Str()
			if kind == "" || name == "" {
				add(p, p, data)
				continue
			}
			tree := doc.Root().Node()
			if kind == "Secret" || kind == "ConfigMap" {
				for _, key := range []string{"data", "stringData", "binaryData"} {
					for k, v := range doc.At(key).Entries() {
						text := []byte(v.Str())
						if plain, err := base64.StdEncoding.DecodeString(v.Str()); key == "binaryData" || key == "data" && kind == "Secret" {
							if err != nil {
								continue
							}
							text = plain
						}
						add(path.Join(kind, name, k.Str()), p, text)
					}
				}
				tree.Delete("data", "stringData", "binaryData")
			}
			called := kind + "/" + unmarked(tree, kind, name) + ".yaml"
			text, err := tree.YAML()
			if err != nil {
				add(p, p, data)
				continue
			}
			add(called, p, text)
			of[called] = doc.At("metadata", "labels", "app.kubernetes.io/name").Str()
		}
	}
	return all, from, of
}

// unmarked is the name of an object, and of a Job that has its content in its name the one that stays.
func unmarked(tree *source.Node, kind, name string) string {
	if meta := tree.Get("metadata"); kind == "Job" && meta != nil && meta.Get("labels") != nil {
		if n := meta.Get("labels").Get("app.kubernetes.io/name"); n != nil && strings.HasPrefix(name, n.Text+"-") {
			meta.Set("name", source.Made("!!str", n.Text))
			return n.Text
		}
	}
	return name
}

// inSecret reports whether a piece is what a Secret holds.
func inSecret(p string) bool { return strings.HasPrefix(p, "Secret/") && strings.Count(p, "/") > 1 }

// ofVariables reports whether it is a Secret of variables, or of a role of the database: each of its keys is one value.
func ofVariables(p string) bool {
	return inSecret(p) && (strings.HasSuffix(path.Dir(p), "-env") || path.Ext(p) == "")
}
