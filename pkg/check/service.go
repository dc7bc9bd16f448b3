package check

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

// Service is one service of the compose file.
type Service struct {
	Name     string
	Value    source.Value
	Image    image.Ref
	Program  image.Program
	Mounts   []Mount
	Networks []string // keys below the top-level networks

	d          *Deployment
	configPath string
	linked     []string // the names that links of other services give it
}

// Mount is a bind mount, a volume, a tmpfs, a Compose secret or a Compose config. Host is the slash-separated
// path below the deployment, Reason why there is none (a named volume, an absolute path, an external secret).
// Source is what is mounted, as Compose calls it.
type Mount struct {
	Host, Container, Reason, Source string
	Value                           source.Value
	ReadOnly                        bool
	Fleeting                        bool // what is written there is gone after `docker compose down`
}

func newService(d *Deployment, name string, v source.Value) *Service {
	s := &Service{Name: name, Value: v, d: d}
	ref, _ := d.expand(v.At("image"))
	s.Image = image.Parse(ref)
	s.Program = s.Image.Program()
	for _, m := range v.At("volumes").Items() {
		s.Mounts = append(s.Mounts, s.volume(m))
	}
	for _, v := range listed(v.At("tmpfs")) {
		target, _, _ := strings.Cut(v.Str(), ":")
		s.Mounts = append(s.Mounts, Mount{Container: target, Reason: "it is a tmpfs", Value: v, Fleeting: true})
	}
	s.Mounts = append(s.Mounts, s.handed("secrets", "/run/secrets/")...)
	s.Mounts = append(s.Mounts, s.handed("configs", "/")...)
	switch nets := v.At("networks"); nets.Kind() {
	case source.Sequence:
		for _, n := range nets.Items() {
			s.Networks = append(s.Networks, n.Str())
		}
	case source.Mapping:
		for k := range nets.Entries() {
			s.Networks = append(s.Networks, k.Str())
		}
	default:
		if !v.At("network_mode").Set() {
			s.Networks = []string{"default"}
		}
	}
	return s
}

func (s *Service) volume(v source.Value) Mount {
	m := Mount{Value: v}
	var src string
	var ok bool
	if v.Kind() == source.Mapping {
		src, ok = s.d.expand(v.At("source"))
		m.Container, m.Source, m.ReadOnly = v.At("target").Str(), src, v.At("read_only").True()
		if v.At("type").Str() != "bind" {
			m.Reason = "it is not a bind mount"
			m.Fleeting = src == "" || v.At("type").Str() == "tmpfs"
			return m
		}
	} else {
		var text string
		text, ok = s.d.expand(v)
		var rest string
		src, rest, _ = strings.Cut(text, ":")
		var options string
		m.Container, options, _ = strings.Cut(rest, ":")
		m.Source, m.ReadOnly = src, slices.Contains(strings.Split(options, ","), "ro")
		if rest == "" {
			m.Container, m.Source, m.Reason, m.Fleeting = src, "", "it is an anonymous volume", true
			return m
		}
	}
	switch {
	case !ok:
		m.Reason = "it stands behind a variable that is set elsewhere"
	case strings.HasPrefix(src, "./") || src == "." || strings.HasPrefix(src, "../"):
		m.Host = path.Clean(src)
	case strings.HasPrefix(src, "/") || strings.HasPrefix(src, "~"):
		m.Reason = src + " is outside of the directory"
	case strings.Contains(src, "/"):
		m.Host = path.Clean(src)
	default:
		m.Reason = "it is the named volume " + src
	}
	if strings.HasPrefix(m.Host, "..") {
		m.Host, m.Reason = "", src+" is outside of the directory"
	}
	return m
}

