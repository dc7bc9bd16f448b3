package manifests

import (
	"cmp"
	"encoding/base64"
	"io/fs"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

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
	probes(s, c)
	c.Set("securityContext", security(s))
	spec := mapping("automountServiceAccountToken", truth(false), "enableServiceLinks", truth(false))
	own := mapping("seccompProfile", mapping("type", text("RuntimeDefault")))
	if uid, gid := user(s); uid != "" {
		own.Set("runAsNonRoot", truth(uid != "0"))
		own.Set("runAsUser", number(uid))
		own.Set("runAsGroup", number(gid))
		own.Set("fsGroup", number(gid))
	}
	spec.Set("securityContext", own)
	spec.Set("containers", list(c))
	mounts, volumes := m.mounts(s)
	if len(mounts.Items) > 0 {
		c.Set("volumeMounts", mounts)
		spec.Set("volumes", volumes)
	}
	return spec
}

// opened are the ports of a container: those on which others ask it, and those of the node that lead to it.
func (m *maker) opened(s *deployment.Service) *node {
	items := list()
	var outer []string
	for _, p := range s.Ports {
		for i := range min(p.Last-p.First+1, 100) {
			inner := strconv.Itoa(p.Inner + i)
			item := mapping("containerPort", number(inner), "hostPort", number(strconv.Itoa(p.First+i)), "protocol", text(strings.ToUpper(p.Protocol)))
			if p.IP != "" {
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

// environment gives a container its variables: what is secret stands in a Secret.
func (m *maker) environment(s *deployment.Service, c *node) {
	env, hidden := list(), mapping()
	told := make(map[string]bool)
	for _, v := range s.Variables {
		if told[v.Name] || v.Hidden != "" {
			continue
		}
		told[v.Name] = true
		if len(source.HiddenIn(v.Name, v.Text)) > 0 {
			hidden.Set(v.Name, text(v.Text))
			env.Items = append(env.Items, mapping("name", text(v.Name), "valueFrom", mapping("secretKeyRef", mapping("name", text(label(s.Name)+"-env"), "key", text(v.Name)))))
			continue
		}
		env.Items = append(env.Items, mapping("name", text(v.Name), "value", text(strings.ReplaceAll(v.Text, "$(", "$$("))))
	}
	if len(env.Items) > 0 {
		c.Set("env", env)
	}
	if len(hidden.Names()) > 0 {
		m.secret(label(s.Name), label(s.Name)+"-env", hidden)
	}
}

// secret adds a Secret to the file of a service, once.
func (m *maker) secret(file, name string, data *node) {
	if m.secrets[name] == nil {
		m.secrets[name] = object("v1", "Secret", name, m.Namespace, mapping())
		m.secrets[name].Set("stringData", mapping())
		m.put(file, m.secrets[name])
	}
	of := m.secrets[name]
	for _, key := range data.Names() {
		value := data.Get(key)
		if value.Tag == "!!binary" {
			if of.Get("data") == nil {
				of.Set("data", mapping())
			}
			of.Get("data").Set(key, text(value.Text))
			continue
		}
		of.Get("stringData").Set(key, value)
	}
}

// probes asks as the health check of Compose does: whether it is ready, and less often whether it lives.
func probes(s *deployment.Service, c *node) {
	health := s.Health()
	if health.Off || health.BuiltIn || len(health.Words) < 2 || s.Once {
		return
	}
	how := mapping("exec", mapping("command", words(health.Words[1:])))
	last := health.Words[len(health.Words)-1]
	switch u, err := url.Parse(last); {
	case health.Words[0] == "CMD-SHELL":
		how = mapping("exec", mapping("command", words([]string{"/bin/sh", "-c", strings.Join(health.Words[1:], " ")})))
	case err == nil && u.Scheme == "http" && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1"):
		how = mapping("httpGet", mapping("path", text(cmp.Or(u.Path, "/")), "port", number(cmp.Or(u.Port(), "80"))))
	}
	ready := how.Clone()
	ready.Set("periodSeconds", number("10"))
	c.Set("readinessProbe", ready)
	if s.Component().Bridge == nil { // one that has lost its network is not well again by a start
		start := how.Clone()
		start.Set("periodSeconds", number("5"))
		start.Set("failureThreshold", number("60"))
		c.Set("startupProbe", start)
	}
}

// rendered reports whether what is mounted are files that are here, and not what a program keeps.
func (m *maker) rendered(mount deployment.Mount) bool {
	if mount.Host == "" {
		return false
	}
	info, err := fs.Stat(m.d.FS, mount.Host)
	if err != nil {
		return mount.ReadOnly
	}
	if !info.IsDir() {
		return true
	}
	return len(m.below(mount.Host)) > 0
}

// below are the files of a directory, by their paths in it.
func (m *maker) below(dir string) (names []string) {
	_ = fs.WalkDir(m.d.FS, dir, func(name string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			names = append(names, strings.TrimPrefix(strings.TrimPrefix(name, dir), "/"))
		}
		return nil
	})
	return names
}

// mounts are the volumes of a service: the files that it reads from Secrets, what it keeps on claims, what is gone with it in memory.
func (m *maker) mounts(s *deployment.Service) (mounts, volumes *node) {
	mounts, volumes = list(), list()
	name := label(s.Name)
	volume := func(n string, how *node) {
		if !slices.ContainsFunc(volumes.Items, func(v *node) bool { return v.Get("name").Str() == n }) {
			how.Set("name", text(n))
			volumes.Items = append(volumes.Items, how)
		}
	}
	for _, mount := range s.Mounts {
		at := mapping("name", text(""), "mountPath", text(mount.Container))
		switch {
		case mount.Fleeting:
			n := "scratch-" + label(mount.Container)
			volume(n, mapping("emptyDir", mapping()))
			at.Set("name", text(n))
		case m.rendered(mount):
			info, _ := fs.Stat(m.d.FS, mount.Host)
			dir, file := mount.Host, ""
			if info != nil && !info.IsDir() {
				dir, file = path.Split(mount.Host)
				dir = path.Clean(dir)
			}
			secret, items := m.secretOf(name, dir, file)
			how := mapping("secretName", text(secret))
			if items != nil {
				how.Set("items", items)
			}
			if file != "" && secret == name+"-files" {
				at.Set("subPath", text(file))
			} else if file != "" {
				at.Set("subPath", text(path.Base(file)))
			}
			volume(secret, mapping("secret", how))
			at.Set("name", text(secret))
			at.Set("readOnly", truth(true))
		default:
			n := m.claim(s, mount)
			volume(n, mapping("persistentVolumeClaim", mapping("claimName", text(n))))
			at.Set("name", text(n))
			if mount.ReadOnly {
				at.Set("readOnly", truth(true))
			}
		}
		mounts.Items = append(mounts.Items, at)
	}
	return mounts, volumes
}

// secretOf puts the files of a directory, or one of them, into a Secret, byte for byte. items lead to those below directories of it.
func (m *maker) secretOf(file, dir, single string) (name string, items *node) {
	name = label(strings.TrimPrefix(dir, "config/"))
	if single != "" {
		name = file + "-files"
	} else if !strings.HasPrefix(name, file) {
		name = file + "-" + name
	}
	data := mapping()
	all := m.below(dir)
	if single != "" {
		all = []string{single}
	}
	for _, one := range all {
		text0, err := source.ReadFS(m.d.FS, path.Join(dir, one))
		if err != nil {
			continue
		}
		key := strings.ReplaceAll(one, "/", "..")
		data.Set(key, content(text0))
		if key != one && items == nil {
			items = list()
		}
	}
	if items != nil {
		for _, one := range all {
			items.Items = append(items.Items, mapping("key", text(strings.ReplaceAll(one, "/", "..")), "path", text(one)))
		}
	}
	m.secret(file, name, data)
	return name, items
}

// content is the bytes of a file as a Secret has them.
func content(src []byte) *node {
	if utf8.Valid(src) && !slices.ContainsFunc([]rune(string(src)), func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
		return text(string(src))
	}
	return source.Made("!!binary", base64.StdEncoding.EncodeToString(src))
}

// claim is the PersistentVolumeClaim of what a service keeps.
func (m *maker) claim(s *deployment.Service, mount deployment.Mount) string {
	name := label(cmp.Or(strings.TrimPrefix(mount.Host, "data/"), mount.Source, mount.Container))
	if !m.claims[name] {
		m.claims[name] = true
		of := mapping("accessModes", words([]string{"ReadWriteOnce"}))
		of.Set("resources", mapping("requests", mapping("storage", text("10Gi"))))
		c := object("v1", "PersistentVolumeClaim", name, m.Namespace, mapping())
		c.Set("spec", of)
		m.put(label(s.Name), c)
	}
	return name
}
