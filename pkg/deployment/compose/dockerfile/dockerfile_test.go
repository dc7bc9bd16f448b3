package dockerfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/deployment/compose/dockerfile"
)

func TestRead(t *testing.T) {
	for name, c := range map[string]struct {
		src  string
		with dockerfile.Options
		base string
		open bool
		line int
		why  string
	}{
		"one":                   {src: "FROM ghcr.io/element-hq/synapse:v1.157.1\nRUN true\n", base: "ghcr.io/element-hq/synapse:v1.157.1", line: 1},
		"comment and syntax":    {src: "# syntax=docker/dockerfile:1\n\n# a comment\nfrom x:1\n", base: "x:1", line: 4},
		"default of ARG":        {src: "ARG V=1.2\nFROM x:v${V}\n", base: "x:v1.2", line: 2},
		"ARG that is given":     {src: "ARG V=1.2\nFROM x:v$V\n", with: dockerfile.Options{Args: map[string]string{"V": "3"}}, base: "x:v3", line: 2},
		"ARG without a value":   {src: "ARG V\nFROM x:$V\n", base: "x:", open: true, line: 2},
		"default in FROM":       {src: "ARG V\nFROM x:${V:-9}\n", base: "x:9", line: 2},
		"platform":              {src: "FROM --platform=$BUILDPLATFORM x:1 AS a\n", base: "x:1", line: 1},
		"stage on stage":        {src: "FROM x:1 AS base\nFROM golang AS build\nRUN make\nFROM base\nCOPY --from=build /a /a\n", base: "x:1", line: 1},
		"names ignore case":     {src: "FROM x:1 as Base\nFROM BASE\n", base: "x:1", line: 1},
		"target":                {src: "FROM x:1 AS prod\nFROM prod AS test\nFROM y:2 AS other\n", with: dockerfile.Options{Target: "test"}, base: "x:1", line: 1},
		"target by number":      {src: "FROM x:1\nFROM y:2\n", with: dockerfile.Options{Target: "0"}, base: "x:1", line: 1},
		"no such target":        {src: "FROM x:1\n", with: dockerfile.Options{Target: "prod"}, why: "it has no stage prod"},
		"scratch":               {src: "FROM scratch\n", line: 1},
		"heredoc":               {src: "FROM x:1\nRUN <<EOF\nFROM y:2\nEOF\n", base: "x:1", line: 1},
		"heredoc for a file":    {src: "FROM x:1\nCOPY <<\"END\" /run.sh\nFROM y:2\nENTRYPOINT [\"a\"]\nEND\n", base: "x:1", line: 1},
		"goes on":               {src: "FROM \\\n  # why\n  x:1 \\\n  AS a\n", base: "x:1", line: 1},
		"another escape":        {src: "# escape=`\nFROM `\n x:1\n", base: "x:1", line: 2},
		"context that is named": {src: "FROM base\n", with: dockerfile.Options{Contexts: map[string]string{"base": "docker-image://x:1"}}, base: "x:1", line: 1},
		"directory that is":     {src: "FROM base\n", with: dockerfile.Options{Contexts: map[string]string{"base": "../b"}}, why: "the context base stands for its image"},
		"nothing":               {src: "# nothing\n", why: "it has no FROM"},
		"other first":           {src: "RUN true\n", why: "it does not begin with FROM"},
		"Windows":               {src: "FROM x:1\r\nRUN true\r\n", base: "x:1", line: 1},
	} {
		t.Run(name, func(t *testing.T) {
			got, why := dockerfile.Read([]byte(c.src), c.with)
			if why != c.why || got.Base.Text != c.base || got.Base.Open != c.open || got.Base.Line != c.line {
				t.Errorf("%+v %q", got.Base, why)
			}
		})
	}
}

