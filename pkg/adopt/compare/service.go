package compare

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/source"
)

// readApart are the keys of a service that are compared by what they mean; any other is compared key by key.
var readApart = []string{
	"image", "environment", "env_file", "volumes", "tmpfs", "secrets", "configs", "labels", "label_file", "networks", "ports", "depends_on",
	"command", "entrypoint", "container_name", "extends", "user",
}

// service adds what Compose is told of one.
func (s *side) service(svc *deployment.Service) {
	about := s.whom(svc)
	d := document{about, "service", svc.Program, svc}
	image := leaf(svc.ImageAt, repository(svc.Image.Repository))
	image.raw, image.shown, image.why = svc.Image.Repository, svc.Image.Repository, "it is the same image by another name"
	built := svc.Program == component.Unknown && svc.Build.Exists() // of which the Dockerfile tells, and not the image that it begins with
	if !built {
		s.add(about, "service", "image", image)
	}
	if version := svc.Image.Tag + "@" + svc.Image.Digest; version != "@" && !built {
		f := leaf(svc.ImageAt, version)
		f.raw, f.shown = version, strings.TrimSuffix(version, "@")
		s.add(about, "service", "version", f)
	}
	s.command(svc)
	if svc.ContainerName.Set() {
		s.add(about, "service", "container_name", leaf(svc.ContainerName, svc.ContainerName.Str()))
	}
	if p := compose.Of(s.Deployment); p != nil {
		for k, v := range p.File.At("services", svc.Name).Entries() {
			switch name := k.Str(); {
			case name == "deploy":
				s.limits(d, v)
			case !slices.Contains(readApart, name):
				s.walk(d, name, v)
			}
		}
	}
	if user := cmp.Or(svc.RunsAs(), svc.UserAt.Str()); user != "" && !baked(svc, svc.UserAt.Pos()) {
		at := svc.UserAt
		if !at.Set() {
			at = svc.Self
		}
		f := leaf(at, user)
		if text, known := svc.UserAt.Text(); !known || strings.Trim(text, ":") == "" { // behind variables that are not here
			f.shown = cmp.Or(svc.UserAt.Written(), user)
		}
		s.add(about, "service", "user", f)
	}
	s.environment(svc)
	s.mounts(svc)
	s.ports(svc)
	s.labels(svc)
	for _, w := range svc.DependsOn {
		on := s.canonicalHost(w.Service)
		if to := s.Service(w.Service); to != nil {
			on = "{" + s.whom(to) + "}"
		}
		condition := cmp.Or(w.Condition, "service_started")
		if w.Optional {
			condition += ", if it is there"
		}
		s.add(about, "service", "depends_on "+on, fact{text: condition, shown: condition, at: w.At.Pos()})
	}
}

// swarms are the words of deploy.resources that Compose takes for those of the service itself.
var swarms = map[string]string{
	"resources.limits.memory": "mem_limit", "resources.limits.cpus": "cpus", "resources.limits.pids": "pids_limit", "resources.reservations.memory": "mem_reservation",
}

// limits adds what deploy says, in the words of the service where it has some.
func (s *side) limits(d document, deploy source.Value) {
	for path, name := range swarms {
		if v := deploy.At(strings.Split(path, ".")...); v.Set() {
			s.walk(d, name, v)
		}
	}
	inner := &side{Deployment: s.Deployment, of: s.of, facts: make(map[id]fact), used: s.used}
	inner.walk(d, "deploy", deploy)
	for k, f := range inner.facts {
		if path, _ := strings.CutPrefix(k.key, "deploy."); swarms[path] == "" {
			s.facts[k] = f
		}
	}
}

// repository is an image's without what Docker adds to a name that has no registry.
func repository(name string) string {
	for _, usual := range []string{"index.", "docker.io/", "library/"} {
		name = strings.TrimPrefix(name, usual)
	}
	return name
}