// handed lists the Compose secrets or configs of the service, which Compose mounts as single files.
func (s *Service) handed(kind, dir string) []Mount {
	var ms []Mount
	for _, item := range s.Value.At(kind).Items() {
		name, target := item.Str(), ""
		if item.Kind() == source.Mapping {
			name, target = item.At("source").Str(), item.At("target").Str()
		}
		if target == "" {
			target = name
		}
		if !strings.HasPrefix(target, "/") {
			target = dir + target
		}
		m := Mount{Container: target, Value: item, ReadOnly: true}
		def := s.d.Compose.At(kind, name)
		file, ok := s.d.expand(def.At("file"))
		switch {
		case !def.Exists():
			m.Reason = "the " + strings.TrimSuffix(kind, "s") + " " + name + isUndefined
		case !def.At("file").Set():
			m.Reason = "the " + strings.TrimSuffix(kind, "s") + " " + name + " is not a file"
		case ok && strings.HasPrefix(file, "/"):
			m.Source, m.Reason = file, "the "+strings.TrimSuffix(kind, "s")+" "+name+" is outside of the directory"
		case !ok || strings.HasPrefix(path.Clean(file), ".."):
			m.Reason = "the " + strings.TrimSuffix(kind, "s") + " " + name + " is outside of the directory"
		default:
			m.Host = path.Clean(file)
		}
		ms = append(ms, m)
	}
	return ms
}

// mountAt is the deepest mount that holds a path of the container; nil when none does.
func (s *Service) mountAt(container string) *Mount {
	container = path.Clean(container)
	var best *Mount
	for i, m := range s.Mounts {
		if under(container, m.Container) && (best == nil || len(path.Clean(m.Container)) > len(path.Clean(best.Container))) {
			best = &s.Mounts[i]
		}
	}
	return best
}

// under reports whether a clean path is dir or below it.
func under(name, dir string) bool {
	dir = path.Clean(dir)
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}

// within is under for paths of the deployment, all of which lie below ".".
func within(name, dir string) bool { return dir == "." || under(name, dir) }

// HostPath follows a path in the container to the deployment's files by the deepest mount that holds it;
// otherwise it says why not.
func (s *Service) HostPath(container string) (host, reason string) {
	m := s.mountAt(container)
	switch {
	case m == nil:
		return "", nothingMounted + path.Clean(container)
	case m.Host == "":
		return "", m.Reason
	}
	host = path.Join(m.Host, strings.TrimPrefix(path.Clean(container), path.Clean(m.Container)))
	if reason = s.d.hidden(host); reason != "" {
		return "", reason
	}
	return host, ""
}

const (
	nothingMounted = "nothing is mounted at "
	isUndefined    = " is not defined"
)

// leadsNowhere reports whether the reason why a file cannot be read is that it is not there at all.
func leadsNowhere(reason string) bool {
	return strings.HasPrefix(reason, nothingMounted) || strings.HasSuffix(reason, unreadable)
}

// mountSites are where the mount that is missing for a path of the container would stand.
func (s *Service) mountSites(container string) []source.Site {
	if strings.HasPrefix(container, "/run/secrets/") {
		return s.handedSites()
	}
	return s.volumeSites()
}

// handedSites are the secrets that a service is handed, to be looked at where one is missing: their list, and
// the entries that name none.
func (s *Service) handedSites() []source.Site {
	list := s.Value.At("secrets")
	if !list.Exists() {
		return []source.Site{s.Value.Site("it is handed no secrets")}
	}
	sites := []source.Site{list.Site("the secrets that " + s.Name + " is handed")}
	for _, item := range list.Items() {
		name := item
		if item.Kind() == source.Mapping {
			name = item.At("source")
		}
		if !s.d.Compose.At("secrets", name.Str()).Exists() {
			sites = append(sites, item.Site("there is no such secret"))
		}
	}
	return sites
}

// Env gives a variable of the service's environment, with ${X} replaced from .env.
func (s *Service) Env(name string) (text string, v source.Value) {
	env := s.Value.At("environment")
	if env.Kind() == source.Mapping {
		if v = env.At(name); v.Exists() {
			if text, _ = s.d.expand(v); !v.Set() {
				text = s.d.env[name]
			}
			return text, v
		}
	}
	for _, item := range env.Items() {
		expanded, _ := s.d.expand(item)
		if key, val, ok := strings.Cut(expanded, "="); key == name {
			if !ok { // without = it is handed through
				val = s.d.env[name]
			}
			return val, item
		}
	}
	for _, f := range s.envFiles() {
		if src, err := source.ReadFS(s.d.FS, path.Clean(f.Str())); err == nil {
			if val, ok := dotenv(string(src))[name]; ok {
				return val, f
			}
		}
	}
	return "", env.At(name)
}

// envFiles are the entries of env_file, the one that counts most first.
func (s *Service) envFiles() []source.Value {
	var files []source.Value
	for _, item := range slices.Backward(listed(s.Value.At("env_file"))) {
		if item.Kind() == source.Mapping {
			item = item.At("path")
		}
		files = append(files, item)
	}
	return files
}

