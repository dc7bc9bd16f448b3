package check

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var composeReadsExist = Rule{
	ID: "compose-reads-exist", Severity: finding.Error,
	Summary: "every file that Compose itself reads exists",
	Why:     "\"env file … not found\", \"failed to read\", \"unable to prepare context\": one env_file, label_file, included file or build context that is not there, and `docker compose up` starts nothing at all.",
	Fix:     "Correct the path, or make the file. In a stack that is rendered, compose.files brings it along.",
	Source:  "compose-go v2.16.2 types/project.go, loader/include.go, loader/extends.go; Docker Compose 5.6.0 pkg/compose/build.go",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, in := range d.Inputs() {
			if in.Within != "" {
				if _, err := fs.Stat(d.FS, in.Within); err != nil {
					continue
				}
			}
			checkInput(r, d, in)
		}
	},
}

// byPortainer is the file that Portainer makes of the variables of a stack that it takes from git, beside what it took:
// Portainer 2.23 api/exec/compose_stack.go, createEnvFile.
const byPortainer = "stack.env"

// checkInput has a file or directory exist. What is fetched from elsewhere is none of this rule.
func checkInput(r *Reporter, d *deployment.Deployment, in deployment.Input) {
	name, what, v := in.Name, in.What, in.At
	host := path.Clean(name)
	if strings.Contains(name, "://") || strings.HasPrefix(name, "git@") || strings.HasPrefix(name, "oci:") {
		return // Compose fetches it
	}
	if source.Beyond(d.FS, host) || strings.HasPrefix(name, "~") {
		r.NotChecked(what+", "+name+", is outside of the directory", v.Site(""))
		return
	}
	switch _, err := fs.Stat(d.FS, host); {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		r.NotChecked(what+" cannot be seen: "+deployment.Cause(err), v.Site(""))
	case d.Unseen(err) != "":
		r.NotChecked(what+", "+host+","+d.Unseen(err), v.Site(""))
	case path.Base(host) == byPortainer:
		r.NotChecked(what+", "+host+", is not here: Portainer writes a file of that name of the variables that a stack is given there", v.Site(""))
	case !in.Pulled:
		r.Fail(fmt.Sprintf("%s, %s, does not exist%s; Compose stops at it and starts nothing", what, host, similar(d, host)), "correct the path, or make the file", v.Site(""))
	default:
		r.Warn(fmt.Sprintf("%s, %s, does not exist%s; Compose starts nothing where it has no image yet and cannot pull one", what, host, similar(d, host)), "correct the path, or remove build", v.Site(""))
	}
}
