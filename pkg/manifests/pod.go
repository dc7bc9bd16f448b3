package manifests

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// pod is the spec of the one that a service runs in.
func (m *maker) pod(s *deployment.Service) *node {
	ref, _ := s.ImageAt.Text()
	c := mapping("name", text(label(s.Name)), "image", text(ref))
	if s.Entrypoint.Set() {
		c.Set("command", escaped(s.Entrypoint))
	}
	if s.Cmd.Set() {
		c.Set("args", escaped(s.Cmd))
	}
	if s.WorkingDir.Set() {
		c.Set("workingDir", text(s.WorkingDir.Str()))
	}
	m.environment(s, c)
	if items := m.opened(s); len(items.Items) > 0 {
		c.Set("ports", items)
	}
	m.probes(s, c)
	m.resources(s, c)
	c.Set("securityContext", security(s))
	spec := mapping("automountServiceAccountToken", truth(false), "enableServiceLinks", truth(false))
	if n := seconds(s.GraceAt.Str()); n > 0 {
		spec.Set("terminationGracePeriodSeconds", number(strconv.Itoa(n)))
	}
	own := mapping("seccompProfile", mapping("type", text("RuntimeDefault")))
	if uid, gid := user(s); uid != "" {
		own.Set("runAsNonRoot", truth(uid != "0"))
		own.Set("runAsUser", number(uid))
		own.Set("runAsGroup", number(gid))
		own.Set("fsGroup", number(gid))
		if m.keeps(s) { // what is kept may be a million files, and each start would look at all of them
			own.Set("fsGroupChangePolicy", text("OnRootMismatch"))
		}
	}
	spec.Set("securityContext", own)
	m.placed(s, spec)
	m.waits(s, spec)
	spec.Set("containers", list(c))
	mounts, volumes := m.mounts(s)
	if len(mounts.Items) > 0 {
		c.Set("volumeMounts", mounts)
		spec.Set("volumes", volumes)
	}
	return spec
}

// placed says on which machine a pod is to be: workers of one kind on several, and who shares what another one keeps beside that one, for
// most volumes are on one machine at a time.
func (m *maker) placed(s *deployment.Service, spec *node) {
	if kind := kindOf(s); m.kinds[kind] > 1 && m.worker(s) {
		spec.Set("topologySpreadConstraints", list(mapping(
			"maxSkew", number("1"), "topologyKey", text("kubernetes.io/hostname"), "whenUnsatisfiable", text("ScheduleAnyway"),
			"labelSelector", mapping("matchLabels", mapping(kindLabel, text(kind))),
		)))
	}
	for _, mount := range s.Mounts {
		owner := m.keeper(mount)
		if owner == nil || owner == s {
			continue
		}
		spec.Set("affinity", mapping("podAffinity", mapping("requiredDuringSchedulingIgnoredDuringExecution", list(mapping(
			"topologyKey", text("kubernetes.io/hostname"), "labelSelector", mapping("matchLabels", m.labels(owner.Name)),
		)))))
		return
	}
}

// keeper is the service whose claim a mount is of: the first that mounts it. nil for what does not last.
func (m *maker) keeper(mount deployment.Mount) *deployment.Service {
	if mount.Fleeting || m.rendered(mount) {
		return nil
	}
	for _, s := range m.d.Services {
		if s.Absent.Why == "" && slices.ContainsFunc(s.Mounts, func(o deployment.Mount) bool { return !o.Fleeting && placeOf(o) == placeOf(mount) }) {
			return s
		}
	}
	return nil
}

// placeOf is where what a mount shows is kept.
func placeOf(mount deployment.Mount) string { return cmp.Or(mount.Host, mount.Source, mount.Container) }

// waits has a pod begin once the server of its database answers, and lets it in: a network plugin hears of a new pod a moment after it has
// begun. All else finds its way by itself: what ends for want of another one is started again.
func (m *maker) waits(s *deployment.Service, spec *node) {
	calls := m.d.Calls()
	if byHand(s) { // of which nobody counts the calls, and which has one try
		for _, server := range m.d.PostgresServers() {
			calls = append(calls, deployment.Talk{From: s, To: server, Host: label(server.Name), Port: server.PostgresPort()})
		}
	}
	for _, t := range calls {
		if t.From != s || t.To == nil || t.To == s || t.To.Program != component.Postgres {
			continue
		}
		image, _ := t.To.ImageAt.Text()
		// Without -U pg_isready asks who it runs as, and never asks the server where the image knows nobody of that number (PostgreSQL, libpq: PQPING_NO_ATTEMPT).
		superuser, _, _ := m.d.Superuser(t.To)
		c := mapping("name", text("wait-for-"+label(t.To.Name)), "image", text(image), "command", words([]string{"sh", "-c", "until pg_isready -q -h " + t.Host + " -p " + t.Port + " -U " + cmp.Or(superuser, "postgres") + "; do sleep 1; done"}))
		// As root of its image it could not run, and it needs nothing of the one that it runs as.
		c.Set("securityContext", mapping("allowPrivilegeEscalation", truth(false), "readOnlyRootFilesystem", truth(true), "capabilities", mapping("drop", words([]string{"ALL"}))))
		spec.Set("initContainers", list(c))
		return
	}
}

