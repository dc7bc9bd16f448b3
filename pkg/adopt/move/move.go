// Package move writes MIGRATION.md: how the stack that runs becomes the one that its spec renders, in the order in which
// it is safe, with the names of this stack and the way back of each step.
package move

import (
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"text/template"

	"philipp.info/stackgen/pkg/adopt/compare"
	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose/project"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/templates"
)

// Input is what is to be moved.
type Input struct {
	Old, Ours *deployment.Deployment
	Compared  *compare.Result
	// Dir is the directory of the old stack, Spec the file of the spec; absolute, as commands need them.
	Dir, Spec string
	// Files and Profiles are what the old stack is started with.
	Files, Profiles []string
}

// Plan is what the template sees. No text in it holds a secret.
type Plan struct {
	Server, Dir, Spec, SpecDir string
	Synapse, Database          string // what our services are called
	OldProject, Project        string
	Compose                    []string // the words of docker compose for the old stack
	Decisions, Lost, Safer     int
	Unseen                     []string
	Services                   []Service
	Stop                       []string // the services that must not run twice
	Kept                       []string // databases that are there and stay
	Made                       []string // databases that are made
	Places                     []Place
	// Shadowing are files that Compose takes by their names in the place of ours, or lays over it; Named says that
	// COMPOSE_FILE in .env has it read the old ones.
	Shadowing []string
	Named     bool
	Before    string   // the directory for what is kept of the old stack, beside the spec
	Data      []string // the directories of the old one that are left out of it
	Postgres  Postgres
	// Moves: users have to be moved to MAS before it starts. Alone: Synapse logs users in, before and after.
	Moves, Alone bool
	SameProject  bool
}

// Service is what becomes of one, and who notices.
type Service struct{ Name, Becomes, Why, Affects string }

// Place is where something was kept that ours looks for elsewhere.
type Place struct {
	What     string
	Old, New Kept
}

// Kept is a directory, relative to that of the stack or absolute, or a volume of Docker; Below is the path in the volume.
type Kept struct {
	Name, Below string
	Volume      bool
}

// Path is what the place is called in a sentence.
func (k Kept) Path() string { return path.Join(k.Name, k.Below) }

// mount is what `docker run -v` takes it for.
func (k Kept) mount(at string) string {
	if k.Volume || strings.HasPrefix(k.Name, "/") {
		return shell.Word(k.Name + at)
	}
	return `"$PWD"/` + shell.Word(k.Name+at)
}

func kept(place string) Kept {
	place = strings.TrimSuffix(place, ", read-only")
	name, volume := strings.CutPrefix(place, "volume ")
	if !volume {
		return Kept{Name: name}
	}
	name, below, _ := strings.Cut(name, "/")
	return Kept{name, below, true}
}

// Copy are the commands that bring what is in the old place to the new one.
func (p Place) Copy() string {
	if !p.Old.Volume && !p.New.Volume {
		to := shell.Path(p.New.Name)
		return "mkdir -p " + to + "\ncp -a " + shell.Path(p.Old.Name) + "/. " + to + "/"
	}
	from, to := path.Join("/from", p.Old.Below), path.Join("/to", p.New.Below)
	script := "mkdir -p " + shell.Word(to) + " && cp -a " + shell.Word(from) + "/. " + shell.Word(to) + "/"
	return "docker run --rm -v " + p.Old.mount(":/from:ro") + " -v " + p.New.mount(":/to") + " debian:stable-slim sh -c " + shell.Word(script)
}

// Postgres is the server of the old stack; Name is "" where it is elsewhere.
type Postgres struct{ Name, User string }

var plan = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").Option("missingkey=error").Funcs(template.FuncMap{
		"word": shell.Word, "words": func(words []string) string { return shell.Words(words...) }, "path": shell.Path, "line": output.Inline, "text": output.Escape, "code": func(s string) string { return output.Code(output.Clean(s)) },
	}).ParseFS(templates.Move, "move/*.tmpl"))
})

