package render

import (
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/spec"
)

// dockerVolumes is where Docker keeps volumes unless its data-root is another directory.
const dockerVolumes = "/var/lib/docker/volumes"

func (st *Stack) data(d spec.Data) Data {
	switch {
	case d.Volume != "":
		data := Data{Source: d.Volume, Volume: d.Volume, DockerVolume: d.Volume, External: d.External}
		if !d.External {
			data.DockerVolume = st.Name + "_" + d.Volume
		}
		return data
	case path.IsAbs(d.Path):
		return Data{Source: d.Path, Path: d.Path}
	case filepath.IsLocal(d.Path):
		return Data{Source: "./" + d.Path, Below: d.Path, Path: d.Path}
	}
	return Data{Source: d.Path, Path: d.Path}
}

// host is the absolute path of the data of a stack that is deployed to dir.
func (d Data) host(dir string) string {
	switch {
	case d.DockerVolume != "":
		return path.Join(dockerVolumes, d.DockerVolume, "_data")
	case path.IsAbs(d.Path):
		return d.Path
	}
	return path.Join(dir, d.Path)
}

// within reports whether a clean path is a directory or lies below it.
func within(name, dir string) bool {
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}

// Where names the place of data for a person.
func (d Data) Where() string {
	if d.Volume != "" {
		return "the volume " + d.DockerVolume
	}
	return "`" + output.Inline(d.Path) + "`"
}

// Together reports whether all data lie below the directory data of the stack, which can be set aside as a whole.
func (st *Stack) Together() bool {
	return !slices.ContainsFunc(st.kept(), func(k keeper) bool { return !within(k.Below, "data") })
}

// keeper is a service with a place that it writes to.
type keeper struct {
	Data
	service string
}

// kept is what the services write, each place once, but for PostgreSQL's at its end.
func (st *Stack) kept() []keeper {
	all := []keeper{{st.Synapse.Data, "synapse"}}
	add := func(d Data, service string) {
		if !slices.ContainsFunc(all, func(k keeper) bool { return k.Data == d }) {
			all = append(all, keeper{d, service})
		}
	}
	for _, c := range st.Containers {
		for _, d := range c.Data {
			add(d, c.Name)
		}
		if c.Redis != nil {
			add(c.Redis.Data, c.Redis.Name)
		}
	}
	if !st.Postgres.External {
		all = append(all, keeper{st.Postgres.Data, "postgres"})
	}
	return all
}

// set is data that are set aside: whose they are, and an image with a shell.
type set struct {
	Data
	Image    string
	UID, GID string
}

// Shell is an image of the stack with a shell and tar.
func (st *Stack) Shell() string {
	if st.Postgres.External {
		return st.Services["synapse"].Image.String()
	}
	return st.Services["postgres"].Image.String()
}

// aside says to a template what is set aside before a restore: PostgreSQL's cluster alone, or all data, which may be one
// directory as a whole.
func aside(st *Stack, cluster bool) any {
	of := func(service string, d Data) set {
		uid, gid := st.owner(service)
		return set{Data: d, Image: st.Shell(), UID: strconv.Itoa(uid), GID: strconv.Itoa(gid)}
	}
	var sets []set
	for _, k := range st.kept() {
		if !cluster || k.service == "postgres" {
			sets = append(sets, of(k.service, k.Data))
		}
	}
	return struct {
		Whole bool
		Sets  []set
	}{st.Together() && !cluster, sets}
}

// Volumes are the volumes of the stack.
func (st *Stack) Volumes() []Data {
	var all []Data
	for _, k := range st.kept() {
		if k.Volume != "" {
			all = append(all, k.Data)
		}
	}
	return all
}
