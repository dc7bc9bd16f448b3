package render

import (
	"fmt"
	"strconv"
	"strings"
)

// directive is a line of a Caddyfile with what stands in braces behind it.
type directive struct {
	name, args string
	block      []directive
}

// Caddyfile is what of a site is the stack's, for the Caddyfile. Each expression is case-sensitive, as path matchers of
// Caddy are not (modules/caddyhttp/matchers.go), and the handles keep their order, because none is a path alone.
func (st *Stack) Caddyfile(s Site) string { return caddyText(st.caddy(s), 1) }

func (st *Stack) caddy(s Site) (lines []directive) {
	whole := false
	handle := func(name, pattern string, block ...directive) {
		lines = append(lines,
			directive{name: "@" + name, block: []directive{{name: "path_regexp", args: pattern}}},
			directive{name: "handle", args: "@" + name, block: block})
	}
	for _, r := range s.Routes {
		var only []directive // who else is refused before anything is asked for
		if len(r.Allow) > 0 {
			outside := "@" + st.Name + "-" + r.Name + "-outside"
			only = []directive{{name: outside, block: []directive{{name: "not", args: "remote_ip " + strings.Join(r.Allow, " ")}}}, {name: "respond", args: outside + " 403"}}
		}
		proxy := directive{name: "reverse_proxy", args: st.Backend(r)}
		for _, h := range r.Headers {
			proxy.block = append(proxy.block, directive{name: "header_down", args: h[0] + " " + strconv.Quote(h[1])})
		}
		switch name := st.Name + "-" + r.Name; {
		case r.Whole():
			whole, lines = true, append(lines, directive{name: "handle", block: append(only, proxy)})
		case r.Strip != "":
			if r.To != "" {
				handle(name+"-bare", r.Bare(), directive{name: "redir", args: r.To})
			}
			handle(name, r.Pattern(), append(only, directive{name: "uri", args: "strip_prefix " + r.Strip}, proxy)...)
		default:
			handle(name, r.Pattern(), append(only, proxy)...)
		}
	}
	if !s.Shared && !whole {
		lines = append(lines, directive{name: "handle", block: []directive{{name: "respond", args: "404"}}})
	}
	return lines
}

func caddyText(lines []directive, depth int) string {
	var b strings.Builder
	for _, d := range lines {
		b.WriteString(strings.TrimRight(strings.Repeat("\t", depth)+d.name+" "+d.args, " "))
		switch {
		case len(d.block) == 0:
			b.WriteString("\n")
		case d.name[0] == '@':
			b.WriteString(" " + d.block[0].name + " " + d.block[0].args + "\n")
		default:
			b.WriteString(" {\n" + caddyText(d.block, depth+1) + strings.Repeat("\t", depth) + "}\n")
		}
	}
	return b.String()
}

// caddyLabels are the sites as labels of caddy-docker-proxy, all at one service: what stands at several would come to
// one site in an order that nobody wrote.
func (st *Stack) caddyLabels() (labels []Label) {
	var add func(path string, lines []directive)
	add = func(path string, lines []directive) {
		times := make(map[string]int)
		for _, d := range lines {
			times[d.name]++
		}
		for i, d := range lines {
			key := path + "." + d.name
			if times[d.name] > 1 { // N_ puts it in order
				key = fmt.Sprintf("%s.%d_%s", path, i, d.name)
			}
			if d.args != "" || len(d.block) == 0 {
				labels = append(labels, Label{Key: key, Value: d.args})
			}
			add(key, d.block)
		}
	}
	for i, s := range st.Sites() {
		site := fmt.Sprintf("caddy_%d", i)
		labels = append(labels, Label{Key: site, Value: s.Host})
		add(site, st.caddy(s))
	}
	return labels
}
