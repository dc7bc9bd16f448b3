package source

import (
	"bytes"
	"strings"

	"gopkg.in/yaml.v3"
	"philipp.info/stackgen/pkg/regex"
)

// flowWidth is how long a mapping or list of several items may be to stand on the line of its key.
const flowWidth = 60

// YAML gives the mapping as a document as a person would write it: quotes where a reader needs them, and what is flat,
// short and not at the top on the line of its key.
func (n *Node) YAML() ([]byte, error) {
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(n.written(0)); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func (n *Node) written(depth int) *yaml.Node {
	y := n.yaml()
	y.Style, y.Anchor = y.Style&yaml.LiteralStyle, ""
	if n.Kind == Scalar {
		y.Style |= quoted(n.Tag, n.Text)
	}
	width, flat := 0, true
	for _, name := range n.names {
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}
		key.Style = quoted(key.Tag, name)
		value := n.values[name].written(depth + 1)
		y.Content = append(y.Content, key, value)
		width += len(name) + 2
	}
	for _, item := range n.Items {
		below := item.written(max(depth, 1) + 1)
		if item.Is(Mapping) && len(below.Content) > 0 {
			below.Style &^= yaml.FlowStyle
		}
		y.Content = append(y.Content, below)
	}
	for i, c := range y.Content {
		of := i%2 == 1 || n.Kind == Sequence
		width += len(c.Value) + 2
		flat = flat && (!of || c.Kind == yaml.ScalarNode && c.Style&yaml.LiteralStyle == 0)
	}
	long := width >= flowWidth && len(n.names) != 1 || depth == 0 || depth == 1 && n.Kind == Mapping
	if n.Kind != Scalar && (len(y.Content) == 0 || flat && !long) {
		y.Style |= yaml.FlowStyle
		for _, c := range y.Content {
			if c.ShortTag() == "!!str" && strings.ContainsAny(c.Value, ":?,[]{}") {
				c.Style = yaml.DoubleQuotedStyle
			}
		}
	}
	return y
}

var unquoted = regex.Of(`^[+-]?[A-Za-z/.][A-Za-z0-9_./@:?=+ -]*$|^[0-9]+\.[0-9]+\.[0-9][A-Za-z0-9.@:-]*$|^[0-9]+([A-Zdhmswy]|-[a-z]+)$`)

// quoted is the style of a text that some reader would take for something else without quotes.
func quoted(tag, text string) yaml.Style {
	switch {
	case tag != "!!str" || strings.Contains(text, "\n"):
		return 0
	case isWord(text) || !unquoted().MatchString(text) || strings.Contains(text, ": ") || strings.HasSuffix(text, ":") || strings.HasSuffix(text, " "):
		return yaml.DoubleQuotedStyle
	}
	return 0 // the encoder knows numbers
}

// Made is a scalar of its own, which stands in no file: a text, number or truth value as YAML writes it.
func Made(tag, text string) *Node { return &Node{Kind: Scalar, Tag: tag, Text: text} }
