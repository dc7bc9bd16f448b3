package secret

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The stores of the tests behave as sops and age do: what is stored is not plain text, and what cannot be
// decrypted ends with a status. rot13 stands for the encryption.
const (
	rot   = `tr 'A-Za-z' 'N-ZA-Mn-za-m'`
	reads = rot + ` < store.enc`
)

func storeSources(dir, store string) Sources {
	return Sources{
		Path: filepath.Join(dir, "secrets.yaml"), Dir: dir, Run: runProgram,
		// The name of the file is a word of its own, as in `sops -d FILE`.
		Command: []string{"sh", "-c", reads, "sh", "store.enc"}, Store: []string{"sh", "-c", store},
	}
}

func rot13(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return 'a' + (r-'a'+13)%26
		case r >= 'A' && r <= 'Z':
			return 'A' + (r-'A'+13)%26
		}
		return r
	}, text)
}

const stored = "# mine\nsynapse.macaroon: \"FAKE-one\"\nsmtp.password: \"FAKE-two\"\n"

func TestStore(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "store.enc", rot13(stored))
	s, findings := Load(t.Context(), storeSources(dir, rot+` > new && mv new store.enc`), testNeeds())
	if len(findings) > 0 {
		t.Fatal(texts(findings, dir))
	}
	if err := s.Rotate(testNeeds()[0]); err != nil {
		t.Fatal(err)
	}
	made := s.Fill()
	if err := s.Save(t.Context()); err != nil || s.Dirty() {
		t.Fatal(err)
	}
	// The same Set goes on, and nothing is in plain text.
	if err := s.Set("smtp.password", "FAKE-three"); err != nil {
		t.Fatal(err)
	}
	if err := s.Save(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); len(got) != 1 || got[0] != "store.enc" {
		t.Errorf("files: %v", got)
	}
	again, findings := Load(t.Context(), storeSources(dir, "exit 1"), testNeeds())
	if len(findings) > 0 || len(made) == 0 {
		t.Fatal(texts(findings, dir))
	}
	for _, n := range testNeeds() {
		if again.Get(n.Name) != s.Get(n.Name) || again.Origin(n.Name) != s.Origin(n.Name) {
			t.Errorf("%s was not stored", n.Name)
		}
	}
	if again.Get("synapse.macaroon") == "FAKE-one" || again.Get("smtp.password") != "FAKE-three" {
		t.Error("the old value is still there")
	}
	if text := rot13(readFile(t, filepath.Join(dir, "store.enc"))); !strings.HasPrefix(text, "# mine\n") {
		t.Error("the comment is gone")
	}
}

// TestStoreEmpty: an empty store has to be made once, as {} or as an empty text.
func TestStoreEmpty(t *testing.T) {
	for _, text := range []string{"", "{}\n", "# mine\n"} {
		dir := t.TempDir()
		writeFile(t, dir, "store.enc", rot13(text))
		s, _ := Load(t.Context(), storeSources(dir, rot+` > new && mv new store.enc`), testNeeds())
		s.Fill()
		if err := s.Save(t.Context()); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// TestStoreFails: whatever a store does wrong, it is told, the old store is whole, and no secret is shown.
func TestStoreFails(t *testing.T) {
	const whole = "the store holds what it held before"
	for name, test := range map[string]struct{ store, want string }{
		"fails":                  {"echo FAKE-three >&2; exit 3", "`sh` ended with status 3; " + whole},
		"fails and empties":      {": > store.enc; exit 3", "`sh` ended with status 3; " + whole},
		"fails and removes":      {"rm store.enc; exit 3", "`sh` ended with status 3; " + whole},
		"says that it worked":    {"cat > /dev/null", "after it, `sh` does not print `smtp.password` as it was stored; " + whole},
		"stores the half":        {"head -n 2 | " + rot + " > store.enc", "after it, `sh` prints other secrets than were stored; " + whole},
		"stores another value":   {"sed s/FAKE-one/FAKE-four/ | " + rot + " > store.enc", "after it, `sh` does not print `synapse.macaroon` as it was stored; " + whole},
		"stores what is no YAML": {"echo '[' > store.enc", "after it, `sh` prints other secrets than were stored; " + whole},
		"is not there":           {"exec /nonexistent", "`sh` ended with status 127; " + whole},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			writeFile(t, dir, "store.enc", rot13(stored))
			s, _ := Load(t.Context(), storeSources(dir, test.store), testNeeds())
			if err := s.Set("smtp.password", "FAKE-three"); err != nil {
				t.Fatal(err)
			}
			err := s.Save(t.Context())
			if err == nil || err.Error() != "store secrets: "+test.want {
				t.Errorf("Save = %v", err)
			}
			if got := rot13(readFile(t, filepath.Join(dir, "store.enc"))); got != stored {
				t.Errorf("the store holds %q", got)
			}
			if got := names(t, dir); len(got) != 1 || mode(t, filepath.Join(dir, "store.enc")) != 0o600 {
				t.Errorf("files: %v", got)
			}
		})
	}
}

