package check

import (
	"errors"
	"fmt"
	"io/fs"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

var composeFileRead = Rule{
	ID: "compose-file-read", Severity: finding.Error,
	Summary:     "Compose reads the compose file that is meant",
	Why:         "Compose takes one file by its name, or those in COMPOSE_FILE: a compose.yaml beside the docker-compose.yml that stackgen renders takes its place, and no change ever reaches the stack. A file in COMPOSE_FILE that is not there ends every command.",
	Fix:         "Move the other file away, or take the line out of .env. What is to be added to a rendered file belongs into compose.extra.",
	Source:      "compose-go v2.16.2 cli/options.go WithDefaultConfigPath, WithConfigFileEnv; seen with Docker Compose 5.6.0",
	ComposeOnly: "kubectl reads what it is told to",
	Check: func(d *deployment.Deployment, r *Reporter) {
		files, byName := d.Chosen.Files, d.Chosen.Named
		place := func(name string) source.Site { return source.Site{Pos: source.Pos{File: name}} }
		setting := source.Site{Pos: d.Env.Pos("COMPOSE_FILE"), Note: "COMPOSE_FILE stands here"}
		switch {
		case !d.Chosen.Managed || len(files) == 0 || files[0] == d.Chosen.Rendered:
		case byName:
			r.Fail(fmt.Sprintf("COMPOSE_FILE has Compose read %s first, and not %s, which stackgen rendered; what is rendered does not reach the stack as it was proven", files[0], d.Chosen.Rendered),
				"remove the line, or begin it with "+d.Chosen.Rendered, setting)
		default:
			r.Fail(fmt.Sprintf("Compose reads %s, and not %s, which stackgen rendered; no change of the spec reaches the stack", files[0], d.Chosen.Rendered),
				"mv "+shell.Path(files[0])+" "+shell.Path(files[0]+".old")+"; what is to be added belongs into compose.extra of the spec", place(files[0]))
		}
		if byName {
			for _, name := range files {
				switch _, err := fs.Stat(d.FS, name); {
				case source.Beyond(d.FS, name):
					r.NotChecked(name+", which COMPOSE_FILE names, is not below this directory", setting)
				case errors.Is(err, fs.ErrNotExist): // Compose names the first
					r.Fail(fmt.Sprintf("COMPOSE_FILE names %s, which does not exist%s; every command of Compose ends with an error", name, similar(d, name)), "correct the line, or remove it", setting)
					return
				}
			}
		}
	},
}
