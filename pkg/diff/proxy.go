package diff

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/shell"
)

// frontOf is what a proxy is called.
func frontOf(d *deployment.Deployment) string {
	if !d.HasRouters() {
		return "the proxy"
	}
	return d.Front().Name
}

// reached says what a person does so that requests from outside come to the stack, in order: DNS before, and where the
// proxy is told by a file, that file after the ports are there.
func (c *comparison) reached(p *plan, e Effects) {
	was, is := frontOf(c.old.deployment), frontOf(c.new.deployment)
	if hosts := added(hosts(c.old), hosts(c.new)); len(hosts) > 0 {
		to := is
		switch {
		case managed(c.new.deployment):
			to = "this host"
		case c.new.cluster():
			to = is
		case is == "Traefik":
			to = "this Traefik"
		}
		if is == "nginx" { // the others ask for certificates themselves
			to += ", and get their certificates (RUNBOOK.md, Proxy)"
		}
		p.first("let the DNS names of ", strings.Join(hosts, ", "), " lead to ", to)
	}
	var files []string
	for _, name := range c.changed {
		if _, here := c.new.tree[name]; here && forProxy(name) {
			files = append(files, shell.Word(path.Join(c.Dir, name)))
		}
	}
	if len(files) > 0 {
		p.then("give ", is, " its new configuration and let it reload: ", strings.Join(files, ", "), " (RUNBOOK.md, Proxy)")
	}
	switch was, is := managed(c.old.deployment), managed(c.new.deployment); {
	case is && !was:
		p.first("let nobody else have the ports 80 and 443 of this host, which are open from outside (ss -ltnp shows who has them): this stack's own Traefik takes them, and asks for its certificates at once")
	case was && !is:
		p.then("let ", frontOf(c.new.deployment), " take the ports 80 and 443, which this stack's own Traefik had; data/traefik with its certificates stays, and can go")
	}
	if table := c.new.table(); len(table) > 0 && !slices.Equal(table, c.old.table()) {
		p.then("tell the proxy where each request goes: RUNBOOK.md, Proxy, has the table")
	}
	if e.First {
		return
	}
	if was != is {
		p.then("let requests on port 443 come to ", is, " and no longer to ", was, ": two programs cannot have one port")
	}
	var left []string
	for _, name := range slices.Sorted(maps.Keys(c.old.tree)) {
		if _, here := c.new.tree[name]; !here && forProxy(name) && path.Base(name) != "Caddyfile" {
			left = append(left, path.Base(name))
		}
	}
	switch {
	case len(left) == 0:
	case was == is:
		p.then("where ", was, " includes it by a line of your own, take ", finding.Sentence(left, "and"), " out of its configuration")
	default:
		p.then("take ", finding.Sentence(left, "and"), " out of the configuration of ", was, ", and let it reload, if it runs on")
	}
}

// table is what people tell a proxy for which nothing is rendered: the rows of RUNBOOK.md, where no file and no label has routes.
func (s side) table() (rows []string) {
	if s.cluster() || s.deployment.HasRouters() {
		return nil
	}
	for line := range strings.Lines(string(s.tree["RUNBOOK.md"])) {
		if strings.HasPrefix(line, "| ") && strings.Contains(line, " | `http://") {
			rows = append(rows, line)
		}
	}
	return rows
}

// managed reports whether the proxy is a Traefik of the stack.
func managed(d *deployment.Deployment) bool {
	return d.Front().Name == "Traefik" && d.Front().Service != nil
}

// forProxy reports whether a rendered file is copied to a proxy.
func forProxy(name string) bool {
	return strings.HasPrefix(name, "config/caddy/") || strings.HasPrefix(name, "config/nginx/")
}

var hostRule = regex.Of("Host\\(`([^`]+)`\\)")

// hosts are the public names that the stack answers on: by its labels, and by the files for its proxy.
func hosts(s side) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, s := range s.deployment.Services {
		for _, l := range s.Labels {
			if !strings.HasSuffix(l.Key, ".rule") {
				continue
			}
			for _, m := range hostRule().FindAllStringSubmatch(l.Value, -1) {
				add(m[1])
			}
		}
	}
	for _, name := range s.deployment.SiteHosts() {
		add(name)
	}
	for _, row := range s.table() {
		for name := range strings.SplitSeq(strings.TrimSpace(strings.Split(row, "|")[2]), ", ") {
			add(name)
		}
	}
	for _, part := range s.deployment.Chart.Entries() {
		if host := part.At("ingress", "host"); host.Set() {
			add(host.Str())
		}
	}
	if managed(s.deployment) || s.cluster() {
		for _, r := range s.deployment.Routes().Routers {
			for _, name := range r.Hosts() {
				add(name)
			}
		}
	}
	return names
}

