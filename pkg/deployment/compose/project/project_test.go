package project

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/source"
)

// Each shape is read as compose-go reads it, and its values know their files. conformance runs the same ones through
// Docker Compose.
func TestShapes(t *testing.T) {
	shapes, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(shapes) < 10 {
		t.Fatalf("%d shapes, %v", len(shapes), err)
	}
	for _, shape := range shapes {
		t.Run(strings.TrimSuffix(filepath.Base(shape), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(shape)
			if err != nil {
				t.Fatal(err)
			}
			files := make(map[string]string)
			for _, f := range ar.Files {
				files[f.Name] = string(f.Data)
			}
			want := files["want"]
			delete(files, "want")
			names := behindF(string(ar.Comment))
			dir := filepath.Join(t.TempDir(), "matrix")
			write(t, dir, files)
			if !judge(t, dir, names) {
				t.Fatal("compose-go and we do not both take it")
			}
			p := Load(inMemory(files), Options{Files: names})
			for line := range strings.Lines(want) {
				line = strings.TrimSuffix(line, "\n")
				if names, ok := strings.CutPrefix(line, "runs "); ok {
					var runs []string
					for name, s := range p.File.At("services").Entries() {
						if p.Runs(s) {
							runs = append(runs, name.Str())
						}
					}
					slices.Sort(runs)
					if want := strings.Fields(names); !slices.Equal(slices.Sorted(slices.Values(want)), runs) {
						t.Errorf("%q run, want %q", runs, want)
					}
					continue
				}
				at, rest, _ := strings.Cut(line, " ")
				keys := strings.Split(strings.ReplaceAll(at, `\.`, "\x00"), ".") // a key with dots of its own
				for i := range keys {
					keys[i] = strings.ReplaceAll(keys[i], "\x00", ".")
				}
				v := p.File.At(keys...)
				got := "-"
				if v.Exists() {
					got = fmt.Sprintf("%s:%d %s", v.Pos().File, v.Pos().Line, v.Str())
				}
				if got != rest {
					t.Errorf("%s is %s, want %s", at, got, rest)
				}
			}
		})
	}
}

// behindF are the files that the comment of a shape says behind -f.
func behindF(comment string) []string {
	_, list, _ := strings.Cut(comment, "\nfiles: ")
	return strings.Fields(list)
}

func inMemory(files map[string]string) *memfs.FS {
	var all []memfs.File
	for name, text := range files {
		all = append(all, memfs.File{Path: name, Data: []byte(text)})
	}
	return memfs.New(all)
}

const service = "services: {a: {image: nginx}}\n"

