package traefik

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/traefik/paerser/parser"

	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

var (
	providerFilters = []string{"traefik.docker.", "traefik.enable"}
	dynamicFilters  = []string{"traefik.http", "traefik.tcp", "traefik.udp", "traefik.tls.stores.default"}
	// What Traefik or people's own constraints read besides.
	otherPrefixes = []string{"traefik.swarm.", "traefik.constraint", "traefik.tags", "traefik.tls."}
)

// sinceV3 matches the keys that Traefik 2 refuses.
var sinceV3 = regex.Of(`(?i)^traefik\.(?:docker\.allownonrunning` +
	`|http\.routers\.[^.]+\.(?:rulesyntax|observability)` +
	`|http\.services\.[^.]+\.(?:middlewares|loadbalancer\.(?:strategy|passivehealthcheck))` +
	`|http\.middlewares\.[^.]+\.grpcweb)(?:\.|$)`)

// decoded is one container with its labels read.
type decoded struct {
	*Container
	http    *httpLabels
	tcp     bool
	network *string
}

func (c *Container) serviceName() string {
	name := c.Name
	if c.Project != "" {
		name += "_" + c.Project
	}
	return normalize(name)
}

// site finds the label with the given key, else one below it, else the container.
func (c *Container) site(parts ...string) source.Site {
	if at, ok := c.find(strings.Join(parts, ".")); ok {
		return at
	}
	return c.Site
}

// Has reports whether the container has a label with the key, or one below it. The key has seven parts at most.
func (c *Container) Has(key string) bool {
	_, ok := c.find(key)
	return ok
}

func (c *Container) find(key string) (at source.Site, ok bool) {
	if c.sites == nil {
		c.sites = sitesOf(c.Labels)
	}
	key = strings.ToLower(key)
	if at, ok = c.sites[key]; !ok {
		at, ok = c.sites[key+"."]
	}
	return at, ok
}

// maxParts is how many parts the longest key has that is asked for.
const maxParts = 7

// sitesOf has the place of each key, the last one where it stands twice, and of the first label below each
// part of a key, under that part and a dot. Thousands of labels are not looked through for each of them.
func sitesOf(labels []Label) map[string]source.Site {
	sites := make(map[string]source.Site, 2*len(labels))
	for _, l := range labels {
		key := strings.ToLower(l.Key)
		sites[key] = l.Site
		for at, parts := 0, 0; parts < maxParts; parts++ {
			dot := strings.IndexByte(key[at:], '.')
			if dot < 0 {
				break
			}
			at += dot + 1
			if _, ok := sites[key[:at]]; !ok {
				sites[key[:at]] = l.Site
			}
		}
	}
	return sites
}

func (c *Container) labels() map[string]string {
	m := make(map[string]string, len(c.Labels))
	for _, l := range c.Labels {
		m[l.Key] = l.Value
	}
	return m
}

// decode reads the labels of a container; ok is false when Traefik does not use it.
func (t *table) decode(c *Container) (d decoded, ok bool) {
	d.Container = c
	labels := c.labels()
	provider, filters := providerLabels{Enable: t.opts.ExposedByDefault}, providerFilters
	if t.provider() == "swarm" {
		filters = append(slices.Clip(filters), "traefik.swarm.")
	}
	if err := decodeLabels(labels, &provider, filters); err != nil {
		t.badLabels(c, err, filters, func() any { return new(providerLabels) })
		return d, false
	}
	if provider.Docker != nil && provider.Swarm != nil {
		t.problem(BadLabel, c, "", fmt.Sprintf("container %q has labels for Docker beside those for a Swarm; Traefik skips the whole container", c.Name), c.site("traefik", "docker"), c.site("traefik", "swarm"))
		t.lostRouters(c, fmt.Sprintf("container %q has labels for Docker beside those for a Swarm, so Traefik skips it", c.Name))
		return d, false
	}
	if !provider.Enable {
		has := func(prefix string) bool {
			return slices.ContainsFunc(c.Labels, func(l Label) bool { return hasPrefixFold(l.Key, prefix) })
		}
		if has("traefik.http.") {
			kind, fact, at := NotEnabled, "no traefik.enable", c.site("traefik", "http")
			if has("traefik.enable") {
				kind, fact, at = Disabled, "traefik.enable=false", c.site("traefik", "enable")
			}
			t.problem(kind, c, "", fmt.Sprintf("container %q has traefik.http labels but %s; Traefik ignores it", c.Name, fact), at)
			t.lostRouters(c, fmt.Sprintf("container %q has %s, so Traefik ignores it", c.Name, fact))
		}
		return d, false
	}
	for _, of := range []*dockerLabels{provider.Docker, provider.Swarm} {
		if of != nil {
			d.network = of.Network
		}
	}
	t.ignoredLabels(c)

	conf := dynamicLabels{HTTP: &httpLabels{}}
	err := decodeLabels(labels, &conf, dynamicFilters)
	if err == nil && t.opts.Major == 2 {
		for _, l := range c.Labels {
			if sinceV3().MatchString(l.Key) {
				err = errors.Join(err, fmt.Errorf("%s: not known to Traefik 2", l.Key))
			}
		}
	}
	if err != nil {
		t.badLabels(c, err, dynamicFilters, func() any { return &dynamicLabels{HTTP: &httpLabels{}} })
		return d, false
	}
	d.http = conf.HTTP
	d.tcp = len(conf.TCP)+len(conf.UDP) > 0
	return d, true
}

