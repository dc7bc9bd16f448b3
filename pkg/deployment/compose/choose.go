package compose

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose/project"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// rendered is the compose file that stackgen writes.
const rendered = "docker-compose.yml"

// choose tells the files that Compose reads, the first of them at least: those in COMPOSE_FILE, or else the first that
// has one of its names and the first override.
func (p *Project) choose() deployment.Chosen {
	c := deployment.Chosen{Rendered: rendered}
	if len(p.options.Files) > 0 {
		c.Files = p.options.Files
		return c
	}
	if m, err := manifest.Read(p.fsys); err == nil {
		c.Managed = m.Files[rendered] != (manifest.Entry{}) && p.marked()
	}
	if list, set := p.Env["COMPOSE_FILE"]; set {
		c.Named = true
		for name := range strings.SplitSeq(list, cmp.Or(p.Env["COMPOSE_PATH_SEPARATOR"], ":")) {
			c.Files = append(c.Files, path.Clean(name))
		}
		return c
	}
	for _, names := range [][]string{Names, project.OverrideNames} {
		if there := p.present(names); len(there) > 0 {
			c.Files = append(c.Files, there[0])
		} else if c.Files == nil {
			break
		}
	}
	return c
}

// marked reports whether stackgen wrote the compose file, and nobody has put another one in its place since: a stack that
// was moved back to what it was has the record of the render still.
func (p *Project) marked() bool {
	if info, err := fs.Stat(p.fsys, rendered); err != nil || !info.Mode().IsRegular() {
		return false // a pipe would be waited for
	}
	src, err := fs.ReadFile(p.fsys, rendered)
	return err == nil && strings.HasPrefix(string(src), "# Rendered by stackgen from ")
}

func (p *Project) present(names []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		_, err := fs.Stat(p.fsys, name)
		return errors.Is(err, fs.ErrNotExist)
	})
}

// files are those to be judged: what Compose reads, unless another one is stackgen's. Then that one is, and a rule says
// that Compose does not read it.
func (p *Project) files(d *deployment.Deployment) ([]string, *finding.Finding) {
	c := d.Chosen
	if c.Managed && (len(c.Files) == 0 || c.Files[0] != rendered) {
		return []string{rendered}, nil
	}
	setting := func() []source.Site {
		return []source.Site{{Pos: d.Env.Pos("COMPOSE_FILE")}}
	}
	switch {
	case len(c.Files) == 0:
		f := &finding.Finding{
			Rule: "compose-valid", Severity: finding.Error, Message: "there is no compose file here: " + strings.Join(Names, ", "),
			Fix: "name the directory of the stack", Sites: []source.Site{{Pos: source.Pos{File: "."}}},
		}
		if others := p.others(); len(others) > 0 {
			f.Fix = "name the one that is meant: " + strings.Join(others, ", or ")
		}
		return nil, f
	case c.Named && p.Env["COMPOSE_FILE"] == "":
		return nil, &finding.Finding{
			Rule: "compose-valid", Severity: finding.Error, Message: "COMPOSE_FILE names no file; Compose refuses that, and starts nothing",
			Fix: "remove the line, or name the compose file in it", Sites: setting(),
		}
	case c.Named && p.beyond(c.Files[0]):
		return nil, &finding.Finding{
			Rule: "compose-valid", Severity: finding.Error, Message: "Compose reads " + c.Files[0] + ", as COMPOSE_FILE says, which is not below this directory",
			Fix: "name the directory that it lies in", Sites: setting(),
		}
	}
	if c.Named {
		return nil, nil // they are found as Compose does
	}
	return c.Files, nil
}

// others are the ways to name what looks like a compose file, here under another name and in the directories below.
func (p *Project) others() (ways []string) {
	const most = 5
	entries, _ := fs.ReadDir(p.fsys, ".")
	for _, e := range entries {
		name := e.Name()
		switch below, _ := path.Match("*compose*.y*ml", name); {
		case len(ways) == most:
			return append(ways, "…")
		case below && !e.IsDir():
			ways = append(ways, "-f "+shell.Path(name))
		case e.IsDir() && !strings.HasPrefix(name, ".") && slices.ContainsFunc(Names, func(file string) bool {
			_, err := fs.Stat(p.fsys, path.Join(name, file))
			return err == nil
		}):
			ways = append(ways, "the directory "+shell.Path(name))
		}
	}
	return ways
}

// beyond reports whether a path is outside of all that can be seen.
func (p *Project) beyond(name string) bool {
	return source.Beyond(p.fsys, name)
}

// located is the path from the directory of what lies at an absolute one of the machine; "" where that cannot be read.
func (p *Project) located(name string) string {
	if p.options.Dir == "" || !path.IsAbs(name) {
		return ""
	}
	from, to := strings.Split(path.Clean(p.options.Dir), "/"), strings.Split(path.Clean(name), "/")
	for len(from) > 0 && len(to) > 0 && from[0] == to[0] {
		from, to = from[1:], to[1:]
	}
	below := path.Join(strings.Repeat("../", len(from)), path.Join(to...))
	if below == "" {
		below = "."
	}
	if p.beyond(below) {
		return ""
	}
	return below
}

// environmentFiles are .env beside the compose file, and where Compose is called: it takes ${X} from there.
func (p *Project) environmentFiles() deployment.Environment {
	e := deployment.Environment{Values: p.Env}
	for _, f := range p.EnvFiles {
		e.Files = append(e.Files, deployment.EnvironmentFile{Path: f.Name, Text: f.Text, Err: f.Err, Odd: f.Odd, Unparsed: func() int { return unparsed(string(f.Text)) }})
	}
	e.Pos = func(name string) source.Pos {
		for _, f := range p.EnvFiles {
			if n := lineOf(string(f.Text), name); n > 0 {
				return source.Pos{File: f.Name, Line: n}
			}
		}
		return source.Pos{File: ".env"}
	}
	e.Taken = func() (taken []deployment.Leaf) {
		for _, v := range p.Variables {
			if len(v.Values) > 0 {
				taken = append(taken, written(v))
			}
		}
		return taken
	}
	return e
}

// lineOf is the last line of an environment file that sets a variable; 0 when none does.
func lineOf(text, name string) (found int) {
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "export"); ok && rest != strings.TrimSpace(rest) {
			line = strings.TrimSpace(rest)
		}
		// compose-go's dotenv takes a colon for the sign as well.
		if i := strings.IndexAny(line, "=:"); i >= 0 && strings.TrimSpace(line[:i]) == name {
			found = n
		}
	}
	return found
}

// unparsed is the first line of an environment file that Compose does not take; 0 when it takes all.
func unparsed(src string) int {
	parses := func(text string) bool {
		_, err := dotenv.ParseWithLookup(strings.NewReader(text), func(string) (string, bool) { return "", true })
		return err == nil
	}
	if parses(src) {
		return 0
	}
	// A value may have several lines, though not very many: what parses by itself is behind us.
	const longest = 200
	begin, n, chunk := 1, 0, ""
	for line := range strings.Lines(src) {
		n++
		if chunk += line; parses(chunk) {
			begin, chunk = n+1, ""
		}
		if n-begin > longest {
			break
		}
	}
	return min(begin, max(n, 1))
}