// What cannot be followed is said, with its place, and the rest is read.
func TestNotFollowed(t *testing.T) {
	for _, c := range []struct{ name, text, place, unread, fault string }{
		{"remote include", "include: [oci://example.org/x, https://example.org/y.git]\n" + service, "compose.yaml:1:11", "fetched from elsewhere", ""},
		{"git", "include: [git@github.com:a/b.git]\n" + service, "compose.yaml:1:11", "fetched from elsewhere", ""},
		{"absolute", "include: [/etc/compose.yaml]\n" + service, "compose.yaml:1:11", "outside of the directory", ""},
		{"above", "include:\n  - ../other/compose.yaml\n" + service, "compose.yaml:2:5", "outside of the directory", ""},
		{"missing", "include: [gone.yml]\n" + service, "compose.yaml:1:11", "", "an included file, gone.yml, does not exist"},
		{"project directory", "include: [{path: inc.yml, project_directory: /srv}]\n" + service, "compose.yaml:1:11", "outside of the directory", ""},
		{"env file", "include: [{path: inc.yml, env_file: gone.env}]\n" + service, "compose.yaml:1:27", "", "gone.env, does not exist"},
		{"extends above", "services: {a: {image: nginx, extends: {file: ../x.yml, service: a}}}\n", "compose.yaml:1:30", "outside of the directory", ""},
		{"extends missing", "services: {a: {image: nginx, extends: {file: x.yml, service: a}}}\n", "compose.yaml:1:30", "", "what a extends, x.yml, does not exist"},
		{"extends nobody", "services: {a: {image: nginx, extends: b}}\n", "compose.yaml:1:30", "", "no service b"},
		{"extends no service of the file", "services: {a: {image: nginx, extends: {file: inc.yml, service: b}}}\n", "compose.yaml:1:30", "", "no service b"},
		{"extends in a circle", "services: {a: {image: nginx, extends: b}, b: {extends: a}}\n", "compose.yaml:1:30", "", "extends itself"},
		{"include in a circle", "include: [circle.yml]\n" + service, "circle.yml:1:11", "", "includes itself"},
		{"a list over a mapping", "services: {a: {image: nginx, deploy: [x], extends: {file: inc.yml, service: inc}}}\n", "compose.yaml:1:30", "", "cannot lay a list over a mapping"},
		{"twice", "services:\n  a: {image: nginx}\n  a: {image: nginx}\n", "compose.yaml:3:3", "", "stands twice"},
		{"not YAML", "services: {\n", "compose.yaml:1:1", "", ""},
		{"no mapping", "- a\n", "compose.yaml:1:1", "", "a mapping of services"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := Load(inMemory(map[string]string{
				"compose.yaml": c.text, "inc.yml": "services: {inc: {image: nginx, deploy: {replicas: 1}}}\n", "circle.yml": "include: [compose.yaml]\nservices: {c: {image: nginx}}\n",
			}), Options{})
			all := slices.Concat(p.Unread, p.Faults)
			if len(all) == 0 {
				t.Fatal("nothing is said")
			}
			got := all[0]
			if got.Sites[0].Pos.String() != c.place || !strings.Contains(got.Message, c.unread+c.fault) || (c.unread != "") != (len(p.Unread) > 0) {
				t.Errorf("%s: %s\nunread %v, faults %v", got.Sites[0].Pos, got.Message, p.Unread, p.Faults)
			}
			if strings.Contains(c.text, "image") && c.name != "twice" && !p.File.At("services", "a", "image").Exists() {
				t.Error("the rest is not read")
			}
		})
	}
}

// each joins the texts for 0 to n-1.
func each(n int, text func(i int) string) string {
	var all strings.Builder
	for i := range n {
		all.WriteString(text(i))
	}
	return all.String()
}

// Whatever the files are, they are read in bounded time, and what is left out is said.
func TestBounded(t *testing.T) {
	labels := "services:\n  a:\n    image: nginx\n    labels:\n"
	labels += each(10_000, func(i int) string { return fmt.Sprintf("      - l%d=v\n", i) })
	deep := map[string]string{"compose.yaml": "include: [f0.yml]\n" + service}
	wide := map[string]string{"compose.yaml": "include: [f0.yml]\n" + service}
	for i := range 300 {
		deep[fmt.Sprintf("f%d.yml", i)] = fmt.Sprintf("include: [f%d.yml]\nservices: {s%d: {image: nginx}}\n", i+1, i)
		wide[fmt.Sprintf("f%d.yml", i)] = fmt.Sprintf("include: [f%d.yml, {path: f%[1]d.yml, env_file: /dev/null}]\nservices: {s%[1]d: {image: nginx}}\n", i+1)
	}
	chain := "services:\n  a0: {image: nginx}\n"
	chain += each(5000, func(i int) string { return fmt.Sprintf("  a%d: {extends: a%d}\n", i+1, i) })
	backwards := "services:\n"
	backwards += each(5000, func(i int) string { return fmt.Sprintf("  a%d: {extends: a%d}\n", i, i+1) })
	bomb := "x-0: &x0 [a, a, a, a, a, a, a, a, a, a]\n"
	bomb += each(9, func(i int) string {
		return fmt.Sprintf("x-%d: &x%[1]d [%s]\n", i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*x%d, ", i), 10), ", "))
	})
	copies := labels
	copies += each(500, func(i int) string { return fmt.Sprintf("  b%d: {extends: a}\n", i) })
	for name, c := range map[string]struct {
		files map[string]string
		said  string
	}{
		"10,000 labels": {map[string]string{"compose.yaml": labels, "compose.override.yaml": labels}, ""},
		"deep include":  {deep, "deeper than"},
		"wide include":  {wide, "more than"},
		"long chain":    {map[string]string{"compose.yaml": chain}, ""},
		"backwards":     {map[string]string{"compose.yaml": backwards + "  a5000: {image: nginx}\n"}, "more levels than anybody needs"},
		"aliases":       {map[string]string{"compose.yaml": bomb + service}, "too many values"},
		"copies":        {map[string]string{"compose.yaml": copies}, "more than 300000 values"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			p := Load(inMemory(c.files), Options{})
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			said := fmt.Sprint(p.Unread, p.Faults)
			if c.said == "" && len(p.Unread)+len(p.Faults) > 0 || !strings.Contains(said, c.said) {
				t.Errorf("%.500s", said)
			}
		})
	}
}

