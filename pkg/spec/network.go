package spec

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Network is one of Docker's that a service is in besides those of the stack. In a spec it may be one text, its name.
type Network struct {
	// Name of the network. It exists already.
	Name string `yaml:"name" jsonschema:"required,pattern=^[a-zA-Z0-9][a-zA-Z0-9_.-]*$" form:"the name of a network as docker network ls has it, such as monitoring" example:"monitoring"`
	// Aliases are what others call the service in it, besides its own name.
	Aliases []string `yaml:"aliases,omitempty" example:"matrix"`
}

// alone are the programs that are to be in no network but the one that they are rendered in, and why.
var alone = map[component.Program]string{
	component.LiveKit: "its answers to calls would come from its address in one of them, and clients wait for another",
	component.Coturn:  "who makes a call could reach what is in it",
}

// Alone reports whether a program is to be in no network but the one that it is rendered in.
func Alone(p component.Program) bool { return alone[p] != "" }

// checkPlaces refuses users that a program does not run as, and networks that it is not to be in.
func (s *Spec) checkPlaces(d *decoder) {
	for _, c := range component.All {
		program, on := s.Component(c.Program)
		if !on {
			continue
		}
		at := s.At(Section(c.Program)...)
		checkUser(d, at.At("user"), program.User, true)
		if why := alone[c.Program]; why != "" && len(program.Networks) > 0 {
			d.fail(at.At("networks"), fmt.Sprintf("%s is to be in no other network: %s", c.Title, why), "remove the line")
			continue
		}
		checkNetworks(d, at.At("networks"), program.Networks)
	}
}

// checkUser refuses a user that no container starts as and, of a program whose files are rendered for one user, root.
func checkUser(d *decoder, at source.Value, user string, rendered bool) {
	uid, gid, ok := strings.Cut(user, ":")
	switch {
	case !ok:
	case exceeds(uid, maxID) || exceeds(gid, maxID):
		d.fail(at, fmt.Sprintf("%s holds a number above %d; no container starts as such a user", at.Path(), maxID), `user: "1000:1000"`)
	case rendered && strings.Trim(uid, "0") == "":
		d.fail(at, at.Path()+" is root; its image would become another user then, who could not read its files", `user: "1000:1000"`)
	}
}

// checkNetworks refuses the names of the stack's own networks, and one network twice.
func checkNetworks(d *decoder, at source.Value, list []Network) {
	for i, item := range at.Items() {
		name := item
		if item.Kind() == source.Mapping {
			name = item.At("name")
		}
		if i >= len(list) {
			continue
		}
		if n := list[i]; n.Name == "stack" || n.Name == "ingress" {
			d.fail(name, name.Path()+" is what the stack calls a network of its own; the service is in it anyway, or as its routes want", "remove the line")
		} else if slices.ContainsFunc(list[:i], func(o Network) bool { return o.Name == n.Name }) {
			d.fail(name, fmt.Sprintf("%s names %s once more; a service is in a network once", name.Path(), quote(n.Name)), "remove one of the two")
		}
		for _, alias := range item.At("aliases").Items() {
			if !networkName().MatchString(alias.Str()) {
				d.fail(alias, alias.Path()+" is no name by which a container can be called", "aliases: [matrix]")
			}
		}
	}
}
