package kubernetes

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// misfit keeps what two places of the manifests say that does not go together.
func (c *cluster) misfit(unsure bool, fact, fix string, sites ...source.Site) {
	c.d.Misfits = append(c.d.Misfits, deployment.Misfit{Fact: fact, Fix: fix, Sites: sites, Unsure: unsure})
}

// fits looks whether what objects refer to within the manifests is there.
func (c *cluster) fits() {
	for _, p := range c.pods {
		if _, ok := templates[p.of.kind]; !ok {
			continue // one that an operator makes
		}
		c.ownLabels(p)
		for _, k := range p.containers {
			c.ownVolumes(p, k)
		}
		for _, told := range []func(*pod, *container) bool{c.asRoot, c.closed} {
			for _, k := range p.containers {
				if told(p, k) {
					break // what is wrong with the pod is one finding
				}
			}
		}
		c.misnamed(p)
		c.claimed(p)
		c.beside(p)
	}
	for _, o := range c.objects {
		switch {
		case o.kind == "Ingress":
			c.certified(o)
		case o.kind == "ScheduledBackup" && o.group == cnpg:
			c.backedUp(o)
		}
	}
}

// ownLabels has a workload select the pods that it makes.
func (c *cluster) ownLabels(p *pod) {
	for key, v := range p.of.At("spec", "selector", "matchLabels").Entries() {
		own := p.labels.At(key.Str())
		if own.Exists() && own.Str() == v.Str() {
			continue
		}
		at := own
		if !own.Exists() {
			at = p.labels
		}
		c.misfit(false, fmt.Sprintf("the %s %s selects pods by %s, and those that it makes have another; it is refused when it is applied", p.of.kind, p.of.name, key.Str()), "the same in selector and in the labels of the template",
			v.Site(""), at.Site("the labels of its pods"))
		return
	}
}

// ownVolumes has each mount be of a volume of the pod.
func (c *cluster) ownVolumes(p *pod, k *container) {
	var names []string
	for _, v := range p.spec.At("volumes").Items() {
		names = append(names, v.At("name").Str())
	}
	for _, v := range p.of.At("spec", "volumeClaimTemplates").Items() {
		names = append(names, v.At("metadata", "name").Str())
	}
	for _, at := range k.at.At("volumeMounts").Items() {
		name := at.At("name")
		if slices.Contains(names, name.Str()) {
			continue
		}
		fix := "an entry of that name in volumes"
		if near := finding.Nearest(name.Str(), names); near != "" {
			fix = "name: " + near
		}
		c.misfit(false, fmt.Sprintf("%s mounts the volume %s, and its pod has none of that name; it is refused when it is applied", k.Service.Name, name.Str()), fix, name.Site(""), p.spec.At("volumes").Site("its volumes"))
	}
}

// asRoot tells of a container that must not run as root, and would.
func (c *cluster) asRoot(p *pod, k *container) (told bool) {
	must, user := secured(p, k.at, "runAsNonRoot"), secured(p, k.at, "runAsUser")
	if !must.True() {
		return false
	}
	own := "the user of the program"
	if uid, _, ok := strings.Cut(k.Component().User, ":"); ok {
		own = uid
	}
	switch {
	case user.Str() == "0":
		c.misfit(false, fmt.Sprintf("%s is to run as root, and must not (runAsNonRoot); its container is not made", k.Service.Name), "runAsUser: "+own, user.Site(""), must.Site("must not run as root"))
	case !user.Set() && k.Component().Start != component.AsItself:
		c.misfit(false, fmt.Sprintf("%s must not run as root (runAsNonRoot), and its image begins as root; its container is not made", k.Service.Name), "runAsUser: "+own, must.Site(""), k.at.At("image").Site("begins as root"))
	default:
		return false
	}
	return true
}

