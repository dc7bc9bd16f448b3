package caddy

import (
	"cmp"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/route"
)

// walk is a request on its way through the directives of a site.
type walk struct {
	method, host, port string
	hostport           string
	url, orig          *url.URL
	plain              bool // TLS has ended before Caddy
	captures           map[string]string
	env                func(name string) (string, bool, string)

	body  bound
	sends []sent
	files from

	end   route.End
	taken map[*group]bool
}

// group is directives of which only the first that matches is run.
type group struct{ name string }

// step is what a directive does. It is true where the way ends.
type step func(*walk) bool

// entry is one or several directives with one matcher. Quiet ones change nothing of the way; one that serves says which files are
// served later. Ends are the routers that its steps may lead to.
type entry struct {
	match  *matcher
	group  *group
	quiet  bool
	serves bool
	steps  []step
	ends   []*route.Router
	at     string
	// guard stands for an entry that refuses all who are not let through.
	guard *route.Middleware
}

// run sends a request through entries, in their order.
func run(entries []*entry, w *walk) bool {
	for _, e := range entries {
		if e.quiet {
			w.aside(e)
			continue
		}
		if e.group != nil && w.taken[e.group] {
			w.pass(e, "another block of its kind is run")
			continue
		}
		if e.guard != nil {
			w.end.Guards = append(w.end.Guards, e.guard)
			continue
		}
		got, why := e.match.eval(w)
		switch got {
		case route.No:
			w.pass(e, why)
			continue
		case route.Maybe:
			w.end.Unknown = "whether " + e.at + " applies depends on " + why
			return true
		default:
		}
		if e.group != nil {
			w.taken[e.group] = true
		}
		for _, s := range e.steps {
			if s(w) {
				return true
			}
		}
	}
	return false
}

// aside runs what changes nothing of the way.
func (w *walk) aside(e *entry) {
	got, why := e.match.eval(w)
	if e.group != nil && w.taken[e.group] || len(e.steps) == 0 {
		return
	}
	switch got {
	case route.Yes:
		if e.group != nil {
			w.taken[e.group] = true
		}
		for _, s := range e.steps {
			s(w)
		}
	case route.Maybe:
		if e.group != nil {
			w.taken[e.group] = true // whether it is the first that matches is not known
		}
		if e.serves {
			w.files.unclear = "whether " + e.at + " applies depends on " + why
		}
	default:
	}
}

// pass notes that the routers of an entry do not take the request.
func (w *walk) pass(e *entry, why string) {
	for _, r := range e.ends {
		w.end.Tried = append(w.end.Tried, route.Attempt{Router: r, Why: why})
	}
}

// ends a way at a router.
func (w *walk) finish(r *route.Router) bool {
	w.end.Router = r
	w.end.Tried = append(w.end.Tried, route.Attempt{Router: r, Matched: true})
	w.end.Path = cmp.Or(w.url.EscapedPath(), "/")
	return true
}

func (w *walk) capture(re *regexp.Regexp, name string, found []string) {
	for i, text := range found {
		keys := []string{strconv.Itoa(i)}
		if sub := re.SubexpNames()[i]; sub != "" {
			keys = append(keys, sub)
		}
		for _, key := range keys {
			w.captures[key] = text
			w.captures[name+"."+key] = text
		}
	}
}

// expand fills in placeholders; ok is false where one depends on what a request line does not show.
func (w *walk) expand(text string) (string, bool) {
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "{")
		name, after, ended := strings.Cut(rest, "}")
		b.WriteString(before)
		if !found || !ended {
			if found {
				b.WriteString("{" + rest)
			}
			return b.String(), true
		}
		val, ok := w.placeholder(name)
		if !ok {
			return "", false
		}
		b.WriteString(val)
		text = after
	}
}

