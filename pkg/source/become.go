package source

import (
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
	"philipp.info/stackgen/pkg/regex"
)

// Become gives the edits that make a value another one, which is written in YAML: on one line, or behind the line of its key, with
// the indent that it has among its own lines. One that is not in the file is put there, with the mappings that lead to it.
// nil where that cannot be done by a change at one place: the value stands for several or is made of several, comes from
// an alias or a merge key, has a variable in it, or is a mapping or a list.
func (v Value) Become(written string) []Edit {
	there, missing := v.deepest()
	own, ok := there.sole()
	if !ok {
		return nil
	}
	if len(missing) > 0 {
		return own.put(missing, written)
	}
	return own.become(written)
}

// BecomeText is Become for a string, which is written in quotes where the old value is, or where somebody might take it
// for something else.
func (v Value) BecomeText(text string) []Edit {
	if n := deref(v.node); !plainText().MatchString(text) || isWord(text) || n != nil && quoteOf(n) != 0 {
		return v.Become(Quote(text))
	}
	return v.Become(text)
}

// plainText is a string that needs no quotes, unless it is a word such as true.
var plainText = regex.Of(`^[A-Za-z/][A-Za-z0-9_./@-]*(:[A-Za-z0-9_./@-]+)*/?$`)

// deepest is the nearest value above v that is in the file, or v itself, and the keys that lead from there to v.
func (v Value) deepest() (there Value, missing []string) {
	if v.file == nil {
		return Value{}, nil
	}
	there = v.file.Root()
	for i, key := range v.path {
		next := there.At(key)
		if !next.Exists() {
			return there, v.path[i:]
		}
		there = next
	}
	return there, nil
}

// sole is the value in its own file. ok is false where that is not all that it is made of, or not all that is made of it.
func (v Value) sole() (own Value, ok bool) {
	own = v.Origin()
	if own.file == nil || own.file.root != nil && own.node == nil {
		return own, false
	}
	if from := v.file.from; from != nil {
		uses := 0
		for _, o := range from {
			if o.value.node == own.node {
				uses++
			}
		}
		if uses != 1 || len(v.Unset()) > 0 || own.Kind() != v.Kind() || own.Str() != v.Str() {
			return own, false
		}
	}
	if own.node != nil && own.node.Kind == yaml.AliasNode {
		return own, false
	}
	return own, own.file.At(own.path...).node == own.node && !own.twice()
}

// twice reports whether the key of the value stands twice in its mapping.
func (v Value) twice() bool {
	if v.key == nil {
		return false
	}
	parent := deref(v.file.At(v.path[:len(v.path)-1]...).node)
	n := 0
	for i := 0; parent != nil && i+1 < len(parent.Content); i += 2 {
		if parent.Content[i].Value == v.key.Value {
			n++
		}
	}
	return n > 1
}

// quotesKeys reports whether the last key of a mapping stands in quotes, as in JSON.
func (v Value) quotesKeys() bool {
	n := deref(v.node)
	return v.Kind() == Mapping && len(n.Content) > 1 && quoteOf(n.Content[len(n.Content)-2]) != 0
}

// Braced reports whether the value is a mapping or a list in braces or brackets.
func (v Value) Braced() bool { return v.node != nil && v.node.Style&yaml.FlowStyle != 0 }

// nested is a value below keys, as it is written.
func nested(keys []string, written string, braced, quoted bool) string {
	for _, key := range slices.Backward(keys) {
		if braced {
			written = "{" + keyText(key, quoted) + ": " + written + "}"
		} else {
			written = "\n" + entryText(key, written, 0, "\n")
		}
	}
	return written
}

func keyText(key string, quoted bool) string {
	if !quoted && simpleKey(key) {
		return key
	}
	return Quote(key)
}

// entryText is a key and what is written behind it, with an indent for the lines below.
func entryText(key, written string, indent int, eol string) string {
	head, body := layout(written, indent, eol)
	if head != "" {
		head = " " + head
	}
	return keyText(key, false) + ":" + head + body
}

// layout splits what is written into what stands behind the key and the lines below it.
func layout(written string, indent int, eol string) (head, body string) {
	head, rest, more := strings.Cut(written, "\n")
	if !more {
		return head, ""
	}
	var b strings.Builder
	for line := range strings.SplitSeq(rest, "\n") {
		b.WriteString(eol)
		if line != "" {
			b.WriteString(strings.Repeat(" ", indent+2) + line)
		}
	}
	return head, b.String()
}

// meant is the value that is written.
func meant(written string) Value {
	f, problem := Parse("", []byte(entryText("k", written, 0, "\n")+"\n"))
	if problem != nil {
		return Value{}
	}
	return f.At("k")
}

func is(want Value) func(before, after Value) bool {
	return func(_, after Value) bool { return want.Exists() && after.Exists() && after.Equal(want) }
}

