package kubernetes

import (
	"path"
	"slices"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/source"
)

// volume is one of a pod: the directory in which its files lie, or why there is none.
type volume struct {
	at       source.Value
	host     string
	why      string
	source   string
	fleeting bool
	readOnly bool
	shown    deployment.Leaf
	sealed   map[string]string // why single files of it cannot be seen, by their path in it
}

// mounts reads what a container finds where.
func (c *cluster) mounts(p *pod, s *deployment.Service, v source.Value) {
	for _, at := range v.At("volumeMounts").Items() {
		name, sub := at.At("name").Str(), at.At("subPath").Str()
		vol := c.volume(p, s, name)
		m := deployment.Mount{
			Container: path.Join("/", at.At("mountPath").Str()), Reason: vol.why, Source: path.Join(vol.source, sub), At: deployment.LeafOf(at), SourceAt: deployment.LeafOf(vol.at),
			ReadOnly: vol.readOnly || at.At("readOnly").True(), Fleeting: vol.fleeting, Shown: vol.shown,
		}
		if vol.host != "" {
			m.Host = path.Join(vol.host, sub)
		}
		if at.At("subPathExpr").Set() {
			m.Host, m.Reason = "", "its subPathExpr is known only in the cluster"
		}
		s.Mounts = append(s.Mounts, m)
		for file, why := range vol.sealed {
			hidden := m
			hidden.Host, hidden.Reason = "", why
			switch {
			case sub == "":
				hidden.Container = path.Join(m.Container, file)
			case sub != file:
				continue
			}
			s.Mounts = append(s.Mounts, hidden)
		}
	}
}

// volume follows the name of one.
func (c *cluster) volume(p *pod, s *deployment.Service, name string) volume {
	for _, claim := range p.of.At("spec", "volumeClaimTemplates").Items() {
		if claim.At("metadata", "name").Str() == name {
			return volume{at: claim.At("metadata", "name"), why: "it is the volume claim " + name, source: name}
		}
	}
	for _, v := range p.spec.At("volumes").Items() {
		if v.At("name").Str() == name {
			vol := c.volumeAt(p, s, v)
			vol.at, vol.shown = v.At("name"), shown(p, v)
			return vol
		}
	}
	return volume{why: "the volume " + name + deployment.IsUndefined}
}

func (c *cluster) volumeAt(p *pod, s *deployment.Service, v source.Value) volume {
	name := v.At("name").Str()
	switch {
	case v.At("secret").Set():
		return c.projection(p, s, "Secret", v.At("secret", "secretName"), v.At("secret"))
	case v.At("configMap").Set():
		return c.projection(p, s, "ConfigMap", v.At("configMap", "name"), v.At("configMap"))
	case v.At("projected").Set():
		return c.projected(p, s, v.At("projected"))
	case v.At("persistentVolumeClaim").Set():
		claim := v.At("persistentVolumeClaim", "claimName").Str()
		return volume{why: "it is the volume claim " + claim, source: path.Join(p.of.namespace, claim), readOnly: v.At("persistentVolumeClaim", "readOnly").True()}
	case v.At("hostPath").Set():
		dir := v.At("hostPath", "path").Str()
		return volume{why: dir + " is on the node", source: dir}
	case v.At("emptyDir").Exists():
		return volume{why: "it is an emptyDir", source: p.of.name + " " + name, fleeting: true}
	}
	return volume{why: "what the volume " + name + " holds is known only in the cluster", source: name}
}

// projection is a whole Secret or ConfigMap, or those keys that items name under the paths that they give.
func (c *cluster) projection(p *pod, s *deployment.Service, kind string, named, at source.Value) volume {
	k := c.lookup(kind, p.of.namespace, named.Str())
	switch {
	case k == nil:
		return volume{why: missing(kind, named.Str()), readOnly: true}
	case k.why != "":
		return volume{why: k.why, readOnly: true}
	}
	vol := volume{host: k.dir, readOnly: true, sealed: make(map[string]string)}
	if at.At("items").Len() > 0 {
		vol.host = c.dirOf(p, k.dir, at)
		c.link(s, k, at, vol.host, vol.sealed)
		return vol
	}
	for _, key := range k.keys {
		if why := k.of[key].why; why != "" {
			vol.sealed[key] = why
		}
	}
	return vol
}

// projected is a volume of several: each file lies where the last of them puts it.
func (c *cluster) projected(p *pod, s *deployment.Service, at source.Value) volume {
	vol := volume{host: c.dirOf(p, "projected", at), readOnly: true, sealed: make(map[string]string)}
	for _, from := range at.At("sources").Items() {
		for ref, kind := range map[string]string{"secret": "Secret", "configMap": "ConfigMap"} {
			one := from.At(ref)
			if !one.Set() {
				continue
			}
			k := c.lookup(kind, p.of.namespace, one.At("name").Str())
			switch {
			case k == nil:
				return volume{why: missing(kind, one.At("name").Str()), readOnly: true}
			case k.why != "":
				return volume{why: k.why, readOnly: true}
			}
			c.link(s, k, one, vol.host, vol.sealed)
		}
	}
	return vol
}

// dirOf is a directory of its own for a volume that has not what its Secret has, once for each place.
func (c *cluster) dirOf(p *pod, dir string, at source.Value) string {
	pos := at.Pos()
	name := path.Join(dir, "for "+p.of.name)
	for i := 'a'; slices.ContainsFunc(c.files, func(f memfs.File) bool { return f.Path == name }); i++ {
		if c.laid[name] == pos {
			return name
		}
		name = path.Join(dir, "for "+p.of.name+" "+string(i))
	}
	if c.laid == nil {
		c.laid = make(map[string]source.Pos)
	}
	c.laid[name] = pos
	c.files = append(c.files, memfs.File{Path: name})
	return name
}

// link puts the keys of a Secret or ConfigMap into a directory: all, or those that items name.
func (c *cluster) link(s *deployment.Service, k *content, at source.Value, dir string, sealed map[string]string) {
	put := func(key, to string) {
		e := k.of[key]
		if e.why != "" {
			sealed[to] = e.why
			return
		}
		name := path.Join(dir, to)
		c.files = append(c.files, memfs.File{Path: name, Data: []byte(e.text)})
		own := path.Join(k.dir, key)
		c.d.Holders[name] = c.d.Holders[own]
		if findings := c.d.Faults[own]; findings != nil {
			c.d.Faults[name] = findings
		} else if f := c.d.Held(own); f != nil {
			c.d.Add(name, f)
		}
	}
	if at.At("items").Len() == 0 {
		for _, key := range k.keys {
			put(key, key)
		}
		return
	}
	for _, item := range at.At("items").Items() {
		key := item.At("key").Str()
		if k.of[key] == nil {
			c.lacks(s, item, k, key)
			continue
		}
		put(key, path.Clean(item.At("path").Str()))
	}
}
