package haproxy

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/route"
)

// how a value is compared with the patterns of an acl.
type how int

const (
	exact how = iota
	begins
	ends
	contains
	within // whole parts between slashes
	regex
	unknown
)

// matcher is what stands behind the name of an acl: what is looked at, and what it is compared with.
type matcher struct {
	fetch    string
	kind     how
	fold     bool
	patterns []string
	regexes  []*regexp.Regexp // of the patterns; nil for one that is not understood
}

// condition is the name of an acl, or one in braces.
type condition struct {
	acl    string
	inline *matcher
	not    bool
}

func always() [][]condition { return [][]condition{{}} }

var kinds = map[string]how{"beg": begins, "end": ends, "sub": contains, "dir": within, "reg": regex, "str": exact}

// newMatcher reads what is looked at, the flags, and the patterns.
func newMatcher(words []string) (m matcher) {
	if len(words) == 0 {
		return matcher{kind: unknown}
	}
	m.fetch = words[0]
	name, argument, _ := strings.Cut(m.fetch, "(")
	if i := strings.LastIndex(name, "_"); i > 0 {
		if kind, ok := kinds[name[i+1:]]; ok {
			m.kind, name = kind, name[:i]
			m.fetch = name
			if argument != "" {
				m.fetch += "(" + argument
			}
		}
	}
	for i := 1; i < len(words); i++ {
		switch w := words[i]; {
		case w == "-i":
			m.fold = true
		case w == "-m" && i+1 < len(words):
			i++
			kind, ok := kinds[words[i]]
			if m.kind = kind; !ok {
				m.kind = unknown
			}
		case w == "--":
			m.patterns = append(m.patterns, words[i+1:]...)
			i = len(words)
		case w == "-f" || w == "-M" || w == "-n" || w == "-u":
			m.kind = unknown
			i = len(words)
		default:
			m.patterns = append(m.patterns, w)
		}
	}
	if m.kind == regex {
		for _, pattern := range m.patterns {
			if m.fold {
				pattern = "(?i)" + pattern
			}
			re, _ := regexp.Compile("(?s)" + pattern)
			m.regexes = append(m.regexes, re)
		}
	}
	return m
}

// conditions reads what stands behind if or unless: lists of conditions, of which one has to hold.
func conditions(words []string) ([][]condition, error) {
	if len(words) == 0 {
		return always(), nil
	}
	unless := words[0] == "unless"
	if words[0] != "if" && !unless {
		return nil, fmt.Errorf("%q is no condition", words[0])
	}
	lists := [][]condition{{}}
	last := func() *[]condition { return &lists[len(lists)-1] }
	not := false
	for i := 1; i < len(words); i++ {
		switch w := words[i]; w {
		case "||", "or":
			lists = append(lists, nil)
		case "!":
			not = !not
		case "{", "!{":
			end := slices.Index(words[i:], "}")
			if end < 0 {
				return nil, errors.New("a brace is not closed")
			}
			m := newMatcher(words[i+1 : i+end])
			*last() = append(*last(), condition{inline: &m, not: not != (w == "!{")})
			i, not = i+end, false
		default:
			name := strings.TrimLeft(w, "!")
			*last() = append(*last(), condition{acl: name, not: not != ((len(w)-len(name))%2 == 1)})
			not = false
		}
	}
	if !unless {
		return lists, nil
	}
	if len(lists) > 1 || len(lists[0]) != 1 {
		return nil, errors.New("unless several conditions hold")
	}
	lists[0][0].not = !lists[0][0].not
	return lists, nil
}

// holds tells whether a request meets the conditions of a rule, and names those that say no or cannot be told.
func (r rule) holds(f *frontend, a route.Ask, path string) (route.Truth, string) {
	whole, why := route.No, ""
	for i, list := range r.when {
		got, because := route.Yes, ""
		for _, c := range list {
			one, text := c.holds(f, a, path)
			if one < got {
				got, because = one, text
			}
		}
		if got > whole || i == 0 {
			whole, why = got, because
		}
	}
	return whole, why
}

func (c condition) holds(f *frontend, a route.Ask, path string) (got route.Truth, text string) {
	if text = c.acl; c.inline != nil {
		text = strings.TrimSpace(c.inline.fetch + " " + strings.Join(c.inline.patterns, " "))
		got = f.matches(*c.inline, a, path)
	} else {
		switch ms := f.acls[c.acl]; {
		case c.acl == "TRUE":
			got = route.Yes
		case len(ms) == 0 && strings.HasPrefix(c.acl, "METH_"):
			got = route.TruthOf(a.Method == strings.TrimPrefix(c.acl, "METH_"))
		case len(ms) == 0 && c.acl != "FALSE":
			got = route.Maybe
		default:
			for _, m := range ms {
				got = max(got, f.matches(m, a, path))
			}
		}
	}
	if c.not {
		return route.Yes - got, "!" + text
	}
	return got, text
}

// matches looks at what a request says itself, and whether it came in by TLS.
func (f *frontend) matches(m matcher, a route.Ask, path string) route.Truth {
	if strings.TrimSpace(m.fetch) != "ssl_fc" || len(m.patterns) > 0 {
		return m.matches(a, path)
	}
	port := a.Port
	if a.Entry != nil {
		port = strings.TrimPrefix(a.Entry.Name, ":")
	}
	if !slices.Contains(f.ports, port) {
		return route.Maybe
	}
	return route.TruthOf(f.secure[port])
}

// matches looks at what a request says itself. That a backend has a server which answers is taken for granted.
func (m matcher) matches(a route.Ask, path string) route.Truth {
	value := ""
	name, argument, _ := strings.Cut(strings.ReplaceAll(m.fetch, " ", ""), "(")
	argument = strings.ToLower(strings.TrimSuffix(argument, ")"))
	switch {
	case name == "nbsrv" && slices.Equal(m.patterns, []string{"gt", "0"}):
		return route.Yes
	case name == "path" && argument == "":
		value = path
	case name == "path,url_dec":
		plain, err := url.PathUnescape(path)
		if err != nil {
			return route.Maybe
		}
		value = plain
	case name == "method" || name == "capture.req.method":
		value = a.Method
	case (name == "hdr" || name == "req.hdr" || name == "req.fhdr") && argument == "host":
		value = a.HostPort
	case (name == "hdr" || name == "req.hdr") && (argument == "host),host_only" || argument == "host),field(1,:"):
		value = a.Host
	default:
		return route.Maybe
	}
	got := route.No
	for i, pattern := range m.patterns {
		switch {
		case m.kind != regex:
			got = max(got, m.fits(value, pattern))
		case m.regexes[i] == nil:
			got = max(got, route.Maybe)
		default:
			got = max(got, route.TruthOf(m.regexes[i].MatchString(value)))
		}
	}
	return got
}

func (m matcher) fits(value, pattern string) route.Truth {
	if m.fold {
		value, pattern = strings.ToLower(value), strings.ToLower(pattern)
	}
	switch m.kind {
	case exact:
		return route.TruthOf(value == pattern)
	case begins:
		return route.TruthOf(strings.HasPrefix(value, pattern))
	case ends:
		return route.TruthOf(strings.HasSuffix(value, pattern))
	case contains:
		return route.TruthOf(strings.Contains(value, pattern))
	case within:
		return route.TruthOf(strings.Contains("/"+strings.Trim(value, "/")+"/", "/"+strings.Trim(pattern, "/")+"/"))
	}
	return route.Maybe
}