// baked reports whether something is said by the Dockerfile of an image that is built here: that it is built is compared.
func baked(svc *deployment.Service, at source.Pos) bool {
	return svc.Build.Exists() && at.File != "" && at.File != svc.Self.Pos().File && strings.Contains(path.Base(at.File), "ockerfile")
}

// idleWords are those of a command that say nothing: what the image does anyway, and where its configuration is, which is
// compared by what it says.
var idleWords = map[component.Program][]string{
	component.MAS:      {"server", "-c", "--config"},
	component.Synapse:  {"run", "-c", "--config-path", "/start.py"},
	component.Postgres: {"postgres", "docker-entrypoint.sh"},
	component.LiveKit:  {"--config"}, component.Coturn: {"--log-file=stdout"},
}

// command adds the words of a command that say something, for PostgreSQL each setting by its name.
func (s *side) command(svc *deployment.Service) {
	about := s.whom(svc)
	for key, list := range map[string]deployment.List{"command": svc.Cmd, "entrypoint": svc.Entrypoint} {
		var words []string
		if baked(svc, list.Pos()) {
			continue
		}
		all := append(strings.Fields(list.Str()), list.Texts()...)
		for i, w := range all {
			name, val, set := strings.Cut(w, "=")
			switch {
			case svc.Program == component.Postgres && set && i > 0 && all[i-1] == "-c":
				s.add(about, "settings", strings.ToLower(name), fact{text: val, shown: val, at: list.Pos()})
			case svc.Program == component.Postgres && set && strings.HasPrefix(w, "-c"):
				s.add(about, "settings", strings.ToLower(strings.TrimPrefix(name, "-c")), fact{text: val, shown: val, at: list.Pos()})
			case svc.Program == component.Postgres && w == "-c":
			case svc.Component().Bridge != nil && (slices.Contains([]string{"-c", "--config"}, w) || i == 0 && slices.Contains(binaries(svc), w)):
			case svc.Program == component.LiveKit && i > 0 && all[i-1] == "--config": // which is compared by what it says
			case svc.Program == component.Coturn && strings.HasPrefix(w, "--"): // which is compared as an option
			case slices.Contains(idleWords[svc.Program], w), slices.Contains(svc.ConfigPaths, strings.TrimPrefix(strings.TrimPrefix(w, "--config="), "--config-path=")):
			default:
				words = append(words, w)
			}
		}
		if text := strings.Join(words, " "); text != "" {
			s.add(about, "service", key, fact{text: text, shown: text, at: list.Pos()})
		}
	}
}

// binaries are the names of the program of a bridge in its own image.
func binaries(svc *deployment.Service) []string {
	name := "mautrix-" + string(svc.Program)
	return []string{"/usr/bin/" + name, name, "./" + name}
}

func (s *side) environment(svc *deployment.Service) {
	d := document{s.whom(svc), "environment", svc.Program, svc}
	seen := make(map[string]bool)
	for _, v := range svc.Variables {
		if seen[v.Name] || baked(svc, v.At.Pos()) || slices.Contains([]string{"UID", "GID"}, v.Name) && svc.Program != component.Unknown && svc.RunsAs() != "" {
			continue
		}
		seen[v.Name] = true
		r := read{fact: fact{raw: v.Text, text: v.Text, shown: v.Text, at: v.At.Pos(), secret: v.At.NamesSecret() || source.LooksRandom(v.Text)}}
		key := v.Name
		if v.Hidden != "" {
			r.text, r.secret, r.unseen = "unseen "+v.At.Str(), true, true
			s.unseen = append(s.unseen, s.whom(svc)+": "+v.Hidden)
		}
		if name, inFile := strings.CutSuffix(v.Name, "_FROM_FILE"); inFile { // as lk-jwt-service has it
			if text, _, reason := s.Text(svc, v.Text); reason == "" {
				text = strings.TrimSpace(text)
				r.raw, r.text, r.secret = text, text, true
				s.add(d.about, d.doc, name, r.fact)
				continue
			}
		}
		switch classOf(d, v.Name) {
		case host:
			r.text, r.why = s.canonicalHost(v.Text), "it is the same service by another name"
		case place:
			r.text, r.why = s.place(svc, v.Text), "it is the same place by another path in the container"
		case secretFile:
			s.inFile(d, v.Text, &r, "_FILE")
			key = strings.TrimSuffix(key, "_FILE")
			r.text, _ = strconv.Unquote(r.text)
		default:
			if spelled, ok := s.canonicalURL(v.Text); ok {
				r.text, r.why = spelled, "it leads to the same service by another name"
			}
		}
		if r.text == "" {
			r.text = "nothing"
		}
		s.add(d.about, d.doc, key, r.fact)
	}
	if svc.EnvUnread != "" {
		s.unseen = append(s.unseen, s.whom(svc)+", environment: "+svc.EnvUnread)
	}
}

