package check_test

import (
	"fmt"
	"maps"
	"os"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/source"
)

// unseenService is what runs beside a stack and cannot be looked into: its image stands behind a variable, its
// secret is external, its environment comes from the shell and from a file that is not there, and so does its host.
const unseenService = `
  unseen-app:
    image: "${UNSEEN_IMAGE}"
    environment:
      TOKEN: "${UNSEEN_TOKEN}"
      HANDED_ON:
    env_file:
      - {path: ./unseen.env, required: false}
    secrets: [unseen_secret]
    ports: ["${UNSEEN_PORT}:80"]
    labels:
      traefik.enable: "true"
      traefik.http.routers.unseen.rule: "Host(\"${UNSEEN_HOST}\")"
      traefik.http.routers.unseen.middlewares: "unseen@file"
      traefik.http.services.unseen.loadbalancer.server.port: "80"
    networks: [unseen-net]
`

const unseenTop = `
secrets:
  unseen_secret: {external: true}
networks:
  unseen-net: {}
volumes:
  unseen-volume: {}
`

// withUnseen adds to a tree what cannot be seen and has nothing to do with it.
func withUnseen(t *testing.T, tree fstest.MapFS) fstest.MapFS {
	t.Helper()
	out := maps.Clone(tree)
	d, _ := compose.Open(tree)
	if d.File == "" {
		return out
	}
	for _, s := range d.Synapses {
		lay(t, out, s.Config.Path, "+app_service_config_files: [/unseen/hookshot.yaml]\n")
	}
	over := []byte("services:" + unseenService)
	for _, s := range d.Services {
		if s.Program == component.Synapse && len(s.Volumes.Items) > 0 {
			over = fmt.Appendf(over, "  %q:\n    +volumes: [\"unseen-volume:/unseen\"]\n", s.Name)
		}
	}
	lay(t, out, d.File, string(over)+unseenTop)
	rehash(out)
	return out
}

// lay lays over onto a file of the tree; one that is no YAML stays as it is.
func lay(t *testing.T, tree fstest.MapFS, name, over string) {
	t.Helper()
	parsed, problem := source.Parse("over", []byte(over))
	if problem != nil {
		t.Fatal(problem)
	}
	data, err := source.Merge(tree[name].Data, parsed.Root())
	if err != nil {
		t.Logf("%s stays as it is: %v", name, err)
		return
	}
	f := *tree[name]
	f.Data = data
	tree[name] = &f
}

// notTold are the rules whose findings cannot be told any more when something else is out of sight, with the reason.
var notTold = map[string]string{
	"compose-config-hash":    "the label of a service that reads more is another one",
	"proxy-config-read":      "one file of a proxy that cannot be read may define what another one lacks",
	"cors-header-once":       "a file of nginx that cannot be read may hide the header",
	"proxy-asks-no-password": "a file of nginx that cannot be read may turn it off",
	"proxy-takes-uploads":    "a file of nginx that cannot be read may say more",
	"proxy-waits-for-syncs":  "a file of nginx that cannot be read may say more",
	"compose-valid":          "compose-go stops at the first fault, and an image without a name is one",
}

// What cannot be seen and has nothing to do with it silences no finding of another place.
func TestUnseen(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: several runs of all rules for each rule take too long under the race detector; the same rules run in TestRuleCases")
	}
	had := make(map[string]int)
	for _, c := range readCases(t) {
		if c.kind != "bad" || notTold[c.rule] != "" {
			continue
		}
		if had[c.rule]++; had[c.rule] > 1 && os.Getenv("EVERY_CASE") == "" {
			continue // the others are alike, and there are hundreds
		}
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			tree, base := c.build(t)
			count := func(tree fstest.MapFS) (n int) {
				for _, f := range base.caused(run(t, tree)) {
					if f.Rule == c.rule && f.Severity != finding.Info {
						n++
					}
				}
				return n
			}
			if before, after := count(tree), count(withUnseen(t, tree)); after < before {
				t.Errorf("of %d findings %d are left", before, after)
			}
		})
	}
}
