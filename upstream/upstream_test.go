package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fake is a registry of each kind at one loopback address: pages by their path.
type fake struct {
	*httptest.Server
	pages map[string][]byte
	kinds map[string]string // Content-Type, where it counts
	fails map[string]int    // status instead of the page
	index map[string][]map[string]any
}

// newFake starts one and points the go command at it.
func newFake(t *testing.T) *fake {
	t.Helper()
	f := &fake{pages: make(map[string][]byte), kinds: make(map[string]string), fails: make(map[string]int), index: make(map[string][]map[string]any)}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if code := f.fails[r.URL.Path]; code != 0 {
			w.WriteHeader(code)
			return
		}
		page, ok := f.pages[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if kind := f.kinds[r.URL.Path]; kind != "" {
			w.Header().Set("Content-Type", kind)
		}
		_, _ = w.Write(page)
	}))
	t.Cleanup(f.Close)
	for name, value := range map[string]string{"GOPROXY": f.URL + "/go", "GOSUMDB": "off", "GONOSUMDB": "*", "GOPRIVATE": "", "GONOPROXY": "none", "GOMODCACHE": t.TempDir(), "GOFLAGS": "-modcacherw"} {
		t.Setenv(name, value)
	}
	return f
}

// env is the environment that leads to the fake.
func (f *fake) env(t *testing.T) func(string) string {
	t.Helper()
	home := t.TempDir()
	write(t, filepath.Join(home, ".m2/settings.xml"), "<settings><mirrors><mirror><id>m</id><mirrorOf>central</mirrorOf><url>"+f.URL+"/maven/</url></mirror></mirrors></settings>")
	return func(name string) string {
		return map[string]string{"HOME": home, "PIP_INDEX_URL": f.URL + "/simple/"}[name]
	}
}

// python adds a release of a Python project to its index.
func (f *fake) python(t *testing.T, project, version string, yanked any, files map[string]string) {
	t.Helper()
	name := strings.ReplaceAll(project, "-", "_") + "-" + version
	src := tarGz(t, name, files)
	sum := sha256.Sum256(src)
	f.pages["/files/"+name+".tar.gz"] = src
	f.index[project] = append(f.index[project], map[string]any{
		"filename": name + ".tar.gz", "url": "../../files/" + name + ".tar.gz", "yanked": yanked,
		"hashes": map[string]string{"sha256": hex.EncodeToString(sum[:])}, "upload-time": "2026-12-01T10:00:00Z",
	})
	page, err := json.Marshal(map[string]any{"files": f.index[project]})
	if err != nil {
		t.Fatal(err)
	}
	f.pages["/simple/"+project+"/"] = page
	f.kinds["/simple/"+project+"/"] = "application/vnd.pypi.simple.v1+json"
}

