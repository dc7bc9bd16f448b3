package spec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/component"
)

// renovate is a preset for Renovate, as far as it is used here.
type renovate struct {
	Schema      string           `json:"$schema"`
	Description []string         `json:"description"`
	Managers    []customManager  `json:"customManagers"`
	Rules       []map[string]any `json:"packageRules"`
}

// customManager finds versions in a file. Of a regex one, what the first expression matches is all that the second sees, so that
// nothing but the version is replaced. A jsonata one reads YAML, for what has a name and an image of its owner's choice.
type customManager struct {
	Type        string   `json:"customType"`
	Description string   `json:"description"`
	Format      string   `json:"fileFormat,omitempty"`
	Files       []string `json:"managerFilePatterns"`
	Strategy    string   `json:"matchStringsStrategy,omitempty"`
	Match       []string `json:"matchStrings"`
	Datasource  string   `json:"datasourceTemplate"`
	Dep         string   `json:"depNameTemplate,omitempty"`
	Versioning  string   `json:"versioningTemplate"`
}

// Expressions that both RE2 and JavaScript read.
const (
	version = `version:[ \t]+["']?[^\s"'@,{}#]+(?:@sha256:[0-9a-f]{64})?["']?`
	found   = `version:[ \t]+["']?(?<currentValue>[^\s"'@,{}#]+)(?:@(?<currentDigest>sha256:[0-9a-f]{64}))?["']?$`
	lineEnd = `[ \t]*(?:#[^\n]*)?\r?\n`
	inText  = `[^{}#"']|"[^"]*"|'[^']*'`
)

// inBraces goes over what stands in braces before a key, and over braces in it, four levels deep.
var inBraces = `[ \t]*\{(?:(?:` + inText + `|` + braces(4) + `)*?[\s,])?`

func braces(depth int) string {
	if depth == 1 {
		return `\{(?:` + inText + `)*\}`
	}
	return `\{(?:` + inText + `|` + braces(depth-1) + `)*\}`
}

// block goes over the lines below a key that are indented at least so far.
func block(indent string) string {
	return lineEnd + `(?:` + indent + `[^\n]*\n|` + lineEnd + `)*?` + indent
}

// versionOf matches from the key of a component at the top of a spec to its version.
func versionOf(key string) string {
	return `(?:^|\n)` + key + `:(?:` + inBraces + version + `|` + block("  ") + version + `|` + block("    ") + version + `)`
}

// versionBelow matches from a section, such as bridges, to the version of one component in it.
func versionBelow(section, name string) string {
	within := func(indent string) string {
		return block(indent) + name + `:(?:` + inBraces + version + `|` + block(indent+indent) + version + `)`
	}
	return `(?:^|\n)` + section + `:(?:` + inBraces + name + `:` + inBraces + version + `|` + within("  ") + `|` + within("    ") + `)`
}

// calendar is the versioning of mautrix: v0.2610.0 is not older than its alias v26.10, and a bridge with a number
// from before the calendar stays in its line. What came after v0.15 of Telegram or v0.7 of Discord is another bridge.
const calendar = `regex:^(?<compatibility>%sv(?:0\.\d{1,2}\.|0\.)?)(?<minor>\d+)(?:\.(?<patch>\d+))?(?:\.(?<build>\d+))?$`

// images is the query for each container of a section: its image, the version, and the digest behind it. A version that YAML
// takes for a number is another one in the file.
func images(section string) string {
	return `$each(` + section + `, function($c) { $type($c.version) = "string" ? {"depName": $c.image, "currentValue": $split($c.version, "@")[0], "currentDigest": $split($c.version, "@")[1]} })`
}

var specFiles = []string{`/(^|/)stack\.ya?ml$/`}

