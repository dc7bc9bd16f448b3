package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.mau.fi/util/configupgrade"
	"gopkg.in/yaml.v3"
	"maunium.net/go/mautrix/bridgev2/bridgeconfig"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// samples are values of each type. No key has one of them by default, but for the switches that are on.
var samples = map[string]string{"str": `"conformance"`, "int": "4711", "num": "4711.5", "bool": "true"}

// mautrix-go takes over every key of the tree that the rule bridge-known-keys goes by when its value has the type
// that stands there, and drops it when it has another one; and the tree has every key of mautrix-go's example.
func TestBridgeKeyTree(t *testing.T) {
	example := exampleConfig(t)
	src, err := os.ReadFile("../pkg/component/keys/bridgev2.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tree, treeFindings := finding.Parse("bridgev2.yaml", src)
	f, findings := finding.Parse("example-config.yaml", []byte(example))
	if findings = append(findings, treeFindings...); len(findings) > 0 {
		t.Fatal(findings)
	}
	tried := 0
	leaves(tree.Root(), func(v source.Value) {
		words := strings.Split(v.Str(), "|")
		for i, w := range words {
			words[i], _, _ = strings.Cut(w, "@") // the release that has it first
		}
		if slices.Contains(words, "any") {
			return
		}
		for kind, sample := range samples {
			tried++
			if kind == "bool" && f.At(v.Keys()...).True() {
				sample = "false"
			}
			// The words of a choice are texts, too; which of them there are, the program asks later.
			choice := words[0] != "" && !slices.ContainsFunc(words, func(w string) bool { _, isKind := samples[w]; return isKind })
			want := slices.Contains(words, kind) || choice && kind == "str"
			if got := takesOver(t, example, v.Keys(), sample); got != want {
				t.Errorf("%s: %s: takes over %s: %v", v.Path(), v.Str(), sample, got)
			}
		}
	})
	leaves(f.Root(), func(v source.Value) {
		at := tree.Root()
		for _, key := range v.Keys() {
			if at.Str() == "any" {
				return
			}
			next := at.At(key)
			if !next.Exists() {
				next = at.At("*")
			}
			at = next
		}
		if !at.Exists() {
			t.Errorf("the example has %s, and the tree does not", v.Path())
		}
	})
	accepted(t, module(t, "maunium.net/go/mautrix", "mautrix-go"), "the values of pkg/component/keys/bridgev2.yaml")
	t.Logf("%d values were tried", tried)
}

// placeholder stands in mautrix-go's example for what each bridge has of its own.
var placeholder = regexp.MustCompile(`\$<<.*?>>`)

func exampleConfig(t *testing.T) string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "maunium.net/go/mautrix").Output()
	if err != nil {
		t.Fatal(err)
	}
	src, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "bridgev2/matrix/mxmain/example-config.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return placeholder.ReplaceAllString(string(src), "8008")
}

// takesOver reports whether a bridge that finds the value in its configuration goes by it.
func takesOver(t *testing.T, example string, path []string, value string) bool {
	t.Helper()
	text := value
	for _, key := range slices.Backward(path) {
		text = "{" + key + ": " + text + "}"
	}
	var base, cfg yaml.Node
	for node, src := range map[*yaml.Node]string{&base: example, &cfg: text} {
		if err := yaml.Unmarshal([]byte(src), node); err != nil {
			t.Fatal(err)
		}
	}
	if slices.Equal(path, []string{"appservice", "msc4190"}) {
		path = []string{"encryption", "msc4190"} // where it moved to
	}
	helper := configupgrade.NewHelper(&base, &cfg)
	bridgeconfig.Upgrader.DoUpgrade(helper)
	return helper.GetBase(path...) == strings.Trim(value, `"`)
}

// leaves visits every value that is no mapping.
func leaves(v source.Value, visit func(source.Value)) {
	if v.Kind() != source.Mapping || v.Len() == 0 {
		visit(v)
		return
	}
	for _, val := range v.Entries() {
		leaves(val, visit)
	}
}
