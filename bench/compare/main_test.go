package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// What is gone, what is new and what is said in other words are told apart, and what only one build knows of is none.
func TestRun(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the programs are shell scripts")
	}
	dir := t.TempDir()
	for _, name := range []string{"same/compose.yaml", "same/below/compose.yaml", "other/docker-compose.yml", "broken/compose.yml"} {
		path := filepath.Join(dir, "trees", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program := func(name, same, other, broken string) string {
		path := filepath.Join(dir, name)
		script := "#!/bin/sh\n[ \"$*\" = 'check --format json .' ] || exit 9\ncase $PWD in\n" +
			"*/same) echo '" + same + "';;\n*/other) echo '" + other + "';;\n*/broken) echo '" + broken + "';;\nesac\nexit 1\n"
		if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	at := func(line string) string { return `"sites":[{"file":"compose.yaml","line":` + line + `}]` }
	old := program("old", `{"findings":[{"rule":"a",`+at("1")+`}]}`, `{"findings":[{"rule":"a",`+at("1")+`},{"rule":"b","message":"was",`+at("2")+`},{"rule":"d",`+at("4")+`}]}`, `{"findings":[]}`)
	now := program("new", `{"findings":[{"rule":"a","edits":[1],`+at("1")+`}]}`, `{"findings":[{"rule":"d",`+at("4")+`},{"rule":"b","message":"is",`+at("2")+`},{"rule":"c",`+at("3")+`}]}`, `panic: boom`)
	var out strings.Builder
	differ, err := run(&out, old, now, []string{filepath.Join(dir, "trees")})
	if err != nil || !differ {
		t.Fatal(differ, err)
	}
	text := out.String()
	for _, want := range []string{
		"/other\n  - {\"Rule\":\"a\"", "\n  + {\"Rule\":\"c\"", "\n  < {\"Rule\":\"b\"", "\n  > {\"Rule\":\"b\"", "panic: boom", "\n2 of 3 trees differ\n",
		"\na                                     1 gone    0 new    0 in other words\n", "\nb                                     0 gone    0 new    1 in other words\n", "\n(no findings)                         0 gone    1 new    0",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "/same\n") || strings.Contains(text, `"d"`) {
		t.Errorf("what is the same is told:\n%s", text)
	}
	if differ, err := run(&out, old, old, []string{filepath.Join(dir, "trees")}); err != nil || differ {
		t.Error(differ, err)
	}
	if _, err := run(&out, old, now, []string{t.TempDir()}); err == nil {
		t.Error("that there is nothing to compare in is no error")
	}
}
