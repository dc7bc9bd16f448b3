package kubernetes

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "sigs.k8s.io/gateway-api/pkg/consts" // whose module holds the CustomResourceDefinitions

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/manifests"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// define brings the CustomResourceDefinitions of the Gateway API and of CloudNativePG into the cluster.
func (c *cluster) define(t *testing.T) {
	t.Helper()
	gateway, err := output(exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "sigs.k8s.io/gateway-api"))
	if err != nil {
		t.Fatal(err)
	}
	c.kubectl(t, "apply", "--server-side", "-f", filepath.Join(gateway, "config/crd/standard"))
	here, err := filepath.Abs("../../conformance/kubernetes/testdata/cnpg")
	if err != nil {
		t.Fatal(err)
	}
	c.kubectl(t, "apply", "--server-side", "-f", here)
	c.kubectl(t, "wait", "--for", "condition=Established", "--all", "crd", "--timeout", "30s")
}

// of is an example's manifests: those that it becomes by itself, or what Compose would run of it as manifests. Where its routes can be said by
// none of a cluster's, they are left out, and unsaid is why.
func of(t *testing.T, file string, o manifests.Options) (files []memfs.File, unsaid error) {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s, findings := spec.Parse(file, src)
	if s == nil {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(s))
	st := render.Resolve(s, set, "/srv/matrix")
	st.Files, _ = prove.Copies(s, ".", func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(filepath.Dir(file), name)) })
	b, err := render.Render(s, st, set.Get)
	if err != nil {
		t.Fatal(err)
	}
	if s.OnKubernetes() {
		for _, f := range b.Files {
			files = append(files, memfs.File{Path: f.Path, Data: f.Data})
		}
		return files, nil
	}
	d, _ := compose.Open(b.FS())
	if files, unsaid = manifests.From(d, o); unsaid != nil {
		o.Gateway, o.Ingress = nil, nil
		if files, err = manifests.From(d, o); err != nil {
			t.Fatal(err)
		}
	}
	return files, unsaid
}

// lay writes manifests into a directory.
func lay(t *testing.T, files []memfs.File) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for _, f := range files {
		path := filepath.Join(dir, f.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// lax are the containers of the examples that Pod Security's level "restricted" warns of: conformance says why, but of syn2mas. That is made for
// Compose here, where it reads what belongs to others as root; in a spec for a cluster it is not.
var lax = []string{"relay", "traefik", "proxy", "synapse", "mas", "element", "cinny", "hookshot", "syn2mas"}

// The API server takes every object of every example, knows each field of it, and warns of nothing.
func TestDryRun(t *testing.T) {
	cl.define(t)
	files, err := filepath.Glob("../../examples/*/stack.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	taken := map[string]int{}
	for _, file := range files {
		name := filepath.Base(filepath.Dir(file))
		t.Run(name, func(t *testing.T) {
			made, unsaid := of(t, file, manifests.Options{Namespace: "matrix", Gateway: &manifests.Gateway{Name: "public", Namespace: "infra"}})
			if unsaid != nil {
				t.Logf("without routes: %v", unsaid)
			}
			for _, line := range cl.dryRun(t, lay(t, made)) {
				kind, _, _ := strings.Cut(line, "/")
				taken[kind]++
			}
		})
	}
	t.Logf("taken: %v", taken)
	for kind, least := range map[string]int{"statefulset.apps": 20, "deployment.apps": 20, "secret": 40, "networkpolicy.networking.k8s.io": 40, "httproute.gateway.networking.k8s.io": 20, "ingress.networking.k8s.io": 1, "cluster.postgresql.cnpg.io": 1} {
		if taken[kind] < least {
			t.Errorf("%d of %s: this proves little", taken[kind], kind)
		}
	}
	version, err := moduleVersion("programs", "k8s.io/kubernetes")
	if err != nil {
		t.Fatal(err)
	}
	fact("kube-apiserver (Go module)", version, fmt.Sprintf("a strict dry run of %d examples", len(files)))
}

// dryRun has the server look at a tree as it looks at one that is applied, and gives what it would make of it.
func (c *cluster) dryRun(t *testing.T, dir string) (taken []string) {
	t.Helper()
	// In a namespace that is not there nothing can be tried.
	c.kubectl(t, "apply", "--server-side", "--force-conflicts", "-f", filepath.Join(dir, "namespace.yaml"))
	cmd := c.command(t.Context(), "sh", "-c", "kubectl apply --server-side --force-conflicts --dry-run=server --validate=strict -k "+dir+" 2>&1")
	out, err := output(cmd)
	if err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(out) {
		if what, ok := strings.CutSuffix(strings.TrimSpace(line), " serverside-applied (server dry run)"); ok {
			taken = append(taken, what)
		} else if !slices.ContainsFunc(lax, func(pod string) bool { return strings.Contains(line, `"`+pod+`"`) }) {
			t.Error(line)
		}
	}
	return taken
}

// What the server would refuse is seen: or else that it takes the rest says nothing.
func TestDryRunRefuses(t *testing.T) {
	cl.define(t)
	for _, c := range []struct{ file, old, now, want string }{
		{"synapse.yaml", "readOnlyRootFilesystem", "readOnlyRootFilesytem", "field not declared"},
		{"synapse.yaml", "periodSeconds: 10", "periodSeconds: -10", "must be greater than or equal to 0"},
		{"policies.yaml", "podSelector:", "podSelectors:", "field not declared"},
	} {
		made, _ := of(t, "../../examples/campus/stack.yaml", manifests.Options{})
		i := slices.IndexFunc(made, func(f memfs.File) bool { return f.Path == c.file })
		if i < 0 || !strings.Contains(string(made[i].Data), c.old) {
			t.Fatalf("%s has no %q", c.file, c.old)
		}
		made[i].Data = []byte(strings.ReplaceAll(string(made[i].Data), c.old, c.now))
		dir := lay(t, made)
		cl.kubectl(t, "apply", "--server-side", "--force-conflicts", "-f", filepath.Join(dir, "namespace.yaml"))
		out, err := cl.try("apply", "--server-side", "--force-conflicts", "--dry-run=server", "--validate=strict", "-f", filepath.Join(dir, c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s in %s: %v, want %q\n%s", c.now, c.old, c.file, err, c.want, out)
		}
	}
}
