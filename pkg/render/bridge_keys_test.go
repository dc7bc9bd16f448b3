package render_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var keyPart = regexp.MustCompile(`"[^"]*"|[^."]+`)

// The trees that the rule bridge-known-keys goes by have the keys of the bridges' own examples, no others, and
// types that fit what the examples say.
func TestBridgeKeyTrees(t *testing.T) {
	common := keyTree(t, "bridgev2")
	for name, list := range keyLists {
		t.Run(name, func(t *testing.T) {
			tree, network := common, networkTree(t, name)
			if name == "discord" || name == "telegram-python" {
				tree = keyTree(t, name)
			}
			src, err := os.ReadFile(contracts(t, "keys/"+list))
			if err != nil {
				t.Fatal(err)
			}
			reached, inNetwork := make(map[string]bool), make(map[string]bool)
			for line := range strings.Lines(string(src)) {
				key, value, ok := strings.Cut(strings.TrimSpace(line), " = ")
				if !ok {
					continue
				}
				path := keyPart.FindAllString(key, -1)
				at, note := tree, reached
				if path[0] == "network" {
					at, path, note = network, path[1:], inNetwork
				}
				known := below(at, path, note)
				if !known.Exists() || !typeFits(known, value) {
					t.Errorf("%s is %s, and the tree has %q", key, value, known.Str())
				}
			}
			unknown := func(at source.Value, note map[string]bool) {
				walk(at, func(v source.Value) {
					// A key with a release came after the examples; the newer one is read in conformance.
					if path := v.Path(); !note[path] && !strings.Contains(v.Str(), "@") && !slices.Contains(besideExample, path) && v.Exists() {
						t.Errorf("the tree has %s, and the example does not", path)
					}
				})
			}
			unknown(tree, reached)
			unknown(network, inNetwork)
		})
	}
}

// besideExample are read all the same: by mautrix-go's bridgeconfig/upgrade.go, or by another rule; network has
// a tree of its own.
var besideExample = []string{"network", "appservice.msc4190", "mode"}

// networkTree is what is known of the section network of a bridge; absent for one that has none.
func networkTree(t *testing.T, name string) source.Value {
	t.Helper()
	b := component.Of(component.Program(name)).Bridge
	if b == nil || b.Network == "" {
		return source.Value{}
	}
	f, findings := finding.Parse(name, []byte(b.Network))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	return f.Root()
}

func keyTree(t *testing.T, name string) source.Value {
	t.Helper()
	return parseFile(t, "../component/keys/"+name+".yaml").Root()
}

// below goes down by keys, where * is any, and notes what it passes.
func below(v source.Value, path []string, reached map[string]bool) source.Value {
	for _, key := range path {
		if v.Str() == "any" {
			break
		}
		next := v.At(strings.Trim(key, `"`))
		if !next.Exists() {
			next = v.At("*")
		}
		v = next
	}
	reached[v.Path()] = true
	if v.Kind() == source.Mapping {
		reached[v.Path()+".*"] = true
	}
	return v
}

func typeFits(known source.Value, example string) bool {
	var value any
	if json.Unmarshal([]byte(example), &value) != nil {
		return false
	}
	words := strings.Split(known.Str(), "|")
	has := func(names ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return w == "any" || slices.Contains(names, w) })
	}
	switch v := value.(type) {
	case nil:
		return true
	case bool:
		return has("bool")
	case float64:
		return has("int", "num")
	case string:
		return has("str", v)
	case []any:
		return has() || known.Kind() == source.Sequence
	}
	return has() || known.Kind() == source.Mapping
}