// mounts adds where each path of the container is kept, and what single files hold.
func (s *side) mounts(svc *deployment.Service) {
	about := s.whom(svc)
	for _, m := range svc.Mounts {
		at := path.Clean(m.Container)
		f := leaf(m.At, s.place(svc, m.Container))
		f.raw = f.text
		doc := "mounts"
		if m.ReadOnly && !strings.HasPrefix(at, "/run/secrets/") {
			f.shown += ", read-only"
			s.add(about, doc, at+" (mode)", fact{text: "read-only", shown: "read-only", at: m.At.Pos()})
		}
		if slices.ContainsFunc(svc.ConfigPaths, func(name string) bool { return svc.Inside(name) == at }) {
			doc = "configuration"
		}
		if strings.HasPrefix(at, "/run/secrets/") {
			doc = "secrets"
			if text, file, reason := s.Text(svc, at); reason == "" {
				s.used[file] = true
				f.text, f.raw, f.secret = text, text, true
			}
		}
		if doc == "mounts" && m.ReadOnly && svc.Program == component.Unknown {
			if text, file, reason := s.Text(svc, at); reason == "" { // a directory has none
				s.used[file] = true
				f.text, f.why = "a file: "+text, "the same file lies in another place"
			}
		}
		s.add(about, doc, at, f)
	}
}

func (s *side) ports(svc *deployment.Service) {
	about := s.whom(svc)
	for _, p := range svc.Ports {
		s.add(about, "ports", portKey(p), fact{text: fmt.Sprint(p.Inner), shown: fmt.Sprintf("leads to port %d", p.Inner), at: p.At.Pos()})
	}
	if svc.PortsHidden {
		s.add(about, "ports", "hidden", fact{text: svc.PortsAt.Str(), at: svc.PortsAt.Pos()})
		s.unseen = append(s.unseen, about+": ports behind variables that are set elsewhere")
	}
}

// portKey is what a published port is called.
func portKey(p deployment.Port) string {
	return fmt.Sprintf("%s:%d-%d/%s", cmp.Or(p.IP, "*"), p.First, p.Last, p.Protocol)
}

// forProxies begin the labels that a proxy reads: what they do is compared request by request.
var forProxies = []string{"traefik.", "caddy"}

func (s *side) labels(svc *deployment.Service) {
	about := s.whom(svc)
	for _, l := range svc.Labels {
		doc := "labels"
		if slices.ContainsFunc(forProxies, func(p string) bool { return strings.HasPrefix(strings.ToLower(l.Key), p) }) {
			doc = "routing"
		}
		s.add(about, doc, l.Key, fact{raw: l.Value, text: cmp.Or(l.Value, "nothing"), shown: l.Value, at: l.Site.Pos, secret: source.LooksRandom(l.Value)})
	}
}

// theStack is what belongs to no service alone.
const theStack = "the stack"

