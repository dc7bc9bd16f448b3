package caddy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Label is a label of a container for caddy-docker-proxy. Value is what Docker sees.
type Label struct {
	Key, Value string
	Site       source.Site
	Hidden     string // why Value may be another one
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

// branch is a part of a key: its name, and the number that puts it in order.
type branch struct {
	key, name string
	order     int
	value     *Label
	site      source.Site
	below     []*branch
}

// labelled makes blocks of labels as caddy-docker-proxy 2 does: each level of a key is a level of the Caddyfile, N_
// before a name orders it, _N behind it keeps two of one name apart, and what several containers say alike is one.
func (p *parser) labelled(containers []Container) {
	snippets := make(map[string][]*line)
	var sites []block
	for _, c := range containers {
		root := &branch{}
		for i, l := range c.Labels {
			if Labelled(l.Key) {
				if l.Hidden != "" {
					p.note(l.Hidden)
				}
				root.add(strings.Split(l.Key, "."), &c.Labels[i])
			}
		}
		for _, b := range root.below {
			lines := p.below(b, c)
			var keys []word
			if b.value != nil {
				for _, k := range strings.FieldsFunc(p.template(b.value.Value, c), func(r rune) bool { return r == ',' || r == ' ' }) {
					keys = append(keys, word{text: k, site: b.value.Site})
				}
			}
			if name, ok := snippet(keys); ok {
				snippets[name] = lines
				continue
			}
			i := slices.IndexFunc(sites, func(o block) bool {
				return slices.EqualFunc(o.keys, keys, func(a, b word) bool { return a.text == b.text })
			})
			if i < 0 {
				i, sites = len(sites), append(sites, block{keys: keys})
			}
			sites[i].lines = mergeLines(sites[i].lines, lines)
		}
	}
	for _, s := range sites {
		s.lines = p.importing(s.lines, snippets, 0)
		inOrder(s.lines)
		switch first := len(p.blocks) > 0 && len(p.blocks[0].keys) == 0; {
		case len(s.keys) > 0:
			p.blocks = append(p.blocks, s)
		case first:
			p.blocks[0].lines = append(p.blocks[0].lines, s.lines...)
		default:
			p.blocks = slices.Insert(p.blocks, 0, s)
		}
	}
}

// mergeLines joins what two containers say of one block. Those of one name and arguments are one, and so are proxies with
// one matcher, which then have the servers of both.
func mergeLines(have, more []*line) []*line {
	for _, l := range more {
		i := slices.IndexFunc(have, func(o *line) bool {
			return o.text() == l.text() || o.name() == l.name() && l.name() == "reverse_proxy" && o.matcher() == l.matcher()
		})
		if i < 0 {
			have = append(have, l)
			continue
		}
		if o := have[i]; o.text() != l.text() {
			for j, w := range l.words[1:] {
				if j > 0 || l.matcher() == "*" {
					o.words = append(o.words, w)
				}
			}
		}
		have[i].block = mergeLines(have[i].block, l.block)
		have[i].open = have[i].open || l.open
	}
	return have
}

func (l *line) matcher() string {
	if len(l.words) > 1 && strings.ContainsAny(l.words[1].text[:min(1, len(l.words[1].text))], "/@") {
		return l.words[1].text
	}
	return "*"
}

// importing puts snippets of labels into the place of their imports.
func (p *parser) importing(lines []*line, snippets map[string][]*line, depth int) (list []*line) {
	for _, l := range lines {
		if l.name() != "import" || depth > maxDepth {
			l.block = p.importing(l.block, snippets, depth+1)
			list = append(list, l)
			continue
		}
		var body []*line
		ok := false
		if len(l.words) == 2 {
			body, ok = snippets[l.words[1].text]
		}
		if !ok {
			p.note("the label " + l.text() + " imports what is not read")
			continue
		}
		list = append(list, p.importing(body, snippets, depth+1)...)
	}
	return list
}

// inOrder sorts lines as caddy-docker-proxy writes them: by their numbers, then by their words.
func inOrder(lines []*line) {
	slices.SortStableFunc(lines, func(x, y *line) int {
		return cmp.Or(cmp.Compare(x.order, y.order), slices.CompareFunc(x.words, y.words, func(a, b word) int { return cmp.Compare(a.text, b.text) }))
	})
	for _, l := range lines {
		inOrder(l.block)
	}
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
				sub.name = sub.name[:at]
			}
		}
		i, b.below = len(b.below), append(b.below, sub)
	}
	b.below[i].add(path[1:], l)
}

// below makes lines of what stands below a part of a key.
func (p *parser) below(b *branch, c Container) (list []*line) {
	for _, sub := range b.below {
		l := &line{words: []word{{text: sub.name, first: true, site: sub.site}}, order: sub.order}
		if sub.value != nil {
			l.words[0].site = sub.value.Site
			words, _ := p.lex(&source.File{Path: sub.site.File, Src: []byte(p.template(sub.value.Value, c))})
			for _, w := range words {
				w.site, w.first = sub.value.Site, false
				l.words = append(l.words, w)
			}
		}
		l.block = p.below(sub, c)
		l.open = len(l.block) > 0
		list = append(list, l)
	}
	return list
}

// template fills in {{upstreams …}}, the only one that people use: the address of the container.
func (p *parser) template(text string, c Container) string {
	before, rest, ok := strings.Cut(text, "{{")
	call, after, ended := strings.Cut(rest, "}}")
	if !ok || !ended {
		return text
	}
	words := strings.Fields(call)
	if len(words) == 0 || words[0] != "upstreams" {
		p.note("the label of " + c.Name + " holds a template that is not known here: " + strings.TrimSpace(call))
		return before + p.template(after, c)
	}
	to := c.Name
	for _, w := range words[1:] {
		if _, err := strconv.Atoi(w); err == nil {
			to += ":" + w
		} else {
			to = strings.Trim(w, `"`) + "://" + to
		}
	}
	return before + to + p.template(after, c)
}
