package render

import (
	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/spec"
)

// Pool bounds the connections of a program to its database.
type Pool struct {
	Size      int // of each process
	Processes int // that have one
}

// pool is that of a program of the spec, whose own extra wins.
func pool(s *spec.Spec, p component.Program) Pool {
	c, on := s.Component(p)
	if !on {
		return Pool{component.UnknownPool, 1}
	}
	bound := component.Of(p).PoolOf(release(p, c))
	pool := Pool{Size: bound.Size, Processes: 1}
	if p == component.Synapse {
		pool.Size = SynapsePool
		for _, more := range s.Synapse.Workers {
			pool.Processes += more
		}
	}
	if s.Small() && (p == component.Synapse || p == component.MAS) {
		pool.Size = SmallPool
	}
	if n, ok := s.At(spec.Section(p)...).At("extra").At(bound.Path()...).Int(); ok && n > 0 {
		pool.Size = n
	}
	return pool
}

// SynapsePool is what each process of Synapse opens at most: cp_max.
const SynapsePool = 10

// SmallPool is what Synapse and MAS open of a small machine's: each connection is a process of PostgreSQL with memory of its own.
const SmallPool = 5

// SmallCaches is caches.global_factor of Synapse on a small machine, half of its default (config/cache.py).
const SmallCaches = "0.25"

// SmallMemory is database.memory of a small machine that says none.
const SmallMemory = "256M"

// Connections is how many connections all programs open to PostgreSQL together at most.
func (st *Stack) Connections() (sum int) {
	for _, db := range st.Databases {
		sum += db.Pool.Size * db.Pool.Processes
	}
	return sum
}

// SmallCaches is what the template has of it.
func (st *Stack) SmallCaches() string { return SmallCaches }
