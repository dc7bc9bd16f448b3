package deployment

import (
	"path"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/source"
)

// Pool is what a process opens of connections to its database at most.
type Pool struct {
	*Service
	Size int
	At   Leaf // what says so; absent for the program's default
}

// Pools are those of all processes that have a database on that server, workers of Synapse among them. A process that does not
// run has none.
func (d *Deployment) Pools(server *Service) (pools []Pool) {
	add := func(s *Service, p component.Pool, at source.Value) {
		pool := Pool{Service: s, Size: p.Size, At: LeafOf(at)}
		if n, ok := at.Int(); ok && n > 0 {
			pool.Size = n
		}
		for range s.Copies {
			pools = append(pools, pool)
		}
	}
	for _, c := range d.Connections() {
		if s, _ := d.DatabaseServer(c); s != server || c.Service.Absent.Why != "" {
			continue
		}
		key := c.pool.Path()
		add(c.Service, c.pool, c.config.At(key...))
		for _, w := range d.Workers {
			if w.Main == c.Service && w.Absent.Why == "" && w.Config.At("database").Set() {
				add(w.Service, c.pool, w.Config.At(key...))
			}
		}
	}
	return pools
}

// MaxConnections is how many connections the server takes at most, and where that stands. reason says why it cannot be told.
func (s *Service) MaxConnections() (n int, at Leaf, reason string) {
	n = component.MaxConnections
	settings, whole := s.settings()
	if !whole {
		return 0, s.Cmd.Leaf, "how PostgreSQL is started cannot be seen"
	}
	var text string
	var file Setting
	for _, given := range settings {
		switch strings.ToLower(given.Name) {
		case "max_connections":
			text, at = given.Value, given.At
		case "config_file":
			file = given
		}
	}
	if file.Value != "" && text == "" {
		at = file.At
		conf, _, why := s.d.Text(s, file.Value)
		if why != "" {
			return 0, Leaf{}, "PostgreSQL's configuration cannot be seen: " + why
		}
		if text, why = setting(conf, "max_connections"); why != "" {
			return 0, Leaf{}, why
		}
	}
	if text == "" {
		return n, at, ""
	}
	n, err := strconv.Atoi(strings.Trim(text, " '"))
	if err != nil {
		return 0, at, "max_connections is no plain number" // postgres-settings says what is wrong with it
	}
	return n, at, ""
}

// setting is what a postgresql.conf sets, the last line of it; reason says that it goes on in another file.
func setting(conf, name string) (val, reason string) {
	for line := range strings.Lines(conf) {
		line, _, _ = strings.Cut(line, "#")
		key, rest, _ := strings.Cut(strings.TrimSpace(strings.Replace(line, "=", " ", 1)), " ")
		switch {
		case strings.HasPrefix(strings.ToLower(key), "include"):
			reason = "PostgreSQL's configuration includes " + path.Base(strings.Trim(strings.TrimSpace(rest), "'")) + ", which is not read"
		case strings.EqualFold(key, name):
			val = strings.TrimSpace(rest)
		}
	}
	return val, reason
}