// closed tells of files that belong to root, with a mode that keeps the user of a container out: what a pod without fsGroup mounts.
func (c *cluster) closed(p *pod, k *container) (told bool) {
	uid, gid, at, known := k.User()
	user := secured(p, k.at, "runAsUser")
	if group := secured(p, k.at, "runAsGroup"); group.Set() {
		gid, _ = strconv.Atoi(group.Str())
	} else if user.Set() {
		gid = -1 // the group of that user in the image, which may be root's
	}
	groups := deployment.ItemTexts(p.spec.At("securityContext", "supplementalGroups"))
	if !known || uid == 0 || !user.Set() && k.Component().Start != component.AsItself || p.spec.At("securityContext", "fsGroup").Set() {
		return false
	}
	for _, v := range p.spec.At("volumes").Items() {
		mounted := slices.ContainsFunc(k.at.At("volumeMounts").Items(), func(m source.Value) bool { return m.At("name").Str() == v.At("name").Str() })
		for _, kind := range []string{"secret", "configMap", "projected"} {
			of := v.At(kind)
			mode, err := strconv.ParseInt(of.At("defaultMode").Str(), 0, 32)
			groupReads := mode&0o040 != 0 && (gid <= 0 || slices.Contains(groups, "0"))
			if !mounted || err != nil || mode&0o004 != 0 || groupReads || ownModes(of) {
				continue
			}
			group := cmp.Or(max(gid, 0), uid)
			c.misfit(false, fmt.Sprintf("%s runs as user %d, and the files of its volume %s belong to root, who alone may read them by their mode %04o; what reads them gets permission denied", k.Service.Name, uid, v.At("name").Str(), mode),
				fmt.Sprintf("fsGroup: %d in the securityContext of the pod", group), of.At("defaultMode").Site(""), at.Site("runs as this user"))
			return true
		}
	}
	return false
}

// misnamed tells of a Secret or ConfigMap that is not here, where one of nearly its name is that no pod asks for.
func (c *cluster) misnamed(p *pod) {
	for _, ref := range c.refs(p) {
		if ref.optional || c.lookup(ref.kind, p.of.namespace, ref.at.Str()) != nil {
			continue
		}
		var idle []string
		for _, k := range c.contents {
			if k.kind == ref.kind && k.in(p.of.namespace) && !c.asked(k) {
				idle = append(idle, k.name)
			}
		}
		if near := finding.Nearest(ref.at.Str(), idle); near != "" {
			k := c.lookup(ref.kind, p.of.namespace, near)
			c.misfit(true, fmt.Sprintf("%s asks for the %s %s, which is not among the manifests, and for %s, which is, no pod asks; unless it is in the cluster already, its pod does not start", p.of.name, ref.kind, ref.at.Str(), near),
				ref.key+": "+near, ref.at.Site(""), k.At("metadata", "name").Site("no pod asks for it"))
			return
		}
	}
}

// ref is where a pod names a Secret or ConfigMap.
type ref struct {
	kind, key string
	at        source.Value
	optional  bool
}

// refs are those of a pod, in its volumes and in the variables of its containers.
func (c *cluster) refs(p *pod) (all []ref) {
	add := func(kind string, of source.Value, name string) {
		if of.At(name).Set() {
			all = append(all, ref{kind, name, of.At(name), of.At("optional").True()})
		}
	}
	for _, v := range p.spec.At("volumes").Items() {
		add("Secret", v.At("secret"), "secretName")
		add("ConfigMap", v.At("configMap"), "name")
		for _, from := range v.At("projected", "sources").Items() {
			add("Secret", from.At("secret"), "name")
			add("ConfigMap", from.At("configMap"), "name")
		}
	}
	for _, k := range p.containers {
		for _, from := range k.at.At("envFrom").Items() {
			add("Secret", from.At("secretRef"), "name")
			add("ConfigMap", from.At("configMapRef"), "name")
		}
		for _, v := range k.at.At("env").Items() {
			add("Secret", v.At("valueFrom", "secretKeyRef"), "name")
			add("ConfigMap", v.At("valueFrom", "configMapKeyRef"), "name")
		}
	}
	return all
}

