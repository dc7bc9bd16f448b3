package caddy

import (
	"fmt"
	"net"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route"
)

// matcher is one condition, or several that must all hold. Path is the only pattern for the path, which orders
// directives of one name; key is the same for two that ask for the same.
type matcher struct {
	key   string
	paths []string
	all   []condition
	// but are the networks of a matcher that fits all connections that come from elsewhere.
	but []string
}

// condition is one entry of a matcher, with the words of the Caddyfile.
type condition struct {
	text string
	eval func(*walk) route.Truth
}

// eval tells whether the request fulfils the matcher (a nil one always), and names what decided a No or Maybe.
func (m *matcher) eval(w *walk) (got route.Truth, why string) {
	got = route.Yes
	if m == nil {
		return got, ""
	}
	for _, c := range m.all {
		if t := c.eval(w); t < got {
			got, why = t, c.text
		}
	}
	return got, why
}

func (m *matcher) id() string {
	if m == nil {
		return ""
	}
	return m.key
}

// onPath is the matcher of a path that stands in the place of one.
func onPath(pattern string) *matcher {
	m := &matcher{key: "path " + pattern, paths: []string{pattern}}
	m.all = []condition{{"path `" + pattern + "`", pathCondition([]string{pattern})}}
	return m
}

// define reads a named matcher: @name kind arguments, or a block of such lines.
func (s *site) define(l *line) (*matcher, error) {
	lines := l.block
	if !l.open {
		if len(l.words) < 2 {
			return nil, &fault{l.words[0].site, "the matcher " + l.name() + " asks for nothing"}
		}
		if l.words[1].quoted {
			return &matcher{key: l.text(), all: []condition{unseen("expression `" + l.words[1].text + "`")}}, nil
		}
		lines = []*line{{words: l.words[1:]}}
	} else if len(l.words) > 1 { // `@name not {` and the like
		lines = []*line{{words: l.words[1:], block: l.block, open: true}}
	}
	return s.matcher(lines, strings.TrimPrefix(l.name(), "@"))
}

// privateRanges is what Caddy means by that word (modules/caddyhttp/ip_range.go, PrivateRangesCIDR).
var privateRanges = []string{"192.168.0.0/16", "172.16.0.0/12", "10.0.0.0/8", "127.0.0.1/8", "fd00::/8", "::1"}

// additive are the kinds of which several lines are one.
var additive = []string{"path", "host", "method", "query"}

// matcher joins lines: of one kind they are alternatives (but for "not"), kinds must all hold.
func (s *site) matcher(lines []*line, name string) (*matcher, error) {
	m := &matcher{}
	merged := make(map[string][]string)
	var order, keys []string
	for _, l := range lines {
		kind := l.name()
		if !slices.Contains(additive, kind) {
			keys = append(keys, deepText(l))
		}
		switch kind {
		case "path", "host", "method", "query":
			merged[kind] = append(merged[kind], l.args()...)
		case "not":
			inner := l.block
			if !l.open {
				if len(l.words) < 2 {
					return nil, &fault{l.words[0].site, "not is followed by no matcher"}
				}
				inner = []*line{{words: l.words[1:]}}
			}
			sub, err := s.matcher(inner, name)
			if err != nil {
				return nil, err
			}
			if len(lines) == 1 && len(inner) == 1 && (inner[0].name() == "remote_ip" || inner[0].name() == "client_ip") {
				m.but = inner[0].args()
				if i := slices.Index(m.but, "private_ranges"); i >= 0 {
					m.but = slices.Concat(m.but[:i], privateRanges, m.but[i+1:])
				}
			}
			m.all = append(m.all, condition{deepText(l), func(w *walk) route.Truth { got, _ := sub.eval(w); return route.Yes - got }})
		default:
			c, err := s.condition(l, kind, name)
			if err != nil {
				return nil, err
			}
			m.all = append(m.all, c)
		}
		if !slices.Contains(order, kind) {
			order = append(order, kind)
		}
	}
	for _, kind := range order {
		args := merged[kind]
		switch kind {
		case "path":
			m.paths = args
			m.all = append(m.all, condition{"path `" + strings.Join(args, "` `") + "`", pathCondition(args)})
		case "host":
			m.all = append(m.all, condition{"host " + strings.Join(args, " "), hostCondition(args)})
		case "query":
			m.all = append(m.all, condition{"query " + strings.Join(args, " "), queryCondition(args)})
		case "method":
			m.all = append(m.all, condition{"method " + strings.Join(args, " "), func(w *walk) route.Truth {
				return route.TruthOf(slices.Contains(args, w.method))
			}})
		}
	}
	for kind, args := range merged {
		keys = append(keys, kind+" "+strings.Join(args, " "))
	}
	slices.Sort(keys)
	m.key = strings.Join(keys, "\n")
	return m, nil
}

func deepText(l *line) string {
	texts := []string{l.text()}
	for _, inner := range l.block {
		texts = append(texts, "{"+deepText(inner)+"}")
	}
	return strings.Join(texts, " ")
}

// unseen is a condition on what a method, a host and a path do not show.
func unseen(text string) condition {
	return condition{text, func(*walk) route.Truth { return route.Maybe }}
}

