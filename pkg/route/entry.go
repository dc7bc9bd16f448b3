package route

import (
	"fmt"
	"slices"
	"strings"
)

// Entry is a way in: what Traefik calls an entrypoint, an address on which nginx or Caddy listens. TLS says that
// whatever comes in by it is HTTPS. Default says that routers which name no entry listen on it. Steps are what it
// does to every request before the router's own, Unchecked why that cannot be told wholly.
type Entry struct {
	Name         string
	TLS, Default bool
	Steps        []Step
	Unchecked    string
}

// Entries are the ways into a proxy. Public leads from a port under which people ask for it to the name of the
// entry that hears them: "" where none does.
type Entries struct {
	All    []Entry
	Public map[string]string
}

// at is the entry that a port leads to. Without one, closed says that nobody is there, unknown that it cannot be
// seen; neither is said of port 443, which may well be that of another proxy before this one.
func (es Entries) at(port string) (e *Entry, closed, unknown string) {
	name, ok := es.Public[port]
	i := slices.IndexFunc(es.All, func(e Entry) bool { return strings.EqualFold(e.Name, name) })
	_, edge := es.Public["443"]
	switch {
	case ok && i >= 0:
		return &es.All[i], "", ""
	case ok:
		return nil, fmt.Sprintf("port %s is published, but no entrypoint listens behind it", port), ""
	case port == "443":
		return nil, "", ""
	case edge:
		return nil, fmt.Sprintf("port %s is not published", port), ""
	}
	return nil, "", fmt.Sprintf("which entrypoint port %s leads to cannot be seen", port)
}

// secure tells whether all entries that a router is on have tls of their own.
func (es Entries) secure(r *Router) bool {
	found := false
	for _, e := range es.All {
		if r.on(&e) {
			if !e.TLS {
				return false
			}
			found = true
		}
	}
	return found
}

// on tells whether the router listens on an entry.
func (r *Router) on(e *Entry) bool {
	if len(r.EntryPoints) == 0 {
		return e.Default
	}
	return slices.ContainsFunc(r.EntryPoints, func(name string) bool { return strings.EqualFold(name, e.Name) })
}

// Names are those of all entries; none where they cannot be seen.
func (t *Table) Names() (names []string) {
	for _, e := range t.entries.All {
		names = append(names, e.Name)
	}
	return names
}

// Listens tells whether there is an entry on a port of the proxy's own; true where its entries cannot be seen.
func (t *Table) Listens(port string) bool {
	return len(t.entries.All) == 0 || slices.ContainsFunc(t.entries.All, func(e Entry) bool { return e.Name == ":"+port })
}

// Hears tells whether HTTPS on a port that people ask for reaches the router; true where that cannot be seen.
func (t *Table) Hears(r *Router, port string) bool {
	e, closed, unknown := t.entries.at(port)
	return closed == "" && (unknown != "" || e == nil || r.on(e))
}
