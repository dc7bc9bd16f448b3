package source

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Kind is the shape of a value.
type Kind int

// The kinds. Absent is a value that is not in the file.
const (
	Absent Kind = iota
	Null
	Scalar
	Sequence
	Mapping
)

// String names the kind in words for an error text.
func (k Kind) String() string {
	return [...]string{"nothing", "null", "a single value", "a list", "a mapping"}[k]
}

// Value is a cursor on one place of a File. The zero Value and every value that is not in the file are
// absent: all methods work on them, and Pos answers with the nearest parent that exists, so that a
// finding about something missing has a place too. Aliases and merge keys (<<) are followed.
type Value struct {
	file *File
	node *yaml.Node
	key  *yaml.Node // the key node, when the value is an entry of a mapping
	near *yaml.Node // for an absent value: the nearest parent
	path []string
}

func deref(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// Kind gives the shape of the value.
func (v Value) Kind() Kind {
	n := deref(v.node)
	switch {
	case n == nil:
		return Absent
	case n.Kind == yaml.MappingNode:
		return Mapping
	case n.Kind == yaml.SequenceNode:
		return Sequence
	case n.ShortTag() == "!!null":
		return Null
	}
	return Scalar
}

// Exists reports whether the value stands in the file. A null exists.
func (v Value) Exists() bool { return v.node != nil }

// Set reports whether the value stands in the file and is not null.
func (v Value) Set() bool { return v.Kind() > Null }

// File is the file that the value stands in; nil for the zero Value.
func (v Value) File() *File {
	if v.file == nil {
		return nil
	}
	f, _ := v.file.at(cmp.Or(v.node, v.near))
	return f
}

// Path is the keys and list indexes from the root to the value, as one dotted word.
func (v Value) Path() string { return strings.Join(v.path, ".") }

// Keys is the keys and list indexes from the root to the value.
func (v Value) Keys() []string { return v.path }

// Name is the last key or index on the path.
func (v Value) Name() string {
	if len(v.path) == 0 {
		return ""
	}
	return v.path[len(v.path)-1]
}

// At goes down by mapping keys, or by list indexes written as decimal numbers.
func (v Value) At(path ...string) Value {
	full := append(slices.Clip(v.path), path...)
	for i, key := range path {
		v = v.child(key, full[:len(full)-len(path)+i+1])
	}
	return v
}

// child is the value at key; path leads to it.
func (v Value) child(key string, path []string) Value {
	c := Value{file: v.file, near: v.near, path: path}
	if v.node == nil {
		return c
	}
	c.near = v.node
	if v.key != nil {
		c.near = v.key
	}
	switch v.Kind() {
	case Mapping:
		if val, ok := v.lookup(key); ok {
			val.path = path
			return val
		}
	case Sequence:
		if i, err := strconv.Atoi(key); err == nil && i >= 0 && i < len(deref(v.node).Content) {
			c.node = deref(v.node).Content[i]
		}
	}
	return c
}

// lookup finds an entry without building all of them, as most mappings have no merge keys.
func (v Value) lookup(key string) (Value, bool) {
	content := deref(v.node).Content
	merges := false
	for i := len(content) - 2; i >= 0; i -= 2 {
		k := deref(content[i])
		merges = merges || isMerge(content[i])
		if k.Kind == yaml.ScalarNode && k.Value == key && k.ShortTag() != "!!null" && !isMerge(content[i]) {
			return Value{file: v.file, node: content[i+1], key: content[i]}, true
		}
	}
	if merges {
		for k, val := range v.Entries() {
			if k.Kind() == Scalar && k.Str() == key {
				return val, true
			}
		}
	}
	return Value{}, false
}

// Entries yields key and value of a mapping in the order of the file, with merge keys (<<) replaced by
// what they bring in; a key of the mapping itself wins over a merged one, and the last of two equal keys
// wins, as in PyYAML. Nothing for other kinds.
func (v Value) Entries() iter.Seq2[Value, Value] {
	return func(yield func(Value, Value) bool) {
		for _, e := range v.entries(0) {
			if !yield(e[0], e[1]) {
				return
			}
		}
	}
}

func (v Value) entries(depth int) [][2]Value {
	n := deref(v.node)
	if n == nil || n.Kind != yaml.MappingNode || depth > 100 {
		return nil
	}
	out, at := make([][2]Value, 0, len(n.Content)/2), make(map[keyID]int, len(n.Content)/2)
	var merged [][2]Value
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, val := n.Content[i], n.Content[i+1]
		if isMerge(k) {
			merged = append(merged, v.mergeEntries(val, depth)...)
			continue
		}
		e := v.entry(k, val)
		id := e[0].id()
		if j, ok := at[id]; ok {
			out[j] = e
			continue
		}
		at[id] = len(out)
		out = append(out, e)
	}
	for _, e := range merged {
		if _, ok := at[e[0].id()]; !ok {
			at[e[0].id()] = len(out)
			out = append(out, e)
		}
	}
	return out
}

// keyID tells keys apart, also those that are not a scalar and have no Str.
type keyID struct {
	kind Kind
	text string
}

