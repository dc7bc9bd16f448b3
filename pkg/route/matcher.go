package route

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// request is what rules look at: the host without port in lower case, the routing path, the query.
type request struct {
	method, host, path string
	query              url.Values
}

var matchersV3 = map[string]builder{
	"Host":         one(hostV3),
	"HostRegexp":   one(hostRegexpV3),
	"Path":         one(pathV3),
	"PathPrefix":   one(pathV3),
	"PathRegexp":   one(pathRegexpV3),
	"Method":       one(methodV3),
	"Header":       counted(undetermined, 2, 2),
	"HeaderRegexp": counted(undetermined, 2, 2),
	"Query":        counted(queryV3, 1, 2),
	"QueryRegexp":  counted(queryV3, 1, 2),
	"ClientIP":     one(clientIP),
}

func one(b builder) builder { return counted(b, 1, 1) }

func counted(b builder, least, most int) builder {
	return func(m *matcher) error {
		if n := len(m.args); n < least || n > most {
			return fmt.Errorf("%s has %d values, but Traefik 3 takes %d", m.name, n, most)
		}
		return b(m)
	}
}

// braces matches Traefik 2's placeholders, {name} and {name:regexp}.
var braces = regexp.MustCompile(`\{[^{}:]*[A-Za-z][^{}:]*(:.*)?\}`)

func warnBraces(m *matcher) {
	if braces.MatchString(m.args[0]) {
		m.never = m.String() + " is the syntax of Traefik 2, and Traefik 3 takes the braces literally"
	}
}

func (m *matcher) String() string { return (&expr{matcher: m}).String() }

func hostV3(m *matcher) error {
	want := m.args[0]
	if err := ascii(m, want); err != nil {
		return err
	}
	warnBraces(m)
	want = strings.ToLower(want)
	if strings.HasPrefix(want, "*") {
		// Only Traefik 3.7 and later take it for a wildcard.
		m.eval = func(r *request) truth {
			_, parent, _ := strings.Cut(r.host, ".")
			if want == "*" || want == "*."+parent {
				return maybe
			}
			return no
		}
		return nil
	}
	m.eval = func(r *request) truth { return truthOf(sameHost(r.host, want)) }
	return nil
}

func sameHost(host, want string) bool {
	return host != "" && (host == want || host+"." == want || host == want+".")
}

func hostRegexpV3(m *matcher) error {
	if err := ascii(m, m.args[0]); err != nil {
		return err
	}
	warnBraces(m)
	re, err := regexp.Compile(m.args[0])
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	// Traefik asks the regexp a second time, with the flattened CNAME, which is empty by default.
	m.eval = func(r *request) truth { return truthOf(re.MatchString(r.host) || re.MatchString("")) }
	return nil
}

func pathV3(m *matcher) error {
	want := m.args[0]
	if want[0] != '/' {
		return fmt.Errorf("%s does not begin with a slash", m)
	}
	warnBraces(m)
	if m.name == "Path" {
		m.eval = func(r *request) truth { return truthOf(r.path == want) }
	} else {
		m.eval = func(r *request) truth { return truthOf(strings.HasPrefix(r.path, want)) }
	}
	return nil
}

func pathRegexpV3(m *matcher) error {
	re, err := regexp.Compile(m.args[0])
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	m.eval = func(r *request) truth { return truthOf(re.MatchString(r.path)) }
	return nil
}

func methodV3(m *matcher) error {
	want := strings.ToUpper(m.args[0])
	m.eval = func(r *request) truth { return truthOf(r.method == want) }
	return nil
}

func queryV3(m *matcher) error {
	key, accept := m.args[0], func(v string) bool { return v == "" }
	if len(m.args) == 2 {
		accept = func(v string) bool { return v == m.args[1] }
		if m.name == "QueryRegexp" {
			re, err := regexp.Compile(m.args[1])
			if err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			accept = re.MatchString
		}
	}
	m.eval = func(r *request) truth { return truthOf(slices.ContainsFunc(r.query[key], accept)) }
	return nil
}

// undetermined is the builder of matchers on headers.
func undetermined(m *matcher) error {
	if strings.HasSuffix(m.name, "Regexp") {
		for i := 1; i < len(m.args); i += 2 {
			if _, err := regexp.Compile(m.args[i]); err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
		}
	}
	m.eval = func(*request) truth { return maybe }
	if http.CanonicalHeaderKey(m.args[0]) == "Host" {
		// Go's server moves the Host header away from the others.
		m.eval = func(*request) truth { return no }
		m.never = m.String() + " never matches, use Host"
	}
	return nil
}

func clientIP(m *matcher) error {
	for _, a := range m.args {
		_, errIP := netip.ParseAddr(a)
		_, errNet := netip.ParsePrefix(a)
		if errIP != nil && errNet != nil {
			return fmt.Errorf("%s is neither an address nor a network", m)
		}
	}
	m.eval = func(*request) truth { return maybe }
	return nil
}

func ascii(m *matcher, s string) error {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return fmt.Errorf("%s is not ASCII", m)
		}
	}
	return nil
}
