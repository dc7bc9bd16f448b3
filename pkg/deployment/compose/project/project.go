// Package project reads the files of a Docker Compose project as Compose does, into one tree whose values know the file
// and line that they stand in: several files, include, extends, variables, !reset and !override.
package project

import (
	"cmp"
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Names are the file names that Compose looks for, in its order; compose-go v2, cli/options.go.
var Names = []string{"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"}

// OverrideNames are the names that Compose looks for next, to lay the first over what it found.
var OverrideNames = []string{"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml", "docker-compose.override.yaml"}

// Options are what the command line of Compose says.
type Options struct {
	// Files are the names behind -f, below the file system's root. None: those that COMPOSE_FILE in .env lists, or else the
	// first that has one of Names and the first of OverrideNames.
	Files []string
	// Profiles are those behind --profile, in the place of those that COMPOSE_PROFILES in .env switches on.
	Profiles []string
	// Name is that of the root directory, after which Compose names a project whose files say nothing; "" where it is not known.
	Name string
	// Dir is the absolute path of the root directory on the machine, with slashes: what a compose file mounts by an absolute path
	// is read where the file system reaches there. "" where that is not known.
	Dir string
	// Assume is what every variable holds that is set nowhere; "" for nothing.
	Assume string
	// Parsed, if set, gives a file of one document that was parsed before from the same bytes; nil for every other.
	Parsed func(name string, src []byte) *source.File
	// EnvFile is the .env of the root directory, where it was read before.
	EnvFile *EnvFile
	// EnvFiles are those behind --env-file, in the place of each .env: of two that set a variable the later one counts.
	EnvFiles []string
	// Alone says that what is missing may lie in the directory already, and was not given to be read.
	Alone bool
	// Ignored, if set, reports whether git ignores a path that is not there.
	Ignored func(name string) bool
	// IgnoredOf, if set, is Ignored for many paths at once; what it leaves out is asked for one by one.
	IgnoredOf func(names []string) map[string]bool
	// Written, if set, gives the script that writes a path, "" where none is known to.
	Written func(name string) (script string)
}

// Project is what the files say together. Every path in it is below the root of the file system that it was read from.
type Project struct {
	// File is the merged tree, as written: a short form stays one. Variables are replaced, relative paths lead from the root,
	// and include, extends and the tags of Compose have done their work. nil where nothing was read.
	File *source.File
	// Files are the compose files that were read, each once, in that order.
	Files []*source.File
	// Merged says that the tree is more than the one file as it stands: there are several, or it extends a service.
	Merged bool
	// Dir is the project directory, Name the project's name; "" where that is not known.
	Dir, Name string
	// Env is what variables were taken from, EnvFiles each .env that is there, the one that counts first at the front.
	Env      map[string]string
	EnvFiles []*EnvFile
	// Absent are the environment files that Compose would take variables from and that are not there, in order.
	Absent []string
	// Variables are the values of the compose files in which Compose looks for variables.
	Variables []Variable
	// Marked are those that something else has to put a value into before Compose reads them: {{ name }}, as Ansible does.
	Marked []source.Value
	// Unread is what Compose would read and was not, Faults are what it would refuse.
	Unread, Faults []Problem

	env      *environment
	fs       fs.FS
	profiles []string
}

// Problem is a place of a file and what is the matter there.
type Problem struct {
	Sites   []source.Site
	Message string
	Fix     string
	// Rule is compose-valid, compose-reads-exist for a file that is not there, or yaml for one that cannot be parsed.
	Rule string
}

// Variable is a value with a $ in it, as it stands.
type Variable struct {
	At source.Value
	// Text is what becomes of it, Values are the variables that it takes and what they hold.
	Text   string
	Values map[string]string
	// Unset are the variables that have no value and no default, in order.
	Unset []string
	// Invalid says that Compose cannot read it and refuses the file.
	Invalid bool
}

// Load reads a project. What keeps it from being read at all is among the Faults, and File is nil.
func Load(fsys fs.FS, o Options) *Project {
	r := newReader(fsys, o)
	r.env.assume = o.Assume
	names, dir := r.start(o.Files)
	r.project.Dir, r.project.env = dir, r.env
	if len(names) == 0 {
		return r.project
	}
	r.name(names, o.Name)
	r.project.Env = r.env.visible()
	defer r.absent()
	root := r.model(names, scope{env: r.env, dir: dir, bases: make(map[string]*base)}, nil)
	if root != nil {
		if dir != "." {
			rebase(root, top, dir)
		}
		settle(root, r.env)
		r.project.File = source.Join(root)
		r.project.Merged = r.merged || len(r.project.Files) > 1
	} else if len(r.project.Faults)+len(r.project.Unread) == 0 {
		r.fault("Compose refuses the file: empty compose file", "correct what Compose names", source.Site{Pos: source.Pos{File: names[0], Line: 1, Col: 1}})
	}
	return r.project
}

// Called is a project of which only the .env of the directory is known that Compose is called in.
func Called(fsys fs.FS) (p *Project, env *EnvFile) {
	r := newReader(fsys, Options{})
	r.dotenv(".env")
	r.project.Env = r.env.visible()
	return r.project, r.envFile(".env")
}

// start are the files that Compose begins with, and the project directory.
func (r *reader) start(files []string) (names []string, dir string) {
	origin := source.Site{}
	if len(files) == 0 {
		r.environment(".env")
		list := r.env.vars["COMPOSE_FILE"]
		if list == "" {
			return r.found(), "."
		}
		files = strings.Split(list, cmp.Or(r.env.vars["COMPOSE_PATH_SEPARATOR"], ":"))
		origin = source.Site{Pos: source.Pos{File: ".env"}, Note: "COMPOSE_FILE"}
	}
	dir = "."
	for i, file := range files {
		name, reason := clean(file)
		if reason == "" {
			reason = r.unseen(name)
		}
		switch {
		case reason != "":
			r.unread(origin, file+reason)
			continue
		case i == 0:
			dir = path.Dir(name)
		}
		names = append(names, name)
	}
	// Compose reads the .env of the project directory, beside that of the directory that it was called in.
	if origin.File == "" || dir != "." {
		r.environment(path.Join(dir, ".env"))
	}
	return names, dir
}

func (r *reader) found() []string {
	there := func(name string) bool {
		_, err := fs.Stat(r.fs, name)
		return !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, source.ErrIgnored)
	}
	i := slices.IndexFunc(Names, there)
	if i < 0 {
		return nil
	}
	names := []string{Names[i]}
	if i := slices.IndexFunc(OverrideNames, there); i >= 0 {
		names = append(names, OverrideNames[i])
	}
	return names
}

