package secret

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gofrs/flock"
	"github.com/google/go-cmp/cmp"
)

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestSaveRoundTrip(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secrets.yaml")
	s, findings := Load(t.Context(), Sources{Path: path}, testNeeds())
	if s.Dirty() || s.Save(t.Context()) != nil || len(names(t, dir)) > 0 {
		t.Fatal("a clean set wrote something")
	}
	s.Fill()
	if err := s.Set("smtp.password", "yes: # 'it' \"$x\" \n\tpäss 🔑 0123"); err != nil || !s.Dirty() {
		t.Fatalf("dirty %v: %v", s.Dirty(), err)
	}
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.Dirty() || mode(t, path) != 0o600 {
		t.Errorf("dirty %v, mode %s", s.Dirty(), mode(t, path))
	}
	if diff := cmp.Diff([]string{"secrets.yaml"}, names(t, dir)); diff != "" {
		t.Errorf("litter: %s", diff)
	}
	text := readFile(t, path)
	if !strings.HasPrefix(text, "# The secrets of this stack") || !strings.Contains(text, "\nmas.rsa: |\n  -----BEGIN PRIVATE KEY-----\n") {
		t.Error("no header, or the key is not readable as one")
	}

	again, more := Load(t.Context(), Sources{Path: path}, testNeeds())
	if diff := cmp.Diff([]string{}, texts(append(findings, more...), dir)); diff != "" {
		t.Error(diff)
	}
	for _, n := range testNeeds() {
		if s.Get(n.Name) != again.Get(n.Name) {
			t.Errorf("%s was read back changed", n.Name)
		}
	}
	if len(again.Fill()) > 0 {
		t.Error("a saved secret was made again")
	}

	// The same Set goes on after Save.
	if err := s.Rotate(testNeeds()[0]); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	rotated := readFile(t, path)
	if strings.Replace(text, again.Get("synapse.macaroon"), s.Get("synapse.macaroon"), 1) != rotated || text == rotated {
		t.Error("rotating changed something else than the value")
	}
}

func TestSaveRefuses(t *testing.T) {
	tests := map[string]struct {
		before, meanwhile string // "" is no file
		want              string
	}{
		"created meanwhile": {"", "a.other: \"fake\"\n", ErrChanged.Error()},
		"changed meanwhile": {"# one\n", "# one\na.other: \"fake\"\n", ErrChanged.Error()},
		"removed meanwhile": {"# one\n", "", ErrChanged.Error()},
		"encrypted":         {"sops: {mac: x}\n", "sops: {mac: x}\n", "it is encrypted with sops, and new secrets would stand in it in plain text; keep what sops encrypts in a file of another name"},
		"unreadable":        {"a: [\n", "a: [\n", "it could not be read, and what is in it would be lost"},
		"flow mapping":      {"{a.b: \"fake\"}\n", "{a.b: \"fake\"}\n", `set "synapse.macaroon": ` + errByHand.Error()},
		"open last line":    {"a.b: |\n  fake", "a.b: |\n  fake", `set "synapse.macaroon": ` + errNoNewline.Error()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "secrets.yaml")
			if test.before != "" {
				writeFile(t, dir, "secrets.yaml", test.before)
			}
			s, _ := Load(t.Context(), Sources{Path: path, Command: []string{"/bin/sh", "-c", ":"}, Run: runProgram}, testNeeds())
			if err := s.Set("synapse.macaroon", "fake-token"); err != nil {
				t.Fatal(err)
			}
			want := []string{"secrets.yaml"}
			if test.meanwhile != "" {
				writeFile(t, dir, "secrets.yaml", test.meanwhile)
			} else {
				want = nil
				if err := os.Remove(path); err != nil {
					t.Fatal(err)
				}
			}
			err := s.Save(t.Context())
			if err == nil || err.Error() != "write \""+path+"\": "+test.want {
				t.Fatalf("Save = %v", err)
			}
			if diff := cmp.Diff(want, names(t, dir)); diff != "" {
				t.Errorf("litter: %s", diff)
			}
			if test.meanwhile != "" && readFile(t, path) != test.meanwhile {
				t.Error("the file was changed")
			}
		})
	}
}

