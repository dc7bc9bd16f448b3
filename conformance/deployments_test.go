package conformance

import (
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/deployment/compose/project"
	"philipp.info/stackgen/pkg/fixture"
)

// Docker Compose takes or refuses each form of the deployments as its want says, and merges its files to what is made of
// them here; Synapse, the newest and the oldest, starts with what Compose gives its container, or stops.
func TestDeployments(t *testing.T) {
	bin := program(t, ".bin/docker-compose")
	version := "Docker Compose " + output(t, bin, "version", "--short")
	deployments, err := fixture.Read("../pkg/check/testdata/deployments")
	if err != nil || len(deployments) < 25 {
		t.Fatal(len(deployments), err)
	}
	var starts []*start
	top := t.TempDir()
	for _, d := range deployments {
		t.Run(d.Name, func(t *testing.T) {
			for _, form := range d.Forms {
				dir := filepath.Join(top, d.Name, strings.ReplaceAll(form.Name, " ", "-"), "matrix")
				for name, f := range form.Tree {
					writeFile(t, filepath.Join(dir, name), f.Data)
				}
				merged, talk := asked(t, bin, dir, d.Files)
				if refuses := merged == nil; refuses != form.Says("Docker Compose refuses") {
					t.Errorf("%s: Docker Compose refuses: %v: %s", form.Name, refuses, talk)
				}
				if merged == nil {
					continue
				}
				p := project.Load(os.DirFS(dir), project.Options{Files: d.Files, Name: "matrix"})
				if len(p.Unread) == 0 {
					if diff := cmp.Diff(merged, ours(t, bin, dir, p)); diff != "" {
						t.Errorf("%s: - Docker Compose, + what is made here:\n%s", form.Name, diff)
					}
				}
				found := synapses(t, filepath.Join(dir, "container"), merged)
				if unseen := len(found) == 0; unseen != form.Says("Synapse unseen") {
					t.Errorf("%s: Synapse's configuration is not among the files: %v", form.Name, unseen)
				}
				for _, s := range found {
					s.deployment, s.form = d.Name, form
					starts = append(starts, s)
				}
			}
			accepted(t, version, "the deployment "+d.Name)
		})
	}
	for _, oldest := range []bool{false, true} {
		startAll(t, starts, oldest)
	}
}

// asked is what Docker Compose makes of a directory; nil where it refuses, with what it says.
func asked(t *testing.T, bin, dir string, files []string) (merged map[string]any, talk string) {
	t.Helper()
	args := []string{"--profile", "*"}
	for _, f := range files {
		args = append(args, "-f", f)
	}
	cmd := exec.CommandContext(t.Context(), bin, append(args, "config", "--format", "json")...)
	cmd.Dir, cmd.Env = dir, []string{"DOCKER_HOST=unix:///nowhere"}
	var text strings.Builder
	cmd.Stderr = &text
	out, err := cmd.Output()
	if err != nil {
		return nil, text.String()
	}
	if err := json.Unmarshal(out, &merged); err != nil {
		t.Fatal(err)
	}
	return merged, text.String()
}

// ours is what Docker Compose makes of the project as it is merged here.
func ours(t *testing.T, bin, dir string, p *project.Project) map[string]any {
	t.Helper()
	if len(p.Faults) > 0 {
		t.Fatal(p.Faults)
	}
	text, err := json.Marshal(p.File.Root().Any())
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "merged.json"), []byte(strings.ReplaceAll(string(text), "$", "$$")))
	merged, talk := asked(t, bin, dir, []string{"merged.json"})
	if merged == nil {
		t.Error(talk)
	}
	return merged
}

// start is one Synapse with the files that Compose gives its container.
type start struct {
	deployment string
	form       fixture.Form
	Args       []string
}

var synapseImage = regexp.MustCompile(`(^|/)synapse(:|@|$)`)

// synapses lays out below dir what the containers of Synapse see, as far as it lies among the files.
func synapses(t *testing.T, dir string, merged map[string]any) (found []*start) {
	t.Helper()
	services, _ := merged["services"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(services)) {
		s, _ := services[name].(map[string]any)
		if image, _ := s["image"].(string); !synapseImage.MatchString(image) && name != "synapse" {
			continue
		}
		root := filepath.Join(dir, name)
		var targets []string
		for _, m := range list(s["volumes"]) {
			from, _ := m["source"].(string)
			to, _ := m["target"].(string)
			if targets = append(targets, to); m["type"] == "bind" {
				copyIn(t, from, filepath.Join(root, to))
			}
		}
		for _, kind := range []string{"configs", "secrets"} {
			defined, _ := merged[kind].(map[string]any)
			for _, m := range list(s[kind]) {
				from, _ := m["source"].(string)
				to, _ := m["target"].(string)
				switch {
				case to == "" && kind == "configs":
					to = "/" + from
				case !path.IsAbs(to):
					to = path.Join("/run/secrets", cmpOr(to, from))
				}
				targets = append(targets, to)
				d, _ := defined[from].(map[string]any)
				if file, ok := d["file"].(string); ok {
					copyIn(t, file, filepath.Join(root, to))
				}
				if content, ok := d["content"].(string); ok {
					writeFile(t, filepath.Join(root, to), []byte(strings.ReplaceAll(content, "$$", "$")))
				}
			}
		}
		inside(t, root, targets)
		if args := arguments(t, root, s); len(args) > 0 {
			found = append(found, &start{Args: args})
		}
	}
	return found
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func list(v any) (maps []map[string]any) {
	items, _ := v.([]any)
	for _, i := range items {
		if m, ok := i.(map[string]any); ok {
			maps = append(maps, m)
		}
	}
	return maps
}

func copyIn(t *testing.T, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		return // Docker makes an empty directory
	}
	if !info.IsDir() {
		data, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, to, data)
		return
	}
	entries, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		copyIn(t, filepath.Join(from, e.Name()), filepath.Join(to, e.Name()))
	}
}

