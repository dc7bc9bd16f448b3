package check

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

var composeValid = Rule{
	ID: "compose-valid", Severity: finding.Error,
	Summary:     "Compose accepts the file",
	Why:         "docker compose stops with an error and starts nothing.",
	Fix:         "Correct what Compose names.",
	Source:      "compose-go v2",
	ComposeOnly: "it is Compose that is asked",
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
	Summary:     "no $ in the compose file that Compose would eat",
	Why:         "Compose replaces $word by a variable that is not set, that is by nothing: routing rules and passwords lose characters without an error.",
	Fix:         "Write $$ for a dollar. A variable that is meant as one must be set in .env, or have a default.",
	Source:      "compose-go v2 interpolation",
	ComposeOnly: "nothing replaces a dollar in a manifest, but $(NAME), which is looked at where it stands",
	Check: func(d *deployment.Deployment, r *Reporter) {
		var unset []deployment.Interpolation
		var marked, given []source.Site
		var files, givenNames []string
		if by := d.Env.By; by != "" {
			for _, f := range d.Env.Files {
				given = append(given, source.Site{Pos: source.Pos{File: f.Path}})
				files = append(files, f.Path)
			}
			r.NotChecked(fmt.Sprintf("the variables are those of %s, which %s gives Compose by --env-file; what others make of the stack was not looked at", finding.Sentence(files, "and"), by), given...)
			given, files = nil, nil
		}
		for _, dollar := range d.Interpolations() {
			switch dollar.Kind {
			case deployment.Unset:
				set := func(name string) bool {
					if by := d.Env.Elsewhere[name]; len(by) > 0 {
						given = append(given, dollar.At.Site(""))
						for _, file := range by {
							if !slices.Contains(files, file) {
								files = append(files, file)
							}
						}
						if !slices.Contains(givenNames, name) {
							givenNames = append(givenNames, name)
						}
						return true
					}
					return d.Scripts.Fill(d.Assumed.File, name) != ""
				}
				if len(dollar.Names) == 0 || !slices.ContainsFunc(dollar.Names, set) {
					unset = append(unset, dollar)
				} else if dollar.Names = slices.DeleteFunc(dollar.Names, set); len(dollar.Names) > 0 {
					unset = append(unset, dollar)
				}
			case deployment.Marked:
				marked = append(marked, dollar.At.Site(""))
			case deployment.Eaten:
				r.Fail("Compose replaces a $ in this value by a variable that is set nowhere here; characters are lost", "write $$ for a dollar, or set the variable in .env", dollar.At.Site(""))
			case deployment.Unreadable:
				text := dollar.At.Str()
				r.FailMend("Compose cannot read the ${ in this value; it refuses the file", unless(strings.Count(text, "$") != 1, mend{"write $${ for a dollar and a brace", func() []source.Edit {
					return dollar.At.BecomeText(strings.Replace(text, "${", "$${", 1))
				}}), dollar.At.Site(""))
			}
		}
		if len(marked) > 0 {
			r.NotChecked("the compose file is a template: what is put in the place of {{ … }} before Compose reads it cannot be seen", marked...)
		}
		if len(given) > 0 {
			verb := map[bool]string{true: "is", false: "are"}[len(givenNames) == 1]
			r.NotChecked(fmt.Sprintf("%s %s set in %s, which scripts here give Compose by --env-file, and not in .env: what the stack is with them was not looked at", finding.Sentence(givenNames, "and"), verb, finding.Sentence(files, "and")), given...)
		}
		by := "the shell that starts the stack"
		if d.Assumed.File != "" {
			by = d.Assumed.File + ", which is not here, or " + by
		}
		severally(r, unset, func(i deployment.Interpolation) []source.Site { return []source.Site{i.At.Site("")} },
			func(r *Reporter, dollars []deployment.Interpolation) { warnUnset(r, dollars, by) })
	},
}

// warnUnset names the variables that are set nowhere here; by is what may set them all the same.
func warnUnset(r *Reporter, dollars []deployment.Interpolation, by string) {
	var unset []string
	unnamed := false
	var places []source.Site
	for _, dollar := range dollars {
		unnamed = unnamed || len(dollar.Names) == 0
		for _, name := range dollar.Names {
			if !slices.Contains(unset, name) {
				unset = append(unset, name)
			}
		}
		places = append(places, dollar.At.Site(""))
	}
	switch {
	case len(unset) == 0:
		r.Warn("a variable in this value is set nowhere here; unless "+by+" sets it, Compose puts nothing in its place or refuses the file", "set the variable in .env", places...)
	case len(unset) == 1 && !unnamed:
		r.Warn(unset[0]+" is set nowhere here; unless "+by+" sets it, Compose puts nothing in its place or refuses the file", "set it in .env", places...)
	default:
		if unnamed {
			unset = append(unset, "others")
		}
		r.Warn(finding.Sentence(unset, "and")+" are set nowhere here; unless "+by+" sets them, Compose puts nothing in their place or refuses the file", "set them in .env", places...)
	}
}

