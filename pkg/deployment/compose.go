package deployment

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// ComposeNames are the file names that Compose looks for, in its order; compose-go v2, cli/options.go.
var ComposeNames = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}

// overrideNames are the names that Compose looks for next, to lay the first over what it found.
var overrideNames = []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}

// ComposeReads are the files that Compose reads, the first of them at least: those in COMPOSE_FILE, or else the
// first that has one of its names and the first override. by says whether COMPOSE_FILE names them.
func (d *Deployment) ComposeReads() (files []string, by bool) {
	if list, set := d.Env["COMPOSE_FILE"]; set {
		files = strings.Split(list, cmp.Or(d.Env["COMPOSE_PATH_SEPARATOR"], ":"))
		for i := range files {
			files[i] = path.Clean(files[i])
		}
		return files, true
	}
	for _, names := range [][]string{ComposeNames, overrideNames} {
		if there := d.present(names); len(there) > 0 {
			files = append(files, there[0])
		} else if files == nil {
			return nil, false
		}
	}
	return files, false
}

// ComposeIgnored are the files of a name that Compose looks for, and does not read because of another one.
func (d *Deployment) ComposeIgnored() []string {
	var ignored []string
	for _, names := range [][]string{ComposeNames, overrideNames} {
		if there := d.present(names); len(there) > 1 {
			ignored = append(ignored, there[1:]...)
		}
	}
	return ignored
}

func (d *Deployment) present(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, err := fs.Stat(d.FS, name)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// Rendered is the compose file that stackgen writes.
const Rendered = "docker-compose.yml"

// composeFiles are the files to be judged: what Compose reads, unless another one is stackgen's. Then that one is, and a
// rule says that Compose does not read it.
func (d *Deployment) composeFiles() ([]string, *finding.Finding) {
	files, byName := d.ComposeReads()
	if m, err := manifest.Read(d.FS); err == nil && m.Files[Rendered] != (manifest.Entry{}) && len(d.present([]string{Rendered})) > 0 {
		if d.Managed = true; len(files) == 0 || files[0] != Rendered {
			return []string{Rendered}, nil
		}
	}
	switch {
	case len(files) == 0:
		return nil, &finding.Finding{
			Rule: "compose-valid", Severity: finding.Error, Message: "there is no compose file here: " + strings.Join(ComposeNames, ", "),
			Fix: "name the directory of the stack", Sites: []source.Site{{Pos: source.Pos{File: "."}}},
		}
	case byName && d.Env["COMPOSE_FILE"] == "":
		return nil, &finding.Finding{
			Rule: "compose-valid", Severity: finding.Error, Message: "COMPOSE_FILE names no file; Compose refuses that, and starts nothing",
			Fix: "remove the line, or name the compose file in it", Sites: []source.Site{{Pos: source.Pos{File: ".env", Line: d.EnvLine("COMPOSE_FILE")}}},
		}
	case byName && !fs.ValidPath(files[0]):
		return nil, &finding.Finding{
			Rule: "compose-valid", Severity: finding.Error, Message: "Compose reads " + files[0] + ", as COMPOSE_FILE says, which is not below this directory",
			Fix: "name the directory that it lies in", Sites: []source.Site{{Pos: source.Pos{File: ".env", Line: d.EnvLine("COMPOSE_FILE")}}},
		}
	}
	return files, nil
}

// EnvLine is the line of .env that sets a variable; 0 when none does.
func (d *Deployment) EnvLine(name string) int {
	src, err := source.ReadFS(d.FS, ".env")
	if err != nil {
		return 0
	}
	found, n := 0, 0
	for line := range strings.Lines(string(src)) {
		n++
		if _, set := dotenv(line)[name]; set {
			found = n
		}
	}
	return found
}

// readEnv reads .env beside the compose file: Compose takes ${X} from there.
func (d *Deployment) readEnv() {
	src, err := source.ReadFS(d.FS, ".env")
	if err != nil {
		return
	}
	d.Env = dotenv(string(src))
}

// dotenv reads the lines NAME=value of an environment file.
func dotenv(src string) map[string]string {
	env := make(map[string]string)
	for line := range strings.Lines(src) {
		line = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "export "))
		key, val, ok := strings.Cut(line, "=")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		val = strings.TrimSpace(val)
		if q := val[:min(len(val), 1)]; q == `"` || q == "'" {
			val, _, _ = strings.Cut(val[1:], q)
		} else if i := strings.Index(val, " #"); i >= 0 {
			val = strings.TrimSpace(val[:i])
		}
		env[strings.TrimSpace(key)] = val
	}
	return env
}

// Variable knows every form of Compose but those that nest.
var Variable = regex.Of(`\$(\$|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))`)

// Expand gives the text of a value as Compose hands it on. ok is false when a variable in it is set
// nowhere in the directory.
func (d *Deployment) Expand(v source.Value) (text string, ok bool) {
	text, ok = v.Str(), true
	if !strings.Contains(text, "$") { // as in nearly every value
		return text, true
	}
	text = Variable().ReplaceAllStringFunc(text, func(m string) string {
		if m == "$$" {
			return "$"
		}
		g := Variable().FindStringSubmatch(m)
		val, set := d.Env[g[2]+g[5]]
		there := set && (val != "" || !strings.HasPrefix(g[3], ":"))
		switch {
		case strings.HasSuffix(g[3], "+"):
			if !there {
				return ""
			}
			return g[4]
		case strings.HasSuffix(g[3], "-") && !there:
			return g[4]
		case !there && (!set || g[3] != ""):
			ok = false
		}
		return val
	})
	return text, ok
}
