package diff

import (
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/check"
	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// steps are what only a person can do, in the order to do it. Of what somebody edited until it could not be
// read any more, nothing is concluded.
func (c *comparison) steps(e Effects) []string {
	steps := []string{}
	say := func(parts ...string) { steps = append(steps, c.Secrets.Mask(strings.Join(parts, ""))) }
	old, now := c.old.deployment, c.new.deployment
	if !e.First && project(old) != project(now) {
		say("before anything else stop the old project, or two databases run on the same data: docker compose -p ", shell.Word(project(old)), " down")
	}
	if a, b := postgres(old), postgres(now); a != nil && b != nil && major(a) != major(b) {
		say("PostgreSQL ", major(b), " does not start on the data of ", major(a), ": dump and restore as RUNBOOK.md says under Upgrade")
	}
	if hosts := added(hosts(old), hosts(now)); len(hosts) > 0 {
		say("let the DNS names of ", strings.Join(hosts, ", "), " lead to this Traefik")
	}
	if name := siteOf(now); name != "" && name != siteOf(old) && (e.First || len(old.Synapses) > 0) {
		say("let the site of ", name, " serve /.well-known/matrix/ (RUNBOOK.md)")
	}
	if e.First || len(old.MASs) > 0 {
		c.upstreams(say)
	}
	if service(now, "syn2mas") != nil && service(old, "syn2mas") == nil {
		say("migrate with syn2mas as RUNBOOK.md says, before users log in")
	}
	if names := c.restarts(e); len(names) > 0 {
		say("after the edited files are overwritten: docker compose restart ", shell.Words(names...))
	}
	for _, name := range added(now.Databases(), old.Databases()) {
		say("the database ", name, " stays; drop it by hand when nobody needs it any more")
	}
	return steps
}

// added gives what is in now and not in old.
func added(old, now []string) []string {
	return slices.DeleteFunc(slices.Clone(now), func(s string) bool { return slices.Contains(old, s) })
}

func postgres(d *check.Deployment) *check.Service {
	i := slices.IndexFunc(d.Services, func(s *check.Service) bool {
		return s.Program == image.Postgres && s.Value.At("restart").Str() != "no"
	})
	if i < 0 {
		return nil
	}
	return d.Services[i]
}

func major(s *check.Service) string {
	tag, _, _ := strings.Cut(s.Image.Tag, ".")
	tag, _, _ = strings.Cut(tag, "-")
	return tag
}

var hostRule = regexp.MustCompile("Host\\(`([^`]+)`\\)")

// hosts are the public names that the routers of the stack answer on.
func hosts(d *check.Deployment) []string {
	var names []string
	for _, s := range d.Services {
		for key, v := range s.Value.At("labels").Entries() {
			if !strings.HasSuffix(key.Str(), ".rule") {
				continue
			}
			for _, m := range hostRule.FindAllStringSubmatch(v.Str(), -1) {
				if !slices.Contains(names, m[1]) {
					names = append(names, m[1])
				}
			}
		}
	}
	return names
}

// siteOf is the server name whose own site has to serve the discovery files; empty when Synapse does.
func siteOf(d *check.Deployment) string {
	for _, s := range d.Synapses {
		if base, err := url.Parse(s.Config.At("public_baseurl").Str()); err == nil && !s.Config.At("serve_server_wellknown").True() {
			if name := s.Config.At("server_name").Str(); name != base.Host {
				return name
			}
		}
	}
	return ""
}

// upstreams says what to do at the providers that users log in with.
func (c *comparison) upstreams(say func(...string)) {
	told := make(map[string]bool)
	for _, p := range c.changed {
		if _, is := c.New[p]; is && strings.HasPrefix(p, "keycloak/") {
			told[strings.TrimSuffix(path.Base(p), ".json")] = true
			if old := c.old.document(p); old == nil {
				say("import ", path.Join(c.Dir, p), " into Keycloak (Clients, Import client): it brings the client secret with it; of a client that is there already, give the secret to `stackgen secrets set` (RUNBOOK.md)")
			} else if !onlySecretNew(old, c.new.document(p)) {
				say("change the client in Keycloak as ", path.Join(c.Dir, p), " says, or delete it there and import the file")
			}
		}
	}
	known := make(map[string]bool)
	for _, p := range providers(c.old.deployment) {
		known[client(p)] = true
	}
	for _, p := range providers(c.new.deployment) {
		if id := p.At("client_id").Str(); !known[client(p)] && !told[id] {
			say("make the client ", id, " at ", p.At("issuer").Str(), ", and store its secret (RUNBOOK.md)")
		}
	}
}

// document reads a JSON file; nil where there is none, or none that can be read.
func (s side) document(p string) *source.File {
	data, ok := s.tree[p]
	if !ok {
		return nil
	}
	f, problem := source.Parse(p, data)
	if problem != nil {
		return nil
	}
	return f
}

// onlySecretNew: the client is as it was, but for the secret that was not written into the file before. Whoever
// imported it has given Keycloak's own secret to the stack.
func onlySecretNew(old, now *source.File) bool {
	if now == nil || old.At("secret").Exists() {
		return false
	}
	for k, v := range now.Root().Entries() {
		if k.Str() != "secret" && !v.Equal(old.At(k.Str())) {
			return false
		}
	}
	return true
}

func client(p source.Value) string { return p.At("client_id").Str() + " " + p.At("issuer").Str() }

func providers(d *check.Deployment) []source.Value {
	var all []source.Value
	for _, m := range d.MASs {
		all = append(all, m.Config.At("upstream_oauth2", "providers").Items()...)
	}
	return all
}

// restarts names the running services that read a file that was edited by hand. Compose does not notice
// that it gets its old content back: the config hash is that of the file as it was rendered.
func (c *comparison) restarts(e Effects) []string {
	var names []string
	for _, s := range c.new.deployment.Services {
		if optional(s) || slices.ContainsFunc(e.Services, func(o Service) bool { return o.Name == s.Name }) {
			continue
		}
		for p, hand := range c.Hand {
			if hand == Edited && !c.own(p) && reads(s, p) && !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}
