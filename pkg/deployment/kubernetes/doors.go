package kubernetes

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// doors reads the Services: the names that they give to the pods that they select.
func (c *cluster) doors() {
	for _, o := range c.objects {
		switch {
		case o.kind == "Service" && o.group == "":
			c.door(o)
		case o.kind == "postgresql" && o.group == "acid.zalan.do":
			c.foreign(o, o.name, "the operator of Zalando makes it for its cluster "+o.name+", whose inside is not read")
		}
	}
}

// foreign is a Service that an operator makes.
func (c *cluster) foreign(o *object, name, why string) {
	c.d.Doors = append(c.d.Doors, &deployment.Door{Name: name, Namespace: o.namespace, Hosts: c.hosts(o, name), At: deployment.LeafOf(o.At("metadata", "name")), Elsewhere: why})
}

// hosts are the names of a Service in the DNS of a cluster.
func (c *cluster) hosts(o *object, name string) []string {
	names := []string{name}
	spaces := []string{o.namespace}
	if o.namespace == "" { // it is applied to whatever kubectl is set to
		spaces = append([]string{"default", "matrix"}, c.namespaces()...)
	}
	for _, space := range spaces {
		if space != "" {
			names = append(names, name+"."+space, name+"."+space+".svc", name+"."+space+".svc.cluster.local", name+"."+space+".svc.cluster.local.")
		}
	}
	return names
}

// namespaces are those that manifests say.
func (c *cluster) namespaces() (names []string) {
	for _, o := range c.objects {
		if o.kind == "Namespace" && !slices.Contains(names, o.name) {
			names = append(names, o.name)
		}
		if o.namespace != "" && !slices.Contains(names, o.namespace) {
			names = append(names, o.namespace)
		}
	}
	return names
}

func (c *cluster) door(o *object) {
	spec := o.At("spec")
	d := &deployment.Door{
		Name: o.name, Namespace: o.namespace, Hosts: c.hosts(o, o.name), At: deployment.LeafOf(o.At("metadata", "name")), ToAt: deployment.LeafOf(spec.At("selector")),
		Direct: spec.At("clusterIP").Str() == "None",
	}
	c.d.Doors = append(c.d.Doors, d)
	switch {
	case spec.At("type").Str() == "ExternalName":
		d.Elsewhere = "it is another name of " + spec.At("externalName").Str()
		return
	case spec.At("selector").Len() == 0:
		d.Elsewhere = "it has no selector, and who sets its endpoints is not seen"
		return
	}
	var behind []*pod
	for _, p := range c.pods {
		if o.in(p.of.namespace) && selects(spec.At("selector"), p.labels) {
			behind = append(behind, p)
		}
	}
	for _, v := range spec.At("ports").Items() {
		d.Ports = append(d.Ports, port(v, behind))
	}
	for _, p := range behind {
		s := meant(p, d.Ports)
		d.To = append(d.To, s)
		published(s, spec)
		a := deployment.Attachment{Network: network, AliasesAt: deployment.LeafOf(o.At("metadata", "name"))}
		add := func(name string) {
			a.Aliases = append(a.Aliases, deployment.Filled(o.At("metadata", "name"), name, true))
		}
		own := c.hosts(o, o.name)
		for _, name := range own {
			add(name)
		}
		if p.of.kind == "StatefulSet" && p.of.At("spec", "serviceName").Str() == o.name {
			for i := range min(s.Copies, 10) {
				for _, name := range own {
					single := fmt.Sprintf("%s-%d.%s", p.of.name, i, name)
					add(single)
					d.Hosts = append(d.Hosts, single)
				}
			}
		}
		s.Attachments = append(s.Attachments, a)
	}
}

// published are the ports of a container under which others reach it from outside of the cluster: those of a load balancer, or of every node.
func published(s *deployment.Service, spec source.Value) {
	key := map[string]string{"LoadBalancer": "port", "NodePort": "nodePort"}[spec.At("type").Str()]
	if key == "" {
		return
	}
	for _, v := range spec.At("ports").Items() {
		outer, err := strconv.Atoi(v.At(key).Str())
		inner, err2 := strconv.Atoi(cmp.Or(v.At("targetPort").Str(), v.At("port").Str()))
		if err != nil || err2 != nil {
			continue // one that the cluster chooses, or that has a name
		}
		protocol := strings.ToLower(cmp.Or(v.At("protocol").Str(), "tcp"))
		s.Ports = append(s.Ports, deployment.Port{First: outer, Last: outer, Inner: inner, Protocol: protocol, At: deployment.LeafOf(v.At("port"))})
		s.Spans = append(s.Spans, deployment.PortSpan{First: outer, Last: outer, To: inner, Protocol: protocol})
	}
}

// selects reports whether the labels have all that a selector asks for.
func selects(selector, labels source.Value) bool {
	for key, v := range selector.Entries() {
		if at := labels.At(key.Str()); !at.Exists() || at.Str() != v.Str() {
			return false
		}
	}
	return selector.Len() > 0
}

// port is one of a Service, and where it leads.
func port(v source.Value, behind []*pod) deployment.DoorPort {
	p := deployment.DoorPort{Port: v.At("port").Str(), Called: v.At("name").Str(), At: deployment.LeafOf(v.At("targetPort"))}
	target := cmp.Or(v.At("targetPort").Str(), p.Port)
	if !v.At("targetPort").Set() {
		p.At = deployment.LeafOf(v.At("port"))
	}
	if isNumber(target) {
		p.Inner = target
		return p
	}
	p.Named = target
	for _, pod := range behind {
		for _, k := range pod.containers {
			if number := k.ports[target]; number != "" {
				p.Inner = number
				return p
			}
		}
	}
	return p
}

func isNumber(text string) bool {
	return text != "" && !slices.ContainsFunc([]rune(text), func(r rune) bool { return r < '0' || r > '9' })
}

// meant is the container of a pod that the ports of a Service lead to: one that lists such a port, rather one whose program is known and
// that starts as its image has it; or else the first.
func meant(p *pod, ports []deployment.DoorPort) *deployment.Service {
	var best *container
	for _, k := range p.containers {
		lists := slices.ContainsFunc(ports, func(o deployment.DoorPort) bool { return o.Inner != "" && slices.Contains(k.open, o.Inner) })
		if lists && (best == nil || best.Program == component.Unknown && k.Program != component.Unknown) {
			best = k
		}
	}
	if best == nil {
		best = p.containers[0]
	}
	for _, k := range p.containers { // what a shell starts beside the program, with its image and its ports, is not the program
		if best.shell() && k.Program == best.Program && !k.shell() {
			best = k
		}
	}
	return best.Service
}

// shell reports whether a container starts a script that stands in its command.
func (k *container) shell() bool {
	words := k.at.At("command").Items()
	return len(words) > 1 && words[1].Str() == "-c"
}