// placeholder gives a value by its short name or its long one.
func (w *walk) placeholder(name string) (string, bool) {
	if short, ok := strings.CutPrefix(name, "http.request."); ok {
		name = strings.TrimPrefix(short, "uri.")
	}
	name = strings.TrimPrefix(name, "http.")
	kind, key, _ := strings.Cut(name, ".")
	switch {
	case kind == "env":
		val, _, hidden := w.env(key)
		return val, hidden == ""
	case w.url == nil: // there is no request yet
		return "", false
	case name == "host":
		return w.host, true
	case name == "hostport":
		return w.hostport, true
	case name == "uri":
		return w.url.RequestURI(), true
	case name == "orig_uri":
		return w.orig.RequestURI(), true
	case name == "path":
		return w.url.Path, true
	case name == "orig_path", name == "orig_uri.path":
		return w.orig.Path, true
	case name == "query":
		return w.url.RawQuery, true
	case name == "?query", name == "prefixed_query":
		if w.url.RawQuery == "" {
			return "", true
		}
		return "?" + w.url.RawQuery, true
	case name == "method":
		return w.method, true
	case name == "scheme" && !w.plain:
		return "https", true
	case kind == "re", kind == "regexp":
		val, ok := w.captures[key]
		return val, ok
	case kind == "labels", name == "host.labels":
		labels := strings.Split(w.host, ".")
		i, err := strconv.Atoi(key)
		if err != nil || i < 0 || i >= len(labels) {
			return "", err == nil
		}
		return labels[len(labels)-1-i], true
	}
	return "", false
}

// change replaces the escaped path, and keeps its escapes where they are not those that it would have anyway.
func change(u *url.URL, to func(string) string) {
	raw := to(u.EscapedPath())
	plain, err := url.PathUnescape(raw)
	if err != nil || plain == "" {
		plain = to(u.Path)
	}
	u.Path, u.RawPath = plain, raw
	if raw == (&url.URL{Path: plain}).EscapedPath() {
		u.RawPath = ""
	}
}

func cleaner(pattern string) func(string) string {
	if strings.Contains(pattern, "//") {
		return cleanKeeping
	}
	return cleanPath
}

// strip cuts a prefix or a suffix off the path, which it brings into its shortest form first.
func strip(u *url.URL, affix string, cut func(path, affix string) string) {
	clean, cutAny := cleaner(affix), false
	change(u, func(p string) string {
		p = clean(p)
		rest := cut(p, affix)
		cutAny = cutAny || rest != p
		return rest
	})
	if !cutAny {
		return
	}
	plain := leading(u.Path)
	plain, _ = url.PathUnescape(cleanKeeping((&url.URL{Path: plain}).EscapedPath()))
	raw := ""
	if u.RawPath != "" {
		raw = leading(u.RawPath)
		if decoded, err := url.PathUnescape(raw); err != nil || decoded != plain || raw == (&url.URL{Path: plain}).EscapedPath() {
			raw = ""
		}
	}
	u.Path, u.RawPath = plain, raw
}

func leading(p string) string {
	if strings.HasPrefix(p, "/") {
		return p
	}
	return "/" + p
}

// units divides an escaped path into what stands for one byte each.
func units(p string) (list []string) {
	for p != "" {
		n := 1
		if p[0] == '%' && len(p) > 2 {
			if _, err := url.PathUnescape(p[:3]); err == nil {
				n = 3
			}
		}
		list, p = append(list, p[:n]), p[n:]
	}
	return list
}

// alike compares a unit of a path with one of a pattern: as it stands if the pattern has an escape there, else
// decoded, and without regard to case.
func alike(have, want string) bool {
	if len(want) > 1 {
		return strings.EqualFold(have, want)
	}
	plain, err := url.PathUnescape(have)
	return err == nil && strings.EqualFold(plain, want)
}

func cutPrefix(p, prefix string) string {
	have, want := units(p), units(leading(prefix))
	if len(have) < len(want) {
		return p
	}
	for i, unit := range want {
		if !alike(have[i], unit) {
			return p
		}
	}
	return strings.Join(have[len(want):], "")
}

func cutSuffix(p, suffix string) string {
	have, want := units(p), units(suffix)
	at := len(have) - len(want)
	if at < 0 {
		return p
	}
	for i, unit := range want {
		if !alike(have[at+i], unit) {
			return p
		}
	}
	return strings.Join(have[:at], "")
}

// rewrite sets the parts of the URI that the target names.
func (w *walk) rewrite(to string) bool {
	before, query, hasQuery := strings.Cut(to, "?")
	for _, placeholder := range []string{"{path}", "{http.request.uri.path}"} {
		before = strings.ReplaceAll(before, placeholder, w.url.EscapedPath())
	}
	path, ok := w.expand(before)
	if !ok {
		return false
	}
	path, _, _ = strings.Cut(path, "#")
	path, injected, more := strings.Cut(path, "?")
	if query, ok = w.expand(query); !ok {
		return false
	}
	if more && query == "" {
		query, hasQuery = injected, true
	}
	if before != "" {
		if plain, err := url.PathUnescape(path); err == nil {
			path = plain
		}
		w.url.Path, w.url.RawPath = path, ""
	}
	if hasQuery {
		w.url.RawQuery = query
	}
	return true
}
