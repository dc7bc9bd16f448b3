//go:build unix

package main

import (
	"bytes"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// within runs the command and fails the test when it takes long: it is waiting for something then, or reading
// without end.
func within(t *testing.T, args ...string) (code int, printed string) {
	t.Helper()
	var out bytes.Buffer
	done := make(chan int, 1)
	go func() { done <- run(t.Context(), args, strings.NewReader("1234567"), &out, &out) }()
	select {
	case code = <-done:
		return code, out.String()
	case <-time.After(time.Minute):
		t.Fatalf("stackgen %v does not end", args)
		return 0, ""
	}
}

// oddities are what may lie where a file is expected, and what is said of it.
func oddities(t *testing.T) map[string]func(path string) {
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	return map[string]func(string){
		"a pipe":      func(path string) { must(syscall.Mkfifo(path, 0o600)) },
		"a directory": func(path string) { must(os.Mkdir(path, 0o700)) },
		"a socket": func(path string) {
			t.Chdir(filepath.Dir(path)) // the path of a socket is short
			l, err := net.Listen("unix", filepath.Base(path))
			must(err)
			t.Cleanup(func() { must(l.Close()) })
		},
		"a device": func(path string) { must(os.Symlink("/dev/zero", path)) },
	}
}

// TestNoRegularFile: what is no file is not waited for and not read without end, wherever a file is expected;
// the error or finding names the place.
func TestNoRegularFile(t *testing.T) {
	stack := t.TempDir()
	put(t, filepath.Join(stack, "stack.yaml"), telegramSpec+"secrets: {from: {bridges.telegram.api_hash: {file: value}}}\n")
	put(t, filepath.Join(stack, "value"), "0123456789abcdef0123456789abcdef\n")
	put(t, filepath.Join(stack, "secrets.yaml"), "bridges.telegram.api_id: \"1234567\"\n")
	t.Chdir(stack)
	stackgen(t, 0, "render")
	commands := map[string][][]string{
		"stack.yaml":                        {{"validate"}, {"render"}, {"diff"}, {"secrets", "list"}},
		"secrets.yaml":                      {{"validate"}, {"render"}, {"diff"}, {"secrets", "list"}, {"secrets", "rotate", "auth.matrix_secret"}},
		"value":                             {{"validate"}, {"render"}, {"diff"}, {"secrets", "list"}},
		"out/docker-compose.yml":            {{"check", "out", "--format", "json"}, {"route", "GET", "https://matrix.example.org/"}, {"render"}, {"diff"}},
		"out/config/matrix/homeserver.yaml": {{"check", "out", "--format", "json"}, {"render"}, {"diff"}},
		"out/config/telegram/config.yaml":   {{"check", "out", "--format", "json"}},
		"out/config/matrix/telegram.yaml":   {{"check", "out", "--format", "json"}},
		"out/.stackgen/manifest.json":       {{"check", "out", "--format", "json"}, {"render"}, {"diff"}},
	}
	for what, make := range oddities(t) {
		for name, lines := range commands {
			t.Run(what+" "+name, func(t *testing.T) {
				path := filepath.Join(stack, name)
				if err := os.Rename(path, path+".kept"); err != nil {
					t.Fatal(err)
				}
				defer func() {
					_ = os.RemoveAll(path)
					if err := os.Rename(path+".kept", path); err != nil {
						t.Fatal(err)
					}
				}()
				make(path)
				t.Chdir(stack)
				for _, args := range lines {
					code, printed := within(t, args...)
					if code == exitClean && !strings.Contains(printed, "not checked") && args[0] != "validate" {
						t.Errorf("stackgen %v: exit 0\n%s", args, printed)
					}
					if !strings.Contains(printed, filepath.Base(name)) && !strings.Contains(printed, filepath.Dir(name)) {
						t.Errorf("stackgen %v does not name the place:\n%s", args, printed)
					}
				}
			})
		}
	}
	t.Chdir(stack)
	stackgen(t, 0, "render")
}

// TestLinksOutOfTheDirectory: check and route see nothing that lies elsewhere on the machine, and say so.
func TestLinksOutOfTheDirectory(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	put(t, "stack.yaml", "version: 1\nserver_name: example.org\nauth: {passwords: true}\n")
	stackgen(t, 0, "render")
	const private = "zebra: [\n"
	put(t, "private", private)
	links := []string{"docker-compose.yml", "config/matrix/homeserver.yaml", "config/mas/config.yaml", "config/postgres", "secrets", ".stackgen/manifest.json", ".env"}
	for _, name := range links {
		for _, target := range []string{filepath.Join(dir, "private"), strings.Repeat("../", strings.Count(name, "/")+1) + "private"} {
			t.Run(name+" to "+target[:3], func(t *testing.T) {
				path := filepath.Join("out", name)
				kept := os.Rename(path, "kept")
				if err := os.Symlink(target, path); err != nil {
					t.Fatal(err)
				}
				_, printed := within(t, "check", "out", "--format", "json")
				_, routed := within(t, "route", "GET", "https://matrix.example.org/", "--dir", "out")
				_, linted := within(t, "validate")
				_ = os.Remove(path)
				if kept == nil {
					if err := os.Rename("kept", path); err != nil {
						t.Fatal(err)
					}
				}
				if strings.Contains(printed+routed+linted, "zebra") {
					t.Errorf("what lies outside is printed:\n%s%s", printed, routed)
				}
				if strings.Contains(printed, "nothing creates") {
					t.Errorf("what cannot be seen is taken for missing:\n%s", printed)
				}
				if name != ".env" && !strings.Contains(printed, "leads out of the directory") {
					t.Errorf("nothing is said of the link:\n%s", printed)
				}
			})
		}
	}
	// A link that stays inside is followed.
	if err := errors.Join(os.Rename("out/config/mas", "out/config/elsewhere"), os.Symlink("elsewhere", "out/config/mas")); err != nil {
		t.Fatal(err)
	}
	if code, printed := within(t, "check", "out", "--format", "json"); code != 0 || strings.Contains(printed, "leads out") {
		t.Errorf("a link within the directory: exit %d\n%s", code, printed)
	}
}

// TestLargeFiles: of a file that no program would have, only the beginning is read.
func TestLargeFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	put(t, "stack.yaml", "version: 1\nserver_name: example.org\nauth: {passwords: true}\n")
	stackgen(t, 0, "render")
	for _, name := range []string{"config/matrix/homeserver.yaml", "docker-compose.yml", ".stackgen/manifest.json"} {
		path := filepath.Join("out", name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		put(t, path, strings.Repeat("# a line of a file without end\n", 50<<20/31))
		for _, args := range [][]string{{"check", "out", "--format", "json"}, {"diff"}, {"render"}} {
			code, printed := within(t, args...)
			if code == exitClean && !strings.Contains(printed, "not checked") {
				t.Errorf("%s: stackgen %v: exit 0\n%s", name, args, printed)
			}
		}
		put(t, path, string(text))
	}
}

// TestSignals: Ctrl-C and SIGTERM end a run at once, between specs and inside of one, with the code of the
// signal; what was written is whole.
func TestSignals(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	// As testscript starts it: by the name of the program.
	link := filepath.Join(dir, "stackgen")
	if err := os.Symlink(program, link); err != nil {
		t.Fatal(err)
	}
	spec := "version: 1\nserver_name: example.org\nauth: {passwords: true}\n"
	put(t, filepath.Join(dir, "waits.yaml"), spec+"secrets: {command: [sleep, \"50\"]}\n")
	args := []string{"render", "-o", "out"}
	for i := range 150 {
		sub := filepath.Join(dir, "s"+strings.Repeat("x", i))
		if err := os.Mkdir(sub, 0o700); err != nil {
			t.Fatal(err)
		}
		put(t, filepath.Join(sub, "stack.yaml"), spec)
		args = append(args, filepath.Join(sub, "stack.yaml"))
	}
	for _, tt := range []struct {
		name  string
		sig   syscall.Signal
		code  int
		args  []string
		state string
	}{
		{"many specs", syscall.SIGINT, 130, args, "the directories of the others are as they were"},
		{"many specs", syscall.SIGTERM, 143, append([]string{"validate"}, args[3:]...), "nothing was written"},
		{"a command", syscall.SIGTERM, 143, []string{"render", "waits.yaml", "-o", "none"}, "nothing was written"},
		{"a command", syscall.SIGINT, 130, []string{"diff", "waits.yaml", "-o", "none"}, "nothing was written"},
		{"stdin", syscall.SIGINT, 130, []string{"secrets", "set", "auth.matrix_secret", "--spec", filepath.Join(dir, "s", "stack.yaml")}, "no file is half written"},
	} {
		t.Run(tt.name+" "+tt.sig.String()+" "+tt.args[0], func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), link, tt.args...)
			cmd.Dir = dir
			var talk bytes.Buffer
			cmd.Stderr = &talk
			hold, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			defer hold.Close()
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(700 * time.Millisecond)
			sent := time.Now()
			if err := cmd.Process.Signal(tt.sig); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if took := time.Since(sent); took > 10*time.Second {
				t.Errorf("it goes on for %s", took)
			}
			if code := cmd.ProcessState.ExitCode(); code != tt.code || !strings.Contains(talk.String(), tt.state) && !strings.Contains(talk.String(), "no file is half written") {
				t.Errorf("exit %d, want %d\n%s", code, tt.code, &talk)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("an interrupted render has made its directory")
	}
	written, _ := filepath.Glob(filepath.Join(dir, "out", "*"))
	for _, name := range written {
		if code, printed := within(t, "check", name); code != exitClean {
			t.Errorf("%s is not whole:\n%s", name, printed)
		}
	}
}

// TestSpecOutOfTheRepository: findings quote the spec; a pull request must not have them quote another file.
func TestSpecOutOfTheRepository(t *testing.T) {
	private := filepath.Join(t.TempDir(), "private")
	put(t, private, "zebra: 1\n")
	repository(t, "README.md", "x\n")
	if err := os.Symlink(private, "stack.yaml"); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"validate"}, {"validate", "--format", "json"}, {"diff", "--base", "HEAD"}} {
		code, printed := within(t, args...)
		if code != exitFailed || strings.Contains(printed, "zebra") || !strings.Contains(printed, "leads out of the repository") {
			t.Errorf("stackgen %v: exit %d\n%s", args, code, printed)
		}
	}
}

