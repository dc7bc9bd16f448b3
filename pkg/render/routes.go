package render

import (
	"fmt"
	"regexp"
	"strings"
)

// Router is one Traefik router of the stack.
type Router struct {
	Name, Rule, Service, Entrypoint, CertResolver string
	Priority                                      int
}

// router names a router and its service after the stack, because all containers of a host share Traefik's
// names. The MAS router is called after its service, which its middlewares are too.
func router(st *Stack, name, service, rule string, priority int) Router {
	return Router{
		Name: st.Name + "-" + name, Service: st.Name + "-" + service, Rule: rule, Priority: priority,
		Entrypoint: st.Traefik.Entrypoint, CertResolver: st.Traefik.CertResolver,
	}
}

func host(name string) string { return "Host(`" + name + "`)" }

// SynapseRule matches what Synapse serves on the Matrix host. /_synapse/admin and /_synapse/mas stay inside.
func (st *Stack) SynapseRule() string {
	return host(st.MatrixHost) + " && (PathPrefix(`/_matrix/`) || PathPrefix(`/_synapse/client/`))"
}

// ApexRule matches the Matrix API on the server name's own host, where Element X asks first and where
// Synapse's own well-known file sends other servers.
func (st *Stack) ApexRule() string { return host(st.ServerName) + " && PathPrefix(`/_matrix/`)" }

// WellKnownRule matches the two discovery files and leaves the rest of the host to its site.
func (st *Stack) WellKnownRule() string {
	return host(st.ServerName) + " && (Path(`/.well-known/matrix/client`) || Path(`/.well-known/matrix/server`))"
}

// MASRule matches MAS's pages. The bare path needs a match of its own, and a prefix without the slash would
// also match /authentication.
func (st *Stack) MASRule() string {
	if st.MAS.Path == "" {
		return host(st.MAS.Host)
	}
	return fmt.Sprintf("%s && (Path(`%s`) || PathPrefix(`%s/`))", host(st.MAS.Host), st.MAS.Path, st.MAS.Path)
}

// MASBareRegex matches the full URL of the bare path, which MAS itself answers with 404.
func (st *Stack) MASBareRegex() string {
	return "^https?://[^/]+" + regexp.QuoteMeta(st.MAS.Path) + `(\?.*)?$`
}

// ElementRule matches all of the host that Element Web has for itself.
func (st *Stack) ElementRule() string { return host(st.Element.Host) }

// CompatRule matches login, logout and refresh of the old client API on every host that serves /_matrix,
// and nothing else: the expression in MAS's documentation also takes account data and state events of
// these names away from Synapse.
func (st *Stack) CompatRule() string {
	hosts := []string{host(st.MatrixHost)}
	if st.Apex {
		hosts = append(hosts, host(st.ServerName))
	}
	return "(" + strings.Join(hosts, " || ") + ") && PathRegexp(`^/_matrix/client/[^/]+/(login|logout|refresh)(/.*)?$`)"
}
