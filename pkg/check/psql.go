package check

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

// getopt is how a program of PostgreSQL reads its command line: its one-letter options as for getopt(3), and
// the letters that its long ones stand for.
type getopt struct {
	letters string
	long    map[string]byte
	words   int // that may stand without an option
}

// Of psql --help and pg_isready --help in PostgreSQL 17.
var (
	psqlOptions = getopt{"aAbc:d:eEf:F:h:HlL:no:p:P:qR:sStT:U:v:VwWxXz01?", map[string]byte{
		"command": 'c', "dbname": 'd', "file": 'f', "host": 'h', "port": 'p', "username": 'U', "set": 'v', "variable": 'v',
		"log-file": 'L', "output": 'o', "field-separator": 'F', "pset": 'P', "record-separator": 'R', "table-attr": 'T',
	}, 2}
	isReadyOptions = getopt{"d:h:p:qt:U:", map[string]byte{"dbname": 'd', "host": 'h', "port": 'p', "timeout": 't', "username": 'U'}, 0}
)

// commandLine is what a command line says. fault is why the program refuses it, in words that follow its name.
type commandLine struct {
	values map[byte][]string
	words  []string
	fault  string
}

func (l commandLine) value(letter byte) string {
	vs := l.values[letter]
	if len(vs) == 0 {
		return ""
	}
	return vs[len(vs)-1]
}

func (g getopt) read(args []string) commandLine {
	l := commandLine{values: make(map[byte][]string)}
	for i := 0; i < len(args); i++ {
		w := args[i]
		switch {
		case w == "-" || !strings.HasPrefix(w, "-"):
			if l.words = append(l.words, w); len(l.words) > g.words {
				l.fault = "takes no " + w + " there"
			}
		case strings.HasPrefix(w, "--"):
			name, val, given := strings.Cut(w[2:], "=")
			letter, takes := g.long[name]
			if takes && !given {
				if i++; i == len(args) {
					l.fault = "wants something behind " + w
					break
				}
				val = args[i]
			}
			l.values[letter] = append(l.values[letter], val)
		default:
			i = g.cluster(&l, args, i)
		}
	}
	return l
}

// cluster reads the letters behind one dash, and gives the index of the last argument that they take.
func (g getopt) cluster(l *commandLine, args []string, i int) int {
	for rest := args[i][1:]; rest != ""; {
		letter := rest[0]
		rest = rest[1:]
		at := strings.IndexByte(g.letters, letter)
		switch {
		case at < 0 || letter == ':':
			l.fault = "knows no -" + string(rune(letter))
			return i
		case !strings.HasPrefix(g.letters[at+1:], ":"):
			l.values[letter] = append(l.values[letter], "")
		case rest != "":
			l.values[letter] = append(l.values[letter], rest)
			return i
		case i+1 == len(args):
			l.fault = "wants something behind -" + string(rune(letter))
			return i
		default:
			l.values[letter] = append(l.values[letter], args[i+1])
			return i + 1
		}
	}
	return i
}

// job is a service that runs a script against a server and ends.
type job struct {
	client
	scripts []string // below the deployment
	opaque  string   // why a script cannot be seen
	fault   string   // why the script does not run, after the name of the service; "" where nothing is wrong
	line    commandLine
	psql    bool // its command is psql itself, and line what it says
}

// awaited reports whether a service waits until s has done its work.
func (d *Deployment) awaited(s *Service) bool {
	return slices.ContainsFunc(d.Services, func(o *Service) bool {
		return slices.ContainsFunc(d.dependencies(o), func(dep dependency) bool {
			return dep.on == s && dep.condition == "service_completed_successfully"
		})
	})
}

