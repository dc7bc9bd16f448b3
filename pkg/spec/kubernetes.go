package spec

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// Kubernetes is what the cluster has and calls something.
type Kubernetes struct {
	// Namespace that everything is in. Default: name.
	Namespace string `yaml:"namespace,omitempty" jsonschema:"pattern=^[a-z0-9]([a-z0-9-]*[a-z0-9])?$" form:"a word of lower-case letters, digits and dashes, such as matrix"`
	// Gateway of the Gateway API that requests come by: routes are HTTPRoutes then. Default: none.
	Gateway KubernetesGateway `yaml:"gateway,omitempty"`
	// Ingress: routes are Ingresses. Default, without a gateway: for the class that the cluster takes by default.
	Ingress KubernetesIngress `yaml:"ingress,omitempty"`
	// Proxy is the namespace in which the pods of the Gateway's or Ingress's controller run, which alone reach what is routed then. Default:
	// whoever asks reaches the ports that are routed, as where they run cannot be told by a Gateway or a class.
	Proxy string `yaml:"proxy,omitempty" jsonschema:"pattern=^[a-z0-9]([a-z0-9-]*[a-z0-9])?$" form:"the name of a namespace, such as traefik"`
	// Storage is how much each program is given for what it keeps, by the name of its service, such as 100Gi; class is the storage
	// class of all. Default: 10Gi, of the class that the cluster takes by default.
	Storage map[string]string `yaml:"storage,omitempty"`
	// Database: single (default) is a PostgreSQL of one pod, cnpg a cluster that the operator CloudNativePG keeps, external the one of
	// database.external.
	Database string `yaml:"database,omitempty" jsonschema:"enum=single,enum=cnpg,enum=external"`
	// Snapshots of a cluster of CloudNativePG, from which it can be made anew. Default: none.
	Snapshots KubernetesSnapshots `yaml:"snapshots,omitempty"`
	// Secrets: plain (default) are rendered with what is in them; external leaves them out, for SOPS or the External Secrets Operator to
	// make.
	Secrets string `yaml:"secrets,omitempty" jsonschema:"enum=plain,enum=external"`
	// ESS leaves Synapse, MAS, Element Web and calls to the Helm chart of Element Server Suite, whose release is called ess: what is rendered
	// is all that it has not, such as bridges and their databases, and ess.yaml, the values that have it know them. Default: false.
	ESS bool `yaml:"ess,omitempty"`
}

// KubernetesGateway is a Gateway that is in the cluster.
type KubernetesGateway struct {
	// Name of the Gateway.
	Name string `yaml:"name" jsonschema:"required,pattern=^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$" form:"the name of a Gateway, such as public" example:"public"`
	// Namespace that it is in. Default: that of the stack.
	Namespace string `yaml:"namespace,omitempty" jsonschema:"pattern=^[a-z0-9]([a-z0-9-]*[a-z0-9])?$" form:"the name of a namespace, such as infra"`
}

// KubernetesIngress is the controller that answers for Ingresses.
type KubernetesIngress struct {
	// Class of the Ingresses. Default: the cluster's own.
	Class string `yaml:"class,omitempty" jsonschema:"pattern=^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$" form:"the name of an IngressClass, such as traefik"`
	// Issuer is the ClusterIssuer of cert-manager that makes the certificates. Default: none, whoever answers for the class has them.
	Issuer string `yaml:"issuer,omitempty" jsonschema:"pattern=^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$" form:"the name of a ClusterIssuer, such as letsencrypt"`
}

// KubernetesSnapshots are when the volumes of the databases are kept, and how.
type KubernetesSnapshots struct {
	// Schedule has six words, of which the first is the second.
	Schedule string `yaml:"schedule" jsonschema:"required,pattern=^\\S+( \\S+){5}$" form:"six words: second, minute, hour, day, month and day of the week, such as 0 30 3 * * *" example:"0 30 3 * * *"`
	// Class of the snapshots, a VolumeSnapshotClass. Default: the cluster's own.
	Class string `yaml:"class,omitempty" jsonschema:"pattern=^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$" form:"the name of a VolumeSnapshotClass, such as csi-snapshots"`
}

// onKubernetes is the target that is a cluster.
const onKubernetes = "kubernetes"

// OnKubernetes reports whether a cluster runs the stack.
func (s *Spec) OnKubernetes() bool { return s.Target == onKubernetes }

