package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

const composeFile = "docker-compose.yml"

// Docker Compose takes the file in an environment without a single variable, and has nothing to say about it.
func TestDockerCompose(t *testing.T) {
	bin := program(t, ".bin/docker-compose")
	version := "Docker Compose " + output(t, bin, "version", "--short")
	eachExample(t, func(t *testing.T, e *example) {
		cmd := exec.CommandContext(t.Context(), bin, "--profile", "*", "-f", composeFile, "config", "-q")
		cmd.Dir, cmd.Env = e.dir, []string{"DOCKER_HOST=unix:///nowhere"}
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%v: %s", err, out)
		}
		e.accepted(t, version, composeFile)
	})
}

// compose-go takes the file without ever looking a variable up: a `$` that was not doubled would be one.
func TestComposeGo(t *testing.T) {
	version := module(t, "github.com/compose-spec/compose-go/v2", "compose-go")
	eachExample(t, func(t *testing.T, e *example) {
		src, err := os.ReadFile(filepath.Join(e.dir, composeFile))
		if err != nil {
			t.Fatal(err)
		}
		_, err = loader.LoadWithContext(t.Context(), types.ConfigDetails{
			WorkingDir: e.dir, ConfigFiles: []types.ConfigFile{{Filename: composeFile, Content: src}},
		}, func(o *loader.Options) {
			o.Profiles = []string{"*"}
			o.Interpolate.LookupValue = func(name string) (string, bool) {
				t.Errorf("the variable %s is looked up", name)
				return "", false
			}
		})
		if err != nil {
			t.Error(err)
		}
		e.accepted(t, version, composeFile)
	})
}
