package project

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// merge lays over onto base, as Compose does at that place of the tree. Both may be used up.
func (r *reader) merge(base, over *source.Node, at *rule) *source.Node {
	if at.merge != nil {
		return at.merge(r, base, over, at)
	}
	return r.mergePlain(base, over, at)
}

func (r *reader) mergePlain(base, over *source.Node, at *rule) *source.Node {
	switch {
	case over.Kind == source.Null:
		return base
	case base.Kind != source.Mapping && base.Kind != source.Sequence:
		return over
	case base.Kind != over.Kind:
		r.fault(fmt.Sprintf("Compose cannot lay %s over %s", over.Kind, base.Kind), "write it in the form that it has in the other file", over.From.Site(""), base.From.Site("what it is laid over"))
		return over
	case base.Kind == source.Mapping:
		return r.mergeMapping(base, over, at)
	}
	return appendNew(base, over)
}

func (r *reader) mergeMapping(base, over *source.Node, at *rule) *source.Node {
	for _, name := range over.Names() {
		theirs, ours := base.Get(name), over.Get(name)
		if theirs == nil {
			base.Set(name, ours)
			continue
		}
		merged := r.merge(theirs, ours, at.at(name))
		if !merged.Key.Exists() {
			merged.Key = ours.Key
		}
		base.Set(name, merged)
	}
	return base
}

// appendNew appends the items that are not there yet in the same words.
func appendNew(base, over *source.Node) *source.Node {
	seen := make(map[string]bool, len(base.Items))
	for _, item := range base.Items {
		seen[words(item)] = true
	}
	for _, item := range over.Items {
		if w := words(item); !seen[w] {
			seen[w] = true
			base.Items = append(base.Items, item)
		}
	}
	return base
}

// words is a text that two nodes share when they say the same.
func words(n *source.Node) string {
	if n.Kind == source.Scalar && n.Mark {
		return "spelt out " + n.Tag + n.Text
	}
	if n.Kind == source.Scalar {
		return n.Tag + n.Text
	}
	return fmt.Sprintf("%d%v", n.Kind, n.Any())
}

func replace(_ *reader, _, over *source.Node, _ *rule) *source.Node { return over }

// mergeLogging merges the options of one driver; another driver has other ones.
func mergeLogging(r *reader, base, over *source.Node, at *rule) *source.Node {
	theirs, ours := base.Get("driver"), over.Get("driver")
	if theirs == nil || ours == nil || theirs.Str() == ours.Str() {
		return r.mergePlain(base, over, at)
	}
	return over
}

func mergeUlimit(r *reader, base, over *source.Node, at *rule) *source.Node {
	if base.Kind == source.Mapping && over.Kind == source.Mapping {
		return r.mergeMapping(base, over, at)
	}
	return over
}

func mergeBuild(r *reader, base, over *source.Node, at *rule) *source.Node {
	return r.mergeMapping(asBuild(base), asBuild(over), at)
}

func asBuild(n *source.Node) *source.Node {
	if n.Kind == source.Mapping {
		return n
	}
	m := source.NewMapping(n)
	if n.Kind == source.Scalar && n.Tag == "!!str" {
		context := source.NewText(n, n.Text)
		context.Key = source.Value{}
		m.Set("context", context)
	}
	return m
}

func mergeDependsOn(r *reader, base, over *source.Node, at *rule) *source.Node {
	return r.mergeMapping(asNames(base, started), asNames(over, started), at)
}

// started is what a name in depends_on stands for.
func started(n *source.Node) *source.Node {
	m := source.NewMapping(n)
	m.Key = source.Value{}
	demand(m)
	return m
}

// demand writes out what an entry of depends_on does not say.
func demand(n *source.Node) {
	for key, text := range map[string]string{"condition": "service_started", "required": "true"} {
		if n.Get(key) == nil {
			value := source.NewText(n, text)
			if value.Key = (source.Value{}); key == "required" {
				value.Tag = "!!bool"
			}
			n.Set(key, value)
		}
	}
}

// long are the lists whose items Compose turns into their long form once a file is read. A short one laid over them then
// is another one, even in the same words.
var long = []string{"volumes", "ports", "devices", "secrets", "configs", "env_file"}

// spellOut is what Compose does to a file before another is laid over it, as far as that shows afterwards: it marks the
// items that are in their long form there, and writes out in depends_on what that says by default.
func spellOut(root *source.Node) {
	for _, section := range []string{"services", "jobs"} {
		for _, name := range root.Get(section).Names() {
			s := root.Get(section, name)
			for _, key := range long {
				if list := s.Get(key); list != nil {
					for _, item := range items(list) {
						item.Mark = true
					}
				}
			}
			on := s.Get("depends_on")
			if on == nil {
				continue
			}
			on = asNames(on, started)
			for _, name := range on.Names() {
				if on.Get(name).Kind == source.Mapping {
					demand(on.Get(name))
				}
			}
			s.Set("depends_on", on)
		}
	}
}

