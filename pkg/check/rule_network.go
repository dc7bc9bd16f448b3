package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

var traefikNetworkShared = Rule{
	ID: "traefik-network-shared", Severity: finding.Error,
	Summary: "traefik.docker.network is a network of the service by its real name, and Traefik is in it",
	Why:     "502 Bad Gateway or 504 Gateway Timeout, on some starts and not on others: without a valid name Traefik takes any of the container's networks.",
	Fix:     "Write the name that `docker network ls` shows: the key below networks only where its name: or external: true makes it so, otherwise <project>_<key>.",
	Source:  "Traefik pkg/provider/docker getIPAddress, run with Traefik 3.7",
	Check: func(d *Deployment, r *Reporter) {
		unknown := make(map[*Service]bool)
		told := make(map[string]bool)
		d.labelProblems(func(p route.Problem, s *Service) {
			if !s.hasLabel("traefik.http") {
				return
			}
			fix := s.label("traefik.docker.network", d.proxyNetwork(s))
			switch p.Kind {
			case traefik.UnknownNetwork:
				unknown[s] = true
				if wanted := labelOf(d.container(s).Labels, "traefik.docker.network").Value; wanted == "" || !told[wanted] {
					told[wanted] = true
					r.Fail(p.Message+", and where it cannot reach that, every request is a 502", fix, d.networkSites(s, wanted, p.Sites)...)
				}
			case traefik.MissingNetwork:
				unknown[s] = true
				if d.proxy.service != nil {
					r.Fail(p.Message+", and where it cannot reach that, every request is a 502", fix, p.Sites...)
				} else {
					r.Warn(p.Message+", unless its own settings name one", fix, p.Sites...)
				}
			default:
			}
		})
		for _, s := range d.Services {
			if s.hasLabel("traefik.http") && !unknown[s] && !d.disabled(s.Name) {
				d.checkProxyNetwork(r, s)
			}
		}
	},
}

// networkSites are the label of a service, those of the others that name the same network, and the networks.
func (d *Deployment) networkSites(s *Service, wanted string, sites []source.Site) []source.Site {
	const label = "traefik.docker.network"
	for _, o := range d.Services {
		if o != s && wanted != "" && labelOf(d.container(o).Labels, label).Value == wanted {
			sites = append(sites, o.labelSite(label, o.Value.Site("")))
		}
	}
	sites = append(sites, s.Value.At("networks").Site("its networks"))
	for _, key := range s.Networks {
		if name := d.Compose.At("networks", key, "name"); name.Set() {
			sites = append(sites, name.Site("the name of "+key))
		}
	}
	return sites
}

// proxyNetwork is the network of a service in which Traefik is, or most likely is.
func (d *Deployment) proxyNetwork(s *Service) string {
	best := "…"
	for _, key := range s.Networks {
		name, _ := d.networkName(key)
		if d.Compose.At("networks", key, "external").Set() || d.proxy.service != nil && slices.Contains(d.proxy.service.Networks, key) {
			return name
		}
		best = name
	}
	return best
}

// checkProxyNetwork looks whether Traefik is in the network in which it is told to find the service.
func (d *Deployment) checkProxyNetwork(r *Reporter, s *Service) {
	wanted := cmp.Or(labelOf(d.container(s).Labels, "traefik.docker.network").Value, d.proxy.network)
	i := slices.IndexFunc(s.Networks, func(key string) bool {
		name, _ := d.networkName(key)
		return name == wanted || len(s.Networks) == 1
	})
	if i < 0 {
		return
	}
	key := s.Networks[i]
	site := s.labelSite("traefik.docker.network", s.Value.At("networks").Site(""))
	fix := s.label("traefik.docker.network", d.proxyNetwork(s))
	external := func(key string) bool {
		v := d.Compose.At("networks", key, "external")
		return v.Set() && !isFalse(v)
	}
	switch proxy := d.proxy.service; {
	case proxy != nil && !proxy.Value.At("network_mode").Set() && !slices.Contains(proxy.Networks, key):
		r.Fail(fmt.Sprintf("Traefik is not in the network %s, in which it is told to find %s; every request is a 504", key, s.Name), fix, site, proxy.Value.At("networks").Site("Traefik's networks"))
	case proxy == nil && !external(key) && slices.ContainsFunc(s.Networks, external):
		r.Warn(fmt.Sprintf("the network %s belongs to this stack alone, and Traefik is not part of it; unless somebody connects Traefik by hand, every request is a 504", key), fix, site, d.Compose.At("networks", key).Site("the network"))
	case proxy == nil && d.Compose.At("networks", key, "name").Set() && !d.Compose.At("networks", key, "external").True():
		net := d.Compose.At("networks", key)
		r.Warn(fmt.Sprintf("Compose makes the network %s for this stack, and Traefik is not part of it; unless Traefik's stack joins it, every request is a 504", net.At("name").Str()),
			"external: true, where the network is Traefik's", net.At("external").Site(""), net.At("name").Site("its name"), site)
	}
}

