package render_test

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/source"
)

// Synapse ignores keys that it does not know, so a key that it does not have is a mistake that nobody would
// ever see. What MAS and the bridges know is a rule's.
func TestSynapseKeys(t *testing.T) {
	known := readKeys(t)
	eachFile(t, func(t *testing.T, example string, f *source.File) {
		if f.Path != "config/matrix/homeserver.yaml" {
			return
		}
		for _, wrong := range known.wrong("", f.Root().Any()) {
			t.Errorf("%s: %s: %s", example, f.Path, wrong)
		}
	})
}

// The list does find what is wrong.
func TestWrongKeys(t *testing.T) {
	known := readKeys(t)
	for text, want := range map[string]string{
		"server_name: example.org":                           "",
		"server_nam: example.org":                            "server_nam is no key",
		"listeners: [{port: 8008, resources: [{nmes: []}]}]": "listeners[].resources[].nmes is no key",
		"listeners: [{port: eight}]":                         "listeners[].port is string instead of integer",
		"listeners: {port: 8008}":                            "listeners is object instead of array",
		"extra_well_known_client_content: {a.b: {c: 1}}":     "",
	} {
		f, _ := source.Parse("homeserver.yaml", []byte(text))
		if got := strings.Join(known.wrong("", f.Root().Any()), "; "); got != want {
			t.Errorf("%s: %q instead of %q", text, got, want)
		}
	}
}

// keys are the paths of Synapse's configuration, each with the types that it takes.
type keys map[string][]string

func readKeys(t *testing.T) keys {
	t.Helper()
	src, err := os.ReadFile("testdata/synapse-keys.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := keys{"": {"object"}}
	for line := range strings.Lines(string(src)) {
		if key, types, ok := strings.Cut(strings.TrimSpace(line), " "); ok && key != "#" {
			known[key] = strings.Split(types, ",")
		}
	}
	if len(known) < 600 {
		t.Fatalf("only %d keys", len(known))
	}
	return known
}

// wrong names what in a value is not as the list says. Below `any` everything is right.
func (k keys) wrong(at string, v any) []string {
	types := k[at]
	if slices.Contains(types, "any") {
		return nil
	}
	if got := typeOf(v); !slices.Contains(types, got) && (got != "integer" || !slices.Contains(types, "number")) {
		return []string{at + " is " + got + " instead of " + strings.Join(types, " or ")}
	}
	var wrong []string
	switch v := v.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			child := strings.TrimPrefix(at+"."+key, ".")
			if k[child] == nil && k[at+".*"] != nil {
				child = at + ".*"
			}
			if k[child] == nil {
				wrong = append(wrong, child+" is no key")
				continue
			}
			wrong = append(wrong, k.wrong(child, v[key])...)
		}
	case []any:
		for _, item := range v {
			wrong = append(wrong, k.wrong(at+"[]", item)...)
		}
	}
	return wrong
}

func typeOf(v any) string {
	switch v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case bool:
		return "boolean"
	case int, int64, uint64:
		return "integer"
	case float64:
		return "number"
	case nil:
		return "null"
	}
	return "string"
}
