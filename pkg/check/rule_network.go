package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

var traefikNetworkShared = Rule{
	ID: "traefik-network-shared", Severity: finding.Error,
	Summary:     "traefik.docker.network is a network of the service by its real name, and Traefik is in it",
	Why:         "502 Bad Gateway or 504 Gateway Timeout, on some starts and not on others: without a valid name Traefik takes any of the container's networks.",
	Fix:         "Write the name that `docker network ls` shows: the key below networks only where its name: or external: true makes it so, otherwise <project>_<key>.",
	Source:      "Traefik pkg/provider/docker getIPAddress, run with Traefik 3.7",
	ComposeOnly: "all pods of a cluster are in one network",
	Check: func(d *deployment.Deployment, r *Reporter) {
		unknown := make(map[*deployment.Service]bool)
		told := make(map[string]bool)
		var unnamed []unnamedNetwork
		d.LabelProblems(func(p route.Problem, s *deployment.Service) {
			if !s.HasLabel("traefik.http") {
				return
			}
			if slices.ContainsFunc(s.Networks, func(key string) bool { return key != "default" && !d.Network(key).At.Exists() }) {
				unknown[s] = true
				return // what its name is nobody says, and compose-valid says that Compose refuses it
			}
			fix := proxyNetwork(d, s)
			switch p.Kind {
			case traefik.UnknownNetwork:
				unknown[s] = true
				if d.EveryNetworkShared(s) {
					return // Traefik logs that there is none of that name, and takes one that it reaches
				}
				if wanted := d.NetworkLabel(s).Value; wanted == "" || !told[wanted] {
					told[wanted] = true
					report := r.FailMend
					if d.Proxy().Service == nil && !slices.ContainsFunc(s.Networks, func(key string) bool { return !outside(d, key) }) {
						report = r.WarnMend // Traefik may be in whichever it takes
					}
					report(p.Message+", and where it cannot reach that, every request is a 502", fix, d.NetworkSites(s, wanted, p.Sites)...)
				}
			case traefik.MissingNetwork:
				unknown[s] = true
				if d.EveryNetworkShared(s) {
					return // whichever it takes, it reaches
				}
				unnamed = append(unnamed, unnamedNetwork{s.Name, p, d.NetworkLabel(s).Key, fix})
			default:
			}
		})
		tellUnnamed(r, d, unnamed)
		for _, s := range d.Services {
			if s.HasLabel("traefik.http") && !unknown[s] && !d.Disabled(s.Name) {
				checkProxyNetwork(r, d, s)
			}
		}
	},
}

// outside reports whether a network is, or may be, made outside of the stack.
func outside(d *deployment.Deployment, key string) bool {
	v := d.Network(key).External
	return v.Set() && !v.False()
}

// unnamedNetwork is a container in several networks that says of none that Traefik is in it.
type unnamedNetwork struct {
	container string
	problem   route.Problem
	label     string // that would say so
	fix       mend
}

// tellUnnamed has one finding for the containers that are in the same networks.
func tellUnnamed(r *Reporter, d *deployment.Deployment, all []unnamedNetwork) {
	for len(all) > 0 {
		_, any, _ := strings.Cut(all[0].problem.Message, "; ")
		var alike []unnamedNetwork
		all = slices.DeleteFunc(all, func(u unnamedNetwork) bool {
			same := strings.HasSuffix(u.problem.Message, "; "+any)
			if same {
				alike = append(alike, u)
			}
			return same
		})
		severally(r, alike, func(u unnamedNetwork) []source.Site { return u.problem.Sites }, func(r *Reporter, alike []unnamedNetwork) {
			what, fix := alike[0].problem.Message, alike[0].fix
			var sites []source.Site
			var names []string
			for _, u := range alike {
				sites, names = append(sites, u.problem.Sites...), append(names, fmt.Sprintf("%q", u.container))
			}
			if len(alike) > 1 {
				what = "containers " + finding.Sentence(names, "and") + " have no " + alike[0].label + "; " + any
				certain := !slices.ContainsFunc(alike, func(u unnamedNetwork) bool { return u.fix.edits == nil })
				fix = unless(!certain, mend{fix.text, func() (edits []source.Edit) {
					for _, u := range alike {
						edits = append(edits, u.fix.edits()...)
					}
					return edits
				}})
			}
			if d.Proxy().Service != nil && d.Proxy().Seen {
				r.FailMend(what+", and where it cannot reach that, every request is a 502", fix, sites...)
			} else {
				r.WarnMend(what+", unless its own settings name one", fix, sites...)
			}
		})
	}
}

