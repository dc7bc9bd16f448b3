package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// What the rules say that Compose reads and refuses is what Docker Compose reads and refuses.
func TestDockerComposeReads(t *testing.T) {
	bin, ours := program(t, ".bin/docker-compose"), stackgen(t)
	const own = "name: matrix\nservices:\n  a: {image: \"x:${V:-1}\"}\n"
	for _, c := range []struct {
		name, add string // what stands in a file beside, or in .env
		rule      string // that check names; "" for none of the three
		refuses   bool   // Compose ends with an error
		says      string // what its configuration holds otherwise
	}{
		{"compose.yaml", "services: {b: {image: \"y:1\"}}\n", "", false, "image: y:1"},
		{"docker-compose.yaml", "services: {b: {image: \"y:1\"}}\n", "", false, "image: x:1"},
		{"compose-dev.yml", "services: {b: {image: \"y:1\"}}\n", "", false, "image: x:1"},
		{".env", "COMPOSE_FILE=gone.yml:docker-compose.yml\n", "compose-file-read", true, ""},
		{".env", "COMPOSE_FILE=docker-compose.yml:gone.yml\n", "compose-file-read", true, ""},
		{".env", "COMPOSE_FILE=\n", "", true, ""}, // compose-valid says it
		{".env", "COMPOSE_PROJECT_NAME=family\n", "compose-environment", false, "name: family"},
		{".env", "COMPOSE_PROJECT_NAME=\n", "", false, "name: matrix"},
		{".env", "COMPOSE_ENV_FILES=other.env\nV=2\n", "compose-environment", false, "image: x:2"},
		{".env", "COMPOSE_DISABLE_ENV_FILE=true\nV=2\n", "compose-environment", false, "image: x:1"},
		{".env", "COMPOSE_DISABLE_ENV_FILE=perhaps\n", "compose-environment", true, ""},
		{".env", "COMPOSE_PARALLEL_LIMIT=many\n", "compose-environment", true, ""},
		{".env", "A B=c\n", "compose-environment", true, ""},
		{".env", "V=2\nX=\"a\nb\"\nexport Y='z'\n", "", false, "image: x:2"},
		{".env", "COMPOSE_ANSI=x\nCOMPOSE_FOO=x\nCOMPOSE_REMOVE_ORPHANS=x\n", "", false, "name: matrix"},
		{"docker-compose.yml", own + "  b: {image: \"y:1\", env_file: [gone.env]}\n", "compose-reads-exist", true, ""},
		{"docker-compose.yml", own + "  b: {image: \"y:1\", env_file: [{path: gone.env, required: false}]}\n", "", false, "image: y:1"},
		{"docker-compose.yml", own + "  b: {image: \"y:1\", label_file: gone.labels}\n", "compose-reads-exist", true, ""},
		{"docker-compose.yml", own + "  b: {extends: {file: gone.yml, service: b}}\n", "compose-reads-exist", true, ""},
		{"docker-compose.yml", own + "include: [gone.yml]\n", "compose-reads-exist", true, ""},
	} {
		t.Run(c.name+" "+strings.ReplaceAll(strings.TrimPrefix(c.add, own), "\n", " "), func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{"docker-compose.yml": own, c.name: c.add} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), bin, "config")
			cmd.Dir, cmd.Env = dir, []string{"DOCKER_HOST=unix:///nowhere"}
			out, err := cmd.CombinedOutput()
			if (err != nil) != c.refuses || !strings.Contains(string(out), c.says) {
				t.Errorf("Docker Compose: %v: %s", err, out)
			}
			found, _ := exec.CommandContext(t.Context(), ours, "check", dir).Output()
			for _, rule := range []string{"compose-file-read", "compose-environment", "compose-reads-exist"} {
				if strings.Contains(string(found), "["+rule+"]") != (rule == c.rule) {
					t.Errorf("%s: %s", rule, found)
				}
			}
		})
	}
	accepted(t, "Docker Compose "+output(t, bin, "version", "--short"), "which files it reads, and what it refuses of .env")
}
