package source

import (
	"bytes"
	"slices"

	"gopkg.in/yaml.v3"
)

// spaced gives the text that root was encoded to the blank lines of the text that root was read from, which
// the encoder drops: those above a key or an item and the comments that belong to it, and those at the end.
func spaced(before []byte, root *yaml.Node, after []byte) []byte {
	if bytes.ContainsAny(before, otherBreaks) || bytes.ContainsAny(after, otherBreaks) {
		return after // no template has them, and they would have to be counted as YAML does
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(after, &doc); err != nil || len(doc.Content) == 0 {
		return after
	}
	was, is := bytes.SplitAfter(before, []byte("\n")), bytes.SplitAfter(after, []byte("\n"))
	blank := make(map[int]int) // above the line with that index
	pairLines(root, doc.Content[0], func(from, to int) {
		top := aboveComments(is, to-1)
		if n := blanksAbove(was, aboveComments(was, from-1)); blanksAbove(is, top) == 0 {
			blank[top] = n
		}
	})
	var out bytes.Buffer
	for i, line := range is {
		out.Write(bytes.Repeat([]byte("\n"), blank[i]))
		out.Write(line)
	}
	if end := len(is) - 1; blanksAbove(is, end) == 0 {
		out.Write(bytes.Repeat([]byte("\n"), blanksAbove(was, len(was)-1)))
	}
	return out.Bytes()
}

// otherBreaks end a line for YAML 1.1.
const otherBreaks = "\r\u0085\u2028\u2029"

// pairLines calls visit with the lines, counted from 1, of each key and item that stands in both trees, which are of
// one shape: root as it was read and changed, and as it was encoded.
func pairLines(root, encoded *yaml.Node, visit func(from, to int)) {
	for i, n := range root.Content {
		if i >= len(encoded.Content) {
			return
		}
		to := encoded.Content[i]
		// What was added has no line. Only what begins a line in both has something above it.
		starts := root.Kind == yaml.SequenceNode || i%2 == 0
		if flow := (root.Style | encoded.Style) & yaml.FlowStyle; starts && flow == 0 && n.Line > 0 && to.Line > 0 {
			visit(n.Line, to.Line)
		}
		pairLines(n, to, visit)
	}
}

// aboveComments gives the index of the first of the comment lines right above the line with index i, or i. Such a
// comment is indented as the line is; the text of a block scalar that looks like one is indented deeper.
func aboveComments(lines [][]byte, i int) int {
	indent := func(line []byte) int { return len(line) - len(bytes.TrimLeft(line, " ")) }
	depth := indent(lines[i])
	for i > 0 && indent(lines[i-1]) == depth && lines[i-1][depth] == '#' {
		i--
	}
	return i
}

// blanksAbove counts the blank lines right above the line with index i.
func blanksAbove(lines [][]byte, i int) int {
	above := lines[:i]
	last := -1
	for j, line := range slices.Backward(above) {
		if len(bytes.TrimSpace(line)) > 0 {
			last = j
			break
		}
	}
	return len(above) - 1 - last
}