func mergeNames(r *reader, base, over *source.Node, at *rule) *source.Node {
	return r.mergeMapping(asNames(base, null), asNames(over, null), at)
}

func null(n *source.Node) *source.Node { return &source.Node{Kind: source.Null, From: n.From} }

// asNames is a list of names as a mapping, with the value that each stands for.
func asNames(n *source.Node, value func(*source.Node) *source.Node) *source.Node {
	if n.Kind == source.Mapping {
		return n
	}
	m := source.NewMapping(n)
	for _, item := range items(n) {
		m.Set(item.Str(), value(item))
	}
	return m
}

// items are those of a list, or a single string as one.
func items(n *source.Node) []*source.Node {
	if n.Kind == source.Scalar && n.Tag == "!!str" {
		return []*source.Node{n}
	}
	return n.Items
}

// mergeList appends to what may be a list, one value, or a mapping that stands for a list of key=value.
func mergeList(_ *reader, base, over *source.Node, _ *rule) *source.Node {
	return appendNew(asList(base), asList(over))
}

func asList(n *source.Node) *source.Node {
	if n.Kind != source.Mapping {
		return source.NewList(n, items(n)...)
	}
	list := source.NewList(n)
	for _, name := range n.Names() {
		value := n.Get(name)
		switch value.Kind {
		case source.Null:
			list.Items = append(list.Items, source.NewText(value, name))
		case source.Sequence:
			for _, item := range value.Items {
				list.Items = append(list.Items, source.NewText(item, name+"="+formatted(item)))
			}
		default:
			list.Items = append(list.Items, source.NewText(value, name+"="+formatted(value)))
		}
	}
	slices.SortStableFunc(list.Items, func(a, b *source.Node) int { return strings.Compare(a.Text, b.Text) })
	return list
}

// formatted is a scalar as Compose writes it into a text.
func formatted(n *source.Node) string {
	if n.Tag == "!!str" {
		return n.Text
	}
	return fmt.Sprint(n.Any())
}

// mergeKeyed lays lists of key=value or mappings over each other by their keys. Two lists stay one.
func mergeKeyed(_ *reader, base, over *source.Node, _ *rule) *source.Node {
	if base.Kind == source.Sequence && over.Kind == source.Sequence {
		return distinct(source.NewList(base, slices.Concat(base.Items, over.Items)...), keyOf)
	}
	base, over = pairs(base), pairs(over)
	for _, name := range over.Names() {
		base.Set(name, over.Get(name))
	}
	return base
}

// pairs is a list of key=value as a mapping. A key without a value has null, as in a mapping.
func pairs(n *source.Node) *source.Node {
	if n.Kind == source.Mapping {
		return n
	}
	m := source.NewMapping(n)
	for _, item := range items(n) {
		key, val, ok := strings.Cut(formatted(item), "=")
		value := source.NewText(item, val)
		if !ok {
			value.Kind, value.Text, value.Tag = source.Null, "", ""
		}
		m.Set(key, value)
	}
	return m
}

// mergeIPAM merges address pools by their subnets, in the way of Compose: each of over is met by each of base.
func mergeIPAM(r *reader, base, over *source.Node, at *rule) *source.Node {
	list := source.NewList(over)
	subnet := func(n *source.Node) string { return n.Get("subnet").Str() }
	find := func(name string) int {
		return slices.IndexFunc(list.Items, func(n *source.Node) bool { return subnet(n) == name })
	}
	for _, theirs := range base.Items {
		theirs = asNames(theirs, null)
		for _, ours := range over.Items {
			ours = asNames(ours, null)
			if subnet(ours) != subnet(theirs) && find(subnet(ours)) < 0 {
				list.Items = append(list.Items, ours)
				continue
			}
			merged := r.mergeMapping(theirs, ours.Clone(), at)
			if i := find(subnet(merged)); i >= 0 {
				list.Items[i] = merged
			} else {
				list.Items = append(list.Items, merged)
			}
		}
	}
	return list
}

// unify keeps one item of each key in the lists that have keys: the last one, where the first one stood.
func unify(n *source.Node, at *rule) {
	if n == nil {
		return
	}
	for _, name := range n.Names() {
		next := at.at(name)
		if next == nowhere {
			continue
		}
		unify(n.Get(name), next)
	}
	if n.Kind == source.Sequence && at.keys != nil {
		n.Items = distinct(n, at.keys).Items
	}
}

func distinct(list *source.Node, keys func(*source.Node) []string) *source.Node {
	index := make(map[string]int, len(list.Items))
	kept := make([]*source.Node, 0, len(list.Items))
	for _, item := range list.Items {
		of := keys(item)
		for i, part := range apart(item, of, index) {
			key := of[0]
			if len(of) > 1 {
				key = of[i]
			}
			j, there := index[key]
			if there {
				kept[j] = part
				continue
			}
			index[key] = len(kept)
			kept = append(kept, part)
		}
	}
	list.Items = kept
	return list
}
