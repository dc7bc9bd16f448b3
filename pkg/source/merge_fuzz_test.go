package source

import "testing"

// FuzzMerge: what is laid onto a document gives a document, in which stands what was laid, or an error.
func FuzzMerge(f *testing.F) {
	for _, seed := range [][2]string{
		{"a: 1\nb: [x]\n", "a: 2\n+b: [y]\n"},
		{"a: {b: 1}\n", "a: {-b: }\n"},
		{"a: &x {b: 1}\nc: *x\n", "c: {d: 2}\n"},
		{"# c\na: |\n  x\n\nb: 2\n", "b: {+c: [1]}\n"},
		{"", "a: 1"},
		{"[1]", "a: 1"},
		{"a: 1\n", "[x]"},
		{"x: {<<: {y: 1}}\n", "x: {y: 2, z: null}\n"},
		{"a: \"$x\"\n", "-a: \n+z: []\n"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, base, over string) {
		laid, problem := Parse("over", []byte(over))
		if problem != nil || laid.Root().Kind() != Mapping || len(base)+len(over) > 1<<14 {
			return
		}
		if _, problem := Parse("base", []byte(base)); problem != nil {
			return
		}
		out, err := Merge([]byte(base), laid.Root())
		if err != nil {
			return
		}
		got, problem := Parse("out", out)
		if problem != nil {
			t.Fatalf("%q onto %q gives %q: %s", over, base, out, problem.Message)
		}
		for k, v := range laid.Root().Entries() {
			if op, _ := Operator(k.Str()); op == 0 && k.Kind() == Scalar && v.Kind() == Scalar && v.IsString() && got.At(k.Str()).Str() != v.Str() {
				t.Errorf("%q onto %q gives %q", over, base, out)
			}
		}
	})
}
