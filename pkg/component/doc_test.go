package component_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/component"
)

var update = flag.Bool("update", false, "write the table of the README anew")

const (
	tableBegins = "<!-- bridges: make generate -->\n"
	tableEnds   = "<!-- end of bridges -->\n"
)

// The README's table of bridges is made of what is known here.
func TestBridgesDoc(t *testing.T) {
	const readme = "../../README.md"
	src, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(src), tableBegins)
	got, after, closed := strings.Cut(rest, tableEnds)
	if !ok || !closed {
		t.Fatal("the README has no place for the table of bridges")
	}
	want := table()
	if *update {
		if err := os.WriteFile(readme, []byte(before+tableBegins+want+tableEnds+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the table of bridges is stale; run make generate:\n%s", diff)
	}
}

func table() string {
	var b strings.Builder
	b.WriteString("| bridge | to | version | oldest | bot, ghosts | port | commands |\n| --- | --- | --- | --- | --- | --- | --- |\n")
	for c := range component.Bridges() {
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s%s | `%s`, `%s_…` | %d | `%s` |\n",
			c.Program, c.Title, c.Tested.Tag, c.Tag.Prefix, c.Oldest, c.Bridge.Bot, c.Bridge.Prefix, c.Bridge.Port, c.Bridge.CommandPrefix)
	}
	return b.String()
}
