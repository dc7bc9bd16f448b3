package e2e

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// stranger is a uid that no service has.
const stranger = "4242:4242"

// Every file that a service is given can be read by the service's own user and by no other, and what no
// service is given belongs to root alone.
func (s *stack) testFiles(t *testing.T) {
	given := map[string]bool{}
	for name, c := range s.containers(t) {
		if name == "proxy" {
			continue
		}
		files := s.mounted(t, c)
		if len(files) == 0 {
			t.Errorf("%s is given no file", name)
		}
		var inside []string
		for host, container := range files {
			given[host] = true
			inside = append(inside, container)
		}
		if name == "db-init" { // it has ended: the same image and files under its user
			continue
		}
		if unread := s.unreadable(t, c, "", inside); len(unread) > 0 {
			t.Errorf("%s cannot read %v", name, unread)
		}
		if unread := s.unreadable(t, c, stranger, inside); len(unread) != len(inside) {
			t.Errorf("%s: a stranger can read %d of %v", name, len(inside)-len(unread), inside)
		}
	}
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(s.dir, path)
		if rel == "data" {
			return filepath.SkipDir
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		byHand := filepath.Dir(rel) == "config/syn2mas" // of a service that does not run
		if ok && !d.IsDir() && !given[path] && !byHand && stat.Uid != 0 {
			t.Errorf("%s belongs to %d, though no service is given it", path, stat.Uid)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	t.Logf("%d files are readable by the user that needs them and by no other", len(given))
}

// mounted gives the files of the rendered tree that a container is given, by their paths on both sides.
func (s *stack) mounted(t *testing.T, c container) map[string]string {
	t.Helper()
	text, err := docker.docker("inspect", "--format", "{{json .Mounts}}", c.ID)
	if err != nil {
		t.Fatal(err)
	}
	var mounts []struct{ Source, Destination string }
	if err := json.Unmarshal([]byte(text), &mounts); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, m := range mounts {
		if strings.HasPrefix(m.Source, filepath.Join(s.dir, "data")) {
			continue
		}
		err := filepath.WalkDir(m.Source, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files[path] = m.Destination + strings.TrimPrefix(path, m.Source)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// unreadable gives the files that a user in the container cannot read; no user is the container's own.
func (s *stack) unreadable(t *testing.T, c container, user string, files []string) []string {
	t.Helper()
	args := []string{"exec"}
	if user != "" {
		args = append(args, "--user", user)
	}
	args = append(args, c.ID, "sh", "-c", `for f; do cat "$f" >/dev/null 2>&1 || echo "$f"; done`, "sh")
	out, err := docker.docker(append(args, files...)...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(out)
}
