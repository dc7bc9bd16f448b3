package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// dynamicRoots are what belongs into a file of the file provider.
var dynamicRoots = []string{"http", "tcp", "udp", "tls"}

// instead is what to write for keys that Traefik 3 has no more.
var instead = map[string]string{
	"providers.docker.swarmmode":        "providers.swarm",
	"experimental.http3":                "http3 of an entrypoint",
	"providers.consul.namespace":        "namespaces",
	"providers.consulcatalog.namespace": "namespaces",
	"providers.nomad.namespace":         "namespaces",
	"tracing.jaeger":                    "tracing.otlp",
	"tracing.zipkin":                    "tracing.otlp",
	"metrics.influxdb":                  "metrics.influxDB2",
}

var traefikKnownKeys = Rule{
	ID: "traefik-known-keys", Severity: finding.Error,
	Summary:     "Traefik knows every key of its static configuration, and reads the file, flags or variables that hold it",
	Why:         "Traefik does not start: \"field not found, node: …\", \"incompatible deprecated static option found\". Or a setting has no effect: where there is a file, Traefik passes over its flags, and where there are flags, over its variables; routers and middlewares in the file are passed over as well.",
	Fix:         "Write the key as this release of Traefik calls it, and all settings in one place; routers belong into a file that providers.file names, or on labels.",
	Source:      "Traefik pkg/config/static, pkg/cli, from 2.0.0 to 3.7.13; paerser v0.2.2",
	ComposeOnly: "the controller and its settings are none of the stack",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Services {
			if v, _ := s.Image.Version(); s.Program == component.Traefik && v[0] != 1 {
				checkStaticKeys(r, d, s)
			}
		}
	},
}

func checkStaticKeys(r *Reporter, d *deployment.Deployment, s *deployment.Service) {
	st := d.Static(s)
	if st.Hidden != "" {
		r.NotChecked("Traefik's static configuration was not looked at: "+st.Hidden, s.Site(""))
		return
	}
	k := keysOfTraefik(s)
	roots := make(map[string]bool)
	if names, sites := oldSections(st); len(names) > 1 {
		r.Warn("this file is written for Traefik 1: "+k.called+" passes over "+finding.Sentence(deployment.AtMost(names, 3), "and")+", and does not start where a section that it knows holds a key that it does not",
			"write it anew as https://doc.traefik.io/traefik/migrate/v1-to-v2/ says", append(sites, k.image)...)
		return
	}
	var old []traefik.Setting
	for _, set := range st.Settings {
		l := traefik.Find(set.Key, k.version)
		switch {
		case l.Known:
			k.checkValue(r, set, l)
		case st.From == "file" && l.Root() && !strings.EqualFold(l.Part, "pilot"):
			if !roots[l.Part] {
				roots[l.Part] = true
				k.passedRoot(r, set, l)
			}
		case roots[l.Part]:
		case slices.Contains(oldRoots, strings.ToLower(l.Part)):
			roots[l.Part] = true
			old = append(old, set)
		default:
			roots[l.Part] = true
			k.unknown(r, set, l)
		}
	}
	severally(r, old, func(set traefik.Setting) []source.Site { return []source.Site{set.Site} }, k.ofTheFirst)
	if len(st.Passed) > 0 {
		var sites []source.Site
		for _, p := range st.Passed {
			told := slices.ContainsFunc(sites, func(o source.Site) bool { return o.Pos == p.Site.Pos })
			if traefik.Find(p.Key, k.version).Known && !told {
				sites = append(sites, p.Site)
			}
		}
		if len(sites) > 0 {
			r.Warn("Traefik reads "+st.PassedBy+", and passes over what else it is given; these settings have no effect", "write all of them in one place", sites...)
		}
	}
}

var traefikProviderMounted = Rule{
	ID: "traefik-provider-mounted", Severity: finding.Error,
	Summary:     "what Traefik's file provider is to read is mounted into its container",
	Why:         "\"Cannot start the provider *file.Provider\" in Traefik's log. Traefik goes on without the routers and middlewares that stand there: 404 page not found.",
	Fix:         "Mount the file or directory that providers.file names, at the path by which it names it.",
	Source:      "Traefik v3.7.13 pkg/provider/file/file.go, pkg/provider/aggregator/aggregator.go",
	ComposeOnly: "a controller reads the API and no socket or file",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Running(component.Traefik) {
			for _, set := range d.Static(s).Settings {
				key := strings.ToLower(set.Key)
				if key != "providers.file.directory" && key != "providers.file.filename" || set.Value == "" || strings.Contains(set.Value, "$") {
					continue
				}
				at := s.Inside(set.Value)
				if _, reason := s.HostPath(at); deployment.LeadsNowhere(reason) {
					r.Fail(fmt.Sprintf("Traefik is to read its routes from %s in its container, where nothing is mounted; it goes on without them", at),
						d.Lines.Mount("them", "there"), append([]source.Site{set.Site}, s.MountSites(at)...)...)
				}
			}
		}
	},
}

// oldRoots are the sections that Traefik 1 had, and no later one has.
var oldRoots = []string{"defaultentrypoints", "docker", "acme", "loglevel", "debug", "traefiklog", "web", "file", "kubernetes", "retry", "checknewversion"}