func (v Value) become(written string) []Edit {
	t := v.file.text()
	if v.node == nil || v.Kind() > Scalar {
		return nil
	}
	s, ok := t.extent(v)
	if !ok {
		return nil
	}
	head, body := layout(written, v.KeyPos().Col-1, t.eol)
	if s.gap && head != "" {
		head = " " + head
	}
	t.put(s.start, s.headEnd, head)
	if body != "" && s.bodyEnd == len(t.text) && !strings.HasPrefix(written, "\n") {
		body += t.eol
	}
	if s.lineEnd < s.bodyEnd || body != "" {
		t.put(s.lineEnd, s.bodyEnd, body)
	}
	return t.proven(v.path, is(meant(written)))
}

// put makes a value the one below the keys, the first of which the mapping does not have yet.
func (v Value) put(keys []string, leaf string) []Edit {
	key, written := keys[0], nested(keys[1:], leaf, v.Braced(), v.quotesKeys())
	switch {
	case v.Kind() == Null && len(v.path) > 0:
		return v.become("\n" + entryText(key, written, 0, "\n"))
	case v.Kind() != Mapping && v.Exists():
		return nil
	case v.At(key).Exists():
		return nil
	}
	fits := func(before, after Value) bool {
		return after.Kind() == Mapping && len(after.entries(0)) == len(before.entries(0))+1 && contains(after, before) &&
			is(meant(written))(before, after.At(key)) && is(meant(leaf))(before, after.At(keys...))
	}
	var places []func(*text) bool
	switch {
	case v.Braced():
		places = append(places, func(t *text) bool { return t.intoFlow(v, key, written) })
	case len(v.path) == 0:
		places = append(places, func(t *text) bool { return t.atEnd(v, key, written) })
	default:
		places = append(places, func(t *text) bool { return t.afterLast(v, key, written) }, func(t *text) bool { return t.beforeFirst(v, key, written) })
	}
	for _, place := range places {
		t := v.file.text()
		if place(t) {
			if edits := t.proven(v.path, fits); edits != nil {
				return edits
			}
		}
	}
	return nil
}

// contains reports whether all entries of a mapping are those of another one, too.
func contains(all, some Value) bool {
	theirs := make(map[keyID]Value)
	for _, e := range all.entries(0) {
		theirs[e[0].id()] = e[1]
	}
	for _, e := range some.entries(0) {
		if w, ok := theirs[e[0].id()]; !ok || !e[1].Equal(w) {
			return false
		}
	}
	return true
}

// column is that of the keys of a block mapping, from 0.
func column(mapping Value) int {
	for k := range mapping.Entries() {
		return k.Pos().Col - 1
	}
	return 0
}

// atEnd appends to the document, before its end marker if there is one.
func (t *text) atEnd(root Value, key, written string) bool {
	indent := column(root)
	at := len(t.text)
	for n := range t.starts {
		if line := t.line(n); documentEnd().MatchString(line) && t.starts[n] > 0 {
			at = t.starts[n]
			break
		}
	}
	lead := ""
	if at > 0 && !endsLine(t.text[:at]) {
		lead = t.eol
	}
	t.put(at, at, lead+strings.Repeat(" ", indent)+entryText(key, written, indent, t.eol)+t.eol)
	return true
}

// afterLast writes a line below the last entry of a block mapping.
func (t *text) afterLast(v Value, key, written string) bool {
	end, ok := t.ends(v)
	if !ok {
		return false
	}
	end = t.end(t.lineOf(end))
	indent := column(v)
	t.put(end, end, t.eol+strings.Repeat(" ", indent)+entryText(key, written, indent, t.eol))
	return true
}

// beforeFirst writes a line above the first entry of a block mapping.
func (t *text) beforeFirst(v Value, key, written string) bool {
	at, ok := t.offset(v.Pos())
	if !ok {
		return false
	}
	indent := column(v)
	t.put(at, at, entryText(key, written, indent, t.eol)+t.eol+strings.Repeat(" ", indent))
	return true
}

// intoFlow writes behind the last entry of a mapping in braces.
func (t *text) intoFlow(v Value, key, written string) bool {
	at, ok := t.offset(v.Pos())
	if !ok || strings.Contains(written, "\n") {
		return false
	}
	n := deref(v.node)
	if len(n.Content) == 0 {
		at = t.behind(at) + 1
		t.put(at, at, keyText(key, false)+": "+written)
		return true
	}
	last := Value{file: v.file, node: n.Content[len(n.Content)-1], key: n.Content[len(n.Content)-2]}
	end, ok := t.ends(last)
	if !ok {
		return false
	}
	lead := ", "
	start, _ := t.offset(last.KeyPos())
	if before := t.text[t.starts[t.lineOf(start)]:start]; strings.Trim(before, " \t") == "" {
		lead = "," + t.eol + before
	}
	t.put(end, end, lead+keyText(key, v.quotesKeys())+": "+written)
	return true
}

var documentEnd = regex.Of(`^\.\.\.([ \t]|$)`)
