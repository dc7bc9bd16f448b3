package manifests

import "philipp.info/stackgen/pkg/source"

// mapping is one of keys and values in turn.
func mapping(pairs ...any) *node {
	n := &node{Kind: source.Mapping}
	for i := 0; i+1 < len(pairs); i += 2 {
		n.Set(pairs[i].(string), pairs[i+1].(*node))
	}
	return n
}

func list(items ...*node) *node { return &node{Kind: source.Sequence, Items: items} }

func words(all []string) *node {
	n := list()
	for _, w := range all {
		n.Items = append(n.Items, text(w))
	}
	return n
}

func text(s string) *node   { return source.Made("!!str", s) }
func number(s string) *node { return source.Made("!!int", s) }

func truth(b bool) *node {
	if b {
		return source.Made("!!bool", "true")
	}
	return source.Made("!!bool", "false")
}

// object is one of the API, with its metadata.
func object(version, kind, name, namespace string, more *node) *node {
	meta := mapping("name", text(name))
	if namespace != "" && kind != "Namespace" {
		meta.Set("namespace", text(namespace))
	}
	for _, key := range more.Names() {
		meta.Set(key, more.Get(key))
	}
	return mapping("apiVersion", text(version), "kind", text(kind), "metadata", meta)
}
