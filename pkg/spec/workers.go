package spec

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Workers are processes of Synapse besides the main one: how many of each kind. In a spec the name of a set may stand for
// them: small, or one-of-each.
type Workers map[string]int

// maxWorkers bounds the processes of one kind: each wants memory, and connections of PostgreSQL.
const maxWorkers = 32

// WorkerKinds gives the names that a spec may use below synapse.workers, in the order of component.WorkerKinds.
func WorkerKinds() (names []string) {
	for _, k := range component.WorkerKinds {
		names = append(names, k.Name)
	}
	return names
}

func workerSets() []string { return slices.Sorted(maps.Keys(component.WorkerSets())) }

// workers reads the name of a set, or how many there are of each kind.
func (d *decoder) workers(v source.Value, dst reflect.Value) {
	sets := finding.Sentence(workerSets(), "or")
	if v.Kind() == source.Scalar {
		set, ok := component.WorkerSets()[v.Str()]
		if !ok {
			fix := "write " + sets + ", or remove the line for none"
			if meant := choice(v.Str(), workerSets()); meant != "" {
				fix = v.Name() + ": " + meant
			}
			d.fail(v, fmt.Sprintf("%s must be %s, or a mapping of kinds and numbers", v.Path(), sets), fix)
			return
		}
		dst.Set(reflect.ValueOf(Workers(maps.Clone(set))))
		return
	}
	if !d.keys(v) {
		return
	}
	counts := make(Workers)
	for key, val := range v.Entries() {
		i := slices.IndexFunc(component.WorkerKinds, func(k component.WorkerKind) bool { return k.Name == key.Str() })
		if i < 0 {
			d.unknown(key, WorkerKinds())
			continue
		}
		if n := d.count(component.WorkerKinds[i], val); n > 0 {
			counts[key.Str()] = n
		}
	}
	if len(counts) == 0 && len(d.findings) == 0 {
		d.fail(v, v.Path()+" names no kind of worker", "workers: small")
	}
	dst.Set(reflect.ValueOf(counts))
}

// count is how many there are of a kind; 0 where that was refused.
func (d *decoder) count(kind component.WorkerKind, v source.Value) int {
	n, ok := v.Int()
	switch {
	case !ok:
		d.fail(v, v.Path()+" must be a whole number", kind.Name+": 1")
	case n < 1:
		d.fail(v, v.Path()+" is no number of processes; the main process does what no worker does", "remove the line")
	case n > 1 && kind.Single != "":
		d.fail(v, fmt.Sprintf("%s is %d, and there can be one: %s", v.Path(), n, kind.Single), kind.Name+": 1")
	case n > maxWorkers:
		d.fail(v, fmt.Sprintf("%s is more than %d; no one machine runs so many", v.Path(), maxWorkers), kind.Name+": "+strconv.Itoa(maxWorkers))
	default:
		return n
	}
	return 0
}

// oldestWithWorkers is the first Synapse for which workers are rendered.
var oldestWithWorkers = component.Version{1, 163, 0}

// checkWorkers refuses workers of a Synapse whose streams are others than those that are rendered.
func (s *Spec) checkWorkers(d *decoder) {
	at := s.At("synapse", "workers")
	if !at.Exists() {
		return
	}
	ref := component.Ref{Repository: component.Of(component.Synapse).Tested.Repository, Tag: s.Synapse.Ref(component.Synapse).Tag}
	if v, known := ref.Version(); known && v.Less(oldestWithWorkers) {
		d.fail(s.At("synapse", "version"), fmt.Sprintf("synapse.version %s is too old for workers; media that are quarantined are told of by a stream that exists since 1.163", s.Synapse.Version),
			"version: "+component.Of(component.Synapse).Tested.Tag+", or no workers", at.Site("the workers"))
	}
}