func TestStart(t *testing.T) {
	const src = `FROM x:1 AS a
ENV A=1 B="two words" C=$A
ENV D three and four
CMD ["from", "a"]
FROM a
ARG V=5
ENV E=${V} F=${NOT_THERE}
USER 991:991
WORKDIR /opt
WORKDIR app
ENTRYPOINT ["/init.sh", "--x"]
CMD exec run
HEALTHCHECK --interval=5s CMD curl -f http://localhost
`
	got, why := dockerfile.Read([]byte(src), dockerfile.Options{})
	if why != "" {
		t.Fatal(why)
	}
	var env []string
	for _, e := range got.Env {
		env = append(env, e.Name+"="+e.Text)
		if e.Open != (e.Name == "F") {
			t.Errorf("%s is open: %v", e.Name, e.Open)
		}
	}
	if diff := cmp.Diff([]string{"A=1", "B=two words", "C=1", "D=three and four", "E=5", "F="}, env); diff != "" {
		t.Error(diff)
	}
	if got.User.Text != "991:991" || got.WorkDir.Text != "/opt/app" {
		t.Errorf("%+v %+v", got.User, got.WorkDir)
	}
	if diff := cmp.Diff([]string{"/init.sh", "--x"}, got.Entrypoint.Words); diff != "" || got.Entrypoint.Line != 11 || got.Entrypoint.Col != 12 {
		t.Errorf("%+v %s", got.Entrypoint, diff)
	}
	if !got.Cmd.Shell || got.Cmd.Words[0] != "exec run" || got.Health.Words[0] != "curl -f http://localhost" {
		t.Errorf("%+v %+v", got.Cmd, got.Health)
	}
}

func FuzzRead(f *testing.F) {
	f.Add("FROM x:1 AS a\nFROM a\nENV A=$B\nENTRYPOINT [\"x\"]\nHEALTHCHECK NONE\n", "a")
	f.Add("FROM --a \\\n\nRUN <<E\nE\nARG V=${V:-${W}}\nFROM $V", "1")
	f.Fuzz(func(t *testing.T, src, target string) {
		image, why := dockerfile.Read([]byte(src), dockerfile.Options{Target: target})
		lines := strings.Count(src, "\n") + 1
		if why == "" && image.Base.Line > lines {
			t.Errorf("line %d of %d", image.Base.Line, lines)
		}
	})
}

// TestCopies: what is copied into the image, and what is not what lies in the directory any more.
func TestCopies(t *testing.T) {
	for name, c := range map[string]struct{ src, target, unseen string }{
		"file":               {"COPY a.conf /etc/a.conf", "/etc/a.conf", ""},
		"flags":              {"COPY --chown=1:1 --chmod=0644 a.conf /etc/", "/etc/", ""},
		"list":               {`ADD ["a b.conf", "/etc/a.conf"]`, "/etc/a.conf", ""},
		"ENV":                {"ENV D=/data\nCOPY a.conf $D/", "/data/", ""},
		"below WORKDIR":      {"WORKDIR /srv\nCOPY a.conf .", "/srv/", ""},
		"below another's":    {"COPY a.conf conf/", "/conf/", "the image's own"},
		"of a stage":         {"COPY --from=build /a.conf /etc/a.conf", "/etc/a.conf", "another stage"},
		"of the network":     {"ADD https://example.org/a.conf /etc/a.conf", "/etc/a.conf", "not copied from the directory"},
		"written here":       {"COPY <<EOF /etc/a.conf\nx\nEOF", "/etc/a.conf", "not copied from the directory"},
		"an archive":         {"ADD a.tar.gz /etc/", "/etc/", "archive"},
		"an argument":        {"ARG D\nCOPY a.conf $D/", "/", "only where the image is built"},
		"changed":            {"COPY a.conf /etc/a.conf\nRUN sed -i s/x/y/ /etc/a.conf", "/etc/a.conf", "may have changed"},
		"given to others":    {"COPY a.conf /etc/a.conf\nRUN chown 1:1 /etc/a.conf && chmod 600 /etc/a.conf", "/etc/a.conf", ""},
		"another is changed": {"COPY a.conf /etc/a.conf\nRUN sed -i s/x/y/ /etc/b.conf", "/etc/a.conf", ""},
	} {
		t.Run(name, func(t *testing.T) {
			image, why := dockerfile.Read([]byte("FROM x:1\n"+c.src+"\n"), dockerfile.Options{})
			if why != "" || len(image.Copies) != 1 {
				t.Fatal(why, image.Copies)
			}
			got := image.Copies[0]
			if got.Target != c.target || (got.Unseen == "") != (c.unseen == "") || !strings.Contains(got.Unseen, c.unseen) {
				t.Errorf("%+v", got)
			}
		})
	}
	image, _ := dockerfile.Read([]byte("FROM x:1 AS base\nCOPY a /a\nFROM base\nCOPY b /b\n"), dockerfile.Options{})
	if len(image.Copies) != 2 {
		t.Errorf("of the stage before and the last: %+v", image.Copies)
	}
}