func makeRenovate() renovate {
	manager := func(place string, p component.Program, match, versioning string) customManager {
		return customManager{
			Type: "regex", Description: place + ".version of a stack.yaml", Files: specFiles, Strategy: "recursive", Match: []string{match, found},
			Datasource: "docker", Dep: component.Of(p).Tested.Repository, Versioning: versioning,
		}
	}
	r := renovate{
		Schema:      "https://docs.renovatebot.com/renovate-schema.json",
		Description: []string{"Finds the versions in a stack.yaml of stackgen. Made by make generate."},
		Rules: []map[string]any{
			{
				"description":   "PostgreSQL does not start on the files of another major version: a person dumps and restores them first.",
				"matchManagers": []string{"custom.regex"}, "matchPackageNames": []string{component.Of(component.Postgres).Tested.Repository},
				"matchUpdateTypes": []string{"major"}, "dependencyDashboardApproval": true,
			},
			{
				"description": "The version alone is replaced: 17 may stand in the digest behind it.", "matchManagers": []string{"custom.regex"},
				"matchFileNames": []string{"**/stack.yaml", "**/stack.yml"}, "autoReplaceGlobalMatch": false,
			},
			{
				"description": "What stackgen's own examples render to is compared.", "matchManagers": []string{"custom.regex", "custom.jsonata"},
				"matchFileNames": []string{"examples/**"}, "enabled": false,
			},
		},
		Managers: []customManager{{
			Type: "jsonata", Description: "appservices and services of a stack.yaml", Format: "yaml", Files: specFiles,
			Match: []string{images("appservices"), images("services")}, Datasource: "docker", Versioning: "docker",
		}},
	}
	for _, c := range component.All {
		// What has a version in a spec, and is no bridge, is a section at the top, or stands in one with others.
		key := Section(c.Program)[0]
		if key == "calls" || key == "ingress" {
			name := Section(c.Program)[1]
			r.Managers = append(r.Managers, manager(key+"."+name, c.Program, versionBelow(key, name), "docker"))
		}
		f, ok := fieldsOf(reflect.TypeFor[Spec]())[key]
		if ok && (f.Type == reflect.TypeFor[Pinned]() || f.Type.Implements(reflect.TypeFor[interface{ component() Component }]())) {
			r.Managers = append(r.Managers, manager(key, c.Program, versionOf(key), "docker"))
		}
	}
	for _, name := range BridgeNames() {
		p := component.Program(name)
		prefix, _, _ := strings.Cut(component.Of(p).Tested.Tag, "v")
		r.Managers = append(r.Managers, manager("bridges."+name, p, versionBelow("bridges", name), fmt.Sprintf(calendar, prefix)))
	}
	return r
}

const renovateFile = "../../renovate.json"

// The preset in the repository is the one that the table of images gives.
func TestRenovate(t *testing.T) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(makeRenovate()); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(renovateFile, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(renovateFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(got)); diff != "" {
		t.Errorf("renovate.json is stale; run make generate:\n%s", diff)
	}
}

// dep is a version that Renovate would raise.
type dep struct {
	Place, Repository, Value, Digest string
	At                               int // where the text to be replaced begins; its version is the only one of the kind in it
}

// dependencies does what Renovate does with the file as it is in the repository.
func dependencies(t *testing.T, src string) (deps []dep) {
	t.Helper()
	text, err := os.ReadFile(renovateFile)
	if err != nil {
		t.Fatal(err)
	}
	var r renovate
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	for _, m := range r.Managers {
		if m.Type != "regex" {
			continue // conformance asks JSONata
		}
		inner := regexp.MustCompile(m.Match[1])
		for _, at := range regexp.MustCompile(m.Match[0]).FindAllStringIndex(src, -1) {
			for _, sub := range inner.FindAllStringSubmatchIndex(src[at[0]:at[1]], -1) {
				group := func(name string) string {
					if i := 2 * inner.SubexpIndex(name); sub[i] >= 0 {
						return src[at[0]+sub[i] : at[0]+sub[i+1]]
					}
					return ""
				}
				place, _, _ := strings.Cut(m.Description, ".version of")
				deps = append(deps, dep{place, m.Dep, group("currentValue"), group("currentDigest"), at[0] + sub[0]})
			}
		}
	}
	return deps
}

// wanted are the versions that stackgen itself reads in a spec.
func wanted(t *testing.T, src string) (deps []dep) {
	t.Helper()
	s, findings := Parse("stack.yaml", []byte(src))
	if s == nil {
		t.Fatalf("%v\n%s", findings, src)
	}
	lines := strings.SplitAfter(src, "\n")
	add := func(place string, p component.Program) {
		v := s.file.At(append(strings.Split(place, "."), "version")...)
		if !v.Exists() {
			return
		}
		value, digest, _ := strings.Cut(v.Str(), "@")
		at := len([]rune(strings.Join(lines[:v.KeyPos().Line-1], ""))) + v.KeyPos().Col - 1
		deps = append(deps, dep{place, component.Of(p).Tested.Repository, value, digest, len(string([]rune(src)[:at]))})
	}
	add("synapse", component.Synapse)
	add("element", component.Element)
	add("calls.livekit", component.LiveKit)
	add("calls.jwt", component.LkJwt)
	add("turn", component.Coturn)
	add("ingress.traefik", component.Traefik)
	add("admin", component.Ketesa)
	add("haproxy", component.HAProxy)
	add("valkey", component.Valkey)
	add("auth", component.MAS)
	add("database", component.Postgres)
	for _, name := range BridgeNames() {
		add("bridges."+name, component.Program(name))
	}
	return deps
}

