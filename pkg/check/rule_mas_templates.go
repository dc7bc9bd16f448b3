package check

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
)

var masClaimTemplates = Rule{
	ID: "mas-claim-templates", Severity: finding.Error,
	Summary: "the templates that make claims of what a provider sends can be read, and begin at what MAS puts into them",
	Why:     "MAS starts all the same, and `mas-cli config check` is content. Whoever logs in through the provider sees \"Template … could not be rendered\", or 'Template \"…\" rendered to an empty string'.",
	Fix:     "Write {{ user.CLAIM }}. What else there is: id_token_claims, userinfo_claims, extra_callback_parameters.",
	Source:  "MAS crates/handlers/src/upstream_oauth2/template.rs, run with 1.22.0; minijinja's syntax",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.MASs {
			for _, p := range m.Upstreams() {
				if deployment.IsFalse(p.At("enabled")) {
					continue
				}
				imports := p.At("claims_imports")
				for _, claim := range []string{"subject", "localpart", "displayname", "email", "account_name"} {
					action := imports.At(claim, "action").Str()
					if claim != "subject" && claim != "account_name" && (action == "" || action == "ignore") {
						continue
					}
					v := imports.At(claim, "template")
					if !v.IsString() {
						continue
					}
					const fix = "template: \"{{ user.CLAIM }}\""
					switch wrong, empty := templateFault(v.Str()); {
					case wrong != "":
						r.Fail(fmt.Sprintf("the template of the %s %s; whoever logs in through this provider sees \"Template … could not be rendered\"", claim, wrong), fix, v.Site(""))
					case empty != "" && (claim == "subject" || claim == "localpart"):
						r.Fail(fmt.Sprintf("the template of the %s begins at %s, which MAS does not give it, and is empty; nobody can log in through this provider for the first time", claim, empty), fix, v.Site(""))
					case empty != "":
						r.Warn(fmt.Sprintf("the template of the %s begins at %s, which MAS does not give it; it stays empty", claim, empty), fix, v.Site(""))
					}
					if name := unknownFilter(v.Str()); name != "" {
						r.Warn(fmt.Sprintf("the template of the %s uses the filter %s, which MAS does not have; the claim is lost, and a localpart cannot be made", claim, name), "another filter, or none", v.Site(""))
					}
				}
			}
		}
	},
}

// templateRoots are the variables that MAS gives a template of a claim.
var templateRoots = []string{"user", "id_token_claims", "userinfo_claims", "extra_callback_parameters"}

// templateFault says what is surely wrong with the syntax of a template, as a clause, or at which variable it begins
// that MAS does not give it; "" where nothing is. Statements are left to minijinja.
func templateFault(text string) (wrong, empty string) {
	rest := text
	for {
		i := strings.IndexByte(rest, '{')
		if i < 0 || i+1 >= len(rest) {
			return "", ""
		}
		switch rest[i+1] {
		case '#', '%':
			return "", "" // it may define what follows
		case '{':
		default:
			rest = rest[i+1:]
			continue
		}
		expr, after, fault := expression(rest[i+2:])
		if expr = strings.TrimSpace(strings.Trim(expr, "-+")); fault == "" && expr == "" {
			fault = "has nothing between {{ and }}"
		}
		if name := strayRoot(expr); fault != "" || name != "" && !strings.Contains(text, "{%") {
			return fault, name
		}
		rest = after
	}
}

// expression takes what stands up to the end of an expression, with its brackets closed.
func expression(text string) (expr, after, fault string) {
	var open []byte
	closing := map[byte]byte{'(': ')', '[': ']', '{': '}'}
	for i := 0; i < len(text); i++ {
		switch c := text[i]; c {
		case '"', '\'':
			end := i + 1
			for end < len(text) && text[end] != c {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(text) {
				return "", "", "has a quote that is never closed"
			}
			i = end
		case '(', '[', '{':
			open = append(open, closing[c])
		case ')', ']', '}':
			if len(open) == 0 && c == '}' && strings.HasPrefix(text[i:], "}}") {
				return text[:i], text[i+2:], ""
			}
			if len(open) == 0 || open[len(open)-1] != c {
				return "", "", fmt.Sprintf("closes %q without opening it", string(c))
			}
			open = open[:len(open)-1]
		}
	}
	return "", "", "has {{ without }}"
}

// strayRoot is the variable at which a plain path begins, when MAS gives no such one to a template.
func strayRoot(expr string) string {
	name := expr
	if i := strings.IndexFunc(expr, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }); i >= 0 {
		name = expr[:i]
	}
	next := strings.TrimSpace(expr[len(name):])
	plain := next == "" || next[0] == '.' || next[0] == '|'
	switch {
	case name == "" || !plain || unicode.IsDigit(rune(name[0])) || strings.Contains(next, "default") || strings.Contains(next, " or "):
	case slices.Contains(templateRoots, name) || slices.Contains([]string{"true", "false", "none", "True", "False", "None"}, name):
	default:
		return name
	}
	return ""
}

// templateFilters are those of minijinja 2, of minijinja-contrib, and MAS's own.
var templateFilters = strings.Fields(`abs attr batch bool capitalize chain count d default dictsort e escape first float format
	groupby indent int items join last length lines list lower map max min pprint reject rejectattr replace reverse round
	safe select selectattr slice sort split string sum title tojson trim unique upper urlencode zip
	dateformat datetimeformat filesizeformat pluralize random striptags timeformat truncate wordcount wordwrap
	b64decode b64encode from_json tlvdecode`)

// unknownFilter is the first filter of the expressions of a template that MAS does not have.
func unknownFilter(text string) string {
	rest := text
	for {
		_, after, found := strings.Cut(rest, "{{")
		if !found {
			return ""
		}
		expr, next, fault := expression(after)
		if fault != "" {
			return ""
		}
		for _, part := range strings.Split(unquoted(expr), "|")[1:] {
			part = strings.TrimSpace(part)
			end := strings.IndexFunc(part, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
			if end >= 0 {
				part = part[:end]
			}
			if part != "" && !slices.Contains(templateFilters, part) {
				return part
			}
		}
		rest = next
	}
}

// unquoted is an expression without the texts in it.
func unquoted(expr string) string {
	var b strings.Builder
	for i := 0; i < len(expr); i++ {
		if c := expr[i]; c == '"' || c == '\'' {
			for i++; i < len(expr) && expr[i] != c; i++ {
				if expr[i] == '\\' {
					i++
				}
			}
			continue
		}
		b.WriteByte(expr[i])
	}
	return b.String()
}