// TestSaveTogether: of runs that start together exactly one may write, and its secrets are what stands there.
func TestSaveTogether(t *testing.T) {
	for _, before := range []string{"", "# mine\n"} {
		dir := t.TempDir()
		path := filepath.Join(dir, "secrets.yaml")
		if before != "" {
			writeFile(t, dir, "secrets.yaml", before)
		}
		needs := []Need{{Name: "a.one"}, {Name: "a.two"}}
		sets, errs := make([]*Set, 8), make([]error, 8)
		var wg sync.WaitGroup
		for i := range sets {
			sets[i], _ = Load(t.Context(), Sources{Path: path}, needs)
			sets[i].Fill()
		}
		for i := range sets {
			wg.Go(func() { errs[i] = sets[i].Save(t.Context()) })
		}
		wg.Wait()
		now, _ := Load(t.Context(), Sources{Path: path}, needs)
		winners := 0
		for i, err := range errs {
			switch {
			case err == nil:
				winners++
				if now.Get("a.one") != sets[i].Get("a.one") || now.Get("a.two") != sets[i].Get("a.two") {
					t.Error("the saved secrets were lost")
				}
			case !errors.Is(err, ErrChanged):
				t.Error(err)
			}
		}
		if winners != 1 {
			t.Errorf("%d of 8 wrote", winners)
		}
		if diff := cmp.Diff([]string{"secrets.yaml"}, names(t, dir)); diff != "" {
			t.Errorf("litter: %s", diff)
		}
	}
}

func TestSaveWaitsForTheLock(t *testing.T) {
	dir := t.TempDir()
	path := writeFile(t, dir, "secrets.yaml", "# mine\n")
	s, _ := Load(t.Context(), Sources{Path: path}, testNeeds())
	s.Fill()
	lock := flock.New(path, flock.SetFlag(os.O_RDONLY))
	if err := lock.Lock(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- s.Save(t.Context()) }()
	writeFile(t, dir, "secrets.yaml", "# theirs\n")
	if err := lock.Unlock(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, ErrChanged) {
		t.Errorf("Save = %v", err)
	}
}

func TestSaveThroughSymlink(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	target := writeFile(t, elsewhere, "real.yaml", "# mine\n")
	link := filepath.Join(dir, "secrets.yaml")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	s, _ := Load(t.Context(), Sources{Path: link}, testNeeds())
	s.Fill()
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if mode(t, link)&os.ModeSymlink == 0 || mode(t, target) != 0o600 || !strings.Contains(readFile(t, target), "synapse.macaroon") {
		t.Error("the symlink was replaced, or its target not written")
	}
}

func TestSaveRepairsMode(t *testing.T) {
	dir := t.TempDir()
	path := writeFile(t, dir, "secrets.yaml", "# mine\n")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	s, _ := Load(t.Context(), Sources{Path: path}, testNeeds())
	s.Fill()
	if err := s.Save(t.Context()); err != nil || mode(t, path) != 0o600 {
		t.Errorf("mode %s, %v", mode(t, path), err)
	}
}

func TestSetRefuses(t *testing.T) {
	s := newSet("secrets.yaml", testNeeds())
	tests := map[string]struct{ name, value, want string }{
		"empty":     {"smtp.password", "", `the value for "smtp.password" is empty`},
		"NUL":       {"smtp.password", "fake\x00", `the value for "smtp.password" holds a NUL byte`},
		"not UTF-8": {"smtp.password", "fake\xff", `the value for "smtp.password" is not UTF-8`},
		"too large": {"smtp.password", strings.Repeat("x", maxValue+1), `the value for "smtp.password" is larger than 64 KiB`},
		"form":      {"bridges.telegram.api_id", "fake", `the value for "bridges.telegram.api_id" does not have the right form: digits only`},
		"no name":   {"", "fake", `the value for "" has no usable name`},
		"bad name":  {"a\nb", "fake", `the value for "a\nb" has no usable name`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := s.Set(test.name, test.value)
			if err == nil || err.Error() != test.want || s.Dirty() {
				t.Errorf("Set = %v, dirty %v", err, s.Dirty())
			}
		})
	}
}
