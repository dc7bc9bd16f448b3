package kubernetes

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// unreadPolicies are the kinds by which plugins limit pods in ways of their own.
var unreadPolicies = []string{"CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy", "GlobalNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "AuthorizationPolicy"}

// policies reads the NetworkPolicies: whom each selects, and what it allows.
func (c *cluster) policies() {
	for _, o := range c.objects {
		switch {
		case slices.Contains(unreadPolicies, o.kind), o.kind == "NetworkPolicy" && o.group != "networking.k8s.io":
			c.unread = append(c.unread, o.At("metadata", "name").Site("the "+o.kind+" "+o.name+" is not read"))
		case o.kind == "NetworkPolicy":
			c.policy(o)
		}
	}
}

func (c *cluster) policy(o *object) {
	spec := o.At("spec")
	types := deployment.ItemTexts(spec.At("policyTypes"))
	p := &deployment.Policy{Name: o.name, At: deployment.LeafOf(o.At("metadata", "name"))}
	p.In = len(types) == 0 || slices.Contains(types, "Ingress")
	p.Out = len(types) == 0 && spec.At("egress").Len() > 0 || slices.Contains(types, "Egress")
	var of []*pod
	for _, pod := range c.pods {
		if o.in(pod.of.namespace) && matches(spec.At("podSelector"), pod.labels) != no {
			of = append(of, pod)
			p.Of = append(p.Of, services(pod)...)
		}
	}
	for _, side := range []struct {
		key, peers string
		out        bool
	}{{"ingress", "from", false}, {"egress", "to", true}} {
		for _, rule := range spec.At(side.key).Items() {
			a := deployment.Allowance{Out: side.out, At: deployment.LeafOf(rule)}
			targets := of
			if all := rule.At(side.peers).Items(); len(all) == 0 {
				a.Outside, a.Internet, targets = true, true, c.pods
			} else if side.out {
				targets = nil
			}
			for _, peer := range rule.At(side.peers).Items() {
				pods := c.peer(o, peer, &a)
				for _, pod := range pods {
					a.Peers = append(a.Peers, services(pod)...)
				}
				if side.out {
					targets = append(targets, pods...)
				}
			}
			if len(rule.At(side.peers).Items()) == 0 {
				for _, pod := range c.pods {
					a.Peers = append(a.Peers, services(pod)...)
				}
			}
			for _, port := range rule.At("ports").Items() {
				a.Ports = append(a.Ports, ports(port, targets)...)
			}
			p.Allows = append(p.Allows, a)
		}
	}
	c.d.Policies = append(c.d.Policies, p)
}

func services(p *pod) (list []*deployment.Service) {
	for _, k := range p.containers {
		list = append(list, k.Service)
	}
	return list
}

// peer gives the pods that an item of from or to means, and says whether others are meant besides.
func (c *cluster) peer(o *object, peer source.Value, a *deployment.Allowance) (list []*pod) {
	if block := peer.At("ipBlock"); block.Exists() {
		if p, err := netip.ParsePrefix(block.At("cidr").Str()); err == nil {
			a.Outside = true
			a.Internet = a.Internet || p.Bits() == 0 || !p.Addr().IsPrivate() && !p.Addr().IsLoopback() && p.Bits() < 8
			if p.Bits() == 0 { // with what it excepts, of which nobody here knows what runs there
				return c.pods
			}
		}
		return nil
	}
	spaces, pods := peer.At("namespaceSelector"), peer.At("podSelector")
	if spaces.Exists() {
		a.Outside = true
	}
	for _, p := range c.pods {
		if !spaces.Exists() && !o.in(p.of.namespace) {
			continue
		}
		if spaces.Exists() && c.inSpace(spaces, p.of.namespace) == no {
			continue
		}
		if matches(pods, p.labels) != no {
			list = append(list, p)
		}
	}
	if len(list) == 0 { // such as a proxy or an operator in the same namespace
		a.Outside = true
	}
	return list
}

// inSpace reports whether a selector means a namespace: by the labels that its own object has, and the one that each has of its name.
func (c *cluster) inSpace(selector source.Value, name string) truth {
	var own *source.Value
	for _, o := range c.objects {
		if o.kind == "Namespace" && o.name == name {
			at := o.At("metadata", "labels")
			own = &at
		}
	}
	result := yes
	each(selector, func(key, op string, values []string) {
		const named = "kubernetes.io/metadata.name"
		switch {
		case key == named && name != "":
			result = min(result, told(op, values, name, true))
		case own == nil || name == "":
			result = min(result, maybe)
		default:
			v := own.At(key)
			result = min(result, told(op, values, v.Str(), v.Exists()))
		}
	})
	return result
}

// truth is what a selector says of an object; maybe where that cannot be seen.
type truth int

const (
	no truth = iota
	maybe
	yes
)

// matches reports whether a selector means labels; an empty one means all.
func matches(selector, labels source.Value) truth {
	result := yes
	each(selector, func(key, op string, values []string) {
		v := labels.At(key)
		result = min(result, told(op, values, v.Str(), v.Exists()))
	})
	return result
}

// each calls f for what a selector asks for, matchLabels as matchExpressions.
func each(selector source.Value, f func(key, op string, values []string)) {
	for key, v := range selector.At("matchLabels").Entries() {
		f(key.Str(), "In", []string{v.Str()})
	}
	for _, e := range selector.At("matchExpressions").Items() {
		f(e.At("key").Str(), e.At("operator").Str(), deployment.ItemTexts(e.At("values")))
	}
}

func told(op string, values []string, text string, there bool) truth {
	is := false
	switch op {
	case "In":
		is = there && slices.Contains(values, text)
	case "NotIn":
		is = !there || !slices.Contains(values, text)
	case "Exists":
		is = there
	case "DoesNotExist":
		is = !there
	default:
		return maybe
	}
	if is {
		return yes
	}
	return no
}

// ports are those of a rule: numbers, or the names that ports of the pods have.
func ports(v source.Value, pods []*pod) (list []deployment.PolicyPort) {
	protocol := cmp.Or(strings.ToUpper(v.At("protocol").Str()), "TCP")
	at := v.At("port")
	if !at.Set() {
		return []deployment.PolicyPort{{Protocol: protocol, First: 0, Last: 65535}}
	}
	if n, err := strconv.Atoi(at.Str()); err == nil {
		last, err := strconv.Atoi(v.At("endPort").Str())
		if err != nil {
			last = n
		}
		return []deployment.PolicyPort{{Protocol: protocol, First: n, Last: last}}
	}
	for _, p := range pods {
		for _, k := range p.containers {
			if n, err := strconv.Atoi(k.ports[at.Str()]); err == nil {
				list = append(list, deployment.PolicyPort{Protocol: protocol, First: n, Last: n})
			}
		}
	}
	if len(list) == 0 { // a name that no pod has: it allows nothing
		list = append(list, deployment.PolicyPort{Protocol: protocol, First: -1, Last: -1})
	}
	return list
}
