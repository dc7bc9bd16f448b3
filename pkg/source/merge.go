package source

import (
	"bytes"
	"errors"
	"regexp"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// Merge lays the mapping over onto the YAML document base and gives the new document: mappings are merged
// key by key, every other value of over replaces the one in base. Comments of base are kept; its aliases
// and merge keys are written out, so that nothing but what over names changes.
func Merge(base []byte, over Value) ([]byte, error) {
	f, problem := Parse("", base)
	if problem != nil {
		return nil, errors.New(problem.Message)
	}
	root := f.Root()
	if root.Kind() != Mapping || over.Kind() != Mapping {
		return nil, errors.New("only mappings can be merged")
	}
	doc := yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{root.node}, HeadComment: f.head, FootComment: f.foot}
	if hasAlias(root.node) {
		doc.Content[0] = expand(root)
	}
	mergeNode(doc.Content[0], over)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func mergeNode(dst *yaml.Node, over Value) {
	for k, v := range over.Entries() {
		i := indexOf(dst, k.Str())
		switch {
		case i < 0:
			dst.Content = append(dst.Content, cloneKey(k), clone(v))
		case v.Kind() == Mapping && dst.Content[i].Kind == yaml.MappingNode:
			mergeNode(dst.Content[i], v)
		default:
			dst.Content[i] = replace(dst.Content[i-1], dst.Content[i], clone(v))
		}
	}
	// An empty flow mapping stays {}, one that was filled reads better as a block.
	if len(dst.Content) > 0 {
		dst.Style &^= yaml.FlowStyle
	}
}

// indexOf finds the value of a key; the last of two equal ones, which is the one that counts.
func indexOf(m *yaml.Node, key string) int {
	for i := len(m.Content) - 2; i >= 0; i -= 2 {
		if m.Content[i].Kind == yaml.ScalarNode && m.Content[i].Value == key {
			return i + 1
		}
	}
	return -1
}

// replace hands the comments of the old value on; what stood beside a single value moves above the key
// when the new one has lines of its own.
func replace(key, old, now *yaml.Node) *yaml.Node {
	if now.Kind == yaml.ScalarNode {
		now.HeadComment, now.LineComment, now.FootComment = old.HeadComment, old.LineComment, old.FootComment
		return now
	}
	for _, c := range []string{old.HeadComment, old.LineComment, old.FootComment} {
		if c != "" {
			key.HeadComment = strings.TrimPrefix(key.HeadComment+"\n"+c, "\n")
		}
	}
	return now
}

func hasAlias(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || slices.ContainsFunc(n.Content, hasAlias)
}

// expand copies a value with its comments and style, but without anchors, aliases and merge keys.
func expand(v Value) *yaml.Node {
	n := *deref(v.node)
	n.Anchor, n.Content = "", nil
	for k, val := range v.Entries() {
		n.Content = append(n.Content, expand(k), expand(val))
	}
	for _, item := range v.Items() {
		n.Content = append(n.Content, expand(item))
	}
	return &n
}

// clone copies a value without anchors, merge keys and comments, in block style, with strings in quotes
// so that no reader takes them for another type.
func clone(v Value) *yaml.Node {
	n := deref(v.node)
	c := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value}
	switch v.Kind() {
	case Null:
		c.Value = "null"
	case Scalar:
		if n.ShortTag() == "!!str" {
			c.Tag, c.Style = "!!str", yaml.DoubleQuotedStyle
		}
	}
	for k, val := range v.Entries() {
		c.Content = append(c.Content, cloneKey(k), clone(val))
	}
	for _, item := range v.Items() {
		c.Content = append(c.Content, clone(item))
	}
	return c
}

func cloneKey(k Value) *yaml.Node {
	c := clone(k)
	if k.Kind() == Scalar && simpleKey(c.Value) {
		c.Style = 0
	}
	return c
}

// simpleKey is a key that every reader takes for that string without quotes.
func simpleKey(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	return plainKey.MatchString(s)
}

var plainKey = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)