// project adds what belongs to no service alone.
func (s *side) project() {
	const about = theStack
	p := compose.Of(s.Deployment)
	if p == nil {
		return
	}
	if s.Project != "" {
		s.add(about, "compose", "name", fact{text: s.Project, shown: s.Project, at: s.ProjectAt.Pos()})
	}
	for k, v := range p.File.Root().Entries() {
		switch name := k.Str(); {
		case slices.Contains([]string{"services", "name", "version", "secrets", "configs", "networks", "include"}, name), strings.HasPrefix(name, "x-"):
		default:
			s.walk(document{about: about, doc: "compose"}, name, v)
		}
	}
	s.networks()
}

// volume is the name of a volume on the machine (compose-spec, volumes).
func (s *side) volume(key string) string {
	if p := compose.Of(s.Deployment); p != nil {
		def := p.File.At("volumes", key)
		if name := def.At("name").Str(); name != "" {
			return name
		}
		if def.At("external").True() {
			return key
		}
	}
	return cmp.Or(s.Project, "PROJECT") + "_" + key
}

// theName begins the keys of names in a network.
const theName = "the name "

// names adds what those of other stacks can call a service by in a network, besides the name of its container.
func (s *side) names(svc *deployment.Service, n deployment.Network) {
	all := []deployment.Leaf{svc.Self}
	for _, a := range svc.Attachments {
		if a.Network == n.Key {
			all = append(all, a.Aliases...)
		}
	}
	for i, at := range all {
		name := at.Str()
		if i == 0 {
			name = svc.Name
		}
		if known, ok := at.Text(); i == 0 || ok && known != "" && name != svc.ContainerName.Str() {
			s.add(s.whom(svc), "networks", theName+name+" in "+cmp.Or(n.Name, n.Key), fact{text: "called", shown: "called", at: at.Pos()})
		}
	}
}

// madeElsewhere reports whether a network is another stack's: external also names it, in the form of Compose 1.
func madeElsewhere(n deployment.Network) bool { return n.External.Set() && !n.External.False() }

// networks adds who is with whom: what a network of the stack's own is called is nobody's business.
func (s *side) networks() {
	for _, n := range s.Networks {
		if def := compose.Of(s.Deployment).File.At("networks", n.Key); madeElsewhere(n) {
			s.add(theStack, "networks", "external "+cmp.Or(n.Name, n.Key), fact{text: "named", shown: "named", at: n.At.Pos()})
		} else {
			s.walk(document{about: theStack, doc: "networks"}, n.Key, def)
		}
	}
	for _, svc := range s.Services {
		about := s.whom(svc)
		if svc.NetworkMode.Str() == "host" {
			s.facts[id{about, "networks", "the way out"}] = fact{raw: "open", text: "open", shown: "open", at: svc.NetworkMode.Pos()}
		}
		for _, key := range svc.Networks {
			n := s.Network(key)
			if madeElsewhere(n) { // as long as nobody made it an internal one, it leads out
				s.add(about, "networks", cmp.Or(n.Name, n.Key), fact{text: "attached", shown: "attached", at: svc.NetworksAt.Pos()})
				s.facts[id{about, "networks", "the way out"}] = fact{raw: "open", text: "open", shown: "open", at: svc.NetworksAt.Pos()}
				s.names(svc, n)
				continue
			}
			for _, other := range s.Services {
				if k := (id{about, "networks", "{" + s.whom(other) + "}"}); other != svc && slices.Contains(other.Networks, key) && s.facts[k].text == "" {
					s.facts[k] = fact{raw: "reached", text: "reached", shown: "reached", at: svc.NetworksAt.Pos()}
				}
			}
			if k := (id{about, "networks", "the way out"}); !n.Internal.True() {
				s.facts[k] = fact{raw: "open", text: "open", shown: "open", at: svc.NetworksAt.Pos()}
			}
		}
		for _, a := range svc.Attachments {
			for _, ip := range a.Addresses {
				if ip.Set() {
					s.add(about, "networks", "address "+ip.Str(), leaf(ip, ip.Str()))
				}
			}
		}
	}
}
