package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// tunePostgres sets what the stack needs and what follows from database.memory and, in the place of these or behind them, what the
// spec says itself.
func (st *Stack) tunePostgres(s *spec.Spec) {
	connections := component.ConnectionsFor(st.Connections())
	var all []Setting
	if connections > component.MaxConnections {
		all = append(all, Setting{"max_connections", fmt.Sprint(connections), fmt.Sprintf("The pools of all programs open %d connections together, and some are for psql and the backup.", st.Connections())})
	}
	if n, ok := s.At("database", "extra", "max_connections").Int(); ok && n > 0 {
		connections = n
	}
	given := s.Database.Memory
	if given == "" && s.Small() {
		given = SmallMemory
	}
	if memory := spec.Megabytes(given) / 4 * 4; memory > 0 {
		all = append(all, ForMemory(memory, connections)...)
		st.Postgres.Memory, st.Postgres.ShmSize = Memory(memory), shmFor(memory)
	}
	st.Postgres.Settings = settingsOver(all, s)
}

// ForMemory are the settings of a PostgreSQL that has so many megabytes for itself and the kernel's cache of its files, and takes so
// many connections. A quarter is its own cache, and a quarter is for sorting; the rest is the kernel's, or
// vacuum's. PostgreSQL 14 to 18, docs/runtime-config-resource and runtime-config-query.
func ForMemory(memory, connections int) []Setting {
	return []Setting{
		{"shared_buffers", size(memory / 4), "Its own cache: a quarter of the memory, as PostgreSQL's manual begins with. What it lacks is mostly in the kernel's."},
		{"effective_cache_size", size(memory * 3 / 4), "No memory, but what the planner may think is cached, here or by the kernel."},
		{"work_mem", size(max(memory/4/connections, minWork)), "For each sort or hash of a query: a quarter of the memory, if every connection has one at once."},
		{"maintenance_work_mem", size(maintenance(memory)), "For vacuum and the making of indexes, of which several run at once."},
	}
}

const (
	minWork        = 2       // half of PostgreSQL's default: queries of Synapse sort little
	minMaintenance = 16      // a quarter of PostgreSQL's default
	maxMaintenance = 1 << 10 // what vacuum takes of it up to PostgreSQL 16
	minShm         = 256     // as Docker's 64 are too few for parallel queries
)

func maintenance(memory int) int { return min(max(memory/16, minMaintenance), maxMaintenance) }

// shmFor is the size of /dev/shm: a parallel vacuum keeps all of maintenance_work_mem there (commands/vacuumparallel.c), and
// parallel queries their hashes.
func shmFor(memory int) string { return inUnit(max(2*maintenance(memory), minShm), "m", "g") }

// Memory is a number of megabytes as a spec has it.
func Memory(megabytes int) string { return inUnit(megabytes, "M", "G") }

// size is a number of megabytes as PostgreSQL reads it.
func size(megabytes int) string { return inUnit(megabytes, "MB", "GB") }

func inUnit(megabytes int, mega, giga string) string {
	if megabytes%1024 == 0 {
		return fmt.Sprint(megabytes/1024) + giga
	}
	return fmt.Sprint(megabytes) + mega
}

// settingsOver lays database.extra over settings: what is set to the same stays as it is.
func settingsOver(all []Setting, s *spec.Spec) []Setting {
	for _, key := range slices.Sorted(maps.Keys(s.Database.Extra)) {
		_, name := source.Operator(key)
		val := s.Database.Extra[key]
		if list, ok := val.([]any); ok { // a list of names, such as shared_preload_libraries
			texts := make([]string, len(list))
			for i, item := range list {
				texts[i] = fmt.Sprint(item)
			}
			val = strings.Join(texts, ",")
		}
		set := Setting{Name: name, Value: fmt.Sprint(val)}
		same := func(o Setting) bool { return strings.EqualFold(o.Name, name) }
		if i := slices.IndexFunc(all, same); i >= 0 && all[i].Value == set.Value {
			continue
		}
		all = append(slices.DeleteFunc(all, same), set)
	}
	return all
}