// jobs are the services that run scripts of the stack with PostgreSQL's own image, without its server.
func (d *Deployment) jobs() []job {
	var jobs []job
	servers := d.servers()
	for _, s := range d.Services {
		words := s.Command()
		if s.Program != image.Postgres || slices.Contains(servers, s) && !slices.Contains(words, "-f") {
			continue
		}
		if j := d.job(s, words); len(j.scripts) > 0 || j.opaque != "" || j.fault != "" {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

func (d *Deployment) job(s *Service, words []string) job {
	j := job{client: client{service: s}}
	for i, w := range words {
		name, isFlag := strings.CutPrefix(w, "--file=")
		if (w == "-f" || w == "--file") && i+1 < len(words) {
			name, isFlag = words[i+1], true
		}
		if !isFlag {
			continue
		}
		if host, reason := s.HostPath(s.inside(name)); reason == "" {
			j.scripts = append(j.scripts, host)
		} else if !leadsNowhere(reason) {
			j.opaque = "the script of " + s.Name + " cannot be seen: " + reason
		}
	}
	if len(words) == 0 || !d.awaited(s) && len(j.scripts) == 0 {
		return j
	}
	switch program := path.Base(words[0]); {
	case strings.HasPrefix(words[0], "-"):
		j.fault = "has a command that begins with " + words[0] + ", which the image hands to the server"
	case program == "psql":
		j.psql, j.line = true, psqlOptions.read(words[1:])
		j.psqlFault()
	case nearest(program, []string{"psql"}) != "":
		j.fault = "runs " + program + ", which its image does not have"
	}
	j.connection(d)
	return j
}

// psqlFault finds why psql refuses its command line, or has nothing to do.
func (j *job) psqlFault() {
	l := j.line
	_, runs := l.values['f']
	_, command := l.values['c']
	switch {
	case l.fault != "":
		j.fault = "does not run its script: psql " + l.fault
	case slices.ContainsFunc(l.values['v'], func(v string) bool { return strings.HasPrefix(v, "-") }):
		j.fault = "does not run its script: psql takes the option behind -v for a variable"
	case len(l.words) > 0 && strings.Contains(l.words[0], "=") && connectionOption(l.words[0]) == "":
		j.fault = "does not run its script: psql takes " + l.words[0] + " for a connection"
	case !runs && !command:
		j.fault = "gives psql no script"
	}
	for _, v := range l.values['v'] {
		if name, val, given := strings.Cut(v, "="); name == errorStop && given {
			if _, ok := psqlBool(val); !ok {
				j.fault = "does not run its script: psql takes only on or off for " + errorStop
			}
		}
	}
}

// errorStop is the variable that has psql stop, and exit with 3, at the first error of a script.
const errorStop = "ON_ERROR_STOP"

// psqlBool reads a switch as ParseVariableBool of psql does.
func psqlBool(text string) (on, ok bool) {
	text = strings.ToLower(text)
	is := func(word string) bool { return text != "" && strings.HasPrefix(word, text) }
	switch {
	case text == "on", text == "1", is("true"), is("yes"):
		return true, true
	case text == "of", text == "off", text == "0", is("false"), is("no"):
		return false, true
	}
	return false, false
}

// connectionOption is the first name in a connection string of libpq, where it is one of its own.
func connectionOption(text string) string {
	name, _, _ := strings.Cut(text, "=")
	if strings.Contains(text, "://") || strings.ToLower(name) == name {
		return name
	}
	return ""
}

// connection reads what libpq goes by: the command line, and else the environment.
func (j *job) connection(d *Deployment) {
	s, env := j.service, j.service.Value.At("environment")
	at := func(name string, letter byte) (string, source.Value) {
		if val := j.line.value(letter); val != "" {
			return val, s.Value.At("command")
		}
		val, v := s.Env(name)
		if s.envHidden(name) != "" {
			return "", v
		}
		return val, v
	}
	j.at = env
	j.host, j.hostAt = at("PGHOST", 'h')
	j.port, j.portAt = at("PGPORT", 'p')
	j.user, j.userAt = at("PGUSER", 'U')
	if j.db, j.at = at("PGDATABASE", 'd'); len(j.line.words) > 0 && j.fault == "" {
		j.db, j.at = j.line.words[0], s.Value.At("command")
	}
	j.db = cmp.Or(j.db, j.user)
	j.password, j.passwordAt = s.Env("PGPASSWORD")
	j.passwordReason = s.envHidden("PGPASSWORD")
	if file, v := s.Env("PGPASSFILE"); file != "" && !j.passwordAt.Exists() {
		j.passwordAt = v
		j.fromPassfile(d, file, v)
	}
}
