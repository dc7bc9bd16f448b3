package source

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// Each secret is "hunter2", or a token that stands in the text; none of the lines may show it.
func TestSnippetHides(t *testing.T) {
	for _, tt := range []struct{ name, src, want string }{
		{"key name", "db:\n  password: hunter2\n", "  password: ********"},
		{"key name, quoted", "macaroon_secret_key: \"hunter2\"\n", "macaroon_secret_key: ********"},
		{"key on the line above", "password:\n  hunter2\n", "  ********"},
		{"quoted key", "\"as_token\":   hunter2\n", "\"as_token\":   ********"},
		{"as_token", "as_token: hunter2\nhs_token: hunter2\n", "hs_token: ********"},
		{"number", "api_id: 7654321\n", "api_id: ********"},
		{"list", "old_secrets:\n  - hunter2\n", "  - ********"},
		{"shape", "note: aB3dE5gH7jK9mN1pQ3sT5vX7\n", "note: ********"},
		{"shape in a sentence", "note: it was aB3dE5gH7jK9mN1pQ3sT5vX7 once\n", "note: ********"},
		{"base64", "note: hQ9UXWLQZ3vJGuHx/VvwHOHG3aPYyx6+cbTKwSLLnZU=\n", "note: ********"},
		{"UUID", "note: 0f8fad5b-d9cb-469f-a165-70867728950e\n", "note: ********"},
		{"URL", "uri: postgres://synapse:hunter2@db/synapse\n", "uri: ********"},
		{"URL that net/url refuses", "uri: postgres://synapse:hunter2%zz@db/synapse\n", "uri: ********"},
		{"URL with a slash in the password", "uri: postgres://synapse:/hunter2@db/synapse\n", "uri: ********"},
		{"URL within a command", "command: psql postgres://synapse:hunter2@db/synapse -c x\n", "command: ********"},
		{"URL query", "uri: https://example.org/x?a=b&access_token=hunter2\n", "uri: ********"},
		{"push URL", "push_url: https://uptime.example.org/api/push/hunter2\n", "push_url: ********"},
		{"libpq words", "dsn_text: host=db user=synapse password=hunter2 dbname=x\n", "dsn_text: ********"},
		{"libpq words under a plain key", "connect: host=db user=synapse password=hunter2 dbname=x\n", "connect: ********"},
		{"env list", "environment:\n  - POSTGRES_PASSWORD=hunter2\n", "  - ********"},
		{"env list, quoted", "environment:\n  - \"POSTGRES_PASSWORD=hunter2\"\n", "  - ********"},
		{"env list, nested", "environment:\n  - JAVA_OPTS=-Ddb.password=hunter2\n", "  - ********"},
		{"env mapping", "environment:\n  POSTGRES_PASSWORD: hunter2\n", "  POSTGRES_PASSWORD: ********"},
		{"name and value", "env:\n  - name: DB_PASSWORD\n    value: hunter2\n", "    value: ********"},
		{"JSON text", "config: '{\"password\":\"hunter2\"}'\n", "config: ********"},
		{"header", "header: 'Authorization: Bearer hunter2'\n", "header: ********"},
		{"flag", "command: redis-server --requirepass hunter2\n", "command: ********"},
		{"flag with =", "command: x --api-key=hunter2\n", "command: ********"},
		{"flag in a list", "command: [redis-server, --requirepass, hunter2]\n", "command: [redis-server, --requirepass, ********"},
		{"curl", "test: curl -u admin:hunter2 http://x\n", "test: ********"},
		{"flow mapping", "a: {host: db, password: hunter2, port: 1}\n", "a: {host: db, password: ********"},
		{"flow mapping on several lines", "a: {host: db,\n  password: hunter2}\n", "  password: ********"},
		{"flow behind the end of a text", "a: {password: \"x\n  hunter2\", b: c}\n", "********"},
		{"PEM", "key: |\n  -----BEGIN PRIVATE KEY-----\n  hunter2\n", ""},
		{"PEM, head", "text: |\n  -----BEGIN PRIVATE KEY-----\n  hunter2\n\n", ""},
		{"PEM on one line", "text: \"-----BEGIN PRIVATE KEY-----\\nhunter2\"\n", "text: ********"},
		{"block text of one line", "password: |-\n  hunter2\n", ""},
		{"comment", "a: b # was hunter2\n", "a: b"},
		{"comment behind a tab", "a: b\t# was hunter2\n", "a: b"},
		{"comment behind a bracket", "a: [b] # hunter2\n", "a: [b]"},
		{"comment behind a block indicator", "a: |- # hunter2 hunter2\n  a text as long as the comment\n\n", ""},
		{"comment behind an anchor", "a: &x b # hunter2\n", "a: &x b"},
		{"comment behind a quote", "a: \"b # c\" # hunter2\n", "a: \"b # c\""},
		{"comment of a key", "a: # hunter2\n  b: c\n", "  b: c"},
		{"double puppet map", "double_puppet:\n  secrets:\n    example.org: hunter2\n", "    example.org: ********"},
		{"double puppet value", "double_puppet:\n  secrets: {example.org: \"as_token:hunter2\"}\n", "  secrets: {example.org: ********"},
		{"login_shared_secret_map", "login_shared_secret_map:\n  example.org: hunter2\n", "  example.org: ********"},
		{"below a secret name", "password:\n  value: hunter2\n", "  value: ********"},
		{"MAS encryption", "secrets:\n  encryption: hunter2\n", "  encryption: ********"},
		{"anchor used elsewhere", "x-pw: &pw hunter2\npassword: *pw\nlast: 1\n", "last: 1"},
		{"a password that begins with !", "password: !hunter2\n", "password: ********"},
		{"a password that begins with &", "password: &hunter2\n", "password: ********"},
		{"basic auth label", "labels:\n  - traefik.http.middlewares.a-b.basicauth.users=admin:$$apr1$$hunter2\n", "  - ********"},
		{"password hash", "hash: $2y$10$hunter2\n", "hash: ********"},
		{"line break of YAML only", "a: x\u2028password: hunter2\u0085b: y\n", "password: ********"},
		{"folded text", "a: >\n  hunter2\n  hunter2\nb: c\n", "b: c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := parse(t, tt.src)
			shown := false
			for n := range 12 {
				s := f.Snippet(n)
				shown = shown || s == tt.want
				if regexp.MustCompile(`hunter2|aB3d|hQ9U|0f8f|7654321`).MatchString(s) {
					t.Errorf("line %d shows %q", n, s)
				}
			}
			if !shown {
				t.Errorf("no line is %q, the second is %q", tt.want, f.Snippet(2))
			}
		})
	}
}

