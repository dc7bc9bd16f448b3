package render_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/compose/composego"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// hostileStrings are what YAML readers, Compose, SQL and URLs are known to trip over.
var hostileStrings = []string{
	"plain", `it's "quoted"`, "$HOME ${X} $$ $", "a # b", "key: value", "line\nbreak", "tab\there", "007", "yes", "1e3", "0x1f", "null", "~",
	"- item", "{a: b}", "[x]", "&anchor *alias", "!tag", "%percent", "@at `tick", "back\\slash", "ümläut 🎉", "\u2028\u2029\ufeff", "\x01\x1b[31m\x7f",
	" leading and trailing ", strings.Repeat("x", 10_000), "12:30:45", "2001-01-01", "a\r\nb", "'; DROP TABLE x; --", "{{ .Secret }}", "a\u0085\u00a0b", "?", "|", ">", "=", "<<",
}

const hostileSpec = `version: 1
server_name: example.org
auth:
  upstream:
    keycloak: {issuer: https://sso.example.org/realms/x, client_id: x, human_name: %}
synapse:
  well_known_extra: {x: %}
  extra: {autocreate_auto_join_rooms_text: %}
email: {host: smtp.example.org, user: x, from: m@example.org}
bridges: {signal: {}, telegram: {}, discord: {}}
permissions: {example.org: user}
backup: {borgmatic: {repositories: [{path: /x}], heartbeat: uptime-kuma, extra: {remote_path: %}}}
`

// place is where a value must come back: a file and the keys in it.
type place struct {
	file string
	keys []string
	wrap func(string) string
}

func at(file string, keys ...string) place { return place{file: file, keys: keys} }

var fieldPlaces = []place{
	at("config/mas/config.yaml", "upstream_oauth2", "providers", "0", "human_name"),
	at("config/matrix/homeserver.yaml", "extra_well_known_client_content", "x"),
	at("config/matrix/homeserver.yaml", "autocreate_auto_join_rooms_text"),
	at("borgmatic.d/matrix.yaml", "remote_path"),
}

var secretPlaces = map[string][]place{
	"email.password":                       {at("config/matrix/homeserver.yaml", "email", "smtp_pass"), at("secrets/mas_email_password")},
	"database.synapse_password":            {at("config/matrix/homeserver.yaml", "database", "args", "password"), at("secrets/postgres_synapse")},
	"database.signal_password":             {{"config/signal/config.yaml", []string{"database", "uri"}, uri("signal", "?sslmode=disable")}, at("secrets/postgres_signal")},
	"database.discord_password":            {{"config/discord/config.yaml", []string{"appservice", "database", "uri"}, uri("discord", "?sslmode=disable")}},
	"database.mas_password":                {at("secrets/mas_database_password")},
	"auth.matrix_secret":                   {at("secrets/mas_matrix_secret"), at("secrets/synapse_mas_secret")},
	"bridges.signal.as_token":              {at("config/signal/config.yaml", "appservice", "as_token"), at("config/signal/registration.yaml", "as_token"), at("config/matrix/signal.yaml", "as_token")},
	"bridges.signal.hs_token":              {at("config/signal/config.yaml", "appservice", "hs_token"), at("config/matrix/signal.yaml", "hs_token")},
	"bridges.signal.pickle_key":            {at("config/signal/config.yaml", "encryption", "pickle_key")},
	"bridges.discord.as_token":             {at("config/discord/config.yaml", "appservice", "as_token"), at("config/matrix/discord.yaml", "as_token")},
	"doublepuppet.as_token":                {at("config/matrix/doublepuppet.yaml", "as_token"), {"config/signal/config.yaml", []string{"double_puppet", "secrets", "example.org"}, puppet}, {"config/discord/config.yaml", []string{"bridge", "login_shared_secret_map", "example.org"}, puppet}},
	"auth.upstream.keycloak.client_secret": {at("secrets/mas_upstream_keycloak")},
}

func puppet(s string) string { return "as_token:" + s }

func uri(name, rest string) func(string) string {
	return func(s string) string {
		u := url.URL{Scheme: "postgres", User: url.UserPassword(name, s), Host: "matrix-stack-postgres", Path: "/" + name}
		return u.String() + rest
	}
}