// resources are what a container may use at most, and what is kept free for it.
func (m *maker) resources(s *deployment.Service, c *node) {
	most := mapping()
	if memory := s.MemoryAt.Str(); memory != "" {
		if last := strings.ToUpper(memory[len(memory)-1:]); strings.Contains("KMG", last) {
			memory = memory[:len(memory)-1] + strings.Replace(last, "K", "k", 1) + "i"
			memory = strings.Replace(memory, "ki", "Ki", 1)
		}
		most.Set("memory", text(memory))
	}
	if cpus := s.CPUsAt.Str(); cpus != "" {
		most.Set("cpu", text(cpus))
	}
	if len(most.Names()) > 0 {
		c.Set("resources", mapping("requests", most, "limits", most.Clone()))
	}
}

// seconds is a duration of Compose, such as 2m.
func seconds(text string) int {
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0
	}
	return int(d.Seconds())
}

// opened are the ports of a container: those on which others ask it, and those of the node that lead to it.
func (m *maker) opened(s *deployment.Service) *node {
	items := list()
	var outer []string
	for _, p := range s.Ports {
		for i := range min(p.Last-p.First+1, 100) {
			inner := strconv.Itoa(p.Inner + i)
			item := mapping("containerPort", number(inner), "hostPort", number(strconv.Itoa(p.First+i)), "protocol", text(strings.ToUpper(p.Protocol)))
			if s.Program == component.LiveKit {
				item.Delete("hostPort") // a Service leads there
			} else if p.IP != "" {
				item.Set("hostIP", text(p.IP))
			}
			items.Items = append(items.Items, item)
			if p.Protocol == "tcp" {
				outer = append(outer, inner)
			}
		}
	}
	for _, p := range m.ports(s) {
		if !s.Once && !slices.Contains(outer, p) {
			items.Items = append(items.Items, mapping("name", text("tcp-"+p), "containerPort", number(p)))
		}
	}
	return items
}

// hides reports whether a text is to stand in a Secret.
func (m *maker) hides(name, value string) bool {
	return len(source.HiddenIn(name, value)) > 0 || m.Secret != nil && m.Secret(value)
}

// escaped are the words of a command, in which kubelet would replace $(NAME).
func escaped(l deployment.List) *node {
	all := l.Texts()
	if len(l.Items) == 0 && l.Str() != "" {
		all = strings.Fields(l.Str())
	}
	for i, w := range all {
		all[i] = strings.ReplaceAll(w, "$(", "$$(")
	}
	return words(all)
}

// user is whose process it is, by the service or by what is known of its program.
func user(s *deployment.Service) (uid, gid string) {
	uid, gid, both := strings.Cut(s.UserAt.Str(), ":")
	if !both {
		gid = uid
	}
	if strings.Trim(uid, "0123456789") != "" {
		return "", ""
	}
	return uid, gid
}

func security(s *deployment.Service) *node {
	n := mapping("allowPrivilegeEscalation", truth(false), "readOnlyRootFilesystem", truth(s.ReadOnly.True()), "capabilities", mapping("drop", words([]string{"ALL"})))
	if add := s.CapAdd.Texts(); len(add) > 0 {
		n.Get("capabilities").Set("add", words(add))
	}
	return n
}

// passwordIn is the password of a password file with one line that a service mounts. libpq passes over such a file where its group may read
// it (PostgreSQL, The Password File), which is how a pod that is not root reads what a Secret holds.
func (m *maker) passwordIn(s *deployment.Service, file string) string {
	for _, mount := range s.Mounts {
		if mount.Container != file || mount.Host == "" {
			continue
		}
		src, err := source.ReadFS(m.d.FS, mount.Host)
		if line := strings.TrimSuffix(string(src), "\n"); err == nil && !strings.Contains(line, "\n") {
			return passwordOf(line)
		}
	}
	return ""
}

// passwordOf is the fifth field of a line of a password file, in which a backslash stands before what is meant as it is.
func passwordOf(line string) string {
	var field strings.Builder
	fields := 0
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && i+1 < len(line):
			i++
			field.WriteByte(line[i])
		case c == ':' && fields < 4:
			fields++
			field.Reset()
		default:
			field.WriteByte(c)
		}
	}
	if fields < 4 {
		return ""
	}
	return field.String()
}

// environment gives a container its variables: what is secret stands in a Secret.
func (m *maker) environment(s *deployment.Service, c *node) {
	env, hidden := list(), mapping()
	told := make(map[string]bool)
	for _, v := range s.Variables {
		if told[v.Name] || v.Hidden != "" {
			continue
		}
		told[v.Name] = true
		name, value := v.Name, v.Text
		if password := m.passwordIn(s, value); name == "PGPASSFILE" && password != "" {
			name, value = "PGPASSWORD", password
		}
		if m.hides(name, value) {
			hidden.Set(name, text(value))
			env.Items = append(env.Items, mapping("name", text(name), "valueFrom", mapping("secretKeyRef", mapping("name", text(label(s.Name)+"-env"), "key", text(name)))))
			continue
		}
		env.Items = append(env.Items, mapping("name", text(name), "value", text(strings.ReplaceAll(value, "$(", "$$("))))
	}
	if dir := clusterDir(s); dir != "" {
		env.Items = append(env.Items, mapping("name", text("PGDATA"), "value", text(dir)))
	}
	if len(env.Items) > 0 {
		c.Set("env", env)
	}
	if len(hidden.Names()) > 0 {
		m.secret(label(s.Name), label(s.Name)+"-env", hidden)
	}
}