// KubernetesDatabase is what PostgreSQL is in the cluster: single, cnpg or external.
func (s *Spec) KubernetesDatabase() string {
	if s.ExternalDatabase() {
		return "external"
	}
	return cmp.Or(s.Kubernetes.Database, "single")
}

// notOnKubernetes are the fields that say something of Docker or of one machine: what each is about, and what to write instead.
var notOnKubernetes = []struct{ field, why, fix string }{
	{"owner", "gives files on this host to one user; a volume of a cluster belongs to the group of the pod that mounts it", "remove the line; `user` of a program says as whom it runs"},
	{"ingress.kind", "is a proxy beside Docker; requests come to a cluster by its Gateway or its Ingress controller", "kubernetes: {gateway: {name: public}}, or kubernetes: {ingress: {class: traefik}}"},
	{"ingress.port", "is a port of this host; requests come to a cluster by its Gateway or its Ingress controller", "remove the line"},
	{"ingress.traefik", "is about a Traefik beside Docker; requests come to a cluster by its Gateway or its Ingress controller", "kubernetes: {gateway: {name: public}}, or kubernetes: {ingress: {class: traefik}}"},
	{"ingress.caddy", "is about a Caddy beside Docker; requests come to a cluster by its Gateway or its Ingress controller", "kubernetes: {gateway: {name: public}}, or kubernetes: {ingress: {class: …}}"},
	{"ingress.nginx", "is about an nginx beside Docker; requests come to a cluster by its Gateway or its Ingress controller", "kubernetes: {gateway: {name: public}}, or kubernetes: {ingress: {class: nginx}}"},
	{"backup", "has borgmatic read directories of this host; what a cluster keeps is in volumes that no host shows", "remove the section; snapshots of the volumes and dumps of the databases keep the same"},
	{"turn", "is a relay with a range of ports of this host, which no Service of a cluster has", "synapse: {turn: {uris: [\"turn:turn.example.org?transport=udp\"]}}, for a relay on a machine of its own"},
	{"admin", "is for some networks alone, and neither an HTTPRoute nor an Ingress can tell where a request comes from; everybody could try it", "remove the section; `kubectl port-forward` leads to the admin APIs from where you are"},
	{"compose", "is laid onto a docker-compose.yml, and none is written", "a kustomization of your own with the rendered directory among its resources, and patches; or services and appservices, which are rendered here, too"},
}

// size is an amount of storage as Kubernetes has it.
var size = regex.Of(`^[1-9][0-9]*(M|G|T|P|Mi|Gi|Ti|Pi)$`)

// serviceName is a name that a Service and its pods can have (RFC 1035; the pods of a StatefulSet have a label of 52 letters and a digest).
var serviceName = regex.Of(`^[a-z]([a-z0-9-]{0,50}[a-z0-9])?$`)

