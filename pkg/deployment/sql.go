package deployment

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// role is a role that a script gives a password; reason says why the password cannot be seen.
type role struct {
	Password, Reason string
	Site             source.Site
	Reader           *Service // whose container the password is read in, where it stands in a file
}

// Database is a database that a script creates.
type Database struct {
	Owner          string
	Site           source.Site
	Statement      string // what creates it; "" when the image does, with the cluster
	FirstStartOnly bool   // by the init directory, which a cluster that is in use never runs again
}

// provision is what creates roles and databases on one server.
type provision struct {
	server    *Service
	Roles     map[string]role
	Databases map[string]Database
	named     map[string]source.Site // where a script gives itself a name
	Opaque    string                 // why not everything can be seen
	Broken    bool                   // something that creates them does not run
}

// Meant is where the script names the role or database that is nearest to a name which nothing creates.
func (p *provision) Meant(name string) []source.Site {
	if near := finding.Nearest(name, slices.Collect(maps.Keys(p.named))); near != "" {
		return []source.Site{p.named[near]}
	}
	return nil
}

func (p *provision) Site() source.Site {
	return p.server.Site("the database server")
}

// KeysOf lists the keys of a map in a sentence, sorted.
func KeysOf[V any](m map[string]V) string {
	return strings.Join(slices.Sorted(maps.Keys(m)), ", ")
}

// scripts lists the files of an init directory, or the file itself.
func (d *Deployment) scripts(host string) []string {
	entries, err := fs.ReadDir(d.FS, host)
	if err != nil {
		return []string{host}
	}
	var names []string
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, path.Join(host, e.Name()))
		}
	}
	return names
}

var (
	psqlSet        = regex.Of(`^\\set\s+(\w+)\s+(.*)$`)
	catFile        = regex.Of("^`cat\\s+(\\S+)`$")
	createDatabase = regex.Of(`(?i)CREATE\s+DATABASE\s+("[^"]+"|:"?'?\w+"?'?|%I|\$\{?\w+\}?|[\w-]+)(.*)`)
	createRole     = regex.Of(`(?i)(?:CREATE|ALTER)\s+(?:ROLE|USER)\s+("[^"]+"|:"?'?\w+"?'?|%I|\$\{?\w+\}?|[\w-]+)(.*)`)
	ownerOf        = regex.Of(`(?i)OWNER\s*=?\s*("[^"]+"|:"?'?\w+"?'?|%I|[\w-]+)`)
	passwordOf     = regex.Of(`(?i)PASSWORD\s+('(?:[^']|'')*'|:'?\w+'?)`)
	formatArgs     = regex.Of(`:'(\w+)'`)
	createuser     = regex.Of(`\bcreateuser\b.*?\s([\w-]+)\s*$`)
	otherFile      = regex.Of(`^\\ir?\s|\bpsql\b.*\s(?:-f|--file)\b|\bpg_restore\b`)
	hashed         = regex.Of(`^(?:md5[0-9a-f]{32}$|SCRAM-SHA-256\$)`)
	continued      = regex.Of(`(?i)^\s*(?:WITH|OWNER|TEMPLATE|ENCODING|LOCALE|LC_|ICU_|BUILTIN_|STRATEGY|TABLESPACE|ALLOW_|CONNECTION|IS_TEMPLATE|;)`)
	createdb       = regex.Of(`\bcreatedb\b.*?\s([\w-]+)\s*$`)
)

