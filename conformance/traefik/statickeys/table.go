package statickeys

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Release is one of Traefik's, such as 3.7.13, with its keys as Read gives them.
type Release struct {
	Version string
	Keys    map[string]string
}

// Table writes the keys of releases, which stand in their order, as pkg/check/keys has them: the path of every key, the
// words for what it takes, and with @ the first release that has it and the first that has it no more.
func Table(releases []Release) string {
	root := newNode()
	paths := make(map[string]bool)
	for _, r := range releases {
		for p := range r.Keys {
			paths[p] = true
		}
	}
	for p := range paths {
		n := root
		for _, name := range strings.FieldsFunc(strings.ReplaceAll(p, "[]", ".[]"), func(c rune) bool { return c == '.' }) {
			if n.below[name] == nil {
				n.below[name] = newNode()
			}
			n = n.below[name]
		}
		n.words = words(p, releases)
	}
	var b strings.Builder
	root.write(&b, "")
	return b.String()
}

// words are the spans of releases that have a key.
func words(path string, releases []Release) string {
	kind := ""
	for _, r := range releases {
		if k, ok := r.Keys[path]; ok && kind != "" && kind != k {
			kind = "any" // one release takes it so, another so
		} else if ok {
			kind = k
		}
	}
	var spans []string
	for i := 0; i < len(releases); {
		has := func(j int) bool { _, ok := releases[j].Keys[path]; return ok }
		if !has(i) {
			i++
			continue
		}
		j := i
		for j < len(releases) && has(j) {
			j++
		}
		from, to := "", ""
		if i > 0 {
			from = releases[i].Version
		}
		if j < len(releases) {
			to = "-" + releases[j].Version
		}
		span := kind
		if from+to != "" {
			span += "@" + from + to
		}
		spans = append(spans, span)
		i = j
	}
	return strings.Join(spans, "|")
}

type node struct {
	words string
	below map[string]*node
}

func newNode() *node { return &node{below: make(map[string]*node)} }

func (n *node) write(b *strings.Builder, indent string) {
	if n.words != "" && len(n.below) > 0 {
		fmt.Fprintf(b, "%s\"\": %s\n", indent, n.words)
	}
	for _, name := range slices.Sorted(maps.Keys(n.below)) {
		below, key := n.below[name], name
		if name == "*" {
			key = `"*"`
		}
		if item := below.below["[]"]; item != nil && len(below.below) == 1 && below.words == "" {
			if len(item.below) == 0 {
				fmt.Fprintf(b, "%s%s: [%s]\n", indent, key, item.words)
				continue
			}
			fmt.Fprintf(b, "%s%s:\n%s  -\n", indent, key, indent)
			item.write(b, indent+"    ")
			continue
		}
		if len(below.below) == 0 {
			fmt.Fprintf(b, "%s%s: %s\n", indent, key, below.words)
			continue
		}
		fmt.Fprintf(b, "%s%s:\n", indent, key)
		below.write(b, indent+"  ")
	}
}
