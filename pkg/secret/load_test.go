package secret

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

func TestLoadFindings(t *testing.T) {
	// Every value below says LEAK, and no finding may.
	tests := map[string]struct {
		text string
		want []string
	}{
		"absent values are no findings": {"", nil},
		"comment only":                  {"# nothing yet\n", nil},
		"good":                          {"smtp.password: \"LEAK: # $x\"\nbridges.telegram.api_id: 12345\nsynapse.macaroon: LEAK # why\n", nil},
		"unknown with a near name": {
			"smtp.pasword: LEAK\n",
			[]string{"secrets.yaml:1:1: warning: no part of the stack uses a secret with the name `smtp.pasword`; it is never read fix: write `smtp.password`"},
		},
		"unknown without its prefix": {
			"api_hash: LEAK\n",
			[]string{"secrets.yaml:1:1: warning: no part of the stack uses a secret with the name `api_hash`; it is never read fix: write `bridges.telegram.api_hash`"},
		},
		"unknown": {
			"bridges.discord.old_token: LEAK\n",
			[]string{"secrets.yaml:1:1: warning: no part of the stack uses a secret with the name `bridges.discord.old_token`; it is never read fix: remove the line"},
		},
		"no name that stands there already is proposed": {
			"smtp.password: LEAK\nsmtp.passwort: LEAK\nbridges.signal.pickle_key: LEAK\n",
			[]string{"secrets.yaml:2:1: warning: no part of the stack uses these 2 secrets: `smtp.passwort`, `bridges.signal.pickle_key`; they are never read fix: remove the lines when the database of the bridge is dropped, too: it cannot be read without the pickle_key"},
		},
		"a value where a name should be": {
			"\"LEAK leak+/=\":\n",
			[]string{
				"secrets.yaml:1:1: warning: no part of the stack uses a secret with the name here; it is never read fix: remove the line",
				"secrets.yaml:1:1: error: the name here is empty fix: give it a value, or remove the line",
			},
		},
		"nested": {
			"smtp:\n  password: LEAK\nbridges:\n  telegram:\n    api_id: 1\n    LEAK: x\n",
			[]string{
				"secrets.yaml:2:3: error: the secret is nested; the file must be flat, so it is not read fix: write `smtp.password: \"VALUE\"` without indentation",
				"secrets.yaml:5:5: error: the secret is nested; the file must be flat, so it is not read fix: write `bridges.telegram.api_id: \"VALUE\"` without indentation",
			},
		},
		"braces without quotes": {
			"smtp.password: {LEAK}\n",
			[]string{"secrets.yaml:1:1: error: `smtp.password` holds a mapping, not a value fix: write flat names with dots, as in `bridges.telegram.api_hash: \"VALUE\"`, and values in quotes"},
		},
		"list": {
			"smtp.password: [LEAK]\n",
			[]string{"secrets.yaml:1:1: error: `smtp.password` holds a list, not a value fix: write `NAME: \"VALUE\"`"},
		},
		"empty": {
			"smtp.password: \"\"\nsynapse.macaroon:\n",
			[]string{
				"secrets.yaml:1:1: error: `smtp.password` is empty fix: give it a valid value, or remove it where it stands",
				"secrets.yaml:2:1: error: `synapse.macaroon` is empty fix: give it a value, or remove the line",
			},
		},
		"duplicate": {
			"smtp.password: LEAK1\n# between\nsmtp.password: LEAK2\n",
			[]string{"secrets.yaml:3:1: secrets.yaml:1:1(the first one): error: `smtp.password` stands twice; which value counts depends on who reads it fix: remove one of the two lines"},
		},
		"merge": {
			"<<: {smtp.password: LEAK}\n",
			[]string{"secrets.yaml:1:1: error: `<<` merges another mapping; the file must be flat fix: write the names and values out"},
		},
		"form": {
			"bridges.telegram.api_id: LEAK\nmas.encryption: LEAK\nmas.rsa: LEAK\nmas.ec: LEAK\nsynapse.signing_key: LEAK\nmas.client_id: LEAK\n",
			[]string{
				"secrets.yaml:1:1: error: `bridges.telegram.api_id` does not have the right form: digits only fix: give it a valid value, or remove it where it stands",
				"secrets.yaml:2:1: error: `mas.encryption` does not have the right form: 64 hexadecimal digits fix: give it a valid value, or remove it where it stands",
				"secrets.yaml:3:1: error: `mas.rsa` does not have the right form: an RSA private key in PEM without passphrase fix: give it a valid value, or remove it where it stands",
				"secrets.yaml:4:1: error: `mas.ec` does not have the right form: an EC private key in PEM without passphrase fix: give it a valid value, or remove it where it stands",
				"secrets.yaml:5:1: error: `synapse.signing_key` does not have the right form: a line `ed25519 KEY_ID SEED` as in Synapse's signing key file fix: give it a valid value, or remove it where it stands",
				"secrets.yaml:6:1: error: `mas.client_id` does not have the right form: a ULID: 26 digits and capital letters fix: give it a valid value, or remove it where it stands",
			},
		},
		"NUL": {
			"smtp.password: \"LEAK\\0\"\n",
			[]string{"secrets.yaml:1:1: error: `smtp.password` holds a NUL byte fix: give it a valid value, or remove it where it stands"},
		},
		"too large": {
			"smtp.password: \"" + strings.Repeat("LEAK", 20_000) + "\"\n",
			[]string{"secrets.yaml:1:1: error: `smtp.password` is larger than 64 KiB fix: give it a valid value, or remove it where it stands"},
		},
		"an alias the YAML reader would quote": {
			"a: 1\nsmtp.password: *LEAK\n",
			[]string{"secrets.yaml:2:1: error: the file cannot be read: not valid YAML fix: write every value in double quotes"},
		},
		"not UTF-8": {
			"smtp.password: LEAK\n# \xff\n",
			[]string{"secrets.yaml:2:1: error: the file cannot be read: the file is not UTF-8 fix: save it as UTF-8"},
		},
		"not a mapping": {
			"LEAK\n",
			[]string{"secrets.yaml:1:1: error: the file holds a single value, not names and values fix: write `NAME: \"VALUE\"` on each line"},
		},
		"encrypted": {
			"smtp.password: ENC[LEAK]\nunknown: x\nsops:\n  version: 3.9.0\n",
			[]string{"secrets.yaml: error: the file is encrypted with sops; stackgen reads only what sops decrypts fix: rename it and name it in the spec: `secrets: {command: [sops, -d, FILE]}`"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := writeFile(t, dir, "secrets.yaml", test.text)
			s, findings := Load(t.Context(), Sources{Path: path, Dir: dir}, testNeeds())
			got := texts(findings, dir)
			if diff := cmp.Diff(append([]string{}, test.want...), got); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(strings.Join(got, "\n"), "LEAK") {
				t.Error("a finding shows a value")
			}
			for _, n := range s.Missing() {
				if strings.Contains(strings.Join(got, "\n"), "`"+n.Name+"`") && finding.HasErrors(findings) && !strings.Contains(name, "nested") {
					t.Errorf("%s is reported and missing, too", n.Name)
				}
			}
		})
	}
}