// name finds the project's name, which variables may name: the last file that has one says it, or else the directory.
func (r *reader) name(names []string, root string) {
	is := r.env.vars["COMPOSE_PROJECT_NAME"]
	if is == "" {
		for _, file := range names {
			for _, doc := range r.read(file, source.Site{}, "a compose file") {
				text, unset, _, err := r.env.expand(doc.At("name").Str())
				if text != "" && err == nil && len(unset) == 0 {
					is = text
				}
			}
		}
	}
	if dir := path.Base(r.project.Dir); is == "" && dir != "." {
		is = normal(dir)
	} else if is == "" {
		is = normal(root)
	}
	if is != "" {
		r.env.vars["COMPOSE_PROJECT_NAME"] = is
	}
	r.project.Name = is
}

// normal is a directory's name as that of a project.
func normal(dir string) string {
	return strings.TrimLeft(strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			return c
		}
		return -1
	}, strings.ToLower(dir)), "_-")
}

// Profiles are those that are switched on: by the command line, or else by COMPOSE_PROFILES.
func (p *Project) Profiles() []string {
	if len(p.profiles) > 0 {
		return p.profiles
	}
	var names []string
	for name := range strings.SplitSeq(p.Env["COMPOSE_PROFILES"], ",") {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// Runs reports whether a service of the tree is started: one with profiles needs one of them switched on.
func (p *Project) Runs(service source.Value) bool {
	profiles := service.At("profiles")
	on := p.Profiles()
	return profiles.Len() == 0 || slices.Contains(on, "*") ||
		slices.ContainsFunc(profiles.Items(), func(v source.Value) bool { return slices.Contains(on, v.Str()) })
}
