package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

var masMigrationMount = Rule{
	ID: "mas-migration-mount", Severity: finding.Error,
	Summary: "the migration from Synapse sees MAS's configuration and homeserver.yaml, a password for Synapse's database, and its way to hash passwords",
	Why:     "syn2mas stops: it cannot read homeserver.yaml; or \"password authentication failed\" for Synapse's database, because it does not know passfile; or \"Password scheme version '1' in the MAS config must use the Bcrypt algorithm\".",
	Fix:     "Mount Synapse's directory into the service that runs syn2mas, name homeserver.yaml as that service sees it, and give MAS a bcrypt scheme of version 1 with Synapse's pepper.",
	Source:  "MAS crates/cli/src/commands/syn2mas.rs, crates/syn2mas/src/synapse_reader/config and checks.rs",
	Check: func(d *Deployment, r *Reporter) {
		for _, s := range d.Services {
			if s.Program == image.MAS && slices.Contains(s.Command(), "syn2mas") {
				d.checkMigration(r, s)
			}
		}
	},
}

func (d *Deployment) checkMigration(r *Reporter, s *Service) {
	command := s.Value.At("command")
	mas, reason, hidden := d.follow(s, path.Join("/", s.masConfigPath()))
	if mas == nil && !hidden {
		r.Fail(fmt.Sprintf("%s does not see MAS's configuration: %s; syn2mas stops", s.Name, reason), "mount what the service of MAS mounts", s.Value.At("volumes").Site(""), command.Site("runs syn2mas"))
		return
	}
	arg := s.flag("", "--synapse-config")
	if arg == "" {
		r.Fail("syn2mas is not told where homeserver.yaml is; it stops", "--synapse-config and the path of homeserver.yaml", command.Site(""))
		return
	}
	f, reason, hidden := d.follow(s, path.Join("/", arg))
	switch {
	case hidden:
		r.NotChecked(fmt.Sprintf("%s, which syn2mas reads, cannot be seen: %s", arg, reason), command.Site(""))
	case f == nil:
		r.Fail(fmt.Sprintf("syn2mas reads %s, but %s; it stops", arg, reason), "mount Synapse's directory into "+s.Name, command.Site(""), s.Value.At("volumes").Site("what it sees"))
	case len(d.Synapses) > 0 && !slices.ContainsFunc(d.Synapses, func(syn *Synapse) bool { return syn.Config == f }):
		r.Fail(fmt.Sprintf("syn2mas reads %s, which is %s and not Synapse's configuration; it migrates something else or stops", arg, f.Path), "mount "+path.Dir(d.Synapses[0].Config.Path)+" into "+s.Name,
			command.Site(""), source.Site{Pos: source.Pos{File: d.Synapses[0].Config.Path}, Note: "Synapse's"})
	default:
		d.checkMigrationPassword(r, s, f)
		if mas != nil {
			d.checkScheme(r, s, mas, f)
		}
	}
}

// checkScheme holds MAS's way to check the passwords that Synapse's users bring along against Synapse's.
func (d *Deployment) checkScheme(r *Reporter, s *Service, mas, homeserver *source.File) {
	schemes := mas.At("passwords", "schemes")
	all := schemes.Items()
	i := slices.IndexFunc(all, func(v source.Value) bool { n, ok := v.At("version").Int(); return ok && n == 1 })
	pepper := homeserver.At("password_config", "pepper")
	runs := s.Value.At("command").Site("runs syn2mas")
	switch {
	case i < 0 && s.readsMore():
	case i < 0 && schemes.Set():
		at := schemes
		if j := slices.IndexFunc(all, func(v source.Value) bool { return v.At("algorithm").Str() == "bcrypt" }); j >= 0 {
			at = all[j].At("version")
		}
		r.Fail("MAS has no password scheme of version 1, as which syn2mas takes over Synapse's passwords; it stops", "- {version: 1, algorithm: bcrypt, unicode_normalization: true}", at.Site(""), runs)
	case i < 0 || all[i].At("algorithm").Str() != "bcrypt":
		at := schemes
		if i >= 0 {
			at = all[i].At("algorithm")
		}
		r.Fail("MAS's password scheme of version 1 is not bcrypt, which Synapse's passwords are hashed with; syn2mas stops", "algorithm: bcrypt", at.Site(""), runs)
	default:
		secret, at, reason := d.secretOf(s, all[i], "secret", "secret_file")
		switch {
		case reason != "":
			r.NotChecked("the secret of MAS's password scheme cannot be seen: "+reason, at.Site(""))
		case secret != pepper.Str():
			r.Fail("the secret of MAS's password scheme is not Synapse's pepper; syn2mas stops, for no password of Synapse's users would be right", "write the same value in both places, or none", at.Site(""), pepper.Site("Synapse's"), runs)
		}
	}
}

func (d *Deployment) checkMigrationPassword(r *Reporter, s *Service, homeserver *source.File) {
	args := homeserver.At("database", "args")
	password, _ := s.Env("PGPASSWORD")
	given := slices.ContainsFunc(s.Command(), func(w string) bool { return strings.HasPrefix(w, "--synapse-database-uri") })
	if args.At("passfile").Set() && !args.At("password").Set() && password == "" && s.envHidden("PGPASSWORD") == "" && !given {
		r.Fail("Synapse's database password stands in a passfile, which syn2mas does not read; it cannot log in to Synapse's database", "--synapse-database-uri postgresql://user:password@host/database",
			s.Value.At("command").Site(""), args.At("passfile").Site("syn2mas does not know it"))
	}
}
