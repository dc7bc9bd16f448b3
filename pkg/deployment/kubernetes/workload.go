package kubernetes

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// pod is what a workload starts: its containers are services of the deployment.
type pod struct {
	of         *object
	labels     source.Value
	spec       source.Value
	containers []*container
}

type container struct {
	*deployment.Service
	at    source.Value
	ports map[string]string // by name
	open  []string          // the numbers of all that are listed
}

// workload makes services of the containers of a workload. The first whose program is known has the workload's name, or else the first.
func (c *cluster) workload(o *object) {
	where, ok := templates[o.kind]
	if !ok {
		return
	}
	template := o.At(where...)
	p := &pod{of: o, labels: template.At("metadata", "labels"), spec: template.At("spec")}
	for _, v := range p.spec.At("containers").Items() {
		p.containers = append(p.containers, c.container(p, v))
	}
	if len(p.containers) == 0 {
		return
	}
	main := max(slices.IndexFunc(p.containers, func(k *container) bool { return k.Program != component.Unknown }), 0)
	name := c.called(o)
	for i, k := range p.containers {
		k.Service.Name = name
		if i != main {
			k.Service.Name += "/" + k.at.At("name").Str()
		}
		k.Paired = len(p.containers) > 1
	}
	p.containers[0], p.containers[main] = p.containers[main], p.containers[0]
	var inits []*container
	for _, v := range p.spec.At("initContainers").Items() {
		k := c.container(p, v)
		k.Service.Name, k.Restart = name+"/"+v.At("name").Str(), deployment.LeafOf(v.At("restartPolicy"))
		if k.Once = v.At("restartPolicy").Str() != "Always"; k.Once {
			for _, main := range p.containers {
				main.DependsOn = append(main.DependsOn, deployment.Wait{Service: k.Service.Name, At: deployment.LeafOf(v), Condition: "service_completed_successfully", ConditionAt: deployment.LeafOf(v)})
			}
		}
		inits = append(inits, k)
	}
	p.containers = append(p.containers, inits...)
	for _, k := range p.containers {
		c.d.Services = append(c.d.Services, k.Service)
	}
	c.pods = append(c.pods, p)
}

// called is the name of a workload, with its kind or namespace before it where another one has the same.
func (c *cluster) called(o *object) string {
	taken := func(name string) bool {
		return slices.ContainsFunc(c.d.Services, func(s *deployment.Service) bool { return s.Name == name })
	}
	for _, name := range []string{lasting(o), o.name, strings.ToLower(o.kind) + "/" + o.name, cmp.Or(o.namespace, "default") + "/" + o.name} {
		if !taken(name) {
			return name
		}
	}
	return o.namespace + "/" + strings.ToLower(o.kind) + "/" + o.name
}

// lasting is the name of a workload. That of a Job has a digest at its end where a changed one is made beside the one that has run: then it
// is what its pods are called.
func lasting(o *object) string {
	called := o.At("spec", "template", "metadata", "labels", "app.kubernetes.io/name").Str()
	if digest, ok := strings.CutPrefix(o.name, called+"-"); ok && o.kind == "Job" && called != "" && len(digest) >= 8 && strings.Trim(digest, "0123456789abcdef") == "" {
		return called
	}
	return o.name
}

func (c *cluster) container(p *pod, v source.Value) *container {
	leaf := func(path ...string) deployment.Leaf { return deployment.LeafOf(v.At(path...)) }
	s := &deployment.Service{
		Self: deployment.LeafOf(v), ImageAt: leaf("image"), WorkingDir: leaf("workingDir"), EnvAt: leaf("env"), Volumes: deployment.ListOf(v.At("volumeMounts")), Tmpfs: deployment.ListOf(v.At("volumeMounts")),
		Handed: deployment.ListOf(v.At("volumeMounts")), Networks: []string{network}, NetworksAt: deployment.LeafOf(p.of.At("metadata", "name")), PortsAt: leaf("ports"), SpansKnown: true,
		LabelsAt: deployment.LeafOf(p.labels), UserAt: deployment.LeafOf(secured(p, v, "runAsUser")), ReadOnly: deployment.LeafOf(v.At("securityContext", "readOnlyRootFilesystem")),
		Privileged: deployment.LeafOf(v.At("securityContext", "privileged")), CapDrop: deployment.ListOf(v.At("securityContext", "capabilities", "drop")), CapAdd: deployment.ListOf(v.At("securityContext", "capabilities", "add")),
		Hostname: deployment.LeafOf(p.spec.At("hostname")), Restart: deployment.LeafOf(p.spec.At("restartPolicy")), Unnamed: true, Namespace: p.of.namespace, Copies: 1,
		Once: p.of.kind == "Job" || p.of.kind == "CronJob" || p.of.kind == "Pod" && slices.Contains([]string{"Never", "OnFailure"}, p.spec.At("restartPolicy").Str()),
	}
	if p.spec.At("hostNetwork").True() {
		s.NetworkMode = deployment.LeafOf(p.spec.At("hostNetwork"))
	}
	s.MoreNames = p.spec.At("hostAliases").Set()
	s.Image = component.Parse(s.ImageAt.Str())
	s.Program = s.Image.Program()
	s.LabelLine = func(key, value string) string { return key + ": " + source.Quote(value) }
	s.LabelEdit = func(string, string) []source.Edit { return nil }
	c.environment(p, s, v)
	s.Entrypoint, s.Cmd = filled(s, v.At("command")), filled(s, v.At("args"))
	c.mounts(p, s, v)
	s.Probe = probe(v)
	c.copies(p, s)
	k := &container{Service: s, at: v, ports: make(map[string]string)}
	for _, port := range v.At("ports").Items() {
		number := port.At("containerPort").Str()
		k.ports[port.At("name").Str()] = number
		k.open = append(k.open, number)
		if outer, err := strconv.Atoi(port.At("hostPort").Str()); err == nil && outer > 0 {
			inner, _ := strconv.Atoi(number)
			protocol := strings.ToLower(cmp.Or(port.At("protocol").Str(), "tcp"))
			s.Ports = append(s.Ports, deployment.Port{IP: port.At("hostIP").Str(), First: outer, Last: outer, Inner: inner, Protocol: protocol, At: deployment.LeafOf(port)})
			s.Spans = append(s.Spans, deployment.PortSpan{First: outer, Last: outer, To: inner, Protocol: protocol})
		}
	}
	return k
}

