package deployment

import (
	"cmp"
	"io/fs"
	"maps"
	"net"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// traefikSettings hands on what a Traefik is set to by dotted key. seen is false where not all of it can be seen.
func (d *Deployment) traefikSettings(s *Service, set func(key, val string)) (seen bool) {
	st := d.Static(s)
	for _, o := range st.Settings {
		set(o.Key, o.Value)
	}
	return st.Hidden == ""
}

// entryPoints are those of Traefik; nil where one of them cannot be seen. ports are where each listens.
func (t *Proxy) entryPoints() (all []traefik.EntryPoint, ports map[string]string) {
	ports = make(map[string]string)
	chosen := false
	if t.first() {
		return nil, nil
	}
	if len(t.EntryPoints) == 0 && t.Seen && len(t.settings) > 0 { // then Traefik makes one (pkg/config/static SetEffectiveConfiguration)
		return []traefik.EntryPoint{{Entry: route.Entry{Name: "http", Default: true}}}, map[string]string{"http": "80"}
	}
	for name := range t.EntryPoints {
		at := func(key string) string { return t.settings["entrypoints."+name+"."+key] }
		address, protocol, _ := strings.Cut(at("address"), "/")
		_, port, err := net.SplitHostPort(address)
		if err != nil || port == "" {
			return nil, nil
		}
		if protocol == "udp" {
			continue
		}
		e := traefik.EntryPoint{Entry: route.Entry{Name: name, Default: name != "traefik"}}
		for key, val := range t.settings {
			rest, ok := strings.CutPrefix(key, "entrypoints."+name+".http.")
			switch {
			case !ok:
			case (rest == "tls" || strings.HasPrefix(rest, "tls.")) && val != "false":
				e.TLS = true
			case rest == "middlewares" || strings.HasPrefix(rest, "middlewares["):
				e.Middlewares = append(e.Middlewares, strings.FieldsFunc(val, func(r rune) bool { return r == ',' || r == ' ' })...)
			}
		}
		if as := "asdefault"; t.Major > 2 && slices.Contains([]string{"true", "1"}, strings.ToLower(at(as))) {
			e.Default, chosen = true, true
		}
		all, ports[name] = append(all, e), port
	}
	if chosen {
		for i, e := range all {
			all[i].Default = strings.EqualFold(t.settings["entrypoints."+e.Name+".asdefault"], "true")
		}
	}
	slices.SortFunc(all, func(a, b traefik.EntryPoint) int { return cmp.Compare(a.Name, b.Name) })
	return all, ports
}

// Published is a TCP port of the host that leads to one of a container, Local one that only the host itself
// reaches. At is the entry of ports.
type Published struct {
	Host, Container string
	Local           bool
	At              Leaf
}

// publishes lists the ports under which a service is reached; ok is false where one of them cannot be told. Who shares
// the host's network publishes whatever it listens on, and host says so.
func (s *Service) publishes() (list []Published, host, ok bool) {
	mode := s.NetworkMode.Str()
	if mode == "host" {
		return nil, true, true
	}
	if name, of := strings.CutPrefix(mode, "service:"); of {
		if s = s.d.Service(name); s == nil {
			return nil, false, false
		}
	}
	for _, p := range s.Ports {
		if p.Protocol != "tcp" {
			continue
		}
		if p.Inner == 0 {
			return nil, false, false
		}
		for i := range min(p.Last-p.First+1, 100) {
			list = append(list, Published{strconv.Itoa(p.First + i), strconv.Itoa(p.Inner + i), Loopback(p.IP), p.At})
		}
	}
	if s.PortsHidden {
		return nil, false, false
	}
	return list, false, true
}

// first reports whether the settings are in the words of Traefik 1, whose entrypoints are not read.
func (t *Proxy) first() bool {
	for key := range t.settings {
		word, _, _ := strings.Cut(key, ".")
		if slices.Contains([]string{"defaultentrypoints", "docker", "web", "acme", "file", "consul", "etcd", "rancher"}, word) {
			return true
		}
	}
	return t.Major == 1
}

// seePorts holds the published ports against the entrypoints.
func (t *Proxy) seePorts() {
	all, ports := t.entryPoints()
	list, host, ok := t.Service.publishes()
	if len(all) == 0 || !ok {
		return
	}
	t.entries, t.public = all, make(map[string]string)
	for name, port := range ports {
		if host {
			t.public[port] = name
		}
	}
	for _, p := range list {
		if p.Local {
			continue
		}
		t.public[p.Host] = ""
		for _, e := range all {
			if ports[e.Name] == p.Container {
				t.public[p.Host] = e.Name
			}
		}
		if t.public[p.Host] == "" && (p.Container != "8080" || !t.internal()) {
			t.Dead = append(t.Dead, p)
		}
	}
}

// internal reports whether Traefik may listen on 8080 without an entrypoint that somebody wrote down: for its
// dashboard, ping or metrics.
func (t *Proxy) internal() bool {
	for key := range t.settings {
		for _, word := range []string{"api", "ping", "metrics", "providers.rest"} {
			if key == word || strings.HasPrefix(key, word+".") {
				return true
			}
		}
	}
	return false
}

// Idle are the entrypoints to which no published port leads, those last that Traefik has for itself.
func (t *Proxy) Idle() (names []string) {
	led := slices.Collect(maps.Values(t.public))
	for _, own := range []bool{false, true} {
		for _, e := range t.entries {
			if !slices.Contains(led, e.Name) && slices.Contains([]string{"ping", "traefik", "metrics"}, strings.ToLower(e.Name)) == own {
				names = append(names, e.Name)
			}
		}
	}
	return names
}

// Listening are the names of the entrypoints with their ports, those first to which no published port leads.
func (t *Proxy) Listening() (list []string) {
	_, ports := t.entryPoints()
	led := make(map[string]bool)
	for _, name := range t.public {
		led[name] = true
	}
	for _, some := range []bool{false, true} {
		for _, e := range t.entries {
			if led[e.Name] == some {
				list = append(list, e.Name+" on "+ports[e.Name])
			}
		}
	}
	return list
}

// Misled is the port to which an entrypoint sends who asks it in plain HTTP, where nobody outside finds that port, although another one is
// published at port 443; entry is the one that it names: Traefik writes the port on which that listens into the address
// (pkg/provider/traefik, getEntryPointPort). It is "" where all is well or not seen.
func (t *Proxy) Misled(set traefik.Setting) (port, entry string) {
	from, ok := strings.CutSuffix(strings.ToLower(set.Key), ".http.redirections.entrypoint.to")
	if _, of := strings.CutPrefix(from, "entrypoints."); !ok || !of || t.public["443"] == "" {
		return "", ""
	}
	if port, written := strings.CutPrefix(set.Value, ":"); written {
		if _, found := t.public[port]; found {
			port = ""
		}
		return port, ""
	}
	_, ports := t.entryPoints()
	for name, listens := range ports {
		if _, found := t.public[listens]; strings.EqualFold(name, set.Value) && listens != "443" && !found && t.public["443"] == name {
			return listens, name
		}
	}
	return "", ""
}

// providedFiles are what the file provider of Traefik reads; seen says that these are all.
func (d *Deployment) providedFiles(t *Proxy) (files []traefik.File, seen bool) {
	dir, name := t.settings["providers.file.directory"], t.settings["providers.file.filename"]
	switch {
	case t.Service == nil || !t.Seen:
		return nil, false
	case dir == "" && name == "":
		return nil, true
	case dir == "":
		f := d.provided(t.Service, t.Service.Inside(name))
		if f == nil {
			return nil, false
		}
		return []traefik.File{{File: f}}, true
	}
	host, reason := t.Service.HostPath(t.Service.Inside(dir))
	if reason != "" {
		return nil, false
	}
	seen = true
	err := fs.WalkDir(d.FS, host, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !entry.IsDir() && slices.Contains([]string{".yml", ".yaml", ".toml"}, path.Ext(at)) {
			f := d.provided(t.Service, path.Join(t.Service.Inside(dir), strings.TrimPrefix(at, host)))
			if f == nil {
				seen = false
			} else {
				files = append(files, traefik.File{File: f})
			}
		}
		return nil
	})
	for _, m := range t.Service.Mounts { // what is mounted over it, below it
		seen = seen && (!Under(path.Clean(m.Container), t.Service.Inside(dir)) || m.Host != "")
	}
	return files, seen && err == nil
}

