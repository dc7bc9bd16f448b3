package traefik

import (
	"cmp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Setting is one option of Traefik's static configuration: its dotted path as written, without the indexes of lists,
// and its value. Section says that it is a mapping without any keys. Parts are the places of the names in its path, in a file.
type Setting struct {
	Key, Value string
	Section    bool
	Site       source.Site
	Parts      []source.Site
}

// Place is where the last name of a path stands that the setting begins with.
func (s Setting) Place(part string) source.Site {
	if n := strings.Count(part, ".") + 1; n <= len(s.Parts) && strings.Count(s.Key, ".")+1 == len(s.Parts) {
		return s.Parts[n-1]
	}
	return s.Site
}

// Word is one argument of a command line, or one variable as NAME=VALUE, with its place.
type Word struct {
	Text string
	Site source.Site
}

// FlagSettings reads the arguments of the program as its own parser does (paerser, flag.Parse), which stops at the
// first word that belongs to no flag.
func FlagSettings(args []Word) (list []Setting) {
	for i := 0; i < len(args); i++ {
		text := args[i].Text
		name := strings.TrimPrefix(strings.TrimPrefix(text, "-"), "-")
		if len(text) < 2 || text[0] != '-' || name == "" || name[0] == '-' || name[0] == '=' {
			return list
		}
		name, value, given := strings.Cut(name, "=")
		key := unindexed(name)
		switch {
		case given:
		case alone(key):
			value = "true"
		case i+1 < len(args):
			i++
			value = args[i].Text
		}
		list = append(list, Setting{Key: key, Value: value, Site: args[i].Site})
	}
	return list
}

// EnvSettings reads the variables that begin with the name of a section, as the program does (paerser,
// env.FindPrefixedEnvVars); others are nothing to it.
func EnvSettings(vars []Word) (list []Setting) {
	for _, w := range vars {
		name, value, _ := strings.Cut(w.Text, "=")
		key, ours := strings.CutPrefix(name, "TRAEFIK_")
		if !ours || !rooted(key) {
			continue
		}
		list = append(list, Setting{Key: unindexed(strings.ToLower(strings.ReplaceAll(key, "_", "."))), Value: value, Site: w.Site})
	}
	return list
}

// FileSettings reads the configuration file in YAML. A key without a value is not there for Traefik.
func FileSettings(root source.Value) []Setting { return below(root, "", nil) }

func below(v source.Value, key string, parts []source.Site) (list []Setting) {
	switch v.Kind() {
	case source.Mapping:
		for k, val := range v.Entries() {
			if val.Set() {
				list = append(list, below(val, strings.TrimPrefix(key+"."+k.Str(), "."), append(slices.Clip(parts), val.Site("")))...)
			}
		}
		if len(list) == 0 && key != "" {
			list = append(list, Setting{Key: key, Section: true, Site: v.Site(""), Parts: parts})
		}
	case source.Sequence:
		var texts []string
		for _, item := range v.Items() {
			if item.Kind() == source.Scalar {
				texts = append(texts, item.Str())
				continue
			}
			list = append(list, below(item, key, parts)...)
		}
		if len(texts) > 0 || v.Len() == 0 {
			list = append(list, Setting{Key: key, Value: strings.Join(texts, ","), Site: v.Site(""), Parts: parts})
		}
	case source.Scalar:
		list = append(list, Setting{Key: key, Value: v.Str(), Site: v.Site(""), Parts: parts})
	default:
	}
	return list
}

// TOMLSettings reads the configuration file in TOML; ok is false where it is none.
func TOMLSettings(f *source.File) (list []Setting, ok bool) {
	n, err := fromTOML(f)
	if err != nil {
		return nil, false
	}
	return belowNode(n, "", nil), true
}

func belowNode(n *node, key string, parts []source.Site) (list []Setting) {
	var texts []string
	for _, item := range n.items {
		if item.fields == nil {
			texts = append(texts, item.text)
			continue
		}
		list = append(list, belowNode(item, key, parts)...)
	}
	for _, k := range n.keys {
		list = append(list, belowNode(n.at(k), strings.TrimPrefix(key+"."+k, "."), append(slices.Clip(parts), n.at(k).site))...)
	}
	switch {
	case n.fields == nil && (n.items == nil || len(texts) > 0 || len(n.items) == 0):
		list = append(list, Setting{Key: key, Value: n.text + strings.Join(texts, ","), Site: n.site, Parts: parts})
	case len(list) == 0 && key != "":
		list = append(list, Setting{Key: key, Section: true, Site: n.site, Parts: parts})
	}
	return list
}

// unindexed leaves out the [n] of a path.
func unindexed(key string) string {
	for {
		before, rest, ok := strings.Cut(key, "[")
		_, after, closed := strings.Cut(rest, "]")
		if !ok || !closed {
			return key
		}
		key = before + after
	}
}

// first is the first part of a path, and the rest.
func first(key string) (name, rest string) {
	name, rest, _ = strings.Cut(key, ".")
	return cmp.Or(name, key), rest
}
