package manifests

import (
	"encoding/base64"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Piece is one object of a manifest as a file, KIND/NAME.yaml, or one file that a Secret or ConfigMap holds, KIND/NAME/KEY, as the
// deployment has it that is read from the manifest.
type Piece struct {
	Path string
	Data []byte
	// Of is the service that an object belongs to; "" where its labels name none, and for what is held.
	Of string
}

// Pieces takes a file apart; nil where it is no manifest that can be. A Secret or ConfigMap is without what it holds, and a Job that has its
// content in its name has the one that stays.
func Pieces(name string, data []byte) (all []Piece) {
	if path.Ext(name) != ".yaml" {
		return nil
	}
	docs, problem := source.ParseAll(name, data)
	if problem != nil {
		return nil
	}
	for _, doc := range docs {
		kind, name := doc.At("kind").Str(), doc.At("metadata", "name").Str()
		if kind == "" || name == "" {
			return nil
		}
		tree, of := doc.Root().Node(), doc.At("metadata", "labels", nameLabel).Str()
		if kind == "Secret" || kind == "ConfigMap" {
			for _, where := range []string{"data", "stringData", "binaryData"} {
				for key, v := range doc.At(where).Entries() {
					text := []byte(v.Str())
					if where == "binaryData" || where == "data" && kind == "Secret" {
						plain, err := base64.StdEncoding.DecodeString(v.Str())
						if err != nil {
							return nil
						}
						text = plain
					}
					all = append(all, Piece{Path: path.Join(kind, name, key.Str()), Data: append([]byte{}, text...)})
				}
			}
			tree.Delete("data", "stringData", "binaryData")
		}
		if kind == "Job" && of != "" && strings.HasPrefix(name, of+"-") {
			name = of
			tree.Get("metadata").Set("name", text(of))
		}
		out, err := tree.YAML()
		if err != nil {
			return nil
		}
		all = append(all, Piece{Path: kind + "/" + name + ".yaml", Data: out, Of: of})
	}
	return all
}
