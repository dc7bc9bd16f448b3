package deployment

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/regex"
)

// Scripts are the scripts of a directory, of those above it that the file system has, and of what lies below, and the commands
// that a README or docs of the directory, or of one above, tell people to run. None is run:
// what one writes is told by its lines, as far as their words say it.
type Scripts struct {
	fsys fs.FS
	read func() []script

	mu    sync.Mutex
	known map[string]string
}

// script is one of them, by what it writes: paths as they stand in it, with the values of its own variables.
type script struct {
	name, dir string
	text      string
	prose     string // all that a README says
	docs      bool   // it tells of more than how to set the stack up: what is there it does not change
	targets   []string
	made      []string // what programs write that it starts in a container
	clones    []string // directories that git fills: all that lies below is written, too
	generates bool     // the files that Synapse's image makes: homeserver.yaml, its log config and signing key
	inside    bool     // it runs in a container, whose own files are of no system that is passed over

	cwd  string   // where it is, from where it began; or an absolute path, or one that begins with a variable
	left []string // where it was, and goes back to

	found string // the names of files that find was asked for last, as {A,B}
}

// NewScripts are those of a deployment. They are read when they are asked for the first time.
func NewScripts(fsys fs.FS) *Scripts {
	s := &Scripts{fsys: fsys, known: make(map[string]string)}
	s.read = sync.OnceValue(s.find)
	return s
}

// Write gives the script that writes a path of the deployment, "" where none is known to.
func (s *Scripts) Write(name string) string {
	if s == nil || name == "" || name == "." {
		return ""
	}
	s.mu.Lock()
	by, ok := s.known[name]
	s.mu.Unlock()
	if ok {
		return by
	}
	_, err := fs.Stat(s.fsys, name)
	for _, one := range s.read() {
		if one.name != name && (err != nil || !one.docs) && one.writes(name) {
			by = one.name
			break
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known[name] = by
	return by
}

// markIn is what stands in a text where somebody is to put a name: {DOMAIN}.
var markIn = regex.Of(`\{[A-Z][A-Z0-9_]*\}`)

// Fill gives the script that writes a path of the deployment and holds a text, or a mark that is part of it, as one that puts
// something else in its place does; "" where none is known to.
func (s *Scripts) Fill(name, text string) string {
	if s.Write(name) == "" || text == "" {
		return ""
	}
	mark := cmp.Or(markIn().FindString(text), text)
	for _, one := range s.read() {
		if !one.docs && strings.Contains(one.text, mark) && one.names(one.targets, name) {
			return one.name
		}
	}
	return ""
}

// writes reports whether one of the paths that the script writes is that one.
func (s *script) writes(name string) bool {
	base := path.Base(name)
	if s.generates && (base == "homeserver.yaml" || strings.HasSuffix(base, ".log.config") || strings.HasSuffix(base, ".signing.key")) {
		return true
	}
	if strings.HasSuffix(base, ".env") && strings.Contains(s.prose, base) { // what it says of one is to make it
		return true
	}
	for dir := path.Dir(name); len(s.clones) > 0 && dir != "." && dir != "/" && path.Base(dir) != ".."; dir = path.Dir(dir) {
		if s.names(s.clones, dir) {
			return true
		}
	}
	return s.names(s.targets, name) || s.names(s.made, name)
}

// names reports whether one of the paths is that one.
func (s *script) names(paths []string, name string) bool {
	return slices.ContainsFunc(paths, func(t string) bool { return s.means(t, name) })
}

// readScript finds what a script writes.
func readScript(name, text string) script {
	s := script{name: name, dir: path.Dir(name), text: text}
	switch {
	case path.Base(name) == dokploy:
		s.mounts()
	case path.Ext(name) == ".md":
		s.text, s.prose = shellOf(text), text
		s.docs = !strings.HasPrefix(strings.ToLower(path.Base(name)), "readme")
		s.parse()
	case isYAML(name) && isPlaybook(text):
		s.playbook()
	default:
		s.parse()
	}
	return s
}

func (s *script) parse() {
	name, text := s.name, s.text
	if ext := path.Ext(name); strings.HasSuffix(ext, "js") || ext == ".ts" {
		s.javascript()
		return
	}
	if strings.HasSuffix(name, ".py") {
		s.cloned()
	}
	vars := make(map[string]string)
	defining, outside, wrappers := "", "", make(map[string]bool) // functions that write what they are given
	var docs []hereDocument
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", " ")) {
		if len(docs) > 0 {
			doc, end := docs[0], strings.TrimRight(line, "\r\n")
			if doc.Blank {
				end = strings.TrimLeft(end, "\t")
			}
			if end == doc.End {
				docs = docs[1:]
				continue
			}
			if !doc.Shell {
				continue
			}
		}
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			continue
		}
		if strings.HasSuffix(name, ".py") || strings.Contains(line, "open(") || strings.Contains(line, "write_text(") {
			s.python(line)
			s.divided(line)
		}
		s.joined(line)
		if before, after, ok := strings.Cut(strings.TrimPrefix(line, "function "), "("); ok && isName(strings.TrimSpace(before)) && strings.HasPrefix(strings.TrimSpace(after), ")") {
			defining = strings.TrimSpace(before)
			outside, s.cwd, s.left = s.cwd, "", nil // from where it is called is not known
		}
		if isMakefile(name) {
			s.cwd, s.left = "", nil // a shell for each line
		}
		list, more := commands(line)
		docs = append(more, docs...) // one within another ends first
		for _, command := range list {
			known := len(s.targets)
			s.command(command, vars)
			given := func(t string) bool { return t == "$1" || t == "$2" || t == "$@" }
			if defining != "" && slices.ContainsFunc(s.targets[known:], given) {
				wrappers[defining] = true
			}
			if wrappers[command[0].text] {
				for _, w := range command[1:] {
					s.add(expandVars(placed(w.text, s.cwd), vars))
				}
			}
		}
		if line == "}" && defining != "" {
			defining, s.cwd = "", outside
		}
	}
}