// asked reports whether a pod names a Secret or ConfigMap. What else asks for one is not looked for: what is not asked for is not told by itself.
func (c *cluster) asked(k *content) bool {
	return slices.ContainsFunc(c.pods, func(p *pod) bool {
		return k.in(p.of.namespace) && slices.ContainsFunc(c.refs(p), func(r ref) bool { return r.kind == k.kind && r.at.Str() == k.name })
	})
}

// claimed tells of a claim that is not here, where one of nearly its name is, or where it is the only one that is missing and one alone is
// mounted by nobody. Of several, each may be in the cluster already.
func (c *cluster) claimed(p *pod) {
	for _, at := range claimsOf(p) {
		if c.claim(p.of, at.Str()) != nil {
			continue
		}
		if near := finding.Nearest(at.Str(), c.claims(p.of.namespace)); near != "" {
			c.misfit(true, fmt.Sprintf("%s waits for the claim %s, which is not among the manifests; unless it is in the cluster already, its pod stays Pending", p.of.name, at.Str()), "claimName: "+near, at.Site(""), c.claim(p.of, near).At("metadata", "name").Site("one that is here"))
			continue
		}
		if spare := c.spare(p, at.Str()); spare != nil {
			c.misfit(true, fmt.Sprintf("%s waits for the claim %s, which is not among the manifests, and %s, which is, nobody mounts; unless it is in the cluster already, its pod stays Pending", p.of.name, at.Str(), spare.name),
				"claimName: "+spare.name, at.Site(""), spare.At("metadata", "name").Site("nobody mounts it"))
		}
	}
}

// claimsOf are the names of the claims that a pod mounts.
func claimsOf(p *pod) (all []source.Value) {
	for _, v := range p.spec.At("volumes").Items() {
		if at := v.At("persistentVolumeClaim", "claimName"); at.Set() {
			all = append(all, at)
		}
	}
	return all
}

// spare is the claim that nobody mounts, where there is one, and the pods of the namespace miss no other claim than the named one.
func (c *cluster) spare(p *pod, missing string) *object {
	for _, o := range c.pods {
		if o.of.in(p.of.namespace) && slices.ContainsFunc(claimsOf(o), func(at source.Value) bool { return at.Str() != missing && c.claim(o.of, at.Str()) == nil }) {
			return nil
		}
	}
	var all []*object
	for _, o := range c.objects {
		if o.kind == "PersistentVolumeClaim" && o.in(p.of.namespace) && !c.mounted(o) {
			all = append(all, o)
		}
	}
	if len(all) != 1 {
		return nil
	}
	return all[0]
}

// claims are the names of those of a namespace.
func (c *cluster) claims(namespace string) (names []string) {
	for _, o := range c.objects {
		if o.kind == "PersistentVolumeClaim" && o.in(namespace) {
			names = append(names, o.name)
		}
	}
	return names
}

func (c *cluster) claim(by *object, name string) *object {
	i := slices.IndexFunc(c.objects, func(o *object) bool { return o.kind == "PersistentVolumeClaim" && o.name == name && o.in(by.namespace) })
	if i < 0 {
		return nil
	}
	return c.objects[i]
}

func (c *cluster) mounted(claim *object) bool {
	return slices.ContainsFunc(c.pods, func(p *pod) bool {
		return claim.in(p.of.namespace) && slices.ContainsFunc(claimsOf(p), func(at source.Value) bool { return at.Str() == claim.name })
	})
}

