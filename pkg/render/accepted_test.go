package render_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// takers say of each file of examples/family, by what its path begins with, which lines of conformance/parts.txt are those of the real
// program that took it; or who else did, or why none can. One line of the list may be of another stack that has the same file.
var takers = []struct{ path, line, none string }{
	{".gitignore", "", "git, in the tests of render"},
	{"RUNBOOK.md", "", "people; e2e runs its commands"},
	{"borgmatic.d/", ": family/borgmatic.d/", ""},
	{"config/element/", "", "none: a page for browsers, from no registry that conformance has; rules hold it against Element's own checks"},
	{"config/irc/", "heisenbridge ", ""},
	{"config/ketesa/", "", "none: a page for browsers, from no registry that conformance has"},
	{"config/livekit/", ": family/config/livekit/", ""},
	{"config/lk-jwt/", ": family/config/matrix", ""}, // the same text as Synapse's copy
	{"config/mas/", "", "none: MAS is in no registry that conformance has; its keys are held against those of its source"},
	{"config/matrix/", ": family/config/matrix", ""},
	{"config/postgres/", "", "PostgreSQL, in e2e"},
	{"config/signal/", ": family/config/signal", ""},
	{"config/slack/", ": family/config/slack", ""},
	{"config/telegram/", ": family/config/telegram", ""},
	{"config/traefik/routes/", "managed: true", ""},
	{"config/traefik/traefik.yml", "the static configuration of a Traefik in the stack", ""},
	{"config/whatsapp/", ": family/config/whatsapp", ""},
	{"docker-compose.yml", ": family/docker-compose.yml", ""},
}

const acceptedBegins, acceptedEnds = "<!-- Who took examples/family, written by make generate. -->\n", "<!-- until here who took it -->"

// TestGoldenAccepted writes into CONTRIBUTING.md which real program took which file of examples/family, out of parts.txt, which
// conformance holds. A file without a line here fails, and so does a line of parts.txt that is gone.
func TestGoldenAccepted(t *testing.T) {
	parts, err := os.ReadFile("../../conformance/parts.txt")
	if err != nil {
		t.Fatal(err)
	}
	by := make(map[string]string) // what a path begins with -> who took it
	for _, taker := range takers {
		var names []string
		for line := range strings.Lines(string(parts)) {
			name, _, _ := strings.Cut(line, ": ")
			if taker.line != "" && strings.Contains(line, taker.line) && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		if by[taker.path] = strings.Join(names, ", "); len(names) == 0 {
			by[taker.path] = taker.none
		}
		if (len(names) == 0) != (taker.none != "") {
			t.Errorf("%s: parts.txt has %q of %q", taker.path, names, taker.line)
		}
	}
	used := make(map[string]bool)
	const golden = "testdata/golden/family"
	err = filepath.WalkDir(golden, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		file, _ := filepath.Rel(golden, strings.TrimSuffix(name, ".golden"))
		i := slices.IndexFunc(takers, func(taker struct{ path, line, none string }) bool {
			return strings.HasPrefix(filepath.ToSlash(file), taker.path)
		})
		if i < 0 {
			t.Errorf("nothing says which real program takes %s", file)
			return nil
		}
		used[takers[i].path] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var table strings.Builder
	table.WriteString("| file of examples/family | taken by |\n| --- | --- |\n")
	for _, taker := range takers {
		if !used[taker.path] {
			t.Errorf("examples/family has no %s any more", taker.path)
		}
		fmt.Fprintf(&table, "| `%s` | %s |\n", taker.path, by[taker.path])
	}
	const path = "../../CONTRIBUTING.md"
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(src), acceptedBegins)
	got, after, closed := strings.Cut(rest, acceptedEnds)
	if !ok || !closed {
		t.Fatal("CONTRIBUTING.md has no place for the table")
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+acceptedBegins+table.String()+acceptedEnds+after), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(table.String(), got); diff != "" {
		t.Errorf("-CONTRIBUTING.md +what parts.txt says; run make generate:\n%s", diff)
	}
}
