package kubernetes

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// environment reads the variables of a container: those of env win over those of envFrom, and a later one over an earlier. The place of
// a variable is where its value stands.
func (c *cluster) environment(p *pod, s *deployment.Service, v source.Value) {
	var all []deployment.Variable
	for _, from := range v.At("envFrom").Items() {
		for ref, kind := range map[string]string{"secretRef": "Secret", "configMapRef": "ConfigMap"} {
			if at := from.At(ref); at.Set() {
				all = append(all, c.allOf(p, s, from, at, kind)...)
			}
		}
	}
	known := func(name string) (string, bool) {
		i := slices.IndexFunc(all, func(v deployment.Variable) bool { return v.Name == name && v.Hidden == "" })
		if i < 0 {
			return "", false
		}
		return all[i].Text, true
	}
	for _, item := range v.At("env").Items() {
		is := deployment.Variable{Name: item.At("name").Str(), At: deployment.LeafOf(item.At("value"))}
		from := item.At("valueFrom")
		switch {
		case from.At("secretKeyRef").Set():
			c.keyed(p, s, &is, from.At("secretKeyRef"), "Secret")
		case from.At("configMapKeyRef").Set():
			c.keyed(p, s, &is, from.At("configMapKeyRef"), "ConfigMap")
		case from.Set():
			is.Hidden = is.Name + " is known only in the cluster"
		default:
			is.Text = dollars(item.At("value").Str(), known)
			is.At = deployment.Filled(item.At("value"), is.Text, true)
		}
		all = slices.Insert(all, 0, is)
	}
	s.Variables = all
}

// keyed gives a variable what stands at one key of a Secret or ConfigMap.
func (c *cluster) keyed(p *pod, s *deployment.Service, is *deployment.Variable, ref source.Value, kind string) {
	name, key := ref.At("name").Str(), ref.At("key").Str()
	is.At = deployment.LeafOf(ref.At("key"))
	k := c.lookup(kind, p.of.namespace, name)
	switch {
	case k == nil:
		is.Hidden = is.Name + " is of the " + kind + " " + name + ", which is not among the manifests"
	case k.why != "":
		is.Hidden = is.Name + " cannot be seen: " + k.why
	case k.of[key] == nil:
		is.Hidden = is.Name + " stands at " + key + " of the " + kind + " " + name + ", which has no such key"
		c.lacks(s, ref, k, key)
	case k.of[key].why != "":
		is.Hidden = is.Name + " cannot be seen: " + k.of[key].why
	default:
		is.Text, is.At = k.of[key].text, k.of[key].leaf()
	}
}

// leaf is the text of an entry at the place where it stands.
func (e *entry) leaf() deployment.Leaf {
	if e.text == e.at.Str() {
		return deployment.LeafOf(e.at)
	}
	n := e.at.Node()
	return deployment.LeafOf(source.Join(source.NewText(n, e.text)).Root())
}

// allOf are the variables of envFrom, those that count first at the front.
func (c *cluster) allOf(p *pod, s *deployment.Service, from, ref source.Value, kind string) (all []deployment.Variable) {
	name := ref.At("name").Str()
	k := c.lookup(kind, p.of.namespace, name)
	switch {
	case k == nil:
		s.EnvUnread = missing(kind, name)
		return nil
	case k.why != "":
		s.EnvUnread = k.why
		return nil
	}
	for _, key := range k.keys {
		e := k.of[key]
		is := deployment.Variable{Name: from.At("prefix").Str() + key, Text: e.text, At: e.leaf()}
		if e.why != "" {
			is.Hidden = is.Name + " cannot be seen: " + e.why
		}
		if !strings.ContainsAny(is.Name, "= ") {
			all = append(all, is)
		}
	}
	return all
}

// lacks keeps that a key is named which is not there, for which kubelet does not start the container.
func (c *cluster) lacks(s *deployment.Service, ref source.Value, k *content, key string) {
	if ref.At("optional").True() {
		return
	}
	c.d.Keyless = append(c.d.Keyless, deployment.Keyless{Service: s, Key: key, At: deployment.LeafOf(ref), Of: k.kind + " " + k.name, OfAt: deployment.LeafOf(k.At("metadata", "name")), Keys: slices.Clone(k.keys)})
}