var composeMountExists = Rule{
	ID: "compose-mount-exists", Severity: finding.Error,
	Summary: "every mounted file and directory of the stack exists",
	Why:     "Docker makes an empty directory in the place of a missing file, owned by root: the program starts without its configuration or not at all.",
	Fix:     "Correct the path, or make the file.",
	Source:  "docker compose up; compose-go does not look",
	Check:   checkMounts,
}

// missingMount is a path that is mounted and is not there.
type missingMount struct {
	host     string
	services []string
	sites    []source.Site
}

// checkMounts has one finding for the missing files of each directory, one for all missing directories but those whose configuration is
// told to be missing, and one for what cannot be
// seen because git ignores it, or one script writes it.
func checkMounts(d *deployment.Deployment, r *Reporter) {
	var files, dirs []missingMount
	told := make(map[string]bool) // directories of a configuration that is missing with them
	elsewhere := make(map[source.Elsewhere][]missingMount)
	add := func(list []missingMount, s *deployment.Service, m deployment.Mount) []missingMount {
		i := slices.IndexFunc(list, func(l missingMount) bool { return l.host == m.Host })
		if i < 0 {
			i, list = len(list), append(list, missingMount{host: m.Host})
		}
		l := &list[i]
		if !slices.Contains(l.services, s.Name) {
			l.services = append(l.services, s.Name)
		}
		if at := m.SourceAt.Site(""); !slices.ContainsFunc(l.sites, func(o source.Site) bool { return o.Pos == at.Pos }) {
			l.sites = append(l.sites, at)
		}
		return list
	}
	for _, s := range d.Services {
		for _, m := range s.Mounts {
			// The start script of a PostgreSQL gives the directory of a new cluster to the server.
			cluster := s.Program == component.Postgres && s.Root() && deployment.Under(m.Container, "/var/lib/postgresql")
			if m.Host == "" || m.Host == "." || cluster || s.Absent.Why != "" {
				continue
			}
			_, err := fs.Stat(d.FS, m.Host)
			e, mayLie := source.MayLie(err)
			switch {
			case err == nil:
			case mayLie:
				elsewhere[e] = add(elsewhere[e], s, m)
			case !errors.Is(err, fs.ErrNotExist):
				r.NotChecked(cmp.Or(d.Hidden(m.Host), m.Host+" cannot be read"), m.At.Site(""))
			case d.Alone && !strings.HasPrefix(m.Container, "/run/secrets/"):
				r.NotChecked(m.Host+d.Unseen(err), m.At.Site(""))
			case d.Faulty(m.Host): // a configuration, which has a finding of its own
			case registers(d, m.Host):
			case mountsFile(m) && d.Maker(s, m.Host) != nil:
				o := d.Maker(s, m.Host)
				r.NotChecked(m.Host+" is not here, and may be made by "+o.Name+", which was not run here", m.SourceAt.Site(""), o.Site("has the directory mounted"))
			case mountsFile(m):
				files = add(files, s, m)
			default:
				host, _ := s.HostPath(s.ConfigPath)
				told[m.Host] = told[m.Host] || s.ConfigPath != "" && deployment.Within(host, m.Host) && d.Faulty(host)
				dirs = add(dirs, s, m)
			}
		}
	}
	dirs = slices.DeleteFunc(dirs, func(l missingMount) bool { return told[l.host] })
	for _, alike := range byDirectory(d, files) {
		severally(r, alike, missingMount.places, func(r *Reporter, alike []missingMount) { tellFiles(d, r, alike) })
	}
	tellDirectories(r, dirs)
	for _, e := range slices.SortedFunc(maps.Keys(elsewhere), func(a, b source.Elsewhere) int { return strings.Compare(a.By, b.By) }) {
		severally(r, elsewhere[e], missingMount.places, func(r *Reporter, mounts []missingMount) {
			names, sites := gathered(mounts)
			them := " are " + e.Several()
			if len(names) == 1 {
				them = " is " + e.Error()
			}
			r.NotChecked(finding.Sentence(deployment.AtMost(names, 3), "and")+them, sites...)
		})
	}
}

func (m missingMount) places() []source.Site { return m.sites }

// mountMissed reports whether a path is the very one that is mounted and does not exist, which compose-mount-exists tells.
func mountMissed(d *deployment.Deployment, s *deployment.Service, host string) bool {
	_, err := fs.Stat(d.FS, host)
	return host != "" && errors.Is(err, fs.ErrNotExist) && slices.ContainsFunc(s.Mounts, func(m deployment.Mount) bool { return m.Host == host })
}

