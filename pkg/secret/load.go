package secret

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// From is where one secret comes from: a file, or what a command prints.
type From struct {
	File    string
	Command []string
	// Pos is the place in the spec that says so.
	Pos source.Pos
}

// Sources says where secrets come from. For each name the first of these that has it wins: the
// environment, From, what Command prints, the file at Path.
type Sources struct {
	// Path is secrets.yaml. It need not exist.
	Path string
	// Command prints a flat YAML mapping of names to values; CommandPos is its place in the spec.
	Command    []string
	CommandPos source.Pos
	// From is by name.
	From map[string]From
	// Dir is what relative files are relative to, and where commands run.
	Dir string
	// Getenv is os.LookupEnv; nil stands for an empty environment.
	Getenv func(string) (string, bool)
	// Store takes on stdin what Command is to print from then on. With it, Save writes nothing into Path.
	Store []string
	// Run starts a command in a directory, hands it stdin, and gives what it prints, at most limit bytes. Its error is a clause
	// about the program; that of one which ended with another status than 0 has a method ExitCode. Nil: no command is run;
	// the secrets that need one stay without value, and Save does not use Store.
	Run func(ctx context.Context, argv []string, dir string, stdin []byte, limit int) ([]byte, error)
	// Tracked tells whether git tracks a file. Nil: nobody asks.
	Tracked func(ctx context.Context, path string) (bool, error)
	// SkipFrom leaves the secrets of From without value: only that they come from there is of interest.
	SkipFrom bool
}

// Load reads the secrets that needs names, and all of secrets.yaml. The findings tell everything that is
// wrong at once, but not what is merely missing: see Set.Missing. With needs nil no name is unknown. The
// Set is never nil; it has no value for a name whose value is in the findings.
func Load(ctx context.Context, src Sources, needs []Need) (*Set, []finding.Finding) {
	l := &loader{Set: newSet(src.Path, needs), src: src}
	// From the strongest source to the weakest: what has its value already needs no command to run.
	l.environment()
	l.perName(ctx)
	l.command(ctx)
	l.file(ctx)
	l.Set.src = src
	return l.Set, finding.Sort(l.findings)
}

type loader struct {
	*Set
	src      Sources
	findings []finding.Finding
}

func (l *loader) report(sev finding.Severity, sites []source.Site, message, fix string) {
	l.findings = append(l.findings, finding.Finding{Rule: Rule, Severity: sev, Message: message, Fix: fix, Sites: sites})
}

func siteAt(pos source.Pos) []source.Site {
	if pos.File == "" {
		return nil
	}
	return []source.Site{{Pos: pos}}
}

// settled reports whether a stronger source has spoken for the name.
func (l *loader) settled(name string) bool {
	_, ok := l.values[name]
	return ok
}

// take keeps value for name unless a stronger source has spoken, and reports what is wrong with it. what
// begins the message and names the secret.
func (l *loader) take(name, value, origin, what string, sites []source.Site) {
	l.Hide(value)
	need, _ := l.need(name)
	err := need.Check(value)
	if err != nil {
		l.report(finding.Error, sites, what+" "+err.Error(), "give it a valid value, or remove it where it stands")
	}
	switch {
	case l.settled(name):
	case err != nil:
		l.close(name, origin)
	default:
		if l.closed[name] && l.withheld != "" {
			origin = l.withheld + ", else " + origin
		}
		l.values[name] = held{value: value, origin: origin}
		delete(l.closed, name)
	}
}

// close settles a name without a value.
func (l *loader) close(name, origin string) {
	if !l.settled(name) {
		l.values[name] = held{origin: origin}
		l.closed[name] = true
	}
}

func (l *loader) environment() {
	if l.src.Getenv == nil {
		return
	}
	owner := make(map[string]string)
	for _, n := range l.needs {
		env := EnvName(n.Name)
		value, ok := l.src.Getenv(env)
		if !ok {
			continue
		}
		if first, taken := owner[env]; taken {
			l.report(finding.Error, nil, fmt.Sprintf("the environment variable %s stands for both %s and %s; they would share one value", env, first, n.Name),
				"unset it and put both into secrets.yaml")
			continue
		}
		owner[env] = n.Name
		l.take(n.Name, value, "environment "+env, "the environment variable "+env, nil)
	}
}

func (l *loader) perName(ctx context.Context) {
	for name, from := range l.src.From {
		_, known := l.need(name)
		if !known && l.needs != nil {
			fix := "remove it"
			if near := Nearest(name, l.needs); near != "" {
				fix = "write `" + near + "`"
			}
			l.report(finding.Warning, siteAt(from.Pos), "no part of the stack uses a secret with the name "+name+"; it is not read", fix)
		}
	}
	for _, n := range l.needs {
		if from, ok := l.src.From[n.Name]; ok && !l.settled(n.Name) {
			l.from(ctx, n.Name, from)
		}
	}
}

