package adopt

import (
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// names reads what the stack is called, and by whom it is run.
func (r *reader) names() {
	r.spec.Version = 1
	r.spec.Name = r.d.Project
	r.spec.ServerName = r.syn.Server.Str()
	r.spec.Hosts.Matrix = r.matrixHost()
	r.spec.Owner = r.owner()
	if r.small() {
		r.spec.Profile = "small"
	}
	r.spec.Metrics = r.d.Chosen.Managed && r.syn.Config.At("enable_metrics").True() && r.d.Network("metrics").Internal.True()
}

// matrixHost is where clients ask for Synapse: where public_baseurl does not say it, the one host that the proxy leads to it.
func (r *reader) matrixHost() string {
	host, table := r.syn.MatrixHost(), r.d.Routes()
	leads := func(host string) bool {
		to := table.Match("GET", host, "/_matrix/client/versions").Backend
		return to != nil && r.homeserver(to.Container)
	}
	if r.syn.Config.At("public_baseurl").Set() || leads(host) {
		return host
	}
	var found []string
	for _, router := range table.Routers {
		for _, h := range router.Hosts() {
			if !slices.Contains(found, h) && leads(h) {
				found = append(found, h)
			}
		}
	}
	if len(found) == 1 {
		return found[0]
	}
	return host
}

// component reads what every program has. p is what it is to the spec.
func (r *reader) component(s *deployment.Service, p component.Program) spec.Component {
	tested := component.Of(p).Tested
	c := spec.Component{Version: s.Image.Tag, Service: s.Name, ContainerName: s.ContainerName.Str()}
	if s.Image.Digest != "" {
		c.Version += "@" + s.Image.Digest
	}
	if s.Image.Repository != tested.Repository {
		c.Image = s.Image.Repository
	}
	r.runs(&c, s, p)
	c.Limits = r.limits(r.raw(s))
	return c
}

// limits reads what a container may use.
func (r *reader) limits(raw source.Value) (l spec.Limits) {
	l.Memory = strings.ToUpper(raw.At("mem_limit").Str())
	l.CPUs = raw.At("cpus").Str()
	if l.Memory == "" {
		l.Memory = strings.ToUpper(raw.At("deploy", "resources", "limits", "memory").Str())
	}
	if l.CPUs == "" {
		l.CPUs = raw.At("deploy", "resources", "limits", "cpus").Str()
	}
	return l
}

// raw is a service as Compose reads it.
func (r *reader) raw(s *deployment.Service) source.Value {
	if p := compose.Of(r.d); p != nil && p.File != nil {
		return p.File.At("services", s.Name)
	}
	return source.Value{}
}

// small reports whether the stack is held down as one is for a small machine, in all that the word stands for.
func (r *reader) small() bool {
	c, pool := r.syn.Config, strconv.Itoa(render.SmallPool)
	held := deployment.IsFalse(c.At("presence", "enabled")) && c.At("caches", "global_factor").Str() == render.SmallCaches && c.At("database", "args", "cp_max").Str() == pool
	return held && (r.mas == nil || r.mas.Config.At("database", "max_connections").Str() == pool)
}