func TestLoadQuotesNeeded(t *testing.T) {
	tests := map[string]bool{
		"12345": true, "0": true, "12345678901234567890123": true, `"0123"`: true, "'yes'": true, "!!str 0123": true, "word": true, "a,b": true, "|\n  yes": true,
		"0123": false, "+1": false, "-1": false, "1_000": false, "1e3": false, "0x1f": false, "0o17": false, "1.0": false,
		"true": false, "yes": false, "On": false, "NO": false, ".inf": false, "!!binary aGk=": false,
	}
	for value, fine := range tests {
		dir := t.TempDir()
		s, findings := Load(t.Context(), Sources{Path: writeFile(t, dir, "secrets.yaml", "smtp.password: "+value+"\n")}, testNeeds())
		if fine != (len(findings) == 0) || fine != (s.Get("smtp.password") != "") {
			t.Errorf("%s: findings %q, want fine %v", value, texts(findings, dir), fine)
		}
		if !fine && len(findings) == 1 && findings[0].Fix != "write it in quotes" {
			t.Errorf("%s: fix %q", value, findings[0].Fix)
		}
	}
}

func TestLoadMode(t *testing.T) {
	for mode, want := range map[os.FileMode]string{
		0o600: "", 0o400: "",
		0o640: "secrets.yaml: error: the file has mode 0640; other users of this machine can get at every secret of the stack fix: chmod 600 secrets.yaml",
		0o604: "secrets.yaml: error: the file has mode 0604; other users of this machine can get at every secret of the stack fix: chmod 600 secrets.yaml",
		0o620: "secrets.yaml: error: the file has mode 0620; other users of this machine can get at every secret of the stack fix: chmod 600 secrets.yaml",
	} {
		dir := t.TempDir()
		path := writeFile(t, dir, "secrets.yaml", "")
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		link := filepath.Join(t.TempDir(), "secrets.yaml")
		if err := os.Symlink(path, link); err != nil {
			t.Fatal(err)
		}
		for _, p := range []string{path, link} {
			_, findings := Load(t.Context(), Sources{Path: p}, nil)
			if diff := cmp.Diff(want, strings.Join(texts(findings, filepath.Dir(p)), "\n")); diff != "" {
				t.Errorf("%s: %s", mode, diff)
			}
		}
	}
}

