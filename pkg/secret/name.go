package secret

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// Rule is the id of every finding of this package.
const Rule = "secrets"

// EnvName gives the environment variable that overrides the secret.
func EnvName(name string) string {
	return "STACKGEN_SECRET_" + strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		}
		return '_'
	}, name)
}

// Nearest gives the name among needs that name is most likely a misspelling of, "" when none is close.
func Nearest(name string, needs []Need) string {
	names := make([]string, len(needs))
	for i, n := range needs {
		if names[i] = n.Name; strings.HasSuffix(n.Name, "."+name) || strings.HasSuffix(name, "."+n.Name) {
			return n.Name
		}
	}
	return finding.Nearest(name, names)
}

// MissingFindings gives one error per missing secret: where to get it and the two ways to give it. path
// is the file that the findings point at, set what sets a secret of this spec, as it is typed.
func MissingFindings(needs []Need, path, set string) []finding.Finding {
	var out []finding.Finding
	for _, n := range needs {
		fix := fmt.Sprintf("`%s %s`, or put it into the environment as %s", set, n.Name, EnvName(n.Name))
		if n.Where != "" {
			fix = fmt.Sprintf("get it from %s, then %s", n.Where, fix)
		}
		if n.FormHelp != "" {
			fix += " (" + n.FormHelp + ")"
		}
		out = append(out, finding.Finding{
			Rule: Rule, Severity: finding.Error,
			Message: fmt.Sprintf("the secret %s is missing; the stack cannot be rendered without it", n.Name),
			Fix:     fix,
			Sites:   []source.Site{{Pos: source.Pos{File: filepath.ToSlash(path)}}},
		})
	}
	return out
}

// showName is name where it can be nothing but a name. Anything else at the place of a key may be a
// value that slipped out of its quotes.
func showName(name string) string {
	if nameShape().MatchString(name) {
		return "`" + name + "`"
	}
	return "the name here"
}

var nameShape = regex.Of(`^[A-Za-z_][A-Za-z0-9_-]{0,62}(\.[A-Za-z0-9_-]{1,62})*$`)

func checkName(name string) error {
	if name == "" || len(name) > 256 || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return errors.New("has no usable name")
	}
	return nil
}
