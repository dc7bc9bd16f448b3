package kubernetes

import (
	"slices"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// notices are what about the template of its pods is another one than before, for which the cluster makes them anew. What a Secret or
// ConfigMap holds is not among it: pods go on with what they have read.
func (c *cluster) notices(before *deployment.Deployment, service string) (all []deployment.Notice) {
	old, _ := before.ReadFrom.(*cluster)
	if old == nil {
		return nil
	}
	was, is := old.podOf(service), c.podOf(service)
	if was == nil || is == nil {
		return nil
	}
	if was.of.kind != is.of.kind {
		all = append(all, deployment.Notice{Key: "kind", Names: []string{was.of.kind, is.of.kind}})
	}
	where := append(slices.Clone(templates[is.of.kind]), "metadata")
	for _, kind := range []string{"annotations", "labels"} {
		if n := named("label", was.of.At(append(slices.Clone(where), kind)...), is.of.At(append(slices.Clone(where), kind)...)); len(n.Names) > 0 {
			all = append(all, n)
		}
	}
	for key, v := range source.Both(was.spec, is.spec) {
		switch {
		case v.Old.Exists() && v.Old.Equal(v.Now):
		case key == "containers":
			all = append(all, containers(v.Old, v.Now)...)
		default:
			all = append(all, deployment.Notice{Key: key})
		}
	}
	return all
}

// podOf is that of a service.
func (c *cluster) podOf(service string) *pod {
	i := slices.IndexFunc(c.pods, func(p *pod) bool {
		return slices.ContainsFunc(p.containers, func(k *container) bool { return k.Service.Name == service })
	})
	if i < 0 {
		return nil
	}
	return c.pods[i]
}

// containers are what differs in those of a pod.
func containers(old, now source.Value) (all []deployment.Notice) {
	if old.Len() != now.Len() {
		return []deployment.Notice{{Key: "containers"}}
	}
	before := old.Items()
	for i, k := range now.Items() {
		for key, v := range source.Both(before[i], k) {
			switch {
			case v.Old.Exists() && v.Old.Equal(v.Now):
			case key == "env":
				all = append(all, variables(v))
			default:
				all = append(all, deployment.Notice{Key: key})
			}
		}
	}
	return all
}

// variables are those that differ.
func variables(v source.Pair) deployment.Notice {
	n := deployment.Notice{Key: "environment"}
	of := func(list source.Value, name string) source.Value {
		for _, item := range list.Items() {
			if item.At("name").Str() == name {
				return item
			}
		}
		return source.Value{}
	}
	add := func(name string) {
		if !slices.Contains(n.Names, name) {
			n.Names = append(n.Names, name)
		}
	}
	for _, item := range v.Now.Items() {
		if name := item.At("name").Str(); !of(v.Old, name).Equal(item) {
			add(name)
		}
	}
	for _, item := range v.Old.Items() {
		if name := item.At("name").Str(); !of(v.Now, name).Exists() {
			add(name)
		}
	}
	return n
}

// named are the keys that differ.
func named(key string, old, now source.Value) deployment.Notice {
	n := deployment.Notice{Key: key}
	for _, v := range source.Both(old, now) {
		if !v.Old.Exists() || !v.Old.Equal(v.Now) {
			n.Names = append(n.Names, v.Key.Shown())
		}
	}
	return n
}