// secured is a setting of the securityContext of a container, or else that of its pod.
func secured(p *pod, v source.Value, key string) source.Value {
	own := v.At("securityContext", key)
	if of := p.spec.At("securityContext", key); !own.Exists() && of.Exists() {
		return of
	}
	return own
}

// copies reads how many pods are started. One that is replaced before it has ended has a second beside it for a while.
func (c *cluster) copies(p *pod, s *deployment.Service) {
	at := p.of.At("spec", "replicas")
	s.CopiesAt = deployment.LeafOf(at)
	if n, err := strconv.Atoi(at.Str()); err == nil && at.Set() {
		s.Copies = n
	}
	if p.of.kind == "Deployment" && p.of.At("spec", "strategy", "type").Str() != "Recreate" && !isZero(p.of.At("spec", "strategy", "rollingUpdate", "maxSurge")) {
		if s.Overlaps = deployment.LeafOf(p.of.At("spec", "strategy")); !s.Overlaps.Exists() {
			s.Overlaps = deployment.LeafOf(p.of.At("kind"))
		}
	}
	if suspended := p.of.At("spec", "suspend"); suspended.True() {
		s.Copies, s.Absent = 0, deployment.Absent{Why: "it is suspended", At: deployment.LeafOf(suspended)}
	} else if s.Copies == 0 {
		s.Absent = deployment.Absent{Why: "replicas is 0", At: s.CopiesAt}
	}
}

func isZero(v source.Value) bool { return v.Str() == "0" || v.Str() == "0%" }

// filled is a list of words with $(NAME) replaced by the variables of the container, as kubelet does.
func filled(s *deployment.Service, v source.Value) deployment.List {
	if !strings.Contains(strings.Join(deployment.ItemTexts(v), " "), "$(") {
		return deployment.ListOf(v)
	}
	tree := v.Node()
	for i, item := range tree.Items {
		tree.Items[i] = source.NewText(item, dollars(item.Text, func(name string) (string, bool) {
			text, _ := s.Env(name)
			return text, s.EnvHidden(name) == "" && text != ""
		}))
	}
	return deployment.ListOf(source.Join(tree).Root())
}

// dollars replaces $(NAME) by what the variable holds. $$ is a dollar, and what is not known stays.
func dollars(text string, value func(name string) (string, bool)) string {
	var b strings.Builder
	for text != "" {
		switch {
		case strings.HasPrefix(text, "$$"):
			b.WriteByte('$')
			text = text[2:]
		case strings.HasPrefix(text, "$("):
			name, rest, ok := strings.Cut(text[2:], ")")
			if val, known := value(name); ok && known {
				b.WriteString(val)
				text = rest
				continue
			}
			b.WriteString("$(")
			text = text[2:]
		default:
			b.WriteByte(text[0])
			text = text[1:]
		}
	}
	return b.String()
}

// probe is the check of a container in the words of one that Docker runs, of those probes that it has the one which has the most to say.
func probe(v source.Value) deployment.Probe {
	for _, kind := range []string{"readinessProbe", "livenessProbe", "startupProbe"} {
		at := v.At(kind)
		var words []string
		switch {
		case at.At("exec", "command").Set():
			words = append([]string{"CMD"}, deployment.ItemTexts(at.At("exec", "command"))...)
		case at.At("httpGet").Set():
			get, port := at.At("httpGet"), at.At("httpGet", "port").Str()
			for _, p := range v.At("ports").Items() {
				if p.At("name").Str() == port {
					port = p.At("containerPort").Str()
				}
			}
			scheme := strings.ToLower(cmp.Or(get.At("scheme").Str(), "http"))
			words = []string{"CMD", "curl", "-fsS", scheme + "://localhost:" + port + cmp.Or(get.At("path").Str(), "/")}
			at = get
		default:
			continue
		}
		tree := source.NewList(at.Node())
		for _, w := range words {
			tree.Items = append(tree.Items, source.NewText(at.Node(), w))
		}
		return deployment.Probe{At: deployment.LeafOf(v.At(kind)), Outside: !v.At(kind, "exec").Set(), Test: deployment.ListOf(source.Join(tree).Root())}
	}
	return deployment.Probe{At: deployment.LeafOf(v.At("readinessProbe")), Off: true}
}
