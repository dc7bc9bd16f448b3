package diff

import (
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/manifests"
	"philipp.info/stackgen/pkg/source"
)

// Value is one setting that differs by its meaning: what was only moved, quoted in another way or commented
// is none.
type Value struct {
	// Service reads the file; empty for what concerns the stack as a whole.
	Service string   `json:"service,omitempty"`
	Files   []string `json:"files"` // copies of one file count once
	Key     string   `json:"key"`   // keys from the root, joined by dots; empty for the whole file
	Action  Action   `json:"action"`
	// Secret: the value is one, and neither Old nor New is given.
	Secret bool   `json:"secret,omitempty"`
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
}

// values lists what differs, in the order of the services, and what concerns none of them first.
func (c *comparison) values() []Value {
	byService := make(map[string][]Value)
	copies := c.copies()
	for _, p := range c.changed {
		files := copies[string(c.Old[p])+"\x00"+string(c.New[p])]
		if files[len(files)-1] != p {
			continue // told once, of the last: the bridge's own registration rather than Synapse's copy
		}
		old, now := c.old.file(p), c.new.file(p)
		_, was := c.Old[p]
		_, is := c.New[p]
		if !was || !is || p == manifests.Kustomization || (old == nil || now == nil) && !opaque(p) {
			continue // the file as a whole says it
		}
		w := &walk{mask: c.Secrets.Mask, named: c.Secrets.Named}
		switch {
		case opaque(p):
			w.found = []Value{{Action: Changed, Secret: true}}
		case p == c.new.deployment.File && !c.new.cluster():
			w.compose(old, now)
		default:
			w.compare("", old.Root(), now.Root())
		}
		service := c.reader(p)
		for _, v := range w.found {
			if c.new.cluster() && configHash().MatchString(v.Key) {
				continue // the services say which files it stands for
			}
			if p != c.new.deployment.File {
				v.Service = service
			}
			for _, f := range files {
				v.Files = append(v.Files, c.Secrets.Mask(f))
			}
			byService[v.Service] = merge(byService[v.Service], v)
		}
	}
	values := append([]Value{}, byService[""]...)
	for _, name := range c.names() {
		values = append(values, byService[name]...)
	}
	return values
}

// copies gives the paths that have the same content before and after.
func (c *comparison) copies() map[string][]string {
	paths := make(map[string][]string)
	for _, p := range c.changed {
		key := string(c.Old[p]) + "\x00" + string(c.New[p])
		paths[key] = append(paths[key], p)
	}
	return paths
}

// merge adds a value, or only its file where another file of the service has the same difference.
func merge(values []Value, v Value) []Value {
	for i, o := range values {
		if o.Key == v.Key && v.Key != "" && o.Action == v.Action && o.Old == v.Old && o.New == v.New && o.Secret == v.Secret {
			values[i].Files = append(o.Files, v.Files...)
			return values
		}
	}
	return append(values, v)
}

// walk collects the differences between two values.
type walk struct {
	found []Value
	mask  func(string) string
	named func(key string) bool // of a secret that nothing else tells as one
}

// compose names what differs in a service after that service.
func (w *walk) compose(old, now *source.File) {
	before, after := old.At("services"), now.At("services")
	w.compareBut("services", "", old.Root(), now.Root())
	for name, v := range source.Both(before, after) {
		own := &walk{mask: w.mask, named: w.named}
		switch {
		case !v.Old.Exists():
			own.add("", Added, v.Old, v.Now)
		case !v.Now.Exists():
			own.add("", Removed, v.Old, v.Now)
		default:
			own.compare("", v.Old, v.Now)
		}
		for _, f := range own.found {
			if !configHash().MatchString(f.Key) {
				f.Service = w.mask(name)
				w.found = append(w.found, f)
			}
		}
	}
}

func (w *walk) compare(path string, a, b source.Value) { w.compareBut("", path, a, b) }