func (d *Deployment) provided(s *Service, container string) *source.File {
	if path.Ext(container) == ".toml" {
		_, host, _ := d.Text(s, container)
		return d.file(host)
	}
	f, _, _ := d.Follow(s, container)
	return f
}

// socket finds the service that listens on a UNIX socket of a proxy's, and the socket as that service has it. Where nobody listens
// there, it is the one that listens beside it in a directory that they alone have, or that alone could; "" where that cannot be told.
func (d *Deployment) socket(from *Service, name string) (container, port string) {
	if from == nil || from.place(name) == "" {
		return "", ""
	}
	dir := from.place(path.Dir(name))
	for _, s := range d.Services {
		ls, _ := d.Listeners(s)
		for _, l := range ls {
			at, ok := strings.CutPrefix(l.Port, Socket)
			if ok && s.place(at) == from.place(name) {
				return s.Name, l.Port
			}
			if ok && s.place(path.Dir(at)) == dir {
				container, port = s.Name, Socket+path.Join(path.Dir(at), path.Base(name))
			}
		}
	}
	var sharing []*Service
	for _, s := range d.Services {
		shares := func(m Mount) bool {
			at := s.place(m.Container)
			return at != "" && (Within(dir, at) || Within(at, dir))
		}
		if s != from && s.Name != container && slices.ContainsFunc(s.Mounts, shares) {
			sharing = append(sharing, s)
		}
	}
	if len(sharing) == 1 && container == "" { // who alone could listen there, and listens elsewhere
		s := sharing[0]
		for _, m := range s.Mounts {
			if at, _ := d.Listeners(s); len(at) > 0 && s.place(m.Container) != "" && Under(from.place(name), s.place(m.Container)) {
				return s.Name, Socket + path.Join(m.Container, strings.TrimPrefix(from.place(name), s.place(m.Container)))
			}
		}
	}
	if len(sharing) > 0 {
		return "", ""
	}
	return container, port
}

// upstream finds the service and its port that an address means for a proxy: a service by its name, or the host
// with what is published there. A proxy that is none of the services is on the host, or in a container beside them.
func (d *Deployment) upstream(from *Service, host, port string) (container, inner string) {
	if name, ok := strings.CutPrefix(host, Socket); ok {
		return d.socket(from, name)
	}
	if s := d.ServiceAt(host); s != nil {
		return s.Name, d.Inner(host, port)
	}
	if s := d.ContainerNamed(host); s != nil {
		return s.Name, port
	}
	onHost := (from == nil || from.NetworkMode.Str() == "host") && (Loopback(host) || host == "0.0.0.0")
	if !onHost && host != "host.docker.internal" && host != "172.17.0.1" {
		return host, port
	}
	for _, s := range d.Services {
		list, _, _ := s.publishes()
		for _, p := range list {
			if p.Host == port {
				return s.Name, p.Container
			}
		}
	}
	for _, s := range d.Services {
		if ls, known := d.Listeners(s); onHost && known && s.NetworkMode.Str() == "host" && s.Absent.Why == "" && slices.ContainsFunc(ls, func(l Listener) bool { return l.Port == port }) {
			return s.Name, port
		}
	}
	return host, port
}
