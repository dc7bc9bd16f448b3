package source_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/source"
)

func TestLines(t *testing.T) {
	for name, c := range map[string]struct {
		src      string
		comments bool
		want     string
	}{
		"plain":                       {"a: 1\n\nb:\n  - x\n", false, "a: 1\n\nb:\n  - x"},
		"no line break at the end":    {"a: 1", false, "a: 1"},
		"a secret":                    {"token: zebra # zebra\n", false, "token: ********"},
		"comments":                    {"# zebra\na: 1\n  # zebra\n", false, "# …\na: 1\n  # …"},
		"our comments":                {"# ours\na: 1\n  # ours\n", true, "# ours\na: 1\n  # ours"},
		"a comment behind a value":    {"a: 1 # zebra\n", true, "a: 1"},
		"a block is one line":         {"key: |\n  zebra\n\n  # zebra\n  zebra\nb: 1\n", true, "key: ********\nb: 1"},
		"so is a folded one":          {"key: >-\n  zebra\n  zebra\n", true, "key: ********"},
		"and one in quotes":           {"a: \"x\n  zebra\"\nb: 1\n", true, "a: \"x\nb: 1"},
		"and one in single quotes":    {"a: 'it''s\n  zebra'\nb: 1\n", true, "a: 'it''s\nb: 1"},
		"and a plain one":             {"a: x\n  zebra\nb: 1\n", true, "a: x\nb: 1"},
		"a quote that ends its line":  {"a: \"x\"\n# ours\nb: 'y'\n# ours\n", true, "a: \"x\"\n# ours\nb: 'y'\n# ours"},
		"an escaped quote at the end": {"a: \"x\\\"\n  zebra\"\n", true, "a: \"x\\\""},
		"brackets":                    {"a: [\n  x,\n]\n", true, "a: [\n  x,\n]"},
		"a tag and an anchor":         {"a: !!str &x |\n  zebra\nb: *x\n", true, "a: ********\nb: *x"},
	} {
		t.Run(name, func(t *testing.T) {
			f, problem := source.Parse("x.yaml", []byte(c.src))
			if problem != nil {
				t.Fatal(problem)
			}
			var text, raw []string
			for _, l := range f.Lines(c.comments) {
				text, raw = append(text, l.Text), append(raw, l.Raw)
			}
			if diff := cmp.Diff(strings.Split(c.want, "\n"), text); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(strings.Join(text, "\n"), "zebra") {
				t.Errorf("a secret is shown: %q", text)
			}
			if got := strings.Join(raw, "\n"); got != strings.TrimSuffix(c.src, "\n") {
				t.Errorf("the raw lines are %q", got)
			}
		})
	}
}

func TestShown(t *testing.T) {
	f, problem := source.Parse("x.yaml", []byte(`a: {b: x, password: zebra, "empty": "", list: [1, "a b", " pad ", null]}`))
	if problem != nil {
		t.Fatal(problem)
	}
	if got, want := f.At("a").Shown(), `{b: x, password: ********, empty: "", list: [1, a b, " pad ", null]}`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := f.Secrets(); !slices.Equal(got, []string{"zebra"}) {
		t.Error(got)
	}
	if !f.At("a", "password").Secret() || f.At("a", "b").Secret() || (source.Value{}).Secret() {
		t.Error("the wrong values are secret")
	}
}

func TestMaskLine(t *testing.T) {
	for line, shown := range map[string]bool{
		"SELECT 1;":                      true,
		"let philipp.info lead to it":    true,
		"the password is zebra":          false,
		"PGPASSWORD=zebra psql":          false,
		"curl -u admin:zebra x":          false,
		"postgres://u:zebra@db/x":        false,
		"zebraAAAAbbbb1111CCCCdddd2222E": false,
	} {
		if got := source.MaskLine(line); (got == line) != shown || !shown && got != source.Masked {
			t.Errorf("%q becomes %q", line, got)
		}
	}
}

// What the values of the ESS chart name of Secrets is shown, and what stands in them as a value is not; elsewhere the same keys have secrets.
func TestNamesInValues(t *testing.T) {
	const part = "synapse: {postgres: {password: {secret: zebra-one, secretKey: zebra-two}}, additional: {a: {configSecret: zebra-three}}, macaroon: {value: lion}}\n"
	for src, want := range map[string][]string{
		"serverName: example.org\n" + part: {"lion"},
		part:                               {"zebra-one", "zebra-three", "zebra-two"},
		"serverName: example.org\nsynapse: {registrationSharedSecret: {value: zebra}}\n":        {"zebra"},
		"spec: {podSelector: {matchExpressions: [{key: app.kubernetes.io/name, values: [a]}]}}": nil,
	} {
		f, problem := source.Parse("ess.yaml", []byte(src))
		if problem != nil {
			t.Fatal(problem.Message)
		}
		if got := f.Secrets(); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("%s: %q", src, got)
		}
	}
}
