package compose_test

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
)

func serviceOf(t *testing.T, tree map[string]string) *deployment.Service {
	t.Helper()
	files := make(fstest.MapFS)
	for name, text := range tree {
		files[name] = &fstest.MapFile{Data: []byte(text), Mode: 0o600}
	}
	d, findings := compose.Open(files)
	if len(findings) > 0 || len(d.Services) == 0 {
		t.Fatal(findings)
	}
	return d.Services[0]
}

// A service that is built runs the program of the image that its Dockerfile begins with.
func TestBuild(t *testing.T) {
	const from = "FROM ghcr.io/element-hq/synapse:v1.150.0\n"
	for name, c := range map[string]struct {
		service string
		files   map[string]string
		program component.Program
		image   string
		at      string
		unread  string
	}{
		"short":            {`{build: ./x}`, map[string]string{"x/Dockerfile": from}, component.Synapse, "ghcr.io/element-hq/synapse:v1.150.0", "x/Dockerfile:1:6", ""},
		"this directory":   {`{build: .}`, map[string]string{"Dockerfile": "#\n" + from}, component.Synapse, "ghcr.io/element-hq/synapse:v1.150.0", "Dockerfile:2:6", ""},
		"a file of a name": {`{build: {context: x, dockerfile: s/Other}}`, map[string]string{"x/s/Other": from}, component.Synapse, "ghcr.io/element-hq/synapse:v1.150.0", "x/s/Other:1:6", ""},
		"called otherwise": {`{build: x, image: mine:3}`, map[string]string{"x/Dockerfile": from}, component.Synapse, "ghcr.io/element-hq/synapse:v1.150.0", "x/Dockerfile:1:6", ""},
		"argument": {
			`{build: {context: x, args: {V: v1.151.0}}}`,
			map[string]string{"x/Dockerfile": "ARG V=latest\nFROM synapse:$V\n"},
			component.Synapse, "synapse:v1.151.0", "x/Dockerfile:2:6", "",
		},
		"argument of a list, from .env": {
			`{build: {context: x, args: [V]}}`,
			map[string]string{"x/Dockerfile": "ARG V=latest\nFROM synapse:$V\n", ".env": "V=v1.152.0\n"},
			component.Synapse, "synapse:v1.152.0", "x/Dockerfile:2:6", "",
		},
		"target": {
			`{build: {context: x, target: one}}`,
			map[string]string{"x/Dockerfile": "FROM mas AS zero\nFROM synapse:v1.150.0 AS one\nFROM zero\n"},
			component.Synapse, "synapse:v1.150.0", "x/Dockerfile:2:6", "",
		},
		"inline": {
			"\n    build:\n      dockerfile_inline: |\n        FROM synapse:v1.150.0\n        RUN true\n", nil,
			component.Synapse, "synapse:v1.150.0", "compose.yaml:5:14", "",
		},
		"another program by its name": {
			`{build: x, image: "mine/synapse:v1.150.0"}`,
			map[string]string{"x/Dockerfile": "FROM python:3.13\nRUN pip install matrix-synapse\n"},
			component.Synapse, "mine/synapse:v1.150.0", "compose.yaml:2:24", "",
		},
		"known where it is built": {
			`{build: x}`,
			map[string]string{"x/Dockerfile": "ARG V\nFROM synapse:$V\n"},
			component.Synapse, "synapse", "x/Dockerfile:2:6", "x/Dockerfile begins with an image that is known only where it is built",
		},
		"fetched":     {`{build: "https://me:fake-word@git.example.org/x.git"}`, nil, component.Unknown, "", "", "it is built from https://git.example.org/x.git, which was not fetched"},
		"elsewhere":   {`{build: /srv/x}`, nil, component.Unknown, "", "", "/srv/x/Dockerfile is outside of the directory"},
		"not there":   {`{build: x}`, nil, component.Unknown, "", "", "x/Dockerfile cannot be read"},
		"not set":     {`{build: "${X}"}`, nil, component.Unknown, "", "", "where it is built from stands behind a variable that is set elsewhere"},
		"no such one": {`{build: {context: x, target: b}}`, map[string]string{"x/Dockerfile": from}, component.Unknown, "", "", "x/Dockerfile: it has no stage b"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"compose.yaml": "services:\n  s: " + c.service + "\n"}
			maps.Copy(files, c.files)
			s := serviceOf(t, files)
			if s.Program != c.program || s.Image.String() != c.image || s.BuildUnread != c.unread {
				t.Errorf("%q %q %q", s.Program, s.Image, s.BuildUnread)
			}
			if c.at != "" && s.ImageAt.Pos().String() != c.at {
				t.Error(s.ImageAt.Pos())
			}
		})
	}
}

// What a Dockerfile says of the start counts where the compose file says nothing.
func TestBuildStarts(t *testing.T) {
	const file = "FROM synapse:v1\nENV SYNAPSE_CONFIG_PATH=/conf/a.yaml LATER=1\nUSER 1000:1000\nWORKDIR /w\nENTRYPOINT [\"/init.sh\"]\nCMD [\"a\", \"b\"]\nHEALTHCHECK CMD true\n"
	for name, c := range map[string]struct{ service, command, user, config, health string }{
		"all of it":           {`{build: .}`, "/init.sh a b", "1000:1000", "/conf/a.yaml", "CMD-SHELL true"},
		"a command":           {`{build: ., command: [c]}`, "/init.sh c", "1000:1000", "/conf/a.yaml", "CMD-SHELL true"},
		"an entrypoint":       {`{build: ., entrypoint: [e]}`, "e", "1000:1000", "/conf/a.yaml", "CMD-SHELL true"},
		"a user and variable": {`{build: ., user: "2:2", environment: {SYNAPSE_CONFIG_PATH: /b.yaml}}`, "/init.sh a b", "2:2", "/b.yaml", "CMD-SHELL true"},
		"a check":             {`{build: ., healthcheck: {test: [CMD, x]}}`, "/init.sh a b", "1000:1000", "/conf/a.yaml", "CMD x"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serviceOf(t, map[string]string{"compose.yaml": "services:\n  s: " + c.service + "\n", "Dockerfile": file})
			user, _ := s.UserAt.Text()
			if got := strings.Join(s.Command(), " "); got != c.command || user != c.user || s.ConfigFile() != c.config {
				t.Errorf("%q %q %q", got, user, s.ConfigFile())
			}
			if got := strings.Join(s.Health().Words, " "); got != c.health || s.Inside("x") != "/w/x" {
				t.Errorf("%q %q", got, s.Inside("x"))
			}
		})
	}
}