// badLabels names the labels that do not decode on their own, and lists the routers lost with them.
func (t *table) badLabels(c *Container, err error, filters []string, fresh func() any) {
	why := fmt.Sprintf("a label of container %q is wrong, so Traefik skips the container", c.Name)
	found := false
	for _, l := range c.Labels {
		e := decodeLabels(map[string]string{l.Key: l.Value}, fresh(), filters)
		if e == nil && t.opts.Major == 2 && sinceV3().MatchString(l.Key) {
			e = errors.New("not known to Traefik 2")
		}
		if e != nil {
			found = true
			t.problem(BadLabel, c, "", fmt.Sprintf("label %q: %v; Traefik skips the whole container %q", l.Key, e, c.Name), l.Site)
		}
	}
	if !found {
		t.problem(BadLabel, c, "", fmt.Sprintf("%v; Traefik skips the whole container %q", err, c.Name), c.Site)
	}
	t.lostRouters(c, why)
}

// lostRouters adds the routers of a container that Traefik skips, as far as their rules can be read.
func (t *table) lostRouters(c *Container, why string) {
	for _, l := range c.Labels {
		p := strings.Split(l.Key, ".")
		if len(p) == 5 && strings.EqualFold(strings.Join(p[:3], "."), "traefik.http.routers") && strings.EqualFold(p[4], "rule") {
			r := &router{from: c, Router: &route.Router{
				Name: p[3], Rule: l.Value, Priority: len(l.Value), Container: c.Name, ContainerSite: c.Site, Site: l.Site, Dropped: why,
			}}
			_ = r.parse(t.opts.Major)
			t.keep(r)
		}
	}
}

// Traefik 1 named routers and services otherwise, with the name of one of several before the rest.
var ofTraefik1 = regex.Of(`(?i)^traefik\.(?:[^.]+\.)?(?:frontend|backend|port|protocol|weight|domain)(?:\.|$)`)

// OfTraefik1 reports whether a label is one that Traefik 1 reads, and later ones ignore.
func OfTraefik1(key string) bool {
	return hasPrefixFold(key, "traefik.") && ofTraefik1().MatchString(key)
}

func (t *table) ignoredLabels(c *Container) {
	for _, l := range c.Labels {
		known := func(prefix string) bool { return hasPrefixFold(l.Key, prefix) }
		if known("traefik.") && !slices.ContainsFunc(slices.Concat(providerFilters, dynamicFilters, otherPrefixes), known) {
			kind := IgnoredLabel
			if OfTraefik1(l.Key) {
				kind = OldLabel
			}
			t.problem(kind, c, "", fmt.Sprintf("Traefik does not know the label %q; it ignores it", l.Key), l.Site)
		}
	}
}

// decodeLabels turns the decoder's panics, which malformed keys such as `a]` cause, into errors.
func decodeLabels(labels map[string]string, into any, filters []string) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("malformed key: %v", r)
		}
	}()
	return parser.Decode(labels, into, parser.DefaultRootName, filters...)
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
