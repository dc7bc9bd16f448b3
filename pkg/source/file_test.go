package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// bomb is a document of few lines that means 10^n values.
func bomb(n int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < n; i++ {
		ref := "*a" + string(rune('0'+i-1))
		b.WriteString("a" + string(rune('0'+i)) + ": &a" + string(rune('0'+i)) + " [" + strings.TrimSuffix(strings.Repeat(ref+", ", 10), ", ") + "]\n")
	}
	return b.String()
}

func TestParseRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		line      int
		message   string
	}{
		{"binary", "a: 1\x00", 0, "binary"},
		{"not UTF-8", "a: 1\nb: \xe4\n", 2, "not UTF-8"},
		{"UTF-16", "\xff\xfea\x00", 0, "binary"},
		{"too large", "a: " + strings.Repeat("x", MaxSize), 0, "larger than 4 MiB"},
		{"tab", "a:\n\tb: 1\n", 2, "indented with a tab"},
		{"tab behind spaces", "a:\n  \tb: [\n", 2, "indented with a tab"},
		{"two documents", "a: 1\n---\nb: 2\n", 2, "second YAML document"},
		{"second document empty", "a: 1\n---\n", 2, "second YAML document"},
		{"second document broken", "a: 1\n---\n{\n", 3, "not valid YAML"},
		{"text behind the document", "{a: 1}\nb: 2\n", 2, "not valid YAML"},
		{"error on line 1", "a: [1", 1, "not valid YAML"},
		{"missing bracket", "a: [1\nb: 2\n", 2, "',' or ']'"},
		{"two colons", "a: b\n c: d\n", 2, "mapping values are not allowed"},
		{"bad indentation", "a:\n    b: 1\n  c: 2\n", 3, "did not find expected key"},
		{"reserved character", "x: 1\na: @foo\n", 2, "cannot start any token"},
		{"unknown alias", "x: 1\npassword: *hunter2\n", 2, "an alias"},
		{"alias bomb", bomb(8), 1, "too many values"},
		{"self-containing anchor", "a: &x [*x]\n", 1, "contains itself"},
		{"self-containing merge", "a: &x\n  <<: *x\n", 1, "contains itself"},
		{"nested too deeply", strings.Repeat("[", 2000) + strings.Repeat("]", 2000), 1, "nested too deeply"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, got := Parse("f.yaml", []byte(tt.src))
			if got == nil {
				t.Fatal("no problem")
			}
			if !strings.Contains(got.Message, tt.message) || got.Line != tt.line {
				t.Errorf("line %d: %s; want line %d: …%s…", got.Line, got.Message, tt.line, tt.message)
			}
			if strings.Contains(got.Message+got.Fix, "hunter2") {
				t.Errorf("the problem shows what may be a password: %v", got)
			}
			if f.Root().Exists() || f.At("a").Exists() || f.Snippet(1) != "" {
				t.Error("an unreadable file has content")
			}
		})
	}
}

func TestUnknownAlias(t *testing.T) {
	const (
		above  = "write the anchor (&name) above it, in the same file; anchors do not cross files"
		either = "put quotes around a text that begins with *; where it is meant as an alias, " + above
	)
	for src, want := range map[string]string{
		"a:\n  <<: *hunter2\n":                            above,
		"a: {<<: *hunter2}\n":                             above,
		"x: &x {}\na:\n  <<: [*x, *hunter2]\n":            above,
		"x: &x {}\na:\n  <<:\n    - *x\n    - *hunter2\n": above,
		"a:\n  <<: *hunter2\nb: &hunter2 {}\n":            above,
		"a: *hunter2\n":                                   either,
		"x: &x {}\na:\n  <<: *x\n  b: *hunter2\n":         either,
		"x: &x {}\na:\n  <<: [*x]\n  b: [*hunter2]\n":     either,
	} {
		_, got := Parse("f.yaml", []byte(src))
		if got == nil || got.Fix != want || !strings.Contains(got.Message, "does not stand above it") {
			t.Errorf("%q: %v; want the fix %q", src, got, want)
		}
	}
}

func TestParseAccepts(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		path      []string
		want      string
		pos       Pos
	}{
		{"BOM", "\ufeffa: x\nb: y\n", []string{"a"}, "x", Pos{"f", 1, 4}},
		{"CRLF", "a: x\r\nb:\r\n  - c: y\r\n", []string{"b", "0", "c"}, "y", Pos{"f", 3, 8}},
		{"BOM and CRLF", "\ufeffa: x\r\nb: y\r\n", []string{"b"}, "y", Pos{"f", 2, 4}},
		{"runes, not bytes", "日本: {ü: y}\n", []string{"日本", "ü"}, "y", Pos{"f", 1, 9}},
		{"one document with markers", "---\na: x\n...\n", []string{"a"}, "x", Pos{"f", 2, 4}},
		{"aliases in reason", "x: &x y\na: *x\n", []string{"a"}, "y", Pos{"f", 2, 4}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, problem := Parse("f", []byte(tt.src))
			if problem != nil {
				t.Fatal(problem)
			}
			if v := f.At(tt.path...); v.Str() != tt.want || v.Pos() != tt.pos {
				t.Errorf("%q at %v, want %q at %v", v.Str(), v.Pos(), tt.want, tt.pos)
			}
		})
	}
}

func TestParseEmpty(t *testing.T) {
	for _, src := range []string{"", "\n\n", "# only a comment\n", "\ufeff"} {
		f, problem := Parse("f", []byte(src))
		if problem != nil || f.At("a").Set() {
			t.Errorf("%q: %v", src, problem)
		}
		if got := f.At("a", "b").Pos(); got.File != "f" || got.Line != 1 {
			t.Errorf("%q: an absent value is at %v, want the beginning", src, got)
		}
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, make([]byte, MaxSize+10), 0o600); err != nil {
		t.Fatal(err)
	}
	src, err := ReadFile(big)
	if err != nil || len(src) != MaxSize+1 {
		t.Errorf("%d bytes, %v; want one more than MaxSize, so that Parse refuses it", len(src), err)
	}
	for _, path := range []string{dir, filepath.Join(dir, "none")} {
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error %v does not name it", path, err)
		}
	}
	fsys := fstest.MapFS{"a/b": {Data: []byte("x")}}
	if src, err := ReadFS(fsys, "a/b"); err != nil || string(src) != "x" {
		t.Errorf("%q, %v", src, err)
	}
	for _, path := range []string{"a", "none"} {
		if _, err := ReadFS(fsys, path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: the error %v does not name it", path, err)
		}
	}
}