func (s *site) condition(l *line, kind, name string) (condition, error) {
	args := l.args()
	c := unseen(deepText(l))
	switch kind {
	case "path_regexp":
		switch len(args) {
		case 1:
		case 2:
			name, args = args[0], args[1:]
		default:
			return c, &fault{l.words[0].site, "path_regexp takes a name and an expression"}
		}
		re, err := regexp.Compile(args[0])
		if err != nil {
			return c, &fault{l.words[0].site, "the expression does not compile: " + err.Error()}
		}
		c.text = "path_regexp `" + args[0] + "`"
		c.eval = func(w *walk) route.Truth {
			found := re.FindStringSubmatch(cleanPath(w.url.Path))
			if found == nil {
				return route.No
			}
			w.capture(re, name, found)
			return route.Yes
		}
	case "protocol":
		if len(args) == 1 && (args[0] == "https" || args[0] == "http") {
			c.eval = func(w *walk) route.Truth {
				if w.plain {
					return route.Maybe // whoever ends TLS may be before this proxy
				}
				return route.TruthOf(args[0] == "https")
			}
		}
	case "header", "header_regexp":
		// What makes a request a WebSocket is in none that is asked about here.
		if len(args) > 1 && (strings.EqualFold(args[0], "upgrade") || strings.EqualFold(args[0], "connection") && strings.Contains(strings.ToLower(args[1]), "upgrade")) {
			c.eval = func(*walk) route.Truth { return route.No }
		}
	}
	return c, nil
}

func queryCondition(args []string) func(*walk) route.Truth {
	return func(w *walk) route.Truth {
		if strings.Contains(strings.Join(args, ""), "{") {
			return route.Maybe
		}
		if strings.Join(args, "") == "" {
			return route.TruthOf(len(w.url.Query()) == 0)
		}
		have, err := url.ParseQuery(w.url.RawQuery)
		if err != nil {
			return route.No
		}
		want := make(map[string][]string)
		for _, arg := range args {
			key, val, _ := strings.Cut(arg, "=")
			want[key] = append(want[key], val)
		}
		for key, vals := range want {
			if !slices.ContainsFunc(vals, func(v string) bool {
				return have.Has(key) && (v == "*" || slices.Contains(have[key], v))
			}) {
				return route.No
			}
		}
		return route.Yes
	}
}

// pathCondition compares decoded, lower-case paths in their shortest form (modules/caddyhttp/matchers.go).
func pathCondition(patterns []string) func(*walk) route.Truth {
	return func(w *walk) route.Truth {
		got := route.No
		for i, pattern := range patterns {
			switch {
			case pattern == "*" || i > 0 && slices.Contains(patterns, "*"):
				return route.Yes
			case strings.ContainsAny(pattern, "%{"):
				got = route.Maybe
			case pathMatches(strings.ToLower(pattern), strings.ToLower(w.url.Path)):
				return route.Yes
			}
		}
		if len(patterns) > 1 && slices.Contains(patterns[1:], "*") {
			return route.Yes
		}
		return got
	}
}

func pathMatches(pattern, p string) bool {
	if strings.Contains(pattern, "//") {
		p = cleanKeeping(p)
	} else {
		p = cleanPath(p)
	}
	middle := strings.Trim(pattern, "*")
	switch stars := strings.Count(pattern, "*"); {
	case stars == 2 && pattern == "*"+middle+"*":
		return strings.Contains(p, middle)
	case stars == 1 && pattern == "*"+middle:
		return strings.HasSuffix(p, middle)
	case stars == 1 && pattern == middle+"*":
		return strings.HasPrefix(p, middle)
	}
	ok, _ := path.Match(pattern, p)
	return ok
}

// cleanPath gives a path its shortest form, but for a slash at its end.
func cleanPath(p string) string {
	clean := path.Clean(p)
	if clean != "/" && strings.HasSuffix(p, "/") {
		clean += "/"
	}
	return clean
}

// cleanKeeping is cleanPath for a pattern that has empty segments: they stay.
func cleanKeeping(p string) string {
	const mark = "\xff"
	var b strings.Builder
	for i := range len(p) {
		if p[i] == '/' && i > 0 && p[i-1] == '/' {
			b.WriteString(mark)
		}
		b.WriteByte(p[i])
	}
	return strings.ReplaceAll(cleanPath(b.String()), mark, "")
}

func hostCondition(hosts []string) func(*walk) route.Truth {
	return func(w *walk) route.Truth {
		got := route.No
		for _, h := range hosts {
			switch {
			case strings.Contains(h, "{"):
				got = route.Maybe
			case hostMatches(h, w.host):
				return route.Yes
			}
		}
		return got
	}
}

// hostMatches compares label by label; a star stands for one.
func hostMatches(pattern, host string) bool {
	if !strings.Contains(pattern, "*") {
		return strings.EqualFold(pattern, host)
	}
	want, have := strings.Split(pattern, "."), strings.Split(host, ".")
	return len(want) == len(have) && !slices.ContainsFunc(want, func(label string) bool {
		got := have[0]
		have = have[1:]
		return label != "*" && !strings.EqualFold(label, got)
	})
}

// address is where a site is served.
type address struct{ scheme, host, port, path string }

func parseAddress(text string) (a address, err error) {
	rest := text
	if scheme, after, ok := strings.Cut(text, "://"); ok {
		a.scheme, rest = strings.ToLower(scheme), after
	}
	if i := strings.IndexByte(rest, '/'); i >= 0 {
		rest, a.path = rest[:i], rest[i:]
	}
	host, port, splitErr := net.SplitHostPort(rest)
	if splitErr != nil {
		host, port = strings.Trim(rest, "[]"), ""
	}
	a.host, a.port = route.Fold(host), port
	if strings.ContainsAny(a.port, "{-") || a.scheme != "" && a.scheme != "http" && a.scheme != "https" {
		return a, fmt.Errorf("the address %s is not read", text)
	}
	return a, nil
}
