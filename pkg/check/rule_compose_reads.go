package check

import (
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var composeReadsExist = Rule{
	ID: "compose-reads-exist", Severity: finding.Error,
	Summary:     "every file that Compose itself reads exists",
	Why:         "\"env file … not found\", \"failed to read\", \"unable to prepare context\": one env_file, label_file, included file or build context that is not there, and `docker compose up` starts nothing at all.",
	Fix:         "Correct the path, or make the file. In a stack that is rendered, compose.files brings it along.",
	Source:      "compose-go v2.16.2 types/project.go, loader/include.go, loader/extends.go; Docker Compose 5.6.0 pkg/compose/build.go",
	ComposeOnly: "kubectl reads manifests alone; of a kustomization it is what the reader itself finds",
	Check: func(d *deployment.Deployment, r *Reporter) {
		var missing []deployment.Input
		unseen := make(unseenInputs)
		for _, in := range d.Inputs() {
			if in.Within != "" {
				if _, err := fs.Stat(d.FS, in.Within); err != nil {
					continue
				}
			}
			if checkInput(unseen, d, in) {
				missing = append(missing, in)
			}
		}
		tellInputs(r, d, missing)
		for _, why := range slices.Sorted(maps.Keys(unseen)) {
			severally(r, unseen[why], func(in deployment.Input) []source.Site { return []source.Site{in.At.Site("")} }, func(r *Reporter, all []deployment.Input) {
				tellUnseenInputs(r, why, all)
			})
		}
	},
}

// unseenInputs are those that cannot be looked at, by what is said of them.
type unseenInputs map[string][]deployment.Input

// tellUnseenInputs says once what several services are given, and once what is so for several of them.
func tellUnseenInputs(r *Reporter, why string, all []deployment.Input) {
	var whats []string
	var sites []source.Site
	one := !slices.ContainsFunc(all, func(in deployment.Input) bool { return path.Clean(in.Name) != path.Clean(all[0].Name) })
	for _, in := range all {
		what := in.What
		if !one {
			what += " (" + in.Name + ")"
		}
		whats, sites = append(whats, what), append(sites, in.At.Site(""))
	}
	them := finding.Sentence(deployment.AtMost(whats, 3), "and")
	switch {
	case one && (strings.HasPrefix(all[0].Name, "/") || strings.HasPrefix(all[0].Name, "~")):
		them += ", " + all[0].Name + ","
	case !one:
		why = strings.Replace(why, ": it is ", ": each is ", 1)
	default:
		them += ", " + path.Clean(all[0].Name) + ","
	}
	r.NotChecked(them+why, sites...)
}

func (u unseenInputs) add(in deployment.Input, why string) { u[why] = append(u[why], in) }

// byPortainer is the file that Portainer makes of the variables of a stack that it takes from git, beside what it took:
// Portainer 2.23 api/exec/compose_stack.go, createEnvFile.
const byPortainer = "stack.env"

// checkInput reports whether a file or directory is missing. What is fetched from elsewhere is none of this rule.
func checkInput(u unseenInputs, d *deployment.Deployment, in deployment.Input) (missing bool) {
	name := in.Name
	host := path.Clean(name)
	if strings.Contains(name, "://") || strings.HasPrefix(name, "git@") || strings.HasPrefix(name, "oci:") {
		return false // Compose fetches it
	}
	if source.Beyond(d.FS, host) || strings.HasPrefix(name, "~") {
		u.add(in, " is outside of the directory")
		return false
	}
	switch _, err := fs.Stat(d.FS, host); {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		u.add(in, " cannot be seen: "+deployment.Cause(err))
	case d.Unseen(err) != "":
		u.add(in, d.Unseen(err))
	case path.Base(host) == byPortainer:
		u.add(in, " is not here: Portainer writes a file of that name of the variables that a stack is given there")
	default:
		return true
	}
	return false
}

// tellInputs has one finding for what is missing from one directory.
func tellInputs(r *Reporter, d *deployment.Deployment, missing []deployment.Input) {
	type cause struct {
		dir    string
		pulled bool
	}
	at := make(map[cause]int)
	var groups [][]deployment.Input
	for _, in := range missing {
		c := cause{path.Dir(path.Clean(in.Name)), in.Pulled}
		i, known := at[c]
		if !known {
			i = len(groups)
			at[c], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], in)
	}
	for _, alike := range groups {
		severally(r, alike, func(in deployment.Input) []source.Site { return []source.Site{in.At.Site("")} }, func(r *Reporter, alike []deployment.Input) {
			tellMissing(r, d, alike)
		})
	}
}

func tellMissing(r *Reporter, d *deployment.Deployment, alike []deployment.Input) {
	var hosts, whats, each []string
	var sites []source.Site
	for _, in := range alike {
		host := path.Clean(in.Name)
		if !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
		whats, each = append(whats, in.What), append(each, in.What+" ("+host+")")
		sites = append(sites, in.At.Site(""))
	}
	fact, them, path, file := finding.Sentence(deployment.AtMost(whats, 3), "and")+", "+hosts[0]+", does not exist", "it", "path", "file"
	if len(hosts) > 1 {
		fact, them, path, file = finding.Sentence(deployment.AtMost(each, 3), "and")+" do not exist", "them", "paths", "files"
	}
	fact += similar(d, hosts[0])
	if alike[0].Pulled {
		r.Warn(fact+"; Compose starts nothing where it has no image yet and cannot pull one", "correct the "+path+", or remove build", sites...)
		return
	}
	r.Fail(fact+"; Compose stops at "+them+" and starts nothing", "correct the "+path+", or make the "+file, sites...)
}