// proxyNetwork is the label that has Traefik find the service. It is certain where the two share one network, or it is in one
// alone that was made outside of the stack.
func proxyNetwork(d *deployment.Deployment, s *deployment.Service) mend {
	outside, shared := 0, 0
	for _, key := range s.Networks {
		if d.Network(key).External.True() {
			outside++
		}
		if proxy := d.Proxy().Service; proxy != nil && slices.Contains(proxy.Networks, key) {
			shared++
		}
	}
	only := outside == 1 && d.Proxy().Service == nil || shared == 1 && (outside == 0 || d.Proxy().Service != nil)
	return unless(!only, label(s, d.NetworkLabel(s).Key, d.ProxyNetwork(s)))
}

// checkProxyNetwork looks whether Traefik is in the network in which it is told to find the service.
func checkProxyNetwork(r *Reporter, d *deployment.Deployment, s *deployment.Service) {
	wanted := cmp.Or(d.NetworkLabel(s).Value, d.Proxy().Network)
	i := slices.IndexFunc(s.Networks, func(key string) bool {
		name, _ := d.NetworkName(key)
		return name == wanted || len(s.Networks) == 1
	})
	if i < 0 {
		return
	}
	key := s.Networks[i]
	site := s.LabelSite(d.NetworkLabel(s).Key, s.NetworksAt.Site(""))
	fix := proxyNetwork(d, s)
	external := func(key string) bool { return outside(d, key) }
	switch proxy := d.Proxy().Service; {
	case proxy != nil && !proxy.NetworkMode.Set() && !slices.Contains(proxy.Networks, key):
		r.FailMend(fmt.Sprintf("Traefik is not in the network %s, in which it is told to find %s; every request is a 504", key, s.Name), fix, site, proxy.NetworksAt.Site("Traefik's networks"))
	case proxy == nil && !external(key) && slices.ContainsFunc(s.Networks, external):
		r.WarnMend(fmt.Sprintf("the network %s belongs to this stack alone, and Traefik is not part of it; unless somebody connects Traefik by hand, every request is a 504", key), fix, site, d.Network(key).At.Site("the network"))
	case proxy == nil && d.Network(key).NameAt.Str() != "" && !d.Network(key).External.True():
		net := d.Network(key)
		r.Warn(fmt.Sprintf("Compose makes the network %s for this stack, and Traefik is not part of it; unless Traefik's stack joins it, every request is a 504", net.NameAt.Str()),
			d.Lines.Outside+", where the network is Traefik's", net.External.Site(""), net.NameAt.Site("its name"), site)
	}
}

var composeNetworkShared = Rule{
	ID: "compose-network-shared", Severity: finding.Error,
	Summary:     "two services that talk to each other share a network",
	Why:         "\"Name or service not known\", \"could not translate host name\", \"no such host\": Docker resolves the names of services only inside a common network.",
	Fix:         "Put both on one network.",
	Source:      "Compose specification, networks",
	ComposeOnly: "all pods of a cluster are in one network, and kubernetes-policy-allows looks at who is kept apart in it",
	Check: func(d *deployment.Deployment, r *Reporter) {
		var apart []deployment.Talk
		for _, t := range d.Talks() {
			if !t.From.Shares(t.To) && !d.Adrift(t.From) && !d.Adrift(t.To) {
				apart = append(apart, t)
			}
		}
		for len(apart) > 0 {
			s := mostApart(apart)
			var theirs []deployment.Talk
			apart = slices.DeleteFunc(apart, func(t deployment.Talk) bool {
				mine := t.From == s || t.To == s
				if mine {
					theirs = append(theirs, t)
				}
				return mine
			})
			apartFrom(r, s, theirs)
		}
		tellHoused(r, d)
	},
}

// onTheHost reports whether a service is on the network of the host, and no container.
func onTheHost(s *deployment.Service) bool { return s.NetworkMode.Str() == "host" }

