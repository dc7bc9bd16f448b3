package compose

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// unhashed are the keys of a service that are not part of the hash by which Compose decides whether to
// recreate it (docker compose v5.6.0, pkg/compose/hash.go).
var unhashed = []string{"build", "depends_on", "profiles", "pull_policy", "scale"}

// notices are what Compose sees of a service that is another one than before, and recreates it for.
func (p *Project) notices(d, before *deployment.Deployment, service string) (all []deployment.Notice) {
	was := func(keys ...string) source.Value {
		if old := Of(before); old != nil {
			return old.File.At(keys...)
		}
		return source.Value{}
	}
	for key, v := range source.Both(was("services", service), p.File.At("services", service)) {
		switch {
		case slices.Contains(unhashed, key), v.Old.Equal(v.Now) && v.Old.Exists(), key == "deploy" && sameButReplicas(v):
		case key == "labels" || key == "environment":
			all = append(all, entries(strings.TrimSuffix(key, "s"), v))
		default:
			all = append(all, deployment.Notice{Key: key})
		}
	}
	// Not hashed, but looked at all the same (pkg/compose/reconcile.go, mustRecreate).
	s := d.Service(service)
	for _, kind := range []string{"networks", "volumes"} {
		for key, v := range source.Both(was(kind), p.File.At(kind)) {
			if v.Old.Exists() && !v.Old.Equal(v.Now) && uses(s, kind, key) {
				all = append(all, deployment.Notice{Key: strings.TrimSuffix(kind, "s"), Names: []string{key}})
			}
		}
	}
	return all
}

func uses(s *deployment.Service, kind, name string) bool {
	if kind == "networks" {
		return slices.Contains(s.Networks, name)
	}
	return slices.ContainsFunc(s.Mounts, func(m deployment.Mount) bool { return m.Source == name })
}

// sameButReplicas compares the deploy section as Compose hashes it.
func sameButReplicas(v source.Pair) bool {
	for key, e := range source.Both(v.Old, v.Now) {
		if key != "replicas" && (!e.Old.Exists() || !e.Old.Equal(e.Now)) {
			return false
		}
	}
	return true
}

// entries are the labels or variables that differ.
func entries(kind string, v source.Pair) deployment.Notice {
	n := deployment.Notice{Key: kind, Whole: v.Old.Kind() == source.Sequence || v.Now.Kind() == source.Sequence}
	mapping := func(v source.Value) source.Value {
		if v.Kind() == source.Mapping {
			return v
		}
		return source.Value{}
	}
	for _, e := range source.Both(mapping(v.Old), mapping(v.Now)) {
		if !e.Old.Exists() || !e.Old.Equal(e.Now) {
			n.Names = append(n.Names, e.Key.Shown())
		}
	}
	return n
}
