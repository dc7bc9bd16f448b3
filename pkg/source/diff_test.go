package source

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func printed(patches []Patch) string {
	var b strings.Builder
	for _, p := range patches {
		b.WriteString(p.File + "\n")
		for _, h := range p.Hunks {
			b.WriteString(h.Header() + "\n" + strings.Join(h.Lines, "\n") + "\n")
		}
	}
	return b.String()
}

func TestDiff(t *testing.T) {
	f, problem := Parse("f.yaml", []byte(`# old password: fake-old
a: 1
b: 2 # was fake-old
c:
  password: fake-word
  d: |
    fake-text
  e:
    - 1
    - 2

x: 1
y: 2
z: 3
last: 4
`))
	if problem != nil {
		t.Fatal(problem)
	}
	edits := append(f.At("z").Become("30"), f.At("c", "g").Become("true")...)
	edits = append(append(edits, f.At("b").Become("true")...), f.At("new").Become("x")...)
	want := `f.yaml
@@ -1,6 +1,6 @@
 # …
 a: 1
-b: 2
+b: true
 c:
   password: ********
   d: ********
@@ -8,8 +8,10 @@
   e:
     - 1
     - 2
+  g: true
 
 x: 1
 y: 2
-z: 3
+z: 30
 last: 4
+new: x
`
	if diff := cmp.Diff(want, printed(Diff(edits))); diff != "" {
		t.Error(diff)
	}
	for i, e := range edits {
		edits[i] = e.Masked(func(line string) string { return strings.ReplaceAll(line, "last", "****") })
	}
	if got := printed(Diff(edits)); strings.Contains(got, "last") || !strings.Contains(got, " ****: 4") {
		t.Error(got)
	}
	if got := printed(Diff(append(f.At("z").Become("4"), f.At("z").Become("5")...))); got != "" {
		t.Error(got)
	}
}

// FuzzDiff: the lines of a diff lead from the one text to the other.
func FuzzDiff(f *testing.F) {
	f.Add("a: 1\nb:\n  - c: 2\n  - d: 3\n\n# x\ne: 4", "true", uint8(3))
	f.Fuzz(func(t *testing.T, text, arg string, which uint8) {
		file, problem := Parse("f", []byte(text))
		if problem != nil || len(text) > 1000 || strings.ContainsAny(text, "\r\u0085\u2028\u2029") {
			t.Skip()
		}
		var edits []Edit
		n := uint8(0)
		for _, v := range file.Root().Entries() {
			if n++; which&n != 0 {
				edits = append(edits, v.Become(arg)...)
				edits = append(edits, v.At("new").Become(arg)...)
			}
		}
		now, err := Apply(file.Src, edits)
		if err != nil {
			t.Skip()
		}
		for _, p := range Diff(edits) {
			lines := splitLines(text)
			at, left := 0, []string{}
			for _, h := range p.Hunks {
				left = append(left, lines[at:h.Old-1]...)
				at = h.Old - 1
				for _, l := range h.Lines {
					if l[0] != '+' {
						at++
					}
					if l[0] != '-' {
						left = append(left, "")
					}
				}
			}
			left = append(left, lines[at:]...)
			if after, problem := Parse("f", now); problem == nil && len(left) != len(after.allLines()) {
				t.Fatalf("%q becomes %q, of which %s makes %d lines", text, now, printed([]Patch{p}), len(left))
			}
		}
	})
}
