package move_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/adopt/move"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/prove"
)

// moved is the plan of a deployment, "" where it is not taken over.
func moved(t *testing.T, old *deployment.Deployment, in move.Input) string {
	t.Helper()
	draft, _ := adopt.Read(old, adopt.Options{SpecName: "stack.yaml", Dir: "/srv/matrix", Sources: []string{"/srv/spec/stack.yaml", "/srv/spec/secrets.yaml"}})
	if draft == nil {
		return ""
	}
	copies, _ := prove.Copies(draft.Spec, ".", draft.File)
	result, err := prove.Run(prove.Input{Spec: draft.Spec, Secrets: draft.Set(), Placeholders: true, Copies: copies, Dir: "/srv/matrix"})
	if err != nil || result.Deployment == nil {
		t.Fatal(err, result.Findings)
	}
	in.Old, in.Ours, in.Compared = old, result.Deployment, compare.Deployments(old, result.Deployment)
	text, err := move.Write(in)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// The steps come in the order in which nothing is lost, each with its way back, with the names of the stack and without
// its secrets.
func TestPlan(t *testing.T) {
	all, err := fixture.Read("../../check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range all {
		d, _ := compose.OpenWith(f.Forms[0].Tree, compose.Options{Files: f.Files, Name: "matrix"})
		text := moved(t, d, move.Input{Dir: "/srv/my matrix", Spec: "/srv/spec/stack.yaml", Files: f.Files})
		if text == "" {
			continue
		}
		n++
		at := 0
		for _, step := range []string{
			"stackgen check '/srv/my matrix'", "stackgen import --verify '/srv/my matrix' -o /srv/spec/stack.yaml", "-o /srv/spec/rehearsal", "mkdir -p /srv/spec/before", "-czf /srv/spec/before/files.tar.gz .",
			"## 6. Stop what runs", "## 7. Bring the data", "-o '/srv/my matrix' --force", "up -d --remove-orphans", "## The way back",
		} {
			i := strings.Index(text[at:], step)
			if i < 0 {
				t.Errorf("%s: %q does not come after what is before it", f.Name, step)
				continue
			}
			at += i
		}
		if strings.Contains(text, "/root/") {
			t.Errorf("%s: something is kept where only root can", f.Name)
		}
		if steps, backs := strings.Count(text, "\n## ")-1, strings.Count(text, "Back:"); backs < steps-1 { // the last of which only looks
			t.Errorf("%s: %d steps, and %d ways back", f.Name, steps, backs)
		}
		for _, s := range d.Secrets() {
			if len(s.Value) >= 8 && strings.Contains(text, s.Value) {
				t.Errorf("%s: it shows %s", f.Name, s.What)
			}
		}
		stop, _, _ := strings.Cut(text[strings.Index(text, "## 6."):], "## 7.")
		for _, s := range d.Running("synapse") {
			if !strings.Contains(stop, " "+s.Name) && !strings.Contains(stop, " down\n") {
				t.Errorf("%s: %s is not stopped before another one starts", f.Name, s.Name)
			}
		}
		// Two servers on one directory destroy it.
		for _, s := range d.PostgresServers() {
			if strings.Contains(text, "| `"+s.Name+"` | goes") && !strings.Contains(stop, " "+s.Name) && !strings.Contains(stop, " down\n") {
				t.Errorf("%s: %s is not stopped before another one starts on its data", f.Name, s.Name)
			}
		}
	}
	if n < 25 {
		t.Errorf("only %d plans were made", n)
	}
}

// Data go from wherever they are to wherever they are looked for, each place as one word.
func TestPlaces(t *testing.T) {
	all, err := fixture.Read("../../check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.Name != "mas-labels-list" {
			continue
		}
		d, _ := compose.OpenWith(f.Forms[0].Tree, compose.Options{Name: "matrix"})
		at := func(key, old, new string) compare.Difference {
			return compare.Difference{Kind: compare.Decision, About: "postgres", Doc: "mounts", Key: key, Old: old, New: new}
		}
		text, err := move.Write(move.Input{Old: d, Ours: d, Dir: "/srv/matrix", Spec: "/srv/spec/stack.yaml", Compared: &compare.Result{Differences: []compare.Difference{
			at("/a", "volume matrix_pg", "data/postgres"), at("/b", "old data", "/mnt/new"), at("/c", "/mnt/old", "volume new/media"), at("/d", "not kept: /d", "data/d"), at("/e", "x", ""),
		}}})
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{
			`docker run --rm -v matrix_pg:/from:ro -v "$PWD"/data/postgres:/to debian:stable-slim sh -c 'mkdir -p /to && cp -a /from/. /to/'`,
			"cp -a 'old data'/. /mnt/new/",
			"docker run --rm -v /mnt/old:/from:ro -v new:/to debian:stable-slim sh -c 'mkdir -p /to/media && cp -a /from/. /to/media/'",
		} {
			if !strings.Contains(string(text), "\n"+line+"\n") {
				t.Errorf("there is no %q", line)
			}
		}
		if strings.Contains(string(text), "data/d") {
			t.Error("what was never kept is copied")
		}
	}
}

// Compose reads what is written and nothing that it would take before it, or lay over it: neither a file by its name nor
// those that .env names.
func TestShadows(t *testing.T) {
	all, err := fixture.Read("../../check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(f fixture.Deployment) bool { return f.Name == "mas-labels-list" })
	tree := all[i].Forms[0].Tree
	main := "docker-compose.yml"
	if tree[main] == nil {
		main = "compose.yaml"
	}
	override := &fstest.MapFile{Data: []byte("services: {synapse: {labels: {a: b}}}\n"), Mode: 0o644}
	for _, test := range []struct {
		files map[string]string // from the names above
		env   string
		want  string // "" is nothing
	}{
		{map[string]string{"docker-compose.yml": main}, "", ""},
		{map[string]string{"compose.yaml": main}, "", "\ncd /srv/matrix\nrm compose.yaml\nstackgen render "},
		{map[string]string{"compose.yml": main, "compose.override.yml": ""}, "", "\nrm compose.yml compose.override.yml\nstackgen render "},
		{map[string]string{"docker-compose.yml": main, "docker-compose.override.yml": ""}, "", "\nrm docker-compose.override.yml\nstackgen render "},
		{map[string]string{"stack.yml": main}, "COMPOSE_FILE=stack.yml\n", "\nsed -i '/^ *\\(export  *\\)\\?COMPOSE_FILE *=/d' .env\nstackgen render "},
	} {
		now := maps.Clone(tree)
		delete(now, main)
		for name, from := range test.files {
			if now[name] = override; from != "" {
				now[name] = tree[from]
			}
		}
		if test.env != "" {
			now[".env"] = &fstest.MapFile{Data: []byte(test.env), Mode: 0o644}
		}
		d, _ := compose.OpenWith(now, compose.Options{Name: "matrix"})
		text := moved(t, d, move.Input{Dir: "/srv/matrix", Spec: "/srv/spec/stack.yaml"})
		_, write, _ := strings.Cut(text, "\n## 8.")
		write, _, _ = strings.Cut(write, "Back:")
		if test.want == "" && (strings.Contains(write, "\nrm ") || strings.Contains(write, "\nsed ")) || !strings.Contains(write, test.want) {
			t.Errorf("%v %q: step 8 is%s", test.files, test.env, write)
		}
	}
}
