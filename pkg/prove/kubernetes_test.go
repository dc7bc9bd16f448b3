package prove_test

import (
	"bytes"
	"io/fs"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// clusters are what specs may say of theirs.
var clusters = []string{
	"{gateway: {name: public, namespace: infra}}",
	"{namespace: chat, gateway: {name: public}, storage: {class: fast}, secrets: external}",
	"{gateway: {name: public}, secrets: plain}",
}

// onKubernetes is a spec for a cluster: without what says something of one machine, and with what a cluster has.
func onKubernetes(t *testing.T, src, cluster string) string {
	t.Helper()
	f, problem := source.Parse("stack.yaml", []byte(src))
	if problem != nil {
		t.Fatal(problem.Message)
	}
	tree := f.Root().Node()
	apex := f.At("ingress", "apex").Node()
	tree.Delete("owner", "backup", "turn", "admin", "compose", "ingress", "target", "kubernetes")
	if f.At("ingress", "apex").Exists() {
		in := source.Node{Kind: source.Mapping}
		in.Set("apex", apex)
		tree.Set("ingress", &in)
	}
	hosts := tree.Get("hosts")
	if hosts != nil {
		hosts.Delete("turn", "admin")
	}
	var walk func(key string, n *source.Node)
	walk = func(key string, n *source.Node) {
		if n.Kind != source.Mapping || key == "extra" {
			return
		}
		n.Delete("container_name", "networks", "data")
		if key == "volumes" {
			for _, name := range n.Names() {
				volume := &source.Node{Kind: source.Mapping}
				volume.Set("volume", source.Made("!!str", "kept"+strings.ReplaceAll(name, "/", "-")))
				n.Set(name, volume)
			}
		}
		for _, name := range n.Names() {
			if below := n.Get(name); name == "service" && below.Kind == source.Scalar {
				n.Set(name, source.Made("!!str", strings.ReplaceAll(below.Text, ".", "-")))
			}
			walk(name, n.Get(name))
		}
	}
	walk("", tree)
	text, err := tree.YAML()
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), spec.HostGateway, "postgres.databases.svc") + "target: kubernetes\nkubernetes: " + cluster + "\n"
}

// Every random spec for a cluster is rendered into manifests in which nothing is found, in the same way each time; each container finds at
// each path the very bytes that it would find with Compose; and what is no Secret holds no secret.
func TestRandomOnKubernetes(t *testing.T) {
	if fixture.Race {
		t.Skip("skipped: two renders of each spec take too long under the race detector; TestSameInputSameResult renders at once")
	}
	random := rand.New(rand.NewPCG(5, 6))
	accepted, files := 0, 0
	for i := range 16 {
		choices := make([]byte, fixture.Slots)
		for j := range choices {
			choices[j] = byte(random.IntN(256))
		}
		src := onKubernetes(t, fixture.Spec(choices), clusters[i%len(clusters)])
		s, _ := spec.Parse("stack.yaml", []byte(src))
		if s == nil {
			continue
		}
		accepted++
		files += proveOnKubernetes(t, s, src)
	}
	if accepted < 6 || files < 100 {
		t.Errorf("only %d of 16 specs are accepted, and %d files compared", accepted, files)
	}
	t.Logf("%d of 16 specs are accepted, %d files are the same", accepted, files)
}

func proveOnKubernetes(t *testing.T, s *spec.Spec, src string) (files int) {
	t.Helper()
	set := secret.Placeholders(render.Needs(s))
	copies, _ := prove.Copies(s, ".", fixture.File)
	in := prove.Input{Spec: s, Secrets: set, Placeholders: true, Copies: copies, Dir: prove.Nowhere}
	r, err := prove.Run(in)
	if err != nil {
		t.Errorf("%v\n%s", err, src)
		return 0
	}
	for _, f := range r.Findings {
		if f.Severity == finding.Error || strings.Contains(f.Message, "of a fault in stackgen") {
			t.Errorf("%s: %s [%s]\n%s", f.Pos(), f.Message, f.Rule, src)
		}
	}
	again, err := prove.Run(in)
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range r.Bundle.Files {
		if i >= len(again.Bundle.Files) || !bytes.Equal(f.Data, again.Bundle.Files[i].Data) {
			t.Errorf("the second time %s is another\n%s", f.Path, src)
		}
		if masked := set.Mask(string(f.Data)); !strings.HasPrefix(f.Path, "secrets/") && !strings.HasPrefix(f.Path, "keycloak/") && masked != string(f.Data) {
			t.Errorf("%s holds a secret\n%s", f.Path, src)
		}
	}
	st := render.Resolve(s, set, prove.Nowhere)
	st.Files, st.Kubernetes = copies, nil
	b, err := render.Render(s, st, set.Get)
	if err != nil {
		t.Fatal(err)
	}
	tree := b.FS()
	d, _ := compose.OpenAlone(tree)
	for _, was := range d.Services {
		is := r.Deployment.Service(was.Name)
		if was.Absent.Why != "" {
			continue
		}
		if is == nil {
			t.Errorf("%s is no workload\n%s", was.Name, src)
			continue
		}
		for _, m := range was.Mounts {
			if m.Host == "" || !m.ReadOnly {
				continue
			}
			_ = fs.WalkDir(tree, m.Host, func(name string, e fs.DirEntry, err error) error {
				if err == nil && e.Type().IsRegular() && path.Base(name) != "haproxy.cfg" { // which asks for addresses in another way
					files++
					sameFile(t, tree, name, is, m.Container+strings.TrimPrefix(name, m.Host))
				}
				return nil
			})
		}
	}
	return files
}

// sameFile holds what a container of a cluster finds at a path against a file.
func sameFile(t *testing.T, tree fs.FS, name string, is *deployment.Service, at string) {
	t.Helper()
	want, err := fs.ReadFile(tree, name)
	if err != nil {
		t.Fatal(err)
	}
	host, reason := is.HostPath(at)
	got, err := fs.ReadFile(is.Deployment().FS, host)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%s has another %s: %s %v", is.Name, at, reason, err)
	}
}
