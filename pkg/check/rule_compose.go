package check

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

var composeValid = Rule{
	ID: "compose-valid", Severity: finding.Error,
	Summary: "Compose accepts the file",
	Why:     "docker compose stops with an error and starts nothing.",
	Fix:     "Correct what Compose names.",
	Source:  "compose-go v2",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, u := range d.Unread {
			why := u.Note
			u.Note = ""
			r.NotChecked(why+"; what comes from there is not looked at", u)
		}
	},
}

var composeInterpolation = Rule{
	ID: "compose-interpolation", Severity: finding.Error,
	Summary: "no $ in the compose file that Compose would eat",
	Why:     "Compose replaces $word by a variable that is not set, that is by nothing: routing rules and passwords lose characters without an error.",
	Fix:     "Write $$ for a dollar. A variable that is meant as one must be set in .env, or have a default.",
	Source:  "compose-go v2 interpolation",
	Check: func(d *deployment.Deployment, r *Reporter) {
		var unset []string
		unnamed := false
		var places []source.Site
		for _, dollar := range d.Interpolations() {
			switch dollar.Kind {
			case deployment.Unset:
				unnamed = unnamed || len(dollar.Names) == 0
				for _, name := range dollar.Names {
					if !slices.Contains(unset, name) {
						unset = append(unset, name)
					}
				}
				places = append(places, dollar.At.Site(""))
			case deployment.Eaten:
				r.Fail("Compose replaces a $ in this value by a variable that is set nowhere here; characters are lost", "write $$ for a dollar, or set the variable in .env", dollar.At.Site(""))
			case deployment.Unreadable:
				r.Fail("Compose cannot read the ${ in this value; it refuses the file", "write $${ for a dollar and a brace", dollar.At.Site(""))
			}
		}
		switch {
		case len(places) == 0:
		case len(unset) == 0:
			r.Warn("a variable in this value is set nowhere here; unless the shell that starts the stack sets it, Compose puts nothing in its place or refuses the file", "set the variable in .env", places...)
		case len(unset) == 1 && !unnamed:
			r.Warn(unset[0]+" is set nowhere here; unless the shell that starts the stack sets it, Compose puts nothing in its place or refuses the file", "set it in .env", places...)
		default:
			if unnamed {
				unset = append(unset, "others")
			}
			r.Warn(sentence(unset, "and")+" are set nowhere here; unless the shell that starts the stack sets them, Compose puts nothing in their place or refuses the file", "set them in .env", places...)
		}
	},
}

var composeMountExists = Rule{
	ID: "compose-mount-exists", Severity: finding.Error,
	Summary: "every mounted file and directory of the stack exists",
	Why:     "Docker makes an empty directory in the place of a missing file, owned by root: the program starts without its configuration or not at all.",
	Fix:     "Correct the path, or make the file.",
	Source:  "docker compose up; compose-go does not look",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Services {
			for _, m := range s.Mounts {
				if m.Host == "" || m.Host == "." {
					continue
				}
				if _, err := fs.Stat(d.FS, m.Host); errors.Is(err, fs.ErrNotExist) {
					if d.Alone && !strings.HasPrefix(m.Container, "/run/secrets/") {
						r.NotChecked(m.Host+d.Unseen(err), m.At.Site(""))
						continue
					}
					v := m.SourceAt
					if strings.HasPrefix(m.Container, "/run/secrets/") || path.Ext(m.Host) != "" || path.Ext(m.Container) != "" {
						r.Fail(fmt.Sprintf("%s does not exist%s; the service %s does not get it", m.Host, similar(d, m.Host), s.Name), "correct the path, or make it", v.Site(""))
					} else {
						r.Warn(fmt.Sprintf("%s does not exist%s; Docker makes an empty directory there, which belongs to root", m.Host, similar(d, m.Host)), "mkdir -p "+shell.Path(m.Host)+", owned by the user of the container", v.Site(""))
					}
				} else if err != nil {
					r.NotChecked(cmp.Or(d.Hidden(m.Host), m.Host+" cannot be read"), m.At.Site(""))
				}
			}
		}
	},
}

// similar names what stands in the directory where the missing path should be, if that is not much.
func similar(d *deployment.Deployment, missing string) string {
	entries, err := fs.ReadDir(d.FS, path.Dir(missing))
	if err != nil || len(entries) == 0 || len(entries) > 8 {
		return ""
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return " (there are " + strings.Join(names, ", ") + ")"
}
