package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	shellBlock = regexp.MustCompile("(?ms)^ *```sh\n(.*?)^ *```$")
	// What a person would paste: lines of a fix, of "by hand" and of "next" that begin with a program.
	pasted = regexp.MustCompile(`(?m)^\s*(?:fix:|by hand|next)?\s*((?:sudo|mkdir|chmod|chown|docker|cd|git|stackgen) .*)$`)
)

// No name of a spec, a directory or a compose file kept by hand becomes a command of its own in what a person is
// told to run: a real shell reads every such line, with programs that do nothing in its path.
func TestNothingPlantedRuns(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh here")
	}
	marker := filepath.Join(t.TempDir(), "PWNED")
	bin := t.TempDir()
	for _, name := range []string{"sudo", "mkdir", "chmod", "chown", "docker", "git", "stackgen", "curl", "borgmatic", "rm"} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!"+sh+"\nexit 0\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	runs := func(t *testing.T, script string) {
		t.Helper()
		dir := t.TempDir()
		for _, args := range [][]string{{"-n", "-c", script}, {"-c", script}} {
			cmd := exec.CommandContext(t.Context(), sh, args...)
			cmd.Dir, cmd.Env = dir, []string{"PATH=" + bin, "MARKER=" + marker}
			if out, err := cmd.CombinedOutput(); err != nil && args[0] == "-n" {
				t.Errorf("a shell cannot read this: %s\n%s", out, script)
			}
		}
		if _, err := os.Stat(marker); err == nil {
			t.Errorf("a planted command ran:\n%s", script)
			if err := os.Remove(marker); err != nil {
				t.Error(err)
			}
		}
	}
	for name, evil := range map[string]string{
		"separator": "x;>$MARKER;#", "substitution": "x$(>$MARKER)", "backticks": "x`>$MARKER`", "quotes": `x'"$(>$MARKER)`, "line": "x\n>$MARKER\n```\n", "option": "-x;>$MARKER",
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.Mkdir("./"+evil, 0o755); err != nil {
				t.Skipf("this file system has no such name: %v", err)
			}
			file, out := "./"+evil+"/"+evil+".yaml", "./"+evil+"/out"
			write := func(path, text string) {
				t.Helper()
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			var stdout, stderr bytes.Buffer
			runQuiet := func(args ...string) { run(t.Context(), args, strings.NewReader(""), &stdout, &stderr) }
			runQuiet("init", "./"+evil+"/new")
			minimal, err := os.ReadFile("./" + evil + "/new/stack.yaml")
			if err != nil {
				t.Fatal(err)
			}
			write(file, strings.ReplaceAll(string(minimal), "server_name:", "server_name: example.org #"))
			runQuiet("render", file, "-o", out)
			runbook, err := os.ReadFile(out + "/RUNBOOK.md")
			if err != nil {
				t.Fatalf("%v: %s%s", err, &stdout, &stderr)
			}
			blocks := shellBlock.FindAllStringSubmatch(string(runbook), -1)
			if len(blocks) < 5 {
				t.Errorf("the runbook has %d blocks", len(blocks))
			}
			for _, b := range blocks {
				if !strings.Contains(b[1], "<<") { // a line that is read by the program
					runs(t, b[1])
				}
			}
			// A stack kept by hand, with the name in every path and name of the compose file.
			q := strings.NewReplacer("\n", `\n`, `"`, `\"`, "$", "$$").Replace(evil)
			write("./"+evil+"/compose.yaml", "name: \""+q+"\"\nservices:\n  \"s\":\n    image: matrixdotorg/synapse:v1.157.1\n    user: \"991:991\"\n    container_name: \""+q+
				"\"\n    volumes:\n      - {type: bind, source: \"./config/"+q+"\", target: /data}\n      - {type: bind, source: \"./gone "+q+"\", target: /other}\n")
			if err := os.MkdirAll("./"+evil+"/config/"+evil, 0o700); err != nil {
				t.Fatal(err)
			}
			write("./"+evil+"/config/"+evil+"/homeserver.yaml", "server_name: example.org\n")
			// Files that are all alike are a copy, of whose owners nothing is said.
			if err := os.Chmod("./"+evil+"/compose.yaml", 0o644); err != nil {
				t.Fatal(err)
			}
			runQuiet("check", "./"+evil)
			runQuiet("diff", file, "-o", "./"+evil)
			lines := pasted.FindAllStringSubmatch(stdout.String()+"\n"+stderr.String(), -1)
			if len(lines) < 2 {
				t.Errorf("only %d lines to paste in\n%s%s", len(lines), &stdout, &stderr)
			}
			for _, l := range lines {
				runs(t, l[1])
			}
		})
	}
}
