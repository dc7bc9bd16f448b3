package nginx

import (
	"strconv"
	"strings"
)

// fill puts variables into a text; ok is false where one depends on what a request line does not show. Quoted says
// that captured text is escaped, as it is in a query.
func (w *walk) fill(text string, quoted bool) (string, bool) {
	return w.filled(text, map[bool]func(string) string{true: escapeArgs}[quoted])
}

// filled is fill with what is done to captured text; nil for nothing.
func (w *walk) filled(text string, escaped func(string) string) (string, bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		name := ""
		if inner, ok := strings.CutPrefix(rest, "{"); ok {
			name, text, _ = strings.Cut(inner, "}")
		} else {
			n := 0
			for n < len(rest) && (rest[n] == '_' || rest[n] >= '0' && rest[n] <= '9' || rest[n]|0x20 >= 'a' && rest[n]|0x20 <= 'z') {
				n++
				if rest[0] >= '0' && rest[0] <= '9' {
					break
				}
			}
			name, text = rest[:n], rest[n:]
		}
		if name == "" {
			b.WriteByte('$')
			continue
		}
		if i, err := strconv.Atoi(name); err == nil {
			if i < len(w.captures) {
				val := w.captures[i]
				if escaped != nil && strings.Contains(w.raw, "%") {
					val = escaped(val)
				}
				b.WriteString(val)
			}
			continue
		}
		val, ok := w.variable(name)
		if !ok {
			return "", false
		}
		b.WriteString(val)
	}
}

// escapeRedirect is escape for the path of a redirect, where nginx takes the escapes of printable characters back.
func escapeRedirect(p string) string {
	var b strings.Builder
	for i := range len(p) {
		if c := p[i : i+1]; c[0] > '%' && c[0] < 0x7f {
			b.WriteString(c)
		} else {
			b.WriteString(escape(c))
		}
	}
	return b.String()
}

// escapeArgs is escape for what becomes a part of a query or of a redirect.
func escapeArgs(p string) string {
	return strings.NewReplacer("&", "%26", "+", "%2B", ";", "%3B").Replace(escape(p))
}

func (w *walk) variable(name string) (string, bool) {
	if val, ok := w.vars[name]; ok {
		return val, true
	}
	if m := w.maps[name]; m != nil {
		if w.looked++; w.looked > maxLooked { // maps that lead to one another
			return "", false
		}
		return w.mapped(m)
	}
	switch name {
	case "host":
		return w.host, true
	case "http_host":
		return w.hostport, true
	case "uri", "document_uri":
		return w.uri, true
	case "request_uri":
		return w.raw + w.sent, true
	case "args", "query_string":
		return w.args, true
	case "is_args":
		return map[bool]string{true: "?"}[w.args != ""], true
	case "scheme":
		return "https", w.ssl
	case "https":
		return "on", w.ssl
	case "request_method":
		return w.method, true
	case "server_port":
		return w.port, true
	case "server_name":
		if len(w.server.names) > 0 {
			return w.server.names[0], true
		}
		return "", true
	case "http_upgrade": // it is in no request that is asked about here
		return "", true
	}
	if key, ok := strings.CutPrefix(name, "arg_"); ok {
		for part := range strings.SplitSeq(w.args, "&") {
			if k, v, _ := strings.Cut(part, "="); strings.EqualFold(k, key) {
				return v, true
			}
		}
		return "", true
	}
	return "", false
}

// maxLooked is how often maps are looked at for one request.
const maxLooked = 500

func (w *walk) mapped(m *mapping) (string, bool) {
	from, ok := w.fill(m.from, false)
	if !ok || m.unclear != "" {
		return "", false
	}
	to, found := m.exact[strings.ToLower(from)]
	for _, r := range m.regexes {
		if found {
			break
		}
		if g := r.re.FindStringSubmatch(from); g != nil {
			to, found = r.to, true
			w.capture(r.re, g)
		}
	}
	if !found {
		to = m.other
	}
	return w.fill(to, false)
}

func (c *config) mapping(d *directive) {
	m := &mapping{from: d.arg(0), exact: make(map[string]string)}
	for _, e := range d.block {
		switch name := e.name; {
		case name == "default":
			m.other = e.arg(0)
		case name == "volatile":
		case name == "hostnames" || name == "include":
			m.unclear = "the map " + d.arg(1) + " is not read"
		case strings.HasPrefix(name, "~"):
			re, err := compile(strings.TrimPrefix(strings.TrimPrefix(name, "~"), "*"), strings.HasPrefix(name, "~*"))
			if err != nil {
				m.unclear = "the map " + d.arg(1) + " holds an expression that is not understood here"
				continue
			}
			m.regexes = append(m.regexes, mapRegex{re, e.arg(0)})
		default:
			m.exact[strings.ToLower(strings.TrimPrefix(name, `\`))] = e.arg(0)
		}
	}
	c.maps[strings.TrimPrefix(d.arg(1), "$")] = m
}

// holds tells whether the condition of an if is fulfilled.
func (w *walk) holds(d *directive) (yes, ok bool) {
	if !strings.HasPrefix(d.arg(0), "$") {
		return false, false
	}
	val, ok := w.fill(d.arg(0), false)
	if !ok {
		return false, false
	}
	switch op := d.arg(1); op {
	case "":
		return val != "" && val != "0", true
	case "=", "!=":
		want, ok := w.fill(d.arg(2), false)
		return (val == want) == (op == "="), ok
	case "~", "~*", "!~", "!~*":
		re, err := compile(d.arg(2), strings.HasSuffix(op, "*"))
		if err != nil {
			return false, false
		}
		m := re.FindStringSubmatch(val)
		if m != nil {
			w.capture(re, m)
		}
		return (m != nil) != strings.HasPrefix(op, "!"), true
	}
	return false, false
}