// tellDirectories leaves out those below others: making one makes the other.
func tellDirectories(r *Reporter, dirs []missingMount) {
	dirs = slices.DeleteFunc(slices.Clone(dirs), func(l missingMount) bool {
		return slices.ContainsFunc(dirs, func(o missingMount) bool { return o.host != l.host && deployment.Within(l.host, o.host) })
	})
	severally(r, dirs, missingMount.places, func(r *Reporter, dirs []missingMount) {
		names, sites := gathered(dirs)
		if len(names) == 1 {
			r.Warn(names[0]+" does not exist; Docker makes an empty directory there, which belongs to root", "mkdir -p "+shell.Path(names[0])+", owned by the user of the container", sites...)
			return
		}
		r.Warn(finding.Sentence(deployment.AtMost(names, 5), "and")+" do not exist; Docker makes empty directories there, which belong to root", "make them with mkdir -p, owned by the users of the containers", sites...)
	})
}

func gathered(list []missingMount) (names []string, sites []source.Site) {
	for _, l := range list {
		names, sites = append(names, l.host), append(sites, l.sites...)
	}
	return names, sites
}

// byDirectory puts together the files that are missing for one reason: all of a directory that does not exist; and, of what the same
// services are to get, those of another directory, and those of one name, as the registrations of bridges.
func byDirectory(d *deployment.Deployment, files []missingMount) (groups [][]missingMount) {
	type cause struct{ dir, services string }
	at := make(map[cause]int)
	named := make(map[cause]int)
	for _, f := range files {
		named[cause{path.Base(f.host), strings.Join(f.services, " ")}]++
	}
	for _, f := range files {
		c := cause{dir: path.Dir(f.host)}
		if one := (cause{path.Base(f.host), strings.Join(f.services, " ")}); named[one] > 1 {
			c = one
		} else if _, err := fs.Stat(d.FS, c.dir); err == nil {
			c.services = strings.Join(f.services, " ")
		}
		i, known := at[c]
		if !known {
			i = len(groups)
			at[c], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], f)
	}
	return groups
}

// tellFiles reports the files that are missing from one directory.
func tellFiles(d *deployment.Deployment, r *Reporter, files []missingMount) {
	names, sites := gathered(files)
	var services []string
	for _, f := range files {
		for _, s := range f.services {
			if !slices.Contains(services, s) {
				services = append(services, s)
			}
		}
	}
	who, it, do := "the service "+services[0]+" does", "it", "does"
	if len(services) > 1 {
		who = "the services " + finding.Sentence(deployment.AtMost(services, 3), "and") + " do"
	}
	fix, beside := "correct the path, or make it", similar(d, names[0])
	if slices.ContainsFunc(names, func(name string) bool { return path.Dir(name) != path.Dir(names[0]) }) {
		beside = ""
	}
	if len(files) > 1 {
		it, do, fix = "them", "do", "correct the paths, or make them"
	}
	r.Fail(fmt.Sprintf("%s %s not exist%s; %s not get %s", finding.Sentence(deployment.AtMost(names, 5), "and"), do, beside, who, it), fix, sites...)
}

// mountsFile guesses what is missing from its names: a file has an ending that files have, or is one that everybody knows.
func mountsFile(m deployment.Mount) bool {
	return strings.HasPrefix(m.Container, "/run/secrets/") || !strings.HasSuffix(m.Source, "/") && !strings.HasSuffix(m.Container, "/") && (looksLikeFile(m.Host) || looksLikeFile(m.Container))
}

func looksLikeFile(name string) bool {
	base := path.Base(name)
	ending := strings.ToLower(strings.TrimPrefix(path.Ext(strings.TrimPrefix(base, ".")), "."))
	return slices.Contains(endings, ending) || slices.Contains(fileNames, base)
}

// endings are those of files. Directories have names with a dot, too, as example.org, conf.d and v1.2.
var endings = strings.Fields(`asc cer cert cf cfg cjs cnf conf config crl crt csr css csv dat db default dist env example exe exs
	gif gpg gz hcl hjson htm html ico ini j2 jar jpeg jpg js json json5 jsonc jwk jwks key keys lck list lock log lua md mjs opml p12 pem pfx php
	pid pl png prom properties ps1 pub py rb repo rules sample secret service sh so sock sql sqlite sqlite3 svg tar template tgz tmpl toml tpl ts
	txt vcl wasm webp xml yaml yml zip zone`)

// fileNames are files without an ending that everybody knows.
var fileNames = strings.Fields("Caddyfile Corefile Dockerfile Makefile Procfile htpasswd passwd group shadow hosts known_hosts authorized_keys id_rsa id_ed25519 .env .htpasswd .pgpass .netrc .npmrc .pypirc .vimrc .bashrc")

// similar names what stands in the directory where the missing path should be, if that is not much.
func similar(d *deployment.Deployment, missing string) string {
	entries, err := fs.ReadDir(d.FS, path.Dir(missing))
	if err != nil || len(entries) == 0 || len(entries) > 8 {
		return ""
	}
	var names []string
	for _, e := range entries {
		if e.Name() != ".git" {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return " (there are " + strings.Join(names, ", ") + ")"
}