// script reads an SQL or shell script for the roles and databases that it makes. It knows psql's \set, with
// a value or with `cat FILE`, and format('… %I', :'name').
func (p *provision) script(d *Deployment, s *Service, host string, first bool) {
	src, err := source.ReadFS(d.FS, host)
	if err != nil {
		p.Opaque = host + " cannot be read"
		return
	}
	d.keepText(host, src)
	vars := make(map[string]string)
	reasons := make(map[string]string)
	secret := make(map[string]source.Site)
	lines := strings.Split(string(src), "\n")
	for i := range lines {
		n := i + 1
		line := strings.ReplaceAll(strings.TrimSpace(lines[i]), `\"`, `"`)
		if otherFile().MatchString(line) {
			p.Opaque = host + " runs another script"
		}
		site := source.Site{Pos: source.Pos{File: host, Line: n, Col: 1}, Note: "created here"}
		if strings.HasPrefix(line, "--") || strings.HasPrefix(line, "#") {
			continue
		}
		if g := psqlSet().FindStringSubmatch(line); g != nil {
			vars[g[1]] = strings.Trim(g[2], "'")
			secret[g[1]] = site
			p.named[vars[g[1]]] = source.Site{Pos: site.Pos, Note: "most likely this one is meant"}
			if c := catFile().FindStringSubmatch(g[2]); c != nil {
				text, at, reason := d.Text(s, c[1])
				vars[g[1]], reasons[g[1]] = strings.TrimRight(text, "\n"), reason
				secret[g[1]] = source.Site{Pos: site.Pos, Note: "it is read here"}
				if at != "" {
					secret[g[1]] = source.Site{Pos: source.Pos{File: at}, Note: "the password that the role is given"}
				}
			}
			continue
		}
		name := func(word string) string { return resolveName(word, line, 0, vars) }
		if g := createRole().FindStringSubmatch(line); g != nil {
			p.addRole(s, name(g[1]), line, vars, reasons, secret, site)
		} else if g := createuser().FindStringSubmatch(line); g != nil {
			p.addRole(s, g[1], line, vars, reasons, secret, site)
		}
		g := createDatabase().FindStringSubmatch(line)
		if g == nil {
			if c := createdb().FindStringSubmatch(line); c != nil {
				g = []string{line, c[1], ""}
			}
		}
		if g != nil {
			db := Database{Site: site, FirstStartOnly: first, Statement: statement(lines[i:])}
			if o := ownerOf().FindStringSubmatch(db.Statement); o != nil {
				before, _, _ := strings.Cut(db.Statement, o[0])
				db.Owner = resolveName(o[1], db.Statement, strings.Count(before, "%"), vars)
			}
			n := name(g[1])
			if strings.HasPrefix(n, "$") {
				p.Opaque = fmt.Sprintf("%s makes databases whose names stand in variables", host)
				continue
			}
			if old, ok := p.Databases[n]; ok && !old.FirstStartOnly && first {
				continue
			}
			p.Databases[n] = db
		}
	}
}

// statement is the one that begins on the first line, up to its semicolon, \gexec or the first line of another.
func statement(lines []string) string {
	const longest = 10
	text := lines[0]
	for _, line := range lines[1:min(len(lines), longest)] {
		if strings.Contains(text, ";") || strings.Contains(text, `\gexec`) || !continued().MatchString(line) {
			break
		}
		text += " " + strings.TrimSpace(line)
	}
	return text
}

func (p *provision) addRole(s *Service, name, line string, vars, reasons map[string]string, secret map[string]source.Site, site source.Site) {
	if strings.HasPrefix(name, "$") {
		p.Opaque = site.File + " makes roles whose names stand in variables"
		return
	}
	r, known := p.Roles[name]
	g := passwordOf().FindStringSubmatch(line)
	switch {
	case g == nil && known:
		return
	case g == nil:
		r = role{Site: site, Reason: "the password of the role " + name + " is set somewhere else"}
	case strings.HasPrefix(g[1], ":"):
		v := strings.Trim(g[1], ":'")
		r = role{Site: secret[v], Password: vars[v], Reason: reasons[v], Reader: s}
	default:
		r = role{Site: site, Password: strings.ReplaceAll(g[1][1:len(g[1])-1], "''", "'")}
		switch {
		case hashed().MatchString(r.Password):
			r.Reason = "the password of the role " + name + " is hashed"
		case strings.Contains(r.Password, "$") && path.Ext(site.File) != ".sql":
			r.Password, r.Reason = scriptText(s, r.Password)
		}
	}
	p.Roles[name] = r
}

// shellVariable is one of a shell script.
var shellVariable = regex.Of(`\$(\$|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))`)

// scriptText replaces the variables of a shell script by those of the container.
func scriptText(s *Service, text string) (expanded, reason string) {
	expanded = shellVariable().ReplaceAllStringFunc(text, func(m string) string {
		g := shellVariable().FindStringSubmatch(m)
		name := g[2] + g[5]
		val, v := s.Env(name)
		if name == "" || g[3] != "" || !v.Exists() || s.EnvHidden(name) != "" {
			reason = "the password stands in a variable of the script"
		}
		return val
	})
	return expanded, reason
}

// resolveName follows quotes, :"var" and a %I, whose argument is the :'var' of the line behind those of the placeholders
// before it.
func resolveName(word, line string, before int, vars map[string]string) string {
	if word == "%I" {
		if args := formatArgs().FindAllStringSubmatch(line, -1); before < len(args) {
			return vars[args[before][1]]
		}
		return "$"
	}
	if strings.HasPrefix(word, ":") {
		return vars[strings.Trim(word, `:"'`)]
	}
	if strings.HasPrefix(word, `"`) || strings.HasPrefix(word, "$") {
		return strings.Trim(word, `"`)
	}
	return strings.ToLower(word)
}