func TestSnippetShows(t *testing.T) {
	for _, line := range []string{
		"image: ghcr.io/element-hq/matrix-authentication-service:1.22.0",
		"image: dock.mau.dev/mautrix/signal:v0.2608.0",
		"image: docker.io/matrixdotorg/synapse:v1.157.1@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"a: http://mas:8080/",
		"a: https://matrix.example.org/_matrix/client/v3/login?redirectUrl=x",
		"a: ^/_matrix/client/(api/v1|r0|v3|unstable)/login(/.*)?$",
		"a: '@signalbot:example.org'",
		"a: '^@signal_.*:example\\.org$'",
		"password_file: /run/secrets/postgres_password",
		"turn_shared_secret: /run/secrets/turn",
		"registration_shared_secret_path: /config/registration_shared_secret",
		"token_endpoint_auth_method: client_secret_basic",
		"access_token_ttl: 300",
		"require_password: true",
		"as_token:",
		"io.element.msc4190: true",
		"- traefik.http.routers.matrix-client.rule=Host(`matrix.example.org`) && PathPrefix(`/_matrix/client`)",
		"- traefik.http.routers.token-server.rule=PathRegexp(`^/_matrix/client/(r0|v3)/(login|logout|refresh)`)",
		"- traefik.http.services.mas.loadbalancer.server.port=8080",
		"- POSTGRES_PASSWORD_FILE=/run/secrets/postgres_password",
		"- POSTGRES_INITDB_ARGS=--encoding=UTF-8 --lc-collate=C --lc-ctype=C",
		"- ./config/matrix:/data:ro",
		"- /srv/matrix/secrets:/run/secrets:ro",
		"test: [CMD-SHELL, \"pg_isready -U synapse\"]",
		"a: [b, \"c # d\", 'e''f', {g: h}]",
		"a: &anchor {<<: *b, c: d}",
		"module: my_module.CustomRequestHandler",
		"- compress.log_level: \"information\"",
		"TZ: Europe/Berlin",
		"日本: 語 # gone",
	} {
		src := line
		if strings.Contains(line, "*b") {
			src = "x: &b {y: z}\n" + line
		}
		f := parse(t, src+"\n")
		want := strings.TrimSuffix(line, " # gone")
		if got := f.Snippet(1 + strings.Count(src, "\n")); got != want {
			t.Errorf("%s\nis shown as\n%s", line, got)
		}
	}
}

