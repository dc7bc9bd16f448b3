package source

import (
	"strings"

	"philipp.info/stackgen/pkg/regex"
)

// keyed is a line `key: value`, as it looks where nothing could be parsed.
var keyed = regex.Of(`^([ \t]*(?:- +)*)("[^"]*"|'[^']*'|[^\s:#{\[][^:{\[]*?(?::[^\s:]+)*):?(?:[ \t]+(.*))?$`)

// Excerpt is line n of a file that cannot be parsed, for a person to read. "" where a key of the line or one
// above it, or a value, may be a secret: without a parser the judgement has to be a stricter one than Snippet's.
func (f *File) Excerpt(n int) string {
	lines := splitLines(strings.TrimPrefix(string(f.Src), "\ufeff"))
	if n < 1 || n > len(lines) {
		return ""
	}
	line := strings.TrimRight(lines[n-1], " \t\r")
	if i := strings.Index(line, " #"); i >= 0 {
		line = strings.TrimRight(line[:i], " \t")
	}
	if strings.TrimSpace(line) == "" || strings.HasPrefix(strings.TrimSpace(line), "#") || len(line) > 200 {
		return ""
	}
	for _, field := range strings.FieldsFunc(line, func(r rune) bool { return strings.ContainsRune(" \t{}[],\"'", r) }) {
		if looksSecret("", field) {
			return ""
		}
	}
	if secretName().MatchString(strings.ReplaceAll(line, "passwords", "")) || looksSecret("", strings.TrimSpace(line)) || len(HiddenIn("", line)) > 0 {
		return ""
	}
	indent := len(line) - len(strings.TrimLeft(line, " \t"))
	for i := n - 2; i >= 0 && indent > 0; i-- {
		above := strings.TrimRight(lines[i], " \t\r")
		in := len(above) - len(strings.TrimLeft(above, " \t"))
		if above == "" || in >= indent {
			continue
		}
		indent = in
		m := keyed().FindStringSubmatch(above)
		if m != nil && (m[2] == "auth" && in == 0 || m[2] == "passwords") { // of a spec, which holds no secret there
			continue
		}
		if m == nil || secretName().MatchString(m[2]) || secretParent().MatchString(m[2]) || strings.HasPrefix(m[3], "|") || strings.HasPrefix(m[3], ">") {
			return ""
		}
	}
	return line
}
