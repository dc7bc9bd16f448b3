package diff

import (
	"maps"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/manifests"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// cluster reports whether a cluster runs the stack.
func (s side) cluster() bool { return s.deployment.Target == deployment.Kubernetes }

// workloads are the kinds that have pods, as kubectl calls them and as pieces do.
var workloads = [][2]string{{"statefulset", "StatefulSet"}, {"deployment", "Deployment"}, {"job", "Job"}}

// kubectl is that program in the namespace of the stack.
func (s side) kubectl() string {
	for _, of := range s.deployment.Services {
		if of.Namespace != "" {
			return "kubectl -n " + shell.Word(of.Namespace)
		}
	}
	return "kubectl"
}

// workload is what kubectl calls the one that runs a service.
func (s side) workload(name string) string {
	for _, kind := range workloads {
		if _, is := s.tree[kind[1]+"/"+name+".yaml"]; is {
			return kind[0] + "/" + shell.Word(name)
		}
	}
	return "pod/" + shell.Word(name)
}

func (s side) workloads(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		all[i] = s.workload(name)
	}
	return strings.Join(all, " ")
}

// command brings what runs to the new state.
func (s side) command(removed bool) string {
	switch {
	case s.cluster(): // whoever scaled something by hand has it from then on, and would keep it
		return "kubectl apply --server-side --force-conflicts -k ."
	case removed:
		return "docker compose up -d --remove-orphans"
	}
	return "docker compose up -d"
}

// chart has the Helm chart take values that are others.
func (c *comparison) chart(p *plan) {
	values := c.new.deployment.Chart
	if !values.Exists() || !slices.Contains(c.changed, values.File().Path) {
		return
	}
	p.then("then, in the same directory, with `-f` and your own values behind it where there are some: ", c.new.helm(values.File().Path))
}

// helm installs or upgrades the chart of ESS, called as its values want it.
func (s side) helm(values string) string {
	return "helm upgrade --install ess " + component.ESSChart + " --version " + component.ESSVersion + strings.TrimPrefix(s.kubectl(), "kubectl") + " -f " + shell.Path(values) + " --wait"
}

// stop stops services.
func (s side) stop(names ...string) string {
	if s.cluster() {
		return s.kubectl() + " scale --replicas=0 " + s.workloads(names)
	}
	return "docker compose stop " + shell.Words(names...)
}

// restart starts services again, whose files are as they were.
func (s side) restart(names ...string) string {
	if s.cluster() {
		return s.kubectl() + " rollout restart " + s.workloads(names)
	}
	return "docker compose restart " + shell.Words(names...)
}

// exec runs a program in the container of a service; what it is given is not from a terminal.
func (s side) exec(name string) string {
	if s.cluster() {
		return s.kubectl() + " exec " + s.workload(name) + " --"
	}
	return "docker compose exec -T " + shell.Word(name)
}

// logs shows what a service says.
func (s side) logs(name string) string {
	if s.cluster() {
		return s.kubectl() + " logs " + s.workload(name)
	}
	return "docker compose logs " + shell.Word(name)
}

// lasting are the kinds of objects that nobody is told to delete: what is kept, and what holds all else.
var lasting = []string{"PersistentVolumeClaim", "Cluster", "Namespace", "Job"}

// objects says what apply does not do: it leaves what is in no manifest any more, and changes no claim.
func (c *comparison) objects(p *plan) {
	if !c.new.cluster() || !c.old.cluster() {
		return
	}
	var gone []string
	asleep := "" // the Cluster that is no more
	for _, name := range c.changed {
		kind, _, _ := strings.Cut(name, "/")
		_, is := c.New[name]
		_, was := c.Old[name]
		switch {
		case strings.Count(name, "/") != 1 || path.Ext(name) != ".yaml":
		case !is && !slices.Contains(lasting, kind):
			gone = append(gone, strings.ToLower(kind)+"/"+shell.Word(strings.TrimSuffix(path.Base(name), ".yaml")))
		case was && kind == "Cluster" && !is:
			of := strings.TrimSuffix(path.Base(name), ".yaml")
			asleep = of
			p.then("the Cluster ", of, " stays with what it keeps, and its volumes end with it; when nobody needs them any more: ", c.old.kubectl(), " delete cluster.postgresql.cnpg.io/", shell.Word(of))
		case was && kind == "PersistentVolumeClaim":
			c.claim(p, name, is)
		}
	}
	if a, b := c.old.operated(), c.new.operated(); a != b && (postgres(c.old.deployment) != nil || postgres(c.new.deployment) != nil) {
		p.first("bring the databases from the PostgreSQL that runs into the new one, which is empty, while everything else is stopped (pg_dump there and pg_restore here, RUNBOOK.md): nothing else does, and every program would begin with an empty one")
	}
	if asleep != "" && postgres(c.new.deployment) != nil {
		p.first("when its databases are dumped, put the Cluster ", asleep, " to sleep, since its pods are called as those of the new one, and its Service would lead to both: ", c.old.kubectl(), " annotate --overwrite cluster.postgresql.cnpg.io/", shell.Word(asleep), " cnpg.io/hibernation=on")
	}
	if old, now := c.old.ways(), c.new.ways(); len(old) > 0 && len(now) > 0 && !slices.Equal(old, now) {
		p.first("requests come by ", strings.Join(now, " and "), " from now on, and no longer by ", strings.Join(old, " and "), ": let the DNS names lead there, and see that it has their certificates")
	}
	if len(gone) > 0 {
		p.then("apply leaves what is in no manifest any more: ", c.old.kubectl(), " delete ", strings.Join(gone, " "))
	}
}

