package deployment

import (
	"path"
	"slices"
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/source"
)

// index is what is looked up for every service or registration: by name, so that the cost grows with their number and
// not with its square. Each is made when it is first asked for, which is after what it is made of is complete.
type index struct {
	services      func() map[string]*Service
	awaited       func() map[*Service]bool
	named         func() map[string][]*Service
	networks      func() map[string]Network
	bridges       func() map[*Registration]*Bridge
	registrations func() map[*Bridge]*Registration
	misquoted     func() map[source.Pos]bool
}

func (d *Deployment) newIndex() index {
	return index{
		services: sync.OnceValue(func() map[string]*Service {
			services := make(map[string]*Service, len(d.Services))
			for _, s := range slices.Backward(d.Services) {
				services[s.Name] = s
			}
			return services
		}),
		awaited: sync.OnceValue(func() map[*Service]bool {
			awaited := make(map[*Service]bool)
			for _, s := range d.Services {
				for _, dep := range d.Dependencies(s) {
					if dep.Condition == "service_completed_successfully" {
						awaited[dep.On] = true
					}
				}
			}
			return awaited
		}),
		named: sync.OnceValue(func() map[string][]*Service {
			named := make(map[string][]*Service)
			for _, s := range slices.Concat(d.Services, d.operated) {
				for _, name := range s.Names() {
					if !slices.Contains(named[name], s) {
						named[name] = append(named[name], s)
					}
				}
			}
			return named
		}),
		networks: sync.OnceValue(func() map[string]Network {
			networks := make(map[string]Network)
			for _, n := range slices.Backward(d.Networks) {
				networks[n.Key] = n
			}
			return networks
		}),
		bridges: sync.OnceValue(d.bridgesOf),
		registrations: sync.OnceValue(func() map[*Bridge]*Registration {
			of := make(map[*Bridge]*Registration)
			for _, s := range d.Synapses {
				for _, r := range s.Registrations {
					if b := d.BridgeOf(r); b != nil && of[b] == nil {
						of[b] = r
					}
				}
			}
			return of
		}),
		misquoted: sync.OnceValue(func() map[source.Pos]bool {
			at := make(map[source.Pos]bool)
			for _, h := range d.Secrets() {
				if h.Unquoted() != "" {
					at[h.At.Pos()] = true
				}
			}
			return at
		}),
	}
}

// bridgesOf gives the bridge of every registration that a Synapse lists: by its token, or else its id, its file's or its
// service's name, or the program of the bridge.
func (d *Deployment) bridgesOf() map[*Registration]*Bridge {
	by := func(key ...string) map[string]*Bridge {
		first := make(map[string]*Bridge)
		for _, b := range slices.Backward(d.Bridges) {
			first[b.Config.At(key...).Str()] = b
		}
		delete(first, "")
		return first
	}
	tokens, ids := by("appservice", "as_token"), by("appservice", "id")
	of := make(map[*Registration]*Bridge)
	for _, s := range d.Synapses {
		having := make(map[string]int) // a token that several have, such as a mark that nobody replaced, tells none from another
		for _, r := range s.Registrations {
			having[r.At("as_token").Str()]++
		}
		for _, r := range s.Registrations {
			token := r.At("as_token").Str()
			if b := tokens[token]; b != nil && having[token] == 1 {
				of[r] = b
				continue
			}
			if b := ids[r.At("id").Str()]; b != nil {
				of[r] = b
				continue
			}
			url, id := r.At("url").Str(), r.At("id").Str()
			for _, same := range []func(*Bridge) bool{
				func(b *Bridge) bool {
					return path.Base(r.Path) == b.Name+".yaml" || strings.Contains(url, "//"+b.Name+":")
				},
				func(b *Bridge) bool { return b.Known() == id },
			} {
				if i := slices.IndexFunc(d.Bridges, same); i >= 0 {
					of[r] = d.Bridges[i]
					break
				}
			}
		}
	}
	return of
}