// checkKubernetes refuses what says something of the other target, and would be used for nothing.
func (s *Spec) checkKubernetes(d *decoder) {
	at := s.At("kubernetes")
	if d.unread([]string{"target"}) {
		return
	}
	if !s.OnKubernetes() {
		if at.Exists() {
			d.fail(at, "kubernetes says something of a cluster, and the target is compose; it would be used for nothing", "target: kubernetes, or remove the section")
		}
		return
	}
	target := s.At("target").Site("the target")
	for _, n := range notOnKubernetes {
		if v := s.At(strings.Split(n.field, ".")...); v.Exists() {
			d.fail(v, v.Path()+" "+n.why, n.fix, target)
		}
	}
	for _, c := range component.All {
		if _, on := s.Component(c.Program); on && c.Program != component.Traefik && c.Program != component.Coturn && c.Program != component.Ketesa {
			s.checkPlaced(d, s.At(Section(c.Program)...), s.ServiceOf(c.Program), target)
		}
	}
	for _, n := range s.Containers() {
		s.checkPlaced(d, s.At(n.Section...), n.Name, target)
		for key, v := range s.At(append(slices.Clip(n.Section), "volumes")...).Entries() {
			s.checkKept(d, v, n.Volumes[key.Str()], target)
		}
	}
	s.checkKept(d, s.At("synapse", "data"), s.Synapse.Data, target)
	if s.ExternalDatabase() {
		if v := at.At("database"); v.Exists() && v.Str() != "external" {
			d.fail(v, fmt.Sprintf("kubernetes.database is %s, and database.external names a PostgreSQL that runs elsewhere; only one of them can be meant", v.Str()), "database: external, or remove `external` from database", s.At("database", "external").Site("the other"))
		}
	} else {
		s.checkKept(d, s.At("database", "data"), s.Database.Data, target)
		if v := at.At("database"); v.Str() == "external" {
			d.fail(v, "kubernetes.database is external, and the spec does not say where that PostgreSQL is", "database: {external: {host: db.example.org}}, at the left margin")
		}
	}
	if host := s.At("database", "external", "host"); host.Str() == HostGateway {
		d.fail(host, "database.external.host is the host of a container of Docker; a pod has no name for the machine that it runs on", "host: the name of a Service, such as postgres.databases.svc, or an address", target)
	}
	if v := at.At("snapshots"); v.Exists() && s.KubernetesDatabase() != "cnpg" {
		d.fail(v, "kubernetes.snapshots are made by CloudNativePG, and the database is "+s.KubernetesDatabase()+"; nobody would make them", "database: cnpg, or remove the section")
	}
	if s.ESS() {
		s.checkESS(d)
	}
	if v := at.At("ingress"); v.Exists() && at.At("gateway").Exists() {
		d.fail(v, "kubernetes.ingress and kubernetes.gateway are two ways in; routes are written for one of them", "remove one of the two", at.At("gateway").Site("the other"))
	}
	if !at.At("gateway").Exists() {
		s.checkStripped(d)
	}
	s.checkStorage(d, at.At("storage"))
	if s.KubernetesDatabase() == "cnpg" {
		s.checkCNPG(d, at.At("database").Site("the operator"))
	}
}

// notOfCNPG are the fields of database that CloudNativePG settles by itself.
var notOfCNPG = []struct{ field, why, fix string }{
	{"data", "is a volume of one pod, and CloudNativePG makes one for each instance; what is on that one would not be found", "remove the line; kubernetes: {storage: {postgres: 100Gi}} says how much each has"},
	{"user", "says as whom PostgreSQL runs, which CloudNativePG settles; it would be used for nothing", "remove the line"},
	{"superuser", "is who a cluster is made by, and CloudNativePG makes it by postgres; no other role of that name would be made", "remove the line"},
}

// secretsOfCNPG are what follows the name of a Cluster in those of the Secrets that CloudNativePG makes for it.
var secretsOfCNPG = []string{"app", "ca", "replication", "server", "superuser"}

// checkCNPG refuses what CloudNativePG does not take, or would be used for nothing (CloudNativePG 1.30: roles and databases that it keeps
// for itself).
func (s *Spec) checkCNPG(d *decoder, operator source.Site) {
	at := s.At("database")
	for _, n := range notOfCNPG {
		if v := at.At(n.field); v.Exists() && (n.field != "superuser" || v.Str() != DefaultSuperuser) {
			d.fail(v, v.Path()+" "+n.why, n.fix, operator)
		}
	}
	if v := at.At("image"); v.Exists() && !strings.Contains(v.Str(), "cloudnative-pg/") {
		d.fail(v, "database.image is none of CloudNativePG's, and it starts no other; its own would run in the place of this one", "image: ghcr.io/cloudnative-pg/postgresql, or remove the line", operator)
	}
	for _, p := range s.Databases() {
		n, v := s.DatabaseOf(p), at.At("names", string(p))
		of := func(key string) source.Value {
			if one := v.At(key); v.Kind() == source.Mapping && one.Exists() {
				return one
			}
			return v
		}
		switch own := fmt.Sprintf("names: {%s: %s}", p, p); {
		case n.User == DefaultSuperuser || n.User == "streaming_replica" || strings.HasPrefix(n.User, "cnpg_"):
			d.fail(of("user"), fmt.Sprintf("%s is the role %s, which CloudNativePG keeps for itself; it refuses to make it, and %s could not log in", of("user").Path(), n.User, p), own, operator)
		case slices.Contains(secretsOfCNPG, n.User):
			at := of("user")
			if !at.Exists() {
				at = s.At("kubernetes", "database")
			}
			d.fail(at, fmt.Sprintf("the role of %s is %s, and CloudNativePG keeps something of its own in the Secret that its password would be in; one of them would take the place of the other", p, n.User),
				fmt.Sprintf("names: {%s: {name: %s, user: %s_user}}", p, n.Name, p), operator)
		case n.Name == DefaultSuperuser:
			d.fail(of("name"), fmt.Sprintf("%s is the database postgres, which CloudNativePG keeps for itself; it refuses to make it, and %s would not start", of("name").Path(), p), own, operator)
		}
	}
}

