package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
	"philipp.info/stackgen/pkg/store"
)

// container rewrites the paths that Synapse sees in its container to those of a rendered tree.
func container(t *testing.T, dir string) {
	t.Helper()
	path := filepath.Join(dir, "config", "matrix", "homeserver.yaml")
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.NewReplacer(
		`"/config/`, `"`+filepath.Join(dir, "config", "matrix")+"/",
		`"/run/secrets/`, `"`+filepath.Join(dir, "secrets")+"/",
		`"/data/`, `"`+filepath.Join(dir, "data", "matrix")+"/",
	).Replace(string(src))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Synapse's own code reads the configuration, every secret that it names, and every registration.
func TestSynapse(t *testing.T) {
	bin := program(t, ".venv/bin/python")
	eachExample(t, func(t *testing.T, e *example) {
		container(t, e.dir)
		path := filepath.Join(e.dir, "config", "matrix", "homeserver.yaml")
		// What an administrator runs to see whether Synapse takes a file.
		if got := output(t, bin, "-m", "synapse.config", "read", "server.server_name", "-c", path); !strings.HasSuffix(got, "server.server_name: "+e.ServerName) {
			t.Errorf("Synapse reads %q", got)
		}
		out := output(t, bin, "-c", `import sys, synapse
from synapse.config.appservice import load_appservices
from synapse.config.homeserver import HomeServerConfig
c = HomeServerConfig.load_config("", ["-c", sys.argv[1]])
services = load_appservices(c.server.server_name, c.appservice.app_service_config_files)
print("Synapse", synapse.__version__, *sorted(s.id for s in services))`, path)
		for _, b := range e.Bridges {
			if !strings.Contains(out, " "+b.Registration.ID) {
				t.Errorf("the registration %s is not loaded: %s", b.Registration.ID, out)
			}
		}
		words := strings.Fields(out)
		e.accepted(t, words[0]+" "+words[1], "config/matrix")
	})
}

// Synapse publishes the old keys that a rotation remembers.
func TestSynapseOldKeys(t *testing.T) {
	bin := program(t, ".venv/bin/python")
	s, findings, err := spec.Load("../examples/minimal/stack.yaml")
	if err != nil || s == nil {
		t.Fatal(findings, err)
	}
	set := secret.Placeholders(render.Needs(s))
	rotated := secret.Need{Name: "synapse.signing_key", Kind: component.SigningKey, Remembers: "synapse.old_signing_keys"}
	for range 2 {
		if err := set.Rotate(rotated); err != nil {
			t.Fatal(err)
		}
	}
	b, err := render.Render(s, render.Resolve(s, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := store.Write(t.Context(), dir, store.Stack{Files: b.Files}, false); err != nil {
		t.Fatal(err)
	}
	container(t, dir)
	out := output(t, bin, "-c", `import sys, synapse
from signedjson.key import encode_verify_key_base64
from synapse.config.homeserver import HomeServerConfig
c = HomeServerConfig.load_config("", ["-c", sys.argv[1]])
print("Synapse", synapse.__version__)
for id, key in sorted(c.key.old_signing_keys.items(), key=lambda k: k[0]): print(id, encode_verify_key_base64(key), key.expired)`,
		filepath.Join(dir, "config", "matrix", "homeserver.yaml"))
	version, keys, _ := strings.Cut(out, "\n")
	want := strings.Split(set.Get("synapse.old_signing_keys"), "\n")
	slices.Sort(want)
	if keys != strings.Join(want, "\n") || len(want) != 2 {
		t.Errorf("Synapse reads %s instead of %s", keys, want)
	}
	words := strings.Fields(version)
	accepted(t, words[0]+" "+words[1], "the old signing keys of a rotation")
}

// borgmatic validates its configuration.
func TestBorgmatic(t *testing.T) {
	bin := program(t, ".venv/bin/borgmatic")
	eachExample(t, func(t *testing.T, e *example) {
		if e.Backup == nil {
			return
		}
		file := filepath.Join("borgmatic.d", e.Name+".yaml")
		output(t, bin, "config", "validate", "-c", filepath.Join(e.dir, file))
		e.accepted(t, "borgmatic "+output(t, bin, "--version"), file)
	})
}

// Every option that borgmatic has at its top level is one that backup-keys-known knows.
func TestBorgmaticOptions(t *testing.T) {
	out, err := exec.Command(program(t, ".venv/bin/python"), "-c", `import borgmatic.config.validate as v, borgmatic.config.load as l
print(*l.load_configuration(v.schema_filename())["properties"], sep="\n")`).CombinedOutput()
	if err != nil {
		t.Fatalf("%s", out)
	}
	src, err := os.ReadFile("../pkg/component/keys/borgmatic.yaml")
	if err != nil {
		t.Fatal(err)
	}
	known, findings := finding.Parse("borgmatic.yaml", src)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	names := strings.Fields(string(out))
	for _, name := range names {
		if !known.At(name).Exists() {
			t.Errorf("borgmatic has an option %s", name)
		}
	}
	t.Logf("%d options", len(names))
	accepted(t, "borgmatic "+output(t, program(t, ".venv/bin/borgmatic"), "--version"), "the options of pkg/component/keys/borgmatic.yaml")
}

// What a scalar without quotes is to PyYAML is what source.PyYAML says.
func TestPyYAML(t *testing.T) {
	texts := strings.Fields(`0 1 -1 +1 007 08 0o17 0x1F 0xfg 0b11 0b12 1_000 _1 1. 1.5 .5 . 1e3 1E5 1.5e3 1.5e+3 1e+3 .inf -.INF
		.nan .Nan 1:30 12:30:45 99:99 1:30.5 yes YES yEs no on Off y n true TRUE tRUE ~ null NULL nULL 2024-01-01 2024-1-1
		2024-01-01T10:00:00Z 2024-01-01T10 = + -- 12e 1.0.0 text`)
	out, err := exec.Command(program(t, ".venv/bin/python"), append([]string{"-c", `import sys, yaml
for text in sys.argv[1:]:
    try: print(type(yaml.safe_load("a: " + text)["a"]).__name__)
    except yaml.constructor.ConstructorError: print("error")`}, texts...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s", out)
	}
	words := map[string]string{
		"str": "", "int": "a number", "float": "a number", "bool": "true or false", "NoneType": "nothing",
		"date": "a date", "datetime": "a date", "error": "a sign that YAML keeps for itself",
	}
	types := strings.Fields(string(out))
	if len(types) != len(texts) {
		t.Fatalf("%d answers to %d questions: %s", len(types), len(texts), out)
	}
	for i, text := range texts {
		f, _ := source.Parse("x.yaml", []byte("a: "+text+"\n"))
		if got := f.At("a").ReadAs(source.PyYAML); got != words[types[i]] {
			t.Errorf("%s is a Python %s, but reads as %q", text, types[i], got)
		}
	}
	accepted(t, "PyYAML "+output(t, program(t, ".venv/bin/python"), "-c", "import yaml; print(yaml.__version__)"), "what source.PyYAML says of scalars")
}
