//go:build unix

package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/secret"
)

const (
	signalSpec = `version: 1
server_name: example.org
auth: {passwords: true}
bridges: {signal: {}}
permissions: {"@admin:example.org": admin}
`
	// Against signalSpec: files to create, to update and to delete, and secrets to add.
	whatsappSpec = `version: 1
server_name: example.org
auth: {passwords: true}
synapse: {max_upload_size: 10M}
bridges: {whatsapp: {}}
permissions: {"@admin:example.org": admin}
`
)

// interruptions are the runs that are spoiled at every change they make on the disk.
var interruptions = []struct {
	name  string
	old   string // the spec that was rendered before; none when empty
	spec  string
	args  []string
	stdin string
	fresh string // the secret that may differ afterwards
	hand  string // the file that somebody edited before
}{
	{name: "first render", spec: signalSpec, args: []string{"render"}},
	{name: "changed render", old: signalSpec, spec: whatsappSpec, args: []string{"render"}},
	{name: "forced render", old: signalSpec, spec: whatsappSpec, args: []string{"render", "--force"}, hand: "out/RUNBOOK.md"},
	{name: "secrets set", old: signalSpec, spec: signalSpec, args: []string{"secrets", "set", "database.synapse_password"}, stdin: "anotherPassword", fresh: "database.synapse_password"},
	{name: "secrets rotate", old: signalSpec, spec: signalSpec, args: []string{"secrets", "rotate", "auth.matrix_secret"}, fresh: "auth.matrix_secret"},
}

// TestInterrupted lets every single system call that changes the disk fail, and kills the program at each.
// Whatever was hit: every file is whole, old or new, no secret is lost, and the next render makes what an
// undisturbed one would have made, with nothing left lying about. The program is the real one, traced from
// outside. Every twenty-ninth call is tried, or every STACKGEN_EVERY_CALL-th.
func TestInterrupted(t *testing.T) {
	if !canInject {
		t.Skip("skipped: calls can be traced on linux/amd64 only, this is " + runtime.GOOS + "/" + runtime.GOARCH + "; an interrupted write is not proven in this run")
	}
	step := everyCall(t, 29)
	for _, in := range interruptions {
		t.Run(in.name, func(t *testing.T) {
			t.Parallel()
			w := newWorkshop(t)
			w.spec(in.old)
			if in.old != "" {
				w.render()
			}
			w.spec(in.spec)
			if in.hand != "" {
				w.edit(in.hand)
			}
			w.keep()
			before := w.snapshot()
			calls := w.spoil(0, 0, in.stdin, in.args...)
			if len(calls) < 5 {
				t.Fatalf("only %d calls were seen: %v", len(calls), calls)
			}
			t.Logf("%d calls", len(calls))
			for n := 1; n <= len(calls); n += step {
				for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC, 0} {
					if errno == syscall.ENOSPC && calls[n-1].name != "write" && calls[n-1].name != "openat" {
						continue // no other answer to it than to EIO
					}
					w.back()
					what := fmt.Sprintf("%s at call %d, %s", map[bool]string{true: "killed", false: errno.Error()}[errno == 0], n, calls[n-1].name)
					w.spoil(n, errno, in.stdin, in.args...)
					if in.hand != "" {
						w.verifyKept(what, in.hand)
						continue
					}
					w.verify(what, before, in.fresh)
				}
			}
		})
	}
}

// everyCall returns how many calls further the next one is that is spoiled: usually, or as STACKGEN_EVERY_CALL says.
func everyCall(t *testing.T, usually int) int {
	t.Helper()
	text := os.Getenv("STACKGEN_EVERY_CALL")
	if text == "" {
		return usually
	}
	step, err := strconv.Atoi(text)
	if err != nil || step < 1 {
		t.Fatalf("STACKGEN_EVERY_CALL is a number from 1 on, not %q", text)
	}
	return step
}

// byHand is what somebody wrote into a file.
const byHand = "my own words\n"

func (w *workshop) edit(name string) {
	w.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(byHand), 0o600); err != nil {
		w.Fatal(err)
	}
}

