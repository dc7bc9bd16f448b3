package traefik

import (
	"fmt"
	"maps"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/traefik/paerser/file"
	"github.com/traefik/paerser/flag"

	"philipp.info/stackgen/conformance/traefik/statickeys"
	static "philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// configuration is the type of the configuration of the Traefik that this module requires. Its package itself would
// bring the clients of every provider of names.
func configuration(t *testing.T) (version static.Version, conf reflect.Type) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}} {{.Dir}}", "github.com/traefik/traefik/v3").Output()
	if err != nil {
		t.Fatal(err)
	}
	tag, dir, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if _, err := fmt.Sscanf(tag, "v%d.%d.%d", &version[0], &version[1], &version[2]); err != nil {
		t.Fatal(tag, err)
	}
	if conf, err = statickeys.Read(dir); err != nil {
		t.Fatal(err)
	}
	return version, conf
}

// spelled is a path of the table as a person would write it: any name is x, and a list has its first item.
func spelled(path string) string { return strings.NewReplacer("*", "x", "[]", "[0]").Replace(path) }

// takes is the error with which Traefik's decoder refuses a flag with each of the values.
func takes(conf reflect.Type, key string, values ...string) (err error) {
	for _, v := range values {
		if err = flag.Decode([]string{"--" + key + "=" + v}, reflect.New(conf).Interface()); err == nil {
			return nil
		}
	}
	return err
}

var samples = map[string][]string{"bool": {"true"}, "int": {"1"}, "str": {"x"}, "any": {"1s", "1", "true", "x"}}

// The table knows the keys of this Traefik and no others, and Traefik's own decoder agrees on each of them.
func TestStaticKeys(t *testing.T) {
	version, conf := configuration(t)
	keys := statickeys.Keys(conf)
	if len(keys) < 400 {
		t.Fatal(len(keys))
	}
	if version != static.NewestKnown {
		t.Errorf("this is Traefik %s; the table has been made for %s", version, static.NewestKnown)
	}
	tried := 0
	for _, path := range slices.Sorted(maps.Keys(keys)) {
		key := spelled(path)
		plain := strings.ReplaceAll(key, "[0]", "")
		if l := static.Find(plain, version); !l.Known {
			t.Errorf("the table has no %s", path)
		}
		// Each section above it stands alone where the table says so.
		for at := strings.LastIndexByte(plain, '.'); at > 0; at = strings.LastIndexByte(plain[:at], '.') {
			section := plain[:at]
			if section == "providers.kubernetesGateway.entryPoints" {
				continue // Traefik fills it itself, and passes over what stands there
			}
			if l := static.Find(section, version); !strings.HasSuffix(section, ".x") && !strings.Contains(key, "[0]") && l.Takes == "" && l.Alone != (takes(conf, section, "true") == nil) {
				t.Errorf("--%s alone: taken by the table: %v", section, l.Alone)
			}
		}
		// A list of texts is one value with commas.
		sample := key
		if strings.HasSuffix(path, "[]") {
			sample = strings.TrimSuffix(key, "[0]")
		}
		if err := takes(conf, sample, samples[keys[path]]...); err != nil {
			t.Errorf("Traefik refuses --%s: %v", sample, err)
		}
		parts := strings.Split(key, ".")
		for i := range parts {
			if parts[i] == "x" {
				continue // a name that anybody may choose
			}
			wrong := slices.Clone(parts)
			wrong[i] = strings.Replace(wrong[i]+"z", "[0]z", "z[0]", 1)
			slip := strings.Join(wrong, ".")
			tried++
			refused := takes(conf, slip, samples[keys[path]]...) != nil
			if known := static.Find(strings.ReplaceAll(slip, "[0]", ""), version).Known; known == refused {
				t.Errorf("--%s: refused by Traefik %v, known to the table %v", slip, refused, known)
			}
		}
	}
	if tried < 1000 && !t.Failed() {
		t.Errorf("only %d slips were tried", tried)
	}
	t.Logf("accepted: Traefik v%s: the keys of its static configuration", version)
}

// Traefik's own decoder of files takes what we take, and passes over what we say that it passes over.
func TestStaticFile(t *testing.T) {
	version, conf := configuration(t)
	for name, src := range map[string]string{
		".yml":  "entryPoints:\n  web:\n    address: ':80'\n    http:\n      redirections: {entryPoint: {to: websecure}}\napi: {}\nlog:\nhttp: {routers: {}}\nproviders:\n  docker: {exposedByDefault: false, network: proxy}\n",
		".toml": "[entryPoints]\n  [entryPoints.web]\n    address = \":80\" # here\n    [entryPoints.web.http.redirections.entryPoint]\n      to = 'websecure'\n[api]\n[http.routers]\n[providers.docker]\nexposedByDefault = false\nnetwork = \"\"\"proxy\"\"\"\n",
	} {
		got := reflect.New(conf)
		if err := file.DecodeContent(src, name, got.Interface()); err != nil {
			t.Errorf("Traefik refuses %s: %v", name, err)
			continue
		}
		docker := got.Elem().FieldByName("Providers").Elem().FieldByName("Docker").Elem()
		if network := docker.FieldByName("Network").String(); network != "proxy" {
			t.Errorf("%s: Traefik reads the network %q", name, network)
		}
		if got.Elem().FieldByName("API").IsNil() || !got.Elem().FieldByName("Log").IsNil() {
			t.Errorf("%s: an empty section counts, and one without a value does not", name)
		}
		var settings []static.Setting
		if name == ".toml" {
			settings, _ = static.TOMLSettings(&source.File{Path: "traefik.toml", Src: []byte(src)})
		} else {
			f, _ := source.Parse("traefik.yml", []byte(src))
			settings = static.FileSettings(f.Root())
		}
		read := make(map[string]string)
		for _, s := range settings {
			read[s.Key] = s.Value
		}
		want := map[string]string{"entryPoints.web.address": ":80", "entryPoints.web.http.redirections.entryPoint.to": "websecure", "api": "", "http.routers": "", "providers.docker.exposedByDefault": "false", "providers.docker.network": "proxy"}
		if !maps.Equal(read, want) {
			t.Errorf("%s: %v", name, read)
		}
	}
	for _, slip := range []string{"entryPoints: {web: {adress: ':80'}}", "entryPoints: {web: {http: {tls: {certresolver2: x}}}}", "api: {insecure: maybe}", "entryPoints: {web: }", "certificatesResolvers: {a: {acme: {}}}"} {
		if err := file.DecodeContent(slip, ".yml", reflect.New(conf).Interface()); err == nil {
			t.Errorf("Traefik takes %s", slip)
		}
	}
	for _, passed := range []string{"http: {routers: {a: {rule: x}}}", "entrypoint: {web: {address: ':80'}}", "log:\nentryPoints: {web: {}}"} {
		if err := file.DecodeContent(passed+"\napi: {}\n", ".yml", reflect.New(conf).Interface()); err != nil {
			t.Errorf("Traefik refuses %s: %v", passed, err)
		}
	}
	t.Logf("accepted: Traefik v%s: what its file may hold", version)
}
