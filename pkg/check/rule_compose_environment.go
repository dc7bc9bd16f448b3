package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var composeEnvironment = Rule{
	ID: "compose-environment", Severity: finding.Error,
	Summary:     "what .env says to Compose itself fits the compose file",
	Why:         "A variable that begins with COMPOSE_ steers Compose without a word in the compose file: another project name starts a second stack on the same data and leaves the first one running, a profile starts at every `up` what is meant to be run by hand. A .env that cannot be read ends every command.",
	Fix:         "Take the line out of .env, or write what is meant into the compose file; into the spec, where stackgen renders that.",
	Source:      "Docker Compose 5.6.0 cmd/compose/compose.go setEnvWithDotEnv; compose-go v2.16.2 cli/options.go",
	ComposeOnly: "kubectl reads no .env",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, f := range d.Env.Files {
			switch at := (source.Site{Pos: source.Pos{File: f.Path}}); {
			case f.Odd:
				r.Fail("Compose cannot read "+f.Path+": "+deployment.Cause(f.Err)+"; every command of it ends with an error", "put a file there, or nothing", at)
			case f.Err != nil:
				r.NotChecked(f.Path+" cannot be read: "+deployment.Cause(f.Err), at)
			default:
				if at.Line = f.Unparsed(); at.Line > 0 {
					r.Fail("Compose cannot read this line of "+f.Path+"; every command of it ends with an error", "NAME=value, the value in quotes where it has blanks or quotes", at)
				}
			}
		}
		for _, s := range composeSettings {
			if value, set := d.Env.Values[s.name]; set {
				s.check(d, value, func(severity finding.Severity, message, fix string, sites ...source.Site) {
					sites = append([]source.Site{{Pos: d.Env.Pos(s.name)}}, sites...)
					if severity == finding.Error {
						r.Fail(message, fix, sites...)
					} else {
						r.Warn(message, fix, sites...)
					}
				})
			}
		}
	},
}

// composeSettings are the variables by which .env steers Compose, and what comes of each. COMPOSE_FILE has a rule of
// its own; COMPOSE_PATH_SEPARATOR belongs to it. What only changes what is printed, or how much is done at once, is none.
var composeSettings = []struct {
	name  string
	check func(d *deployment.Deployment, value string, report func(severity finding.Severity, message, fix string, sites ...source.Site))
}{
	{"COMPOSE_PROJECT_NAME", func(d *deployment.Deployment, value string, report func(finding.Severity, string, string, ...source.Site)) {
		name := d.ProjectAt
		if !name.Set() || value == "" || value == name.Str() {
			return
		}
		severity, fix := finding.Warning, "remove the line, or write name: "+value
		if d.Chosen.Managed {
			severity, fix = finding.Error, "remove the line; if the name is meant, write name: "+value+" into the spec"
		}
		report(severity, fmt.Sprintf("COMPOSE_PROJECT_NAME has Compose call the project %s, and not %s: a stack that runs as %s goes on beside the new one, with the same data, and its containers have other names", value, name.Str(), name.Str()), fix, name.Site("the name in the compose file"))
	}},
	{"COMPOSE_PROFILES", func(d *deployment.Deployment, value string, report func(finding.Severity, string, string, ...source.Site)) {
		active := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' })
		for _, s := range d.Services {
			for _, profile := range s.Profiles {
				// Of the services that people keep behind a profile only this one is known to be run by hand.
				byHand := s.Program == component.MAS && slices.Contains(s.Command(), "syn2mas")
				if byHand && (slices.Contains(active, profile.Str()) || slices.Contains(active, "*")) {
					report(finding.Warning, fmt.Sprintf("COMPOSE_PROFILES has every `docker compose up` start %s, which moves users and is to be run by hand", s.Name), "take "+profile.Str()+" out of the line", profile.Site("its profile"))
					break
				}
			}
		}
	}},
	{"COMPOSE_ENV_FILES", func(d *deployment.Deployment, _ string, report func(finding.Severity, string, string, ...source.Site)) {
		report(finding.Warning, "COMPOSE_ENV_FILES in .env does nothing: Compose takes it from the shell alone, and reads .env here", "write the variables into .env, or set COMPOSE_ENV_FILES in the shell that starts the stack")
	}},
	{"COMPOSE_DISABLE_ENV_FILE", func(d *deployment.Deployment, value string, report func(finding.Severity, string, string, ...source.Site)) {
		off, err := strconv.ParseBool(value)
		if err != nil {
			report(finding.Error, "COMPOSE_DISABLE_ENV_FILE is neither true nor false; every command of Compose ends with an error", "remove the line")
			return
		}
		var sites []source.Site
		for _, v := range d.Env.Taken() {
			if len(sites) < 3 {
				sites = append(sites, v.Site("takes a variable of .env"))
			}
		}
		if off && len(sites) > 0 {
			report(finding.Error, "COMPOSE_DISABLE_ENV_FILE has Compose pass over .env: the variables that the compose file takes from it are empty", "remove the line", sites...)
		}
	}},
	{"COMPOSE_PARALLEL_LIMIT", func(_ *deployment.Deployment, value string, report func(finding.Severity, string, string, ...source.Site)) {
		if _, err := strconv.Atoi(value); err != nil {
			report(finding.Error, "COMPOSE_PARALLEL_LIMIT is no number; every command of Compose ends with an error", "COMPOSE_PARALLEL_LIMIT=4, or remove the line")
		}
	}},
	{"COMPOSE_COMPATIBILITY", func(d *deployment.Deployment, value string, report func(finding.Severity, string, string, ...source.Site)) {
		if !slices.Contains([]string{"true", "1", "y", "t"}, strings.ToLower(strings.TrimSpace(value))) {
			return
		}
		// With it Compose writes underscores into the names of containers.
		var sites []source.Site
		for _, b := range d.Backups() {
			for _, db := range b.Option("postgresql_databases").Items() {
				if v := db.At("pg_dump_command"); strings.Contains(v.Str(), "-1 pg_dump") {
					sites = append(sites, v.Site("asks the container by that name"))
				}
			}
		}
		if len(sites) > 0 {
			report(finding.Error, "COMPOSE_COMPATIBILITY has Compose call containers with underscores; the dumps ask one whose name has dashes, and no database is backed up", "remove the line", sites[:1]...)
		}
	}},
}
