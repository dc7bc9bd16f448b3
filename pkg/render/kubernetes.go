package render

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose"
	"philipp.info/stackgen/pkg/manifests"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// resolveKubernetes settles what a cluster is told besides what Compose would be.
func (st *Stack) resolveKubernetes(s *spec.Spec, secrets *secret.Set) {
	if !s.OnKubernetes() {
		return
	}
	k := s.Kubernetes
	o := &manifests.Options{
		Header: "Rendered by stackgen from " + st.SpecName + ". Change that file, not this one.", Namespace: cmp.Or(k.Namespace, st.Name), Proxy: k.Proxy,
		StorageClass: k.Storage["class"], Storage: k.Storage, Database: s.KubernetesDatabase(), SecretsApart: k.Secrets == "external",
		Secret: func(text string) bool { return secrets.Mask(text) != text },
	}
	if k.Snapshots.Schedule != "" {
		o.Snapshots = &manifests.Snapshots{Class: k.Snapshots.Class, Schedule: k.Snapshots.Schedule}
	}
	if k.Gateway.Name == "" {
		o.Ingress = &manifests.Ingress{Class: k.Ingress.Class, Issuer: k.Ingress.Issuer}
	} else {
		o.Gateway = &manifests.Gateway{Name: k.Gateway.Name, Namespace: cmp.Or(k.Gateway.Namespace, o.Namespace)}
	}
	if st.ESS != nil {
		o.ESS, o.Handed = true, map[string]string{"ess": essDir}
	}
	o.Ports = make(map[string][]int)
	for _, c := range s.Containers() {
		if c.Port != 0 {
			o.Ports[c.Name] = []int{c.Port}
		}
	}
	st.Kubernetes, st.NeedsRoot = o, false
}

// Manifests is a bundle of manifests as a file system, for kubernetes.Open, with all of its objects: the kustomization may leave the Secrets
// to something else.
func (b *Bundle) Manifests() *memfs.FS {
	all := *b
	all.Files = slices.DeleteFunc(slices.Clone(b.Files), func(f File) bool { return f.Path == manifests.Kustomization && b.Stack.Kubernetes.SecretsApart })
	return all.FS()
}

// Asked is where a Prometheus finds a port: in a cluster it runs in another namespace.
func (st *Stack) Asked(host string, port int) string {
	if st.Kubernetes != nil {
		host += "." + st.Kubernetes.Namespace + ".svc"
	}
	return fmt.Sprintf("%s:%d", host, port)
}

// Cluster is what CloudNativePG calls the PostgreSQL, whose Service for writing is the address in every file.
func (st *Stack) Cluster() string { return strings.TrimSuffix(st.Postgres.Host, "-rw") }

// ofCompose are the rendered files that only Compose reads.
func ofCompose(name string) bool { return name == composeFile || strings.HasPrefix(name, "secrets/") }

const composeFile = "docker-compose.yml"

// asManifests makes of the files of Compose the manifests that run the same with them. What no container reads stays as it is.
func (b *Bundle) asManifests() error {
	handed, err := b.toChart()
	if err != nil {
		return err
	}
	d, findings := compose.OpenAlone(b.FS(handed...))
	for _, f := range findings {
		return errors.New(f.Message)
	}
	made, err := manifests.From(d, *b.Stack.Kubernetes)
	if err != nil {
		return err
	}
	b.ofCompose = b.Files
	files := slices.DeleteFunc(slices.Clone(b.Files), func(f File) bool {
		return f.Data == nil || ofCompose(f.Path) || slices.ContainsFunc(d.Services, func(s *deployment.Service) bool { return s.Sees(f.Path) })
	})
	for _, f := range made {
		if i := slices.IndexFunc(files, func(o File) bool { return o.Path == f.Path }); i >= 0 {
			return fmt.Errorf("two files are called %s", f.Path)
		}
		files = append(files, File{Path: f.Path, Data: f.Data, UID: -1, GID: -1})
	}
	slices.SortFunc(files, func(x, y File) int { return cmp.Compare(x.Path, y.Path) })
	b.Files = files
	return nil
}
