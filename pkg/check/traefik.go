package check

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// proxySettings is what can be seen of Traefik's own settings. Often that is nothing: it runs in a stack of its own.
type proxySettings struct {
	service *Service
	major   int
	// entryPoints and resolvers hold names in lower case; nil where they cannot be seen.
	entryPoints, resolvers map[string]bool
	network                string            // providers.docker.network
	encoded                map[string]string // ENTRYPOINT.allowencodedslash and the like, as they are set
	exposed                *bool             // providers.docker.exposedByDefault
}

// traefik reads the settings from the flags, the environment and the file of a Traefik in this stack.
func (d *Deployment) traefik() *proxySettings {
	t := &proxySettings{major: 3, encoded: make(map[string]string)}
	i := slices.IndexFunc(d.Services, func(s *Service) bool { return s.Program == image.Traefik })
	if i < 0 {
		return t
	}
	t.service = d.Services[i]
	if v, ok := t.service.Image.Version(); ok {
		t.major = v[0]
	}
	docker := false
	set := func(key, val string) {
		words := strings.Split(strings.ToLower(key), ".")
		switch {
		case len(words) > 1 && words[0] == "entrypoints":
			add(&t.entryPoints, words[1])
			if len(words) == 5 && words[2] == "http" && words[3] == "encodedcharacters" {
				t.encoded[words[1]+"."+words[4]] = strings.ToLower(val)
			}
		case len(words) > 1 && words[0] == "certificatesresolvers":
			add(&t.resolvers, words[1])
		case len(words) > 1 && words[0] == "providers" && words[1] == "docker":
			docker = true
			switch strings.Join(words[2:], ".") {
			case "network":
				t.network = val
			case "exposedbydefault":
				t.exposed = new(val != "false")
			}
		}
	}
	for _, w := range t.service.Command() {
		if key, val, _ := strings.Cut(w, "="); strings.HasPrefix(key, "--") {
			set(key[2:], val)
		}
	}
	env := t.service.Value.At("environment")
	for key, val := range env.Entries() {
		setEnv(set, key.Str(), val.Str())
	}
	for _, item := range env.Items() {
		key, val, _ := strings.Cut(item.Str(), "=")
		setEnv(set, key, val)
	}
	for _, name := range []string{"/etc/traefik/traefik.yml", "/etc/traefik/traefik.yaml"} {
		if f, _, _ := d.follow(t.service, t.service.flag(name, "--configfile", "--configFile")); f != nil {
			settings(f.Root(), "", set)
			break
		}
	}
	if docker && t.exposed == nil {
		t.exposed = new(true)
	}
	return t
}

func add(names *map[string]bool, name string) {
	if *names == nil {
		*names = make(map[string]bool)
	}
	(*names)[name] = true
}

func setEnv(set func(key, val string), name, val string) {
	if key, ok := strings.CutPrefix(name, "TRAEFIK_"); ok {
		set(strings.ReplaceAll(key, "_", "."), val)
	}
}

// settings hands on the scalars of a file by their dotted path, and empty sections by theirs.
func settings(v source.Value, path string, set func(key, val string)) {
	if v.Len() == 0 || v.Kind() != source.Mapping {
		set(path, v.Str())
		return
	}
	for key, val := range v.Entries() {
		settings(val, strings.TrimPrefix(path+"."+key.Str(), "."), set)
	}
}

// Routes is what Traefik makes of the labels of all services.
func (d *Deployment) Routes() *route.Table {
	if d.routes == nil {
		var cs []traefik.Container
		for _, s := range d.Services {
			if c := d.container(s); slices.ContainsFunc(c.Labels, func(l traefik.Label) bool { return strings.HasPrefix(strings.ToLower(l.Key), "traefik.") }) {
				cs = append(cs, *c)
			}
		}
		d.proxy = d.traefik()
		// Who never writes traefik.enable relies on the default, which uses every container.
		exposed := !slices.ContainsFunc(cs, func(c traefik.Container) bool {
			return slices.ContainsFunc(c.Labels, func(l traefik.Label) bool { return strings.EqualFold(l.Key, "traefik.enable") })
		})
		if d.proxy.exposed != nil {
			exposed = *d.proxy.exposed
		}
		d.routes = traefik.New(cs, traefik.Options{Major: d.proxy.major, ExposedByDefault: exposed, DefaultNetwork: d.proxy.network})
	}
	return d.routes
}

// container is a service as Traefik sees it.
func (d *Deployment) container(s *Service) *traefik.Container {
	c, ok := d.containers[s]
	if !ok {
		c = d.newContainer(s)
		d.containers[s] = c
	}
	return c
}

func (d *Deployment) newContainer(s *Service) *traefik.Container {
	c := &traefik.Container{Name: s.Name, Project: d.project(), Site: s.Value.Site("")}
	labels := s.Value.At("labels")
	for key, v := range labels.Entries() {
		text, _ := d.expand(v)
		c.Labels = append(c.Labels, traefik.Label{Key: key.Str(), Value: text, Site: v.Site("")})
	}
	for _, item := range labels.Items() {
		text, _ := d.expand(item)
		key, val, _ := strings.Cut(text, "=")
		c.Labels = append(c.Labels, traefik.Label{Key: key, Value: val, Site: item.Site("")})
	}
	wanted := labelOf(c.Labels, "traefik.docker.network").Value
	for _, key := range s.Networks {
		name, ok := d.networkName(key)
		if d.project() == "" && strings.HasSuffix(wanted, name) && strings.HasPrefix(name, "_") {
			name = wanted // the project is called after a directory that cannot be seen
		}
		if !ok {
			c.Networks = nil
			break
		}
		c.Networks = append(c.Networks, name)
	}
	return c
}

// disabled reports whether a service with labels for Traefik says that they are not to be used.
func (d *Deployment) disabled(service string) bool {
	return slices.ContainsFunc(d.Routes().Problems, func(p route.Problem) bool { return p.Kind == traefik.Disabled && p.Container == service })
}

// labelOf is the label with that key, the last one where it stands twice; the zero Label when there is none.
func labelOf(labels []traefik.Label, key string) traefik.Label {
	for _, l := range slices.Backward(labels) {
		if strings.EqualFold(l.Key, key) {
			return l
		}
	}
	return traefik.Label{}
}

// project is the name of the Compose project; empty where only the name of the directory gives it.
func (d *Deployment) project() string {
	if name, ok := d.expand(d.Compose.At("name")); ok && name != "" {
		return name
	}
	return d.env["COMPOSE_PROJECT_NAME"]
}

// networkName is Docker's name of a network; ok is false when it stands behind a variable set elsewhere.
func (d *Deployment) networkName(key string) (name string, ok bool) {
	def := d.Compose.At("networks", key)
	name, ok = d.expand(def.At("name"))
	switch {
	case name != "" || !ok:
	case def.At("external").Kind() == source.Mapping: // the form of Compose 1
		name, ok = d.expand(def.At("external", "name"))
	case def.At("external").True():
		name = key
	default:
		name = d.project() + "_" + key
	}
	return name, ok
}
