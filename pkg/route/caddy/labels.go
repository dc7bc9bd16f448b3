package caddy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Label is a label of a container for caddy-docker-proxy. Value is what Docker sees.
type Label struct {
	Key, Value string
	Site       source.Site
}

// Container is one container with its labels.
type Container struct {
	Name   string
	Labels []Label
}

// Labelled reports whether a label is one that caddy-docker-proxy reads.
func Labelled(key string) bool {
	head, _, _ := strings.Cut(key, ".")
	_, number, ok := strings.Cut(head, "_")
	if _, err := strconv.Atoi(number); ok && err != nil {
		return false
	}
	return head == "caddy" || ok && strings.HasPrefix(head, "caddy_")
}

// directive is a part of a key: its name, and the numbers by which it is told apart and put in order.
type branch struct {
	key, name, suffix string
	order             int
	value             *Label
	site              source.Site
	below             []*branch
}

// fromLabels makes blocks of the labels as caddy-docker-proxy 2 does: each level of a key is a level of the Caddyfile,
// N_ before a name orders it, _N behind it keeps two of one name apart, and what is the same site of several
// containers is one.
func fromLabels(containers []Container, upstream func(c Container, args string) (string, bool)) ([]block, []string) {
	var sites []block
	var notes []string
	for _, c := range containers {
		root := &branch{}
		for i, l := range c.Labels {
			if Labelled(l.Key) {
				root.add(strings.Split(l.Key, "."), &c.Labels[i])
			}
		}
		for _, b := range root.below {
			lines, why := b.lines(c, upstream)
			if why != "" {
				notes = append(notes, why)
			}
			if b.value == nil || strings.TrimSpace(b.value.Value) == "" {
				if len(lines) > 0 { // global options, or a site without an address, which nobody can ask for
					sites = slices.Insert(sites, 0, block{nil, lines})
				}
				continue
			}
			sites = merge(sites, b, lines)
		}
	}
	return sites, notes
}

func merge(sites []block, b *branch, lines []*line) []block {
	value := strings.TrimSpace(b.value.Value)
	var keys []word
	for _, k := range strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		keys = append(keys, word{text: k, site: b.value.Site})
	}
	same := func(o block) bool {
		return slices.EqualFunc(o.keys, keys, func(a, b word) bool { return a.text == b.text })
	}
	if i := slices.IndexFunc(sites, same); i >= 0 {
		sites[i].lines = append(sites[i].lines, lines...)
		return sites
	}
	return append(sites, block{keys, lines})
}

// add puts a label into the tree.
func (b *branch) add(path []string, l *Label) {
	if len(path) == 0 {
		b.value = l
		return
	}
	i := slices.IndexFunc(b.below, func(o *branch) bool { return o.key == path[0] })
	if i < 0 {
		sub := &branch{key: path[0], name: path[0], site: l.Site, order: 1 << 30}
		if n, rest, ok := strings.Cut(sub.name, "_"); ok {
			if order, err := strconv.Atoi(n); err == nil {
				sub.order, sub.name = order, rest
			}
		}
		if at := strings.LastIndexByte(sub.name, '_'); at > 0 {
			if _, err := strconv.Atoi(sub.name[at+1:]); err == nil {
				sub.name, sub.suffix = sub.name[:at], sub.name[at+1:]
			}
		}
		i, b.below = len(b.below), append(b.below, sub)
	}
	b.below[i].add(path[1:], l)
}

// lines are the directives below a branch, in the order in which caddy-docker-proxy writes them: by their numbers,
// then by their names.
func (b *branch) lines(c Container, upstream func(c Container, args string) (string, bool)) (list []*line, why string) {
	below := slices.Clone(b.below)
	slices.SortStableFunc(below, func(x, y *branch) int {
		if x.order != y.order {
			return x.order - y.order
		}
		return strings.Compare(x.name+" "+x.suffix, y.name+" "+y.suffix)
	})
	for _, sub := range below {
		args := ""
		if sub.value != nil {
			args = sub.value.Value
		}
		for strings.Contains(args, "{{") {
			before, rest, _ := strings.Cut(args, "{{")
			call, after, ended := strings.Cut(rest, "}}")
			to, ok := upstream(c, strings.TrimSpace(call))
			if !ended || !ok {
				return nil, fmt.Sprintf("the label %s of %s holds a template that is not known here", sub.key, c.Name)
			}
			args = before + to + after
		}
		inner, innerWhy := sub.lines(c, upstream)
		if innerWhy != "" {
			return nil, innerWhy
		}
		at := sub.site
		if sub.value != nil {
			at = sub.value.Site
		}
		words := []word{{text: sub.name, first: true, site: at}}
		lexed, _ := (&parser{env: func(string) (string, bool, string) { return "", false, "" }}).lex(&source.File{Path: at.File, Src: []byte(args)})
		for _, w := range lexed {
			w.site, w.first = at, false
			words = append(words, w)
		}
		list = append(list, &line{words: words, block: inner, open: len(inner) > 0})
	}
	return list, ""
}