// tellHoused has one finding for each service on the host's network that is called by a name, or calls others by theirs: Docker tells
// names in its own networks alone.
func tellHoused(r *Reporter, d *deployment.Deployment) {
	calls := d.Talks()
	if front := d.Front().Service; front != nil {
		for _, svc := range d.Routes().Services {
			for _, b := range svc.Backends {
				host, _, _ := strings.Cut(b.Address, ":")
				if to := d.Service(b.Container); to != nil && host != "" && slices.Contains(to.Names(), host) {
					calls = append(calls, deployment.Talk{From: front, To: to, Host: host, At: func(note string) source.Site { b.Site.Note = note; return b.Site }})
				}
			}
		}
	}
	var order []*deployment.Service
	of := make(map[*deployment.Service][]deployment.Talk)
	for _, t := range calls {
		s := t.To
		if onTheHost(t.From) {
			s = t.From
		}
		if t.From == t.To || !onTheHost(s) || t.From.MoreNames || t.From.NetworkMode.Set() && !onTheHost(t.From) || t.To.NetworkMode.Set() && !onTheHost(t.To) {
			continue
		}
		if of[s] == nil {
			order = append(order, s)
		}
		of[s] = append(of[s], t)
	}
	for _, s := range order {
		severally(r, of[s], func(t deployment.Talk) []source.Site { return []source.Site{t.At("")} }, func(r *Reporter, ts []deployment.Talk) {
			var names, called, calling, lost []string
			var sites []source.Site
			for _, t := range ts {
				sites, names = append(sites, t.At(t.From.Name+" calls "+t.Host)), append(names, t.Host)
				if t.From == s {
					called = append(called, t.Host)
				} else {
					calling = append(calling, t.From.Name)
				}
			}
			fix := `host.docker.internal, with extra_hosts: ["host.docker.internal:host-gateway"], or a network of the stack in place of that of the host`
			if len(called) > 0 {
				lost = append(lost, s.Name+" does not find "+finding.Sentence(deployment.Unique(called), "and"))
				fix = "127.0.0.1 and a port that is published there, or a network of the stack in place of that of the host"
			}
			if calling = deployment.Unique(calling); len(calling) > 0 {
				do := map[bool]string{true: " does", false: " do"}[len(calling) == 1]
				lost = append(lost, finding.Sentence(calling, "and")+do+" not find "+s.Name)
			}
			r.Warn(fmt.Sprintf("%s is on the network of the host, and Docker tells the names of containers in its own networks alone; unless the host itself knows %s, %s", s.Name, finding.Sentence(deployment.Unique(names), "and"), strings.Join(lost, ", and ")),
				fix, append(sites, s.NetworkMode.Site("on the host's network"))...)
		})
	}
}

// mostApart is the service that is cut off from the most others: its networks are the ones to edit.
func mostApart(apart []deployment.Talk) *deployment.Service {
	partners := make(map[*deployment.Service]map[*deployment.Service]bool)
	for _, t := range apart {
		for _, pair := range [][2]*deployment.Service{{t.From, t.To}, {t.To, t.From}} {
			if partners[pair[0]] == nil {
				partners[pair[0]] = make(map[*deployment.Service]bool)
			}
			partners[pair[0]][pair[1]] = true
		}
	}
	best := apart[0].From
	for _, t := range apart {
		for _, s := range []*deployment.Service{t.From, t.To} {
			if len(partners[s]) > len(partners[best]) {
				best = s
			}
		}
	}
	return best
}

func apartFrom(r *Reporter, s *deployment.Service, talks []deployment.Talk) {
	var names []string
	networks := slices.Clone(s.Networks)
	sites := []source.Site{s.NetworksAt.Site("its networks")}
	for _, t := range talks {
		other := t.To
		if other == s {
			other = t.From
		}
		if slices.Contains(names, other.Name) {
			continue
		}
		names = append(names, other.Name)
		sites = append(sites, t.At(t.From.Name+" talks to "+t.To.Name))
		if len(names) <= 3 {
			sites = append(sites, other.NetworksAt.Site("the networks of "+other.Name))
		}
		if !slices.ContainsFunc(networks, func(n string) bool { return slices.Contains(other.Networks, n) }) && len(other.Networks) > 0 {
			networks = append(networks, other.Networks[0])
		}
	}
	r.Fail(fmt.Sprintf("%s shares no network with %s; they cannot find each other by name", s.Name, finding.Sentence(names, "and")), s.Lines().Networks(networks...), sites...)
}
