package check

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/interpolation"
	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/tree"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

var composeValid = Rule{
	ID: "compose-valid", Severity: finding.Error,
	Summary: "Compose accepts the file",
	Why:     "docker compose stops with an error and starts nothing.",
	Fix:     "Correct what Compose names.",
	Source:  "compose-go v2",
	beside:  true,
	Check: func(d *deployment.Deployment, r *Reporter) {
		if len(d.Unread) > 0 {
			r.Warn("the rules do not follow this: what Compose adds to "+d.Compose.Path+" by it, or changes, is not checked",
				"check a copy (cp -a) in which the output of `docker compose config --no-path-resolution` is the only compose file", d.Unread...)
		}
		if d.Accepted == ComposeVerdict(d) {
			return
		}
		// compose-go warns through logrus' global logger; what it warns of are findings of ours.
		logrus.SetOutput(io.Discard)
		details := types.ConfigDetails{
			WorkingDir:  "/",
			ConfigFiles: []types.ConfigFile{{Filename: d.Compose.Path, Content: d.Compose.Src}},
			Environment: types.Mapping(maps.Clone(d.Env)),
		}
		load := func() error {
			_, err := loader.LoadWithContext(context.Background(), details, func(o *loader.Options) {
				o.SetProjectName("stack", false)
				o.SkipResolveEnvironment = true
				o.SkipResolveLabels = true // label_file would be read from the disk of this machine
				o.ResolvePaths = false
				o.SkipExtends = true
				o.SkipInclude = true
				o.SkipConsistencyCheck = len(d.Unread) > 0 // what is missing may come from there
				o.Profiles = []string{"*"}
				o.Interpolate.TypeCastMapping = casts(d, o.Interpolate.TypeCastMapping)
			})
			return err
		}
		err := load()
		// A variable that only the shell sets may be what makes the file valid: some value must do.
		if names := unset(d); err != nil && len(names) > 0 {
			for _, dummy := range []string{"1", "./x"} {
				for _, name := range names {
					details.Environment[name] = dummy
				}
				if load() == nil {
					return
				}
			}
		}
		if err != nil {
			msg := strings.ReplaceAll(err.Error(), "\n", " ")
			msg, fix, sites := undefined(d, msg)
			if sites == nil {
				fix, sites = "correct what Compose names", []source.Site{composeSite(d, msg)}
			}
			r.Fail("Compose refuses the file: "+composeMasked(d, msg), fix, sites...)
		}
	},
}

// casts leaves out the types of keys that do not stand in the file: compose-go tries each pattern on each
// scalar, a third of what it allocates on a file that holds a handful of these keys.
func casts(d *deployment.Deployment, all map[tree.Path]interpolation.Cast) map[tree.Path]interpolation.Cast {
	keys := composeKeys(d)
	some := maps.Clone(all)
	maps.DeleteFunc(some, func(pattern tree.Path, _ interpolation.Cast) bool {
		return slices.ContainsFunc(pattern.Parts(), func(part string) bool {
			return part != tree.PathMatchAll && part != tree.PathMatchList && !keys[part]
		})
	})
	return some
}

// composeKeys are the keys of all mappings in the compose file.
func composeKeys(d *deployment.Deployment) map[string]bool {
	keys := make(map[string]bool)
	var collect func(source.Value)
	collect = func(v source.Value) {
		for k, val := range v.Entries() {
			keys[k.Str()] = true
			collect(val)
		}
		for _, item := range v.Items() {
			collect(item)
		}
	}
	collect(d.Compose.Root())
	return keys
}

// composeGo is the version of compose-go in go.mod; a test holds the two together.
const composeGo = "v2.16.2"

// ComposeVerdict names the judge and the text, to remember that one accepted the other: compose-go takes
// longer than all other rules together.
func ComposeVerdict(d *deployment.Deployment) string {
	if d.Compose == nil {
		return ""
	}
	h := sha256.New()
	h.Write(d.Compose.Src)
	fmt.Fprint(h, "\x00", d.Env) // in the order of the keys
	return "compose-go " + composeGo + " sha256:" + hex.EncodeToString(h.Sum(nil))
}

// unset are the variables in the compose file that are set nowhere here.
func unset(d *deployment.Deployment) []string {
	var names []string
	d.Scalars(d.Compose.Root(), func(v source.Value) {
		for _, g := range deployment.Variable().FindAllStringSubmatch(v.Str(), -1) {
			if name := g[2] + g[5]; name != "" && d.Env[name] == "" {
				names = append(names, name)
			}
		}
	})
	return names
}

// composeMasked keeps what a message says, without values that it may quote: what stands between quotes
// stays only where it is a key of the file.
func composeMasked(d *deployment.Deployment, msg string) string {
	keys := composeKeys(d)
	// An interpolation error ends in the whole value, without quotes.
	if i := strings.Index(msg, " You may need to escape"); i >= 0 {
		msg = msg[:i] + " You may need to escape any $ with another $"
	}
	d.Scalars(d.Compose.At("services"), func(v source.Value) {
		hides := slices.ContainsFunc(v.Keys(), func(k string) bool { return slices.Contains(mayHide, k) })
		if hides && len(v.Str()) > 3 {
			msg = strings.ReplaceAll(msg, v.Str(), "…")
		}
	})
	return quoted().ReplaceAllStringFunc(msg, func(m string) string {
		if keys[strings.Trim(m, `"'`)] {
			return m
		}
		return `"…"`
	})
}

// mayHide are the keys of a service below which secrets stand inline.
var mayHide = []string{"environment", "command", "entrypoint", "labels", "healthcheck", "build", "annotations"}

