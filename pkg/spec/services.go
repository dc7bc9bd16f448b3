package spec

import (
	"cmp"
	"fmt"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// ServiceOf is what the compose file calls the service of a program.
func (s *Spec) ServiceOf(p component.Program) string {
	c, _ := s.Component(p)
	return cmp.Or(c.Service, string(p))
}

// checkNames refuses two services, or two containers, of one name, and an image that is laid onto a rendered service: it would
// be another program with the configuration of this one.
func (s *Spec) checkNames(d *decoder) {
	services, containers := make(map[string]source.Value), make(map[string]source.Value)
	for _, c := range component.All {
		program, on := s.Component(c.Program)
		if !on {
			continue
		}
		at := s.At(Section(c.Program)...)
		unique := func(taken map[string]source.Value, name, key, what string) {
			other, ok := taken[name]
			if !ok {
				taken[name] = at.At(key)
				return
			}
			here := at.At(key)
			if !here.Exists() { // the one to edit is the one that is written
				here, other = other, here
			}
			if others := other.Site("the other"); other.Exists() {
				d.fail(here, fmt.Sprintf("two %s are called %s; Compose can have one of that name", what, quote(name)), "another name, or remove the line for the default", others)
			} else {
				d.fail(here, fmt.Sprintf("%s is called %s, as another rendered service is; Compose can have one of that name", here.Path(), quote(name)), "another name, or remove the line for the default")
			}
		}
		unique(services, s.ServiceOf(c.Program), "service", "services")
		for _, job := range c.Jobs {
			if other, ok := services[job.Name]; ok {
				d.fail(other, fmt.Sprintf("%s is called %s, as a rendered service that runs once is; Compose can have one of that name", other.Path(), quote(job.Name)), "another name, or remove the line for the default")
			}
			services[job.Name] = source.Value{}
		}
		if program.ContainerName != "" {
			unique(containers, program.ContainerName, "container_name", "containers")
		}
		if v := s.At("compose", "extra", "services", s.ServiceOf(c.Program), "image"); v.Exists() {
			d.fail(v, fmt.Sprintf("%s is the service of %s, which is rendered; with another image it would be another program with that one's files", quote(s.ServiceOf(c.Program)), c.Title),
				strings.Join(Section(c.Program), ".")+".image and version, where it is the same program; another name for the service, where it is not")
		}
	}
}