// compareBut leaves the value of one key out.
func (w *walk) compareBut(but, path string, a, b source.Value) {
	switch {
	case a.Kind() == source.Mapping && b.Kind() == source.Mapping:
		for key, v := range source.Both(a, b) {
			if but != "" && key == but {
				continue
			}
			below := join(path, v.Key.Shown())
			switch {
			case !v.Old.Exists():
				w.add(below, Added, v.Old, v.Now)
			case !v.Now.Exists():
				w.add(below, Removed, v.Old, v.Now)
			default:
				w.compare(below, v.Old, v.Now)
			}
		}
	case a.Kind() == source.Sequence && b.Kind() == source.Sequence:
		w.lists(path, a.Items(), b.Items())
	case !a.Equal(b):
		w.add(path, Changed, a, b)
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func (w *walk) add(path string, action Action, a, b source.Value) {
	v := Value{Key: w.mask(path), Action: action, Secret: a.Secret() || b.Secret() || w.named(withoutIndex(path))}
	if !v.Secret {
		v.Old, v.New = w.show(a), w.show(b)
		if a.Kind() == source.Scalar && b.Kind() == source.Scalar && a.Str() == b.Str() { // 1 and "1"
			v.Old, v.New = w.mask(a.Flow()), w.mask(b.Flow())
		}
	}
	w.found = append(w.found, v)
}

// withoutIndex is the path of the list that a path leads into, or the path itself.
func withoutIndex(path string) string {
	dot := strings.LastIndex(path, ".")
	if _, err := strconv.Atoi(path[dot+1:]); err == nil && dot > 0 {
		return withoutIndex(path[:dot])
	}
	return path
}

// maxShown is the number of characters of one value that are shown.
const maxShown = 120

func (w *walk) show(v source.Value) string {
	if !v.Exists() {
		return ""
	}
	text := []rune(w.mask(v.Shown()))
	if len(text) > maxShown {
		return string(text[:maxShown]) + "…"
	}
	return string(text)
}

// lists matches equal items first, then those with the same name, then what is left by its order.
func (w *walk) lists(path string, a, b []source.Value) {
	gone, come := unmatched(a, b)
	if len(gone) == 0 && len(come) == 0 {
		for i := range a {
			if !a[i].Equal(b[i]) {
				w.found = append(w.found, Value{Key: w.mask(path), Action: Reordered})
				return
			}
		}
		return
	}
	for _, i := range come {
		at := join(path, strconv.Itoa(i))
		j := partner(b[i], a, gone)
		if j < 0 {
			w.add(path, Added, source.Value{}, b[i])
			continue
		}
		was := gone[j]
		gone = append(gone[:j:j], gone[j+1:]...)
		w.compare(at, a[was], b[i])
	}
	for _, j := range gone {
		w.add(path, Removed, a[j], source.Value{})
	}
}

// unmatched gives the indexes of the items that have no equal in the other list.
func unmatched(a, b []source.Value) (gone, come []int) {
	left := make(map[string][]int)
	for i, v := range a {
		left[source.Meaning(v)] = append(left[source.Meaning(v)], i)
	}
	for i, v := range b {
		if same := left[source.Meaning(v)]; len(same) > 0 {
			left[source.Meaning(v)] = same[1:]
			continue
		}
		come = append(come, i)
	}
	for i, v := range a {
		if rest := left[source.Meaning(v)]; len(rest) > 0 && rest[0] == i {
			gone = append(gone, i)
			left[source.Meaning(v)] = rest[1:]
		}
	}
	return gone, come
}

// identities are the keys by which an item of a list is the same one although it differs elsewhere.
var identities = []string{"id", "kid", "name", "label", "module"}

// partner finds the old item that became now: the one of the same name, or for a mapping without a name
// the first that has none. -1 when there is none.
func partner(now source.Value, old []source.Value, left []int) int {
	if now.Kind() != source.Mapping {
		return -1
	}
	named := false
	for _, key := range identities {
		if !now.At(key).Set() {
			continue
		}
		named = true
		for j, i := range left {
			if old[i].At(key).Equal(now.At(key)) {
				return j
			}
		}
	}
	return slices.IndexFunc(left, func(i int) bool { return !named && old[i].Kind() == source.Mapping })
}