// proxy says what the proxy has to have, and what it does not lead to the stack any more.
func (c *comparison) proxy(p *plan) {
	if name := proxyNetwork(c.new.deployment); name != "" && name != c.old.deployment.Network("ingress").NameAt.Str() {
		p.first("attach ", frontOf(c.new.deployment), " to the network ", name, ", which exists already (ingress in docker-compose.yml)")
	}
	if a, b := c.old.deployment.Proxy(), c.new.deployment.Proxy(); a.Service == nil && b.Service == nil && a.Major != b.Major {
		p.first(fmt.Sprintf("the rules are in the words of Traefik %d from now on: by them Traefik %d leads no login to MAS", b.Major, a.Major))
	}
	old, now := routers(c.old.deployment), routers(c.new.deployment)
	for _, kind := range []struct{ suffix, what string }{{".entrypoints", "an entrypoint"}, {".tls.certresolver", "a certificate resolver"}} {
		for _, name := range added(old[kind.suffix], now[kind.suffix]) {
			p.first("Traefik has to have ", kind.what, " called ", name, ", or it serves nothing here")
		}
	}
	for _, name := range added(foreign(c.old.deployment), foreign(c.new.deployment)) {
		p.first("Traefik has to have a middleware called ", name, ", or it answers everything here with 404")
	}
	switch old, now := scraped(c.old), scraped(c.new); {
	case now && !old && c.new.cluster():
		p.then("let the namespace of your Prometheus reach the metrics by a NetworkPolicy, and give it config/prometheus (RUNBOOK.md, Metrics)")
	case now && !old:
		p.then("let Prometheus into the network ", c.new.deployment.Project, "_metrics, and give it config/prometheus (RUNBOOK.md, Metrics)")
	case old && !now && c.old.cluster():
		p.then("nothing here tells metrics any more: take config/prometheus out of what Prometheus reads, and delete the NetworkPolicy that let it in")
	case old && !now:
		p.then("nothing here tells metrics any more: take config/prometheus out of what Prometheus reads, and Prometheus out of the network ", c.old.deployment.Project, "_metrics")
	}
	for _, network := range added(admins(c.old.deployment), admins(c.new.deployment)) {
		p.first("whoever comes from ", network, " reaches the admin APIs from now on: see that nobody else does, and that the proxy sees the addresses of people and not one of its own")
	}
	if c.old.deployment.Project == c.new.deployment.Project && frontOf(c.old.deployment) == frontOf(c.new.deployment) {
		for _, rule := range c.unrouted() {
			p.first("nothing here answers any more to ", rule, ": look whether somebody still asks there")
		}
	}
}

// scraped reports whether a Prometheus is told what to ask.
func scraped(s side) bool {
	for name := range s.tree {
		if strings.HasPrefix(name, "config/prometheus/") {
			return true
		}
	}
	return false
}

// admins are the networks from which the admin API of Synapse is reached.
func admins(d *deployment.Deployment) []string {
	if len(d.Synapses) != 1 {
		return nil
	}
	return d.AdminsFrom(d.Synapses[0])
}

// foreign are the middlewares of the routers that somebody else than this stack defines: each has its provider behind an @.
func foreign(d *deployment.Deployment) []string {
	var names []string
	for _, s := range d.Services {
		for _, l := range s.Labels {
			if !strings.HasSuffix(l.Key, ".middlewares") {
				continue
			}
			for name := range strings.SplitSeq(l.Value, ",") {
				if name = strings.TrimSpace(name); strings.Contains(name, "@") && !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
	}
	return names
}

// routers gives the values of the routers' labels by the end of their keys.
func routers(d *deployment.Deployment) map[string][]string {
	values := make(map[string][]string)
	for _, s := range d.Services {
		for _, l := range s.Labels {
			for _, suffix := range []string{".entrypoints", ".tls.certresolver"} {
				if strings.HasSuffix(l.Key, suffix) && !slices.Contains(values[suffix], l.Value) {
					values[suffix] = append(values[suffix], l.Value)
				}
			}
		}
	}
	return values
}

// unrouted are the rules of the routers that are gone, whose services are still there.
func (c *comparison) unrouted() []string {
	bare := func(r *route.Router) string { name, _, _ := strings.Cut(r.Name, "@"); return name }
	var rules []string
	if c.old.deployment.Front().Name != "Traefik" {
		return nil
	}
	for _, o := range c.old.deployment.Routes().Routers {
		to := o.Container
		if to == "" && o.To != nil && len(o.To.Backends) > 0 {
			to = o.To.Backends[0].Container
		}
		there := slices.ContainsFunc(c.new.deployment.Routes().Routers, func(n *route.Router) bool { return bare(n) == bare(o) })
		if s := service(c.new.deployment, to); s != nil && s.Program != component.Unknown && !there {
			rules = append(rules, o.Rule)
		}
	}
	return rules
}