func (l *loader) from(ctx context.Context, name string, from From) {
	sites := siteAt(from.Pos)
	if from.File != "" {
		origin := "file " + from.File
		if l.src.SkipFrom {
			l.close(name, origin)
			return
		}
		value, err := l.readValue(from.File)
		if err != nil {
			l.close(name, origin)
			l.report(finding.Error, sites, fmt.Sprintf("the file of the secret %s cannot be read: %v", name, err), "create it, or name the right file")
			return
		}
		l.take(name, dropNewline(value), origin, fmt.Sprintf("the secret %s in the file %q", name, from.File), sites)
		l.tracked(ctx, l.abs(from.File), sites)
		return
	}
	origin := "command " + program(from.Command)
	if l.src.Run == nil || l.src.SkipFrom {
		l.close(name, origin+" (not run)")
		return
	}
	out, err := l.run(ctx, from.Command, maxValue+2)
	if err != nil {
		l.close(name, origin)
		l.report(finding.Error, sites, fmt.Sprintf("the command for the secret %s did not give it: `%s` %v", name, program(from.Command), err), runByHand)
		return
	}
	l.take(name, dropNewline(out), origin, fmt.Sprintf("the secret %s that `%s` prints", name, program(from.Command)), sites)
}

const runByHand = "run the command by hand in the directory of the spec: what it prints is not shown here, because it may hold secrets"

func (l *loader) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(l.src.Dir, path)
}

func (l *loader) readValue(path string) (string, error) {
	b, err := source.ReadFile(l.abs(path))
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		return "", fmt.Errorf("%q: %w", path, pathErr.Err)
	}
	return string(b), err
}

func (l *loader) run(ctx context.Context, argv []string, limit int) (string, error) {
	out, err := l.src.Run(ctx, argv, l.src.Dir, nil, limit)
	return string(out), because(argv, l.src.Dir, err)
}

// program is the part of a command that may be shown: its arguments can hold anything.
func program(argv []string) string {
	if len(argv) == 0 {
		return "(none)"
	}
	return filepath.Base(argv[0])
}

// dropNewline takes off the one line break that editors and `echo` add.
func dropNewline(s string) string {
	if s, ok := strings.CutSuffix(s, "\r\n"); ok {
		return s
	}
	return strings.TrimSuffix(s, "\n")
}

func (l *loader) command(ctx context.Context) {
	if len(l.src.Command) == 0 {
		return
	}
	open := false
	for _, n := range l.needs {
		open = open || !l.settled(n.Name)
	}
	if !open && l.needs != nil {
		return
	}
	name, sites := program(l.src.Command), siteAt(l.src.CommandPos)
	if l.src.Run == nil {
		l.withhold("command " + name + " (not run)")
		return
	}
	if l.interrupted() {
		l.withhold("command " + name)
		return
	}
	out, err := l.run(ctx, l.src.Command, source.MaxSize)
	if err != nil {
		l.withhold("command " + name)
		l.report(finding.Error, sites, fmt.Sprintf("the command for all secrets did not give them: `%s` %v", name, err), runByHand)
		return
	}
	l.printed, l.ran = []byte(out), true
	l.entries(&document{
		text: []byte(out), origin: "command " + name, label: "what `" + name + "` prints",
		site: func(p source.Pos) source.Site {
			return source.Site{Pos: l.src.CommandPos, Note: fmt.Sprintf("line %d of what it prints", p.Line)}
		},
	})
}

// withhold closes all names that the whole-file command may have. secrets.yaml can still open them: there
// a value stands that was used before.
func (l *loader) withhold(origin string) {
	for _, n := range l.needs {
		if !l.settled(n.Name) {
			l.closed[n.Name] = true
			l.withheld = origin
		}
	}
}

func (l *loader) file(ctx context.Context) {
	path := l.src.Path
	if path == "" {
		return
	}
	sites := siteAt(source.Pos{File: filepath.ToSlash(path)})
	text, err := source.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(path); err == nil {
			l.report(finding.Error, sites, "the file is a symlink that leads nowhere; no secret is read", "restore what it points to, or remove the symlink")
		}
		return
	case err != nil:
		l.report(finding.Error, sites, fmt.Sprintf("the file cannot be read: %v", pathless(err)), "run stackgen as the owner of the file")
		l.broken = true
		l.withhold(l.fileOrigin())
		return
	}
	l.loaded, l.existed = text, true
	encrypted := l.entries(&document{
		text: text, origin: l.fileOrigin(), label: "the file", own: true,
		site: func(p source.Pos) source.Site {
			p.File = filepath.ToSlash(path)
			return source.Site{Pos: p}
		},
	})
	if encrypted {
		l.encrypted = true
		if len(l.src.Command) == 0 {
			l.withhold(l.fileOrigin())
			l.report(finding.Error, sites, "the file is encrypted with sops; stackgen reads only what sops decrypts",
				"rename it and name it in the spec: `secrets: {command: [sops, -d, FILE]}`")
		}
		return
	}
	l.exposed(path, sites)
	l.tracked(ctx, path, sites)
}

func pathless(err error) error {
	if pathErr := (*fs.PathError)(nil); errors.As(err, &pathErr) {
		return pathErr.Err
	}
	return err
}
