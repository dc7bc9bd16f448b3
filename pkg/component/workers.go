package component

import (
	"regexp"
	"slices"
	"sync"
)

// Which process of Synapse answers what: docs/workers.md and synapse/rest of 1.163.2, and each line as the resource
// tree of the real 1.136.0 and 1.163.2 has it (make conformance).

// Stream is what one process of Synapse writes and the others read; its key in stream_writers.
type Stream struct {
	Name string
	// Since is the first release that takes the key; an older one stops at it.
	Since Version
	// Several is the first release that lets more than one process write it, zero where one alone does.
	Several Version
	// Mapped is the first release that stops where a writer of it does not stand in instance_map.
	Mapped Version
	// Refused is what comes of a request that a process gets which does not write the stream, "" where that one asks
	// the writer for it.
	Refused string
}

const (
	raised   = "the request fails with status 500"
	asserted = "the request fails with status 500 (AssertionError)"
)

// Streams are all that stream_writers has, and what it takes; Synapse 1.163.2 config/workers.py WriterLocations.
var Streams = []Stream{
	{Name: "events", Since: Version{1, 14, 0}, Several: Version{1, 22, 0}, Mapped: Version{1, 14, 0}},
	{Name: "typing", Since: Version{1, 18, 0}, Mapped: Version{1, 18, 0}, Refused: raised},                                                     // rest/client/room.py
	{Name: "to_device", Since: Version{1, 26, 0}, Mapped: Version{1, 26, 0}, Refused: asserted},                                                // storage/databases/main/deviceinbox.py
	{Name: "account_data", Since: Version{1, 26, 0}, Mapped: Version{1, 26, 0}},                                                                // handlers/account_data.py asks the writer
	{Name: "receipts", Since: Version{1, 26, 0}, Several: Version{1, 96, 0}, Mapped: Version{1, 26, 0}, Refused: asserted},                     // storage/databases/main/receipts.py
	{Name: "presence", Since: Version{1, 33, 0}, Mapped: Version{1, 33, 0}},                                                                    // handlers/presence.py asks the writer
	{Name: "push_rules", Since: Version{1, 105, 0}, Mapped: Version{1, 105, 0}, Refused: raised},                                               // rest/client/push_rule.py
	{Name: "device_lists", Since: Version{1, 135, 0}, Several: Version{1, 135, 0}, Mapped: Version{1, 163, 0}},                                 // handlers/device.py asks a writer
	{Name: "thread_subscriptions", Since: Version{1, 135, 0}, Several: Version{1, 135, 0}, Mapped: Version{1, 163, 0}, Refused: asserted},      // storage/databases/main/thread_subscriptions.py
	{Name: "quarantined_media_changes", Since: Version{1, 152, 0}, Several: Version{1, 152, 0}, Mapped: Version{1, 163, 0}, Refused: asserted}, // storage/databases/main/room.py
}

// Balance is by what the requests of a group may be spread over several processes.
type Balance string

// The ways to spread them; docs/workers.md "Load balancing".
const (
	Anyhow   Balance = ""         // each request to any
	ByUser   Balance = "user"     // all of one user to the same is faster; anyhow works too
	BySource Balance = "source"   // all of one address to the same
	ByRoom   Balance = "room"     // all of one room to the same
	NoSpread Balance = "one only" // all to one process
)

// WorkerGroup are requests of one kind, which may go to processes of their own.
type WorkerGroup struct {
	Name string
	// Resource is what the listener of the worker has to have in names: client, federation or media.
	Resource string
	// Stream is the one that these requests write, "" where they write none of their own. Where its Refused is set they
	// have to go to a writer of it, that is the main process where stream_writers does not say otherwise; else that is
	// the shortest way.
	Stream string
	// Balance is by what they may be spread.
	Balance Balance
	Routes  []WorkerRoute
}

// WorkerRoute is one kind of path.
type WorkerRoute struct {
	// Path is a regular expression of the whole path, in what Go, PCRE and Python read alike; open at its end where
	// it has no $.
	Path string
	// Methods are those that a worker answers; nil where it answers all that the main process does.
	Methods []string
	// Reads are those that any worker answers, where the others have to go to a writer of the stream of the group.
	Reads []string
	// Since is the first release whose workers answer it; zero where every one since 1.136 does.
	Since Version
	// Example is a request of this kind: METHOD path.
	Example string
	// Needs is the setting without which neither process knows the path.
	Needs string
}

// The settings without which the paths of some routes do not exist.
const (
	NeedsMAS     = "matrix_authentication_service.enabled"
	NeedsNoMAS   = "no matrix_authentication_service"
	NeedsOIDC    = "oidc_providers"
	NeedsCAS     = "cas_config"
	NeedsSAML    = "saml2_config"
	NeedsThreads = "experimental_features.msc4306_enabled"
	NeedsDelay   = "max_event_delay_duration"
)

const (
	clientAll = `^/_matrix/client/(api/v1|r0|v3|unstable)/`
	clientNew = `^/_matrix/client/(r0|v3|unstable)/`
	adminV1   = `^/_synapse/admin/v1/`
	fedV1     = `^/_matrix/federation/v1/`
	fedBoth   = `^/_matrix/federation/(v1|v2)/`
)

// MainRoute is a kind of path that the main process alone answers; a worker has 404 or 405 for it.
type MainRoute struct {
	Path string
	// Methods are those that it is true of; nil for all.
	Methods []string
	// Example is a request of this kind: METHOD path; "" where not every release since 1.136 has it.
	Example string
	// Lost is what people cannot do where a worker gets it.
	Lost string
	// Needs is the setting without which the main process does not know it either.
	Needs string
}

// takes reports whether a request with one of these methods is meant; nil means all.
func takes(methods []string, method string) bool {
	return methods == nil || slices.Contains(methods, method)
}

// paths are the expressions of WorkerGroups and of MainOnly, compiled when they are asked for.
var paths struct {
	once   sync.Once
	groups [][]*regexp.Regexp
	main   []*regexp.Regexp
}

func compilePaths() {
	for _, g := range WorkerGroups {
		var all []*regexp.Regexp
		for _, r := range g.Routes {
			all = append(all, regexp.MustCompile(r.Path))
		}
		paths.groups = append(paths.groups, all)
	}
	for _, r := range MainOnly {
		paths.main = append(paths.main, regexp.MustCompile(r.Path))
	}
}

// WorkerGroupOf gives the group of a request to a Synapse of a version, the zero one for any, and its route; nil where the
// main process alone answers it. The path is without query. Calls may be concurrent.
func WorkerGroupOf(method, path string, v Version) (*WorkerGroup, *WorkerRoute) {
	paths.once.Do(compilePaths)
	for i, group := range paths.groups {
		for j, p := range group {
			if r := &WorkerGroups[i].Routes[j]; takes(r.Methods, method) && (v == Version{} || !v.Less(r.Since)) && p.MatchString(path) {
				return &WorkerGroups[i], r
			}
		}
	}
	return nil, nil
}

// MainRouteOf gives the route of MainOnly that a request fits which is in no group; nil where none does. Calls may be concurrent.
func MainRouteOf(method, path string) *MainRoute {
	if g, _ := WorkerGroupOf(method, path, Version{}); g != nil {
		return nil
	}
	for i, p := range paths.main {
		if takes(MainOnly[i].Methods, method) && p.MatchString(path) {
			return &MainOnly[i]
		}
	}
	return nil
}

// StreamOf gives the stream of that name, nil where there is none.
func StreamOf(name string) *Stream {
	for i := range Streams {
		if Streams[i].Name == name {
			return &Streams[i]
		}
	}
	return nil
}
