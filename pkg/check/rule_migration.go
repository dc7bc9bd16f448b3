package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var masMigrationMount = Rule{
	ID: "mas-migration-mount", Severity: finding.Error,
	Summary: "the migration from Synapse sees MAS's configuration and homeserver.yaml, a password for Synapse's database, and its way to hash passwords",
	Why:     "syn2mas stops: it cannot read homeserver.yaml; or \"password authentication failed\" for Synapse's database, because it does not know passfile; or \"Password scheme version '1' in the MAS config must use the Bcrypt algorithm\".",
	Fix:     "Mount Synapse's directory into the service that runs syn2mas, name homeserver.yaml as that service sees it, and give MAS a bcrypt scheme of version 1 with Synapse's pepper.",
	Source:  "MAS crates/cli/src/commands/syn2mas.rs, crates/syn2mas/src/synapse_reader/config and checks.rs",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Services {
			if s.Program == component.MAS && slices.Contains(s.Command(), "syn2mas") {
				checkMigration(r, d, s)
			}
		}
	},
}

func checkMigration(r *Reporter, d *deployment.Deployment, s *deployment.Service) {
	command := s.Cmd
	mas, reason, hidden := d.Follow(s, path.Join("/", s.ConfigFile()))
	if mas == nil && !hidden {
		r.Fail(fmt.Sprintf("%s does not see MAS's configuration: %s; syn2mas stops", s.Name, reason), d.Lines.Mount("what the service of MAS mounts", ""), s.Volumes.Site(""), command.Site("runs syn2mas"))
		return
	}
	if mas != nil {
		checkMigrationMatrix(r, d, s, mas)
	}
	args := s.Flags("--synapse-config")
	if len(args) == 0 {
		r.Fail("syn2mas is not told where homeserver.yaml is; it stops", "--synapse-config and the path of homeserver.yaml", command.Site(""))
		return
	}
	var files homeservers
	for _, arg := range args {
		f, reason, hidden := d.Follow(s, path.Join("/", arg))
		switch {
		case hidden:
			r.NotChecked(fmt.Sprintf("%s, which syn2mas reads, cannot be seen: %s", arg, reason), command.Site(""))
			return
		case f == nil:
			r.Fail(fmt.Sprintf("syn2mas reads %s, but %s; it stops", arg, reason), d.Lines.Mount("Synapse's directory", "into "+s.Name), command.Site(""), s.Volumes.Site("what it sees"))
			return
		}
		files = append(files, f)
	}
	if len(d.Synapses) > 0 && !slices.ContainsFunc(d.Synapses, func(syn *deployment.Synapse) bool { return slices.Contains(files, syn.Config) }) {
		last := len(files) - 1 // what it says counts
		r.Fail(fmt.Sprintf("syn2mas reads %s, which is %s and not Synapse's configuration; it migrates something else or stops", args[last], files[last].Path), d.Lines.Mount(path.Dir(d.Synapses[0].Config.Path), "into "+s.Name),
			command.Site(""), source.Site{Pos: source.Pos{File: d.Synapses[0].Config.Path}, Note: "Synapse's"})
		return
	}
	checkMigrationDatabase(r, s, files)
	if mas != nil {
		checkScheme(r, d, s, mas, files)
	}
}

// homeservers are the configurations that syn2mas lays over each other, key by key.
type homeservers []*source.File

// At is the value that counts: that of the last file which has one.
func (h homeservers) At(path ...string) source.Value {
	for _, f := range slices.Backward(h) {
		if v := f.At(path...); v.Set() {
			return v
		}
	}
	return h[len(h)-1].At(path...)
}

// checkMigrationMatrix looks at a configuration of MAS that is for syn2mas alone: what stands in MAS's own is
// looked at anyway.
func checkMigrationMatrix(r *Reporter, d *deployment.Deployment, s *deployment.Service, mas *source.File) {
	if slices.ContainsFunc(d.MASs, func(m *deployment.MAS) bool { return m.Config == mas }) || s.ReadsMore() {
		return
	}
	v, runs := mas.At("matrix"), s.Cmd.Site("runs syn2mas")
	if !v.Set() {
		r.Fail("the configuration of MAS that syn2mas reads has no matrix section; it stops (missing field `matrix`)", "matrix: {homeserver: …, endpoint: …, secret_file: …}, as MAS has it", mas.Root().Site(""), runs)
		return
	}
	for _, syn := range d.Synapses {
		name, homeserver := syn.Config.At("server_name"), v.At("homeserver")
		if env, _ := s.Env("MAS_MATRIX_HOMESERVER"); env == "" && name.Set() && homeserver.Str() != name.Str() {
			r.FailMend("the configuration of MAS that syn2mas reads has another homeserver than Synapse's server_name; it stops", unless(len(d.Synapses) != 1, say(homeserver, name.Str())), homeserver.Site(""), name.Site("Synapse's"), runs)
		}
	}
}

// checkScheme holds MAS's way to check the passwords that Synapse's users bring along against Synapse's.
func checkScheme(r *Reporter, d *deployment.Deployment, s *deployment.Service, mas *source.File, homeserver homeservers) {
	schemes := mas.At("passwords", "schemes")
	all := schemes.Items()
	i := slices.IndexFunc(all, func(v source.Value) bool { n, ok := v.At("version").Int(); return ok && n == 1 })
	pepper := homeserver.At("password_config", "pepper")
	runs := s.Cmd.Site("runs syn2mas")
	switch {
	case i < 0 && s.ReadsMore():
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
		secret, at, reason := d.SecretOf(s, all[i], "secret", "secret_file")
		switch {
		case reason != "":
			r.NotChecked("the secret of MAS's password scheme cannot be seen: "+reason, at.Site(""))
		case secret != pepper.Str():
			r.Fail("the secret of MAS's password scheme is not Synapse's pepper; syn2mas stops, for no password of Synapse's users would be right", "write the same value in both places, or none", at.Site(""), pepper.Site("Synapse's"), runs)
		}
	}
}

func checkMigrationDatabase(r *Reporter, s *deployment.Service, homeserver homeservers) {
	args := func(name string) source.Value { return homeserver.At("database", "args", name) }
	password, _ := s.Env("PGPASSWORD")
	given := slices.ContainsFunc(s.Command(), func(w string) bool { return strings.HasPrefix(w, "--synapse-database-uri") })
	if args("passfile").Set() && !args("password").Set() && password == "" && s.EnvHidden("PGPASSWORD") == "" && !given {
		r.Fail("Synapse's database password stands in a passfile, which syn2mas does not read; it cannot log in to Synapse's database", "--synapse-database-uri postgresql://user:password@host/database",
			s.Cmd.Site(""), args("passfile").Site("syn2mas does not know it"))
	}
	if a, b := args("database"), args("dbname"); a.Set() && b.Set() && !given {
		r.Fail("syn2mas finds Synapse's database under both database and dbname; it stops (\"Only one of `database` and `dbname` may be specified\")", "remove the older one", a.Site(""), b.Site("the other"), s.Cmd.Site("runs syn2mas"))
	}
}