func TestSnippetShowsSecretNames(t *testing.T) {
	f := parse(t, `services:
  db:
    secrets:
      - postgres_password
      - source: synapse_password
        target: /run/secrets/pw
secrets:
  postgres_password:
    file: ./secrets/postgres_password
  keys:
    - kid: abc
      key_file: /config/mas/rsa.pem
`)
	for n, want := range map[int]string{
		4: "      - postgres_password", 5: "      - source: synapse_password", 6: "        target: /run/secrets/pw",
		9: "    file: ./secrets/postgres_password", 11: "    - kid: abc", 12: "      key_file: /config/mas/rsa.pem",
	} {
		if got := f.Snippet(n); got != want {
			t.Errorf("line %d is shown as %q", n, got)
		}
	}
}

func TestSnippetOutsideTheFile(t *testing.T) {
	f := parse(t, "a: b\n\n# comment\n")
	for _, n := range []int{-1, 0, 2, 3, 4, 99} {
		if got := f.Snippet(n); got != "" {
			t.Errorf("line %d is %q", n, got)
		}
	}
}

// A random token never appears, whatever it stands under and however it is written.
func TestSnippetNeverShowsARandomToken(t *testing.T) {
	const alnum = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	r := rand.New(rand.NewPCG(7, 7))
	alphabets := []struct {
		chars string
		least int // below it chance may leave what looks like words
	}{{alnum, 24}, {"0123456789abcdef", 24}, {"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 24}, {"abcdefghijklmnopqrstuvwxyz", 24}, {alnum + "+/", 43}, {alnum + "-_", 43}}
	keys := []string{"a", "name", "image", "password_file", "issuer_url", "secret", "environment", "file", "traefik.x.rule", "日本", "value", "target"}
	forms := []string{
		"%[1]s: %[2]s\n", "%[1]s: \"%[2]s\"\n", "%[1]s: '%[2]s'\n", "%[1]s:\n  %[2]s\n", "%[1]s:\n  - %[2]s\n", "%[1]s: [x, %[2]s, y]\n", "x: {%[1]s: %[2]s, y: z}\n",
		"%[1]s: |\n  %[2]s\n", "%[1]s: >-\n  %[2]s\n", "x:\n  - %[1]s=%[2]s\n", "%[1]s: https://example.org/%[2]s/x\n", "%[1]s: a text with %[2]s in it\n",
		"%[1]s: \"first\n  %[2]s\"\n", "%[1]s: first\n  %[2]s\n", "%[1]s: &anchor %[2]s\n", "%[1]s: !!str %[2]s\n", "%[1]s: !%[2]s\n", "%[1]s: &%[2]s\n",
		"%[1]s: x # %[2]s\n", "# %[2]s\n%[1]s: x # %[2]s\n", "%[1]s: [x, # %[2]s\n  y]\n", "{x: \"a\n  %[2]s\", %[1]s: y}\n", "secrets:\n  %[1]s:\n    x: %[2]s\n",
		"? %[1]s\n: %[2]s\n", "x: &x %[2]s\n%[1]s: *x\n", "%[1]s: \"\\x20%[2]s\"\n",
	}
	for range 8000 {
		a := alphabets[r.IntN(len(alphabets))]
		token := make([]byte, a.least+r.IntN(40))
		for i := range token {
			token[i] = a.chars[r.IntN(len(a.chars))]
		}
		src := fmt.Sprintf(forms[r.IntN(len(forms))], keys[r.IntN(len(keys))], token)
		f, problem := Parse("f", []byte(src))
		if problem != nil {
			continue // such as a tag with a character that none may have
		}
		for n := range 5 {
			if s := f.Snippet(n); strings.Contains(s, string(token[:12])) {
				t.Errorf("line %d shows %q of\n%s", n, s, src)
			}
		}
	}
}

func TestFileIsSafeForConcurrentUse(t *testing.T) {
	f := parse(t, "a: 1\nb: 2\n")
	done := make(chan string)
	for range 8 {
		go func() { done <- f.At("b").Site("").Text() }()
	}
	for range 8 {
		if got := <-done; got != "b: 2" {
			t.Errorf("got %q", got)
		}
	}
}