// claim says what becomes of a claim that is another one, or that is gone.
func (c *comparison) claim(p *plan, name string, is bool) {
	called := strings.TrimSuffix(path.Base(name), ".yaml")
	if !is {
		p.then("what the claim ", called, " kept stays; when nobody needs it any more: ", c.old.kubectl(), " delete pvc/", shell.Word(called))
		return
	}
	old, now := c.old.file(name), c.new.file(name)
	if old == nil || now == nil {
		return
	}
	class := func(f *source.File) string { return f.At("spec", "storageClassName").Str() }
	size := func(f *source.File) string { return f.At("spec", "resources", "requests", "storage").Str() }
	if class(old) != class(now) {
		p.first("the claim ", called, " is there, and its storage class cannot change, so that the cluster refuses it: leave the class as it was, or bring what is kept into a new claim by hand")
	}
	if a, b := amount(size(old)), amount(size(now)); a > b {
		p.first("the claim ", called, " has ", size(old), ", and no claim becomes smaller, so that the cluster refuses ", size(now), ": leave it as it was")
	} else if a < b {
		p.first("the claim ", called, " grows from ", size(old), " to ", size(now), ", if its storage class lets claims grow: kubectl get storageclass")
	}
}

// apart says that the Secrets are made by something else.
func (c *comparison) apart(p *plan) {
	if !c.new.cluster() || !c.new.apart() {
		return
	}
	changed := c.changed
	if !c.old.apart() { // nobody has made any
		changed = slices.Sorted(maps.Keys(c.New))
	}
	var names []string
	for _, name := range changed {
		if _, is := c.New[name]; is && inSecret(name) && !slices.Contains(names, path.Base(path.Dir(name))) {
			names = append(names, path.Base(path.Dir(name)))
		}
	}
	if len(names) > 0 {
		p.first("have the Secrets made anew by whatever makes them, as they stand in ", path.Join(c.Dir, "secrets"), ": ", strings.Join(names, ", "))
	}
}

// apart reports whether the kustomization leaves the Secrets to something else.
func (s side) apart() bool {
	f := s.file(manifests.Kustomization)
	return f != nil && !slices.ContainsFunc(f.At("resources").Items(), func(v source.Value) bool { return strings.HasPrefix(v.Str(), "secrets/") })
}

// operated reports whether CloudNativePG keeps the databases.
func (s side) operated() bool {
	for name := range s.tree {
		if strings.HasPrefix(name, "Cluster/") {
			return true
		}
	}
	return false
}

// ways are the Gateways and classes of Ingresses that requests come by.
func (s side) ways() (names []string) {
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.tree)) {
		f := s.file(name)
		switch {
		case f == nil:
		case strings.HasPrefix(name, "HTTPRoute/"):
			for _, parent := range f.At("spec", "parentRefs").Items() {
				add("the Gateway " + path.Join(parent.At("namespace").Str(), parent.At("name").Str()))
			}
		case strings.HasPrefix(name, "Ingress/"):
			if class := f.At("spec", "ingressClassName").Str(); class != "" {
				add("the IngressClass " + class)
			} else {
				add("the cluster's own IngressClass")
			}
		}
	}
	return names
}

// amount is that of a quantity of Kubernetes in bytes, as far as claims have them; 0 for what is none.
func amount(text string) float64 {
	units := []struct {
		name string
		size float64
	}{{"Ki", 1 << 10}, {"Mi", 1 << 20}, {"Gi", 1 << 30}, {"Ti", 1 << 40}, {"Pi", 1 << 50}, {"M", 1e6}, {"G", 1e9}, {"T", 1e12}, {"P", 1e15}}
	for _, u := range units {
		if n, ok := strings.CutSuffix(text, u.name); ok {
			v := 0.0
			for _, r := range n {
				if r < '0' || r > '9' {
					return 0
				}
				v = v*10 + float64(r-'0')
			}
			return v * u.size
		}
	}
	return 0
}

// initJob has the databases made while the rest of the stack stays as it is.
func (s side) initJob() string {
	if s.cluster() {
		return "kubectl apply --server-side -f db-init.yaml -f secrets/db-init.yaml"
	}
	return "docker compose run --rm db-init"
}

// otherTarget says how a stack comes from Compose to a cluster, or back.
func (c *comparison) otherTarget(p *plan) {
	if c.new.cluster() {
		p.first("what ran with Docker Compose does so until it is stopped, with its data on that host: docker compose -p ", shell.Word(c.old.deployment.Project), " down; then bring the databases and the media into the claims of the cluster before anybody logs in there")
		return
	}
	p.first("what runs in the cluster does so until it is stopped, with its data in its claims: ", c.old.kubectl(), " delete statefulset,deployment,job --all; then bring the databases and the media to this host before anybody logs in here")
}