// beside tells of a pod that has to run beside one which is not here.
func (c *cluster) beside(p *pod) {
	for _, term := range p.spec.At("affinity", "podAffinity", "requiredDuringSchedulingIgnoredDuringExecution").Items() {
		at := term.At("labelSelector")
		if term.At("namespaces").Set() || term.At("namespaceSelector").Exists() || !at.Set() {
			continue
		}
		meant := func(o *pod) bool { return o.of.in(p.of.namespace) && matches(at, o.labels) != no }
		if !slices.ContainsFunc(c.pods, meant) {
			c.misfit(true, fmt.Sprintf("%s has to run beside pods by labels that none here has; unless there are others in the cluster, it stays Pending", p.of.name), "the labels of the pod that is meant", at.Site(""))
		}
	}
}

// certified tells of a host of an Ingress that has no certificate, where a certificate is for a host that has no rule.
func (c *cluster) certified(o *object) {
	var hosts, certified []source.Value
	for _, rule := range o.At("spec", "rules").Items() {
		if h := rule.At("host"); h.Set() {
			hosts = append(hosts, h)
		}
	}
	for _, tls := range o.At("spec", "tls").Items() {
		certified = append(certified, tls.At("hosts").Items()...)
	}
	covers := func(certificate, host string) bool {
		_, domain, _ := strings.Cut(host, ".")
		return certificate == host || certificate == "*."+domain
	}
	var bare, idle []source.Value
	for _, h := range hosts {
		if !slices.ContainsFunc(certified, func(t source.Value) bool { return covers(t.Str(), h.Str()) }) {
			bare = append(bare, h)
		}
	}
	for _, t := range certified {
		if !slices.ContainsFunc(hosts, func(h source.Value) bool { return covers(t.Str(), h.Str()) }) {
			idle = append(idle, t)
		}
	}
	if len(bare) > 0 && len(idle) > 0 {
		c.misfit(true, fmt.Sprintf("the Ingress %s has a certificate for %s, which no rule is for, and none for %s; unless its controller has one for all, clients refuse the connection", o.name, idle[0].Str(), bare[0].Str()),
			"hosts: ["+source.Quote(bare[0].Str())+"]", idle[0].Site(""), bare[0].Site("no certificate"))
	}
}

// backedUp tells of a backup of a Cluster that is not here, where there is one that nobody backs up.
func (c *cluster) backedUp(o *object) {
	at := o.At("spec", "cluster", "name")
	of := func(name string) int {
		return slices.IndexFunc(c.objects, func(k *object) bool {
			return k.kind == "Cluster" && k.group == cnpg && k.in(o.namespace) && (k.name == name || name == "")
		})
	}
	if i := of(""); of(at.Str()) < 0 && i >= 0 {
		c.misfit(true, fmt.Sprintf("the ScheduledBackup %s is of the Cluster %s, which is not among the manifests; unless it is in the cluster, nothing is backed up", o.name, at.Str()), "name: "+c.objects[i].name, at.Site(""), c.objects[i].At("metadata", "name").Site("one that is here"))
	}
}

// shown is what lets others than its owner read a file of a volume of a Secret or ConfigMap: the group of the pod, for which kubelet
// opens each of them, or the mode. Where single files have modes of their own it is not told.
func shown(p *pod, v source.Value) deployment.Leaf {
	group := p.spec.At("securityContext", "fsGroup")
	for _, kind := range []string{"secret", "configMap", "projected"} {
		at := v.At(kind, "defaultMode")
		mode, err := strconv.ParseInt(at.Str(), 0, 32) // 0400 is octal for YAML as Kubernetes reads it
		switch {
		case !v.At(kind).Set():
		case group.Set():
			return deployment.LeafOf(group)
		case ownModes(v.At(kind)):
		case !at.Set():
			return deployment.LeafOf(v.At("name"))
		case err == nil && mode&0o077 != 0:
			return deployment.LeafOf(at)
		}
	}
	return deployment.Leaf{}
}

// ownModes reports whether one of the files of a volume has a mode of its own.
func ownModes(v source.Value) bool {
	for key, of := range v.Entries() {
		if key.Str() == "mode" || ownModes(of) {
			return true
		}
	}
	return slices.ContainsFunc(v.Items(), ownModes)
}
