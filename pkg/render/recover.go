package render

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/manifests"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// Place is where a rendered tree holds a secret: a file, and in a structured one the keys that lead to it.
type Place struct {
	File string
	Keys []string // nil: the text of the file
	// Before and After stand around the secret in the value.
	Before, After string
}

// whole reports that the value is the secret and nothing else, but for the line break that ends a file.
func (p Place) whole() bool { return p.Before == "" && strings.TrimSpace(p.After) == "" }

// marked renders the spec with a placeholder for each secret that no other one has: where a secret ends up, the
// templates alone know.
func marked(s *spec.Spec, copies []Copy) (*Bundle, *secret.Set, error) {
	needs := Needs(s)
	for i, n := range needs {
		if n.Kind == component.External && n.Form == nil {
			needs[i].Example = "placeholder-" + n.Name
		}
	}
	set := secret.Placeholders(needs)
	st := Resolve(s, set, "/DIR")
	st.Files = copies
	b, err := Render(s, st, set.Get)
	return b, set, err
}

// places finds where the placeholders ended up, by the names of their secrets.
func (b *Bundle) places(needs []secret.Need, set *secret.Set) map[string][]Place {
	found := make(map[string][]Place)
	look := func(file string, keys []string, text string) {
		for _, n := range needs {
			mark := set.Get(n.Name)
			before, after, ok := strings.Cut(text, mark)
			// A short placeholder, such as that of a number, may stand in a longer text by chance.
			if mark == "" || !ok || len(mark) < 16 && strings.TrimSpace(before+after) != "" {
				continue
			}
			found[n.Name] = append(found[n.Name], Place{file, keys, before, after})
		}
	}
	for _, f := range b.Files {
		switch path.Ext(f.Path) {
		case ".yaml", ".yml", ".json":
			doc, problem := source.Parse(f.Path, f.Data)
			if problem == nil {
				leaves(doc.Root(), func(v source.Value) { look(f.Path, v.Keys(), v.Str()) })
			}
		case ".md", ".sql", ".config", ".gitignore":
		default:
			look(f.Path, nil, string(f.Data))
		}
	}
	return found
}

func leaves(v source.Value, visit func(source.Value)) {
	switch v.Kind() {
	case source.Scalar:
		visit(v)
	case source.Sequence:
		for _, item := range v.Items() {
			leaves(item, visit)
		}
	case source.Mapping:
		for _, val := range v.Entries() {
			leaves(val, visit)
		}
	}
}

var (
	errNowhere = errors.New("it stands in no file of the directory")
	errDiffer  = errors.New("the files of the directory hold different values")
	errForm    = errors.New("what stands in its place is no valid value")
)

// Recover reads the secrets of the spec back from a tree that was rendered from it, with the files that it copies. What cannot be read back
// has an error that says why.
func Recover(s *spec.Spec, tree fs.FS, copies []Copy) (values map[string]string, missing map[string]error, err error) {
	b, set, err := marked(s, copies)
	if err != nil {
		return nil, nil, err
	}
	if s.OnKubernetes() {
		b.Files = apart(b.FS())
		tree = (&Bundle{Files: apart(tree)}).FS()
	}
	places := b.places(Needs(s), set)
	r := &recovery{tree: tree, rendered: b.FS(), homeserver: "config/matrix/homeserver.yaml", docs: make(map[string][2]*source.File)}
	if s.OnKubernetes() {
		r.homeserver = "Secret/matrix/homeserver.yaml"
	}
	values, missing = make(map[string]string), make(map[string]error)
	for _, n := range Needs(s) {
		value, err := r.value(n, places[n.Name])
		switch {
		case err == nil:
			values[n.Name] = value
		case n.Kind != component.OldKeys:
			missing[n.Name] = err
		}
	}
	return values, missing, nil
}

// apart are the files of a tree, those of manifests taken apart: what a Secret holds is a file of its own.
func apart(tree fs.FS) (files []File) {
	_ = fs.WalkDir(tree, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || strings.HasPrefix(name, manifest.Dir+"/") {
			return nil
		}
		data, err := source.ReadFS(tree, name)
		if err != nil {
			return nil //nolint:nilerr // what cannot be read holds no secret that is found
		}
		pieces := manifests.Pieces(name, data)
		for _, p := range pieces {
			files = append(files, File{Path: p.Path, Data: p.Data})
		}
		if pieces == nil {
			files = append(files, File{Path: name, Data: data})
		}
		return nil
	})
	return files
}

