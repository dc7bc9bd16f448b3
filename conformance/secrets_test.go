package conformance

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// ops is a directory with a stack whose secrets another program keeps.
type ops struct {
	dir, bin string
	env      []string
}

func (o *ops) run(t *testing.T, code int, stdin, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env, cmd.Stdin = o.dir, append(os.Environ(), o.env...), strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != code {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(name), strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (o *ops) stackgen(t *testing.T, code int, args ...string) string {
	t.Helper()
	return o.run(t, code, "", o.bin, args...)
}

func (o *ops) read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(o.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The real sops and age keep the secrets of a stack: what is made, set and rotated goes into their file and
// comes back from it, nothing is left in plain text, and a store that fails changes nothing.
func TestSecretStores(t *testing.T) {
	sops, age, keygen := program(t, ".bin/sops"), program(t, ".bin/age"), program(t, ".bin/age-keygen")
	bin := filepath.Join(t.TempDir(), "stackgen")
	output(t, "go", "build", "-C", "..", "-o", bin, "./cmd/stackgen")
	key := filepath.Join(t.TempDir(), "key.txt")
	output(t, keygen, "-o", key)
	recipient := output(t, keygen, "-y", key)
	for name, test := range map[string]struct{ version, file, command, store, broken string }{
		"sops": {
			"sops " + strings.Fields(output(t, sops, "--version", "--disable-version-check"))[1], "secrets.enc.yaml",
			sops + ", decrypt, secrets.enc.yaml",
			sops + ", encrypt, --age, " + recipient + ", --filename-override, secrets.enc.yaml, --output, secrets.enc.yaml, /dev/stdin",
			sops + ", encrypt, --age, age1nobody, --filename-override, secrets.enc.yaml, --output, secrets.enc.yaml, /dev/stdin",
		},
		"age": {
			"age " + strings.TrimPrefix(output(t, age, "--version"), "v"), "secrets.age",
			age + ", -d, -i, " + key + ", secrets.age", age + ", -r, " + recipient + ", -o, secrets.age", age + ", -r, age1nobody, -o, secrets.age",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := &ops{dir: t.TempDir(), bin: bin, env: []string{"SOPS_AGE_KEY_FILE=" + key}}
			spec := func(store string) {
				text := "version: 1\nserver_name: example.org\nauth: {passwords: true}\nbridges: {signal: {}}\npermissions: {example.org: user}\n" +
					"secrets:\n  command: [" + test.command + "]\n  store: [" + store + "]\n"
				if err := os.WriteFile(filepath.Join(o.dir, "stack.yaml"), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			spec(test.store)
			words := strings.Split(test.store, ", ")
			o.run(t, 0, "{}\n", words[0], words[1:]...)
			o.stackgen(t, 0, "render")
			old := o.read(t, "out/secrets/mas_matrix_secret")
			o.stackgen(t, 0, "secrets", "rotate", "auth.matrix_secret", "auth.key_rsa")
			o.stackgen(t, 0, "render")
			if bytes.Equal(old, o.read(t, "out/secrets/mas_matrix_secret")) {
				t.Error("the old secret is still there")
			}
			if out := o.stackgen(t, 0, "render"); !strings.Contains(out, "unchanged") {
				t.Errorf("a second render: %s", out)
			}
			if bytes.Contains(o.read(t, test.file), o.read(t, "out/secrets/mas_matrix_secret")) {
				t.Error("the store is not encrypted")
			}
			before := o.read(t, test.file)
			spec(test.broken)
			o.stackgen(t, 3, "secrets", "rotate", "auth.matrix_secret")
			if !bytes.Equal(before, o.read(t, test.file)) {
				t.Error("a store that failed changed the store")
			}
			spec(test.store)
			o.run(t, 0, "{}\n", words[0], words[1:]...)
			o.stackgen(t, 1, "render")
			o.stackgen(t, 0, "secrets", "recover")
			if out := o.stackgen(t, 0, "render"); !strings.Contains(out, "unchanged") {
				t.Errorf("after recover: %s", out)
			}
			if _, err := os.Stat(filepath.Join(o.dir, "secrets.yaml")); err == nil {
				t.Error("plain secrets were written")
			}
			accepted(t, test.version, "what secrets.store hands it")
		})
	}
}
