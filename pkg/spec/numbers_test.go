package spec

import (
	"strings"
	"testing"
)

// TestNumbers: every number of a spec that has the right form and that no program could hold is refused at its
// place, and the largest that one can hold is not.
func TestNumbers(t *testing.T) {
	const huge = "99999999999999999999"
	for _, tt := range []struct{ before, line, good, bad string }{
		{"", "owner: ", `"2147483647:2147483647"`, `"` + huge + `:7"`},
		{"", "owner: ", `"0001000:7"`, `"7:2147483648"`},
		{"", "owner: ", `"1000:1000"`, `"7:` + huge + `"`},
		{"synapse:\n", "  max_upload_size: ", "8191G", huge + "G"},
		{"synapse:\n", "  max_upload_size: ", "9007199254740991", "9007199254740992"},
		{"synapse:\n  media_retention:\n", "    local: ", "1000y", huge + "y"},
		{"synapse:\n  media_retention:\n", "    remote: ", "365000d", "365001d"},
		{"synapse:\n  retention:\n", "    max_lifetime: ", "31536000000s", huge + "s"},
		{"email:\n  host: h.example.org\n  from: a@example.org\n", "  port: ", "65535", huge},
		{"synapse:\n", "  image: ", "localhost:65535/x", "localhost:" + huge + "/x"},
		{"synapse:\n", "  version: ", "v1.157.1", "v" + huge + ".1.1"},
		{"permissions: {example.org: user}\nbridges:\n  signal:\n", "    port: ", "65535", huge},
		{"backup:\n  borgmatic:\n    repositories: [{path: /x}]\n    keep:\n", "      daily: ", "7", huge},
		{"backup:\n  borgmatic:\n    repositories:\n", "    - path: ", "ssh://b@h.example.org:65535/./x", "ssh://b@h.example.org:65536/./x"},
	} {
		head := base + "\n" + tt.before
		if _, findings := Parse("stack.yaml", []byte(head+tt.line+tt.good+"\n")); len(findings) > 0 {
			t.Errorf("%s%s: %v", tt.line, tt.good, findings)
		}
		s, findings := Parse("stack.yaml", []byte(head+tt.line+tt.bad+"\n"))
		if s != nil || len(findings) != 1 || findings[0].Pos().Line != strings.Count(head, "\n")+1 {
			t.Errorf("%s%s: %v", tt.line, tt.bad, findings)
			continue
		}
		readable(t, findings[0])
	}
	const upstream = "version: 1\nserver_name: example.org\nauth:\n  upstream:\n    k: {client_id: x, issuer: \"https://sso.example.org:PORT/r\"}\n"
	for port, want := range map[string]int{"65535": 0, huge: 1} {
		if _, findings := Parse("stack.yaml", []byte(strings.Replace(upstream, "PORT", port, 1))); len(findings) != want {
			t.Errorf("port %s: %v", port, findings)
		}
	}
}