// module adds a release of a Go module, which becomes the latest.
func (f *fake) module(t *testing.T, path, version string, files map[string]string) {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	files = maps.Clone(files)
	files["go.mod"] = "module " + path + "\n"
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.Create(path + "@" + version + "/" + name)
		if err == nil {
			_, err = w.Write([]byte(files[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	at := "/go/" + path + "/@v/"
	f.pages[at+"list"] = append(f.pages[at+"list"], version+"\n"...)
	f.pages[at+version+".info"] = fmt.Appendf(nil, `{"Version":%q,"Time":"2026-12-02T10:00:00Z"}`, version)
	f.pages[at+version+".mod"] = []byte(files["go.mod"])
	f.pages[at+version+".zip"] = b.Bytes()
}

func tarGz(t *testing.T, top string, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		err := w.WriteHeader(&tar.Header{Name: top + "/" + name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(files[name]))})
		if err == nil {
			_, err = w.Write([]byte(files[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []interface{ Close() error }{w, z} {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// settings is a documentation as Synapse has it.
func settings(more ...string) string {
	return "### `server_name`\n\n*(string)* The name.\n\n### `redis`\n\n*(object)* Redis.\n\n* `enabled` (boolean): Use it. Defaults to `false`.\n\n" +
		"* `limits` (array): Options for each entry include:\n\n  * `burst_count` (integer): How many. Defaults to `10`.\n\n" + strings.Join(more, "\n\n")
}

const (
	synapseDocs = "docs/usage/configuration/config_documentation.md"
	mautrixYAML = "bridgev2/matrix/mxmain/example-config.yaml"
)

// Each kind of registry has a newer release, whose differences from the real tables and from the release before are
// told with their places; what the registries do not have is for a person.
func TestRun(t *testing.T) {
	f := newFake(t)
	ours := make(map[string]string)
	list, err := programs("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range list {
		ours[p.name] = bare(p.ours)
	}
	const changes = "# Synapse 1.800.0\n\n- Fix CVE-2025-11111.\n"
	const python = "raise ConfigError(\n    \"old \"\n    f'text {x}'\n)\nconfig.get(\"server_name\")\n"
	f.python(t, "matrix-synapse", ours["synapse"], false, map[string]string{synapseDocs: settings("### `admin_contact`\n"), "synapse/config/a.py": python, "CHANGES.md": changes})
	f.python(t, "matrix-synapse", "1.900.0rc1", false, map[string]string{})
	f.python(t, "matrix-synapse", "1.901.0", "it was broken", map[string]string{})
	f.python(t, "matrix-synapse", "1.900.0", false, map[string]string{
		synapseDocs:           strings.Replace(settings("### `quite_new`\n\n* `deep` (string): Defaults to `\"a\"`.\n"), "`false`", "`true`", 1),
		"synapse/config/a.py": python + "config.get(\"undocumented\", 3)\nraise ConfigError(\"it is no number\", (\"a\",))",
		"CHANGES.md":          "# Synapse 1.900.0 (2026-12-01)\n\n- Fix [GHSA-xxxx-0000-xxxx](https://example.org/GHSA-xxxx-0000-xxxx), CVE-2026-12345.\n\n" + changes,
	})
	f.python(t, "borgmatic", "900.0.0", false, map[string]string{"borgmatic/config/schema.yaml": "type: object\nrequired: [repositories]\nproperties:\n  repositories: {type: array}\n  brand_new: {type: string, description: 'Defaults to 7.'}\n"})
	const example = "bridge:\n  command_prefix: '$<<or .X>>'\n  async_events: false\n  permissions:\n    \"*\": relay\n"
	f.module(t, "maunium.net/go/mautrix", "v"+ours["mautrix-go"], map[string]string{mautrixYAML: example + "  relay: {enabled: false}\n", "bridgev2/bridgeconfig/a.go": "package a\n"})
	f.module(t, "maunium.net/go/mautrix", "v0.900.0", map[string]string{
		mautrixYAML:                  strings.Replace(example, "false", "true", 1) + "  brand_new: 64\n",
		"bridgev2/bridgeconfig/a.go": "package a\n\nimport \"errors\"\n\nvar err = errors.New(\"no such mode\")\n",
	})
	f.module(t, "go.mau.fi/mautrix-signal", "v0.9900.0", map[string]string{"pkg/connector/example-config.yaml": "sync_contacts_on_startup: true\nnumber_of_wires: 3\n"})
	f.module(t, "go.mau.fi/mautrix-meta", "v0.9900.0", map[string]string{"pkg/connector/example-config.yaml": "\n"})
	f.module(t, "go.mau.fi/mautrix-whatsapp", "v0.1.0", map[string]string{"pkg/connector/example-config.yaml": "long_gone: 1\n"})
	f.module(t, traefikModule, "v"+ours["traefik"], map[string]string{
		"pkg/config/static/a.go":  "package static\n\nimport \"" + traefikModule + "/pkg/ping\"\n\ntype Configuration struct {\n\tPing *ping.Handler `yaml:\"ping,omitempty\"`\n\tOld []Point `yaml:\"old\"`\n}\n\ntype Point struct{ A int `yaml:\"a\"` }\n",
		"pkg/config/dynamic/a.go": "package dynamic\n\ntype Configuration struct{}\n",
		"pkg/ping/ping.go":        "package ping\n\ntype Handler struct { Point string `yaml:\"entryPoint\"` }\n\nfunc (h *Handler) SetDefaults() { h.Point = \"traefik\" }\n",
	})
	f.module(t, traefikModule, "v3.900.0", map[string]string{
		"pkg/config/static/a.go":  "package static\n\nimport \"" + traefikModule + "/pkg/ping\"\n\ntype Configuration struct {\n\tPing *ping.Handler `yaml:\"ping,omitempty\"`\n\tPoints map[string]Point `yaml:\"points\"`\n}\n\ntype Point struct{ A int `yaml:\"a\"`; Below *Point `yaml:\"below\"` }\n",
		"pkg/config/dynamic/a.go": "package dynamic\n\ntype Configuration struct{}\n",
		"pkg/ping/ping.go":        "package ping\n\ntype Handler struct { Point string `yaml:\"entryPoint\"` }\n\nfunc (h *Handler) SetDefaults() { h.Point = \"web\" }\n",
	})
	f.module(t, "github.com/livekit/livekit-server", "v1.900.0", map[string]string{})
	f.pages["/maven/org/keycloak/keycloak-quarkus-dist/maven-metadata.xml"] = []byte("<metadata><versioning><versions><version>9.0.0</version><version>900.0.0</version><version>901.0.0.Beta1</version></versions></versioning></metadata>")

	var b bytes.Buffer
	if !run(t.Context(), "..", f.env(t), &b) {
		t.Error("a registry failed")
	}
	// The columns are as wide as the versions of today: only the words count.
	var got []string
	for line := range strings.SplitSeq(strings.TrimSpace(b.String()), "\n") {
		got = append(got, strings.Join(strings.Fields(line), " "))
	}
	here := strings.TrimPrefix(f.URL, "http://")
	want := []string{
		"synapse " + ours["synapse"] + " 1.900.0 of 2026-12-01 is the newest",
		`new quite_new, with 1 below it`,
		`new redis.limits, with 1 below it`,
		`new undocumented`,
		`gone admin_contact`,
		`default redis.enabled: false → true`,
		`refuses synapse/config/a.py: it is no number`,
		`advisory GHSA-xxxx-0000-xxxx, in Synapse 1.900.0 (2026-12-01)`,
		`advisory CVE-2026-12345, in Synapse 1.900.0 (2026-12-01)`,
		"traefik " + ours["traefik"] + " 3.900.0 of 2026-12-02 is the newest",
		`new points, with 2 below it`,
		`gone old, with 1 below it`,
		`default ping.entryPoint: "traefik" → "web"`,
		"mautrix-go " + ours["mautrix-go"] + " 0.900.0 of 2026-12-02 is the newest",
		`new bridge.brand_new: 64`,
		`gone bridge.relay, with 1 below it`,
		`default bridge.async_events: false → true`,
		`refuses bridgev2/bridgeconfig/a.go: no such mode`,
		"signal " + ours["signal"] + " 0.9900.0 of 2026-12-02 is the newest",
		"not compared what changed since v" + ours["signal"] + ": go.mau.fi/mautrix-signal@v" + ours["signal"] + ": 404 Not Found",
		`new network.number_of_wires: 3`,
		"whatsapp " + ours["whatsapp"] + " the registry has nothing later than 0.1.0 of 2026-12-02",
		"meta " + ours["meta"] + " 0.9900.0 of 2026-12-02 is the newest",
		"not compared what changed since v" + ours["meta"] + ": go.mau.fi/mautrix-meta@v" + ours["meta"] + ": 404 Not Found",
		"borgmatic " + ours["borgmatic"] + " 900.0.0 of 2026-12-01 is the newest",
		"not compared what changed since " + ours["borgmatic"] + ": " + here + "/borgmatic has no source distribution of " + ours["borgmatic"],
		`new brand_new: 7`,
		"keycloak " + ours["keycloak"] + " 900.0.0 is the newest",
		"livekit 1.13.11 1.900.0 of 2026-12-02 is the newest",
		"",
		"Look at by hand:",
	}
	if diff := cmp.Diff(want, got[:min(len(want), len(got))]); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, &b)
	}
	for _, p := range list {
		told := slices.ContainsFunc(got[min(len(want), len(got)):], func(line string) bool { return strings.HasPrefix(line, p.name+" ") && strings.Contains(line, p.hand) })
		if there := slices.ContainsFunc(want, func(line string) bool { return strings.HasPrefix(line, p.name+" ") }); told == there {
			t.Errorf("%s: by hand: %v, compared: %v", p.name, told, there)
		}
	}
}

// A registry that is down, fails, or hands out something else is told with its place, and the run fails; the others
// are told all the same.
func TestRegistryFails(t *testing.T) {
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	down := strings.TrimPrefix(gone.URL, "http://")
	for name, tt := range map[string]struct {
		breaks func(f *fake)
		env    map[string]string
		want   string
	}{
		"PyPI is down":          {env: map[string]string{"PIP_INDEX_URL": "http://user:hunter2@" + down + "/simple"}, want: down + "/simple/matrix-synapse/: dial tcp"},
		"PyPI has a fault":      {breaks: func(f *fake) { f.fails["/simple/matrix-synapse/"] = 500 }, want: "/simple/matrix-synapse/: 500 Internal Server Error"},
		"PyPI is no URL":        {env: map[string]string{"PIP_INDEX_URL": "http://user:hunter2@\x00"}, want: "the address of a registry is no URL"},
		"an index without JSON": {breaks: func(f *fake) { f.pages["/simple/matrix-synapse/"] = []byte("{") }, want: "/simple/matrix-synapse/: unexpected end of JSON input"},
		"another archive":       {breaks: func(f *fake) { f.pages["/files/matrix_synapse-1.900.0.tar.gz"] = []byte("something") }, want: "matrix_synapse-1.900.0.tar.gz: is not what the index says it is"},
		"an empty release":      {breaks: func(f *fake) { f.python(t, "matrix-synapse", "1.900.1", false, nil) }, want: "synapse 1.900.1 has no docs/usage"},
		"a file without keys": {breaks: func(f *fake) {
			f.python(t, "matrix-synapse", "1.900.1", false, map[string]string{synapseDocs: "moved"})
		}, want: "synapse 1.900.1: no key found in docs/usage"},
		"Maven has a fault":    {breaks: func(f *fake) { f.fails["/maven/org/keycloak/keycloak-quarkus-dist/maven-metadata.xml"] = 503 }, want: "503 Service Unavailable"},
		"the Go proxy is down": {breaks: func(*fake) { t.Setenv("GOPROXY", gone.URL) }, want: "maunium.net/go/mautrix"},
		"the Go proxy is off":  {breaks: func(*fake) { t.Setenv("GOPROXY", "off") }, want: "module lookup disabled by GOPROXY=off"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(t)
			f.python(t, "matrix-synapse", "1.900.0", false, map[string]string{synapseDocs: settings()})
			f.python(t, "borgmatic", "900.0.0", false, map[string]string{"borgmatic/config/schema.yaml": "properties: {repositories: {type: array}}\n"})
			if tt.breaks != nil {
				tt.breaks(f)
			}
			env := f.env(t)
			var b bytes.Buffer
			if run(t.Context(), "..", func(name string) string {
				if v, ok := tt.env[name]; ok {
					return v
				}
				return env(name)
			}, &b) {
				t.Error("no registry failed")
			}
			if out := b.String(); !strings.Contains(out, "failed: ") || !strings.Contains(out, tt.want) || strings.Contains(out, "hunter2") {
				t.Errorf("want %q in:\n%s", tt.want, out)
			}
			if tt.env == nil && !strings.Contains(b.String(), "900.0.0 of 2026-12-01 is the newest") {
				t.Errorf("borgmatic is not told:\n%s", &b)
			}
		})
	}
}