// hostile renders a stack in which every free text and every secret is s. What has a pattern is pkg/spec's to refuse.
func hostile(t testing.TB, s string) *render.Bundle {
	t.Helper()
	sp, findings := spec.Parse("stack.yaml", []byte(strings.ReplaceAll(hostileSpec, "%", source.Quote(s))))
	if finding.HasErrors(findings) {
		t.Fatalf("%q is refused: %v", s, findings)
	}
	set := secret.Placeholders(render.Needs(sp))
	for name := range secretPlaces {
		if err := set.Set(name, s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	b, err := render.Render(sp, render.Resolve(sp, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (p place) check(t testing.TB, b *render.Bundle, s string) {
	t.Helper()
	i := slices.IndexFunc(b.Files, func(f render.File) bool { return f.Path == p.file })
	if i < 0 {
		t.Fatalf("no file %s", p.file)
	}
	got := string(b.Files[i].Data)
	if len(p.keys) > 0 {
		f, findings := finding.Parse(p.file, b.Files[i].Data)
		if len(findings) > 0 {
			t.Fatalf("with %q: %s %s", s, findings[0].Pos(), findings[0].Message)
		}
		v := f.At(p.keys...)
		if got = v.Str(); !v.IsString() {
			t.Errorf("%s %v is no string for %q", p.file, p.keys, s)
		}
	}
	if p.wrap != nil {
		s = p.wrap(s)
	}
	if got != s {
		t.Errorf("%s %v: %q came back as %q", p.file, p.keys, s, got)
	}
}

func checkHostile(t testing.TB, s string) {
	t.Helper()
	b := hostile(t, s)
	for _, p := range fieldPlaces {
		p.check(t, b, s)
	}
	for _, places := range secretPlaces {
		for _, p := range places {
			p.check(t, b, s)
		}
	}
	// Whatever the values are, the two copies of each agree, and Compose sees no variable in them.
	d, problems := compose.Open(b.FS())
	findings, _ := check.Run(d, composego.Judge)
	for _, f := range append(problems, findings...) {
		if slices.Contains([]string{"mas-secret-matches", "registration-tokens-match", "registration-copies-equal", "double-puppet-token", "compose-interpolation", "yaml"}, f.Rule) {
			t.Errorf("with %q: %s %s", s, f.Rule, f.Message)
		}
	}
}

func TestHostileStrings(t *testing.T) {
	for _, s := range hostileStrings {
		checkHostile(t, s)
	}
}

func FuzzHostileStrings(f *testing.F) {
	for _, s := range hostileStrings {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || strings.ContainsRune(s, 0) || strings.TrimSpace(s) == "" || len(s) > 20_000 {
			return // refused when a spec or a secret is read
		}
		checkHostile(t, s)
	})
}

// PyYAML, which Synapse reads with, is a YAML 1.1 reader: it must see the same values.
func TestHostileStringsInPyYAML(t *testing.T) {
	if err := exec.Command("python3", "-c", "import yaml").Run(); err != nil {
		t.Skip("skipped: python3 with PyYAML is not here; the YAML 1.1 side is not proven in this run")
	}
	dir := t.TempDir()
	want := make(map[string]any)
	for i, s := range hostileStrings {
		for _, f := range hostile(t, s).Files {
			if f.Data == nil || strings.HasPrefix(f.Path, "secrets/") || !strings.HasSuffix(f.Path, ".yaml") && !strings.HasSuffix(f.Path, ".yml") {
				continue
			}
			name := filepath.Join(dir, string(rune('A'+i/26))+string(rune('a'+i%26))+strings.ReplaceAll(f.Path, "/", "_"))
			if err := os.WriteFile(name, f.Data, 0o600); err != nil {
				t.Fatal(err)
			}
			parsed, _ := source.Parse(f.Path, f.Data)
			want[filepath.Base(name)] = viaJSON(t, parsed.Root().Any())
		}
	}
	script := `import json, os, sys, yaml
d = sys.argv[1]
json.dump({n: yaml.load(open(os.path.join(d, n), encoding="utf-8"), yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader) for n in os.listdir(d)}, sys.stdout)`
	var out, stderr bytes.Buffer
	cmd := exec.Command("python3", "-c", script, dir)
	cmd.Stdout, cmd.Stderr = &out, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("PyYAML refuses a file: %s", stderr.String())
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("PyYAML reads something else:\n%s", diff)
	}
}

func viaJSON(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var out any
	if err := json.Unmarshal(text, &out); err != nil {
		t.Fatal(err)
	}
	return out
}
