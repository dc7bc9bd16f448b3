package render_test

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// checkRandom holds what is true of every spec that is accepted: what is rendered holds all rules, and is
// the same the second time.
func checkRandom(t *testing.T, src string) {
	t.Helper()
	s, findings := spec.Parse("stack.yaml", []byte(src))
	if s == nil {
		for _, f := range findings {
			if f.Rule != "spec" {
				t.Errorf("the spec does not even parse: %s %s\n%s", f.Pos(), f.Message, src)
			}
		}
		return
	}
	set := secret.Placeholders(render.Needs(s))
	st := render.Resolve(s, set, "/srv/matrix")
	st.Files, _ = prove.Copies(s, ".", fixture.File)
	b, err := render.Render(s, st, set.Get)
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	d, problems := compose.Open(b.FS())
	found, _ := check.Run(d, composego.Judge)
	for _, f := range append(problems, found...) {
		if f.Severity == finding.Error || strings.Contains(f.Message, "of a fault in stackgen") {
			t.Errorf("%s: %s [%s]\n%s", f.Pos(), f.Message, f.Rule, src)
		}
	}
	st = render.Resolve(s, set, "/srv/matrix")
	st.Files, _ = prove.Copies(s, ".", fixture.File)
	again, err := render.Render(s, st, set.Get)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.Files, again.Files, cmpopts.IgnoreUnexported(render.File{})); diff != "" {
		t.Errorf("the second time it is another:\n%s\n%s", diff, src)
	}
}

func TestRandomSpecs(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 60 {
		choices := make([]byte, fixture.Slots)
		for i := range choices {
			choices[i] = byte(random.IntN(256))
		}
		src := fixture.Spec(choices)
		if s, _ := spec.Parse("stack.yaml", []byte(src)); s != nil {
			accepted++
		}
		checkRandom(t, src)
	}
	if accepted < 25 {
		t.Errorf("only %d of 60 specs are accepted", accepted)
	}
	t.Logf("%d of 60 specs are accepted", accepted)
}

// The same without MAS: what belongs to it is left out, and all else holds.
func TestRandomOwnLogin(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	accepted := 0
	for range 40 {
		choices := make([]byte, fixture.Slots)
		for i := range choices {
			choices[i] = byte(random.IntN(256))
		}
		src := ofMAS.ReplaceAllString(fixture.Spec(choices), "")
		src = strings.Replace(src, "auth:\n", "auth:\n  kind: synapse\n", 1)
		if s, _ := spec.Parse("stack.yaml", []byte(src)); s != nil {
			accepted++
		}
		checkRandom(t, src)
	}
	if accepted < 8 {
		t.Errorf("only %d of 40 specs are accepted", accepted)
	}
	t.Logf("%d of 40 specs are accepted", accepted)
}

// ofMAS are the lines of a spec that say something of MAS.
var ofMAS = regexp.MustCompile(`(?m)^  (public_url: .*|migration: .*|migrated: .*|pepper: .*|names: .*|service: login|container_name: matrix.mas)\n`)

func FuzzRender(f *testing.F) {
	f.Add([]byte{})
	for fill := byte(1); fill < 4; fill++ {
		f.Add([]byte(strings.Repeat(string(rune(fill)), fixture.Slots)))
	}
	f.Fuzz(func(t *testing.T, choices []byte) { checkRandom(t, fixture.Spec(choices)) })
}