// verifyKept wants what somebody wrote in its place or in a copy, and in a copy once the render is done again.
func (w *workshop) verifyKept(what, name string) {
	w.Helper()
	copies := func() (n int) {
		found, _ := filepath.Glob(filepath.Join(w.dir, "out/.stackgen/kept", filepath.Base(name)+".*"))
		for _, path := range found {
			if data, err := os.ReadFile(path); err == nil && string(data) == byHand {
				n++
			} else {
				w.Errorf("%s: %s is no whole copy: %q, %v", what, path, data, err)
			}
		}
		return n
	}
	now, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil || string(now) != byHand && copies() != 1 {
		w.Errorf("%s: what was written by hand is lost (%v)", what, err)
	}
	if code, said := w.run("", "stackgen", "render", "--force"); code != 0 {
		w.Fatalf("%s: the next render: exit %d\n%s", what, code, said)
	}
	if n := copies(); n != 1 {
		w.Errorf("%s: %d copies after the next render", what, n)
	}
	left, _ := filepath.Glob(filepath.Join(w.dir, "out/.stackgen/kept", ".stackgen-*"))
	more, _ := filepath.Glob(filepath.Join(w.dir, "out/.stackgen", ".stackgen-*"))
	if len(left)+len(more) > 0 {
		w.Errorf("%s: left behind: %q", what, append(left, more...))
	}
}

// workshop is a directory with a spec and its output, that can be put back to how it was.
type workshop struct {
	*testing.T
	dir, kept string
	env       []string
	user      *syscall.Credential // who runs the programs; nil for the user of the test
}

func newWorkshop(t *testing.T) *workshop {
	dir := t.TempDir()
	w := &workshop{T: t, dir: filepath.Join(dir, "work"), kept: filepath.Join(dir, "kept")}
	if err := os.Mkdir(w.dir, 0o700); err != nil {
		t.Fatal(err)
	}
	// An RSA key takes longer than all the rest of a run.
	w.env = append(os.Environ(), "GOMAXPROCS=2", "GODEBUG=asyncpreemptoff=1", secret.EnvName("auth.key_rsa")+"="+rsaKey())
	return w
}

// spec puts the text into the spec.
func (w *workshop) spec(text string) {
	w.Helper()
	path := filepath.Join(w.dir, "stack.yaml")
	err := os.WriteFile(path, []byte(text), 0o600)
	if err == nil && w.user != nil {
		err = os.Chown(path, int(w.user.Uid), int(w.user.Gid))
	}
	if err != nil {
		w.Fatal(err)
	}
}

// run runs a program in the workshop and gives its exit code and all it said.
func (w *workshop) run(stdin, program string, args ...string) (code int, said string) {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), program, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = w.dir, w.env, strings.NewReader(stdin)
	if w.user != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: w.user}
	}
	out, err := cmd.CombinedOutput()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), string(out)
	}
	if err != nil {
		w.Fatal(err)
	}
	return exitClean, string(out)
}

func (w *workshop) render() {
	w.Helper()
	if code, said := w.run("", "stackgen", "render"); code != 0 {
		w.Fatalf("the undisturbed render: exit %d\n%s", code, said)
	}
}

// keep remembers the workshop, back puts it back, with owners and times.
func (w *workshop) keep() { w.copy(w.dir, w.kept) }
func (w *workshop) back() { w.copy(w.kept, w.dir) }

func (w *workshop) copy(from, to string) {
	w.Helper()
	if err := os.RemoveAll(to); err != nil {
		w.Fatal(err)
	}
	if out, err := exec.CommandContext(w.Context(), "cp", "-a", from, to).CombinedOutput(); err != nil {
		w.Fatalf("cp: %v %s", err, out)
	}
}

// injectNotAllowed is the exit code of inject where no program can be traced.
const injectNotAllowed = 99

// call is a system call that changes the disk: the file that it is about, and for a rename where it goes.
type call struct {
	name, path, to string
	failed         bool
}

// failedCall ends the line of a call that did nothing.
const failedCall = "\t!"

// parseCalls reads what inject has written: a call on each line, with tabs between its parts.
func parseCalls(text string) []call {
	var calls []call
	for line := range strings.Lines(text) {
		line, failed := strings.CutSuffix(strings.TrimSuffix(line, "\n"), failedCall)
		f := append(strings.Split(line, "\t"), "", "")
		calls = append(calls, call{f[0], f[1], f[2], failed})
	}
	return calls
}

