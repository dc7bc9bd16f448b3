package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// releases builds the archive for this machine in two clones, each with a build cache of its own, and gives
// the directories they lie in.
func releases(t *testing.T) (dirs []string) {
	t.Helper()
	src := thisTree(t)
	for range 2 {
		clone := filepath.Join(t.TempDir(), "a-clone")
		output(t, "git", "clone", "-q", src, clone)
		cmd := exec.CommandContext(t.Context(), filepath.Join(clone, "release", "snapshot"))
		cmd.Env = append(os.Environ(), "GOCACHE="+t.TempDir(), "PLATFORMS="+output(t, "go", "env", "GOHOSTOS")+"/"+output(t, "go", "env", "GOHOSTARCH"))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		dirs = append(dirs, filepath.Join(clone, "dist"))
	}
	return dirs
}

// A release built twice, in two places, is the same to the byte. Its program needs nothing around it: it does
// its work where there is no other file, as in the container image, which is made from scratch.
func TestRelease(t *testing.T) {
	dirs := releases(t)
	var sums []string
	for _, dir := range dirs {
		sum, err := os.ReadFile(filepath.Join(dir, "checksums.txt"))
		if err != nil {
			t.Fatal(err)
		}
		sums = append(sums, string(sum))
	}
	if sums[0] == "" || sums[0] != sums[1] {
		t.Errorf("two builds differ:\n%s%s", sums[0], sums[1])
	}
	archives, err := filepath.Glob(filepath.Join(dirs[0], "*.tar.gz"))
	if err != nil || len(archives) != 1 {
		t.Fatalf("%v %v", archives, err)
	}
	root := t.TempDir()
	output(t, "tar", "-xzf", archives[0], "-C", root, "--strip-components=1")
	for _, name := range []string{"stackgen", "stackgen.1", "stackgen.bash", "stackgen.zsh", "stackgen.fish", "LICENSE", "THIRD_PARTY.md"} {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Error(err)
		}
	}
	accepted(t, "go", "two clones give the same release")
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root may change the root directory, to see the program in an empty one")
	}
	(&repository{dir: root}).write(t, "stack/stack.yaml", goodSpec)
	for _, args := range [][]string{{"render", "/stack/stack.yaml", "-o", "/stack/out"}, {"check", "/stack/out"}} {
		cmd := exec.CommandContext(t.Context(), "/stackgen", args...)
		cmd.SysProcAttr, cmd.Dir, cmd.Env = &syscall.SysProcAttr{Chroot: root}, "/", []string{}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	accepted(t, "Linux", "stackgen alone, without another file")
}