func TestLoadPaths(t *testing.T) {
	dir := t.TempDir()
	dangling := filepath.Join(dir, "dangling.yaml")
	if err := os.Symlink(filepath.Join(dir, "nothing"), dangling); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"":                              {},
		filepath.Join(dir, "none.yaml"): {},
		dangling:                        {"dangling.yaml: error: the file is a symlink that leads nowhere; no secret is read fix: restore what it points to, or remove the symlink"},
		filepath.Join(dir, "."):         {dir + ": error: the file cannot be read: read \"" + dir + "\": it is a directory fix: run stackgen as the owner of the file"},
	} {
		_, findings := Load(t.Context(), Sources{Path: path}, testNeeds())
		if diff := cmp.Diff(want, texts(findings, dir)); diff != "" {
			t.Errorf("%s: %s", path, diff)
		}
	}
}

func TestPrecedence(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, dir, "value", "from-file\n\n")
	path := writeFile(t, dir, "secrets.yaml", "a.env: low\na.file: low\na.cmd: low\na.all: low\na.own: own\n")
	src := Sources{
		Path: path, Dir: dir, Run: runProgram,
		Getenv: environment("STACKGEN_SECRET_A_ENV", "from-env\n"),
		From: map[string]From{
			"a.env":  {Command: []string{"/bin/sh", "-c", "echo ran > ran"}},
			"a.file": {File: "value"},
			"a.cmd":  {Command: []string{"/bin/sh", "-c", "printf 'from-cmd\\r\\n'"}},
		},
		Command: []string{"/bin/sh", "-c", "printf 'a.env: x\\na.file: x\\na.cmd: x\\na.all: from-all\\nother.stack: x\\n'"},
	}
	needs := []Need{{Name: "a.env"}, {Name: "a.file"}, {Name: "a.cmd"}, {Name: "a.all"}, {Name: "a.own"}, {Name: "a.none"}}
	s, findings := Load(t.Context(), src, needs)
	if diff := cmp.Diff([]string{}, texts(findings, dir)); diff != "" {
		t.Error(diff)
	}
	got := make(map[string][2]string)
	for _, n := range needs {
		got[n.Name] = [2]string{s.Get(n.Name), s.Origin(n.Name)}
	}
	want := map[string][2]string{
		"a.env":  {"from-env\n", "environment STACKGEN_SECRET_A_ENV"},
		"a.file": {"from-file\n", "file value"},
		"a.cmd":  {"from-cmd", "command sh"},
		"a.all":  {"from-all", "command sh"},
		"a.own":  {"own", "secrets.yaml"},
		"a.none": {"", "missing"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if _, err := os.Stat(filepath.Join(dir, "ran")); err == nil {
		t.Error("a command ran although the environment has its secret")
	}
	if err := s.Set("a.env", "new"); err == nil {
		t.Error("a value that the environment overrides was set")
	}
	if diff := cmp.Diff([]string{"a.none"}, s.Fill()); diff != "" {
		t.Error(diff)
	}
}

func TestEnvironmentFindings(t *testing.T) {
	needs := []Need{{Name: "a.b-c"}, {Name: "a.b.c"}, {Name: "a.empty"}, {Name: "a.x", Kind: component.External}}
	s, findings := Load(t.Context(), Sources{
		Getenv: environment("STACKGEN_SECRET_A_B_C", "fake-value", "STACKGEN_SECRET_A_EMPTY", "", "STACKGEN_SECRET_A_X", "\xff"),
		From:   map[string]From{"a.emty": {File: "x", Pos: source.Pos{File: "stack.yaml", Line: 3, Col: 5}}},
	}, needs)
	want := []string{
		"error: the environment variable STACKGEN_SECRET_A_B_C stands for both a.b-c and a.b.c; they would share one value fix: unset it and put both into secrets.yaml",
		"error: the environment variable STACKGEN_SECRET_A_EMPTY is empty fix: give it a valid value, or remove it where it stands",
		"error: the environment variable STACKGEN_SECRET_A_X is not UTF-8 fix: give it a valid value, or remove it where it stands",
		"stack.yaml:3:5: warning: no part of the stack uses a secret with the name a.emty; it is not read fix: write `a.empty`",
	}
	if diff := cmp.Diff(want, texts(findings, "")); diff != "" {
		t.Error(diff)
	}
	if len(s.Missing()) > 0 {
		t.Error("a bad value counts as missing, too")
	}
}

func TestMissingFindings(t *testing.T) {
	s, _ := Load(t.Context(), Sources{}, testNeeds())
	want := []string{
		"stack.yaml: error: the secret bridges.telegram.api_id is missing; the stack cannot be rendered without it fix: get it from https://my.telegram.org, then `stackgen secrets set bridges.telegram.api_id`, or put it into the environment as STACKGEN_SECRET_BRIDGES_TELEGRAM_API_ID (digits only)",
		"stack.yaml: error: the secret bridges.telegram.api_hash is missing; the stack cannot be rendered without it fix: get it from https://my.telegram.org, then `stackgen secrets set bridges.telegram.api_hash`, or put it into the environment as STACKGEN_SECRET_BRIDGES_TELEGRAM_API_HASH (32 hexadecimal digits)",
		"stack.yaml: error: the secret smtp.password is missing; the stack cannot be rendered without it fix: get it from the mail provider, then `stackgen secrets set smtp.password`, or put it into the environment as STACKGEN_SECRET_SMTP_PASSWORD",
	}
	if diff := cmp.Diff(want, texts(MissingFindings(s.Missing(), "stack.yaml", "stackgen secrets set"), "")); diff != "" {
		t.Error(diff)
	}
}

// FuzzLoad: no input makes Load panic, and no finding shows a value.
func FuzzLoad(f *testing.F) {
	f.Add("smtp.password: \"LEAKED-VALUE\"\n")
	f.Add("a: {LEAKED-VALUE: [LEAKED-VALUE, *LEAKED-VALUE]}\n")
	f.Add("sops: {mac: x}\n---\nb: 1\n")
	needs := testNeeds()
	f.Fuzz(func(t *testing.T, text string) {
		l := &loader{Set: newSet("", needs)}
		l.entries(&document{text: []byte(text), origin: "secrets.yaml", label: "the file", own: true, site: func(p source.Pos) source.Site { return source.Site{Pos: p} }})
		for _, n := range needs {
			if v := l.Get(n.Name); v != "" && n.Check(v) != nil {
				t.Errorf("%s has a value that %v", n.Name, n.Check(v))
			}
		}
		file, _ := source.Parse("", []byte(text))
		for k := range file.Root().Entries() {
			if strings.Contains(k.Str(), "LEAKED") {
				t.Skip() // The name of an entry may be shown.
			}
		}
		for _, f := range l.findings {
			if strings.Contains(f.Message+f.Fix, "LEAKED") {
				t.Error("a finding shows a value")
			}
		}
	})
}