// oldSections are those of a file that Traefik 1 alone reads, each once.
func oldSections(st deployment.Static) (names []string, sites []source.Site) {
	for _, set := range st.Settings {
		root, _, _ := strings.Cut(set.Key, ".")
		if st.From == "file" && slices.Contains(oldRoots, strings.ToLower(root)) && !slices.Contains(names, root) {
			names, sites = append(names, root), append(sites, set.Site)
		}
	}
	return names, sites
}

// traefikKeys is the release whose keys count. Of one that is not known yet, or that a tag does not tell, nothing is
// certain.
type traefikKeys struct {
	version traefik.Version
	called  string
	certain bool
	image   source.Site
	line    func(ref string) string // that gives it another one
}

func keysOfTraefik(s *deployment.Service) traefikKeys {
	v, tagged := s.Image.Version()
	k := traefikKeys{version: traefik.Version(v), called: "Traefik " + strings.TrimPrefix(s.Image.Tag, "v"), certain: tagged, image: s.ImageSite(), line: s.Lines().Image}
	if !tagged {
		k.version, k.called = traefik.NewestKnown, "Traefik "+traefik.NewestKnown.String()
		return k
	}
	// v3.6 moves on with every patch, and v3 with every release.
	const latest = 1 << 20
	switch strings.Count(strings.SplitN(s.Image.Tag, "-", 2)[0], ".") {
	case 0:
		k.version[1], k.version[2] = latest, latest
	case 1:
		k.version[2] = latest
	}
	k.certain = k.version.Before(traefik.NewestKnown) || k.version == traefik.NewestKnown || k.version[0] == 2
	return k
}

func (k traefikKeys) unknown(r *Reporter, set traefik.Setting, l traefik.Lookup) {
	name, fix := l.Part[1+strings.LastIndexByte(l.Part, '.'):], removeIt
	none := traefik.Version{}
	msg := k.called + " knows no " + l.Part
	switch near := finding.Nearest(name, l.Near); {
	case l.Since != none:
		msg += ", which begins with " + l.Since.String()
		fix = k.line("traefik:v"+l.Since.String()) + " or later, or remove it"
	case l.Gone != none:
		msg += ", which is gone since " + l.Gone.String()
		if other := instead[strings.ToLower(l.Part)]; other != "" {
			fix = other + " instead"
		}
	case near != "":
		fix = "rename it to " + near
	}
	// What is gone does not come back.
	if k.certain || l.Since == none && l.Gone != none {
		r.Fail(msg+"; it does not start", fix, set.Place(l.Part), k.image)
	} else {
		r.Warn(msg+"; a release that does not know it does not start", fix, set.Place(l.Part), k.image)
	}
}

// ofTheFirst is one finding for all flags and variables of Traefik 1.
func (k traefikKeys) ofTheFirst(r *Reporter, old []traefik.Setting) {
	if len(old) == 1 {
		k.unknown(r, old[0], traefik.Find(old[0].Key, k.version))
		return
	}
	var names []string
	var sites []source.Site
	for _, set := range old {
		root, _, _ := strings.Cut(set.Key, ".")
		names, sites = append(names, root), append(sites, set.Site)
	}
	msg := finding.Sentence(names, "and") + " are settings of Traefik 1, which " + k.called + " does not know; "
	report, what := r.Fail, "it does not start"
	if !k.certain {
		report, what = r.Warn, "a release that does not know them does not start"
	}
	report(msg+what, "write them as the release wants them: https://doc.traefik.io/traefik/migrate/v1-to-v2", append(sites, k.image)...)
}

// ofThen is what later releases have in the place of sections of Traefik 1.
var ofThen = map[string]string{
	"acme":               "certificatesResolvers.NAME.acme",
	"debug":              "log.level: DEBUG",
	"defaultentrypoints": "asDefault: true in the entrypoints",
	"loglevel":           "log.level",
	"traefiklog":         "log",
}

// passedRoot has the sections of a file that Traefik does not look for.
func (k traefikKeys) passedRoot(r *Reporter, set traefik.Setting, l traefik.Lookup) {
	fix, places := removeIt, traefik.Places(l.Part, k.version)
	then := ofThen[strings.ToLower(l.Part)]
	switch near := finding.Nearest(l.Part, l.Near); {
	case slices.Contains(dynamicRoots, strings.ToLower(l.Part)):
		fix = "move it to a file that providers.file.filename names"
	case then != "":
		fix = then + " instead"
	case near != "":
		fix = "rename it to " + near
	case len(places) == 1:
		fix = "move it to " + places[0]
	}
	r.Warn("Traefik passes over "+l.Part+" in the file of its static configuration; it has no effect", fix, set.Place(l.Part))
}

// checkValue has what cannot be read as the switch or number that it has to be.
func (k traefikKeys) checkValue(r *Reporter, set traefik.Setting, l traefik.Lookup) {
	if set.Section && !l.Alone && k.certain {
		r.Fail(set.Key+" stands there without anything below it; Traefik does not start", removeIt, set.Site)
	}
	if set.Section || set.Value == "" || strings.Contains(set.Value, "$") {
		return
	}
	var err error
	want := "true or false"
	switch l.Takes {
	case "bool":
		_, err = strconv.ParseBool(set.Value)
	case "int":
		_, err = strconv.ParseInt(set.Value, 10, 64)
		want = "a whole number"
	}
	if err != nil && k.certain {
		r.Fail(set.Key+" must be "+want+"; Traefik does not start", "write "+want, set.Site)
	}
}
