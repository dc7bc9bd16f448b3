package render_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/source"
)

// What a cluster is asked in RUNBOOK.md is there, and nobody is sent to Docker.
func TestRunbookOfACluster(t *testing.T) {
	campus, err := os.ReadFile("../../examples/campus/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const small = "version: 1\nserver_name: example.org\ntarget: kubernetes\nbridges: {signal: {}}\npermissions: {example.org: user}\n"
	for name, c := range map[string]struct {
		spec  string
		wants []string
	}{
		"CloudNativePG": {string(campus), []string{"svc/matrix-stack-postgres-rw", "kind: Backup", "recovery", "app.kubernetes.io/name in (synapse,"}},
		"a single pod":  {small + "kubernetes: {gateway: {name: public}}\nauth: {passwords: true, migration: true}\n", []string{"cronjob/syn2mas-check", "statefulset/postgres -- pg_dump"}},
		"elsewhere":     {small + "kubernetes: {gateway: {name: public}}\nauth: {passwords: true}\ndatabase: {external: {host: db.example.org}}\n", []string{"PGHOST=db.example.org pg_dump -U synapse"}},
		"an Ingress":    {small + "kubernetes: {ingress: {class: traefik, issuer: letsencrypt}}\nauth: {passwords: true, public_url: \"https://account.example.org/\"}\n", []string{"ClusterIssuer letsencrypt"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := load(t, "stack.yaml", []byte(c.spec))
			text, there := "", []string{}
			for _, f := range b.Files {
				if f.Path == "RUNBOOK.md" {
					text = string(f.Data)
				} else if strings.HasSuffix(f.Path, ".yaml") {
					all, problem := source.ParseAll(f.Path, f.Data)
					if problem != nil {
						t.Fatal(problem)
					}
					for _, o := range all {
						kind, name := strings.ToLower(o.At("kind").Str()), o.At("metadata", "name").Str()
						there = append(there, kind+"/"+name, "name/"+o.At("metadata", "labels").At("app.kubernetes.io/name").Str())
						if init := o.At("spec", "jobTemplate", "spec", "template", "spec", "initContainers"); kind == "cronjob" && init.Len() == 0 {
							t.Errorf("%s does not wait until PostgreSQL lets it in", name)
						}
						if kind == "cluster" {
							there = append(there, "service/"+name+"-rw")
						}
					}
				}
			}
			if m := regexp.MustCompile(`(?i).*(docker|compose).*`).FindString(text); m != "" || text == "" {
				t.Errorf("RUNBOOK.md says %q", m)
			}
			if m := regexp.MustCompile(`kubectl apply -.*`).FindString(strings.ReplaceAll(text, "kubectl apply --server-side", "")); m != "" {
				t.Errorf("RUNBOOK.md has kubectl keep a copy of each Secret: %q", m)
			}
			if back := strings.Index(text, "tar -C /data -xf"); !strings.Contains(text[max(0, back-200):max(0, back)], "rollout status") {
				t.Error("RUNBOOK.md does not wait for Synapse before its files are restored")
			}
			kinds := map[string]string{"deploy": "deployment", "svc": "service"}
			asked := 0
			for _, m := range regexp.MustCompile(`\b(deploy|statefulset|cronjob|svc)/([a-z0-9-]+)`).FindAllStringSubmatch(text, -1) {
				kind := m[1]
				if kinds[kind] != "" {
					kind = kinds[kind]
				}
				if asked++; !slices.Contains(there, kind+"/"+m[2]) {
					t.Errorf("RUNBOOK.md asks for %s, which is none of %s", m[0], there)
				}
			}
			for _, m := range regexp.MustCompile(`app\.kubernetes\.io/name in \(([^)]*)\)`).FindAllStringSubmatch(text, -1) {
				for name := range strings.SplitSeq(m[1], ",") {
					if !slices.Contains(there, "name/"+name) {
						t.Errorf("RUNBOOK.md selects %s, which is the name of nothing", name)
					}
				}
			}
			if asked < 3 {
				t.Errorf("only %d objects are asked for", asked)
			}
			for _, want := range c.wants {
				if !strings.Contains(text, want) {
					t.Errorf("RUNBOOK.md lacks %s:\n%s", want, text)
				}
			}
		})
	}
}
