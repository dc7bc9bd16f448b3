package adopt_test

import (
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/adopt"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
)

// The database of a container on a server elsewhere shows in whatever names its address, or in the backup.
func TestContainersDatabaseElsewhere(t *testing.T) {
	file := func(string) ([]byte, error) { return []byte("db = \"{database_url}\"\n"), nil }
	const backup = "\nbackup: {borgmatic: {repositories: [{path: /mnt/b}]}}"
	for name, rest := range map[string]string{
		"environment": "environment: {URL: '{database_url}'}}",
		"file":        "files: {/etc/page.toml: page.toml}}",
		"backup":      "writable: true}" + backup,
	} {
		for _, host := range []string{"db.example.org", "10.0.0.5, port: 5433", "host.docker.internal"} {
			t.Run(name+" "+host, func(t *testing.T) {
				taken(t, []byte(`version: 1
server_name: example.org
auth: {passwords: true}
permissions: {example.org: user}
database: {external: {host: `+host+`}}
services:
  page: {image: x/page, version: '1', database: true, `+rest+`
`), file)
			})
		}
	}
}

// One that nothing names is known by what RUNBOOK.md has its keeper make; its password is asked for.
func TestContainersDatabaseUnnamed(t *testing.T) {
	was := build(t, []byte(`version: 1
server_name: example.org
auth: {passwords: true}
permissions: {example.org: user}
database: {external: {host: db.example.org}}
services:
  page: {image: x/page, version: '1', database: true}
  other: {image: x/other, version: '1'}
`), nil, nil)
	d, _ := compose.OpenWith(was.tree(), compose.Options{Name: "srv"})
	draft, _ := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: dir, Sources: beside})
	if draft == nil || !draft.Spec.Services["page"].Database || draft.Spec.Services["other"].Database {
		t.Fatalf("%s", draft.Text)
	}
	if len(draft.Notes) != 1 || !strings.Contains(draft.Notes[0].Text, "stackgen secrets set database.page_password") {
		t.Errorf("%v", draft.Notes)
	}
}

// No secret of a container stands in the spec or in a file beside it, whatever its owner called it.
func TestContainersSecretsHaveNames(t *testing.T) {
	file := func(string) ([]byte, error) {
		return []byte("api: {key: '{one}', password: \"{two}\"}\nredis: \"{redis_url}\"\n"), nil
	}
	d := taken(t, []byte(`version: 1
server_name: example.org
auth: {passwords: true}
permissions: {example.org: user}
services:
  page:
    image: x/page
    version: '1'
    redis: true
    environment: {SERVER_NAME: '{three}', API_PASSWORD: '{two}', PORT: 80}
    files: {/etc/page.yaml: page.yaml}
    secrets: {one: token, two: given, three: token}
`), file)
	for _, value := range d.Secrets {
		for name, data := range d.Files {
			if len(value) > 7 && strings.Contains(string(data), value) {
				t.Errorf("a secret stands in %s:\n%s", name, data)
			}
		}
	}
}

// What its owner wrote without quotes stays, where braces would be another thing than text.
func TestContainersFilesAsTheyAre(t *testing.T) {
	for _, text := range []string{
		"key: abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG\n",
		"keys: [abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG]\npassword: \"{two}\"\n",
		"password: correct-horse-battery\n",
	} {
		taken(t, []byte(`version: 1
server_name: example.org
auth: {passwords: true}
permissions: {example.org: user}
services:
  page: {image: x/page, version: '1', files: {/etc/page.yaml: page.yaml}, environment: {API_PASSWORD: '{two}'}, secrets: {two: given}}
`), func(string) ([]byte, error) { return []byte(text), nil })
	}
}

// A database on a second server is told with the commands that bring it into the first, an older one, and without a secret.
func TestSeveralServers(t *testing.T) {
	all, err := fixture.Read("../check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(f fixture.Deployment) bool { return f.Name == "several-postgres" })
	d, _ := compose.OpenWith(all[i].Forms[0].Tree, compose.Options{Name: "matrix"})
	draft, _ := adopt.Read(d, adopt.Options{SpecName: "stack.yaml", Dir: dir, Sources: beside})
	says(t, string(draft.Text), "docker compose exec -T mas-db pg_dump --no-owner -U mas mas | sed '/^SET transaction_timeout/d' > mas.sql",
		`docker compose exec -T synapse-db psql -q -v 'ON_ERROR_STOP=1' -U synapse_user -c 'SET ROLE "mas"' -f - mas < mas.sql`)
}
