package kubernetes

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/yaml"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/manifests"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/prove"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// clusters are those that manifests are made for: what requests come by, and what PostgreSQL becomes.
var clusters = map[string]manifests.Options{
	"a Gateway":  {Namespace: "matrix", Gateway: &manifests.Gateway{Name: "public", Namespace: "infra"}},
	"an Ingress": {Namespace: "matrix", Ingress: &manifests.Ingress{Class: "traefik", Issuer: "letsencrypt"}, StorageClass: "fast"},
	"CNPG":       {Namespace: "matrix", Database: "cnpg"},
}

// manifestsOf are those of a spec in a cluster. Where what Compose's proxy is told can be said by none of a cluster's routes, they are those
// without routes, and unsaid is why.
func manifestsOf(t *testing.T, file string, src []byte, read func(string) ([]byte, error), cluster string) (files []memfs.File, unsaid error) {
	t.Helper()
	s, findings := spec.Parse(file, src)
	if s == nil {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(s))
	st := render.Resolve(s, set, "/srv/matrix")
	st.Files, _ = prove.Copies(s, ".", read)
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
	o := clusters[cluster]
	files, unsaid = manifests.From(d, o)
	if unsaid != nil {
		o.Gateway, o.Ingress = nil, nil
		if files, err = manifests.From(d, o); err != nil {
			t.Fatal(err)
		}
	}
	return files, unsaid
}

// beside reads what a spec has copied.
func beside(file string) func(string) ([]byte, error) {
	return func(name string) ([]byte, error) { return os.ReadFile(filepath.Join(filepath.Dir(file), name)) }
}

// objects are those that `kubectl apply -k` applies.
func objects(t *testing.T, files []memfs.File) (all [][]byte) {
	t.Helper()
	text := make(map[string][]byte)
	for _, f := range files {
		text[f.Path] = f.Data
	}
	var k struct{ Resources []string }
	if err := yaml.UnmarshalStrict(text["kustomization.yaml"], &struct {
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Namespace  string `json:"namespace"`
		Resources  *[]string
	}{Resources: &k.Resources}); err != nil {
		t.Fatal(err)
	}
	for _, name := range k.Resources {
		src := text[path.Clean(name)]
		if src == nil {
			t.Errorf("kustomization.yaml names %s, which is not there", name)
		}
		for _, doc := range bytes.Split(append([]byte("\n"), src...), []byte("\n---\n")) {
			if len(bytes.TrimSpace(doc)) > 0 {
				all = append(all, doc)
			}
		}
	}
	return all
}

// takes holds every object of a tree against the server.
func (s *server) takes(t *testing.T, files []memfs.File) {
	t.Helper()
	seen := make(map[string]bool)
	for _, src := range objects(t, files) {
		var of struct {
			Kind     string
			Metadata struct{ Name string }
		}
		if err := yaml.Unmarshal(src, &of); err != nil {
			t.Fatal(err)
		}
		name := of.Kind + " " + of.Metadata.Name
		if seen[name] {
			t.Errorf("there are two of %s, of which kustomize takes none", name)
		}
		seen[name] = true
		errs, warnings := s.refuses(t.Context(), src)
		for _, e := range errs {
			t.Errorf("%s is refused: %s", name, e)
		}
		for _, w := range warnings {
			t.Errorf("%s is warned of: %s", name, w)
		}
	}
}

// kubernetes is the version of the server's code here.
func kubernetes(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes").Output()
	if err != nil {
		t.Fatal(err)
	}
	return "Kubernetes " + strings.TrimSpace(string(out))
}

func TestExamples(t *testing.T) {
	s := newServer(t)
	var paths []string
	for _, pattern := range []string{"../../examples/*/stack.yaml", "../../pkg/render/testdata/specs/*/stack.yaml"} {
		some, err := filepath.Glob(pattern)
		if err != nil || len(some) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		paths = append(paths, some...)
	}
	for _, file := range paths {
		name := filepath.Base(filepath.Dir(file))
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			for cluster := range clusters {
				files, unsaid := manifestsOf(t, file, src, beside(file), cluster)
				if unsaid != nil {
					t.Logf("without routes for %s: %v", cluster, unsaid)
				}
				s.takes(t, files)
			}
			if !t.Failed() {
				t.Logf("accepted: %s: the manifests of %s", kubernetes(t), name)
			}
		})
	}
	t.Logf("%v", s.asked)
	if s.asked["HTTPRoute"] < 20 || s.asked["Ingress"] < 1 {
		t.Errorf("%v: this proves little", s.asked)
	}
}

const specs = 40

func TestRandomSpecs(t *testing.T) {
	s := newServer(t)
	random := rand.New(rand.NewPCG(15, 2026))
	names := slices.Sorted(maps.Keys(clusters))
	without := 0
	for n := 0; n < specs; {
		choices := make([]byte, fixture.Slots)
		for i := range choices {
			choices[i] = byte(random.IntN(256))
		}
		src, cluster := fixture.Spec(choices), names[n%len(names)]
		of, _ := spec.Parse("stack.yaml", []byte(src))
		if of == nil || cluster == "CNPG" && strings.Contains(src, "user: postgres") { // whose name CloudNativePG keeps to itself
			continue
		}
		n++
		t.Run("", func(t *testing.T) {
			files, unsaid := manifestsOf(t, "stack.yaml", []byte(src), fixture.File, cluster)
			if unsaid != nil {
				without++
			}
			s.takes(t, files)
			if t.Failed() {
				t.Log(cluster + "\n" + src)
			}
		})
	}
	t.Logf("%v, and %d without routes", s.asked, without)
	if without == specs || s.asked["StatefulSet"] < 3*specs || s.asked["Service"] < 5*specs || s.asked["Secret"] < 5*specs {
		t.Errorf("%v in %d specs: this proves little", s.asked, specs)
	}
	if !t.Failed() {
		t.Logf("accepted: %s: the manifests of %d random specs", kubernetes(t), specs)
	}
}

