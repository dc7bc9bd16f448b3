package traefik_test

import (
	"maps"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

func values(list []traefik.Setting) map[string]string {
	m := make(map[string]string)
	for _, s := range list {
		m[s.Key] = s.Value
	}
	return m
}

func TestFlagSettings(t *testing.T) {
	var words []traefik.Word
	for w := range strings.FieldsSeq("--api --log.level DEBUG -entrypoints.web.address=:80 --entryPoints.web.http.tls.domains[0].main=example.org --unknown x stop --ping") {
		words = append(words, traefik.Word{Text: w})
	}
	want := map[string]string{"api": "true", "log.level": "DEBUG", "entrypoints.web.address": ":80", "entryPoints.web.http.tls.domains.main": "example.org", "unknown": "x"}
	if got := values(traefik.FlagSettings(words)); !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestEnvSettings(t *testing.T) {
	vars := []traefik.Word{{Text: "TRAEFIK_LOG_LEVEL=DEBUG"}, {Text: "TRAEFIK_LOGLEVEL=x"}, {Text: "TRAEFIK_HOST=traefik.example.org"}, {Text: "LOG_LEVEL=x"}}
	want := map[string]string{"log.level": "DEBUG", "loglevel": "x"}
	if got := values(traefik.EnvSettings(vars)); !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestTOMLSettings(t *testing.T) {
	src := `# comment
[entryPoints] # sections
  [entryPoints.web]
  address = ":80"
  [entryPoints."web-secure".http]
  middlewares = [
    "a@file", # one
    'b@file',
  ]
[api]
insecure = true
[providers]
docker = { network = "proxy", exposedByDefault = false }
[[certificatesResolvers.x.list]]
main = """
two
lines"""
[ping]
`
	want := map[string]string{
		"entryPoints.web.address": ":80", "entryPoints.web-secure.http.middlewares": "a@file,b@file", "api.insecure": "true",
		"providers.docker.network": "proxy", "providers.docker.exposedByDefault": "false", "certificatesResolvers.x.list.main": "two\nlines", "ping": "",
	}
	list, ok := traefik.TOMLSettings(&source.File{Path: "traefik.toml", Src: []byte(src)})
	if got := values(list); !ok || !maps.Equal(got, want) {
		t.Errorf("%v: %v", ok, got)
	}
	for _, s := range list {
		if s.Key == "entryPoints.web.address" && s.Site.Line != 4 {
			t.Errorf("the address stands at %v", s.Site)
		}
	}
	for _, bad := range []string{"a", "a =", "a = [1", "[a", "a = 'x", "a = {b = 1", "= 1", "a = \"x\ny\""} {
		if _, ok := traefik.TOMLSettings(&source.File{Path: "traefik.toml", Src: []byte(bad)}); ok {
			t.Errorf("%q is read to its end", bad)
		}
	}
}

func TestFind(t *testing.T) {
	for _, c := range []struct {
		key     string
		version traefik.Version
		known   bool
	}{
		{"entryPoints.web.address", traefik.Version{2, 11, 0}, true},
		{"ENTRYPOINTS.anything.ADDRESS", traefik.Version{3, 7, 13}, true},
		{"entryPoints.web.adress", traefik.Version{3, 7, 13}, false},
		{"providers.docker.swarmMode", traefik.Version{2, 11, 35}, true},
		{"providers.docker.swarmMode", traefik.Version{3, 0, 0}, false},
		{"entryPoints.web.http.encodedCharacters.allowEncodedSlash", traefik.Version{3, 6, 2}, false},
		{"entryPoints.web.http.encodedCharacters.allowEncodedSlash", traefik.Version{3, 6, 7}, true},
		{"experimental.plugins.x.settings.whatever.it.is", traefik.Version{3, 7, 13}, false},
		{"providers.plugin.x.whatever.it.is", traefik.Version{3, 7, 13}, true},
		{"log.level.x", traefik.Version{3, 7, 13}, false},
		{"", traefik.Version{3, 7, 13}, false},
	} {
		if l := traefik.Find(c.key, c.version); l.Known != c.known {
			t.Errorf("%s in %s: %+v", c.key, c.version, l)
		}
	}
	if l := traefik.Find("providers.docker.swarmmode", traefik.Version{3, 1, 0}); l.Gone != (traefik.Version{3, 0, 0}) || l.Part != "providers.docker.swarmmode" {
		t.Errorf("%+v", l)
	}
}

func FuzzTOML(f *testing.F) {
	f.Add("[a.b]\nc = {d = [1, 'x', \"\"\"y\"\"\"]}\n[[e]]\n")
	f.Fuzz(func(_ *testing.T, src string) {
		list, _ := traefik.TOMLSettings(&source.File{Path: "t.toml", Src: []byte(src)})
		for _, s := range list {
			traefik.Find(s.Key, traefik.NewestKnown)
		}
	})
}