// command takes what one command writes.
func (s *script) command(words []shellWord, vars map[string]string) {
	var plain []string
	switch words[0].text {
	case subshell:
		s.left = append(s.left, s.cwd)
		return
	case endSubshell, "popd":
		s.back()
		return
	}
	for _, w := range words {
		text := expandVars(placed(w.text, s.cwd), vars)
		if w.into {
			s.add(text)
			continue
		}
		plain = append(plain, text)
	}
	if remote := path.Base(words[0].text); strings.HasPrefix(remote, "ssh") || slices.Contains(shellNames, remote) {
		s.within(words[1:], vars)
	}
	synapse, generate, contained := false, false, false
	for i, w := range plain {
		if name, value, ok := strings.Cut(w, "="); ok && isName(name) {
			vars[name] = value
		}
		synapse = synapse || strings.Contains(w, "synapse") || strings.Contains(w, "SYNAPSE") || strings.Contains(w, "homeserver")
		generate = generate || w == "generate" || w == "migrate_config" || w == "--generate-config" || w == "--generate-keys" || w == "--generate-missing-configs"
		contained = contained || strings.Contains(w, "docker") || strings.Contains(w, "podman") || strings.Contains(w, "compose") || strings.Contains(w, "COMPOSE")
		rest := plain[i+1:]
		switch path.Base(w) {
		case "cd", "pushd":
			if w == "pushd" {
				s.left = append(s.left, s.cwd)
			}
			if len(rest) > 0 && rest[0] != "-" {
				s.cwd = entered(s.cwd, rest[0])
			}
		case "clone": // of git, into the directory that is named last, or the one of the repository's name
			if n := len(rest); n > 0 && slices.Contains(plain[:i], "git") {
				s.clone(rest[n-1])
			}
		case "curl", "wget":
			s.fetched(path.Base(w), rest)
		case "find":
			s.finds(rest)
		case "read": // of what was found
			if n := len(rest); n > 0 && s.found != "" && isName(rest[n-1]) {
				vars[rest[n-1]] = s.found
			}
		case "tee", "touch", "mkdir":
			s.add(rest...)
		case "sed", "perl", "yq", "gsed":
			if slices.ContainsFunc(rest, func(o string) bool {
				return strings.HasPrefix(o, "-i") || strings.HasPrefix(o, "-pi") || strings.HasPrefix(o, "--in") || strings.HasPrefix(o, "-ri") || strings.HasPrefix(o, "-Ei")
			}) {
				s.add(rest...)
			}
		case "cp", "mv", "install", "ln", "rsync", "scp":
			rest = slices.DeleteFunc(slices.Clone(rest), func(o string) bool { return strings.HasPrefix(o, "-") })
			if n := len(rest); n > 1 {
				s.add(rest[n-1])
				for _, from := range rest[:n-1] { // into a directory
					s.add(path.Join(rest[n-1], path.Base(from)))
				}
			}
		case "-o", "-O", "-out", "-keyout", "--output", "--out", "--output-document", "-keyfile":
			if len(rest) > 0 {
				s.add(rest[0])
			}
		default:
			for _, option := range []string{"--output=", "--out=", "of="} {
				if value, ok := strings.CutPrefix(w, option); ok {
					s.add(value)
				}
			}
		}
	}
	if contained && (generate && synapse || slices.Contains(plain, "run") && slices.ContainsFunc(plain, func(w string) bool { return strings.Contains(w, "mautrix") })) {
		s.contained(plain, generate && synapse)
	}
}