// checkStripped refuses what needs a path to be taken off a request, for which an Ingress has no words.
func (s *Spec) checkStripped(d *decoder) {
	why, fix := " is asked without the path under which it is reached, and an Ingress has no words for that; every request would be a 404", "kubernetes: {gateway: {name: public}}"
	if u, err := url.Parse(s.Auth.PublicURL); s.MAS() && (s.Auth.PublicURL == "" || err == nil && strings.Trim(u.Path, "/") != "") {
		v := s.At("auth", "public_url")
		if !v.Exists() {
			v = s.At("target")
		}
		d.fail(v, "MAS"+why, "auth: {public_url: https://account."+s.ServerName+"/}, a host of its own; or "+fix)
	}
	if v := s.At("calls"); v.Exists() && !s.ESS() {
		d.fail(v, "LiveKit"+why, fix)
	}
	for _, n := range s.Containers() {
		for i, r := range s.At(append(slices.Clip(n.Section), "routes")...).Items() {
			if i < len(n.Routes) && n.Routes[i].Strip {
				d.fail(r.At("strip"), n.Name+why, "a host of its own; or "+fix)
			}
		}
	}
}

// checkPlaced refuses names that no Service can have, and what only a container of Docker has.
func (s *Spec) checkPlaced(d *decoder, at source.Value, name string, target source.Site) {
	if v := at.At("container_name"); v.Exists() {
		d.fail(v, v.Path()+" is the name of a container of Docker; a pod is called as its service", "remove the line", target)
	}
	if v := at.At("networks"); v.Exists() {
		d.fail(v, v.Path()+" is about networks of Docker; the pods of a cluster are in one network, and NetworkPolicies say who speaks to whom", "remove the line", target)
	}
	if !serviceName().MatchString(name) {
		v := at.At("service")
		if !v.Exists() {
			v = at
		}
		d.fail(v, fmt.Sprintf("%s is called %s, and a Service begins with a lower-case letter and has letters, digits and dashes, 52 at most; the cluster would refuse it", at.Path(), quote(name)), "another name, such as "+served(name), target)
	}
}

// served is a name that a Service can have.
func served(name string) string {
	name = strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name)), "-")
	if !serviceName().MatchString(name) {
		return "matrix"
	}
	return name
}

// checkKept refuses directories of a host.
func (s *Spec) checkKept(d *decoder, v source.Value, data Data, target source.Site) {
	if v.Exists() && data.Path != "" {
		d.fail(v, v.Path()+" is a directory of one host, and a pod may run on any; what is there would not be found", "volume: the name of a PersistentVolumeClaim, with external: true for one that exists; or remove the line for one of the stack's own", target)
	}
}

// kept are the services that keep something, in the order of the compose file.
func (s *Spec) kept() []string {
	names := []string{s.ServiceOf(component.Synapse)}
	if s.KubernetesDatabase() != "external" {
		names = append([]string{s.ServiceOf(component.Postgres)}, names...)
	}
	for _, n := range s.Containers() {
		if len(n.Volumes) > 0 {
			names = append(names, n.Name)
		}
		if n.Redis {
			names = append(names, n.RedisName())
		}
	}
	return names
}

func (s *Spec) checkStorage(d *decoder, at source.Value) {
	names := s.kept()
	for key, v := range at.Entries() {
		switch {
		case key.Str() == "class":
			if !networkName().MatchString(v.Str()) {
				d.fail(v, v.Path()+" is no name of a storage class", "class: fast, as `kubectl get storageclass` has it")
			}
		case !slices.Contains(names, key.Str()):
			d.fail(key, fmt.Sprintf("%s keeps nothing in this stack; its storage would be used for nothing", quote(key.Str())), "write "+finding.Sentence(append([]string{"class"}, names...), "or")+", or remove the line")
		case !size().MatchString(v.Str()):
			d.fail(v, v.Path()+" is no amount of storage; the cluster would refuse it", key.Str()+": 100Gi")
		}
	}
}
