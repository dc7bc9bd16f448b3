package deployment

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/caddy"
	"philipp.info/stackgen/pkg/route/nginx"
	"philipp.info/stackgen/pkg/source"
)

// Front is the proxy by which people reach the stack. Name is Traefik, Caddy, nginx or HAProxy. Service is nil where it runs
// elsewhere. Unseen says why its configuration cannot be seen.
type Front struct {
	Name    string
	Service *Service
	Unseen  string
	Unread  []source.Site // where the file stops that was rendered for it, and cannot be read

	table *route.Table
}

// Front is the proxy of the stack. Where there are several, it is the one at which requests come in; the others are
// followed where one sends requests to them.
func (d *Deployment) Front() *Front { return d.front() }

// Dead are the ports published for HTTPS behind which Caddy or nginx does not listen; what Traefik does is in Proxy.
func (f *Front) Dead() (dead []Published) {
	if f.Name == "Traefik" || f.Unseen != "" || f.Service == nil {
		return nil
	}
	list, _, _ := f.Service.publishes()
	for _, p := range list {
		if (p.Host == "443" || p.Host == "8448") && !p.Local && !f.table.Listens(p.Container) {
			dead = append(dead, p)
		}
	}
	return dead
}

// readFronts finds the proxies in the stack whose configuration is not in labels for Traefik.
func (d *Deployment) readFronts() (list []*Front) {
	for _, s := range d.Services {
		if s.Absent.Why != "" {
			continue
		}
		switch {
		case s.isCaddy():
			list = append(list, d.caddy(s))
		case s.isNginx():
			if f := d.nginx(s); f != nil {
				list = append(list, f)
			}
		case s.isHAProxy():
			if f := d.haproxy(s); f != nil {
				list = append(list, f)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b *Front) int { return b.rank() - a.rank() })
	return list
}

// rank is higher for a proxy that is more likely the one at which requests come in.
func (f *Front) rank() (n int) {
	list, host, _ := f.Service.publishes()
	if host || slices.ContainsFunc(list, func(p Published) bool { return p.Host == "443" && !p.Local }) {
		n += 4
	}
	if len(list) > 0 {
		n++
	}
	if len(f.table.Routers) > 0 {
		n += 2
	}
	return n
}

// readFront chooses the proxy of the stack: Traefik where anything is meant for it, else the first of the others.
func (d *Deployment) readFront() *Front {
	labels, fronts := d.labelled(), d.fronts()
	front := &Front{Name: "Traefik", Service: d.Proxy().Service, table: labels}
	outside := d.outside()
	if i := slices.IndexFunc(fronts, func(f *Front) bool { return !f.onlyFiles() && (outside == nil || f.Name != "HAProxy") }); len(labels.Routers) == 0 && front.Service == nil && i >= 0 {
		front = fronts[i]
	}
	if d.passedOver != "" && front.Name == "Traefik" {
		front.Unseen = d.passedOver
	}
	if d.Routed != nil {
		front = &Front{Name: d.Routed.Name, Unseen: d.Routed.Unseen, table: d.Routed.Table}
	} else if front.Service == nil && len(labels.Routers) == 0 {
		front = cmp.Or(outside, front)
	}
	alike := func(a, b string) bool {
		return slices.ContainsFunc(d.Synapses, func(s *Synapse) bool { return s.Is(a) && s.Is(b) })
	}
	front.table.Alike(alike)
	for _, f := range fronts {
		f.table.Alike(alike)
		if f.table != front.table && (len(f.table.Routers) > 0 || f.Unseen != "") {
			front.table.Behind(f.Service.Name, f.table)
		}
	}
	for _, s := range d.Services {
		if pages := d.pages(s); pages != nil {
			front.table.Behind(s.Name, pages)
		}
	}
	return front
}

// outside is a Caddy or nginx that is none of the services: what was rendered for it, or the labels for a caddy-docker-proxy; nil
// where there is neither.
func (d *Deployment) outside() *Front {
	o := caddy.Options{
		Env:      func(string) (string, bool, string) { return "", false, "" },
		Upstream: func(host, port string) (string, string) { return d.upstream(nil, host, port) },
		Glob: func(pattern, from string) ([]*source.File, string) {
			f := d.rendered(path.Join(path.Dir(from), pattern))
			if f == nil {
				return nil, pattern + " does not exist"
			}
			return []*source.File{f}, ""
		},
	}
	f := &Front{Name: "Caddy"}
	var labelled []caddy.Container
	for _, s := range d.Services {
		labelled = append(labelled, d.caddyLabels(s)...)
	}
	if servers := d.renderedAll("config/nginx/*.conf"); len(servers) > 0 {
		f := &Front{Name: "nginx", table: nginx.New(nil, servers, nginx.Options{Glob: o.Glob, Upstream: o.Upstream})}
		for _, p := range f.table.Problems {
			f.Unseen, f.Unread = p.Message, p.Sites
		}
		return f
	}
	file := d.rendered("config/caddy/Caddyfile")
	if len(labelled) == 0 && file == nil {
		return nil
	}
	f.table = caddy.New(file, labelled, o)
	open := false
	for _, s := range d.Services {
		for _, l := range s.Labels {
			open = open || caddy.Labelled(l.Key) && (strings.Contains(l.Key+l.Value, "${") || strings.Contains(l.Key+l.Value, "{$"))
		}
	}
	for _, p := range f.table.Problems {
		if f.Unseen = p.Message; !open { // a variable in a label is set where that Caddy runs
			f.Unread = p.Sites
		}
	}
	return f
}

// SiteHosts are the hosts that were rendered for a proxy elsewhere: the sites of its file, or those of labels.
func (d *Deployment) SiteHosts() (hosts []string) {
	for _, s := range d.Services {
		for _, l := range s.Labels {
			if caddy.Labelled(l.Key) && !strings.Contains(l.Key, ".") {
				hosts = append(hosts, l.Value)
			}
		}
	}
	for _, f := range append(d.renderedAll("config/caddy/*"), d.renderedAll("config/nginx/*.conf")...) {
		for _, m := range siteLine().FindAllStringSubmatch(string(f.Src), -1) {
			hosts = append(hosts, m[1])
		}
	}
	return hosts
}

var siteLine = regex.Of(`(?m)^(?:\tserver_name )?([a-z0-9.-]+\.[a-z0-9.-]+)(?: \{|;)$`)

func (d *Deployment) renderedAll(pattern string) (files []*source.File) {
	names, _ := fs.Glob(d.FS, pattern)
	for _, name := range names {
		if f := d.rendered(name); f != nil {
			files = append(files, f)
		}
	}
	return files
}

// Loopback is the port of the loopback address under which the host reaches a port of the service; 0 where it does not.
func (s *Service) Loopback(container int) int {
	list, _, _ := s.publishes()
	for _, p := range list {
		if host, err := strconv.Atoi(p.Host); err == nil && p.Local && p.Container == strconv.Itoa(container) {
			return host
		}
	}
	return 0
}

// rendered is a file for a proxy elsewhere, which is copied to it: its head says that stackgen wrote it.
func (d *Deployment) rendered(name string) *source.File {
	src, err := source.ReadFS(d.FS, name)
	if err != nil || !strings.HasPrefix(string(src), "# Rendered by stackgen from ") {
		return nil
	}
	d.keepText(name, src)
	return d.file(name)
}

// proxyFiles are where people keep the configuration of a proxy that is none of the stack.
var proxyFiles = []string{"Caddyfile", "caddy/Caddyfile", "caddy.conf", "nginx.conf", "nginx/*.conf", "nginx/conf.d/*.conf", "haproxy.cfg"}

// Unmounted is a file of a proxy that lies in the deployment and that no service sees; "" when there is none.
func (d *Deployment) Unmounted() string {
	for _, pattern := range proxyFiles {
		names, _ := fs.Glob(d.FS, pattern)
		for _, name := range names {
			if !slices.ContainsFunc(d.Services, func(s *Service) bool { return s.Sees(name) }) {
				return name
			}
		}
	}
	return ""
}

// onlyFiles reports whether a proxy sends nothing to anybody, and is not the one at port 443: it serves files for the proxy at
// which requests come in, which is not seen.
func (f *Front) onlyFiles() bool {
	list, _, _ := f.Service.publishes()
	public := slices.ContainsFunc(list, func(p Published) bool { return p.Host == "443" && !p.Local })
	return f.Unseen == "" && !public && !slices.ContainsFunc(f.table.Services, func(s *route.Service) bool { return len(s.Backends) > 0 })
}

// isCaddy goes by the image: Caddy's own, one with more modules, or caddy-docker-proxy.
func (s *Service) isCaddy() bool {
	return strings.Contains(path.Base(s.Image.Repository), "caddy") || slices.Contains(s.Command(), "caddy")
}

const caddyfile = "/etc/caddy/Caddyfile"

// caddy reads the configuration of a Caddy: its file, and the labels of caddy-docker-proxy.
func (d *Deployment) caddy(s *Service) *Front {
	f := &Front{Name: "Caddy", Service: s}
	o := caddy.Options{
		Env: s.lookup,
		Glob: func(pattern, from string) ([]*source.File, string) {
			return d.globbed(s, pattern, from)
		},
		Upstream: func(host, port string) (string, string) { return d.upstream(s, host, port) },
		Public:   s.public(),
		Files: func(inside string) (text, at, reason string) {
			if !path.IsAbs(inside) && !s.WorkingDir.Set() {
				inside = path.Join("/srv", inside) // the directory in which Caddy's image starts it
			}
			return d.Text(s, s.Inside(inside))
		},
	}
	var labelled []caddy.Container
	byLabels := strings.Contains(s.Image.Repository, "docker-proxy") || slices.Contains(s.Command(), "docker-proxy")
	name := s.flag("", "--config", "-c", "-config")
	if byLabels {
		for _, o := range d.Services {
			labelled = append(labelled, d.caddyLabels(o)...)
		}
		for _, v := range []string{"CADDY_DOCKER_CADDYFILE_PATH"} {
			if text, _ := s.Env(v); text != "" {
				name = text
			}
		}
		if name == "" {
			name = s.flag("", "--caddyfile-path", "-caddyfile-path")
		}
	} else if name == "" {
		name = caddyfile
	}
	if strings.HasSuffix(name, ".json") {
		f.Unseen = "the configuration of " + s.Name + " is JSON, which is not read"
		f.table = unseenTable(f.Unseen)
		return f
	}
	if why := d.writtenAtStart(s, "/etc/caddy"); why != "" {
		f.Unseen = "the Caddyfile of " + s.Name + " cannot be seen: " + why
		f.table = unseenTable(f.Unseen)
		return f
	}
	var file *source.File
	if name != "" {
		_, host, reason := d.Text(s, s.Inside(name))
		if file = d.file(host); reason != "" || file == nil {
			f.Unseen = "the Caddyfile of " + s.Name + " cannot be seen: " + reason
			if !byLabels {
				f.table = unseenTable(f.Unseen)
				return f
			}
		}
	}
	f.table = caddy.New(file, labelled, o)
	for _, p := range f.table.Problems {
		f.Unseen = p.Message
	}
	return f
}

func (d *Deployment) caddyLabels(s *Service) []caddy.Container {
	c := caddy.Container{Name: s.Name}
	for _, l := range d.Container(s).Labels {
		label := caddy.Label{Key: l.Key, Value: l.Value, Site: l.Site}
		if l.Gapped != "" {
			label.Hidden = "a variable in the label " + l.Key + " is set nowhere here"
		}
		c.Labels = append(c.Labels, label)
	}
	if s.Absent.Why != "" || !slices.ContainsFunc(c.Labels, func(l caddy.Label) bool { return caddy.Labelled(l.Key) }) {
		return nil
	}
	return []caddy.Container{c}
}

// unseenTable says of every request that it cannot be told what becomes of it.
func unseenTable(why string) *route.Table {
	return route.New(route.Parts{
		Seen: func(escaped string) (string, error) { return escaped, nil },
		Run:  func(route.Ask) route.End { return route.End{Unknown: why} },
	})
}

// lookup gives a variable of the service's environment, and says why it may be another one.
func (s *Service) lookup(name string) (val string, set bool, hidden string) {
	v := s.variable(name)
	if v == nil {
		return "", false, s.EnvHidden(name)
	}
	return v.Text, true, s.EnvHidden(name)
}

// public leads from the ports under which others reach a service to its own; nil where they cannot be told.
func (s *Service) public() map[string]string {
	list, host, ok := s.publishes()
	if !ok || host {
		return nil
	}
	public := make(map[string]string)
	for _, p := range list {
		if !p.Local {
			public[p.Host] = p.Container
		}
	}
	return public
}

// globbed finds the files that a service sees at a pattern, from the directory of one that it reads. hidden says why
// there may be more.
func (d *Deployment) globbed(s *Service, pattern, from string) (files []*source.File, hidden string) {
	if !path.IsAbs(pattern) {
		for _, m := range s.holdings() {
			if m.Host != "" && Within(from, m.Host) {
				inside := path.Join(m.Container, strings.TrimPrefix(from, path.Clean(m.Host)))
				pattern = path.Join(path.Dir(inside), pattern)
				break
			}
		}
	}
	dir, base := path.Split(path.Clean(pattern))
	if strings.ContainsAny(dir, "*?[") {
		return nil, "a pattern for directories is not followed"
	}
	if !strings.ContainsAny(base, "*?[") {
		_, host, reason := d.Text(s, pattern)
		if f := d.file(host); reason == "" && f != nil {
			return []*source.File{f}, ""
		}
		return nil, reason
	}
	host, reason := s.HostPath(dir)
	if reason != "" {
		return nil, reason
	}
	entries, err := fs.ReadDir(d.FS, path.Clean(host))
	if err != nil {
		return nil, Cause(err)
	}
	for _, e := range entries {
		if ok, _ := path.Match(base, e.Name()); !ok || e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		_, at, why := d.Text(s, path.Join(dir, e.Name()))
		if f := d.file(at); why == "" && f != nil {
			files = append(files, f)
		} else {
			hidden = why
		}
	}
	return files, hidden
}