// inside makes the paths of the container, in the files that it sees, those below root.
func inside(t *testing.T, root string, targets []string) {
	t.Helper()
	var words []string
	for _, to := range append(targets, "/data", "/run/secrets", "/config") {
		words = append(words, regexp.QuoteMeta(strings.TrimSuffix(to, "/")))
	}
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	paths := regexp.MustCompile(`(^|[\s"'=:,\[{(])(` + strings.Join(words, "|") + `)([/\s"',\]})]|$)`)
	err := filepath.WalkDir(root, func(name string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		data, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		text := regexp.MustCompile("(?m)"+paths.String()).ReplaceAllString(string(data), "${1}"+root+"${2}${3}")
		return os.WriteFile(name, []byte(text), 0o600)
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	// What is written to is there.
	for _, dir := range []string{"data", "media"} {
		if err := os.MkdirAll(filepath.Join(root, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// arguments are those by which the image's start script hands Synapse its configuration (docker/start.py).
func arguments(t *testing.T, root string, s map[string]any) (args []string) {
	t.Helper()
	env, _ := s["environment"].(map[string]any)
	value := func(name, otherwise string) string {
		v, _ := env[name].(string)
		return cmpOr(v, otherwise)
	}
	var words []string
	for _, key := range []string{"entrypoint", "command"} {
		items, _ := s[key].([]any)
		for _, w := range items {
			word, _ := w.(string)
			words = append(words, strings.ReplaceAll(word, "$$", "$"))
		}
	}
	for i, w := range words {
		for _, flag := range []string{"-c", "--config-path"} {
			if after, ok := strings.CutPrefix(w, flag+"="); ok {
				args = append(args, "-c", filepath.Join(root, absolute(after)))
			} else if w == flag && i+1 < len(words) {
				args = append(args, "-c", filepath.Join(root, absolute(words[i+1])))
			}
		}
	}
	if len(args) == 0 {
		dir := absolute(value("SYNAPSE_CONFIG_DIR", "/data"))
		args = []string{"-c", filepath.Join(root, absolute(value("SYNAPSE_CONFIG_PATH", dir+"/homeserver.yaml")))}
	}
	for i := 1; i < len(args); i += 2 {
		if _, err := os.Stat(args[i]); err != nil {
			return nil
		}
	}
	return args
}

// absolute is a path from the directory that the image's start script runs in.
func absolute(name string) string {
	if path.IsAbs(name) {
		return name
	}
	return path.Join("/", name)
}

// loadEach says for each list of arguments, one a line, whether Synapse takes it, its appservices as well.
const loadEach = `import json, sys, os
sys.stdout, out = sys.stderr, sys.stdout
from synapse.config.homeserver import HomeServerConfig
from synapse.config.appservice import load_appservices
for args in json.load(open(sys.argv[1])):
    try:
        c = HomeServerConfig.load_config("", args)
        load_appservices(c.server.server_name, c.appservice.app_service_config_files)
        print("takes", file=out)
    except SystemExit as e:
        print("stops", str(e).replace("\n", " "), file=out)
    except BaseException as e:
        print("stops", type(e).__name__, str(e).replace("\n", " ")[:200], file=out)`

func startAll(t *testing.T, starts []*start, oldest bool) {
	t.Helper()
	bin := program(t, ".venv/bin/python")
	var each [][]string
	for _, s := range starts {
		each = append(each, s.Args)
	}
	text, err := json.Marshal(each)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "each.json")
	writeFile(t, file, text)
	run := func(script string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), bin, append([]string{"-c", script}, args...)...)
		if cmd.Env = os.Environ(); oldest {
			cmd.Env = append(cmd.Env, "PYTHONPATH="+program(t, ".synapse-oldest"))
		}
		var talk strings.Builder
		cmd.Stderr = &talk
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err, talk.String())
		}
		return strings.TrimSpace(string(out))
	}
	version := run("import synapse; print(synapse.__version__.split()[0])")
	verdicts := strings.Split(run(loadEach, file), "\n")
	if len(verdicts) != len(starts) {
		t.Fatal(len(verdicts), len(starts))
	}
	stopped := make(map[string]string) // by the name of a form, what one of its Synapses says
	for i, s := range starts {
		if strings.HasPrefix(verdicts[i], "stops") {
			stopped[s.deployment+"/"+s.form.Name] = verdicts[i]
		}
	}
	for _, s := range starts {
		name := s.deployment + "/" + s.form.Name
		if said := s.form.Says("Synapse stops") || s.form.Says("Synapse "+version+" stops"); (stopped[name] != "") != said {
			t.Errorf("%s: Synapse %s %s", name, version, stopped[name])
		}
	}
	accepted(t, "Synapse "+version, "the homeserver.yaml of each deployment, or stops at it")
}
