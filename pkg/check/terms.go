package check

import (
	"cmp"
	"fmt"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
)

// compatFix is what sends logins of older clients to MAS, in the words of the proxy.
func compatFix(d *deployment.Deployment, m *deployment.MAS) string {
	const expression = "^/_matrix/client/[^/]+/(login|logout|refresh)(/.*)?$"
	switch d.Front().Name {
	case "Caddy":
		return "@compat path_regexp " + expression + ", and handle @compat { reverse_proxy " + address(d, m.Service) + " } before the block for Synapse"
	case deployment.Ingress, deployment.Gateway:
		return "prefixes /_matrix/client/{r0,v3,unstable}/{login,logout,refresh} of this host, which are longer than /_matrix, to " + clusterAddress(d, m.Service)
	case "nginx":
		return "location ~ " + expression + " { proxy_pass http://" + address(d, m.Service) + "; }, and no ^~ at a prefix of it"
	}
	return "PathRegexp(`" + expression + "`) for this host, with a priority above Synapse's router"
}

// routeFix is what sends paths of a host to a service, in the words of the proxy. A path that ends in a slash stands
// for all below it.
func routeFix(d *deployment.Deployment, host string, s *deployment.Service, paths ...string) string {
	var parts []string
	switch d.Front().Name {
	case "Caddy":
		for _, p := range paths {
			if strings.HasSuffix(p, "/") {
				p += "*"
			}
			parts = append(parts, p)
		}
		return fmt.Sprintf("%s { @%s path %s, and reverse_proxy @%s %s }", host, s.Name, strings.Join(parts, " "), s.Name, address(d, s))
	case deployment.Ingress, deployment.Gateway:
		for _, p := range paths {
			kind := "Exact"
			if strings.HasSuffix(p, "/") {
				kind, p = "Prefix", cmp.Or(strings.TrimRight(p, "/"), "/")
			}
			parts = append(parts, kind+" "+p)
		}
		return fmt.Sprintf("host %s, %s to %s", host, strings.Join(parts, " and "), clusterAddress(d, s))
	case "nginx":
		for _, p := range paths {
			mark := ""
			if !strings.HasSuffix(p, "/") {
				mark = "= "
			}
			parts = append(parts, fmt.Sprintf("location %s%s { proxy_pass http://%s; }", mark, p, address(d, s)))
		}
		return "server_name " + host + "; " + strings.Join(parts, " ")
	}
	for _, p := range paths {
		if strings.HasSuffix(p, "/") {
			parts = append(parts, "PathPrefix(`"+p+"`)")
		} else {
			parts = append(parts, "Path(`"+p+"`)")
		}
	}
	rule := strings.Join(parts, " || ")
	if len(parts) > 1 {
		rule = "(" + rule + ")"
	}
	return fmt.Sprintf("rule: Host(`%s`) && %s", host, rule)
}

// clusterAddress is the Service of a service, and its port.
func clusterAddress(d *deployment.Deployment, s *deployment.Service) string {
	ls, _ := d.Listeners(s)
	port := mainPort(ls)
	if port == "…" {
		return s.Host()
	}
	return s.Host() + ":" + s.Outer(port)
}

// address is where a proxy in the stack reaches a service.
func address(d *deployment.Deployment, s *deployment.Service) string {
	ls, _ := d.Listeners(s)
	port := mainPort(ls)
	if port == "…" {
		return s.Name
	}
	return s.Name + ":" + port
}
