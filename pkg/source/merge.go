package source

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	"philipp.info/stackgen/pkg/regex"
)

// Merge lays the mapping over onto the YAML document base and gives the new document: mappings are merged
// key by key, every other value of over replaces the one in base. A key `+name` appends its list to the list name,
// and `-name` removes name; see Operator. Comments and blank lines of base are
// kept; its aliases and merge keys are written out, so that nothing but what over names changes. The error is Misfits where over and
// base do not fit.
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
	var m merger
	m.merge(doc.Content[0], over)
	if len(m.misfits) > 0 {
		return nil, m.misfits
	}
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return nil, err
	}
	return spaced(base, doc.Content[0], out.Bytes()), nil
}

// Operator takes the operator off a key of what is laid over: + appends to a list, - removes. It is 0 for a key
// that has none, such as a number with a sign.
func Operator(key string) (op byte, name string) {
	if len(key) > 1 && (key[0] == '+' || key[0] == '-') && !strings.ContainsRune(" \t+-0123456789", rune(key[1])) {
		return key[0], key[1:]
	}
	return 0, key
}

// Misfit is a key of what is laid over that does not fit what it is laid onto.
type Misfit struct {
	At           Value
	Message, Fix string
}

// Misfits are all of them, in the order of the file.
type Misfits []Misfit

func (ms Misfits) Error() string {
	texts := make([]string, len(ms))
	for i, m := range ms {
		texts[i] = m.At.Pos().String() + ": " + m.Message
	}
	return strings.Join(texts, "; ")
}

type merger struct{ misfits Misfits }

func (m *merger) fail(at Value, msg, fix string) {
	m.misfits = append(m.misfits, Misfit{at, msg, fix})
}

func (m *merger) merge(dst *yaml.Node, over Value) {
	for k, v := range over.Entries() {
		op, name := Operator(k.Str())
		i := indexOf(dst, name)
		switch {
		case op == '-':
			m.remove(dst, i, v, name)
		case op == '+':
			m.append(dst, i, k, v, name)
		case i < 0:
			dst.Content = append(dst.Content, cloneKey(k, name), m.clone(v))
		case v.Kind() == Mapping && dst.Content[i].Kind == yaml.MappingNode:
			m.merge(dst.Content[i], v)
		default:
			dst.Content[i] = replace(dst.Content[i-1], dst.Content[i], m.clone(v))
		}
	}
	// An empty flow mapping stays {}, one that was filled reads better as a block.
	if len(dst.Content) > 0 {
		dst.Style &^= yaml.FlowStyle
	} else {
		dst.Style |= yaml.FlowStyle
	}
}

func (m *merger) append(dst *yaml.Node, i int, k, v Value, name string) {
	switch {
	case v.Kind() != Sequence:
		m.fail(v, v.Path()+" must be a list: its items are appended to the list "+name, k.Str()+": […]")
	case i < 0:
		dst.Content = append(dst.Content, cloneKey(k, name), m.clone(v))
	case dst.Content[i].Kind != yaml.SequenceNode && dst.Content[i].ShortTag() != "!!null":
		m.fail(v, fmt.Sprintf("%s appends to %s, which is no list in the rendered file", v.Path(), name), name+": …, to merge or replace it")
	default:
		list := dst.Content[i]
		if list.Kind != yaml.SequenceNode {
			list = &yaml.Node{Kind: yaml.SequenceNode}
			dst.Content[i] = replace(dst.Content[i-1], dst.Content[i], list)
		}
		for _, item := range v.Items() {
			list.Content = append(list.Content, m.clone(item))
		}
		if slices.ContainsFunc(list.Content, func(n *yaml.Node) bool { return n.Kind != yaml.ScalarNode }) || list.Style&yaml.FlowStyle != 0 && len(list.Content) == v.Len() {
			list.Style &^= yaml.FlowStyle
		}
	}
}

func (m *merger) remove(dst *yaml.Node, i int, v Value, name string) {
	switch {
	case v.Kind() != Null:
		m.fail(v, v.Path()+" must have no value: it removes "+name+" with all that is below it", "-"+name+":")
	case i < 0:
		fix := "remove the line"
		if keys := keysOf(dst); keys != "" {
			fix = "one of those that are there: " + keys
		}
		m.fail(v, fmt.Sprintf("%s removes %s, which is not in the rendered file", v.Path(), name), fix)
	default:
		dst.Content = slices.Delete(dst.Content, i-1, i+1)
	}
}

// keysOf names the keys of a mapping where they are few.
func keysOf(n *yaml.Node) string {
	var keys []string
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		keys = append(keys, n.Content[i].Value)
	}
	if len(keys) > 30 {
		return ""
	}
	return strings.Join(keys, ", ")
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
func (m *merger) clone(v Value) *yaml.Node {
	c := cloneScalar(v)
	if v.Kind() == Mapping {
		m.merge(c, v)
		c.Style = 0
	}
	for _, item := range v.Items() {
		c.Content = append(c.Content, m.clone(item))
	}
	return c
}

func cloneScalar(v Value) *yaml.Node {
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
	return c
}

// cloneKey copies a key under its name, which lacks the operator.
func cloneKey(k Value, name string) *yaml.Node {
	c := cloneScalar(k)
	if k.Kind() != Scalar {
		return (&merger{}).clone(k)
	}
	if name != c.Value { // +1 is a number, and the list 1 is not called so
		c.Value, c.Tag, c.Style = name, "!!str", yaml.DoubleQuotedStyle
	}
	if simpleKey(c.Value) {
		c.Style = 0
	}
	return c
}

// simpleKey is a key that every reader takes for that string without quotes.
func simpleKey(s string) bool { return !isWord(s) && plainKey().MatchString(s) }

// isWord reports whether some reader takes the text for a truth value or for nothing.
func isWord(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return true
	}
	return false
}

var plainKey = regex.Of(`^[A-Za-z][A-Za-z0-9_.-]*$`)
