package source

import (
	"bytes"
	"strings"

	"gopkg.in/yaml.v3"
)

// Placed is a text that stands at a line and column of a file that is no YAML. With items, the value is the list that
// the text is taken apart into. A site of it shows the text alone.
func Placed(path string, line, col int, text string, items ...string) Value {
	at := func(kind yaml.Kind, text string, below ...*yaml.Node) *yaml.Node {
		return &yaml.Node{Kind: kind, Tag: "!!str", Value: text, Line: line, Column: col, Content: below}
	}
	text, _, _ = strings.Cut(text, "\n")
	f := &File{Path: path, root: at(yaml.ScalarNode, text)}
	f.Src = append(bytes.Repeat([]byte("\n"), max(line-1, 0)), strings.Repeat(" ", max(col-1, 0))+text...)
	if items == nil {
		return f.Root()
	}
	list := at(yaml.SequenceNode, "")
	list.Tag = "!!seq"
	for _, item := range items {
		list.Content = append(list.Content, at(yaml.ScalarNode, item))
	}
	return Value{file: f, node: list}
}
