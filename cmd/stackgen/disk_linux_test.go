package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRendersAtOnce starts several programs on one spec that was never rendered: they agree on the secrets,
// and the tree that stays fits them.
func TestRendersAtOnce(t *testing.T) {
	w := newWorkshop(t)
	w.spec(signalSpec)
	for round := range 3 {
		codes, said := make([]int, 4), make([]string, 4)
		var wg sync.WaitGroup
		for i := range codes {
			wg.Go(func() { codes[i], said[i] = w.run("", "stackgen", "render") })
		}
		wg.Wait()
		done := 0
		for i, code := range codes {
			switch {
			case code == exitClean:
				done++
			case code != exitFailed, !strings.Contains(said[i], "run the command again"):
				t.Errorf("round %d: exit %d\n%s", round, code, said[i])
			}
		}
		if done == 0 {
			t.Errorf("round %d: nobody came through: %v", round, said)
		}
		if _, said := w.run("", "stackgen", "render"); !strings.Contains(said, "unchanged") {
			t.Errorf("round %d: the tree does not fit its secrets:\n%s", round, said)
		}
		w.onlyKnown(fmt.Sprint("round ", round))
		if err := os.RemoveAll(filepath.Join(w.dir, "out")); err != nil {
			t.Fatal(err)
		}
		if round == 1 {
			if err := os.Remove(filepath.Join(w.dir, "secrets.yaml")); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestDiskFull renders onto disks that are full at ever later moments.
func TestDiskFull(t *testing.T) {
	w := newWorkshop(t)
	disk := func(flags uintptr, pages int) error {
		return syscall.Mount("tmpfs", w.dir, "tmpfs", flags, fmt.Sprintf("size=%dk,mode=0700", 4*pages))
	}
	if err := disk(0, 1<<10); err != nil {
		t.Skipf("skipped: a small disk cannot be mounted here (%v); a full disk is not proven in this run", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(w.dir, 0); err != nil {
			t.Error(err)
		}
	})
	full := 0
	for pages := 2; ; pages += 3 {
		for _, name := range []string{"out", "secrets.yaml"} {
			if err := os.RemoveAll(filepath.Join(w.dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		w.spec(signalSpec)
		before := w.snapshot()
		if err := disk(syscall.MS_REMOUNT, pages); err != nil {
			t.Fatal(err)
		}
		code, said := w.run("", "stackgen", "render")
		if code == exitClean {
			break
		}
		full++
		if code != exitFailed || !strings.Contains(said, "no space left on device") {
			t.Fatalf("%d pages: exit %d\n%s", pages, code, said)
		}
		left := w.snapshot()
		delete(left, "secrets.yaml")
		if diff := cmp.Diff(before, left); diff != "" {
			t.Errorf("%d pages: something stays on the full disk:\n%s", pages, diff)
		}
		if err := disk(syscall.MS_REMOUNT, 1<<10); err != nil {
			t.Fatal(err)
		}
		w.verify(fmt.Sprint(pages, " pages"), before, "")
	}
	if full < 5 {
		t.Errorf("the disk was full only %d times", full)
	}
}

// TestReadOnly takes away what the render needs, from a user who is not root. Nothing changes, the message
// names the file, and with the right given back it completes.
func TestReadOnly(t *testing.T) {
	for _, tt := range []struct {
		path string
		mode os.FileMode
		code int
		says string
	}{
		{"out", 0o500, exitFailed, "permission denied"},
		{"out", 0o000, exitFailed, "permission denied"},
		{"out/config/matrix", 0o500, exitFailed, "config/matrix"},
		{"out/.stackgen", 0o500, exitFailed, ".stackgen"},
		{"out/config/matrix/homeserver.yaml", 0o000, exitFailed, "config/matrix/homeserver.yaml"},
		{"out/.stackgen/manifest.json", 0o000, exitFailed, ".stackgen/manifest.json"},
		{"out/config/matrix/homeserver.yaml", 0o400, exitClean, "homeserver.yaml"}, // it is replaced, not written to
		{"secrets.yaml", 0o000, exitFindings, "secrets.yaml"},
		{"stack.yaml", 0o000, exitFailed, "stack.yaml"},
		{".", 0o500, exitFailed, "secrets.yaml"},
	} {
		t.Run(fmt.Sprintf("%s %o", tt.path, tt.mode), func(t *testing.T) {
			w := newWorkshop(t)
			w.nobody()
			w.spec(signalSpec)
			w.render()
			w.spec(whatsappSpec)
			path := filepath.Join(w.dir, tt.path)
			info, err := os.Stat(path)
			if err == nil {
				err = os.Chmod(path, tt.mode)
			}
			if err != nil {
				t.Fatal(err)
			}
			before := w.snapshot()
			code, said := w.run("", "stackgen", "render")
			if code != tt.code || !strings.Contains(said, tt.says) {
				t.Errorf("exit %d, want %d with %q\n%s", code, tt.code, tt.says, said)
			}
			left := w.snapshot()
			if tt.code != exitClean && left["secrets.yaml"] != before["secrets.yaml"] {
				w.keeps("read-only", before["secrets.yaml"], left["secrets.yaml"], "") // saved first, that is right
				left["secrets.yaml"] = before["secrets.yaml"]
			}
			if diff := cmp.Diff(before, left); tt.code != exitClean && diff != "" {
				t.Errorf("something was changed:\n%s", diff)
			}
			if err := os.Chmod(path, info.Mode()); err != nil {
				t.Fatal(err)
			}
			w.verify("read-only", before, "")
		})
	}
}

// nobody runs the programs as a user without rights, where the test is root.
func (w *workshop) nobody() {
	w.Helper()
	if os.Geteuid() != 0 {
		return
	}
	self, err := exec.LookPath("stackgen")
	if err != nil {
		w.Fatal(err)
	}
	w.user = &syscall.Credential{Uid: 65534, Gid: 65534}
	for _, dir := range []string{filepath.Dir(filepath.Dir(w.dir)), filepath.Dir(w.dir), filepath.Dir(self), filepath.Dir(filepath.Dir(self))} {
		if err := os.Chmod(dir, 0o755); err != nil {
			w.Fatal(err)
		}
	}
	if err := os.Chown(w.dir, 65534, 65534); err != nil {
		w.Fatal(err)
	}
}

// TestLinkSwappedIn swaps a directory for a link that leads out, again and again, while renders write there.
func TestLinkSwappedIn(t *testing.T) {
	w := newWorkshop(t)
	outside := t.TempDir()
	w.spec(signalSpec)
	w.render()
	config := filepath.Join(w.dir, "out", "config")
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			// Neither fails but for a render that has just made the directory anew.
			_ = os.Rename(config, config+".away")
			_ = os.Symlink(outside, config)
			_ = os.Remove(config)
			_ = os.Rename(config+".away", config)
		}
	}()
	refused := 0
	for i := range 20 {
		w.spec([]string{whatsappSpec, signalSpec}[i%2])
		code, said := w.run("", "stackgen", "render")
		if code != exitClean {
			refused++
		}
		if strings.Contains(said, "goroutine ") {
			t.Error(said)
		}
	}
	close(stop)
	<-stopped
	t.Logf("%d of 20 renders were refused", refused)
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("written outside: %v %v", entries, err)
	}
}
