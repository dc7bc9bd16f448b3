package adopt

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

func refuse(message, fix string, sites ...source.Site) []finding.Finding {
	return []finding.Finding{{Rule: "import", Severity: finding.Error, Message: message, Fix: fix, Sites: sites}}
}

// refusals say why a deployment cannot be taken over at all, and what to do for it to be read.
func refusals(d *deployment.Deployment) []finding.Finding {
	switch {
	case d.File == "":
		return refuse("nothing was read that could be taken over", "name the directory of the stack, and its compose files with -f", source.Site{Pos: source.Pos{File: "."}})
	case len(d.Synapses) == 0:
		return unseen(d)
	case len(d.Synapses) > 1:
		sites := make([]source.Site, len(d.Synapses))
		for i, s := range d.Synapses {
			sites[i] = s.Site("Synapse")
		}
		return refuse("there are several homeservers here, and a spec is of one", "name the compose files of one of them with -f", sites...)
	}
	syn := d.Synapses[0]
	switch name := syn.Server.Str(); {
	case name == "":
		return refuse("no server_name is to be seen; it is the one thing that can never change", "server_name: in the homeserver.yaml that "+syn.Name+" reads", syn.Config.At("server_name").Site(""))
	case strings.ContainsAny(name, "{}<>$_ "):
		return refuse("server_name is no name yet: "+name+" only holds its place", "fill it in, or "+fetched(d, syn.Service), syn.Server.Site(""))
	case !strings.Contains(name, "."):
		return refuse("the stack cannot be taken over: "+name+" is a name for a trial, which no other server and no browser finds, and a server_name can never change",
			"begin a new stack with stackgen init; the users of this one stay here", syn.Server.Site(""))
	}
	return loginsUnseen(d)
}

// unseen says why there is no Synapse whose configuration was read.
func unseen(d *deployment.Deployment) []finding.Finding {
	var found []*deployment.Service
	for _, s := range d.Services {
		if s.Program == component.Synapse && s.Unread != "" {
			found = append(found, s)
		}
	}
	// One that only makes something for the other, and ends, is not meant.
	if i := slices.IndexFunc(found, func(s *deployment.Service) bool { return !d.Awaited(s) && s.Restart.Str() != "no" }); i > 0 {
		found[0] = found[i]
	}
	if len(found) > 0 {
		s := found[0]
		return refuse("the configuration of Synapse was not seen, and without it nothing is known of the stack: "+s.Unread, fetched(d, s), append([]source.Site{s.Site("Synapse")}, lying(d)...)...)
	}
	for _, s := range d.Services {
		if s.Program == component.Synapse && len(s.Absent.Profiles) > 0 {
			return refuse("Synapse does not run here: "+s.Name+" stands behind a profile", "stackgen import --profile "+shell.Word(s.Absent.Profiles[0])+", as docker compose is called", s.Site("Synapse"))
		}
	}
	for _, s := range d.Services {
		for _, name := range []string{"conduit", "continuwuity", "tuwunel", "dendrite", "conduwuit"} {
			if strings.Contains(path.Base(s.Image.Repository), name) {
				return refuse(s.Name+" is another homeserver than Synapse, and stackgen has a stack with Synapse alone", "leave it as it is: nothing moves users and rooms from it to Synapse", s.Site(""))
			}
		}
	}
	fix := "name the compose file that Synapse is in with -f"
	if others := withSynapse(d); len(others) > 0 {
		fix = "name the compose file that Synapse is in: -f " + shell.Word(others[0])
		if dir, name := path.Split(others[0]); dir != "" {
			fix = fmt.Sprintf("import the directory %s, where %s has a Synapse", path.Clean(dir), name)
		}
	}
	return refuse("no service here is a Synapse whose configuration can be seen; there is no stack to take over", fix, source.Site{Pos: source.Pos{File: d.File}})
}

// ownFile is the compose file that a person writes for import alone.
const ownFile = "import.yaml"

// fetched is how the configuration of a service comes to lie where it is read, whatever is mounted: beside the compose file,
// which another one mounts.
func fetched(d *deployment.Deployment, s *deployment.Service) string {
	name, from, first := path.Base(s.ConfigPath), "", ""
	switch m := s.MountAt(s.ConfigPath); {
	case m == nil:
		from = "docker compose cp " + shell.Word(s.Name+":"+s.ConfigPath) + " " + name
	case strings.Contains(m.Reason, "a variable"):
		return "write what its variables stand for into .env, beside the compose file"
	case strings.HasPrefix(m.Source, "/") && m.Host == "":
		first = withRoot + "\nelsewhere, "
		from = "cp " + shell.Word(path.Join(m.Source, strings.TrimPrefix(s.ConfigPath, path.Clean(m.Container)))) + " " + name
	case m.Host != "":
		return "import on the machine where the stack runs, or put the file where it is read: " + path.Join(m.Host, strings.TrimPrefix(s.ConfigPath, path.Clean(m.Container)))
	default:
		from = "docker compose cp " + shell.Word(s.Name+":"+s.ConfigPath) + " " + name
	}
	var files strings.Builder
	for _, f := range d.Chosen.Files {
		files.WriteString(" -f " + shell.Word(f))
	}
	return strings.Join([]string{
		first + "take it out, with the signing key and the other files that it names, and have a compose file of your own mount them, for import alone:",
		"  " + from,
		fmt.Sprintf("  %s: services: {%s: {volumes: [\"./%s:%s\"]}}", ownFile, s.Name, name, s.ConfigPath),
		fmt.Sprintf("  stackgen import%s -f %s …", files.String(), ownFile),
	}, "\n")
}

// looked bounds how many files are looked at for those that might be meant.
const looked = 4000

// lying are files of that name that no container has mounted where it looks for them: those of Synapse itself before templates.
func lying(d *deployment.Deployment) (sites []source.Site) {
	for _, name := range named(d, func(base string) bool { return strings.Contains(base, "homeserver") && strings.Contains(base, ".y") }) {
		note := "lies here, and nothing mounts it there"
		if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" || strings.Contains(name, "example") || strings.Contains(name, "template") {
			note = "lies here, and is only a template"
		}
		sites = append(sites, source.Site{Pos: source.Pos{File: name}, Note: note})
	}
	return sites[:min(len(sites), 2)]
}

// withSynapse are compose files that were not read, and have an image of Synapse.
func withSynapse(d *deployment.Deployment) (files []string) {
	return slices.DeleteFunc(named(d, func(base string) bool { return strings.Contains(base, "compose") && strings.Contains(base, ".y") }), func(name string) bool {
		src, err := source.ReadFS(d.FS, name)
		if err != nil || slices.Contains(d.Chosen.Files, name) {
			return true
		}
		f, problem := source.Parse(name, src)
		if problem != nil {
			return true
		}
		for _, s := range f.At("services").Entries() {
			if component.Parse(s.At("image").Str()).Program() == component.Synapse {
				return false
			}
		}
		return true
	})
}

// named are the files below the directory whose names are like that, those that lie higher first.
func named(d *deployment.Deployment, like func(base string) bool) (names []string) {
	n := 0
	_ = fs.WalkDir(d.FS, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if n++; n > looked {
			return fs.SkipAll
		}
		if base := path.Base(name); e.IsDir() && name != "." && (strings.HasPrefix(base, ".") || base == "node_modules") {
			return fs.SkipDir
		} else if e.Type().IsRegular() && like(strings.ToLower(base)) {
			names = append(names, name)
		}
		return nil
	})
	slices.SortStableFunc(names, func(a, b string) int { return strings.Count(a, "/") - strings.Count(b, "/") })
	return names
}
