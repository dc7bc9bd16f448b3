package adopt

import (
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// sayable are the keys of a service that a container of the spec has, or that are the same in every one.
var sayable = []string{
	"image", "command", "entrypoint", "user", "environment", "env_file", "volumes", "networks", "restart", "healthcheck", "depends_on", "read_only", "mem_limit", "cpus", "deploy",
	"logging", "cap_drop", "security_opt", "expose", "pull_policy", "stdin_open", "tty", "tmpfs",
}

// foreign takes over those services of somebody else's stack that the spec can say wholly: an appservice with its own
// registration, and any other container. Whatever is left is kept as it is, with the reason.
func (r *reader) foreign() {
	for _, s := range r.d.Services {
		if s.Program != component.Unknown || s.Absent.Why != "" || s == r.d.Proxy().Service || s == r.d.Front().Service || s.Borgmatic() ||
			slices.ContainsFunc(r.d.Bridges, func(b *deployment.Bridge) bool { return b.Service == s }) {
			continue
		}
		reg, several := r.registered(s)
		why := "several registrations lead to it"
		if !several {
			why = r.unsayable(s)
		}
		if why == "" {
			if why = r.take(s, reg); why == "" {
				continue
			}
		}
		if reg != nil {
			r.aside(s.Site(""), s.Name+" is an appservice, and is kept as it is: "+why, "compose", "extra", "services", s.Name)
		}
	}
}

// registered is the registration that leads to a service; several says that more than one does.
func (r *reader) registered(s *deployment.Service) (reg *deployment.Registration, several bool) {
	for _, a := range r.d.Appservices {
		if a.Service == s {
			several = reg != nil
			reg = a.Registration
		}
	}
	return reg, several
}

// unsayable is what of a service the spec has no words for, or not the same; "" where it can say all of it.
func (r *reader) unsayable(s *deployment.Service) string {
	raw := r.raw(s)
	user := s.RunsAs()
	switch {
	case s.Build.Set():
		return "its image is built here"
	case s.Image.Tag == "":
		return "its image has no tag"
	case user == "" || strings.HasPrefix(user, "0:"):
		return "it runs as whom its image says, and a container of the spec has a user (user: \"UID:GID\")"
	case !slices.Contains([]string{"", "always", "unless-stopped", "on-failure"}, s.Restart.Str()):
		return "it is not started again"
	case s.EnvUnread != "" || slices.ContainsFunc(s.Variables, func(v deployment.Variable) bool { return v.Hidden != "" }):
		return "a variable of it stands in no file here"
	case slices.ContainsFunc(r.d.Routes().Routers, func(q *route.Router) bool {
		return q.To != nil && len(q.To.Backends) > 0 && q.To.Backends[0].Container == s.Name && len(q.Middlewares) > 0
	}):
		return "the proxy has middlewares in front of it"
	}
	for key, v := range raw.Entries() {
		name := key.Str()
		switch {
		case name == "labels":
			if !slices.ContainsFunc(s.Labels, func(l traefik.Label) bool { return !strings.HasPrefix(l.Key, "traefik.") }) && r.labelled() {
				continue
			}
			return "it has labels"
		case !slices.Contains(sayable, name):
			return "a container of the spec has no " + name
		case name == "deploy" && (v.Len() != 1 || v.At("resources").Len() != 1 || !v.At("resources", "limits").Exists()):
			return "a container of the spec has no deploy but limits"
		case name == "healthcheck" && !v.At("test").Exists():
			return "its check of its health has no test"
		case (name == "command" || name == "entrypoint") && v.Kind() == source.Scalar && strings.ContainsAny(v.Str(), `"'\$`):
			return "its " + name + " is written for a shell"
		}
	}
	for _, key := range s.Networks {
		if !r.d.Network(key).External.Set() && !slices.Contains(r.syn.Networks, key) {
			return "it is in a network of its own"
		}
	}
	for _, a := range s.Attachments {
		if len(a.Addresses) > 0 || len(a.Aliases) > 0 && !r.d.Network(a.Network).External.Set() {
			return "it has names or addresses of its own in a network"
		}
	}
	return r.unmountable(s)
}

// unmountable is what of the mounts of a service the spec cannot say.
func (r *reader) unmountable(s *deployment.Service) string {
	for i, m := range s.Mounts {
		info, err := fs.Stat(r.d.FS, m.Host)
		switch {
		case m.Fleeting && m.Container == "/tmp":
		case m.Fleeting:
			return "it has a place in memory at " + m.Container
		case m.ReadOnly && (m.Host == "" || path.IsAbs(m.Source) || err != nil || !info.Mode().IsRegular()):
			return "what is mounted at " + m.Container + " is no file that can be copied"
		case m.ReadOnly:
		case m.Host != "" && err == nil && !info.IsDir():
			return "it writes to the file that is mounted at " + m.Container
		case r.place(&s.Mounts[i]) == (spec.Data{}):
			return "where it keeps " + m.Container + " cannot be said"
		}
	}
	return ""
}

// take has a service be a container of the spec. It is none where the spec would not take it, and why is what it says.
func (r *reader) take(s *deployment.Service, reg *deployment.Registration) (why string) {
	raw := r.raw(s)
	c := &taking{reader: r, secret: "services." + s.Name + ".", words: make(map[string]string)}
	if reg != nil {
		c.secret = "appservices." + s.Name + "."
	}
	secrets, files := maps.Clone(r.secrets), maps.Clone(r.files)
	c.Image, c.Version = s.Image.Repository, s.Image.Tag
	if s.Image.Digest != "" {
		c.Version += "@" + s.Image.Digest
	}
	c.User, c.Writable, c.Limits = s.RunsAs(), !raw.At("read_only").True(), r.limits(raw)
	c.Command, c.Entrypoint = words(raw.At("command")), words(raw.At("entrypoint"))
	c.Healthcheck = texts(raw.At("healthcheck", "test"))
	if raw.At("healthcheck", "test").Kind() == source.Scalar {
		c.Healthcheck = append([]string{"CMD-SHELL"}, c.Healthcheck...)
	}
	for _, v := range s.Variables {
		if c.Environment == nil {
			c.Environment = make(map[string]spec.Text)
		}
		if _, had := c.Environment[v.Name]; !had {
			c.Environment[v.Name] = spec.Text(v.Text)
		}
	}
	for i, m := range s.Mounts {
		if !m.ReadOnly && !m.Fleeting {
			if c.Volumes == nil {
				c.Volumes = make(map[string]spec.Data)
			}
			c.Volumes[m.Container] = r.place(&s.Mounts[i])
		}
	}
	c.routes(s)
	c.Networks = r.networks(s, len(c.Routes) > 0)
	a := spec.Appservice{}
	if reg != nil {
		for _, token := range []string{"as_token", "hs_token"} {
			c.keeps(token, reg.At(token).Str())
		}
		a.Registration = c.copied(reg.Path, reg.Src)
	}
	c.files(s, reg)
	a.Container = c.Container
	r.add(s.Name, a, reg != nil)
	if why = r.refused(strings.Split(strings.TrimSuffix(c.secret, "."), ".")); why == "" {
		why = c.braces(s, reg)
	}
	if why != "" {
		r.secrets, r.files = secrets, files
		delete(r.spec.Services, s.Name)
		delete(r.spec.Appservices, s.Name)
		return why
	}
	r.said[s] = reg
	return ""
}

// add puts a container into the spec.
func (r *reader) add(name string, a spec.Appservice, registered bool) {
	if registered {
		if r.spec.Appservices == nil {
			r.spec.Appservices = make(map[string]spec.Appservice)
		}
		r.spec.Appservices[name] = a
		return
	}
	if r.spec.Services == nil {
		r.spec.Services = make(map[string]spec.Container)
	}
	r.spec.Services[name] = a.Container
}

// refused is what the spec has against a part of it; "" where it takes it.
func (r *reader) refused(section []string) string {
	text, err := written(&r.spec, nil, "auth").YAML()
	if err != nil {
		return "it cannot be written"
	}
	_, findings := spec.Parse(r.o.SpecName, text)
	parsed, _ := source.Parse(r.o.SpecName, text)
	for _, f := range findings {
		if path := parsed.KeysAt(f.Pos()); f.Severity == finding.Error && len(path) >= 2 && slices.Equal(path[:2], section) {
			return f.Message
		}
	}
	return ""
}

// braces says what of a container is in the braces that a spec has for its own words; "" where nothing is.
func (c *taking) braces(s *deployment.Service, reg *deployment.Registration) string {
	all := slices.Concat(words(c.raw(s).At("command")), words(c.raw(s).At("entrypoint")), texts(c.raw(s).At("healthcheck", "test")))
	for _, v := range s.Variables {
		all = append(all, v.Text)
	}
	if reg != nil {
		all = append(all, string(reg.Src))
	}
	for _, m := range s.Mounts {
		if data, err := source.ReadFS(c.d.FS, m.Host); m.ReadOnly && m.Host != "" && err == nil {
			all = append(all, string(data))
		}
	}
	for _, text := range all {
		if in := spec.WordsIn(text); len(in) > 0 {
			return "{" + in[0].Name + "} in its files is a word of its own, and would be one of the spec"
		}
	}
	return ""
}

// words are those of a command as Compose tells them apart, where no quotes stand in it.
func words(v source.Value) []string {
	if v.Kind() == source.Scalar {
		return strings.Fields(v.Str())
	}
	return texts(v)
}
