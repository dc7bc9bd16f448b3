package compose_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/deployment/compose"
)

// TestAssumed: a default is assumed where the .env that may set another is not here and most likely is where the stack runs.
func TestAssumed(t *testing.T) {
	const text = `services:
  x:
    image: ${IMAGE:-y}:${TAG-1}${NONE}
    volumes:
      - {type: bind, source: "${DIR:-./a}", target: /a}
    environment: [PLAIN=x, "NESTED=${A:-${B:-b}}", "SET=${SET:-s}"]
configs:
  c:
    content: |
      first
      second ${SECOND:-2}
`
	const all = "compose.yaml:3: IMAGE TAG\ncompose.yaml:5: DIR\ncompose.yaml:6: A B\ncompose.yaml:9: SECOND\ncompose.yaml:11: SECOND\n"
	example := &fstest.MapFile{Data: []byte("IMAGE=\n")}
	for name, c := range map[string]struct {
		tree    fstest.MapFS
		ignored bool
		want    string
	}{
		"nothing says that there is one": {tree: fstest.MapFS{}},
		"git ignores it":                 {tree: fstest.MapFS{}, ignored: true, want: strings.ReplaceAll(all, "A B", "A B\ncompose.yaml:6: SET")},
		"an example":                     {tree: fstest.MapFS{"env.example": example}, want: strings.ReplaceAll(all, "A B", "A B\ncompose.yaml:6: SET")},
		"a script writes it":             {tree: fstest.MapFS{"setup.sh": {Data: []byte("#!/bin/sh\necho IMAGE=z > .env\n")}}, want: strings.ReplaceAll(all, "A B", "A B\ncompose.yaml:6: SET")},
		"it is there":                    {tree: fstest.MapFS{"env.example": example, ".env": {Data: []byte("SET=1\n")}}, ignored: true},
		"an example of a directory":      {tree: fstest.MapFS{"other/.env.example": example}},
	} {
		c.tree["compose.yaml"] = &fstest.MapFile{Data: []byte(text)}
		o := compose.Options{}
		if c.ignored {
			o.Ignored = func(name string) bool { return name == ".env" }
		}
		d, _ := compose.OpenWith(c.tree, o)
		var lines []string
		for at, names := range d.Assumed.Names {
			lines = append(lines, fmt.Sprintf("%s:%d: %s\n", at.File, at.Line, strings.Join(names, " ")))
		}
		slices.SortFunc(lines, func(a, b string) int {
			return strings.Compare(fmt.Sprintf("%30s", a[:strings.LastIndex(a, ":")])+a, fmt.Sprintf("%30s", b[:strings.LastIndex(b, ":")])+b)
		})
		if got := strings.Join(slices.Compact(lines), ""); got != c.want {
			t.Errorf("%s:\n%swant\n%s", name, got, c.want)
		}
	}
}