// spoil runs stackgen with its nth changing call spoiled, and gives those calls.
func (w *workshop) spoil(nth int, errno syscall.Errno, stdin string, args ...string) []call {
	w.Helper()
	self, err := exec.LookPath("stackgen")
	if err != nil {
		w.Fatal(err)
	}
	log := w.dir + ".calls"
	code, said := w.run(stdin, "inject", append([]string{strconv.Itoa(nth), strconv.Itoa(int(errno)), log, self}, args...)...)
	switch {
	case code == injectNotAllowed:
		w.Skipf("skipped: a program cannot be traced here (%s); an interrupted write is not proven in this run", strings.TrimSpace(said))
	case nth == 0 && code != exitClean, errno == 0 && nth > 0 && code != 128+int(syscall.SIGKILL), errno != 0 && code != exitClean && code != exitFailed:
		w.Errorf("call %d: exit %d\n%s", nth, code, said)
	case strings.Contains(said, "goroutine "), code == exitFailed && !strings.Contains(said, "stackgen: "):
		w.Errorf("call %d: it says\n%s", nth, said)
	}
	text, err := os.ReadFile(log)
	if err != nil {
		w.Fatal(err)
	}
	return parseCalls(string(text))
}

// snapshot is every path in the workshop with its mode, owner and content.
func (w *workshop) snapshot() map[string]string {
	w.Helper()
	got := make(map[string]string)
	err := filepath.WalkDir(w.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(w.dir, path)
		got[rel] = fmt.Sprint(info.Mode(), " ", owner(info), "\n")
		if e.Type().IsRegular() {
			data, err := os.ReadFile(path)
			got[rel] += string(data)
			return err
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	return got
}

const manifestFile = "out/.stackgen/manifest.json"

// verify holds what a spoiled run left against what was there before and what the next render makes of it.
func (w *workshop) verify(what string, before map[string]string, fresh string) {
	w.Helper()
	left := w.snapshot()
	if code, said := w.run("", "stackgen", "render"); code != 0 {
		w.Fatalf("%s: the next render does not complete: exit %d\n%s", what, code, said)
	}
	after := w.snapshot()
	w.onlyKnown(what)
	for _, path := range slices.Sorted(maps.Keys(left)) {
		content := func(s string) string { _, c, _ := strings.Cut(s, "\n"); return c }
		got := content(left[path])
		switch {
		case strings.HasSuffix(path, ".tmp"), path == manifestFile:
		case path == "secrets.yaml" && fresh != "":
			w.keeps(what, before[path], left[path], fresh)
		case got != content(before[path]) && got != content(after[path]):
			w.Errorf("%s: %s is neither old nor new", what, path)
		}
	}
	w.keeps(what, before["secrets.yaml"], after["secrets.yaml"], fresh)
	// The manifest stays: it alone remembers what a part that is off has to keep.
	entries, err := os.ReadDir(filepath.Join(w.dir, "out"))
	if err != nil {
		w.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == ".stackgen" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(w.dir, "out", e.Name())); err != nil {
			w.Fatal(err)
		}
	}
	w.render()
	if diff := cmp.Diff(w.snapshot(), after); diff != "" {
		w.Errorf("%s: the next render made something else than an undisturbed one (-undisturbed +made):\n%s", what, diff)
	}
}

// onlyKnown holds that nothing is left lying about.
func (w *workshop) onlyKnown(what string) {
	w.Helper()
	for path := range w.snapshot() {
		top, _, _ := strings.Cut(path, "/")
		if strings.HasSuffix(path, ".tmp") || !slices.Contains([]string{".", "stack.yaml", "secrets.yaml", "out"}, top) {
			w.Errorf("%s: %s is left lying about", what, path)
		}
	}
}

// keeps holds that every line of the old secrets stands in the new ones, but for the one that may differ.
func (w *workshop) keeps(what, old, now, fresh string) {
	w.Helper()
	lines := strings.Split(now, "\n")
	for _, line := range strings.Split(old, "\n")[1:] { // the first is mode and owner
		name, _, _ := strings.Cut(line, ":")
		if fresh == "" || name != fresh {
			if !slices.Contains(lines, line) {
				w.Errorf("%s: a line of secrets.yaml is lost: %s", what, name)
			}
		} else if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, fresh+": ") }) {
			w.Errorf("%s: %s is lost", what, fresh)
		}
	}
}

// rsaKey is a key as `secrets.yaml` keeps it.
func rsaKey() string {
	set := secret.Placeholders([]secret.Need{{Name: "auth.key_rsa", Kind: component.RSAPEM}})
	return set.Get("auth.key_rsa")
}

func owner(info fs.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprint(st.Uid, ":", st.Gid)
	}
	return ""
}
