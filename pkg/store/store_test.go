package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/manifests"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
	"philipp.info/stackgen/pkg/store"
)

const smallSpec = `version: 1
server_name: example.org
auth: {passwords: true}
bridges: {signal: {}, whatsapp: {}}
permissions: {"@admin:example.org": admin}
`

func small(t testing.TB) *render.Bundle {
	t.Helper()
	return rendered(t, smallSpec)
}

// rendered is a spec with placeholder secrets.
func rendered(t testing.TB, text string) *render.Bundle {
	t.Helper()
	return renderedIn(t, ".", text)
}

// renderedIn is rendered where the files that it copies lie in a directory.
func renderedIn(t testing.TB, dir, text string) *render.Bundle {
	t.Helper()
	s, findings := spec.Parse("stack.yaml", []byte(text))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(s))
	st := render.Resolve(s, set, "/srv/matrix")
	st.Files, _ = prove.Copies(s, ".", func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(dir, name)) })
	b, err := render.Render(s, st, set.Get)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// state is every path below dir with its content and modification time.
func state(t testing.TB, dir string) map[string]string {
	t.Helper()
	got := make(map[string]string)
	err := filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, p)
		if e.Type().IsRegular() {
			data, err := os.ReadFile(p)
			got[rel] = info.ModTime().Format(time.RFC3339Nano) + " " + string(data)
			return err
		}
		got[rel] = e.Type().String()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func write(t *testing.T, b *render.Bundle, dir string, force bool) *store.Plan {
	t.Helper()
	p, err := store.Write(t.Context(), dir, store.Stack{Files: b.Files}, force)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestWriteTwiceChangesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	b := small(t)
	if p := write(t, b, dir, false); len(p.Changes) < 20 {
		t.Fatalf("only %d changes", len(p.Changes))
	}
	before := state(t, dir)
	if p := write(t, b, dir, false); len(p.Changes) != 0 {
		t.Errorf("the second run changed %v", p.Changes)
	}
	if diff := cmp.Diff(before, state(t, dir)); diff != "" {
		t.Error(diff)
	}
	for path := range before {
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is open to others: %v", path, info.Mode())
		}
	}
}

// A conflict leaves everything as it was; force overwrites.
func TestWriteRefuses(t *testing.T) {
	for name, spoil := range map[string]struct {
		file   string
		before bool
		action store.Action
	}{
		"hand edit":                    {"config/matrix/homeserver.yaml", false, store.Edited},
		"somebody else's compose file": {"docker-compose.yml", true, store.Foreign},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			b := small(t)
			if !spoil.before {
				write(t, b, dir, false)
			}
			put(t, filepath.Join(dir, spoil.file), "mine: true\n")
			before := state(t, dir)
			p, err := store.Write(t.Context(), dir, store.Stack{Files: b.Files}, false)
			if !errors.Is(err, store.ErrConflict) {
				t.Fatalf("err = %v", err)
			}
			if c := p.Conflicts(); len(c) != 1 || c[0].Path != spoil.file || c[0].Action != spoil.action {
				t.Errorf("conflicts = %v", c)
			}
			if diff := cmp.Diff(before, state(t, dir)); diff != "" {
				t.Errorf("something was written:\n%s", diff)
			}
			write(t, b, dir, true)
			copies, err := filepath.Glob(filepath.Join(dir, ".stackgen/kept", spoil.file+".*"))
			if err != nil || len(copies) != 1 {
				t.Fatalf("copies of what was overwritten: %v, %v", copies, err)
			}
			if kept, err := os.ReadFile(copies[0]); string(kept) != "mine: true\n" {
				t.Errorf("the copy holds %q, %v", kept, err)
			}
			if p := write(t, b, dir, false); len(p.Changes) != 0 {
				t.Errorf("after force: %v", p.Changes)
			}
		})
	}
}

func TestWriteDeletesOnlyItsOwn(t *testing.T) {
	dir := t.TempDir()
	write(t, small(t), dir, false)
	put(t, filepath.Join(dir, "config/whatsapp/config.yaml"), "edited: true\n")
	put(t, filepath.Join(dir, "config/notes.txt"), "mine\n")
	put(t, filepath.Join(dir, "data/matrix/media_store/x"), "a picture\n")
	b := rendered(t, strings.Replace(smallSpec, ", whatsapp: {}", "", 1))
	p := write(t, b, dir, false)
	want := map[string]store.Action{
		"config/whatsapp/config.yaml": store.Kept, "config/whatsapp/registration.yaml": store.Delete,
		"config/matrix/whatsapp.yaml": store.Delete, "secrets/postgres_whatsapp": store.Delete,
	}
	for path, action := range want {
		if !slices.ContainsFunc(p.Changes, func(c store.Change) bool { return c.Path == path && c.Action == action }) {
			t.Errorf("%s is not %s", path, action)
		}
		if _, err := os.Stat(filepath.Join(dir, path)); (err == nil) != (action == store.Kept) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for _, path := range []string{"config/notes.txt", "data/matrix/media_store/x"} {
		if _, err := os.Stat(filepath.Join(dir, path)); err != nil {
			t.Error(err)
		}
	}
}

// No link leads a write out of the directory.
func TestWriteThroughLinks(t *testing.T) {
	for _, link := range []string{"config", "config/matrix", ".stackgen", "secrets", "data"} {
		t.Run(link, func(t *testing.T) {
			dir, outside := t.TempDir(), t.TempDir()
			if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, link)), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(outside, filepath.Join(dir, link)); err != nil {
				t.Skip("links cannot be made here:", err)
			}
			before := state(t, dir)
			_, err := store.Write(t.Context(), dir, store.Stack{Files: small(t).Files}, true)
			if err == nil || !strings.Contains(err.Error(), "symbolic link") {
				t.Errorf("err = %v", err)
			}
			if diff := cmp.Diff(before, state(t, dir)); diff != "" {
				t.Errorf("the tree changed:\n%s", diff)
			}
			if entries, _ := os.ReadDir(outside); len(entries) > 0 {
				t.Errorf("written outside: %v", entries)
			}
		})
	}
}

func TestWriteIntoAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "out")
	put(t, file, "text")
	if _, err := store.Write(t.Context(), file, store.Stack{Files: small(t).Files}, false); err == nil || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("err = %v", err)
	}
	dir := t.TempDir()
	put(t, filepath.Join(dir, "config"), "text")
	before := state(t, dir)
	if _, err := store.Write(t.Context(), dir, store.Stack{Files: small(t).Files}, false); err == nil || !strings.Contains(err.Error(), "config") {
		t.Errorf("err = %v", err)
	}
	if diff := cmp.Diff(before, state(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func remembered(t *testing.T, dir string) *manifest.Manifest {
	t.Helper()
	m, err := manifest.Read(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// A run that died between its files is completed by the next, also when the spec has changed meanwhile, and
// what it left lying about is removed.
func TestWriteAfterADeadRun(t *testing.T) {
	dir := t.TempDir()
	first := small(t)
	write(t, first, dir, false)
	second := rendered(t, strings.Replace(smallSpec, "auth:", "synapse: {max_upload_size: 10M}\nauth:", 1))
	// What a killed run leaves: the pending manifest, some of the files, a temporary file.
	pending := remembered(t, dir)
	write(t, second, dir, false)
	for path, done := range remembered(t, dir).Files {
		e := pending.Files[path]
		e.Pending = done.SHA256
		pending.Files[path] = e
	}
	put(t, filepath.Join(dir, manifest.Path), string(pending.Bytes()))
	put(t, filepath.Join(dir, "config/matrix/.stackgen-X.tmp"), "half")
	third := rendered(t, strings.Replace(smallSpec, "auth:", "synapse: {max_upload_size: 20M}\nauth:", 1))
	write(t, third, dir, false)
	if _, err := os.Stat(filepath.Join(dir, "config/matrix/.stackgen-X.tmp")); err == nil {
		t.Error("the temporary file is still there")
	}
	if p := write(t, third, dir, false); len(p.Changes) != 0 {
		t.Errorf("not completed: %v", p.Changes)
	}
}

func TestTwoWritesAtOnce(t *testing.T) {
	dir := t.TempDir()
	b := small(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := store.Write(t.Context(), dir, store.Stack{Files: b.Files}, false); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if p := write(t, b, dir, false); len(p.Changes) != 0 {
		t.Errorf("left over: %v", p.Changes)
	}
}

// Who holds the directory keeps others out of it.
func TestWriteWaits(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a directory cannot be locked here")
	}
	dir := t.TempDir()
	lock := flock.New(dir, flock.SetFlag(os.O_RDONLY))
	if held, err := lock.TryLock(); !held || err != nil {
		t.Fatal(held, err)
	}
	defer func() { _ = lock.Unlock() }()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := store.Write(ctx, dir, store.Stack{Files: small(t).Files}, false)
	if err == nil || !strings.Contains(err.Error(), "another render is at work there") {
		t.Errorf("err = %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("it wrote %v", left)
	}
}

// What is written is what check accepts, and a second run touches nothing.
func TestExamplesOnDisk(t *testing.T) {
	paths, err := filepath.Glob("../../examples/*/stack.yaml")
	if err != nil || len(paths) < 3 {
		t.Fatalf("examples not found: %v %v", paths, err)
	}
	for _, path := range paths {
		t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(t.TempDir(), "out")
			b := renderedIn(t, filepath.Dir(path), string(src))
			write(t, b, dir, false)
			before := state(t, dir)
			if p := write(t, b, dir, false); len(p.Changes) != 0 {
				t.Errorf("the second run changed %v", p.Changes)
			}
			if diff := cmp.Diff(before, state(t, dir)); diff != "" {
				t.Error(diff)
			}
			open := compose.Open
			cluster := slices.ContainsFunc(b.Files, func(f render.File) bool { return f.Path == manifests.Kustomization })
			if cluster {
				open = kubernetes.Open
			}
			d, problems := open(os.DirFS(dir))
			if len(d.Services) == 0 {
				t.Error("no service was read")
			}
			findings, _ := check.Run(d, composego.Judge)
			for _, f := range append(problems, findings...) {
				if cluster && (b.Stack.Kubernetes.SecretsApart || b.Stack.ESS != nil) && f.Status == finding.NotChecked && strings.Contains(f.Message, "is not among the manifests") {
					continue // a Secret that something else makes
				}
				if f.Status == finding.NotChecked && (strings.Contains(f.Message, "@") || strings.Contains(f.Message, "is outside of the stack")) {
					continue // a middleware of another stack, or a database
				}
				t.Errorf("%s: %s [%s]", f.Pos(), f.Message, f.Rule)
			}
		})
	}
}
