package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Names that reach a command of the runbook or a label are those that Docker and Traefik take.
func TestNamesForCommands(t *testing.T) {
	for _, key := range []string{"network", "entrypoint", "cert_resolver"} {
		for name, good := range map[string]bool{
			"traefik": true, "web-secure_2.x": true, "tr; curl x\n```": false, "a b": false, "$(x)": false, "`x`": false, "it's": false, "-v": false, "a\u202eb": false,
		} {
			_, findings := Parse("stack.yaml", fmt.Appendf(nil, "version: 1\nserver_name: example.org\nauth: {passwords: true}\ningress: {traefik: {%s: %s}}\n", key, source.Quote(name)))
			if finding.HasErrors(findings) == good {
				t.Errorf("%s: %q: %v", key, name, findings)
			}
		}
	}
}

// free are the texts of a spec that may hold anything, and why nothing comes of it. All others have a pattern, a list
// of words or a check of their own.
var free = map[string]string{
	"auth.upstream.*.human_name": "is shown on the login page alone, and is quoted wherever it is written",
	"secrets.from.*.file":        "names a file that is opened, and reaches no command",
}

// Whatever field of a spec it is, a text that no name, address or path could be is refused at its place: it would reach
// a command, a configuration or a log.
func TestNoTextWithoutBounds(t *testing.T) {
	src, err := os.ReadFile("../../examples/full/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	f, _ := source.Parse("stack.yaml", src)
	doc := f.Root().Any()
	tried := 0
	// try puts each evil form of a text into its place, by set, and takes the spec as JSON, which is YAML.
	try := func(old string, path []string, set func(string)) {
		key := strings.Join(path, ".")
		if strings.Contains(key+".", ".extra.") || strings.Contains(key, "well_known_extra") || strings.Contains(key+".", ".command.") || strings.Contains(key+".", ".store.") {
			return // laid onto a file as it stands, or the words of a command of their own
		}
		if len(path) > 2 && (path[1] == "upstream" || path[1] == "from") {
			key = strings.Join(append([]string{path[0], path[1], "*"}, path[3:]...), ".")
		}
		if free[key] != "" {
			return
		}
		for _, evil := range []string{old + "\nx", old + "\x1b[31m", "\x7f" + old, old + "\u009b2J", "-x"} {
			if evil == "-x" && !slices.Contains([]string{"path", "label", "network", "entrypoint", "cert_resolver", "container_name", "directory", "name"}, path[len(path)-1]) {
				continue
			}
			set(evil)
			text, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("\x7f"), []byte(`\u007f`)), []byte("\u009b"), []byte(`\u009b`)) // as YAML wants them
			tried++
			if _, findings := Parse("stack.yaml", text); !finding.HasErrors(findings) {
				t.Errorf("%s may be %q", strings.Join(path, "."), evil)
			}
		}
		set(old)
	}
	var walk func(v any, path []string, set func(any))
	walk = func(v any, path []string, set func(any)) {
		switch v := v.(type) {
		case map[string]any:
			for key, val := range v {
				below := append(slices.Clone(path), key)
				walk(val, below, func(n any) { v[key] = n })
				if path != nil && path[len(path)-1] == "permissions" {
					now := key
					try(key, below, func(n string) { delete(v, now); now = n; v[now] = val })
				}
			}
		case []any:
			for i, item := range v {
				walk(item, append(slices.Clone(path), strconv.Itoa(i)), func(n any) { v[i] = n })
			}
		case string:
			try(v, path, func(n string) { set(n) })
		}
	}
	walk(doc, nil, nil)
	if tried < 200 {
		t.Errorf("only %d texts were tried", tried)
	}
}

// What these names are in the wild is taken.
func TestNamesInTheWild(t *testing.T) {
	for _, text := range []string{
		"auth: {upstream: {x: {issuer: \"https://sso.example.org/realms/x\", client_id: \"https://matrix.example.org/client?a=b&c\", scope: \"openid urn:zitadel:iam:org:project:id:zitadel:aud api://x/.default\", synapse_idp_id: oidc-x.y_z~1}}}",
		"auth: {passwords: true}\nbackup: {borgmatic: {directory: \"/srv/my stack {a} 100%\", repositories: [{path: \"borg@host:./repo\"}, {path: \"/mnt/usb disk/repo\", label: \"USB (blue)\"}, {path: \"ssh://u1@u1.your-storagebox.de:23/./{hostname}\"}, {path: \"rclone:remote:path\"}, {path: \"~/repo\"}]}}",
		"auth: {passwords: true}\nemail: {host: smtp.example.org, from: m@example.org, user: \"DOMAIN\\\\anna müller\"}",
		"auth: {passwords: true}\npermissions: {\"@Anna_Ü:example.org\": admin}", // no user id: see below
	} {
		_, findings := Parse("stack.yaml", []byte("version: 1\nserver_name: example.org\n"+text+"\n"))
		if finding.HasErrors(findings) != strings.Contains(text, "@Anna_Ü") {
			t.Errorf("%s: %v", text, findings)
		}
	}
}
