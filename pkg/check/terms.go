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
	return routesFix(d, []string{host}, s, paths...)
}

// routesFix is routeFix for several hosts, which one router answers for.
func routesFix(d *deployment.Deployment, hosts []string, s *deployment.Service, paths ...string) string {
	var parts []string
	switch d.Front().Name {
	case "Caddy":
		for _, p := range paths {
			if strings.HasSuffix(p, "/") {
				p += "*"
			}
			parts = append(parts, p)
		}
		return fmt.Sprintf("%s { @%s path %s, and reverse_proxy @%s %s }", strings.Join(hosts, ", "), s.Name, strings.Join(parts, " "), s.Name, address(d, s))
	case "HAProxy":
		var whole []string
		for _, p := range paths {
			if strings.HasSuffix(p, "/") {
				parts = append(parts, p)
			} else {
				whole = append(whole, p)
			}
		}
		var acls []string
		if len(parts) > 0 {
			acls = append(acls, fmt.Sprintf("acl %s path_beg %s", s.Name, strings.Join(parts, " ")))
		}
		if len(whole) > 0 {
			acls = append(acls, fmt.Sprintf("acl %s path %s", s.Name, strings.Join(whole, " ")))
		}
		return fmt.Sprintf("%s, and use_backend … if %s { hdr(host) -i %s }, with the server %s", strings.Join(acls, ", "), s.Name, strings.Join(hosts, " "), address(d, s))
	case deployment.Ingress, deployment.Gateway:
		for _, p := range paths {
			kind := "Exact"
			if strings.HasSuffix(p, "/") {
				kind, p = "Prefix", cmp.Or(strings.TrimRight(p, "/"), "/")
			}
			parts = append(parts, kind+" "+p)
		}
		return fmt.Sprintf("host %s, %s to %s", strings.Join(hosts, " and "), strings.Join(parts, " and "), clusterAddress(d, s))
	case "nginx":
		for _, p := range paths {
			mark := ""
			if !strings.HasSuffix(p, "/") {
				mark = "= "
			}
			parts = append(parts, fmt.Sprintf("location %s%s { proxy_pass http://%s; }", mark, p, address(d, s)))
		}
		return "server_name " + strings.Join(hosts, " ") + "; " + strings.Join(parts, " ")
	}
	for _, p := range paths {
		if strings.HasSuffix(p, "/") {
			parts = append(parts, "PathPrefix(`"+p+"`)")
		} else {
			parts = append(parts, "Path(`"+p+"`)")
		}
	}
	var names []string
	for _, h := range hosts {
		names = append(names, "Host(`"+h+"`)")
	}
	return "rule: " + oneOf(names) + " && " + oneOf(parts)
}

// stripFix takes the path before what a service knows off a request, as the proxy in front writes it.
func stripFix(d *deployment.Deployment, s *deployment.Service, prefix string) string {
	switch d.Front().Name {
	case "Traefik":
		return "a stripprefix of " + prefix + " on the router"
	case "Caddy":
		return fmt.Sprintf("handle_path %s/* { reverse_proxy %s }", prefix, address(d, s))
	case "nginx":
		return fmt.Sprintf("location %s/ { proxy_pass http://%s/; }", prefix, address(d, s))
	}
	return prefix + " is to be taken off the path"
}

// oneOf is one matcher of Traefik out of several, of which one has to hold.
func oneOf(matchers []string) string {
	if len(matchers) == 1 {
		return matchers[0]
	}
	return "(" + strings.Join(matchers, " || ") + ")"
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
	port, name := mainPort(ls), s.Name
	if onTheHost(s) {
		name = "127.0.0.1"
	}
	if port == "…" {
		return name
	}
	return name + ":" + port
}