// The preset finds exactly the versions that a spec has, in every way to write one, and what it replaces holds no
// other text that could be meant.
func TestRenovateFinds(t *testing.T) {
	const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	specs := map[string]string{
		"block":       "synapse:\n  version: v1.150.0\ndatabase:\n  container_name: db17\n  version: \"17\"\n",
		"quotes":      "synapse: {version: 'v1.150.0'}\nauth: {passwords: true, version: \"1.20.0\"}\n",
		"comments":    "synapse: # version: v1.140.0\n\n# version: v1.141.0\n  # version: v1.142.0\n  version: v1.150.0 # not v1.149.0\n",
		"four blanks": "synapse:\n    max_upload_size: 1G\n    version: v1.150.0\nbridges:\n    signal:\n        port: 3\n        version: v26.08\n    whatsapp: {version: v0.2608.0}\n",
		"flow":        "bridges: {signal: {version: v0.2608.0, extra: {a: {b: 1}}}, telegram: {extra: {x: {version: '9'}}, version: v0.15.3}, whatsapp: {}}\n",
		"many lines":  "bridges: {\n  signal: {\n    port: 3,\n    version: v0.2608.0\n  },\n  meta: {}\n}\n",
		"extra":       "synapse:\n  extra:\n    version: v1.1.1\n  version: v1.150.0\nbridges:\n  signal:\n    extra:\n      version: 3\n  meta:\n    version: v0.2608.0\n",
		"no version":  "synapse:\n  extra:\n    version: v1.1.1\nbridges:\n  signal: {extra: {version: v1}}\n  instagram:\n",
		"digests":     "synapse: {version: \"v1.150.0" + digest + "\"}\ndatabase:\n  version: \"17" + digest + "\"\nbridges:\n  instagram: {version: ig-v0.2608.0" + digest + "}\n",
		"CRLF":        "synapse:\r\n  max_upload_size: 1G\r\n\r\n  version: v1.150.0\r\nbridges:\r\n  signal: {version: v0.2608.0}\r\n",
		"all bridges": "bridges:\n  signal: {version: v0.2608.0}\n  whatsapp:\n    version: v0.2608.0\n\n  telegram:\n    # Python\n    version: v0.15.3\n  discord: {version: v0.7.7}\n  meta: {version: v0.2608.0}\n  instagram: {version: ig-v0.2608.0}\n",
		"workers":     "synapse: {workers: small}\nhaproxy: {version: 3.4-alpine}\nvalkey:\n  image: mirror.example/valkey\n  version: \"8.1@sha256:" + digest[8:] + "\"\n",
		"proxy":       "ingress:\n  traefik:\n    managed: true\n    email: anna@example.org\n    version: v3.7.10\n",
		"texts":       "auth: {upstream: {a: {issuer: 'https://a.example', client_id: \"version: x{\"}}, version: 1.20.0}\n",
	}
	paths, err := filepath.Glob("../../examples/*/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		specs[path] = string(src)
	}
	n := 0
	for name, src := range specs {
		t.Run(name, func(t *testing.T) {
			if !strings.Contains(src, "server_name:") {
				head := "version: 1\nserver_name: example.org\npermissions: {example.org: user}\n"
				if !strings.Contains(src, "auth:") {
					head += "auth: {passwords: true}\n"
				}
				src = head + src
			}
			if strings.Contains(src, "telegram:") && !strings.Contains(src, "relay") {
				src += "# relay\n"
			}
			want, got := wanted(t, src), dependencies(t, src)
			n += len(want)
			byPlace := func(a, b dep) int { return strings.Compare(a.Place, b.Place) }
			slices.SortFunc(want, byPlace)
			slices.SortFunc(got, byPlace)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s\n%s", diff, src)
			}
		})
	}
	if n < 25 {
		t.Errorf("only %d versions were looked for", n)
	}
}

// Every tag that stackgen knows of can be raised, and none to one that is no successor.
func TestRenovateVersioning(t *testing.T) {
	for _, m := range makeRenovate().Managers {
		text, isRegex := strings.CutPrefix(m.Versioning, "regex:")
		if !isRegex {
			continue
		}
		re := regexp.MustCompile(text)
		kind := func(tag string) string {
			sub := re.FindStringSubmatch(tag)
			if sub == nil {
				return "none"
			}
			return "like " + sub[re.SubexpIndex("compatibility")]
		}
		place, _, _ := strings.Cut(m.Description, ".version of")
		p := component.Program(strings.TrimPrefix(place, "bridges."))
		prefix, _, _ := strings.Cut(component.Of(p).Tested.Tag, "v")
		for tag, want := range map[string]string{
			prefix + "v0.2510.3":  "like " + prefix + "v0.",
			prefix + "v0.2608.0":  "like " + prefix + "v0.",
			prefix + "v0.7.7":     "like " + prefix + "v0.7.",
			prefix + "v26.08":     "like " + prefix + "v",
			prefix + "v26.08.1":   "like " + prefix + "v",
			prefix + "v0.15.3":    "like " + prefix + "v0.15.",
			prefix + "latest":     "none",
			"x" + prefix + "v0.1": "none",
		} {
			if got := kind(tag); got != want {
				t.Errorf("%s: %s is %s, want %s", p, tag, got, want)
			}
		}
		if got := kind(component.Of(p).Tested.Tag); got == "none" {
			t.Errorf("%s: the tested tag %s is no version", p, component.Of(p).Tested.Tag)
		}
	}
}
