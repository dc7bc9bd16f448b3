package deployment

import (
	"cmp"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
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
	IsReadyOptions = getopt{"d:h:p:qt:U:", map[string]byte{"dbname": 'd', "host": 'h', "port": 'p', "timeout": 't', "username": 'U'}, 0}
)

// commandLine is what a command line says. fault is why the program refuses it, in words that follow its name.
type commandLine struct {
	Values map[byte][]string
	words  []string
	Fault  string
}

func (l commandLine) Value(letter byte) string {
	vs := l.Values[letter]
	if len(vs) == 0 {
		return ""
	}
	return vs[len(vs)-1]
}

func (g getopt) Read(args []string) commandLine {
	l := commandLine{Values: make(map[byte][]string)}
	for i := 0; i < len(args); i++ {
		w := args[i]
		switch {
		case w == "-" || !strings.HasPrefix(w, "-"):
			if l.words = append(l.words, w); len(l.words) > g.words {
				l.Fault = "takes no " + w + " there"
			}
		case strings.HasPrefix(w, "--"):
			name, val, given := strings.Cut(w[2:], "=")
			letter, takes := g.long[name]
			if takes && !given {
				if i++; i == len(args) {
					l.Fault = "wants something behind " + w
					break
				}
				val = args[i]
			}
			l.Values[letter] = append(l.Values[letter], val)
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
			l.Fault = "knows no -" + string(rune(letter))
			return i
		case !strings.HasPrefix(g.letters[at+1:], ":"):
			l.Values[letter] = append(l.Values[letter], "")
		case rest != "":
			l.Values[letter] = append(l.Values[letter], rest)
			return i
		case i+1 == len(args):
			l.Fault = "wants something behind -" + string(rune(letter))
			return i
		default:
			l.Values[letter] = append(l.Values[letter], args[i+1])
			return i + 1
		}
	}
	return i
}

// Job is a service that runs a script against a server and ends.
type Job struct {
	Connection
	Scripts []string // below the deployment
	opaque  string   // why a script cannot be seen
	Fault   string   // why the script does not run, after the name of the service; "" where nothing is wrong
	Line    commandLine
	Psql    bool // its command is psql itself, and line what it says
}

// Awaited reports whether a service waits until s has done its work.
func (d *Deployment) Awaited(s *Service) bool { return d.index.awaited()[s] }

// Jobs are the services that run scripts of the stack with PostgreSQL's own image, without its server.
func (d *Deployment) Jobs() []Job {
	var jobs []Job
	servers := d.PostgresServers()
	for _, s := range d.Services {
		words := s.Command()
		if s.Program != component.Postgres || slices.Contains(servers, s) && !slices.Contains(words, "-f") {
			continue
		}
		if j := d.job(s, words); len(j.Scripts) > 0 || j.opaque != "" || j.Fault != "" {
			jobs = append(jobs, j)
		}
	}
	return jobs
}

func (d *Deployment) job(s *Service, words []string) Job {
	j := Job{Connection: Connection{Service: s}}
	for i, w := range words {
		name, isFlag := strings.CutPrefix(w, "--file=")
		if (w == "-f" || w == "--file") && i+1 < len(words) {
			name, isFlag = words[i+1], true
		}
		if !isFlag {
			continue
		}
		if host, reason := s.HostPath(s.Inside(name)); reason == "" {
			j.Scripts = append(j.Scripts, host)
		} else if !LeadsNowhere(reason) {
			j.opaque = "the script of " + s.Name + " cannot be seen: " + reason
		}
	}
	if len(words) == 0 || !d.Awaited(s) && len(j.Scripts) == 0 {
		return j
	}
	switch program := path.Base(words[0]); {
	case strings.HasPrefix(words[0], "-"):
		j.Fault = "has a command that begins with " + words[0] + ", which the image hands to the server"
	case program == "psql":
		j.Psql, j.Line = true, psqlOptions.Read(words[1:])
		j.psqlFault()
	case finding.Nearest(program, []string{"psql"}) != "":
		j.Fault = "runs " + program + ", which its image does not have"
	}
	j.connection(d)
	return j
}

// psqlFault finds why psql refuses its command line, or has nothing to do.
func (j *Job) psqlFault() {
	l := j.Line
	_, runs := l.Values['f']
	_, command := l.Values['c']
	switch {
	case l.Fault != "":
		j.Fault = "does not run its script: psql " + l.Fault
	case slices.ContainsFunc(l.Values['v'], func(v string) bool { return strings.HasPrefix(v, "-") }):
		j.Fault = "does not run its script: psql takes the option behind -v for a variable"
	case len(l.words) > 0 && strings.Contains(l.words[0], "=") && connectionOption(l.words[0]) == "":
		j.Fault = "does not run its script: psql takes " + l.words[0] + " for a connection"
	case !runs && !command:
		j.Fault = "gives psql no script"
	}
	for _, v := range l.Values['v'] {
		if name, val, given := strings.Cut(v, "="); name == ErrorStop && given {
			if _, ok := PsqlBool(val); !ok {
				j.Fault = "does not run its script: psql takes only on or off for " + ErrorStop
			}
		}
	}
}

// ErrorStop is the variable that has psql stop, and exit with 3, at the first error of a script.
const ErrorStop = "ON_ERROR_STOP"

// PsqlBool reads a switch as ParseVariableBool of psql does.
func PsqlBool(text string) (on, ok bool) {
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
func (j *Job) connection(d *Deployment) {
	s, env := j.Service, j.Service.EnvAt
	at := func(name string, letter byte) (string, Leaf) {
		if val := j.Line.Value(letter); val != "" {
			return val, s.Cmd.Leaf
		}
		val, v := s.Env(name)
		if s.EnvHidden(name) != "" {
			return "", v
		}
		return val, v
	}
	j.At = env
	j.Host, j.HostAt = at("PGHOST", 'h')
	j.Port, j.PortAt = at("PGPORT", 'p')
	j.User, j.UserAt = at("PGUSER", 'U')
	if j.Db, j.At = at("PGDATABASE", 'd'); len(j.Line.words) > 0 && j.Fault == "" {
		j.Db, j.At = j.Line.words[0], s.Cmd.Leaf
	}
	j.Db = cmp.Or(j.Db, j.User)
	j.Password, j.PasswordAt = s.Env("PGPASSWORD")
	j.PasswordReason = s.EnvHidden("PGPASSWORD")
	if file, v := s.Env("PGPASSFILE"); file != "" && !j.PasswordAt.Exists() {
		j.PasswordAt = v
		j.fromPassfile(d, file, v)
	}
}

// Stops reports whether the scripts of a job may say that psql is to stop at an error.
func (j Job) Stops() bool {
	return slices.ContainsFunc(j.Scripts, func(host string) bool {
		src, err := source.ReadFS(j.Service.d.FS, host)
		return err != nil || strings.Contains(string(src), ErrorStop)
	})
}

// File is the password file of a job, for a finding.
func (j Job) File(d *Deployment) []source.Site {
	if host := d.FileBehind(j.Service, j.PasswordAt); host != "" {
		return []source.Site{{Pos: source.Pos{File: host}, Note: "its password file"}}
	}
	return nil
}