type recovery struct {
	tree, rendered fs.FS
	homeserver     string                     // where Synapse's configuration is
	docs           map[string][2]*source.File // as rendered with placeholders, and as it lies there
}

func (r *recovery) value(n secret.Need, places []Place) (string, error) {
	if n.Kind == component.OldKeys {
		return r.oldKeys()
	}
	// Where a value stands alone it stands as it is; within a URL or a line it may be escaped.
	slices.SortStableFunc(places, func(a, b Place) int {
		switch {
		case a.whole() == b.whole():
			return 0
		case a.whole():
			return -1
		}
		return 1
	})
	value, whole := "", false
	for _, p := range places {
		if value != "" && whole && !p.whole() {
			break
		}
		got, ok := r.at(p)
		switch {
		case !ok:
		case value == "":
			value, whole = got, p.whole()
		case got != value:
			return "", errDiffer
		}
	}
	switch {
	case value == "":
		return "", errNowhere
	case n.Check(value) != nil:
		return "", errForm
	}
	return value, nil
}

// at reads one place.
func (r *recovery) at(p Place) (string, bool) {
	text := ""
	if p.Keys == nil {
		src, err := source.ReadFS(r.tree, p.File)
		if err != nil {
			return "", false
		}
		text = string(src)
	} else {
		v := r.find(p)
		if v.Kind() != source.Scalar {
			return "", false
		}
		text = v.Str()
	}
	if p.Keys == nil && strings.HasSuffix(p.Before, `"`) && strings.HasPrefix(p.After, `"`) { // as it is quoted there
		p.Before, p.After = strings.TrimSuffix(p.Before, `"`), strings.TrimPrefix(p.After, `"`)
		if inner, ok := strings.CutPrefix(text, p.Before); ok {
			if inner, ok = strings.CutSuffix(inner, p.After); ok {
				inner, err := strconv.Unquote(inner)
				return inner, err == nil && inner != ""
			}
		}
		return "", false
	}
	text, ok := strings.CutPrefix(text, p.Before)
	if ok {
		text, ok = strings.CutSuffix(text, p.After)
	}
	if p.File == "docker-compose.yml" {
		text = strings.ReplaceAll(text, "$$", "$")
	}
	return text, ok && text != ""
}

// find goes the way of the place in the file as it lies there. In a list it takes the item that is most like
// the rendered one, as the list may have had more items then.
func (r *recovery) find(p Place) source.Value {
	pair, known := r.docs[p.File]
	if !known {
		for i, tree := range []fs.FS{r.rendered, r.tree} {
			if src, err := source.ReadFS(tree, p.File); err == nil {
				pair[i], _ = source.Parse(p.File, src)
			}
		}
		r.docs[p.File] = pair
	}
	if pair[0] == nil || pair[1] == nil {
		return source.Value{}
	}
	want, there := pair[0].Root(), pair[1].Root()
	for _, key := range p.Keys {
		if want.Kind() == source.Sequence {
			if i := likest(want.At(key), there); i >= 0 {
				there = there.At(strconv.Itoa(i))
			} else {
				there = source.Value{}
			}
		} else {
			there = there.At(key)
		}
		want = want.At(key)
	}
	return there
}

func likest(want, list source.Value) int {
	best, score := -1, 0
	for i, item := range list.Items() {
		if want.Kind() != source.Mapping {
			if strconv.Itoa(i) == want.Name() {
				return i
			}
			continue
		}
		same := 0
		for k, v := range want.Entries() {
			if v.Equal(item.At(k.Str())) {
				same++
			}
		}
		if same > score {
			best, score = i, same
		}
	}
	return best
}

// oldKeys are public, and Synapse's configuration has them in a form of its own.
func (r *recovery) oldKeys() (string, error) {
	src, err := source.ReadFS(r.tree, r.homeserver)
	if err != nil {
		return "", errNowhere
	}
	f, _ := source.Parse("", src)
	var lines []string
	for id, v := range f.At("old_signing_keys").Entries() {
		lines = append(lines, strings.Join([]string{id.Str(), v.At("key").Str(), v.At("expired_ts").Str()}, " "))
	}
	text := strings.Join(lines, "\n")
	if keys, err := secret.ParseOldKeys(text); err != nil || len(keys) == 0 {
		return "", errNowhere
	}
	return text, nil
}
