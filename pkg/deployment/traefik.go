package deployment

import (
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// HasRouters reports whether any router is there that is not switched off.
func (d *Deployment) HasRouters() bool {
	return slices.ContainsFunc(d.Routes().Routers, func(router *route.Router) bool { return !d.Disabled(router.Container) })
}

// Explained reports whether another rule says why a request does not come to the service: a router of it that
// Traefik drops, a tie, or a port on which nobody listens: of the service, or of Traefik.
func (d *Deployment) Explained(s *Service, method, host, path string) bool {
	res := d.Routes().Match(method, host, path)
	if res.Closed != "" || res.Tie != nil || res.Backend != nil && d.Stray(*res.Backend) != nil || res.Backend != nil && res.Backend.Container == s.Name && !d.Listens(s, s.BackendPort(*res.Backend)) {
		return true
	}
	return slices.ContainsFunc(d.Routes().Lost(method, host, path), func(lost *route.Router) bool { return lost.Container == s.Name })
}

// Serves reports whether a host is one on which clients or other servers ask for /_matrix.
func (d *Deployment) Serves(host string) bool {
	return slices.ContainsFunc(d.Synapses, func(s *Synapse) bool { return slices.Contains(s.Hosts(), host) })
}

// HostsOf are the hosts on which people reach a homeserver: by its configuration, or, where that cannot be read, by the
// routers that lead to it.
func (d *Deployment) HostsOf(s *Service) (hosts []string) {
	for _, syn := range d.Synapses {
		if syn.Service == s {
			return syn.Hosts()
		}
	}
	for _, router := range d.Routes().Routers {
		if router.Container == s.Name {
			hosts = append(hosts, router.Hosts()...)
		}
	}
	return hosts
}

// MiddlewareSites are the labels of the middlewares through which a router sends its requests.
func (d *Deployment) MiddlewareSites(r *route.Router) (sites []source.Site) {
	if r == nil {
		return nil
	}
	for _, ref := range r.Middlewares {
		name, _, _ := strings.Cut(ref, "@")
		for _, s := range d.Services {
			for _, l := range d.Container(s).Labels {
				if strings.HasPrefix(strings.ToLower(l.Key), strings.ToLower("traefik.http.middlewares."+name+".")) {
					sites = append(sites, l.Site)
				}
			}
		}
	}
	return sites
}

// Newer is Traefik's image with the tag that is rendered for, of the same major version where there is one.
func (t *Proxy) Newer() component.Ref {
	ref := t.Service.Image
	ref.Digest = ""
	if ref.Tag = component.Of(component.Traefik).Tested.Tag; t.Major == 2 {
		ref.Tag = "v2.11.35"
	}
	return ref
}

// Proxy is what can be seen of Traefik's own settings. Often that is nothing: it runs in a stack of its own.
type Proxy struct {
	Service *Service
	Major   int
	// EntryPoints and resolvers hold names in lower case; nil where they cannot be seen.
	EntryPoints, Resolvers map[string]bool
	Network                string            // providers.docker.network, or that of a Swarm
	Encoded                map[string]string // ENTRYPOINT.allowencodedslash and the like, as they are set
	Exposed                *bool             // exposedByDefault of that provider
	DefaultRule            string            // defaultRule of that provider

	// Dead are published ports behind which no entrypoint listens.
	Dead []Published

	// Seen says that these settings are all that it has.
	Seen bool

	settings map[string]string // by dotted lower-case key
	entries  []traefik.EntryPoint
	public   map[string]string
}

// traefik reads the settings from the flags, the environment and the file of a Traefik in this stack.
func (d *Deployment) traefik() *Proxy {
	t := &Proxy{Major: 3, Encoded: make(map[string]string), settings: make(map[string]string)}
	i := slices.IndexFunc(d.Services, func(s *Service) bool { return s.Program == component.Traefik && s.Absent.Why == "" })
	if i < 0 {
		if slices.ContainsFunc(d.Services, func(s *Service) bool { return LabelOf(s.Labels, component.TraefikRules).Value == "v2" }) {
			t.Major = 2
		}
		return t
	}
	t.Service = d.Services[i]
	if v, ok := t.Service.Image.Version(); ok {
		t.Major = v[0]
	}
	docker := false
	set := func(key, val string) {
		t.settings[strings.ToLower(key)] = val
		words := strings.Split(strings.ToLower(key), ".")
		switch {
		case len(words) > 1 && words[0] == "entrypoints":
			add(&t.EntryPoints, words[1])
			if len(words) == 5 && words[2] == "http" && words[3] == "encodedcharacters" {
				t.Encoded[words[1]+"."+words[4]] = strings.ToLower(val)
			}
		case len(words) > 1 && words[0] == "certificatesresolvers":
			add(&t.Resolvers, words[1])
		case len(words) > 1 && words[0] == "providers" && (words[1] == "docker" || words[1] == "swarm"):
			docker = true
			switch strings.Join(words[2:], ".") {
			case "network":
				t.Network = val
			case "exposedbydefault":
				t.Exposed = new(val != "false")
			case "defaultrule":
				t.DefaultRule = val
			}
		}
	}
	t.Seen = d.traefikSettings(t.Service, set)
	t.seePorts()
	if docker && t.Exposed == nil {
		t.Exposed = new(true)
	}
	return t
}

// HasEntryPoint reports whether Traefik has the entrypoint: it is set, or it is "traefik", which Traefik makes by itself for
// its insecure API, ping and metrics (v3.6 pkg/config/static/static_config.go SetEffectiveConfiguration).
func (t *Proxy) HasEntryPoint(name string) bool {
	name = strings.ToLower(name)
	if t.EntryPoints[name] || name != "traefik" {
		return t.EntryPoints[name]
	}
	is := func(key string) bool { return slices.Contains([]string{"true", "1"}, strings.ToLower(t.settings[key])) }
	for key, val := range t.settings {
		for _, part := range []string{"ping", "metrics.prometheus"} {
			at := strings.ToLower(t.settings[part+".entrypoint"])
			if (key == part && val != "false" || strings.HasPrefix(key, part+".")) && !is(part+".manualrouting") && (at == "" || at == name) {
				return true
			}
		}
	}
	return is("api.insecure") || is("providers.rest.insecure")
}

func add(names *map[string]bool, name string) {
	if *names == nil {
		*names = make(map[string]bool)
	}
	(*names)[name] = true
}

// Routes is what the proxy of the stack makes of its configuration: Traefik of the labels of all services.
func (d *Deployment) Routes() *route.Table { return d.Front().table }

// Proxy is the Traefik of the deployment.
func (d *Deployment) Proxy() *Proxy { return d.proxy() }

// labelled is what Traefik makes of the labels of all services.
func (d *Deployment) labelled() *route.Table {
	var cs []traefik.Container
	for _, s := range d.Services {
		if c := d.Container(s); s.Absent.Why == "" && !d.forTraefik1(c) && slices.ContainsFunc(c.Labels, func(l traefik.Label) bool { return strings.HasPrefix(strings.ToLower(l.Key), "traefik.") }) {
			cs = append(cs, *c)
		}
	}
	proxy := d.Proxy()
	// Who never writes traefik.enable relies on the default, which uses every container.
	exposed := !slices.ContainsFunc(cs, func(c traefik.Container) bool {
		return slices.ContainsFunc(c.Labels, func(l traefik.Label) bool { return strings.EqualFold(l.Key, "traefik.enable") })
	})
	if proxy.Exposed != nil {
		exposed = *proxy.Exposed
	}
	o := traefik.Options{
		Major: proxy.Major, ExposedByDefault: exposed, DefaultNetwork: proxy.Network, DefaultRule: proxy.DefaultRule, Shared: proxy.Service == nil, Swarm: d.Swarm,
		Slip: func(name string, defined []string) bool {
			near := finding.Nearest(name, defined)
			return near != "" && levenshtein.Distance(name, near, nil) <= 2
		},
		Entries: proxy.entries, Public: proxy.public,
		Own: func(name string) bool {
			s := d.Service(name)
			return s != nil && (s.Program == component.Synapse || s.Program == component.MAS)
		},
		Upstream: func(host, port string) (string, string) { return d.upstream(proxy.Service, host, port) },
	}
	o.Files, o.FilesSeen = d.providedFiles(proxy)
	return traefik.New(cs, o)
}

// forTraefik1 reports whether the labels of a container are read by Traefik 1, or are for it, which may run where none is seen.
func (d *Deployment) forTraefik1(c *traefik.Container) bool {
	if d.Proxy().Service != nil && d.Proxy().Major == 1 {
		return true // it passes over those of later ones
	}
	old := func(l traefik.Label) bool { return traefik.OfTraefik1(l.Key) }
	return slices.ContainsFunc(c.Labels, old) && !c.Has("traefik.http") && d.Proxy().Service == nil
}

// Container is a service as Traefik sees it.
func (d *Deployment) Container(s *Service) *traefik.Container { return d.containers[s] }

func (d *Deployment) container(s *Service) *traefik.Container {
	c := &traefik.Container{Name: s.Name, Project: d.Project, Site: s.Site(""), Labels: s.Labels}
	d.containers[s] = c
	wanted := d.NetworkLabel(s).Value
	for _, key := range s.Networks {
		name, ok := d.NetworkName(key)
		if n := d.Network(key); !d.NameGiven && !n.NameAt.Set() && !n.External.Set() && strings.HasSuffix(wanted, "_"+key) {
			name = wanted // the project is called after its directory, which may have another name on the host
		}
		if !ok {
			c.Networks = nil
			break
		}
		c.Networks = append(c.Networks, name)
	}
	return c
}

// Disabled reports whether a service with labels for Traefik says that they are not to be used.
func (d *Deployment) Disabled(service string) bool {
	return slices.ContainsFunc(d.Routes().Problems, func(p route.Problem) bool { return p.Kind == traefik.Disabled && p.Container == service })
}

// LabelOf is the label with that key, the last one where it stands twice; the zero Label when there is none.
func LabelOf(labels []traefik.Label, key string) traefik.Label {
	for _, l := range slices.Backward(labels) {
		if strings.EqualFold(l.Key, key) {
			return l
		}
	}
	return traefik.Label{}
}
