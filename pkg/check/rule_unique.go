package check

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

// published is a port of the host that a service takes, or a range of them.
type published struct {
	service     *Service
	ip          string // empty for all addresses
	first, last int
	protocol    string
	value       source.Value
}

// published reads the ports of a service that have a fixed number on the host.
func (s *Service) published() []published {
	var ps []published
	for _, v := range s.Value.At("ports").Items() {
		p := published{service: s, protocol: "tcp", value: v}
		host := ""
		if v.Kind() == source.Mapping {
			host, _ = s.d.expand(v.At("published"))
			p.ip, _ = s.d.expand(v.At("host_ip"))
			if proto := v.At("protocol").Str(); proto != "" {
				p.protocol = proto
			}
		} else {
			text, ok := s.d.expand(v)
			if !ok {
				continue
			}
			text, proto, found := strings.Cut(text, "/")
			if found {
				p.protocol = proto
			}
			host = text
			if i := strings.LastIndexByte(text, ':'); i >= 0 {
				host = text[:i]
			} else {
				continue // without a port of the host Docker takes a free one
			}
			if i := strings.LastIndexByte(host, ':'); i >= 0 {
				p.ip, host = strings.Trim(host[:i], "[]"), host[i+1:]
			}
		}
		from, to, isRange := strings.Cut(host, "-")
		if !isRange {
			to = from
		}
		var err, errTo error
		p.first, err = strconv.Atoi(from)
		p.last, errTo = strconv.Atoi(to)
		if err == nil && errTo == nil {
			ps = append(ps, p)
		}
	}
	return ps
}

// clashes reports whether two ports cannot be taken at the same time.
func (p published) clashes(o published) bool {
	return p.protocol == o.protocol && p.first <= o.last && o.first <= p.last && (everywhere(p.ip) || everywhere(o.ip) || p.ip == o.ip)
}

func everywhere(ip string) bool {
	a, err := netip.ParseAddr(ip)
	return err != nil || a.IsUnspecified()
}

var composeUnique = Rule{
	ID: "compose-unique", Severity: finding.Error,
	Summary: "no two services take the same port of the host or the same container name, and no label stands twice",
	Why:     "\"Bind for 0.0.0.0:8008 failed: port is already allocated\", \"container name … is already in use\": one of the two does not start. Of a label that stands twice Compose keeps the last.",
	Fix:     "Give one of them another port or name.",
	Source:  "docker compose; compose-go v2 does not look at ports",
	Check: func(d *Deployment, r *Reporter) {
		var ports []published
		names := make(map[string]source.Value)
		for _, s := range d.Services {
			for _, p := range s.published() {
				i := slices.IndexFunc(ports, p.clashes)
				if i >= 0 {
					d.clash(r, s, ports[i].service, fmt.Sprintf("%s and %s take the same port %d of the host", ports[i].service.Name, s.Name, max(p.first, ports[i].first)), "another port before the colon", p.value, ports[i].value)
				}
				ports = append(ports, p)
			}
			v := s.Value.At("container_name")
			name, ok := d.expand(v)
			if !v.Set() || !ok {
				continue
			}
			if other, taken := names[name]; taken {
				d.clash(r, s, d.serviceOf(other), fmt.Sprintf("two services are called %s as containers", name), "container_name: another name, or no such line", v, other)
			}
			names[name] = v
		}
		for _, s := range d.Services {
			doubleLabels(r, *d.container(s))
		}
	},
}

// clash reports two services that cannot run together; those behind a profile may never do so.
func (d *Deployment) clash(r *Reporter, s, o *Service, fact, fix string, v, other source.Value) {
	sites := []source.Site{v.Site(s.Name), other.Site(o.Name)}
	if s.Value.At("profiles").Len()+o.Value.At("profiles").Len() > 0 {
		r.Warn(fact+"; when both run, the second does not start", fix, sites...)
	} else {
		r.Fail(fact+"; the second does not start", fix, sites...)
	}
}

// serviceOf is the service in whose section a value stands.
func (d *Deployment) serviceOf(v source.Value) *Service {
	keys := v.Keys()
	i := slices.IndexFunc(d.Services, func(s *Service) bool { return len(keys) > 1 && s.Name == keys[1] })
	return d.Services[max(i, 0)]
}

func doubleLabels(r *Reporter, c traefik.Container) {
	first := make(map[string]traefik.Label)
	for _, l := range c.Labels {
		if before, ok := first[l.Key]; ok && before.Value != l.Value {
			r.Warn(fmt.Sprintf("the label %s of %s stands twice; Compose keeps the last", l.Key, c.Name), "remove one of them", before.Site, l.Site)
		}
		first[l.Key] = l
	}
}

var composeImagePinned = Rule{
	ID: "compose-image-pinned", Severity: finding.Warning,
	Summary: "every image has a tag, and not latest",
	Why:     "`docker compose pull` brings whatever is new that day: a PostgreSQL that refuses the data of the old one, a Telegram bridge that does not read its configuration, a Synapse that cannot go back.",
	Fix:     "Write the tag of a release.",
	Source:  "mautrix docs, Docker setup: latest is the newest commit; docker-library/postgres",
	Check: func(d *Deployment, r *Reporter) {
		for _, s := range d.Services {
			v := s.Value.At("image")
			if _, ok := d.expand(v); !ok || !v.Set() || s.Value.At("build").Set() || s.Image.Digest != "" {
				continue
			}
			fact := "the image of " + s.Name + " has no tag"
			switch s.Image.Tag {
			case "":
			case "latest":
				fact = "the image of " + s.Name + " is whatever is latest"
			default:
				continue
			}
			fix, consequence := "image: "+s.Image.Repository+":…", "an update comes unasked"
			if tested, ok := image.Tested[s.Program]; ok && s.Program != image.Postgres { // whose data is of one major version
				tested.Repository = s.Image.Repository
				fix = "image: " + tested.String()
				consequence += ", and what its version can do cannot be checked"
			}
			if i := slices.IndexFunc(d.Bridges, func(b *Bridge) bool { return b.Service == s && b.Dialect == image.Python }); i >= 0 {
				fix = d.Bridges[i].imageFor() // the newest release does not read its file
			}
			r.Fail(fact+"; "+consequence, fix, v.Site(""))
		}
	},
}
