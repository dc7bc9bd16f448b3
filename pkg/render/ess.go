package render

import (
	"bytes"
	"errors"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/memfs"
	"philipp.info/stackgen/pkg/source"
)

// essValues is the file of values for the chart, and essDir is where the files stand of the Secret that they name.
const (
	essValues = "ess.yaml"
	essDir    = "config/ess"
)

// EssPostgres reports whether the databases are in the PostgreSQL that the chart brings.
func (st *Stack) EssPostgres() bool {
	host, _, _ := strings.Cut(st.Postgres.Host, ".")
	return st.Postgres.External && host == "ess-postgres"
}

// Chart is where helm finds the chart.
func (st *Stack) Chart() string { return component.ESSChart }

// ChartVersion is the release of the chart that is rendered for.
func (st *Stack) ChartVersion() string { return component.ESSVersion }

// Digest stands for that of the files which the chart hands to a program, until they are there.
func (st *Stack) Digest(role string) string { return hashMark(role) }

// toChart are the files of the Secret that the chart's values name: registrations, passwords of databases, and of the configurations of
// Synapse and MAS what the chart does not settle. The values are told what they are, so that a change of them starts new pods.
func (b *Bundle) toChart() (files []memfs.File, err error) {
	if b.Stack.ESS == nil {
		return nil, nil
	}
	fsys := b.FS()
	add := func(name string, data []byte) {
		files = append(files, memfs.File{Path: path.Join(essDir, name), Data: data})
	}
	for _, name := range b.Stack.Synapse.Registrations {
		data, err := source.ReadFS(fsys, path.Join("config/matrix", name))
		if err != nil {
			return nil, err
		}
		add(name, data)
	}
	add("synapse-database", []byte(b.Stack.Synapse.DB.Password))
	synapse, err := b.unsettled(component.Synapse, "config/matrix/homeserver.yaml")
	if err != nil {
		return nil, err
	}
	add("synapse-settings", synapse)
	ofSynapse := len(files)
	add("mas-database", []byte(b.Stack.MAS.DB.Password))
	mas, err := b.unsettled(component.MAS, "config/mas/config.yaml")
	if err != nil {
		return nil, err
	}
	add("mas-settings", mas)
	all := memfs.New(files)
	paths := make([]string, len(files))
	for i, f := range files {
		paths[i] = f.Path
	}
	for i := range b.Files {
		if f := &b.Files[i]; f.Path == essValues {
			for role, some := range map[string][]string{"synapse": paths[:ofSynapse], "mas": paths[ofSynapse:]} {
				sum, _ := confighash.Of(all, some, nil)
				f.Data = bytes.ReplaceAll(f.Data, []byte(hashMark(role)), []byte(sum))
			}
		}
	}
	return files, nil
}

// unsettled is what a configuration has besides what the chart settles, with what stands in files of the stack in their place. A variable
// in it would be one of the chart's: ${ is none of it behind a backslash (ess-helm 26.8.1, matrix-tools/internal/pkg/renderer).
func (b *Bundle) unsettled(p component.Program, name string) ([]byte, error) {
	src, err := source.ReadFS(b.FS(), name)
	if err != nil {
		return nil, err
	}
	f, problem := source.Parse(name, src)
	if problem != nil {
		return nil, errors.New(problem.Message)
	}
	kept, _ := component.OfESS(p)
	tree := f.Root().Node()
	tree.Delete(kept.Settles...)
	b.inline(tree)
	out, err := tree.YAML()
	return bytes.ReplaceAll(out, []byte("${"), []byte(`\${`)), err
}

// inline puts what a secret file holds in the place of its path.
func (b *Bundle) inline(n *source.Node) {
	for _, item := range n.Items {
		b.inline(item)
	}
	for _, key := range slices.Clone(n.Names()) {
		v := n.Get(key)
		name, ours := strings.CutPrefix(v.Text, "/run/secrets/")
		i := slices.IndexFunc(b.Stack.Secrets, func(s SecretFile) bool { return s.Name == name })
		if !ours || i < 0 {
			b.inline(v)
			continue
		}
		n.Delete(key)
		n.Set(strings.TrimSuffix(strings.TrimSuffix(key, "_path"), "_file"), source.Made("!!str", b.Stack.Secrets[i].Content))
	}
}
