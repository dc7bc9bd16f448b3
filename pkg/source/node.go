package source

import (
	"cmp"
	"slices"

	"gopkg.in/yaml.v3"
)

// Node is a value in the making, put together from the values of several files. Join makes a File of it.
type Node struct {
	Kind Kind
	// Text is that of a scalar. It may differ from what stands at From.
	Text string
	// Tag is a scalar's type as YAML names it, such as !!str; on a value of any kind, a tag that YAML does not define.
	Tag string
	// From is where the value stands, Key where its key does; absent for a list item.
	From, Key Value
	// Unset are the variables in what stands at From that have no value: Text lacks what they stand for.
	Unset []string
	Items []*Node // of a list
	// Mark is for whoever puts nodes together. A file does not show it.
	Mark bool

	names  []string // of a mapping, in order
	values map[string]*Node
}

// Node copies the value with all below it, with aliases and merge keys (<<) followed and keys that are not scalars
// left out.
func (v Value) Node() *Node {
	n := &Node{Kind: v.Kind(), From: v, Key: v.keyValue()}
	if raw := deref(v.node); raw != nil {
		n.Tag = ownTag(raw)
	}
	switch n.Kind {
	case Mapping:
		for k, val := range v.Entries() {
			if k.Kind() == Scalar {
				n.Set(k.Str(), val.Node())
			}
		}
	case Sequence:
		n.Items = make([]*Node, 0, v.Len())
		for _, item := range v.Items() {
			n.Items = append(n.Items, item.Node())
		}
	case Scalar:
		n.Text = v.Str()
		if n.Tag == "" {
			n.Tag = v.tag()
		}
	}
	return n
}

// Behind is what the merge keys of a mapping bring in at a key, whether or not the mapping has that key itself.
func (v Value) Behind(key string) Value {
	n := deref(v.node)
	if n == nil || n.Kind != yaml.MappingNode {
		return Value{}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if isMerge(n.Content[i]) {
			for _, e := range v.mergeEntries(n.Content[i+1], 0) {
				if e[0].Str() == key {
					return e[1]
				}
			}
		}
	}
	return Value{}
}

// ownTag is a tag that YAML does not define; "" for every other one.
func ownTag(n *yaml.Node) string {
	if n.Style&yaml.TaggedStyle != 0 && len(n.Tag) > 1 && n.Tag[0] == '!' && n.Tag[1] != '!' {
		return n.Tag
	}
	return ""
}

func (v Value) keyValue() Value {
	if v.key == nil {
		return Value{}
	}
	return Value{file: v.file, node: v.key, path: v.path}
}

// NewText is a string that takes the place of what stands at from.
func NewText(from *Node, text string) *Node {
	return &Node{Kind: Scalar, Text: text, Tag: "!!str", From: from.From, Key: from.Key, Unset: from.Unset}
}

// NewMapping is an empty mapping in the place of what stands at from.
func NewMapping(from *Node) *Node { return &Node{Kind: Mapping, From: from.From, Key: from.Key} }

// NewList is a list of the items in the place of what stands at from.
func NewList(from *Node, items ...*Node) *Node {
	return &Node{Kind: Sequence, From: from.From, Key: from.Key, Items: items}
}

// Names are the keys of a mapping, in order.
func (n *Node) Names() []string {
	if n == nil {
		return nil
	}
	return n.names
}

// Get goes down by the keys of mappings; nil where there is nothing.
func (n *Node) Get(path ...string) *Node {
	for _, key := range path {
		if n == nil {
			return nil
		}
		n = n.values[key]
	}
	return n
}

// Str is the text of a scalar; "" for everything else, and for nil.
func (n *Node) Str() string {
	if n == nil || n.Kind != Scalar {
		return ""
	}
	return n.Text
}

// Is reports whether the node is of the kind; nil is Absent.
func (n *Node) Is(kind Kind) bool { return n == nil && kind == Absent || n != nil && n.Kind == kind }

// Set makes value what stands at key, in the place of what stood there or at the end.
func (n *Node) Set(key string, value *Node) {
	if n.values == nil {
		n.values = make(map[string]*Node)
	}
	if _, there := n.values[key]; !there {
		n.names = append(n.names, key)
	}
	n.values[key] = value
}

// Delete takes keys out of a mapping.
func (n *Node) Delete(keys ...string) {
	for _, key := range keys {
		delete(n.values, key)
	}
	n.names = slices.DeleteFunc(n.names, func(name string) bool { return n.values[name] == nil })
}

