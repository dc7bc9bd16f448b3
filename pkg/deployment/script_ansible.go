package deployment

import (
	"strings"

	"philipp.info/stackgen/pkg/regex"
)

// isPlaybook reports whether a YAML file has Ansible put files somewhere.
func isPlaybook(text string) bool {
	return strings.Contains(text, "dest:") && (strings.Contains(text, "template:") || strings.Contains(text, "copy:"))
}

var jinjaIn = regex.Of(`\{\{\s*(\w+)\s*\}\}`)

// playbook takes what tasks of Ansible put somewhere. What a variable holds is looked up in the same file; of one that is set
// elsewhere nothing is known.
func (s *script) playbook() {
	vars := make(map[string]string)
	var targets []string
	for line := range strings.Lines(s.text) {
		key, value, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(line), "- "), ": ")
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		if !ok || !isName(key) || value == "" {
			continue
		}
		if key == "dest" {
			targets = append(targets, value)
		}
		vars[key] = value
	}
	for _, target := range targets {
		for range 3 { // a variable may hold another
			target = jinjaIn().ReplaceAllStringFunc(target, func(found string) string {
				name := jinjaIn().FindStringSubmatch(found)[1]
				if value, ok := vars[name]; ok {
					return value
				}
				return "$" + name
			})
		}
		if !strings.Contains(target, "{{") {
			s.add(target)
		}
	}
}
