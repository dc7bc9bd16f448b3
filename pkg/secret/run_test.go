package secret

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

func TestFromFindings(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "empty", "\n")
	writeFile(t, dir, "large", strings.Repeat("x", maxValue+2))
	writeFile(t, dir, "binary", "LEAK\x00")
	const hand = " fix: run the command by hand in the directory of the spec: what it prints is not shown here, because it may hold secrets"
	const value = " fix: give it a valid value, or remove it where it stands"
	tests := map[string]struct {
		from From
		want string
	}{
		"status":       {From{Command: []string{"/bin/sh", "-c", "echo LEAK; echo LEAK >&2; exit 3"}}, "the command for the secret smtp.password did not give it: `sh` ended with status 3" + hand},
		"signal":       {From{Command: []string{"/bin/sh", "-c", "kill -9 $$"}}, "the command for the secret smtp.password did not give it: `sh` was killed by a signal" + hand},
		"no program":   {From{Command: []string{"stackgen-test-none", "LEAK"}}, "the command for the secret smtp.password did not give it: `stackgen-test-none` is not installed" + hand},
		"no file":      {From{Command: []string{"/nowhere/pass", "LEAK"}}, "the command for the secret smtp.password did not give it: `pass` cannot be started: no such file or directory" + hand},
		"no command":   {From{}, "the command for the secret smtp.password did not give it: `(none)` names no program" + hand},
		"nothing":      {From{Command: []string{"/bin/sh", "-c", "echo"}}, "the secret smtp.password that `sh` prints is empty" + value},
		"without end":  {From{Command: []string{"/bin/sh", "-c", "while :; do echo LEAKLEAKLEAKLEAK; done"}}, "the command for the secret smtp.password did not give it: `sh` printed more than is taken from it" + hand},
		"not text":     {From{Command: []string{"/bin/sh", "-c", `printf 'LEAK\377'`}}, "the secret smtp.password that `sh` prints is not UTF-8" + value},
		"missing file": {From{File: "none"}, `the file of the secret smtp.password cannot be read: "none": no such file or directory fix: create it, or name the right file`},
		"directory":    {From{File: "."}, `the file of the secret smtp.password cannot be read: read "` + dir + `": it is a directory fix: create it, or name the right file`},
		"empty file":   {From{File: "empty"}, `the secret smtp.password in the file "empty" is empty` + value},
		"large file":   {From{File: "large"}, `the secret smtp.password in the file "large" is larger than 64 KiB` + value},
		"binary file":  {From{File: "binary"}, `the secret smtp.password in the file "binary" holds a NUL byte` + value},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.from.Pos = source.Pos{File: "stack.yaml", Line: 7, Col: 3}
			s, findings := Load(t.Context(), Sources{Dir: dir, Run: runProgram, From: map[string]From{"smtp.password": test.from}}, testNeeds())
			got := texts(findings, "")
			if diff := cmp.Diff([]string{"stack.yaml:7:3: error: " + test.want}, got); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(strings.Join(got, ""), "LEAK") {
				t.Error("a finding shows what a command was given or printed")
			}
			if s.Get("smtp.password") != "" || len(s.Missing()) != 2 {
				t.Error("the secret has a value, or is missing on top of the finding")
			}
		})
	}
}

func TestWholeFileCommand(t *testing.T) {
	src := Sources{Run: runProgram, CommandPos: source.Pos{File: "stack.yaml", Line: 2, Col: 1}}
	tests := map[string]struct {
		script string
		want   []string
	}{
		"fails": {"echo 'smtp.password: LEAK'; exit 1", []string{"stack.yaml:2:1: error: the command for all secrets did not give them: `sh` ended with status 1 fix: " + runByHand}},
		"no YAML": {"printf 'smtp.password: \"LEAK\\n'", []string{
			"stack.yaml:2:1(line 1 of what it prints): error: what `sh` prints cannot be read: not valid YAML fix: write every value in double quotes",
		}},
		"prints nothing": {":", nil},
		"nested": {"printf 'smtp: {password: LEAK}\\nother.stacks: x\\n'", []string{
			"stack.yaml:2:1(line 1 of what it prints): error: the secret is nested; what `sh` prints must be flat, so it is not read fix: write `smtp.password: \"VALUE\"` without indentation",
		}},
		"misspelt": {"printf 'smtp.passwort: LEAK'", []string{
			"stack.yaml:2:1(line 1 of what it prints): warning: no part of the stack uses a secret with the name `smtp.passwort`; it is never read fix: write `smtp.password`",
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			src := src
			src.Command = []string{"/bin/sh", "-c", test.script}
			s, findings := Load(t.Context(), src, testNeeds())
			if diff := cmp.Diff(append([]string{}, test.want...), texts(findings, "")); diff != "" {
				t.Error(diff)
			}
			if failed := finding.HasErrors(findings) && name != "nested"; failed != (len(s.Fill()) == 0) {
				t.Error("secrets that the command may have were made, or the others were not")
			}
		})
	}
}

func TestCommandsNotRun(t *testing.T) {
	dir := t.TempDir()
	src := Sources{
		Path:    writeFile(t, dir, "secrets.yaml", "smtp.password: kept\n"),
		Command: []string{"sops", "-d", "x"},
		From:    map[string]From{"mas.encryption": {Command: []string{"/usr/bin/pass", "show"}}},
	}
	s, findings := Load(t.Context(), src, testNeeds())
	if len(findings) > 0 || len(s.Missing()) > 0 || len(s.Fill()) > 0 {
		t.Error("what a command may give was reported, missing, or made")
	}
	got := []string{s.Origin("smtp.password"), s.Origin("mas.encryption"), s.Origin("mas.rsa")}
	if diff := cmp.Diff([]string{"command sops (not run), else secrets.yaml", "command pass (not run)", "command sops (not run)"}, got); diff != "" {
		t.Error(diff)
	}
	FillPlaceholders(s)
	if s.Get("smtp.password") != "kept" || s.Get("mas.rsa") == "" || s.Dirty() {
		t.Error("placeholders took the place of a real value, are missing, or would be saved")
	}
}