// Clone copies the node with all below it.
func (n *Node) Clone() *Node {
	if n == nil {
		return nil
	}
	c := *n
	c.names, c.values, c.Items = nil, nil, nil
	for _, name := range n.names {
		c.Set(name, n.values[name].Clone())
	}
	if n.Items != nil {
		c.Items = make([]*Node, len(n.Items))
		for i, item := range n.Items {
			c.Items[i] = item.Clone()
		}
	}
	return &c
}

// Equal reports whether two nodes say the same, wherever they stand. Order of keys does not count.
func (n *Node) Equal(o *Node) bool {
	if n == nil || o == nil {
		return n == o
	}
	if n.Kind != o.Kind || n.Text != o.Text || len(n.names) != len(o.names) || len(n.Items) != len(o.Items) {
		return false
	}
	if n.Kind == Scalar && n.Tag != o.Tag {
		return false
	}
	for name, value := range n.values {
		if !value.Equal(o.values[name]) {
			return false
		}
	}
	for i, item := range n.Items {
		if !item.Equal(o.Items[i]) {
			return false
		}
	}
	return true
}

// Size counts the node and all below it, as far as limit.
func (n *Node) Size(limit int) int {
	if n == nil || limit <= 0 {
		return 0
	}
	size := 1
	for _, value := range n.values {
		size += value.Size(limit - size)
	}
	for _, item := range n.Items {
		size += item.Size(limit - size)
	}
	return size
}

// Any gives the node as plain Go data, as Value.Any does.
func (n *Node) Any() any {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case Mapping:
		m := make(map[string]any, len(n.names))
		for name, value := range n.values {
			m[name] = value.Any()
		}
		return m
	case Sequence:
		s := make([]any, 0, len(n.Items))
		for _, item := range n.Items {
			s = append(s, item.Any())
		}
		return s
	case Scalar:
		return Value{node: n.yaml()}.Any()
	}
	return nil
}

// origin is where a node of a joined file stands.
type origin struct {
	value Value
	unset []string
}

// Join makes a file of the tree: values of it have their place, their line and what is secret of it from the file that they
// stand in, and Path within the tree. Path and Src are those of the file that the root stands in.
func Join(root *Node) *File {
	f := &File{from: make(map[*yaml.Node]origin)}
	if own := root.From.File(); own != nil {
		f.Path, f.Src = own.Path, own.Src
	}
	f.root = f.join(root)
	return f
}

func (f *File) join(n *Node) *yaml.Node {
	y := n.yaml()
	f.from[y] = origin{n.From.Origin(), n.Unset} // it may be of a joined file itself
	for _, name := range n.names {
		value := n.values[name]
		key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: name}
		from := value.Key
		if !from.Exists() {
			from = value.From
		}
		f.from[key] = origin{value: from.Origin()}
		y.Content = append(y.Content, key, f.join(value))
	}
	for _, item := range n.Items {
		y.Content = append(y.Content, f.join(item))
	}
	return y
}

// yaml is the node without what is below it. A scalar that is as it stands keeps its quotes.
func (n *Node) yaml() *yaml.Node {
	y := &yaml.Node{Value: n.Text}
	switch n.Kind {
	case Mapping:
		y.Kind, y.Tag = yaml.MappingNode, "!!map"
	case Sequence:
		y.Kind, y.Tag = yaml.SequenceNode, "!!seq"
	case Scalar:
		y.Kind, y.Tag = yaml.ScalarNode, n.Tag
		if raw := deref(n.From.node); raw != nil && raw.Kind == yaml.ScalarNode {
			y.Style = raw.Style &^ yaml.TaggedStyle
			if n.Text == raw.Value {
				y.Anchor = raw.Anchor
			}
		}
	default:
		y.Kind, y.Tag, y.Value = yaml.ScalarNode, "!!null", "null"
	}
	return y
}

// Origin is the value as it stands in its own file; the value itself where it is of one file.
func (v Value) Origin() Value {
	if v.file == nil || v.file.from == nil {
		return v
	}
	if v.node != nil {
		return v.file.from[v.node].value
	}
	f, near := v.file.at(v.near)
	return Value{file: f, near: near, path: v.path}
}

// Unset are the variables in the value that have no value, as a joined tree knows them.
func (v Value) Unset() []string {
	if v.file == nil {
		return nil
	}
	return v.file.from[v.node].unset
}

// at is the file and the node that a node of f stands in.
func (f *File) at(n *yaml.Node) (*File, *yaml.Node) {
	if o, ok := f.from[n]; ok {
		return o.value.file, cmp.Or(o.value.node, o.value.near)
	}
	return f, n
}
