package check

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route"
	"philipp.info/stackgen/pkg/source"
)

var kubernetesServiceLeads = Rule{
	ID: "kubernetes-service-leads", Severity: finding.Error,
	Summary:        "a Service selects pods, its ports are those on which they listen, and who asks for it names one of them",
	Why:            "\"connection refused\", \"no endpoints available for service\" or a time-out: the bridge does not start, nobody can log in, or the proxy answers 502 and 503.",
	Fix:            "Write the labels of the pod template into the selector, the containerPort or its name into targetPort, and the Service's own port into the addresses.",
	Source:         "Kubernetes 1.36 pkg/proxy, staging/src/k8s.io/api/core/v1/types.go ServicePort; headless Services: DNS specification 1.1.0",
	KubernetesOnly: "the name of a service is that of its container, and has its ports",
	Check: func(d *deployment.Deployment, r *Reporter) {
		calls := d.Calls()
		for _, door := range d.Doors {
			if door.Elsewhere != "" {
				continue
			}
			if len(door.To) == 0 {
				unselected(r, d, door, calls)
				continue
			}
			for _, p := range door.Ports {
				doorPort(r, d, door, p)
			}
		}
		for _, door := range d.Doors {
			for _, b := range behindRoutes(d, door) {
				_, port, _ := strings.Cut(b.Address, ":")
				if _, ok := door.Leads(port); !ok && door.Elsewhere == "" && port != "" {
					r.Fail(fmt.Sprintf("%s asks for port %s of the Service %s, which has %s; every request is a 503", d.Front().Name, port, door.Name, portList(door)), "port "+portList(door), b.Site, door.At.Site("the Service"))
				}
			}
		}
		type ask struct {
			door *deployment.Door
			from *deployment.Service
			port string
		}
		told := make(map[ask]bool)
		for _, t := range append(calls, d.Hops()...) {
			door := d.Door(t.Host)
			if door == nil || door.Elsewhere != "" || len(door.To) == 0 || t.From == t.To {
				continue
			}
			if _, ok := door.Leads(t.Port); !ok && !door.Direct && !told[ask{door, t.From, t.Port}] {
				told[ask{door, t.From, t.Port}] = true
				r.Fail(fmt.Sprintf("%s asks for port %s of the Service %s, which has %s; nobody answers", t.From.Name, t.Port, door.Name, portList(door)), "port "+portList(door), t.At(""), door.At.Site("the Service"))
			}
			if bare := !strings.Contains(t.Host, "."); bare && door.Namespace != t.From.Namespace && !d.SameSpace(door, t.From) {
				r.Fail(fmt.Sprintf("%s asks for %s, which is a Service of the namespace %s; a name without it is looked for in %s", t.From.Name, t.Host, door.Namespace, t.From.Namespace), door.Name+"."+door.Namespace+".svc", t.At(""), door.At.Site("the Service"))
			}
		}
	},
}

// unselected is a Service behind which nobody is. Where nobody asks for it, it may be left over.
func unselected(r *Reporter, d *deployment.Deployment, door *deployment.Door, calls []deployment.Talk) {
	sites := []source.Site{door.ToAt.Site("")}
	asked := false
	for _, t := range calls {
		if slices.Contains(door.Hosts, t.Host) {
			asked = true
			sites = append(sites, t.At("the address"))
			break
		}
	}
	for _, b := range behindRoutes(d, door) {
		if !asked {
			asked = true
			sites = append(sites, b.Site)
		}
	}
	message := fmt.Sprintf("the Service %s selects none of the pods here; nobody answers for it", door.Name)
	if !asked {
		r.NotChecked(fmt.Sprintf("the Service %s selects none of the pods here, and nothing here asks for it", door.Name), sites...)
		return
	}
	if r.partial {
		r.NotChecked("of what was not read; in what was, "+message, sites...)
		return
	}
	r.Fail(message, "the labels of the pod template that is meant", sites...)
}

// doorPort is one that leads nowhere.
func doorPort(r *Reporter, d *deployment.Deployment, door *deployment.Door, p deployment.DoorPort) {
	to := door.To[0]
	if p.Inner == "" {
		r.Fail(fmt.Sprintf("the Service %s leads to the port named %s, and no container of %s has one of that name; nobody answers", door.Name, p.Named, to.Name), "the name or number of a containerPort", p.At.Site(""), to.PortsAt.Site("its ports"))
		return
	}
	ls, known := d.Listeners(to)
	open := slices.DeleteFunc(slices.Clone(ls), func(l deployment.Listener) bool { return l.Loopback })
	heard := slices.ContainsFunc(open, func(l deployment.Listener) bool { return l.Port == p.Inner })
	if !known || heard || carries(d, to, p.Inner) || to.Paired || partial(d, to) || len(open) == 0 || to.Component().Bridge != nil && len(door.Ports) > 1 {
		return // another container of the pod may listen there, and a bridge on more ports than one
	}
	text, sites := portsOf(open)
	r.Fail(fmt.Sprintf("the Service %s leads to port %s of %s, which listens on %s; nobody answers", door.Name, p.Inner, to.Name, text), "targetPort: "+mainPort(open), append([]source.Site{p.At.Site("")}, sites...)...)
}

