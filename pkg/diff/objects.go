package diff

import (
	"path"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/manifests"
	"philipp.info/stackgen/pkg/memfs"
)

// ofManifests reports whether the tree is for a cluster.
func (t Tree) ofManifests() bool { _, ok := t[manifests.Kustomization]; return ok }

// deployment reads a tree as what it is for.
func (t Tree) deployment(known ...*deployment.Deployment) *deployment.Deployment {
	if !t.ofManifests() {
		d, _ := compose.Open(t.fs(), known...)
		return d
	}
	var files []memfs.File
	for p, data := range t {
		if p != manifests.Kustomization { // which leaves the Secrets out where something else makes them
			files = append(files, memfs.File{Path: p, Data: data})
		}
	}
	d, _ := kubernetes.Open(memfs.New(files), known...)
	return d
}

// pieces are the files of a tree as they are compared: those of manifests are taken apart. from says which file each was in, of is the
// service that an object belongs to.
func (t Tree) pieces() (all Tree, from, of map[string]string) {
	all, from, of = make(Tree, len(t)), make(map[string]string), make(map[string]string)
	for p, data := range t {
		var pieces []manifests.Piece
		if t.ofManifests() {
			pieces = manifests.Pieces(p, data)
		}
		if pieces == nil {
			all[p], from[p] = data, p
		}
		for _, piece := range pieces {
			all[piece.Path], from[piece.Path], of[piece.Path] = piece.Data, p, piece.Of
		}
	}
	return all, from, of
}

// inSecret reports whether a piece is what a Secret holds.
func inSecret(p string) bool { return strings.HasPrefix(p, "Secret/") && strings.Count(p, "/") > 1 }

// ofVariables reports whether it is a Secret of variables, or of a role of the database: each of its keys is one value.
func ofVariables(p string) bool {
	return inSecret(p) && (strings.HasSuffix(path.Dir(p), "-env") || path.Ext(p) == "")
}