// talk is one service's way to another, the name it calls the other by, and the place that says so.
type talk struct {
	from, to *Service
	host     string
	at       source.Value
}

// talks lists who speaks to whom inside the stack.
func (d *Deployment) talks() []talk {
	var ts []talk
	say := func(from *Service, at source.Value, host string) {
		if to := d.serviceAt(host); to != nil && to != from {
			ts = append(ts, talk{from, to, host, at})
		}
	}
	url := func(from *Service, at source.Value) {
		if u, _, ok := endpoint(at.Str()); ok {
			say(from, at, u.Hostname())
		}
	}
	for _, s := range d.Synapses {
		if s.delegates() {
			url(s.Service, s.Config.At("matrix_authentication_service", "endpoint"))
		}
		for _, reg := range s.Registrations {
			url(s.Service, reg.At("url"))
		}
	}
	for _, m := range d.MASs {
		url(m.Service, m.Config.At("matrix", "endpoint"))
	}
	for _, b := range d.Bridges {
		url(b.Service, b.Config.At("homeserver", "address"))
	}
	for _, c := range d.clients() {
		say(c.service, c.at, c.host)
	}
	for _, s := range d.Services {
		if host, v := s.Env("PGHOST"); host != "" {
			say(s, v, host)
		}
	}
	return ts
}

var composeNetworkShared = Rule{
	ID: "compose-network-shared", Severity: finding.Error,
	Summary: "two services that talk to each other share a network",
	Why:     "\"Name or service not known\", \"could not translate host name\", \"no such host\": Docker resolves the names of services only inside a common network.",
	Fix:     "Put both on one network.",
	Source:  "Compose specification, networks",
	Check: func(d *Deployment, r *Reporter) {
		var apart []talk
		for _, t := range d.talks() {
			if !t.from.shares(t.to) {
				apart = append(apart, t)
			}
		}
		for len(apart) > 0 {
			s := mostApart(apart)
			var theirs []talk
			apart = slices.DeleteFunc(apart, func(t talk) bool {
				mine := t.from == s || t.to == s
				if mine {
					theirs = append(theirs, t)
				}
				return mine
			})
			apartFrom(r, s, theirs)
		}
	},
}

// mostApart is the service that is cut off from the most others: its networks are the ones to edit.
func mostApart(apart []talk) *Service {
	partners := make(map[*Service]map[*Service]bool)
	for _, t := range apart {
		for _, pair := range [][2]*Service{{t.from, t.to}, {t.to, t.from}} {
			if partners[pair[0]] == nil {
				partners[pair[0]] = make(map[*Service]bool)
			}
			partners[pair[0]][pair[1]] = true
		}
	}
	best := apart[0].from
	for _, t := range apart {
		for _, s := range []*Service{t.from, t.to} {
			if len(partners[s]) > len(partners[best]) {
				best = s
			}
		}
	}
	return best
}

func apartFrom(r *Reporter, s *Service, talks []talk) {
	var names []string
	networks := slices.Clone(s.Networks)
	sites := []source.Site{s.Value.At("networks").Site("its networks")}
	for _, t := range talks {
		other := t.to
		if other == s {
			other = t.from
		}
		if slices.Contains(names, other.Name) {
			continue
		}
		names = append(names, other.Name)
		sites = append(sites, t.at.Site(t.from.Name+" talks to "+t.to.Name))
		if len(names) <= 3 {
			sites = append(sites, other.Value.At("networks").Site("the networks of "+other.Name))
		}
		if !slices.ContainsFunc(networks, func(n string) bool { return slices.Contains(other.Networks, n) }) && len(other.Networks) > 0 {
			networks = append(networks, other.Networks[0])
		}
	}
	r.Fail(fmt.Sprintf("%s shares no network with %s; they cannot find each other by name", s.Name, sentence(names, "and")), "networks: ["+strings.Join(networks, ", ")+"]", sites...)
}
