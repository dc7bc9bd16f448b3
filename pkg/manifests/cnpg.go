package manifests

import (
	"cmp"
	"maps"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
)

// What a Database of the kinds of CloudNativePG may be (Options.Database).
const cnpg = "cnpg"

// cnpgAPI is the version of its kinds.
const cnpgAPI = "postgresql.cnpg.io/v1"

// instances of a Cluster: a primary, and two that take its place.
const instances = "3"

// Snapshots are when and by which VolumeSnapshotClass CloudNativePG keeps what the databases hold.
type Snapshots struct{ Class, Schedule string }

// operated reports whether an operator runs a PostgreSQL of the deployment, or makes what a job would make in it.
func (m *maker) operated(s *deployment.Service) bool {
	servers := m.d.PostgresServers()
	if m.Database != cnpg || s.Program != component.Postgres || len(servers) == 0 {
		return false
	}
	return slices.Contains(servers, s) || slices.ContainsFunc(m.d.Jobs(), func(j deployment.Job) bool { return j.Service == s })
}

// clusterOf is the name of the Cluster whose Service for writing is found under a name of the server.
func (m *maker) clusterOf(s *deployment.Service) string {
	for _, name := range m.names(s) {
		if of, ok := strings.CutSuffix(name, "-rw"); ok {
			return of
		}
	}
	return label(s.Name)
}

// cluster writes a PostgreSQL of CloudNativePG: the Cluster, and for each program its role, the Secret with the password of it, and its
// database.
func (m *maker) cluster(s *deployment.Service) {
	if !slices.Contains(m.d.PostgresServers(), s) {
		return // a job whose work the operator does
	}
	name, file := m.clusterOf(s), label(s.Name)
	storage := mapping("size", text(cmp.Or(m.Storage[s.Name], defaultStorage)))
	if m.StorageClass != "" {
		storage.Set("storageClass", text(m.StorageClass))
	}
	of := mapping("instances", number(instances), "imageName", text(cnpgImage(s)), "inheritedMetadata", mapping("labels", m.labels(s.Name)), "storage", storage)
	parameters := mapping()
	for _, set := range s.Settings() {
		if set.Name != "listen_addresses" && set.Name != "unix_socket_directories" { // which the operator settles
			parameters.Set(set.Name, text(set.Value))
		}
	}
	if len(parameters.Names()) > 0 {
		of.Set("postgresql", mapping("parameters", parameters))
	}
	m.resources(s, of)
	if m.Snapshots != nil {
		snapshot := mapping()
		if m.Snapshots.Class != "" {
			snapshot.Set("className", text(m.Snapshots.Class))
		}
		of.Set("backup", mapping("volumeSnapshot", snapshot))
	}
	c := object(cnpgAPI, "Cluster", name, m.Namespace, mapping("labels", m.labels(s.Name)))
	c.Set("spec", of)
	m.put(file, c)
	made := m.d.Provisioned(s)
	superuser, own, _ := m.d.Superuser(s)
	for _, role := range slices.Sorted(maps.Keys(made.Roles)) {
		if role == superuser {
			continue // the operator's own
		}
		secret := name + "-" + label(role)
		m.secret(file, secret, mapping("username", text(role), "password", text(made.Roles[role].Password)))
		m.secrets[secret].Set("type", text("kubernetes.io/basic-auth"))
		m.secrets[secret].Get("metadata").Set("labels", mapping("cnpg.io/reload", text("true")))
		r := object(cnpgAPI, "DatabaseRole", secret, m.Namespace, mapping("labels", m.labels(s.Name)))
		r.Set("spec", mapping("cluster", mapping("name", text(name)), "name", text(role), "login", truth(true), "passwordSecret", mapping("name", text(secret))))
		m.put(file, r)
	}
	for _, database := range slices.Sorted(maps.Keys(made.Databases)) {
		db := made.Databases[database]
		if database == own {
			continue
		}
		locale := deployment.LocaleOf(db.Statement)
		d := object(cnpgAPI, "Database", name+"-"+label(database), m.Namespace, mapping("labels", m.labels(s.Name)))
		spec := mapping("cluster", mapping("name", text(name)), "name", text(database), "owner", text(db.Owner), "encoding", text(cmp.Or(locale.Encoding, "UTF8")))
		spec.Set("localeCollate", text(cmp.Or(locale.Collate, "C")))
		spec.Set("localeCType", text(cmp.Or(locale.Ctype, "C")))
		spec.Set("template", text("template0"))
		d.Set("spec", spec)
		m.put(file, d)
	}
	if m.Snapshots != nil && m.Snapshots.Schedule != "" {
		b := object(cnpgAPI, "ScheduledBackup", name, m.Namespace, mapping("labels", m.labels(s.Name)))
		b.Set("spec", mapping("cluster", mapping("name", text(name)), "schedule", text(m.Snapshots.Schedule), "method", text("volumeSnapshot"), "backupOwnerReference", text("self")))
		m.put(file, b)
	}
	m.guarded(s, name)
}

// cnpgImage is CloudNativePG's image of the same version: it knows no other one's start.
func cnpgImage(s *deployment.Service) string {
	if strings.Contains(s.Image.Repository, "cloudnative-pg/") {
		ref, _ := s.ImageAt.Text()
		return ref
	}
	version, _, _ := strings.Cut(s.Image.Tag, "-")
	return path.Join("ghcr.io/cloudnative-pg", "postgresql:"+version+"-system-trixie")
}

// guarded lets in to the pods of a Cluster, besides the programs, its own other pods and the operator, wherever that is: it asks each how it
// is, and copies what it holds from one to the other.
func (m *maker) guarded(s *deployment.Service, name string) {
	own := mapping("podSelector", mapping("matchLabels", mapping("cnpg.io/cluster", text(name))))
	operator := mapping("namespaceSelector", mapping(), "podSelector", mapping("matchLabels", mapping(nameLabel, text("cloudnative-pg"))))
	p := object("networking.k8s.io/v1", "NetworkPolicy", label(s.Name)+"-operator", m.Namespace, mapping("labels", m.labels(s.Name)))
	p.Set("spec", mapping(
		"podSelector", mapping("matchLabels", mapping("cnpg.io/cluster", text(name))), "policyTypes", words([]string{"Ingress"}),
		"ingress", list(mapping("from", list(own, operator), "ports", list(mapping("port", number("5432")), mapping("port", number("8000"))))),
	))
	m.put(label(s.Name), p)
}