func TestStoreChangedMeanwhile(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "store.enc", rot13(stored))
	s, _ := Load(t.Context(), storeSources(dir, "touch ran; "+rot+` > store.enc`), testNeeds())
	s.Fill()
	writeFile(t, dir, "store.enc", rot13("a.b: \"FAKE\"\n"))
	if err := s.Save(t.Context()); err == nil || !strings.Contains(err.Error(), ErrChanged.Error()) {
		t.Errorf("Save = %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("the store was run")
	}
}

// TestStoreIsNotRun: where commands are not run, none is: neither to read nor to store.
func TestStoreIsNotRun(t *testing.T) {
	dir := t.TempDir()
	src := storeSources(dir, "touch ran")
	src.Command, src.Run = []string{"sh", "-c", "touch ran"}, nil
	s, _ := Load(t.Context(), src, testNeeds())
	s.Fill()
	if err := s.Set("smtp.password", "FAKE"); err == nil {
		t.Error("a secret that the command may have was set")
	}
	if err := s.Save(t.Context()); err != nil || len(names(t, dir)) > 0 {
		t.Errorf("%v, %v", err, names(t, dir))
	}
	// Where no command may have it, a new value goes into the file all the same.
	src.Command = nil
	s, _ = Load(t.Context(), src, testNeeds())
	if err := errors.Join(s.Set("smtp.password", "FAKE"), s.Save(t.Context())); err != nil || !slices.Equal(names(t, dir), []string{"secrets.yaml"}) || s.Target() != "secrets.yaml" {
		t.Errorf("%v, %v", err, names(t, dir))
	}
}

// TestWinner: a new value is refused where another source wins, and the one that wins is named.
func TestWinner(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "secrets.yaml", "smtp.password: \"FAKE-plain\"\nsynapse.macaroon: \"FAKE-plain\"\n")
	src := Sources{
		Path: filepath.Join(dir, "secrets.yaml"), Dir: dir, Run: runProgram,
		Command: []string{"echo", `synapse.macaroon: "FAKE-one"`},
		From:    map[string]From{"mas.rsa": {Command: []string{"false"}}, "mas.ec": {File: "gone"}},
		Getenv:  environment("STACKGEN_SECRET_MAS_ENCRYPTION", strings.Repeat("0", 64)), SkipFrom: true,
	}
	s, findings := Load(t.Context(), src, testNeeds())
	if len(findings) > 0 {
		t.Fatal(texts(findings, dir))
	}
	for name, want := range map[string]string{
		"synapse.macaroon": "command echo", "mas.rsa": "command false (not run)", "mas.ec": "file gone",
		"mas.encryption": "environment STACKGEN_SECRET_MAS_ENCRYPTION", "smtp.password": "secrets.yaml",
	} {
		err := s.Settable(name)
		if s.Origin(name) != want || (err == nil) != (want == "secrets.yaml") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s comes from %q: %v", name, s.Origin(name), err)
		}
	}
	src.Run = nil
	s, _ = Load(t.Context(), src, testNeeds())
	if want := "command echo (not run), else secrets.yaml"; s.Origin("smtp.password") != want || s.Settable("smtp.password") == nil {
		t.Errorf("not run, it comes from %q", s.Origin("smtp.password"))
	}
}
