package composego

import (
	"context"
	"maps"
	"testing"
	"testing/fstest"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"

	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/fixture"
)

func faultsOf(t *testing.T, d fixture.Deployment) []fault {
	t.Helper()
	opened, _ := compose.OpenWith(d.Forms[0].Tree, compose.Options{Files: d.Files, Name: "matrix"})
	p := compose.Of(opened)
	if p == nil {
		t.Fatal("no project")
	}
	content, _ := p.Content("")
	return faults(p, content, func(content []byte) error {
		_, err := loader.LoadWithContext(context.Background(), types.ConfigDetails{
			WorkingDir: "/", ConfigFiles: []types.ConfigFile{{Filename: p.File.Path, Content: content}}, Environment: types.Mapping(maps.Clone(p.Env)),
		}, func(o *loader.Options) {
			o.SetProjectName("stack", false)
			o.SkipResolveEnvironment, o.SkipResolveLabels, o.ResolvePaths, o.SkipExtends, o.SkipInclude = true, true, false, true, true
		})
		return err
	})
}

// TestFaultsOfHealthy: taken apart, a project that Compose accepts has no fault.
func TestFaultsOfHealthy(t *testing.T) {
	all, err := fixture.Read("../../../check/testdata/deployments")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		t.Run(d.Name, func(t *testing.T) {
			if found := faultsOf(t, d); len(found) > 0 {
				t.Error(found)
			}
		})
	}
}

// TestFaultsAreAll: each fault of each service is found, whatever the order in which compose-go looks.
func TestFaultsAreAll(t *testing.T) {
	const text = `services:
  a: {imagee: x, networks: [n, m], volumes: ["vol:/v"]}
  b: {depends_on: [c], networks: [m]}
  d: {image: x, depends_on: [a], network_mode: "service:a"}
`
	for range 20 {
		d := fixture.Deployment{Forms: []fixture.Form{{Tree: fstest.MapFS{"compose.yaml": {Data: []byte(text), Mode: 0o644}}}}}
		found := faultsOf(t, d)
		if len(found) != 6 {
			t.Fatalf("%d faults: %q", len(found), found)
		}
	}
}
