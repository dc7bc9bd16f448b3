package diff

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
)

// opened are the ports of the host that others reach without the proxy, each with its service.
func opened(d *deployment.Deployment) (ports []string) {
	for _, s := range d.Services {
		if optional(s) {
			continue
		}
		for _, p := range s.Ports {
			if deployment.Loopback(p.IP) {
				continue
			}
			port := fmt.Sprintf("%d/%s (%s)", p.First, p.Protocol, s.Name)
			if p.Last > p.First {
				port = fmt.Sprintf("%d-%d/%s (%s)", p.First, p.Last, p.Protocol, s.Name)
			}
			if !slices.Contains(ports, port) {
				ports = append(ports, port)
			}
		}
	}
	return ports
}

// relayHosts are the hosts of the relay for calls.
func relayHosts(d *deployment.Deployment) (names []string) {
	if len(d.TurnServers()) == 0 {
		return nil
	}
	for _, s := range d.Synapses {
		for _, u := range s.TurnURIs() {
			if !slices.Contains(names, u.Host) {
				names = append(names, u.Host)
			}
		}
	}
	return names
}

// openings says which ports the firewall lets through, and which it need not any more.
func (c *comparison) openings(p *plan) {
	if names := added(relayHosts(c.old.deployment), relayHosts(c.new.deployment)); len(names) > 0 {
		p.first("let the DNS names of ", strings.Join(names, ", "), " lead to this host itself: a relay for calls is behind no proxy")
	}
	old, now := opened(c.old.deployment), opened(c.new.deployment)
	if managed(c.old.deployment) && !managed(c.new.deployment) { // the proxy that comes after it has the same ones
		own := c.old.deployment.Front().Service.Name
		old = slices.DeleteFunc(old, func(port string) bool { return strings.HasSuffix(port, " ("+own+")") })
	}
	if ports := added(old, now); len(ports) > 0 && c.new.cluster() {
		p.first("see that these ports reach the stack from outside under the same numbers, by an address of the cluster's load balancer and through every firewall: ", strings.Join(ports, ", "))
	} else if len(ports) > 0 {
		p.first("let these ports through the firewall, and through a router in front of this host, under the same numbers: ", strings.Join(ports, ", "))
	}
	if ports := added(now, old); len(ports) > 0 {
		p.then("close these ports in the firewall, nothing here listens on them any more: ", strings.Join(ports, ", "))
	}
}
