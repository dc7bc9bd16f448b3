package diff

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
)

// Service is what `docker compose up -d` does to one service of the stack.
type Service struct {
	Name   string `json:"name"`
	Action Action `json:"action"`
	// Why names what makes Compose do it; for a new service it is the image.
	Why []string `json:"why"`
	// Affects says who notices, Downtime for about how long; empty where nobody was served before.
	Affects  string `json:"affects,omitempty"`
	Downtime string `json:"downtime,omitempty"`
}

// services tells what happens to each service, in the order of the compose file. A service that is only
// started by name is left out.
func (c *comparison) services() []Service {
	services := []Service{}
	for _, name := range c.names() {
		old, now := service(c.old.deployment, name), service(c.new.deployment, name)
		s := Service{Name: c.Secrets.Mask(name), Why: []string{}}
		if c.moved {
			old = nil
		}
		switch {
		case optional(old) && optional(now):
			continue
		case optional(now):
			s.Action, s.Affects = Removed, affects(old)
		case optional(old):
			s.Action, s.Why = Created, []string{c.Secrets.Mask("image " + now.Image.String())}
		default:
			s.Action, s.Affects, s.Downtime = Recreated, affects(now), downtime(old, now)
			if s.Why = c.why(old, now); len(s.Why) == 0 {
				continue
			}
		}
		services = append(services, s)
	}
	return append(services, c.charted()...)
}

// optional reports whether `up -d`, or apply, starts no such service.
func optional(s *deployment.Service) bool {
	return s == nil || len(s.Profiles) > 0 || s.Charted() || s.Deployment().Target == deployment.Kubernetes && s.Absent.Why != ""
}

func service(d *deployment.Deployment, name string) *deployment.Service {
	i := slices.IndexFunc(d.Services, func(s *deployment.Service) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return d.Services[i]
}

// formerly is what a service of the new stack was in the old one: the service of that name, or the one of its program whose
// name is gone; nil where it is new.
func (c *comparison) formerly(now *deployment.Service) *deployment.Service {
	return counterpart(c.new.deployment, c.old.deployment, now)
}

// later is what a service of the old stack is in the new one, in the same way.
func (c *comparison) later(was *deployment.Service) *deployment.Service {
	return counterpart(c.old.deployment, c.new.deployment, was)
}

func counterpart(here, there *deployment.Deployment, s *deployment.Service) *deployment.Service {
	if same := service(there, s.Name); same != nil {
		return same
	}
	alone := func(d, other *deployment.Deployment) (found []*deployment.Service) {
		for _, o := range d.Services {
			if o.Program == s.Program && !optional(o) && o.Restart.Str() != "no" && service(other, o.Name) == nil {
				found = append(found, o)
			}
		}
		return found
	}
	mine, theirs := alone(here, there), alone(there, here)
	if s.Program == component.Unknown || len(mine) != 1 || mine[0] != s || len(theirs) != 1 {
		return nil
	}
	return theirs[0]
}

// names lists the services of both sides: those of the new one in its order, then those that are gone.
func (c *comparison) names() []string {
	var names []string
	for _, d := range []*deployment.Deployment{c.new.deployment, c.old.deployment} {
		for _, s := range d.Services {
			if s.Once && s.Image.Repository != "" && slices.ContainsFunc(d.Services, func(o *deployment.Service) bool { return strings.HasPrefix(s.Name, o.Name+"/") }) {
				continue // a container that comes before those of its pod is no service
			}
			if !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	return names
}

// why says what about a service makes Compose recreate it.
func (c *comparison) why(old, now *deployment.Service) []string {
	var why []string
	if a, b := c.old.deployment.Project, c.new.deployment.Project; a != b && !c.new.cluster() {
		why = append(why, "project "+a+" → "+b)
	}
	for _, n := range c.new.deployment.Notices(c.old.deployment, now.Name) {
		switch n.Key {
		case "image":
			why = append([]string{"image " + imageChange(old.Image, now.Image)}, why...)
		case "label", "environment":
			why = append(why, c.entries(n, old, now)...)
		default:
			why = append(why, strings.Join(append([]string{n.Key}, n.Names...), " "))
		}
	}
	for i := range why {
		why[i] = c.Secrets.Mask(why[i])
	}
	return why
}

// imageChange leaves out what both have.
func imageChange(old, now component.Ref) string {
	if old.Repository == now.Repository && old.Digest == "" && now.Digest == "" {
		return old.Tag + " → " + now.Tag
	}
	return old.String() + " → " + now.String()
}

// maxEntries is how many labels or variables are named before they are counted.
const maxEntries = 3

// entries names the labels or variables that differ. The config hash is told as the files that it stands for.
func (c *comparison) entries(n deployment.Notice, old, now *deployment.Service) []string {
	var names, why []string
	for _, name := range n.Names {
		if configHash().MatchString(name) {
			why = append(why, c.configFiles(old, now))
		} else {
			names = append(names, name)
		}
	}
	switch {
	case n.Whole:
		why = append(why, n.Key+"s")
	case len(names) > maxEntries:
		why = append(why, fmt.Sprintf("%d %ss", len(names), n.Key))
	case len(names) > 0:
		why = append(why, n.Key+" "+strings.Join(names, ", "))
	}
	return why
}

// maxFiles is how many files of a service are named before they are counted.
const maxFiles = 4

func dirs(files []string) []string {
	var names []string
	for _, f := range files {
		names = append(names, path.Dir(f))
	}
	return slices.Compact(names)
}

func (c *comparison) configFiles(old, now *deployment.Service) string {
	var files []string
	for _, p := range c.changed {
		if !c.own(p) && (reads(old, p) || reads(now, p)) {
			files = append(files, p)
		}
	}
	switch {
	case len(files) == 0:
		return "config files"
	case len(files) > maxFiles:
		return fmt.Sprintf("config files: %d in %s", len(files), strings.Join(dirs(files), ", "))
	}
	return "config files: " + strings.Join(files, ", ")
}

// own reports whether the file is a bridge's own registration. A bridge does not read it when it runs: it
// is only there for Synapse's copy to be made from.
func (c *comparison) own(p string) bool {
	for _, d := range []*deployment.Deployment{c.old.deployment, c.new.deployment} {
		if slices.ContainsFunc(d.Bridges, func(b *deployment.Bridge) bool { return b.Own != nil && b.Own.Path == p }) {
			return true
		}
	}
	return false
}

// reads reports whether a file that is no data is seen by the service.
func reads(s *deployment.Service, p string) bool { return !strings.HasPrefix(p, "data/") && s.Sees(p) }

// reader names the service that a file is for; empty when it is for none of them alone.
func (c *comparison) reader(p string) string {
	if name := c.of[p]; name != "" {
		return name
	}
	for _, d := range []*deployment.Deployment{c.new.deployment, c.old.deployment} {
		for _, s := range d.Services {
			if !optional(s) && reads(s, p) {
				return s.Name
			}
		}
	}
	return ""
}

// affects says who notices that a service is away.
func affects(s *deployment.Service) string {
	if s.Program == component.Postgres && (s.Once || s.Restart.Str() == "no") {
		return "nobody: it runs once and ends"
	}
	return component.Of(s.Program).Affects
}

// downtime is in words: how long a migration takes depends on the size of the database.
func downtime(old, now *deployment.Service) string {
	switch {
	case now.Program == component.Unknown || now.Once || now.Restart.Str() == "no":
		return ""
	case old.Image != now.Image:
		return "seconds, or minutes if the new version changes its database first"
	}
	return "seconds"
}
