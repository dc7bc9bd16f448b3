package deployment

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/regex"
)

// python takes the paths of what a line of Python opens to write.
func (s *script) python(line string) {
	if !strings.Contains(line, "write_text(") && !(strings.Contains(line, "open(") &&
		slices.ContainsFunc([]string{`"w`, `'w`, `"a"`, `'a'`}, func(mode string) bool { return strings.Contains(line, mode) })) {
		return
	}
	for i, part := range strings.FieldsFunc(line, func(r rune) bool { return r == '"' || r == '\'' }) {
		if i > 0 && len(part) > 2 && !strings.ContainsAny(part, " (),") {
			s.targets = append(s.targets, strings.NewReplacer("{", "$", "}", "").Replace(part))
		}
	}
}

// joined takes the path that a line of Python puts together under a name, where the name is opened to write.
func (s *script) joined(line string) {
	name, parts, ok := strings.Cut(line, "os.path.join(")
	if name = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(name), "=")); !ok || !isName(name) || !strings.Contains(s.text, "open("+name+`, "w`) && !strings.Contains(s.text, "open("+name+", 'w") {
		return
	}
	var pieces []string
	for argument := range strings.SplitSeq(strings.TrimSuffix(strings.TrimSpace(parts), ")"), ",") {
		if argument = strings.TrimSpace(argument); len(argument) > 2 && strings.ContainsRune(`"'`, rune(argument[0])) && argument[0] == argument[len(argument)-1] {
			pieces = append(pieces, argument[1:len(argument)-1])
		}
	}
	if len(pieces) > 0 {
		s.targets = append(s.targets, strings.Join(pieces, "/"))
	}
}

// divided takes the paths that a line of Python puts together of the parts of pathlib, ROOT / "x" / "y.conf", where the script writes
// files by names that it is given.
func (s *script) divided(line string) {
	if !strings.Contains(s.text, ".write_text(") {
		return
	}
	for _, m := range dividedPath().FindAllString(line, -1) {
		parts := strings.Split(m, "/")
		for i, part := range parts {
			parts[i] = strings.Trim(part, " \t\"'")
		}
		s.targets = append(s.targets, "$"+strings.Join(parts, "/"))
	}
}

var dividedPath = regex.Of(`[A-Za-z_]\w*(?:\s*/\s*(?:"[^"/]+"|'[^'/]+'))+`)

// cloned takes the directories of what a script in Python has git clone, whose words it gives as a list.
func (s *script) cloned() {
	for _, m := range gitClone().FindAllStringSubmatch(s.text, -1) {
		if words := quotedWord().FindAllStringSubmatch(m[1], -1); len(words) > 0 {
			s.clone(words[len(words)-1][1])
		}
	}
}

var (
	gitClone   = regex.Of(`["']git["']\s*,\s*["']clone["']([^\])]*)[\])]`)
	quotedWord = regex.Of(`["']([^"']+)["']`)
)
