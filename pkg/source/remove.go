package source

import "strings"

// Gone gives the edits that take an entry of a mapping or an item of a list out of its file, with its line; nil where that
// cannot be done by a change at one place, as for Become, or where nothing would be left beside it.
func (v Value) Gone() []Edit {
	own, ok := v.sole()
	if !ok || !v.Exists() || len(own.path) == 0 {
		return nil
	}
	t := own.file.text()
	if !t.cut(own) {
		return nil
	}
	last := len(own.path) - 1
	return t.proven(own.path[:last], func(before, after Value) bool { return without(before, after, own.path[last]) })
}

// without reports whether after is before without the entry or item of that name.
func without(before, after Value, name string) bool {
	if before.Kind() != after.Kind() {
		return false
	}
	if before.Kind() == Mapping {
		return !after.At(name).Exists() && len(after.entries(0)) == len(before.entries(0))-1 && contains(before, after)
	}
	var rest []Value
	for _, item := range before.Items() {
		if item.Name() != name {
			rest = append(rest, item)
		}
	}
	now := after.Items()
	if len(now) != len(rest) || len(rest) == before.Len() {
		return false
	}
	for i, item := range rest {
		if !item.Equal(now[i]) {
			return false
		}
	}
	return true
}

// cut takes out the lines that a value of a block stands on.
func (t *text) cut(v Value) bool {
	start, ok := t.offset(v.KeyPos())
	end, ends := t.ends(v)
	if !ok || !ends {
		return false
	}
	first, last := t.lineOf(start), t.lineOf(end)
	lead := t.text[t.starts[first]:start]
	switch dashed := strings.TrimRight(lead, " "); {
	case v.key == nil && strings.HasSuffix(dashed, "-") && strings.Trim(dashed[:len(dashed)-1], " ") == "":
	case v.key != nil && strings.Trim(lead, " ") == "":
	case v.key != nil && strings.HasSuffix(dashed, "-"): // the first key of a list item: the next one takes its place
		if last+1 >= len(t.starts) {
			return false
		}
		next := t.line(last + 1)
		to := t.starts[last+1] + len(next) - len(strings.TrimLeft(next, " "))
		t.put(start, to, "")
		return true
	default:
		return false
	}
	from, to := t.starts[first], t.end(last)
	if last+1 < len(t.starts) {
		to = t.starts[last+1]
	} else if first > 0 { // the last line has no break, and what comes to be the last one keeps none
		from = t.end(first - 1)
	}
	t.put(from, to, "")
	return true
}

// Renamed gives the edits that give an entry of a mapping another key; nil as for Become.
func (v Value) Renamed(key string) []Edit {
	own, ok := v.sole()
	if !ok || own.key == nil {
		return nil
	}
	last := len(own.path) - 1
	parent := own.file.At(own.path[:last]...)
	t := own.file.text()
	start, ok := t.offset(own.KeyPos())
	if !ok || parent.At(key).Exists() {
		return nil
	}
	end := start + len(own.key.Value)
	if quoteOf(own.key) != 0 {
		end = quoteEnd(t.text, start)
	}
	if end > len(t.text) || end <= start {
		return nil
	}
	t.put(start, end, keyText(key, quoteOf(own.key) != 0))
	return t.proven(own.path[:last], func(before, after Value) bool {
		if after.Kind() != Mapping || after.Len() != before.Len() || after.At(own.path[last]).Exists() || !is(own)(before, after.At(key)) {
			return false
		}
		for _, e := range before.entries(0) {
			if name := e[0].Str(); name != own.path[last] && !is(e[1])(before, after.At(name)) {
				return false
			}
		}
		return true
	})
}

// With gives the edits that append an item, which is written in YAML on one line, to a list. One that is not in the file is put
// there. nil as for Become.
func (v Value) With(written string) []Edit {
	if v.Kind() <= Null {
		return v.Become("[" + written + "]")
	}
	own, ok := v.sole()
	if !ok || own.Kind() != Sequence || own.Len() == 0 && !own.Braced() {
		return nil
	}
	t := own.file.text()
	if own.Len() == 0 {
		at, ok := t.offset(own.Pos())
		if !ok {
			return nil
		}
		at = t.behind(at) + 1
		t.put(at, at, written)
	} else {
		last := own.Items()[own.Len()-1]
		start, ok := t.offset(last.KeyPos())
		end, ends := t.ends(last)
		switch dash := t.dash(start); {
		case !ok || !ends:
			return nil
		case own.Braced():
			t.put(end, end, ", "+written)
		case dash < 0:
			return nil
		default:
			end = t.end(t.lineOf(end))
			t.put(end, end, t.eol+strings.Repeat(" ", dash)+"- "+written)
		}
	}
	want := meant(written)
	return t.proven(own.path, func(before, after Value) bool {
		was, now := before.Items(), after.Items()
		if len(now) != len(was)+1 || !is(want)(before, now[len(was)]) {
			return false
		}
		for i, item := range was {
			if !item.Equal(now[i]) {
				return false
			}
		}
		return true
	})
}
