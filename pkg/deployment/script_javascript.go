package deployment

import (
	"strings"

	"philipp.info/stackgen/pkg/regex"
)

// javascript takes the paths of a script for Node that writes files: those that it names, but on lines where it reads them.
func (s *script) javascript() {
	if !strings.Contains(s.text, "writeFile") && !strings.Contains(s.text, "createWriteStream(") {
		return
	}
	for line := range strings.Lines(s.text) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "//") || strings.Contains(line, "readFile") || strings.Contains(line, "require(") || strings.HasPrefix(line, "import ") {
			continue
		}
		for _, m := range quotedPath().FindAllStringSubmatch(line, -1) {
			s.target(strings.NewReplacer("${", "$", "}", "").Replace(m[1]))
		}
	}
}

// quotedPath is a text that can be the path of a file: a name with an ending, behind directories or none.
var quotedPath = regex.Of("[\"'`]((?:[\\w.$@{}-]*/)*[\\w.$@{}-]+\\.[A-Za-z][A-Za-z0-9]*)[\"'`]")