// carries reports whether a LiveKit has calls, its own relay or its figures on the port, besides the one on which it is asked
// (pkg/config/config.go of 1.13.11).
func carries(d *deployment.Deployment, s *deployment.Service, port string) bool {
	for _, l := range d.LiveKits {
		if l.Service != s {
			continue
		}
		rtc := l.Config.At("rtc")
		n, _ := strconv.Atoi(port)
		first, ranged := rtc.At("port_range_start").Int()
		last, _ := rtc.At("port_range_end").Int()
		if !ranged {
			first, last = 50000, 60000
		}
		turn := l.Config.At("turn")
		if turn.At("enabled").True() && (port == turn.At("tls_port").Str() || port == turn.At("udp_port").Str()) || port == l.Config.At("prometheus_port").Str() || port == l.Config.At("prometheus", "port").Str() {
			return true
		}
		return port == cmp.Or(rtc.At("tcp_port").Str(), "7881") || port == rtc.At("udp_port").Str() || first <= n && n <= last
	}
	return false
}

// behindRoutes are the servers of routes that are that door, each place once.
func behindRoutes(d *deployment.Deployment, door *deployment.Door) (list []route.Backend) {
	for _, svc := range d.Routes().Services {
		for _, b := range svc.Backends {
			same := func(o route.Backend) bool { return o.Site.Pos == b.Site.Pos }
			if name, _, _ := strings.Cut(b.Address, ":"); name == door.Name && d.Front().Service == nil && !slices.ContainsFunc(list, same) {
				list = append(list, b)
			}
		}
	}
	return list
}

func portList(door *deployment.Door) string {
	var ports []string
	for _, p := range door.Ports {
		ports = append(ports, p.Port)
	}
	if len(ports) == 0 {
		return "none"
	}
	return finding.Sentence(ports, "and")
}

var kubernetesKeyExists = Rule{
	ID: "kubernetes-key-exists", Severity: finding.Error,
	Summary:        "every key that a pod takes of a Secret or ConfigMap here is in it",
	Why:            "The pod never starts: \"references non-existent secret key\", \"couldn't find key … in Secret\", CreateContainerConfigError.",
	Fix:            "Write the key as it stands in the Secret, or add it there.",
	Source:         "Kubernetes 1.36 pkg/kubelet/kubelet_pods.go makeEnvironmentVariables, pkg/volume/secret/secret.go MakePayload",
	KubernetesOnly: "what Compose hands a service is a file, which compose-mount-exists looks at",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, k := range d.Keyless {
			fix := "one of " + finding.Sentence(deployment.AtMost(k.Keys, 5), "and")
			if near := finding.Nearest(k.Key, k.Keys); near != "" {
				fix = "key: " + near
			}
			r.Fail(fmt.Sprintf("%s is to be given %s of the %s, which has no such key; its pod does not start", k.Service.Name, k.Key, k.Of), fix, k.At.Site(""), k.OfAt.Site("the "+k.Of))
		}
	},
}

var kubernetesObjectsFit = Rule{
	ID: "kubernetes-objects-fit", Severity: finding.Error,
	Summary:        "what an object of the manifests refers to is there: a workload its own pods and volumes, a claim, a Secret and pods beside it, a role of CloudNativePG its own Secret; and its pods may start and read their files",
	Why:            "\"selector does not match template labels\" and \"volumeMounts: Not found\" when it is applied; a pod that stays Pending, as no claim or no other pod is found, or ContainerCreating (MountVolume.SetUp failed: secret not found); \"container's runAsUser breaks non-root policy\"; \"permission denied\" for a Secret's files without fsGroup; \"role is not permitted to log in\"; a page that no browser opens.",
	Fix:            "Write the same name in both places; give the pod runAsUser, and fsGroup where modes keep others out.",
	Source:         "Kubernetes 1.36 pkg/apis/apps/validation, pkg/apis/core/validation, pkg/scheduler, pkg/kubelet/kuberuntime/security_context_others.go, pkg/volume/secret; CloudNativePG internal/management/controller/roles (wrong username in secret), api/v1 RoleConfiguration (login)",
	KubernetesOnly: "Compose refuses what is nowhere defined, which compose-valid tells",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, m := range d.Misfits {
			if m.Unsure {
				r.Warn(m.Fact, m.Fix, m.Sites...)
			} else {
				r.Fail(m.Fact, m.Fix, m.Sites...)
			}
		}
	},
}