// listed gives the items of what may be a list or a single value.
func listed(v source.Value) []source.Value {
	if v.Kind() == source.Scalar {
		return []source.Value{v}
	}
	return v.Items()
}

// inside is a path of the program's configuration as an absolute one of the container. The images of Synapse
// and MAS run in the root directory (their Dockerfiles).
func (s *Service) inside(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join("/", s.Value.At("working_dir").Str(), name)
}

// envHidden says why a variable of the service may have a value that cannot be seen; "" when it cannot.
func (s *Service) envHidden(name string) string {
	env := s.Value.At("environment")
	v, handed := env.At(name), env.At(name).Exists() && !env.At(name).Set()
	for _, item := range env.Items() {
		if key, _, ok := strings.Cut(item.Str(), "="); key == name {
			v, handed = item, !ok
		}
	}
	if _, known := s.d.env[name]; handed && !known {
		return name + " comes from outside of the directory"
	}
	if _, ok := s.d.expand(v); v.Exists() {
		if !ok {
			return name + " stands behind a variable that is set elsewhere"
		}
		return ""
	}
	for _, f := range s.envFiles() {
		if _, err := source.ReadFS(s.d.FS, path.Clean(f.Str())); err != nil {
			return "the env_file " + f.Str() + " cannot be read"
		}
	}
	return ""
}

// Command is the words of command, or of entrypoint and command.
func (s *Service) Command() []string {
	var words []string
	for _, key := range []string{"entrypoint", "command"} {
		v := s.Value.At(key)
		if v.Kind() == source.Scalar {
			words = append(words, strings.Fields(v.Str())...)
		}
		for _, item := range v.Items() {
			words = append(words, item.Str())
		}
	}
	return words
}

// flag gives the value of a command line flag, or def.
func (s *Service) flag(def string, names ...string) string {
	words := s.Command()
	for i, w := range words {
		if i > 0 && w == "-c" && slices.Contains([]string{"sh", "ash", "bash"}, path.Base(words[i-1])) {
			continue // what follows is a script
		}
		if slices.Contains(names, w) && i+1 < len(words) {
			return words[i+1]
		}
		if name, val, ok := strings.Cut(w, "="); ok && slices.Contains(names, name) {
			return val
		}
	}
	return def
}

// flags gives the values of a flag that may stand several times.
func (s *Service) flags(name string) []string {
	var values []string
	words := s.Command()
	for i, w := range words {
		if w == name && i+1 < len(words) {
			values = append(values, words[i+1])
		}
		if val, ok := strings.CutPrefix(w, name+"="); ok {
			values = append(values, val)
		}
	}
	return values
}

// configSites are the places that say where the program finds its configuration: the service, the word or
// variable that names the file, and the mounts.
func (s *Service) configSites() []source.Site {
	sites := []source.Site{s.Value.Site("")}
	for _, name := range []string{"SYNAPSE_CONFIG_PATH", "SYNAPSE_CONFIG_DIR", "MAS_CONFIG"} {
		if text, v := s.Env(name); text != "" {
			sites = append(sites, v.Site("names the file"))
		}
	}
	for _, word := range append(s.Value.At("entrypoint").Items(), s.Value.At("command").Items()...) {
		if strings.Contains(word.Str(), s.configPath) {
			sites = append(sites, word.Site("names the file"))
		}
	}
	return append(sites, s.volumeSites()...)
}

// volumeSites are the volumes of the service, or where they would stand.
func (s *Service) volumeSites() []source.Site {
	volumes := s.Value.At("volumes")
	if volumes.Len() == 0 {
		return []source.Site{volumes.Site("nothing is mounted")}
	}
	var sites []source.Site
	for _, v := range volumes.Items() {
		sites = append(sites, v.Site("mounted"))
	}
	return sites
}

func (s *Service) synapseConfigPath() string {
	def := "/data/homeserver.yaml"
	if dir, _ := s.Env("SYNAPSE_CONFIG_DIR"); dir != "" {
		def = path.Join(dir, "homeserver.yaml")
	}
	if p, _ := s.Env("SYNAPSE_CONFIG_PATH"); p != "" {
		def = p
	}
	return s.flag(def, "-c", "--config-path")
}

