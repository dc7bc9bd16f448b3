package adopt_test

import (
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

const dir = "/srv/matrix"

var beside = []string{"/home/anna/stack.yaml", "/home/anna/secrets.yaml"}

// stack is a spec, rendered.
type stack struct {
	spec   *spec.Spec
	st     *render.Stack
	bundle *render.Bundle
}

func build(t testing.TB, src []byte, secrets map[string]string, read func(string) ([]byte, error)) *stack {
	t.Helper()
	s, findings := spec.Parse("stack.yaml", src)
	if s == nil {
		for _, f := range findings {
			t.Errorf("%s: %s", f.Pos(), f.Message)
		}
		t.Fatalf("no spec:\n%s", src)
	}
	set := secret.Placeholders(render.Needs(s))
	for name, value := range secrets {
		_ = set.Set(name, value)
	}
	st := render.Resolve(s, set, dir, beside...)
	copies, bad := prove.Copies(s, ".", read)
	if len(bad) > 0 {
		t.Fatal(bad[0].Message)
	}
	st.Files = copies
	b, err := render.Render(s, st, set.Get)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	st.Files = nil
	return &stack{s, st, b}
}

// holds reports whether a file of the stack has the text.
func (s *stack) holds(text string) bool {
	return slices.ContainsFunc(s.bundle.Files, func(f render.File) bool { return strings.Contains(string(f.Data), text) })
}

// tree is the stack as it lies in its directory.
func (s *stack) tree() *memfs.FS {
	m := manifest.New()
	for _, f := range s.bundle.Files {
		if f.Data != nil {
			m.Files[f.Path] = manifest.Entry{SHA256: manifest.Digest(f.Data)}
		}
	}
	return s.bundle.FS(memfs.File{Path: manifest.Path, Data: m.Bytes()})
}

// taken holds what is true of every stack that stackgen rendered: it is taken over as the spec that it was rendered from,
// and that renders every byte again.
func taken(t testing.TB, src []byte, read func(string) ([]byte, error)) *adopt.Draft {
	t.Helper()
	was := build(t, src, nil, read)
	d, findings := compose.OpenWith(was.tree(), compose.Options{Name: "srv"})
	for _, f := range findings {
		t.Fatalf("%s: %s", f.Pos(), f.Message)
	}
	draft, findings := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: dir, Sources: beside})
	for _, f := range findings {
		t.Fatalf("%s: %s\n%s", f.Pos(), f.Message, src)
	}
	for _, n := range draft.Notes {
		t.Errorf("noted of a rendered stack: %v: %s", n.Field, n.Text)
	}
	needs := render.Needs(was.spec)
	set := secret.Placeholders(needs)
	for _, n := range needs {
		value := strings.TrimSpace(set.Get(n.Name))
		read := strings.TrimSpace(draft.Secrets[n.Name]) == value
		if strings.Contains(n.Name, "services.") { // what a container's own are called is seen nowhere
			read = slices.Contains(slices.Collect(maps.Values(draft.Secrets)), value)
		}
		switch {
		case !read && was.holds(value): // the same placeholder would hide it
			t.Errorf("the secret %s is not read", n.Name)
		case value != "" && strings.Contains(string(draft.Text), value):
			t.Errorf("the secret %s stands in the spec", n.Name)
		}
	}
	now := build(t, draft.Text, draft.Secrets, func(name string) ([]byte, error) { return draft.Files[name], nil })
	for _, st := range []*render.Stack{was.st, now.st} {
		for i := range st.Containers { // what files are filled with shows in them, and under which name does not
			st.Containers[i].Words = nil
		}
		for i := range st.Login.Upstreams {
			if st.MAS == nil { // Synapse knows no more than whether it links
				st.Login.Upstreams[i].OnConflict = ""
			}
		}
	}
	if !reflect.DeepEqual(was.st, now.st) {
		t.Errorf("another stack:\n%s\nof\n%s\n%s", draft.Text, src, cmp.Diff(was.st, now.st, cmp.Exporter(func(reflect.Type) bool { return true })))
	}
	if len(was.bundle.Files) != len(now.bundle.Files) {
		t.Errorf("%d files became %d", len(was.bundle.Files), len(now.bundle.Files))
	}
	for i, f := range was.bundle.Files {
		if o := now.bundle.Files[min(i, len(now.bundle.Files)-1)]; f.Path != o.Path || string(f.Data) != string(o.Data) {
			t.Errorf("another file %s:\n%s\n%s", f.Path, cmp.Diff(string(f.Data), string(o.Data)), draft.Text)
			break
		}
	}
	return draft
}

func TestExamples(t *testing.T) {
	paths, err := filepath.Glob("../../examples/*/stack.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if onKubernetes(src) {
				t.Skip("skipped: import reads what Compose starts, and no manifests")
			}
			draft := taken(t, src, func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(filepath.Dir(path), name)) })
			t.Logf("%s", draft.Text)
		})
	}
}

// onKubernetes reports whether a spec is rendered as manifests.
func onKubernetes(src []byte) bool {
	s, _ := spec.Parse("stack.yaml", src)
	return s != nil && s.Target == "kubernetes"
}

// ofMAS are the lines of a spec that say something of MAS.
var ofMAS = regexp.MustCompile(`(?m)^  (public_url: .*|migration: .*|migrated: .*|names: .*|service: login|container_name: matrix.mas)\n`)

// specs is how many random specs are taken over: SPECS, or few enough to wait for.
func specs(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("SPECS"))
	if err != nil {
		return 12
	}
	t.Logf("%d specs", n)
	return n
}

// A stack that stackgen rendered from whatever spec is taken over as that spec. What a spec says that is the default anyway
// is left out; then the two resolve to the same stack.
func TestRandomSpecs(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: a dozen stacks take too long under the race detector; TestExamples runs the same code")
	}
	random := rand.New(rand.NewPCG(3, 4))
	for left := specs(t); left > 0; {
		choices := make([]byte, fixture.Slots)
		for i := range choices {
			choices[i] = byte(random.IntN(256))
		}
		src := fixture.Spec(choices)
		if left%3 == 0 {
			src = strings.Replace(ofMAS.ReplaceAllString(src, ""), "auth:\n", "auth:\n  kind: synapse\n", 1)
		}
		if s, _ := spec.Parse("stack.yaml", []byte(src)); s == nil {
			continue
		}
		if onKubernetes([]byte(src)) {
			t.Log("left out: import reads what Compose starts, and no manifests")
			continue
		}
		left--
		taken(t, []byte(src), fixture.File)
		if t.Failed() {
			t.FailNow()
		}
	}
}
