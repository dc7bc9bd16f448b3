package source

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestFileJSON(t *testing.T) {
	f, problem := Parse("x.yaml", []byte("b: {z: 1, a: [true, null, -0.5, \"1\", {}]}\na: []\n\"q \\\" <&>\": 'x\n\n  y'\nd: 2026-01-02\n"))
	if problem != nil {
		t.Fatal(problem.Message)
	}
	got, err := f.JSON()
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "b": {
    "z": 1,
    "a": [
      true,
      null,
      -0.5,
      "1",
      {}
    ]
  },
  "a": [],
  "q \" <&>": "x\ny",
  "d": "2026-01-02"
}
`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
	if f, _ := Parse("x.yaml", []byte("a: {b: .inf}\n")); f != nil {
		if out, err := f.JSON(); err == nil || err.Error() != "a.b cannot stand in JSON" {
			t.Errorf("%s, %v", out, err)
		}
	}
}

// What is written is JSON, and means what the document means.
func FuzzFileJSON(f *testing.F) {
	for _, seed := range []string{"a: 1\n", "{\"a\": [1, {\"b\": \"\\u2028\"}]}", "a: &x {b: 0x1F}\nc: *x\n", "a: !!str 1\n? [x]\n: y\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		doc, problem := Parse("x", src)
		if problem != nil || doc.Root().Kind() != Mapping {
			return
		}
		out, err := doc.JSON()
		if err != nil {
			return
		}
		var got any
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		again, problem := Parse("x", out)
		if problem != nil {
			return // a key twice, such as 1 and "1"
		}
		twice, err := again.JSON()
		if err != nil || !reflect.DeepEqual(twice, out) {
			t.Fatalf("%v\n%s\n%s", err, out, twice)
		}
	})
}