func (s *Service) masConfigPath() string {
	def := "/config.yaml"
	if p, _ := s.Env("MAS_CONFIG"); p != "" {
		def, _, _ = strings.Cut(p, ":")
	}
	return s.flag(def, "-c", "--config")
}

// readsMore reports whether MAS reads further configuration files, which it lays over the first: what the first
// does not hold may stand in them.
func (s *Service) readsMore() bool {
	flags := 0
	for _, w := range s.Command() {
		if w == "-c" || w == "--config" || strings.HasPrefix(w, "--config=") {
			flags++
		}
	}
	files, _ := s.Env("MAS_CONFIG")
	return flags > 1 || flags == 0 && strings.Contains(files, ":")
}

// names are the host names under which other containers of a shared network reach the service.
func (s *Service) names() []string {
	names := append([]string{s.Name}, s.linked...)
	for _, key := range []string{"container_name", "hostname"} {
		if n := s.Value.At(key).Str(); n != "" {
			names = append(names, n)
		}
	}
	for _, net := range s.Value.At("networks").Entries() {
		for _, alias := range net.At("aliases").Items() {
			names = append(names, alias.Str())
		}
	}
	return names
}

// host is the name by which others should call the service: an alias, which its owner chose for them, or its own.
func (s *Service) host() string {
	for _, net := range s.Value.At("networks").Entries() {
		if alias := net.At("aliases", "0"); alias.Set() {
			return alias.Str()
		}
	}
	return s.Name
}

// nameSites are the places that give the services names beside their own.
func nameSites(services ...*Service) (sites []source.Site) {
	for _, s := range services {
		for _, net := range s.Value.At("networks").Entries() {
			if v := net.At("aliases"); v.Exists() {
				sites = append(sites, v.Site("more names of "+s.Name))
			}
		}
	}
	return sites
}

// answers reports whether the service is found by the name in the network with that key.
func (s *Service) answers(name, network string) bool {
	own, _ := s.d.expand(s.Value.At("container_name"))
	return slices.Contains(s.Networks, network) && (name == s.Name || name == own ||
		slices.ContainsFunc(s.Value.At("networks", network, "aliases").Items(), func(v source.Value) bool { return v.Str() == name }))
}

// shares reports whether the two services have a network in common.
func (s *Service) shares(t *Service) bool {
	// On the host's network, or another container's, who reaches whom cannot be told.
	if s.Value.At("network_mode").Set() || t.Value.At("network_mode").Set() {
		return true
	}
	return slices.ContainsFunc(s.Networks, func(n string) bool { return slices.Contains(t.Networks, n) })
}

// service finds the service with that key in the compose file; nil when there is none.
func (d *Deployment) service(name string) *Service {
	i := slices.IndexFunc(d.Services, func(s *Service) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return d.Services[i]
}

// serviceAt finds the service that a host name means inside the stack.
func (d *Deployment) serviceAt(host string) *Service {
	i := slices.IndexFunc(d.Services, func(s *Service) bool { return slices.Contains(s.names(), host) })
	if i < 0 {
		return nil
	}
	return d.Services[i]
}

// variable knows every form of Compose but those that nest.
var variable = regexp.MustCompile(`\$(\$|\{([A-Za-z_][A-Za-z0-9_]*)(?:(:?[-?+])([^}]*))?\}|([A-Za-z_][A-Za-z0-9_]*))`)

// expand gives the text of a value as Compose hands it on. ok is false when a variable in it is set
// nowhere in the directory.
func (d *Deployment) expand(v source.Value) (text string, ok bool) {
	text, ok = v.Str(), true
	if !strings.Contains(text, "$") { // as in nearly every value
		return text, true
	}
	text = variable.ReplaceAllStringFunc(text, func(m string) string {
		if m == "$$" {
			return "$"
		}
		g := variable.FindStringSubmatch(m)
		val, set := d.env[g[2]+g[5]]
		there := set && (val != "" || !strings.HasPrefix(g[3], ":"))
		switch {
		case strings.HasSuffix(g[3], "+"):
			if !there {
				return ""
			}
			return g[4]
		case strings.HasSuffix(g[3], "-") && !there:
			return g[4]
		case !there && (!set || g[3] != ""):
			ok = false
		}
		return val
	})
	return text, ok
}
