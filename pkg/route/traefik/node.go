package traefik

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"philipp.info/stackgen/pkg/source"
)

// node is a value of a file of the file provider, YAML or TOML. Keys are found whatever their case, as Traefik
// does. A nil node is an absent one.
type node struct {
	site   source.Site
	text   string
	items  []*node
	keys   []string
	fields map[string]*node // by lower-case key
}

func (n *node) at(path ...string) *node {
	for _, key := range path {
		if n == nil {
			return nil
		}
		n = n.fields[strings.ToLower(key)]
	}
	return n
}

func (n *node) str() string {
	if n == nil {
		return ""
	}
	return n.text
}

// strs are the texts of a list, or the one of a single value.
func (n *node) strs() (list []string) {
	if n == nil {
		return nil
	}
	if n.items == nil && n.text != "" {
		return strings.Split(n.text, ",")
	}
	for _, item := range n.items {
		list = append(list, item.text)
	}
	return list
}

func (n *node) truth() bool { return strings.EqualFold(n.str(), "true") }

func fromYAML(v source.Value) *node {
	n := &node{site: v.Site(""), text: v.Str()}
	switch v.Kind() {
	case source.Sequence:
		n.items = []*node{}
		for _, item := range v.Items() {
			n.items = append(n.items, fromYAML(item))
		}
	case source.Mapping:
		n.fields = make(map[string]*node)
		for key, val := range v.Entries() {
			n.keys = append(n.keys, key.Str())
			n.fields[strings.ToLower(key.Str())] = fromYAML(val)
		}
	default:
	}
	return n
}

func fromTOML(f *source.File) (*node, error) {
	var tree map[string]any
	if _, err := toml.Decode(string(f.Src), &tree); err != nil {
		return nil, err
	}
	t := &tomlPlaces{file: f, lines: strings.Split(string(f.Src), "\n")}
	return t.node(tree, nil), nil
}

// tomlPlaces finds out where the values of a TOML file stand, by its tables' headings and the keys below them.
type tomlPlaces struct {
	file  *source.File
	lines []string
}

func (t *tomlPlaces) node(v any, path []string) *node {
	n := &node{site: t.site(path)}
	switch v := v.(type) {
	case map[string]any:
		n.keys, n.fields = slices.Sorted(maps.Keys(v)), make(map[string]*node)
		for _, key := range n.keys {
			n.fields[strings.ToLower(key)] = t.node(v[key], append(slices.Clone(path), key))
		}
	case []map[string]any:
		for _, item := range v {
			n.items = append(n.items, t.node(item, path))
		}
	case []any:
		n.items = []*node{}
		for _, item := range v {
			n.items = append(n.items, t.node(item, path))
		}
	default:
		n.text = fmt.Sprint(v)
	}
	return n
}

// site is the line of the heading or key that the path ends in, or the nearest above it.
func (t *tomlPlaces) site(path []string) source.Site {
	best, depth := 1, 0
	var table []string
	for i, line := range t.lines {
		line = strings.TrimSpace(line)
		here := table
		if heading, ok := strings.CutPrefix(line, "["); ok {
			table = tomlKey(strings.Trim(strings.SplitN(heading, "#", 2)[0], "[] \t"))
			here = table
		} else if key, _, ok := strings.Cut(line, "="); ok && !strings.HasPrefix(line, "#") {
			here = append(slices.Clone(table), tomlKey(key)...)
		}
		same := 0
		for same < len(here) && same < len(path) && strings.EqualFold(here[same], path[same]) {
			same++
		}
		if same > depth {
			best, depth = i+1, same
		}
	}
	return t.file.SiteAt(best)
}

func tomlKey(key string) []string {
	var parts []string
	for part := range strings.SplitSeq(key, ".") {
		parts = append(parts, strings.Trim(strings.TrimSpace(part), `"'`))
	}
	return parts
}
