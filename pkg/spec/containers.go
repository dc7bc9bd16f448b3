package spec

import (
	"cmp"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// A container is called by its name on the stack's own network, where Twisted takes no underscore and no double dash (idna).
var (
	containerName = regex.Of(`^[a-z]([a-z0-9]|-[a-z0-9])*$`)
	secretName    = regex.Of(`^[a-z][a-z0-9_]*$`)
	networkName   = regex.Of(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)
	variable      = regex.Of(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// notContainers are names of files and networks of the stack, which a container would share.
var notContainers = []string{"matrix", "homeserver", "log", "doublepuppet", "caddy", "nginx", "stack", "ingress", "syn2mas"}

// checkContainers has what is said of each container, and what two of them would both have.
func (s *Spec) checkContainers(d *decoder, named bool) {
	taken := make(map[string]source.Value)
	for _, c := range component.All {
		if _, on := s.Component(c.Program); on && s.ServiceOf(c.Program) != string(c.Program) {
			taken[s.ServiceOf(c.Program)] = s.At(Section(c.Program)...).At("service")
		}
	}
	for _, n := range s.Containers() {
		at := s.At(n.Section...)
		s.checkContainerName(d, n, at, taken)
		s.checkContainerImage(d, n, at)
		n.checkWords(d, at)
		n.checkPaths(d, at, s.DataOf(component.Postgres))
		n.checkRest(d, at)
		if named {
			s.checkRoutes(d, n, at)
		}
	}
	s.checkAppservices(d)
}

func (s *Spec) checkContainerName(d *decoder, n Named, at source.Value, taken map[string]source.Value) {
	key := at
	for k := range s.At(n.Section[0]).Entries() {
		if k.Str() == n.Name {
			key = k
		}
	}
	program, _ := component.OfService(n.Name)
	switch {
	case !containerName().MatchString(n.Name) || len(n.Name) > 40:
		d.fail(key, fmt.Sprintf("%s is no name for a service; the others could not call it by it", quote(n.Name)), "a word of lower-case letters and digits, with single dashes in it, such as irc")
	case program.Program != component.Unknown:
		fix := "another name"
		if program.Bridge != nil {
			fix = fmt.Sprintf("bridges: {%s: {}}, where that bridge is meant, or another name", n.Name)
		}
		d.fail(key, fmt.Sprintf("%s is the name of a service that stackgen renders; Compose can have one of that name", quote(n.Name)), fix)
	case slices.Contains(notContainers, n.Name):
		d.fail(key, fmt.Sprintf("%s is what other files of the stack are called; those of this service would stand among them", quote(n.Name)), "another name")
	}
	for _, name := range []string{n.Name, n.RedisName()} {
		if name == n.RedisName() && !n.Redis {
			continue
		}
		if other, ok := taken[name]; ok {
			d.fail(key, fmt.Sprintf("two services are called %s; Compose can have one of that name", quote(name)), "another name for one of them", other.Site("the other"))
		}
		taken[name] = at
	}
}

func (s *Spec) checkContainerImage(d *decoder, n Named, at source.Value) {
	switch given := component.Parse(n.Image); {
	case n.Image == "":
	case given.Tag != "" || given.Digest != "":
		d.fail(at.At("image"), at.At("image").Path()+" holds a tag or a digest, which has a key of its own", fmt.Sprintf("image: %s, and on the next line version: %q", given.Repository, cmp.Or(n.Version, given.Tag, "1.0")))
	case !repository().MatchString(n.Image):
		d.fail(at.At("image"), at.At("image").Path()+" is not the name of an image; Docker could not pull it", "image: docker.io/hif1/heisenbridge")
	}
	if n.Version != "" && !tag().MatchString(n.Version) {
		d.fail(at.At("version"), at.At("version").Path()+" is no tag of an image; Docker could not pull it", `version: "1.15.4"`)
	}
}

// checkWords refuses words in braces that mean nothing, and secrets where a list of processes shows them.
func (n Named) checkWords(d *decoder, at source.Value) {
	plain, secret := n.Words()
	check := func(v source.Value, text string, shown bool) {
		if strings.ContainsFunc(text, unicode.IsControl) {
			d.fail(v, v.Path()+" is no text on one line", "one line; what has more is a file")
		}
		for _, w := range WordsIn(text) {
			switch {
			case slices.Contains(plain, w.Name) || !shown && slices.Contains(secret, w.Name):
			case slices.Contains(secret, w.Name):
				d.fail(v, fmt.Sprintf("{%s} is a secret; in a command everybody who lists processes reads it", w.Name), "put it into a file or a variable of the environment, and name that")
			default:
				d.fail(v, n.NoWord(w.Name), n.wordFix(shown))
			}
		}
	}
	for _, key := range []string{"command", "entrypoint", "healthcheck"} {
		for _, item := range at.At(key).Items() {
			check(item, item.Str(), true)
			if key == "entrypoint" && strings.HasPrefix(item.Str(), "-") && item.Name() == "0" {
				d.fail(item, item.Path()+" is no program", "/usr/bin/program")
			}
		}
	}
	for key, v := range at.At("environment").Entries() {
		check(v, v.Str(), false)
		if !variable().MatchString(key.Str()) {
			d.fail(key, fmt.Sprintf("%s is no name of a variable; no program could read it", quote(key.Str())), "NAME: value")
		}
	}
	for _, v := range at.At("files").Entries() {
		check(v, v.Str(), false)
	}
	for key := range at.At("secrets").Entries() {
		builtin := slices.Contains(plain, key.Str()) || slices.Contains(secret[:len(secret)-len(n.Secrets)], key.Str())
		switch {
		case builtin:
			d.fail(key, fmt.Sprintf("{%s} is a word that the service has already", key.Str()), "another name")
		case !secretName().MatchString(key.Str()):
			d.fail(key, fmt.Sprintf("%s is no name for a secret that can stand in braces", quote(key.Str())), "a word of lower-case letters, digits and underscores, such as api_key")
		}
	}
}

// NoWord says that a word in braces means nothing to the container.
func (n Named) NoWord(name string) string {
	return fmt.Sprintf("{%s} stands for nothing that the service %s has; it would read these letters", name, n.Name)
}

func (n Named) wordFix(shown bool) string {
	plain, secret := n.Words()
	if shown {
		secret = nil
	}
	words := slices.Concat(plain, secret)
	for i, w := range words {
		words[i] = "{" + w + "}"
	}
	return "write " + finding.Sentence(words, "or")
}

// WordFix says what may stand in braces in a file of the container.
func (n Named) WordFix() string {
	return n.wordFix(false) + "; a file with braces of its own is copied as it is by compose.files, and mounted by compose.extra"
}

func (n Named) checkPaths(d *decoder, at source.Value, cluster Data) {
	inside := make(map[string]source.Value)
	claim := func(key source.Value) {
		p := key.Str()
		switch {
		case !path.IsAbs(p) || path.Clean(p) != p || p == "/" || !plainPath(p) || strings.ContainsAny(p, "$*?[]{}"):
			d.fail(key, fmt.Sprintf("%s is no path in a container", quote(p)), "/data/config.yml, from the root, without .. and without a slash at its end")
		default:
			if other, ok := inside[p]; ok {
				d.fail(key, fmt.Sprintf("%s is mounted twice", quote(p)), "another path for one of them", other.Site("the other"))
			}
			inside[p] = key
		}
	}
	for key, v := range at.At("files").Entries() {
		claim(key)
		switch from := v.Str(); {
		case sole(from) != "":
			if sole(from) == "registration" && n.Appservice == nil {
				continue // it is no word of a plain service
			}
		case !sourcePath(from):
			d.fail(v, v.Path()+" is no path relative to the spec", "files/"+path.Base(key.Str()))
		}
		for other := range at.At("files").Entries() {
			if strings.HasPrefix(key.Str(), other.Str()+"/") {
				d.fail(key, fmt.Sprintf("%s lies in %s, which is a file", quote(key.Str()), quote(other.Str())), "another path for one of them")
			}
		}
	}
	places := map[Data]source.Value{cluster: {}}
	for key, v := range at.At("volumes").Entries() {
		claim(key)
		place := n.Place(key.Str())
		checkPlace(d, v, place, "data/"+n.Name)
		if other, ok := places[place]; ok {
			d.fail(v, fmt.Sprintf("%s and %s are one place; what is written to the one stands in the other", v.Path(), cmp.Or(other.Path(), "the cluster of PostgreSQL")), key.Str()+": ./data/"+n.Name+"/"+path.Base(key.Str()), other.Site("the other"))
		}
		places[place] = v
	}
	if own := n.RegistrationPath(); own == defaultRegistration && n.Sole(own) == "" && inside[own].Exists() {
		d.fail(inside[own], fmt.Sprintf("%s is where the service finds its registration", quote(own)), "another path")
	}
}

func (n Named) checkRest(d *decoder, at source.Value) {
	checkNetworks(d, at.At("networks"), n.Networks)
	checkUser(d, at.At("user"), n.User, false)
	if h := at.At("healthcheck"); len(n.Healthcheck) > 0 && !slices.Contains([]string{"CMD", "CMD-SHELL", "NONE"}, n.Healthcheck[0]) {
		d.fail(h, h.Path()+" must begin with CMD, or CMD-SHELL and one line for a shell; Compose refuses it otherwise", "healthcheck: [CMD, "+strings.Join(n.Healthcheck, ", ")+"]")
	}
}

func (s *Spec) checkRoutes(d *decoder, n Named, at source.Value) {
	own := s.ownHosts()
	for i, item := range at.At("routes").Items() {
		r, host := n.Routes[i], s.RouteHost(n.Routes[i])
		if r.Host != "" && !s.checkHost(d, r.Host, append(slices.Clone(n.Section), "routes", strconv.Itoa(i), "host")...) {
			continue
		}
		whole := strings.Trim(r.Path, "/") == ""
		switch {
		case r.Port == 0 && n.Port == 0:
			d.fail(item, item.Path()+" leads to no port; the proxy could not ask the service", "port: 8080")
		case whole && own[host] != "":
			d.fail(item, fmt.Sprintf("%s takes all of %s, which is the host of %s; nothing else there would be answered", item.Path(), host, own[host]), "host: "+n.Name+"."+s.ServerName+", or a path below it")
		case !whole && s.covered(host, r.Path) != "":
			d.fail(item, fmt.Sprintf("%s takes %s away from who answers it on %s", item.Path(), s.covered(host, r.Path), host), "path: /_matrix/"+n.Name+", or another host")
		case whole && r.Strip:
			d.fail(item.At("strip"), item.At("strip").Path()+" has no path to take off", "remove the line")
		}
		for _, other := range s.Containers() {
			for j, q := range other.Routes {
				same := s.RouteHost(q) == host && strings.TrimRight(q.Path, "/") == strings.TrimRight(r.Path, "/")
				if same && (other.Section[0]+other.Name < n.Section[0]+n.Name || other.Name == n.Name && j < i) {
					first := s.At(append(slices.Clone(other.Section), "routes", strconv.Itoa(j))...)
					d.fail(item, fmt.Sprintf("two routes lead the same requests for %s to different places", host), "another host or path for one of them", first.Site("the other"))
				}
			}
		}
	}
}

// covered is a path that the stack itself answers on a host and that a route to the path of a container would take; "" where
// none is.
func (s *Spec) covered(host, at string) string {
	var own []string
	if host == s.MatrixHost() || host == s.ServerName {
		own = []string{"/_matrix/client", "/_matrix/federation", "/_matrix/key", "/_matrix/media", "/_synapse/client", "/.well-known/matrix"}
	}
	if u, err := url.Parse(cmp.Or(s.Auth.PublicURL, "https://"+s.MatrixHost()+"/auth/")); err == nil && s.MAS() && host == u.Host && len(u.Path) > 1 {
		own = append(own, strings.TrimRight(u.Path, "/"))
	}
	at = strings.TrimRight(at, "/") + "/"
	for _, p := range own {
		if strings.HasPrefix(p+"/", at) || strings.HasPrefix(at, p+"/") {
			return p
		}
	}
	return ""
}

// RouteHost is the host of a route.
func (s *Spec) RouteHost(r Route) string { return cmp.Or(r.Host, s.MatrixHost()) }

// ownHosts are the hosts of the stack by whose they are.
func (s *Spec) ownHosts() map[string]string {
	hosts := map[string]string{s.ServerName: "the server name", s.MatrixHost(): "the homeserver"}
	if host := s.ElementHost(); host != "" {
		hosts[host] = "Element Web"
	}
	if u, err := url.Parse(s.Auth.PublicURL); err == nil && s.MAS() && u.Host != "" && hosts[u.Host] == "" {
		hosts[u.Host] = "MAS"
	}
	return hosts
}
