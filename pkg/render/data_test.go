package render_test

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

func rendered(t *testing.T, src string) *render.Bundle {
	t.Helper()
	sp, findings := spec.Parse("stack.yaml", []byte("version: 1\nserver_name: example.org\nauth: {passwords: true}\n"+src))
	if sp == nil {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(sp))
	b, err := render.Render(sp, render.Resolve(sp, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Wherever data lie: the services mount them there, what is below the stack is made for who writes it, and the backup has
// the media, and never PostgreSQL's files.
func TestData(t *testing.T) {
	for _, c := range []struct{ synapse, postgres, mount, cluster, volumes, dirs, sources, excluded string }{
		{"", "", "./data/matrix:/data", "./data/postgres:/var/lib/postgresql/data", "", "data/matrix 991:991 data/postgres 999:999", "/srv/matrix", "/srv/matrix/data/postgres/*"},
		{"./media", "pg/main/", "./media:/data", "./pg/main:/var/lib/postgresql/data", "", "media 991:991 pg/main 999:999", "/srv/matrix", "/srv/matrix/pg/main/*"},
		{"/mnt/media", "/srv/matrix/pg", "/mnt/media:/data", "/srv/matrix/pg:/var/lib/postgresql/data", "", "", "/srv/matrix /mnt/media", "/srv/matrix/pg/*"},
		{"../media", "../pg", "../media:/data", "../pg:/var/lib/postgresql/data", "", "", "/srv/matrix /srv/media", ""},
		{"{volume: media}", "{volume: old_pg, external: true}", "media:/data", "old_pg:/var/lib/postgresql/data", "media:{} old_pg:{\"external\": true}", "", "/srv/matrix /var/lib/docker/volumes/matrix_media/_data", ""},
		{"/srv", "", "/srv:/data", "./data/postgres:/var/lib/postgresql/data", "", "data/postgres 999:999", "/srv/matrix /srv", "/srv/matrix/data/postgres/*"},
	} {
		src := "backup: {borgmatic: {repositories: [{path: /mnt/b}]}}\n"
		if c.synapse != "" {
			src += "synapse: {data: " + c.synapse + "}\n"
		}
		if c.postgres != "" {
			src += "database: {data: " + c.postgres + "}\n"
		}
		b := rendered(t, src)
		tree := b.FS()
		read := func(name string) *source.File {
			text, err := fs.ReadFile(tree, name)
			if err != nil {
				t.Fatal(err)
			}
			f, problem := source.Parse(name, text)
			if problem != nil {
				t.Fatal(problem.Message)
			}
			return f
		}
		compose, borg := read("docker-compose.yml"), read("borgmatic.d/matrix.yaml")
		var volumes, sources []string
		for key, v := range compose.At("volumes").Entries() {
			volumes = append(volumes, key.Str()+":"+v.Flow())
		}
		for _, v := range borg.At("source_directories").Items() {
			sources = append(sources, v.Str())
		}
		var dirs []string
		for _, f := range b.Files {
			if f.Data == nil {
				dirs = append(dirs, fmt.Sprintf("%s %d:%d", f.Path, f.UID, f.GID))
			}
		}
		for what, two := range map[string][2]string{
			"Synapse's mount":    {compose.At("services", "synapse", "volumes", "1").Str(), c.mount},
			"PostgreSQL's mount": {compose.At("services", "postgres", "volumes", "0").Str(), c.cluster},
			"volumes":            {strings.Join(volumes, " "), c.volumes},
			"directories":        {strings.Join(dirs, " "), c.dirs},
			"sources":            {strings.Join(sources, " "), c.sources},
			"excluded":           {borg.At("exclude_patterns", "0").Str(), c.excluded},
		} {
			if two[0] != two[1] {
				t.Errorf("%s: %s %q, want %q", src, what, two[0], two[1])
			}
		}
		runbook, err := fs.ReadFile(tree, "RUNBOOK.md")
		if err != nil {
			t.Fatal(err)
		}
		lost := []string{"data/postgres", "data/matrix"}
		if c.synapse != "" && c.postgres != "" && slices.ContainsFunc(lost, func(s string) bool { return strings.Contains(string(runbook), s) }) {
			t.Errorf("%s: RUNBOOK.md speaks of a directory that is not there", src)
		}
	}
}
