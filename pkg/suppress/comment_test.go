package suppress

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Where a comment stands, which rules it names, and which lines it is about.
func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      string // rules, reason, lines; one comment a line
	}{
		{"above", "# stackgen:ignore a-rule it is so\nkey: x\n", "a-rule|it is so|1-2"},
		{"behind", "key: x # stackgen:ignore a-rule it is so\nother: y\n", "a-rule|it is so|1-1"},
		{"behind a label", "  - \"a=b\" # stackgen:ignore a-rule why\n", "a-rule|why|1-1"},
		{"a dash before it", "- # stackgen:ignore a-rule why\n  x\n", "a-rule|why|1-1"},
		{"without blanks", "#stackgen:ignore a-rule why\nx", "a-rule|why|1-2"},
		{"indented", "a:\n  ## stackgen:ignore a-rule why\n  b: c\n", "a-rule|why|2-3"},
		{"several rules", "# stackgen:ignore a,b , c why not, really\nx", "a b c|why not, really|1-2"},
		{"a colon", "# stackgen:ignore a: why\nx", "a|why|1-2"},
		{"a rule twice", "# stackgen:ignore a,a why\nx", "a|why|1-2"},
		{"no reason", "x # stackgen:ignore a", "a||1-1"},
		{"no rule", "x # stackgen:ignore", "||1-1"},
		{"several comments above", "# stackgen:ignore a x\n# more\n# stackgen:ignore b y\nkey: z\n", "a|x|1-4\nb|y|3-4"},
		{"a blank line ends it", "# stackgen:ignore a x\n\nkey: z\n", "a|x|1-2"},
		{"the last line", "key: z\n# stackgen:ignore a x", "a|x|2-3"},
		{"SQL", "CREATE DATABASE x; -- stackgen:ignore a x\n-- stackgen:ignore b y\nCREATE ROLE y;\n", "a|x|1-1\nb|y|2-3"},
		{"CRLF", "# stackgen:ignore a x\r\nkey: z\r\n", "a|x|1-2"},
		{"a byte order mark", "\ufeff# stackgen:ignore a x\nkey: z\n", "a|x|1-2"},
		{"another comment on the line", "x: y # why # stackgen:ignore a x\n", "a|x|1-1"},
		{"a part of a value", "url: http://x/#stackgen:ignore a x\n", ""},
		{"prose", "# see stackgen:ignore a x\n", ""},
		{"another word", "# stackgen:ignored a x\n# stackgen:ignore-all\n", ""},
		{"nothing", "key: x\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			if c := read("f", []byte(tt.src)); c != nil {
				for _, n := range c.comments {
					got = append(got, fmt.Sprintf("%s|%s|%d-%d", strings.Join(n.rules, " "), n.reason, n.from, n.to))
				}
			}
			if diff := cmp.Diff(tt.want, strings.Join(got, "\n")); diff != "" {
				t.Error("(-want +got)\n" + diff)
			}
		})
	}
}

// What is about the file as a whole is answered above its first line, and not further down.
func TestWholeFile(t *testing.T) {
	for src, want := range map[string]int{
		"# stackgen:ignore a x\n# more\n\nkey: x\n":   1,
		"# more\n\n# stackgen:ignore a x\nkey: x\n":   1,
		"key: x # stackgen:ignore a x\n":              1,
		"key: x\n# stackgen:ignore a x\nother: y\n":   0,
		"# stackgen:ignore a x\n#stackgen:ignore a y": 2,
	} {
		if got := len(read("f", []byte(src)).at("a", 0)); got != want {
			t.Errorf("%q: %d comments are about the whole file, want %d", src, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"", "# stackgen:ignore", "# stackgen:ignore a,b x\nkey: y", "-- stackgen:ignore a x", "x # stackgen:ignore ,,, \xff\x00", "\ufeff#stackgen:ignore a\r\n\r\n",
		strings.Repeat("# stackgen:ignore a x\n", 1100), "# stackgen:ignore " + strings.Repeat("a,", 5000),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		c := read("f", src)
		if c == nil {
			return
		}
		lines := strings.Count(string(src), "\n") + 1
		if len(c.comments) == 0 || len(c.comments) > maxComments {
			t.Fatalf("%d comments", len(c.comments))
		}
		for _, n := range c.comments {
			if n.from < 1 || n.from > lines || n.to < n.from || n.to > lines+1 || n.pos.Line != n.from || n.pos.Col < 1 {
				t.Errorf("a comment at %v is about %d to %d of %d lines", n.pos, n.from, n.to, lines)
			}
			for _, rule := range n.rules {
				if rule == "" || strings.ContainsAny(rule, " ,\t\n") {
					t.Errorf("a rule is called %q", rule)
				}
				if len(c.at(rule, n.to)) == 0 {
					t.Errorf("the comment at %v is not found where it belongs", n.pos)
				}
			}
		}
	})
}