// Write gives the text of MIGRATION.md.
func Write(in Input) ([]byte, error) {
	var b bytes.Buffer
	if err := plan().ExecuteTemplate(&b, "MIGRATION.md.tmpl", of(in)); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func of(in Input) Plan {
	masks := []*finding.Mask{in.Old.Mask(), in.Ours.Mask()}
	shown := func(text string) string {
		for _, m := range masks {
			text = m.Text(text)
		}
		return text
	}
	p := Plan{
		Dir: in.Dir, Spec: in.Spec, SpecDir: in.Spec[:max(strings.LastIndexByte(in.Spec, '/'), 0)],
		OldProject: in.Old.Project, Project: in.Ours.Project, SameProject: in.Old.Project == in.Ours.Project,
		Decisions: in.Compared.Count(compare.Decision), Lost: in.Compared.Count(compare.Lost), Safer: in.Compared.Count(compare.Safer), Unseen: in.Compared.Unseen,
		Compose: []string{"docker", "compose"},
	}
	for _, s := range in.Ours.Synapses {
		p.Server, p.Synapse = s.Server.Str(), s.Name
	}
	for _, s := range in.Ours.PostgresServers() {
		p.Database = s.Name
	}
	for _, f := range in.Files {
		p.Compose = append(p.Compose, "-f", f)
	}
	for _, name := range in.Profiles {
		p.Compose = append(p.Compose, "--profile", name)
	}
	p.Moves = len(in.Old.Running(component.MAS)) == 0 && len(in.Ours.MASs) > 0 && !slices.ContainsFunc(in.Old.Synapses, (*deployment.Synapse).Delegates)
	p.Alone = len(in.Ours.MASs) == 0 && !slices.ContainsFunc(in.Ours.Synapses, (*deployment.Synapse).Delegates)
	p.shadows(in)
	p.Before, p.Data = path.Join(p.SpecDir, "before"), data(in.Old)
	if below, ok := strings.CutPrefix(p.Before, strings.TrimSuffix(in.Dir, "/")+"/"); ok {
		p.Data = append(p.Data, below) // the archive itself
	}
	p.services(in)
	p.databases(in)
	p.places(in.Compared)
	for _, list := range [][]string{p.Stop, p.Kept, p.Made} {
		for i := range list {
			list[i] = shown(list[i])
		}
	}
	for i := range p.Services {
		s := &p.Services[i]
		s.Name, s.Why = shown(s.Name), shown(s.Why)
	}
	return p
}

// shadows are the files by which Compose would go on with the old stack.
func (p *Plan) shadows(in Input) {
	there := func(fsys fs.FS, name string) bool {
		_, err := fs.Stat(fsys, name)
		return err == nil
	}
	first := project.Names[:max(slices.Index(project.Names, in.Ours.File), 0)]
	for _, name := range slices.Concat(first, project.OverrideNames) {
		if there(in.Old.FS, name) && !there(in.Ours.FS, name) {
			p.Shadowing = append(p.Shadowing, name)
		}
	}
	p.Named = in.Old.Env.Pos("COMPOSE_FILE").Line > 0
}

// data are the directories of databases and media below a deployment, in order: what else services write to may hold what
// nobody else has.
func data(d *deployment.Deployment) (dirs []string) {
	add := func(dir string) {
		if dir = path.Clean(dir); dir != "." && !path.IsAbs(dir) && !strings.HasPrefix(dir, "../") && !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	for _, s := range d.PostgresServers() {
		for _, m := range s.Mounts {
			if m.Host != "" && !m.ReadOnly && strings.HasPrefix(m.Container, "/var/lib/postgresql") {
				add(m.Host)
			}
		}
	}
	for _, syn := range d.Synapses {
		name := syn.Config.At("media_store_path").Str()
		if name == "" {
			name = "media_store" // Synapse's default, in its working directory
		}
		if host, reason := syn.HostPath(syn.Inside(name)); reason == "" {
			add(host)
		}
	}
	slices.Sort(dirs)
	return dirs
}

// services says what `docker compose up -d` does to each service, by its name: that is what Compose goes by.
func (p *Plan) services(in Input) {
	for _, now := range in.Ours.Services {
		if now.Absent.Why != "" {
			continue
		}
		was := in.Old.Service(now.Name)
		s := Service{Name: now.Name, Becomes: "new", Why: now.Image.String(), Affects: affects(now)}
		if was != nil && was.Absent.Why == "" && p.SameProject {
			var why []string
			for _, n := range in.Ours.Notices(in.Old, now.Name) {
				why = append(why, n.Key)
			}
			s.Becomes, s.Why = "made anew", strings.Join(slices.Compact(why), ", ")
			if len(why) == 0 {
				s.Becomes, s.Why, s.Affects = "goes on as it is", "", ""
			}
		}
		p.Services = append(p.Services, s)
	}
	for _, was := range in.Old.Services {
		if was.Absent.Why != "" {
			continue
		}
		if now := in.Ours.Service(was.Name); now == nil || !p.SameProject {
			p.Services = append(p.Services, Service{Name: was.Name, Becomes: "goes", Why: "of the old stack", Affects: affects(was)})
		}
		// Two releases of one homeserver on one database, two bridges in one account, two servers on one cluster.
		now := in.Ours.Service(was.Name)
		if was.Program == component.Postgres && now != nil && now.Program == was.Program { // Compose stops it itself
			continue
		}
		if was.Program != component.Unknown && was.Program != component.Traefik && was.Program != component.Element && was.Program != component.Ketesa {
			p.Stop = append(p.Stop, was.Name)
		}
	}
}

func affects(s *deployment.Service) string {
	if s.Restart.Str() == "no" {
		return "nobody: it runs once and ends"
	}
	return component.Of(s.Program).Affects
}

func (p *Plan) databases(in Input) {
	was := make(map[string]bool)
	for _, c := range in.Old.Connections() {
		was[name(c)] = true
	}
	for _, c := range in.Ours.Connections() {
		if n := name(c); was[n] {
			p.Kept = append(p.Kept, n)
		} else {
			p.Made = append(p.Made, n)
		}
	}
	slices.Sort(p.Kept)
	slices.Sort(p.Made)
	p.Kept, p.Made = slices.Compact(p.Kept), slices.Compact(p.Made)
	if servers := in.Old.PostgresServers(); len(servers) > 0 {
		p.Postgres.Name = servers[0].Name
		p.Postgres.User, _, _ = in.Old.Superuser(servers[0])
	}
}

// name is that of the database; one that is left out is the user's.
func name(c deployment.Connection) string {
	if c.Db != "" {
		return c.Db
	}
	return c.User
}

// places are those that the comparison found to be others.
func (p *Plan) places(r *compare.Result) {
	add := func(d compare.Difference, what string) {
		for _, place := range []string{d.Old, d.New} {
			if place == "" || strings.HasPrefix(place, "not kept") || strings.HasPrefix(place, "in the container") {
				return
			}
		}
		p.Places = append(p.Places, Place{what, kept(d.Old), kept(d.New)})
	}
	media := false
	for _, d := range r.Differences {
		if d.Key == "media_store_path" && d.Kind == compare.Decision {
			media = true
			add(d, "the media of Synapse")
		}
	}
	for _, d := range r.Differences {
		if d.Doc == "mounts" && d.Kind == compare.Decision && (d.About != "synapse" || !media) {
			add(d, "what "+d.About+" keeps in "+d.Key)
		}
	}
}
