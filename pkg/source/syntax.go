package source

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/regex"
)

var (
	yamlErrorLine = regex.Of(`^yaml: (?:line (\d+): )?`)
	unknownAnchor = regex.Of(`^unknown anchor '(.*)' referenced$`)
	mergeKey      = regex.Of(`(?:^|[\s{,])<<:\s+(?:\[[^\]]*|(?:-\s+[^\n]*\n\s*)*-\s+)?$`)
	// For these, which its parser and not its scanner finds, yaml.v3 counts lines from 0.
	parserError = regex.Of(`^did not find expected (?:',' or|'-' indicator|key$|node content|<)`)
)

// syntaxError puts an error of yaml.v3 into words and finds its line, which yaml.v3 leaves out on line 1.
func syntaxError(src []byte, err error) (line int, msg, fix string) {
	msg = err.Error()
	if m := yamlErrorLine().FindStringSubmatch(msg); m != nil {
		line, _ = strconv.Atoi(m[1])
		msg = msg[len(m[0]):]
	}
	// The name is not repeated: what looks like an alias may well be a password that begins with *.
	if m := unknownAnchor().FindStringSubmatch(msg); m != nil {
		line, merged := aliasLine(src, m[1])
		fix = "write the anchor (&name) above it, in the same file; anchors do not cross files"
		if !merged {
			fix = "put quotes around a text that begins with *; where it is meant as an alias, " + fix
		}
		return line, "not valid YAML: an alias (*name) whose anchor (&name) does not stand above it in the file", fix
	}
	if parserError().MatchString(msg) {
		line++
	}
	// At the end of the file yaml.v3 names a line that is not there.
	line = max(min(line, len(splitLines(strings.TrimRight(string(src), "\r\n")))), 1)
	if n, ok := tabIndented(src, line); ok {
		return n, "the line is indented with a tab; YAML allows only spaces", "replace the tab with spaces"
	}
	return line, "not valid YAML: " + msg, ""
}

// tabIndented finds a line that begins with a tab near the one that the parser complains of: yaml.v3
// may name the line before.
func tabIndented(src []byte, line int) (int, bool) {
	for i, l := range splitLines(string(src)) {
		if n := i + 1; n >= line-1 && n <= line+1 && strings.HasPrefix(strings.TrimLeft(l, " "), "\t") {
			return n, true
		}
	}
	return 0, false
}

// aliasLine finds an alias. merged says that it is the value of <<, or of a list there, where no password stands.
func aliasLine(src []byte, name string) (line int, merged bool) {
	at := regexp.MustCompile(`(?:^|[\s\[{,])\*` + regexp.QuoteMeta(name) + `(?:$|[\s\]},])`).FindIndex(src)
	if at == nil {
		return 1, false
	}
	before := src[:bytes.IndexByte(src[at[0]:], '*')+at[0]]
	return len(splitLines(string(before))), mergeKey().Match(before)
}

var lineBreaks = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n")

// splitLines splits where yaml.v3 does, which knows more line breaks than an editor: a snippet from
// another line than the parser means could show a secret.
func splitLines(s string) []string { return strings.Split(lineBreaks.Replace(s), "\n") }