// TestInitInHostileDirectory: a repository of somebody else has links where init writes, and what is no file. Nothing is
// written elsewhere, nothing is waited for, and nothing is passed over as if it were there.
func TestInitInHostileDirectory(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	t.Chdir(dir)
	links := map[string]string{
		".github": outside, ".gitignore": filepath.Join(outside, "gitignore"), "stack.schema.json": "/dev/zero",
	}
	for name, to := range links {
		if err := os.Symlink(to, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(".pre-commit-config.yaml", 0o600); err != nil {
		t.Fatal(err)
	}
	code, printed := within(t, "init", "--workflow", "example/stackgen@v1")
	if code == exitClean || !strings.Contains(printed, ".github") {
		t.Errorf("exit %d:\n%s", code, printed)
	}
	for _, want := range []string{".gitignore (it is there already); whether it has", ".pre-commit-config.yaml (it is there already); whether it has", "stack.schema.json (it is there already); whether it has"} {
		if !strings.Contains(printed, want) {
			t.Errorf("%q is not in\n%s", want, printed)
		}
	}
	if made, err := os.ReadDir(outside); err != nil || len(made) > 0 {
		t.Errorf("outside of the directory lies %v: %v", made, err)
	}
}

// TestOddEnvironmentFile: Compose stops at a .env that it cannot read, and passes over a directory of that name.
func TestOddEnvironmentFile(t *testing.T) {
	stack := t.TempDir()
	for what, make := range oddities(t) {
		t.Run(what, func(t *testing.T) {
			dir := filepath.Join(stack, strings.ReplaceAll(what, " ", ""))
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			file, out := filepath.Join(dir, "stack.yaml"), filepath.Join(dir, "out")
			put(t, file, "version: 1\nserver_name: example.org\nauth: {passwords: true}\n")
			stackgen(t, 0, "render", file, "-o", out)
			make(filepath.Join(out, ".env"))
			for _, args := range [][]string{{"check", out}, {"render", file, "-o", out}} {
				code, printed := within(t, args...)
				switch said := strings.Contains(printed, ".env"); {
				case what == "a directory" && (code != exitClean || said), what != "a directory" && !said:
					t.Errorf("%v: exit %d\n%s", args, code, printed)
				case (what == "a pipe" || what == "a socket") && (code != exitFindings || !strings.Contains(printed, "Compose cannot read .env")):
					t.Errorf("%v: exit %d\n%s", args, code, printed)
				}
			}
		})
	}
}
