package manifests

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"unicode/utf8"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// secretsDir is where the Secrets lie: all else may be shown to everybody.
const secretsDir = "secrets"

// maxSecret is what a Secret may hold (k8s.io/api core/v1, MaxSecretSize).
const maxSecret = 1 << 20

// secret adds what a Secret holds. It stands in the file of the first service that is given it.
func (m *maker) secret(file, name string, data *node) {
	if m.secrets[name] == nil {
		m.secrets[name] = object("v1", "Secret", name, m.Namespace, mapping())
		m.put(path.Join(secretsDir, file), m.secrets[name])
	}
	of := m.secrets[name]
	size := 0
	for _, key := range data.Names() {
		value, where := data.Get(key), "stringData"
		if value.Tag == "!!binary" {
			value, where = text(value.Text), "data"
		}
		if of.Get(where) == nil {
			of.Set(where, mapping())
		}
		of.Get(where).Set(key, value)
		size += len(value.Text)
	}
	if size > maxSecret {
		m.err = fmt.Errorf("the files of %s are %d bytes, and a Secret holds %d at most: bring what is large in an image or a volume of its own", file, size, maxSecret)
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
	volume := func(n string, how *node) {
		if !slices.ContainsFunc(volumes.Items, func(v *node) bool { return v.Get("name").Str() == n }) {
			v := mapping("name", text(n))
			for _, key := range how.Names() {
				v.Set(key, how.Get(key))
			}
			volumes.Items = append(volumes.Items, v)
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
			secret, items := m.secretOf(s, dir, file)
			how := mapping("secretName", text(secret))
			if uid, _ := user(s); uid != "" { // its group may read them, and nobody else
				how.Set("defaultMode", number("288"))
			}
			if items != nil {
				how.Set("items", items)
			}
			if file != "" {
				at.Set("subPath", text(m.keyOf(secret, dir, file)))
			}
			volume(secret, mapping("secret", how))
			at.Set("name", text(secret))
			at.Set("readOnly", truth(true))
		default:
			n := m.claim(s, mount)
			volume("data-"+n, mapping("persistentVolumeClaim", mapping("claimName", text(n))))
			at.Set("name", text("data-"+n)) // a Secret may be called as the claim
			if mount.ReadOnly {
				at.Set("readOnly", truth(true))
			}
		}
		mounts.Items = append(mounts.Items, at)
	}
	if size := s.ShmAt.Str(); size != "" {
		how := mapping("medium", text("Memory"))
		if number := strings.TrimRight(strings.ToLower(size), "b"); strings.HasSuffix(number, "m") || strings.HasSuffix(number, "g") {
			how.Set("sizeLimit", text(strings.ToUpper(number)+"i"))
		}
		volume("shm", mapping("emptyDir", how))
		mounts.Items = append(mounts.Items, mapping("name", text("shm"), "mountPath", text("/dev/shm")))
	}
	return mounts, volumes
}

// secretOf puts the files of a directory, or one of them, into a Secret, byte for byte. A directory has one, whoever reads it; single files
// stand together in one of their service. items lead to those below directories of it.
func (m *maker) secretOf(s *deployment.Service, dir, single string) (name string, items *node) {
	of := label(s.Name)
	if single != "" {
		name = m.called("files of "+of, of+"-files")
		m.secret(of, name, mapping(m.keyOf(name, dir, single), m.content(path.Join(dir, single))))
		return name, nil
	}
	name = m.called(dir, label(strings.TrimPrefix(dir, "config/")))
	data := mapping()
	all := m.below(dir)
	for _, one := range all {
		key := strings.ReplaceAll(one, "/", "..")
		data.Set(key, m.content(path.Join(dir, one)))
		if key != one && items == nil {
			items = list()
		}
	}
	if items != nil {
		for _, one := range all {
			items.Items = append(items.Items, mapping("key", text(strings.ReplaceAll(one, "/", "..")), "path", text(one)))
		}
	}
	m.secret(of, name, data)
	return name, items
}

// called is the name of the Secret of something: the one that fits, or if another has that, the next.
func (m *maker) called(what, name string) string {
	if n := m.holds[what]; n != "" {
		return n
	}
	one := name
	for i := 2; m.secrets[one] != nil; i++ {
		one = fmt.Sprintf("%s-%d", name, i)
	}
	m.holds[what] = one
	return one
}

// keyOf is the key of a single file in the Secret of its service: its name, or if another file of that name is there, with its directory.
func (m *maker) keyOf(secret, dir, file string) string {
	what := secret + " has " + file
	if m.holds[what] == "" {
		m.holds[what] = dir
	}
	if m.holds[what] != dir {
		return label(dir) + "." + file
	}
	return file
}

// content is the bytes of a file as a Secret has them.
func (m *maker) content(name string) *node {
	src, err := source.ReadFS(m.d.FS, name)
	if err != nil {
		m.err = err
		return text("")
	}
	if utf8.Valid(src) && !slices.ContainsFunc([]rune(string(src)), func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }) {
		return text(string(src))
	}
	return source.Made("!!binary", base64.StdEncoding.EncodeToString(src))
}

// claim is the PersistentVolumeClaim of what a service keeps, made with the first service that has it. A volume that exists is no claim
// of the stack's own.
func (m *maker) claim(s *deployment.Service, mount deployment.Mount) string {
	where := placeOf(mount)
	if name := m.claims[where]; name != "" {
		return name
	}
	name := label(s.Name)
	if mount.Host == "" && mount.Source != "" {
		name = label(mount.Source)
	} else if n := len(m.claims); n > 0 && slices.Contains(m.taken(), name) {
		name += "-" + label(mount.Container)
	}
	m.claims[where] = name
	if mount.External {
		return name
	}
	of := mapping("accessModes", words([]string{"ReadWriteOnce"}))
	if m.StorageClass != "" {
		of.Set("storageClassName", text(m.StorageClass))
	}
	of.Set("resources", mapping("requests", mapping("storage", text(cmp.Or(m.Storage[s.Name], defaultStorage)))))
	c := object("v1", "PersistentVolumeClaim", name, m.Namespace, mapping("labels", m.labels(s.Name)))
	c.Set("spec", of)
	m.put(label(s.Name), c)
	return name
}

// defaultStorage is how much a service is given for what it keeps where nobody says.
const defaultStorage = "10Gi"

func (m *maker) taken() (names []string) {
	for _, name := range m.claims {
		names = append(names, name)
	}
	return names
}

// clusterDir is where PostgreSQL has its cluster below a volume: the top of one holds lost+found, or belongs to root, and it makes none there.
func clusterDir(s *deployment.Service) string {
	const top = "/var/lib/postgresql/data" // of the images before 18
	if set, _ := s.Env("PGDATA"); s.Program != component.Postgres || s.Once || set != "" || !slices.ContainsFunc(s.Mounts, func(m deployment.Mount) bool { return m.Container == top }) {
		return ""
	}
	return top + "/pgdata"
}
