package deployment

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// ComposeNames are the file names that Compose looks for, in its order; compose-go v2, cli/options.go.
var ComposeNames = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}

// overrideNames are the names that Compose looks for next, to lay the first over what it found.
var overrideNames = []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}

// composeFiles are the files that Compose reads, the first of them at least: those in COMPOSE_FILE, or else the
// first that has one of its names and the first override.
func (d *Deployment) composeFiles() ([]string, *finding.Finding) {
	if list := d.Env["COMPOSE_FILE"]; list != "" {
		separator := cmp.Or(d.Env["COMPOSE_PATH_SEPARATOR"], ":")
		names := strings.Split(list, separator)
		for i := range names {
			names[i] = path.Clean(names[i])
		}
		if !fs.ValidPath(names[0]) {
			return nil, &finding.Finding{
				Rule: "compose-valid", Severity: finding.Error, Message: "Compose reads " + names[0] + ", as COMPOSE_FILE says, which is not below this directory",
				Fix: "name the directory that it lies in", Sites: []source.Site{{Pos: source.Pos{File: ".env"}}},
			}
		}
		return names, nil
	}
	there := func(name string) bool {
		_, err := fs.Stat(d.FS, name)
		return !errors.Is(err, fs.ErrNotExist)
	}
	i := slices.IndexFunc(ComposeNames, there)
	if i < 0 {
		return nil, &finding.Finding{
			Rule: "compose-valid", Severity: finding.Error, Message: "there is no compose file here: " + strings.Join(ComposeNames, ", "),
			Fix: "name the directory of the stack", Sites: []source.Site{{Pos: source.Pos{File: "."}}},
		}
	}
	names := []string{ComposeNames[i]}
	if i := slices.IndexFunc(overrideNames, there); i >= 0 {
		names = append(names, overrideNames[i])
	}
	return names, nil
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
