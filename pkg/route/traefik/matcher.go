package traefik

import (
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/route"
)

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

// countError says that a matcher has too few values or too many, which is wrong whatever they are.
type countError string

func (e countError) Error() string { return string(e) }

func one(b builder) builder { return counted(b, 1, 1) }

func counted(b builder, least, most int) builder {
	return func(m *matcher) error {
		if n := len(m.args); n < least || n > most {
			return countError(fmt.Sprintf("%s has %d values, but Traefik 3 takes %d", m.name, n, most))
		}
		return b(m)
	}
}

// braces matches Traefik 2's placeholders, {name} and {name:regexp}.
var braces = regex.Of(`\{[^{}:]*[A-Za-z][^{}:]*(:.*)?\}`)

func warnBraces(m *matcher) {
	if braces().MatchString(m.args[0]) {
		m.Never = m.Text + " is the syntax of Traefik 2, and Traefik 3 takes the braces literally"
	}
}

// unfilled matches what people put a name in the place of before they start the stack: {DOMAIN_NAME}. Traefik 2 has no such
// thing in a Host.
var unfilled = regex.Of(`\{[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\}`)

// filledLater makes a matcher of one whose host is still to be filled in: only of another that holds the same it can be told.
func (m *matcher) filledLater() error {
	m.Open, m.Eval = true, func(r *route.Request) route.Truth {
		if !strings.Contains(r.Host, "{") {
			return route.Maybe
		}
		return route.TruthOf(slices.ContainsFunc(m.args, func(a string) bool { return strings.EqualFold(a, r.Host) }))
	}
	return nil
}

func hostV3(m *matcher) error {
	want := m.args[0]
	if err := ascii(m, want); err != nil {
		return err
	}
	if unfilled().MatchString(want) {
		return m.filledLater()
	}
	warnBraces(m)
	want = strings.ToLower(want)
	if strings.HasPrefix(want, "*") {
		// Only Traefik 3.7 and later take it for a wildcard.
		m.Eval = func(r *route.Request) route.Truth {
			_, parent, _ := strings.Cut(r.Host, ".")
			if want == "*" || want == "*."+parent {
				return route.Maybe
			}
			return route.No
		}
		return nil
	}
	m.Eval = func(r *route.Request) route.Truth { return route.TruthOf(sameHost(r.Host, want)) }
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
	m.Eval = func(r *route.Request) route.Truth { return route.TruthOf(re.MatchString(r.Host) || re.MatchString("")) }
	return nil
}

func pathV3(m *matcher) error {
	want := m.args[0]
	if want[0] != '/' {
		return fmt.Errorf("%s does not begin with a slash", m.Text)
	}
	warnBraces(m)
	if m.name == "Path" {
		m.Eval = func(r *route.Request) route.Truth { return route.TruthOf(r.Path == want) }
	} else {
		m.Eval = func(r *route.Request) route.Truth { return route.TruthOf(strings.HasPrefix(r.Path, want)) }
	}
	return nil
}

func pathRegexpV3(m *matcher) error {
	re, err := regexp.Compile(m.args[0])
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	m.Eval = func(r *route.Request) route.Truth { return route.TruthOf(re.MatchString(r.Path)) }
	return nil
}

func methodV3(m *matcher) error {
	want := strings.ToUpper(m.args[0])
	m.Eval = func(r *route.Request) route.Truth { return route.TruthOf(r.Method == want) }
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
	m.Eval = func(r *route.Request) route.Truth { return route.TruthOf(slices.ContainsFunc(r.Query[key], accept)) }
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
	m.Eval = func(*route.Request) route.Truth { return route.Maybe }
	if http.CanonicalHeaderKey(m.args[0]) == "Host" {
		// Go's server moves the Host header away from the others.
		m.Eval = func(*route.Request) route.Truth { return route.No }
		m.Never = m.Text + " never matches, use Host"
	}
	return nil
}

func clientIP(m *matcher) error {
	for _, a := range m.args {
		_, errIP := netip.ParseAddr(a)
		_, errNet := netip.ParsePrefix(a)
		if errIP != nil && errNet != nil {
			return fmt.Errorf("%s is neither an address nor a network", m.Text)
		}
	}
	m.Eval = func(*route.Request) route.Truth { return route.Maybe }
	return nil
}

func ascii(m *matcher, s string) error {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return fmt.Errorf("%s is not ASCII", m.Text)
		}
	}
	return nil
}