func (v Value) id() keyID {
	if v.Kind() == Scalar {
		return keyID{Scalar, v.Str()}
	}
	return keyID{v.Kind(), fmt.Sprint(v.Any())}
}

func (v Value) entry(k, val *yaml.Node) [2]Value {
	path := append(slices.Clip(v.path), deref(k).Value)
	return [2]Value{{file: v.file, node: k, path: path}, {file: v.file, node: val, key: k, path: path}}
}

func (v Value) mergeEntries(val *yaml.Node, depth int) [][2]Value {
	m := Value{file: v.file, node: val, path: v.path}
	if m.Kind() != Sequence {
		return m.entries(depth + 1)
	}
	var out [][2]Value
	for _, item := range deref(val).Content {
		out = append(out, Value{file: v.file, node: item, path: v.path}.entries(depth+1)...)
	}
	return out
}

func isMerge(k *yaml.Node) bool { return k.Kind == yaml.ScalarNode && k.ShortTag() == "!!merge" }

// Len is the number of list items or mapping entries; 0 for other kinds.
func (v Value) Len() int {
	switch v.Kind() {
	case Sequence:
		return len(deref(v.node).Content)
	case Mapping:
		return len(v.entries(0))
	}
	return 0
}

// Items gives the items of a list; nil for other kinds.
func (v Value) Items() []Value {
	if v.Kind() != Sequence {
		return nil
	}
	n := deref(v.node)
	items := make([]Value, len(n.Content))
	for i, c := range n.Content {
		items[i] = Value{file: v.file, node: c, path: append(slices.Clip(v.path), strconv.Itoa(i))}
	}
	return items
}

// Pos is where the value starts; for an absent one the nearest parent; for the zero Value the zero Pos.
func (v Value) Pos() Pos {
	n := v.node
	if n == nil {
		n = v.near
	}
	return v.pos(n)
}

// KeyPos is where the key of a mapping entry starts, Pos for every other value.
func (v Value) KeyPos() Pos {
	if v.key != nil {
		return v.pos(v.key)
	}
	return v.Pos()
}

func (v Value) pos(n *yaml.Node) Pos {
	if v.file == nil {
		return Pos{}
	}
	f, n := v.file.at(n)
	if n == nil {
		return Pos{File: f.Path, Line: 1, Col: 1}
	}
	return Pos{File: f.Path, Line: n.Line, Col: n.Column}
}

// Site makes the value a place of a finding: the position of its key if it has one, and the masked line.
func (v Value) Site(note string) Site {
	p := v.KeyPos()
	s := Site{Pos: p, Note: note}
	if v.file != nil {
		f, _ := v.file.at(cmp.Or(v.key, v.node, v.near))
		s.Snippet = func() string { return f.Snippet(p.Line) }
	}
	return s
}

// Duplicate is a mapping key that stands twice: the second one, and where the first is.
type Duplicate struct {
	Key   Value
	First Pos
}

// RawKeys gives, for a mapping, its keys as written: repeated keys, merge keys, and keys that are not
// scalars. Strict readers use it to refuse what Entries resolves in silence.
func (v Value) RawKeys() (dups []Duplicate, merges, complexKeys []Value) {
	n := deref(v.node)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil, nil, nil
	}
	first := make(map[string]Pos)
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := v.entry(n.Content[i], n.Content[i+1])[0]
		switch p, seen := first[key.Str()]; {
		case isMerge(n.Content[i]):
			merges = append(merges, key)
		case key.Kind() != Scalar:
			complexKeys = append(complexKeys, key)
		case seen:
			dups = append(dups, Duplicate{Key: key, First: p})
		default:
			first[key.Str()] = key.Pos()
		}
	}
	return dups, merges, complexKeys
}

// BadMerges gives the keys << of a mapping that bring in something else than a mapping or a list of them: Entries
// passes over it, and decoders refuse it.
func (v Value) BadMerges() []Value {
	n := deref(v.node)
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	var bad []Value
	for i := 0; i+1 < len(n.Content); i += 2 {
		if !isMerge(n.Content[i]) {
			continue
		}
		brings := Value{node: n.Content[i+1]}
		all := brings.Kind() == Mapping || brings.Kind() == Sequence
		for _, item := range brings.Items() {
			all = all && item.Kind() == Mapping
		}
		if !all {
			bad = append(bad, v.entry(n.Content[i], n.Content[i+1])[0])
		}
	}
	return bad
}

// Secret reports whether the value is a scalar that is or may be a secret, as Snippet judges it.
func (v Value) Secret() bool {
	if v.file == nil {
		return false
	}
	v.file.once.Do(v.file.index)
	if (scalar{uses: v.file.uses[deref(v.node)]}).secret() {
		return true
	}
	return v.file.from != nil && v.Origin().Secret()
}

// Secrets gives the texts of the file that are or may be secrets.
func (f *File) Secrets() []string {
	f.once.Do(f.index)
	var texts []string
	for n, uses := range f.uses {
		if (scalar{uses: uses}).secret() {
			texts = append(texts, cmp.Or(n.Value, n.Anchor))
		}
	}
	return texts
}
