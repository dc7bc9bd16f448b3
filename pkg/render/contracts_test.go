package render_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// contracts is where the official schemas and the bridges' key lists lie, beside a checkout. They are not
// ours to ship.
func contracts(t *testing.T, name string) string {
	t.Helper()
	dir := os.Getenv("STACKGEN_CONTRACTS")
	if dir == "" {
		dir = "../../../shared/contracts"
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("skipped: %s is not here (STACKGEN_CONTRACTS); the rendered files are not held against it in this run", name)
	}
	return path
}

func schemaFrom(t *testing.T, path string) *jsonschema.Schema {
	t.Helper()
	doc, ok := parseFile(t, path).Root().Any().(map[string]any)
	if !ok {
		t.Fatal("no schema")
	}
	// Synapse's meta schema is its own and cannot be fetched.
	delete(doc, "$schema")
	delete(doc, "$id")
	c := jsonschema.NewCompiler()
	if err := c.AddResource("schema.json", plain(t, doc)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func plain(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestOfficialSchemas(t *testing.T) {
	for _, c := range []struct{ schema, file string }{
		{"schemas/synapse-config.schema.yaml", "config/matrix/homeserver.yaml"},
		{"schemas/mas-config.schema.json", "config/mas/config.yaml"},
	} {
		t.Run(c.file, func(t *testing.T) {
			s := schemaFrom(t, contracts(t, c.schema))
			eachFile(t, func(t *testing.T, example string, f *source.File) {
				if f.Path != c.file {
					return
				}
				doc, _ := f.Root().Any().(map[string]any)
				// The schema asks for a text where its own example has a number; Synapse hands what stands there
				// to the connection, which wants a number.
				if email, ok := doc["email"].(map[string]any); ok {
					delete(email, "smtp_port")
				}
				if err := s.Validate(plain(t, doc)); err != nil {
					t.Errorf("%s: %v", example, err)
				}
			})
		})
	}
}

func eachFile(t *testing.T, visit func(t *testing.T, example string, f *source.File)) {
	t.Helper()
	for _, path := range examples(t) {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b := load(t, path, src)
		if b.Stack.Kubernetes != nil {
			continue // the files are those of Compose, and a test of prove holds them against each other
		}
		for _, file := range b.Files {
			if file.Data == nil || !strings.HasSuffix(file.Path, ".yaml") {
				continue
			}
			f, findings := finding.Parse(file.Path, file.Data)
			if len(findings) > 0 {
				t.Fatal(findings)
			}
			visit(t, path, f)
		}
	}
}

var keyLists = map[string]string{
	"signal": "keys-signal.txt", "whatsapp": "keys-whatsapp.txt", "telegram": "keys-telegram.txt", "discord": "keys-discord.txt",
	"meta": "keys-meta.txt", "instagram": "keys-instagram.txt", "telegram-python": "keys-telegram-python.txt",
}

// A bridge ignores keys that it does not know, so a key that its own example does not have is a mistake.
func TestBridgeKeys(t *testing.T) {
	tried := make(map[string]bool)
	eachFile(t, func(t *testing.T, example string, f *source.File) {
		dir, file := filepath.Split(f.Path)
		name := filepath.Base(dir)
		list := keyLists[name]
		if file != "config.yaml" || list == "" {
			return
		}
		if f.At("telegram").Exists() {
			list = keyLists["telegram-python"]
		}
		known := keysIn(t, contracts(t, "keys/"+list))
		tried[list] = true
		walk(f.Root(), func(v source.Value) {
			if path := v.Path(); !known[path] && !freeKey.MatchString(path) {
				t.Errorf("%s: %s holds %s, which %s does not have", example, f.Path, path, list)
			}
		})
	})
	if len(tried) != len(keyLists) {
		t.Errorf("only %d of %d kinds of bridge were held against their keys: %v", len(tried), len(keyLists), tried)
	}
}

// freeKey are mappings whose keys are the user's, and the log configuration, which each program's logging
// library defines.
var freeKey = regexp.MustCompile(`^(bridge\.permissions|double_puppet\.(servers|secrets)|bridge\.(login_shared_secret_map|double_puppet_server_map)|logging)(\.|$)`)

var listedKey = regexp.MustCompile(`^((?:[^\s"]|"[^"]*")+) = `)

func keysIn(t *testing.T, path string) map[string]bool {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	known := make(map[string]bool)
	for line := range strings.Lines(string(src)) {
		if g := listedKey.FindStringSubmatch(line); g != nil {
			known[strings.ReplaceAll(g[1], `"`, "")] = true
		}
	}
	if len(known) < 50 {
		t.Fatalf("%s lists only %d keys", path, len(known))
	}
	return known
}

// walk visits every value that is no mapping.
func walk(v source.Value, visit func(source.Value)) {
	if v.Kind() != source.Mapping || v.Len() == 0 {
		visit(v)
		return
	}
	for _, val := range v.Entries() {
		walk(val, visit)
	}
}

// TestMASKeyTable holds the table that the rule mas-known-keys goes by against MAS's own schema.
func TestMASKeyTable(t *testing.T) {
	schema := parseFile(t, contracts(t, "schemas/mas-config.schema.json"))
	want, got := make(map[string]string), make(map[string]string)
	schemaKeys(schema.Root(), schema.Root(), "", want)
	walk(parseFile(t, "../component/keys/mas.yaml").Root(), func(v source.Value) { tableKeys(v, v.Path(), got) })
	// A password may stand in it that is no part of a URL as MAS parses it: database-credentials-match says so.
	want["database.uri"] = "str"
	for path := range want {
		if section, _, _ := strings.Cut(path, "[].jwks."); section == "clients" {
			delete(want, path)
		}
	}
	want["clients[].jwks"] = "any"
	want["branding.logo_uri"] = "url" // up to 1.20
	// The schema takes any text, but MAS stops at one that is no network (crates/config sections/http.rs).
	want["http.trusted_proxies[]"] = "net"
	// The schema takes anything: what is read there is in MAS's own policy (policies/client_registration).
	delete(want, "policy.data")
	for path, kind := range got {
		if strings.HasPrefix(path, "policy.data.") {
			want[path] = kind
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pkg/component/keys/mas.yaml (-schema +table):\n%s", diff)
	}
}

func parseFile(t *testing.T, path string) *source.File {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, findings := finding.Parse(path, src)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	return f
}

var release = regexp.MustCompile(`@[0-9.-]+`)

func tableKeys(v source.Value, path string, keys map[string]string) {
	if v.Kind() != source.Sequence {
		words := strings.Split(release.ReplaceAllString(v.Str(), ""), "|")
		slices.Sort(words)
		keys[path] = strings.Join(words, "|")
		return
	}
	walk(v.At("0"), func(item source.Value) {
		below := strings.TrimPrefix(strings.TrimPrefix(item.Path(), v.Path()+".0"), ".")
		tableKeys(item, strings.TrimSuffix(path+"[]."+below, "."), keys)
	})
}

// schemaKeys lists what a JSON Schema allows, each value by its path, with the words of the table for its type.
func schemaKeys(root, v source.Value, path string, keys map[string]string) {
	if ref := v.At("$ref").Str(); ref != "" {
		v = root.At(strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
	}
	add := func(word string) {
		if words := append(strings.FieldsFunc(keys[path], func(r rune) bool { return r == '|' }), word); !slices.Contains(words[:len(words)-1], word) {
			slices.Sort(words)
			keys[path] = strings.Join(words, "|")
		}
	}
	for _, kind := range []string{"allOf", "anyOf", "oneOf"} {
		for _, one := range v.At(kind).Items() {
			schemaKeys(root, one, path, keys)
		}
	}
	for key, prop := range v.At("properties").Entries() {
		schemaKeys(root, prop, strings.TrimPrefix(path+"."+key.Str(), "."), keys)
	}
	if v.At("additionalProperties").Kind() == source.Mapping {
		schemaKeys(root, v.At("additionalProperties"), path+".*", keys)
	}
	kinds := append(v.At("type").Items(), v.At("type"))
	has := func(kind string) bool {
		return slices.ContainsFunc(kinds, func(k source.Value) bool { return k.Str() == kind })
	}
	switch {
	case v.At("const").Exists():
		add(v.At("const").Str())
	case has("array"):
		schemaKeys(root, v.At("items"), path+"[]", keys)
	case has("string") && v.At("format").Str() == "uri":
		add("url")
	case v.Len() == 0 || v.Len() == 1 && v.At("description").Exists():
		add("any")
	}
	for kind, word := range map[string]string{"boolean": "bool", "integer": "int", "number": "num"} {
		if has(kind) {
			add(word)
		}
	}
	if has("string") && v.At("format").Str() != "uri" && !v.At("const").Exists() {
		add("str")
	}
}
