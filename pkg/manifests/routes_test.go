package manifests_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/deployment/kubernetes"
	"philipp.info/stackgen/pkg/fixture"
	"philipp.info/stackgen/pkg/manifests"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// rendered is the tree of Compose of a spec, with placeholders for its secrets.
func rendered(t testing.TB, text string) fstest.MapFS {
	t.Helper()
	s, findings := spec.Parse("stack.yaml", []byte(text))
	if s == nil {
		t.Fatal(findings)
	}
	set := secret.Placeholders(render.Needs(s))
	b, err := render.Render(s, render.Resolve(s, set, "/srv/matrix"), set.Get)
	if err != nil {
		t.Fatal(err)
	}
	tree := make(fstest.MapFS)
	for _, f := range b.Files {
		if f.Data != nil {
			tree[f.Path] = &fstest.MapFile{Data: f.Data, Mode: 0o600}
		}
	}
	return tree
}

func made(t testing.TB, tree fstest.MapFS, o manifests.Options) fstest.MapFS {
	t.Helper()
	d, _ := compose.Open(tree)
	o.Namespace = "matrix"
	files, err := manifests.From(d, o)
	if err != nil {
		t.Fatal(err)
	}
	all := make(fstest.MapFS)
	for _, f := range files {
		all[f.Path] = &fstest.MapFile{Data: f.Data, Mode: 0o600}
	}
	return all
}

// matrixRows are the rows of the routing matrix, as requests.
func matrixRows(t testing.TB) []fixture.Request {
	t.Helper()
	src, err := os.ReadFile("../route/testdata/routing-matrix.tsv")
	if err != nil {
		t.Fatal(err)
	}
	return fixture.MatrixRows(string(src))
}

type difference struct {
	why  string
	fits func(r fixture.Request, labels, routes string) bool
}

// differences are the requests that a route of Kubernetes answers in another way than Traefik's labels, and why it cannot be helped.
var differences = []difference{
	{"a prefix of Kubernetes takes the path without the slash at its end as well, which nobody answers for here", func(r fixture.Request, labels, _ string) bool {
		return labels == "nobody" && slices.ContainsFunc(r.Readings(), func(p string) bool {
			return slices.Contains([]string{"/_matrix", "/_synapse/client", "/livekit/sfu", "/livekit/jwt"}, p)
		})
	}},
	{"a version of the client API that no client has is any word to an expression, and none of the prefixes", func(r fixture.Request, labels, routes string) bool {
		return strings.HasPrefix(labels, "mas ") && !strings.HasPrefix(routes, "mas ") && slices.ContainsFunc(r.Readings(), func(p string) bool {
			words := strings.Split(p, "/")
			return len(words) > 4 && !slices.Contains([]string{"r0", "v1", "v3", "unstable"}, words[3]) && slices.Contains([]string{"login", "logout", "refresh"}, words[4])
		})
	}},
	{"Traefik refuses a path that is not in its shortest form once a prefix is off it", func(r fixture.Request, labels, _ string) bool {
		return strings.Contains(labels, "400")
	}},
	{"what is encoded is decoded before a prefix is looked for, by Traefik only what need not have been encoded", func(r fixture.Request, _, _ string) bool {
		return strings.Contains(r.Path, "%")
	}},
}

// answered is who answers a request and what for.
func answered(table *route.Table, r fixture.Request) string {
	res := table.Match(r.Method, r.Host, r.Path)
	switch {
	case res.Unknown != "" && len(res.Among) == 0:
		return "unknown: " + res.Unknown
	case res.Redirect != "":
		to, _, _ := strings.Cut(res.Redirect, "?")
		return "redirect to " + to
	case res.Refused != "":
		return "refused: " + res.Refused
	case res.Backend == nil:
		return "nobody"
	}
	return fmt.Sprintf("%s %s %s", res.Backend.Container, res.Backend.Port, res.Path)
}

const behindTraefik = "{kind: traefik}"

// Whoever answers a request by Traefik's labels answers it by HTTPRoutes and by an Ingress: for each row of the matrix and for 10,000
// requests at random. What differs has a reason above, and each reason is needed.
func TestRoutesAlike(t *testing.T) {
	gateway, ingress := &manifests.Gateway{Name: "public", Namespace: "infra"}, &manifests.Ingress{Class: "traefik"}
	needed := make(map[string]bool)
	for _, c := range []struct {
		name, spec string
		options    manifests.Options
	}{
		{"HTTPRoutes", fixture.Ingress(behindTraefik), manifests.Options{Gateway: gateway}},
		{"HTTPRoutes before workers", fixture.Ingress(behindTraefik) + fixture.SomeWorkers, manifests.Options{Gateway: gateway}},
		{"HTTPRoutes with MAS on its own host", fixture.OnHosts, manifests.Options{Gateway: gateway}},
		{"an Ingress", fixture.OnHosts, manifests.Options{Ingress: ingress}},
		{"an Ingress before workers", fixture.OnHosts + fixture.SomeWorkers, manifests.Options{Ingress: ingress}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := rendered(t, c.spec)
			before, _ := compose.Open(tree)
			now, findings := kubernetes.Open(made(t, tree, c.options))
			if len(findings) > 0 {
				t.Fatal(findings)
			}
			told, equal := make(map[string]int), 0
			for _, r := range fixture.Requests(matrixRows(t), 10_000) {
				want, got := answered(before.Routes(), r), answered(now.Routes(), r)
				if want == got {
					if want != "nobody" {
						equal++
					}
					continue
				}
				i := slices.IndexFunc(differences, func(d difference) bool {
					return d.fits(r, want, got)
				})
				if i < 0 {
					t.Errorf("%s: by labels %s, now %s", r, want, got)
					continue
				}
				told[differences[i].why]++
				needed[differences[i].why] = true
			}
			for _, why := range slices.Sorted(maps.Keys(told)) {
				t.Logf("%d: %s", told[why], why)
			}
			if t.Logf("%d answered alike", equal); equal < 2000 {
				t.Errorf("only %d requests were answered alike", equal)
			}
		})
	}
	for _, d := range differences {
		if !needed[d.why] {
			t.Errorf("no request is answered in another way any more because %s: take the reason out", d.why)
		}
	}
}

// What neither can say is an error that names the route, and no route that lets everybody in.
func TestUnroutable(t *testing.T) {
	for _, c := range []struct {
		spec    string
		options manifests.Options
		want    string
	}{
		{fixture.Ingress(behindTraefik), manifests.Options{Ingress: &manifests.Ingress{}}, "an Ingress has no words for"},
		{fixture.Ingress(behindTraefik) + "admin: {allow_from: [192.0.2.0/24]}\n", manifests.Options{Gateway: &manifests.Gateway{Name: "public"}}, "lets 192.0.2.0/24 in alone"},
	} {
		d, _ := compose.Open(rendered(t, c.spec))
		if _, err := manifests.From(d, c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, not %s", err, c.want)
		}
	}
}