var (
	quoted      = regex.Of(`"[^"]*"|'[^']*'`)
	composePath = regex.Of(`\b(services|networks|volumes|secrets|configs)\.([A-Za-z0-9_.-]+)|service "([^"]+)"`)
)

var undefinedName = regex.Of(`service "([^"]+)" (?:refers to|depends on) undefined (service|network|volume|config|secret) "?([^":\s]+)`)

// undefined finds the places of a name that a service uses and nothing defines: where it is used, and the
// definition that was most likely meant. compose-go looks at the services in any order; the message then is
// about the first of the file. No sites where it is about something else.
func undefined(d *deployment.Deployment, msg string) (about, fix string, sites []source.Site) {
	g := undefinedName().FindStringSubmatch(msg)
	if g == nil {
		return msg, "", nil
	}
	kind, name := g[2]+"s", g[3]
	key := map[bool]string{true: "depends_on", false: kind}[kind == "services"]
	for service, v := range d.Compose.At("services").Entries() {
		if at := uses(v.At(key), name); at.Exists() && sites == nil {
			msg = strings.Replace(msg, `service "`+g[1]+`"`, `service "`+service.Str()+`"`, 1)
			sites = []source.Site{at.Site("")}
		}
	}
	if sites == nil {
		return msg, "", nil
	}
	var defined []string
	for key := range d.Compose.At(kind).Entries() {
		defined = append(defined, key.Str())
	}
	if near := deployment.Nearest(name, defined); near != "" {
		return msg, near + " instead of " + name, append(sites, d.Compose.At(kind, near).Site("most likely this one is meant"))
	}
	return msg, "define " + name + " below " + kind + ":", append(sites, d.Compose.At(kind).Site("not among these"))
}

// uses is the entry of a list or mapping that names something defined elsewhere; absent when none does.
func uses(list source.Value, name string) source.Value {
	for _, item := range list.Items() {
		if first, _, _ := strings.Cut(item.Str(), ":"); first == name || item.At("source").Str() == name {
			return item
		}
	}
	return list.At(name)
}

// composeSite finds the place that an error of compose-go names by its path; it knows no lines.
func composeSite(d *deployment.Deployment, msg string) source.Site {
	g := composePath().FindStringSubmatch(msg)
	if g == nil {
		return d.Compose.Root().Site("")
	}
	if g[3] != "" {
		return d.Compose.At("services", g[3]).Site("")
	}
	v := d.Compose.At(g[1])
	for key := range strings.SplitSeq(g[2], ".") {
		if next := v.At(key); next.Exists() {
			v = next
		}
	}
	return v.Site("")
}

var composeInterpolation = Rule{
	ID: "compose-interpolation", Severity: finding.Error,
	Summary: "no $ in the compose file that Compose would eat",
	Why:     "Compose replaces $word by a variable that is not set, that is by nothing: routing rules and passwords lose characters without an error.",
	Fix:     "Write $$ for a dollar. A variable that is meant as one must be set in .env, or have a default.",
	Source:  "compose-go v2 interpolation",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.Scalars(d.Compose.Root(), func(v source.Value) {
			if !strings.Contains(v.Str(), "$") {
				return
			}
			if _, ok := d.Expand(v); !ok {
				if !bareWord(d, v) {
					r.Warn("a variable in this value is set nowhere here; unless the shell that starts the stack sets it, Compose puts nothing in its place or refuses the file", "set the variable in .env", v.Site(""))
					return
				}
				r.Fail("Compose replaces a $ in this value by a variable that is set nowhere here; characters are lost", "write $$ for a dollar, or set the variable in .env", v.Site(""))
			} else if stray().MatchString(withoutVariables(v.Str())) {
				r.Fail("Compose cannot read the ${ in this value; it refuses the file", "write $${ for a dollar and a brace", v.Site(""))
			}
		})
	},
}

var (
	stray = regex.Of(`\$\{(?:[^A-Za-z_]|$)`)
	upper = regex.Of(`^[A-Z][A-Z0-9_]{3,}$`)
)

// withoutVariables takes the variables out, from the innermost on: a default may hold others.
func withoutVariables(s string) string {
	for range 5 {
		s = deployment.Variable().ReplaceAllString(s, "")
	}
	return s
}

// bareWord reports whether an unset variable of the value is most likely none: it has no braces and does
// not look like the name of one.
func bareWord(d *deployment.Deployment, v source.Value) bool {
	return slices.ContainsFunc(deployment.Variable().FindAllStringSubmatch(v.Str(), -1), func(g []string) bool {
		_, set := d.Env[g[5]]
		return g[5] != "" && !set && !upper().MatchString(g[5])
	})
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
					v := m.Value
					if d.Alone && !strings.HasPrefix(m.Container, "/run/secrets/") {
						r.NotChecked(m.Host+d.Unseen(err), v.Site(""))
						continue
					}
					if def := d.Compose.At("secrets", v.Str(), "file"); strings.HasPrefix(m.Container, "/run/secrets/") && def.Set() {
						v = def
					}
					if strings.HasPrefix(m.Container, "/run/secrets/") || path.Ext(m.Host) != "" || path.Ext(m.Container) != "" {
						r.Fail(fmt.Sprintf("%s does not exist%s; the service %s does not get it", m.Host, similar(d, m.Host), s.Name), "correct the path, or make it", v.Site(""))
					} else {
						r.Warn(fmt.Sprintf("%s does not exist%s; Docker makes an empty directory there, which belongs to root", m.Host, similar(d, m.Host)), "mkdir -p "+shell.Path(m.Host)+", owned by the user of the container", v.Site(""))
					}
				} else if err != nil {
					r.NotChecked(cmp.Or(d.Hidden(m.Host), m.Host+" cannot be read"), m.Value.Site(""))
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
