package deployment

import (
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Policy is a NetworkPolicy of Kubernetes: it limits who reaches the services Of, where In is set, and whom they reach, where Out is, to
// what it allows. Several of one service allow together what each does.
type Policy struct {
	Name    string
	At      Leaf
	Of      []*Service
	In, Out bool
	Allows  []Allowance
}

// Allowance is one rule of a Policy.
type Allowance struct {
	Out   bool // whom they reach, and not who reaches them
	Peers []*Service
	// Outside says that some are let through who are none of the deployment, Internet that all addresses are, or all but a few.
	Outside, Internet bool
	Ports             []PolicyPort // none for every port
	At                Leaf
}

// PolicyPort is a run of ports of one protocol (TCP, UDP or SCTP).
type PolicyPort struct {
	Protocol    string
	First, Last int
}

// Takes reports whether the rule is about a port of TCP. What is no number is taken.
func (a Allowance) Takes(port string) bool { return a.takes("TCP", port) }

func (a Allowance) takes(protocol, port string) bool {
	n, err := strconv.Atoi(port)
	return len(a.Ports) == 0 || slices.ContainsFunc(a.Ports, func(p PolicyPort) bool {
		return p.Protocol == protocol && (err != nil || p.First <= n && n <= p.Last)
	})
}

// Limits are the policies that say who reaches a service, or whom it reaches, those first that let anybody. A pod in the network of its node
// has none.
func (d *Deployment) Limits(s *Service, out bool) (list []*Policy) {
	if s.NetworkMode.Set() {
		return nil
	}
	for _, p := range d.Policies {
		if (out && p.Out || !out && p.In) && slices.Contains(p.Of, s) {
			list = append(list, p)
		}
	}
	slices.SortStableFunc(list, func(a, b *Policy) int { return min(len(b.Allows), 1) - min(len(a.Allows), 1) })
	return list
}

// Barred are the policies that keep one service from a port of the container of another; none where it is let through.
func (d *Deployment) Barred(from, to *Service, port string) []*Policy {
	if from.NetworkMode.Set() || to.NetworkMode.Set() || from.Paired && to.Paired {
		return nil
	}
	for _, side := range []struct {
		of, peer *Service
		out      bool
	}{{to, from, false}, {from, to, true}} {
		limits := d.Limits(side.of, side.out)
		if len(limits) > 0 && !allowed(limits, side.out, func(a Allowance) bool { return slices.Contains(a.Peers, side.peer) && a.Takes(port) }) {
			return limits
		}
	}
	return nil
}

// Unanswered are the policies that let nobody from outside of the deployment reach a port of a service; none where one does.
func (d *Deployment) Unanswered(s *Service, port string) []*Policy {
	return d.UnansweredBy(s, "TCP", port)
}

// UnansweredBy is Unanswered for another protocol.
func (d *Deployment) UnansweredBy(s *Service, protocol, port string) []*Policy {
	limits := d.Limits(s, false)
	if allowed(limits, false, func(a Allowance) bool { return a.Outside && a.takes(protocol, port) }) {
		return nil
	}
	return limits
}

// Nameless are the policies that keep a service from asking for names; none where one lets it.
func (d *Deployment) Nameless(s *Service) []*Policy {
	limits := d.Limits(s, true)
	if allowed(limits, true, func(a Allowance) bool { return (a.Outside || a.Internet) && a.takes("UDP", "53") }) {
		return nil
	}
	return limits
}

func allowed(limits []*Policy, out bool, by func(Allowance) bool) bool {
	return slices.ContainsFunc(limits, func(p *Policy) bool {
		return slices.ContainsFunc(p.Allows, func(a Allowance) bool { return a.Out == out && by(a) })
	})
}

// shutByPolicy is the policy by which a service reaches nobody on the internet; not set where one lets it.
func (d *Deployment) shutByPolicy(s *Service) (at Leaf) {
	limits := d.Limits(s, true)
	if len(limits) == 0 || allowed(limits, true, func(a Allowance) bool { return a.Internet && a.Takes("443") }) {
		return Leaf{}
	}
	return limits[0].At
}

// Hops are the talks with what else programs of the stack ask each other for: what a proxy inside of it leads to, what workers ask as the
// main process does, and by what calls are told.
func (d *Deployment) Hops() []Talk {
	ts := d.Talks()
	say := func(from *Service, host, port string, at func(string) source.Site) {
		if to := d.ServiceAt(host); to != nil && to != from {
			ts = append(ts, Talk{From: from, To: to, Host: host, Port: port, At: at})
		}
	}
	for _, f := range d.fronts() {
		if f.Service == nil || f.Service == d.Front().Service {
			continue
		}
		for _, svc := range f.table.Services {
			for _, b := range svc.Backends {
				if to := d.Service(b.Container); to != nil && to != f.Service {
					host, port, _ := strings.Cut(b.Address, ":")
					if d.Door(host) == nil {
						host, port = "", b.Port
					}
					ts = append(ts, Talk{From: f.Service, To: to, Host: host, Port: port, At: func(note string) source.Site {
						b.Site.Note = note
						return b.Site
					}})
				}
			}
		}
	}
	address := func(from *Service, v source.Value) {
		if u, port, ok := Endpoint(v.Str()); ok {
			say(from, u.Hostname(), port, v.Site)
		}
	}
	for _, l := range d.LiveKits {
		for _, v := range l.Config.At("webhook", "urls").Items() {
			address(l.Service, v)
		}
	}
	for _, s := range d.Services {
		if s.Program != component.LkJwt {
			continue
		}
		told, at := s.Env("LIVEKIT_CS_API_URL_OVERRIDES") // SERVER=URL,SERVER=URL
		for one := range strings.SplitSeq(told, ",") {
			_, to, _ := strings.Cut(one, "=")
			if u, port, ok := Endpoint(to); ok {
				say(s, u.Hostname(), port, at.Site)
			}
		}
	}
	for _, s := range d.Synapses {
		for _, reg := range s.Registrations {
			address(s.Service, reg.At("io.element.msc4512.proxy_url"))
		}
	}
	// Whatever the main process asks for, its workers do: the database, MAS, the appservices.
	for _, t := range slices.Clone(ts) {
		for _, w := range d.Workers {
			if w.Main == t.From && w.Service != t.To && !w.Misstarted() {
				ts = append(ts, Talk{From: w.Service, To: t.To, Host: t.Host, Port: t.Port, At: t.At})
			}
		}
	}
	return ts
}