// What the server would refuse is seen: or else that it takes the rest says nothing.
func TestRefused(t *testing.T) {
	s := newServer(t)
	for _, c := range []struct{ src, want string }{
		{"{apiVersion: v1, kind: Secret, metadata: {name: a}, stringdata: {a: b}}", `unknown field "stringdata"`},
		{"{apiVersion: v1, kind: Secret, metadata: {name: a_b}}", "a lowercase RFC 1123 subdomain"},
		{"{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: '8008'}]}}", "cannot unmarshal string"},
		{"{apiVersion: v1, kind: Service, metadata: {name: a}, spec: {ports: [{port: 1}, {port: 2}]}}", "spec.ports[0].name: Required value"},
		{"{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: a}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: c}}, spec: {containers: [{name: a, image: a}]}}}}", "`selector` does not match template `labels`"},
		{"{apiVersion: apps/v1, kind: Deployment, metadata: {name: a}, spec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: a, image: a, volumeMounts: [{name: x, mountPath: /x}]}]}}}}", `volumeMounts[0].name: Not found: "x"`},
		{"{apiVersion: batch/v1, kind: Job, metadata: {name: a}, spec: {template: {spec: {containers: [{name: a, image: a}]}}}}", "spec.template.spec.restartPolicy: Required value"},
		{"{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a}, spec: {hostname: [a.example.org]}}", "unknown field spec.hostname"},
		{"{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a}, spec: {rules: [{matches: [{path: {type: Prefix, value: /a}}]}]}}", "Unsupported value: \"Prefix\""},
		{"{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: a}, spec: {rules: [{matches: [{path: {value: a}}]}]}}", "must be an absolute path"},
	} {
		errs, _ := s.refuses(t.Context(), []byte(c.src))
		if !slices.ContainsFunc(errs, func(e string) bool { return strings.Contains(e, c.want) }) {
			t.Errorf("%s\nis refused by %q, and not for %s", c.src, errs, c.want)
		}
	}
}

// lax is what Pod Security's level "restricted" does not allow and some pods of the examples need, by the check's own words.
var lax = map[string]struct {
	pods []string
	why  string
}{
	"hostPort":                  {[]string{"relay", "traefik", "proxy", "synapse", "mas", "element"}, "it is reached at the node's own address, as on Compose"},
	"runAsNonRoot != true":      {[]string{"cinny", "hookshot", "syn2mas-check", "syn2mas-migrate"}, "it is the owner's own service, and its image says whose process it is; syn2mas as below"},
	"runAsUser=0":               {[]string{"syn2mas-check", "syn2mas-migrate"}, "it is made of a Compose stack, where it reads the files of two users; what is rendered for Kubernetes has it as MAS"},
	"unrestricted capabilities": {[]string{"syn2mas-check", "syn2mas-migrate"}, "the same"},
}

// podKinds are the kinds of what is rendered that start pods.
var podKinds = []string{"StatefulSet", "Deployment", "Job", "CronJob"}

// Every pod of the examples is one that Pod Security's level "restricted" allows, but for those listed.
func TestRestricted(t *testing.T) {
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	found, judged := make(map[string]bool), make(map[string]int)
	files, err := filepath.Glob("../../examples/*/stack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		made, _ := manifestsOf(t, file, src, beside(file), "")
		for _, src := range objects(t, made) {
			var kind struct{ Kind string }
			if err := yaml.Unmarshal(src, &kind); err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(podKinds, kind.Kind) {
				continue
			}
			var of struct {
				Metadata struct{ Name string }
				Spec     struct {
					Template    core.PodTemplateSpec
					JobTemplate struct {
						Spec struct{ Template core.PodTemplateSpec }
					}
				}
			}
			if err := yaml.Unmarshal(src, &of); err != nil {
				t.Fatal(err)
			}
			pod := &of.Spec.Template
			if kind.Kind == "CronJob" {
				pod = &of.Spec.JobTemplate.Spec.Template
			}
			if len(pod.Spec.Containers) == 0 {
				t.Errorf("%s %s of %s has no containers", kind.Kind, of.Metadata.Name, file)
			}
			judged[kind.Kind]++
			for _, r := range evaluator.EvaluatePod(api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}, &pod.ObjectMeta, &pod.Spec) {
				if r.Allowed {
					continue
				}
				if slices.Contains(lax[r.ForbiddenReason].pods, of.Metadata.Name) {
					found[r.ForbiddenReason+" "+of.Metadata.Name] = true
				} else {
					t.Errorf("%s of %s: %s: %s", of.Metadata.Name, file, r.ForbiddenReason, r.ForbiddenDetail)
				}
			}
		}
	}
	for reason, l := range lax {
		for _, name := range l.pods {
			if !found[reason+" "+name] {
				t.Errorf("%s is allowed without %s now", name, reason)
			}
		}
	}
	for _, kind := range podKinds {
		if judged[kind] == 0 {
			t.Errorf("no %s was judged: this proves nothing of its pods", kind)
		}
	}
	t.Logf("%v", judged)
}