// Every value of the tree stands where it says, in a file that was read.
func TestPlaces(t *testing.T) {
	for seed := range uint64(30) {
		files, names := generate(seed)
		p := Load(inMemory(files), Options{Files: names})
		if p.File == nil {
			t.Fatalf("seed %d is not read", seed)
		}
		var walk func(v source.Value)
		walk = func(v source.Value) {
			pos := v.Pos()
			lines := strings.Split(files[pos.File], "\n")
			if pos.Line < 1 || pos.Line > len(lines) {
				t.Fatalf("seed %d: %s stands at %s", seed, v.Path(), pos)
			}
			line := lines[pos.Line-1]
			if o := v.Origin(); o.Kind() == source.Scalar && !strings.Contains(line, strings.Split(strings.ReplaceAll(o.Str(), "\n", `\n`), `\`)[0]) {
				t.Errorf("seed %d: %s is %q of %q, and %s is %q", seed, v.Path(), v.Str(), o.Str(), pos, line)
			}
			for _, val := range v.Entries() {
				walk(val)
			}
			for _, item := range v.Items() {
				walk(item)
			}
		}
		walk(p.File.Root())
	}
}

// What a variable lacks is known by the name of the one that is set nowhere.
func TestUnset(t *testing.T) {
	p := Load(inMemory(map[string]string{
		".env": "HOST=matrix.${BASE}\nGIVEN=${BASE:-x}\nLATER=1\n",
		"compose.yaml": `services:
  a:
    image: nginx:${TAG}
    environment:
      - A=${ONE}-${TWO:-d}-${THREE:+x}-${LATER}
      - B=${FOUR:?it must be set}
      - C=${HOST}
      - D=${GIVEN}
      - E=${FIVE:-${SIX}}
      - F=${SEVEN-}
      - G=$${EIGHT}
      - H=${
`,
	}), Options{})
	a := p.File.At("services", "a")
	if got := fmt.Sprint(a.At("image").Str(), a.At("image").Unset()); got != "nginx:[TAG]" {
		t.Error(got)
	}
	for i, want := range []string{"A=-d--1 [ONE]", "B= [FOUR]", "C=matrix. [BASE]", "D=x []", "E= [SIX]", "F= []", "G=${EIGHT} []", "H=${ []"} {
		v := a.At("environment", fmt.Sprint(i))
		if got := fmt.Sprint(v.Str(), " ", v.Unset()); got != want {
			t.Errorf("%d is %q, want %q", i, got, want)
		}
	}
	var all []string
	for _, v := range p.Variables {
		all = append(all, v.Unset...)
	}
	if got := strings.Join(all, " "); got != "TAG ONE FOUR BASE SIX" {
		t.Errorf("unset are %s", got)
	}
	if last := p.Variables[len(p.Variables)-1]; !last.Invalid || last.At.Pos().Line != 12 {
		t.Errorf("%+v", last)
	}
}
