package caddy

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

// bound is how many bytes of a body are taken; 0 for any number.
type bound struct {
	bytes int64
	site  source.Site
}

// sent is a header that Caddy adds. One that is late takes the place of that of the backend, one that is gone keeps it away, and
// one that is more stands beside it.
type sent struct {
	route.Header
	late, gone, more bool
}

// beside sets what a directive does that changes neither the way of a request nor its path, and is of interest all the same.
func (s *site) beside(e *entry, l *line) {
	if !slices.Contains([]string{"request_body", "header", "root", "fs", "templates", "vars"}, l.name()) {
		return
	}
	args := l.args()
	if len(args) > 0 && (l.name() != "root" || len(args) > 1) && strings.ContainsAny(args[0][:min(1, len(args[0]))], "*/@") {
		switch first := args[0]; first[0] {
		case '/':
			e.match = onPath(first)
		case '@':
			if e.match = s.named[first]; e.match == nil {
				return
			}
		}
		args = args[1:]
	}
	switch l.name() {
	case "root", "fs", "templates":
		s.serving(e, l, args)
		return
	case "vars":
		if l.open || slices.Contains(args, "root") {
			s.serving(e, l, args)
		}
		return
	case "header":
		list := headersOf(l, args)
		e.steps = []step{func(w *walk) bool { w.sends = append(w.sends, list...); return false }}
		return
	}
	for _, b := range l.block {
		if n := bytesOf(strings.Join(b.args(), "")); b.name() == "max_size" && n > 0 {
			e.steps = append(e.steps, func(w *walk) bool {
				if w.body.bytes == 0 || n < w.body.bytes {
					w.body = bound{n, b.words[0].site}
				}
				return false
			})
		}
	}
}

// headersOf are those of a directive header: one on its line, or those of its block (modules/caddyhttp/headers/caddyfile.go).
func headersOf(l *line, args []string) (list []sent) {
	late := false
	add := func(args []string, site source.Site) {
		if len(args) == 0 || len(args) > 2 { // with three it replaces a part of what is there
			return
		}
		name, value := strings.TrimSuffix(strings.TrimLeft(args[0], "+-?>"), ":"), ""
		if len(args) > 1 && !strings.Contains(args[1], "{") {
			value = args[1]
		}
		late = late || strings.ContainsAny(args[0][:1], "->")
		list = append(list, sent{route.Header{Name: name, Value: value, Site: site}, args[0][0] == '?', args[0][0] == '-', args[0][0] == '+'})
	}
	if len(args) > 0 {
		add(args, l.words[0].site)
	}
	for _, b := range l.block {
		if b.name() == "defer" {
			late = true
		} else if b.name() != "match" && b.name() != "" {
			add(append([]string{b.name()}, b.args()...), b.words[0].site)
		}
	}
	for i, h := range list {
		list[i].late = h.late || late && !h.more
	}
	return list
}

// answered are the headers that are added to an answer: of a backend, which has its own, or of Caddy itself.
func (w *walk) answered(backend bool) *[]route.Header {
	list := []route.Header{}
	for i, h := range w.sends {
		gone := h.gone || backend && h.late
		for _, other := range w.sends[i+1:] {
			gone = gone || other.gone && strings.EqualFold(other.Name, h.Name)
		}
		if !gone {
			list = append(list, h.Header)
		}
	}
	return &list
}

// bytesOf reads a size as Caddy does, where MB is a million and MiB is more; 0 where it is none.
func bytesOf(text string) int64 {
	text = strings.ToLower(strings.ReplaceAll(text, ",", ""))
	n := len(text) - len(strings.TrimLeft(text, "0123456789."))
	number, err := strconv.ParseFloat(text[:n], 64)
	unit, known := map[string]float64{
		"": 1, "b": 1, "k": 1e3, "kb": 1e3, "ki": 1 << 10, "kib": 1 << 10, "m": 1e6, "mb": 1e6, "mi": 1 << 20, "mib": 1 << 20,
		"g": 1e9, "gb": 1e9, "gi": 1 << 30, "gib": 1 << 30,
	}[strings.TrimSpace(text[n:])]
	if err != nil || !known {
		return 0
	}
	return int64(number * unit)
}

// waits is how long a reverse_proxy waits for the backend; 0 for ever (modules/caddyhttp/reverseproxy/caddyfile.go).
func waits(l *line) (wait time.Duration, site source.Site) {
	for _, b := range l.block {
		if b.name() != "transport" {
			continue
		}
		for _, t := range b.block {
			if t.name() != "response_header_timeout" && t.name() != "read_timeout" {
				continue
			}
			if d, err := time.ParseDuration(strings.Join(t.args(), "")); err == nil && d > 0 && (wait == 0 || d < wait) {
				wait, site = d, t.words[0].site
			}
		}
	}
	return wait, site
}
