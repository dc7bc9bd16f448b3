package conformance

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	jsonata "github.com/blues/jsonata-go"
	"gopkg.in/yaml.v3"
)

// JSONata, by which Renovate reads a spec, finds the image, version and digest of each container that its owner named, however
// it is written, and nothing where there is none.
func TestRenovateQueries(t *testing.T) {
	const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, row := range []struct {
		name, src string
		want      []string
	}{
		{"none", "version: 1\nbridges: {signal: {version: v0.2608.0}}\n", nil},
		{"block", "appservices:\n  irc:\n    version: \"1.15.4\"\n    files: {/a: b}\n    image: docker.io/hif1/heisenbridge\n", []string{"docker.io/hif1/heisenbridge 1.15.4"}},
		{"flow", "services: {a: {image: x/a, version: v1}, b: {version: 'v2', image: x/b}}\n", []string{"x/a v1", "x/b v2"}},
		{"both", "appservices: {a: {image: x/a, version: v1}}\nservices:\n  b: {image: x/b, version: v2, environment: {version: v3, image: x/c}}\n", []string{"x/a v1", "x/b v2"}},
		{"digest", "services: {a: {image: x/a, version: \"v1@" + digest + "\"}}\n", []string{"x/a v1 " + digest}},
		{"number", "services: {a: {image: x/a, version: 1.10}, b: {image: x/b, version: v2}}\n", []string{"x/b v2"}},
		{"example", "", []string{"docker.io/hif1/heisenbridge 1.15.4", "dock.mau.dev/maubot/maubot v0.6.0", "ghcr.io/matrix-org/matrix-hookshot 7.5.0"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			src := []byte(row.src)
			if row.src == "" {
				var err error
				if src, err = os.ReadFile("../examples/appservices/stack.yaml"); err != nil {
					t.Fatal(err)
				}
			}
			// Renovate hands a list of documents to the query.
			var document map[string]any
			if err := yaml.Unmarshal(src, &document); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, query := range renovateQueries(t) {
				got = append(got, answered(t, query, []any{document})...)
			}
			slices.Sort(got)
			want := slices.Sorted(slices.Values(row.want))
			if !slices.Equal(got, want) {
				t.Errorf("found %q, want %q", got, want)
			}
		})
	}
}

// renovateQueries are those of the preset.
func renovateQueries(t *testing.T) (queries []string) {
	t.Helper()
	text, err := os.ReadFile("../renovate.json")
	if err != nil {
		t.Fatal(err)
	}
	var preset struct {
		Managers []struct {
			Type  string   `json:"customType"`
			Match []string `json:"matchStrings"`
		} `json:"customManagers"`
	}
	if err := json.Unmarshal(text, &preset); err != nil {
		t.Fatal(err)
	}
	for _, m := range preset.Managers {
		if m.Type == "jsonata" {
			queries = append(queries, m.Match...)
		}
	}
	if len(queries) == 0 {
		t.Fatal("the preset has no query")
	}
	return queries
}

// answered is what a query finds: image, version and digest of each, with one blank between.
func answered(t *testing.T, query string, in any) (found []string) {
	t.Helper()
	e, err := jsonata.Compile(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	out, err := e.Eval(in)
	if errors.Is(err, jsonata.ErrUndefined) {
		return nil
	}
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	list, ok := out.([]any)
	if !ok {
		list = []any{out}
	}
	for _, one := range list {
		d, ok := one.(map[string]any)
		if !ok {
			t.Fatalf("%s: found %v", query, one)
		}
		text := fmt.Sprint(d["depName"], " ", d["currentValue"])
		if d["currentDigest"] != nil {
			text += fmt.Sprint(" ", d["currentDigest"])
		}
		found = append(found, strings.TrimSpace(text))
	}
	return found
}