// back is the end of a subshell, or of pushd.
func (s *script) back() {
	if n := len(s.left); n > 0 {
		s.cwd, s.left = s.left[n-1], s.left[:n-1]
	}
}

// add takes words as paths, with what braces mean.
func (s *script) add(words ...string) {
	for _, w := range words {
		system := slices.ContainsFunc([]string{"-", "/dev/", "/etc/", "/usr/", "/var/", "/tmp/"}, func(before string) bool { return strings.HasPrefix(w, before) })
		if w == "" || system && !s.inside || s.tests() && ownVariable(w) || len(w) > 300 {
			continue
		}
		before, rest, braced := strings.Cut(w, "{")
		inner, after, closed := strings.Cut(rest, "}")
		if !braced || !closed || strings.HasSuffix(before, "$") || strings.Contains(inner, "{") || !strings.Contains(inner, ",") {
			s.target(strings.NewReplacer("${", "$", "}", "").Replace(w))
			continue
		}
		for one := range strings.SplitSeq(inner, ",") {
			s.add(before + one + after)
		}
	}
}

// tests reports whether the script is a test, which makes directories of its own: what it writes behind a variable is none of
// the deployment's.
func (s *script) tests() bool {
	return slices.ContainsFunc(strings.Split(s.dir, "/"), func(dir string) bool { return dir == "test" || dir == "tests" || dir == "e2e" })
}

// ownVariable reports whether a path begins with a variable of a script, and not with what it is given or what a command says.
func ownVariable(word string) bool {
	rest, ok := strings.CutPrefix(word, "$")
	rest = strings.TrimPrefix(rest, "{")
	return ok && rest != "" && ('A' <= rest[0] && rest[0] <= 'Z' || 'a' <= rest[0] && rest[0] <= 'z')
}

// target takes one path, from where the script is.
func (s *script) target(name string) {
	if rest, ok := strings.CutPrefix(name, base); ok {
		name = strings.TrimPrefix(rest, "/")
	} else if !absolute(name) {
		if absolute(s.cwd) && s.cwd != "" { // which may be where the deployment lies
			s.targets = append(s.targets, path.Clean(name))
		}
		name = path.Join(s.cwd, name)
	}
	s.targets = append(s.targets, path.Clean(name))
}
