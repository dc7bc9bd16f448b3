package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/spec"
)

// Workers are the processes of Synapse besides the main one, and what all of them are told.
type Workers struct {
	Processes []Process
	Writers   []Named // those that write each stream
	Settings  []Named // those that name the processes which do a work, each as YAML
	Redis     *Redis
	Port      int // of HAProxy
	Media     bool
	Rules     []Rule
	Backends  []Backend
}

// Process is one worker.
type Process struct {
	Name, Role, Host string // Role is what it does among the services
	Number           int    // among those of its kind, from 1
	File             string // its own configuration
	Kind             component.WorkerKind
	Replication      bool // others send requests to it
	Media            bool
}

// Resources are what its listener serves.
func (p Process) Resources() []string {
	if len(p.Kind.Resources) == 0 {
		return []string{"health"}
	}
	return p.Kind.Resources
}

// Named is a setting with the processes that it names.
type Named struct {
	Key  string
	List []string
	One  bool // the setting takes one name, and no list
}

// Rule sends requests to a backend of HAProxy: those whose path fits one of the expressions, and whose method is one of
// Methods, where it has any.
type Rule struct {
	Name    string
	Paths   []string
	Methods []string
	Backend string
	// Else: the main process answers, too, where none of the backend does.
	Else bool
}

// Backend are the processes that HAProxy spreads requests over.
type Backend struct {
	Name, Balance string
	Processes     []Process
}

// ReplicationPort is that on which the processes of Synapse ask each other; docs/workers.md.
const ReplicationPort = 9093

// ReplicationPort is the same for templates.
func (Workers) ReplicationPort() int { return ReplicationPort }

// resolveWorkers settles the processes, and which of them answers what. HAProxy stands before all of them, for the proxy and
// for bridges: those ask for media and say who types, too, which the main process then refuses.
func (st *Stack) resolveWorkers(s *spec.Spec, secrets *secret.Set) {
	if len(s.Synapse.Workers) == 0 {
		return
	}
	w := &Workers{Port: component.Of(component.HAProxy).Port}
	w.Redis = &Redis{Name: "synapse-valkey", Host: st.internal("synapse-valkey"), Password: secrets.Get("synapse.redis_password")}
	st.addSecret("synapse", "synapse_redis_password", w.Redis.Password)
	st.addSecret("synapse", "synapse_replication_secret", secrets.Get("synapse.replication_secret"))
	of := make(map[string][]Process)
	for _, kind := range component.WorkerKinds {
		var names []string
		for i := range s.Synapse.Workers[kind.Name] {
			name := fmt.Sprintf("%s%d", strings.ReplaceAll(kind.Name, "_", "-"), i+1)
			p := Process{
				Name: name, Number: i + 1, Role: "synapse-" + name, Host: st.internal("synapse-" + name), File: "config/workers/" + name + ".yaml",
				Kind: kind, Replication: len(kind.Streams) > 0, Media: slices.Contains(kind.Resources, "media"),
			}
			w.Processes, names = append(w.Processes, p), append(names, name)
			of[kind.Name] = append(of[kind.Name], p)
			w.Media = w.Media || p.Media
		}
		if len(names) == 0 {
			continue
		}
		for _, stream := range kind.Streams {
			list := names
			if stream == "quarantined_media_changes" { // what was quarantined before this stream was, the main process writes into it
				list = append(slices.Clip(names), "master")
			}
			w.Writers = append(w.Writers, Named{Key: stream, List: list})
		}
		if key := cmp.Or(kind.Instances, kind.Instance); key != "" {
			w.Settings = append(w.Settings, Named{key, names, kind.Instance != ""})
		}
	}
	st.Workers = w
	st.routeWorkers(of, s.MAS())
	st.Synapse.Address = fmt.Sprintf("http://%s:%d", st.internal("haproxy"), w.Port)
}

// routeWorkers makes the rules of HAProxy, in the order of the groups.
func (st *Stack) routeWorkers(of map[string][]Process, mas bool) {
	first := func(pick func(component.WorkerKind) []string, group string) string {
		for _, kind := range component.WorkerKinds {
			if len(of[kind.Name]) > 0 && slices.Contains(pick(kind), group) {
				return kind.Name
			}
		}
		return ""
	}
	for _, g := range component.WorkerGroups {
		owner := st.Workers.writer(g.Stream)
		if owner == "" {
			owner = first(func(k component.WorkerKind) []string { return k.Groups }, g.Name)
		}
		reader := first(func(k component.WorkerKind) []string { return k.Reads }, g.Name)
		// What only reads first: a process that any request may go to has more time than the one writer.
		if reader != "" {
			st.addRules(g, mas, reader, of[reader], func(r component.WorkerRoute) []string { return r.Reads })
		}
		if owner != "" {
			st.addRules(g, mas, owner, of[owner], nil)
		} else if refused(g.Stream) {
			st.addRules(g, mas, "", nil, nil)
		}
	}
}

// writer is the kind whose processes write a stream; "" where the main process does.
func (w *Workers) writer(stream string) string {
	for _, p := range w.Processes {
		if slices.Contains(p.Kind.Streams, stream) {
			return p.Kind.Name
		}
	}
	return ""
}

// refused reports whether a stream's requests fail at any process but its writer.
func refused(stream string) bool {
	return slices.ContainsFunc(component.Streams, func(s component.Stream) bool { return s.Name == stream && s.Refused != "" })
}

// addRules sends a group to the processes of a kind, or to the main one. Where only is given, it is the part of the group
// with these methods. mas says how users log in.
func (st *Stack) addRules(g component.WorkerGroup, mas bool, kind string, to []Process, only func(component.WorkerRoute) []string) {
	name, backend := g.Name, "main"
	if kind != "" {
		by := g.Balance
		if only != nil { // which is no part of what has one writer
			by = component.Anyhow
		}
		backend = st.Workers.backend(strings.ReplaceAll(kind, "_", "-"), by, to)
	}
	for _, r := range g.Routes {
		methods := r.Methods
		if only != nil {
			if methods = only(r); len(methods) == 0 {
				continue
			}
		}
		if r.Needs == component.NeedsMAS && !mas || r.Needs == component.NeedsNoMAS && mas {
			continue
		}
		label := name
		if len(methods) > 0 {
			label += "-" + strings.ToLower(strings.Join(methods, "-"))
		}
		rules := &st.Workers.Rules
		if i := slices.IndexFunc(*rules, func(o Rule) bool { return o.Name == label && o.Backend == backend }); i >= 0 {
			(*rules)[i].Paths = append((*rules)[i].Paths, r.Path)
			continue
		}
		// Where the main process writes the stream it answers as well as who is nearer.
		stands := g.Stream == "" || only != nil || st.Workers.writer(g.Stream) == ""
		*rules = append(*rules, Rule{Name: label, Paths: []string{r.Path}, Methods: methods, Backend: backend, Else: kind != "" && g.Resource != "media" && stands})
	}
}

// balances are HAProxy's words for how requests are spread. Between it and who asks stands a proxy, a token is as good as
// the name of a user, and a room is the sixth word of /_matrix/client/v3/rooms/ROOM.
var balances = map[component.Balance]string{
	component.Anyhow: "leastconn", component.ByUser: "hdr(Authorization)", component.BySource: "hdr(X-Forwarded-For)", component.ByRoom: "hash path,field(6,/)",
}

// backend is the name of the backend of some processes, which are spread over in one way.
func (w *Workers) backend(kind string, by component.Balance, to []Process) string {
	name, balance := kind, ""
	if len(to) > 1 {
		balance = balances[by]
		if by != component.Anyhow {
			name += "-by-" + strings.ReplaceAll(string(by), " ", "-")
		}
	}
	if !slices.ContainsFunc(w.Backends, func(b Backend) bool { return b.Name == name }) {
		w.Backends = append(w.Backends, Backend{name, balance, to})
	}
	return name
}

// Hashed reports whether the same requests go to the same process.
func (b Backend) Hashed() bool { return strings.Contains(b.Balance, "(") }

// Front is the service that answers for Synapse: the main process, or HAProxy before all of them.
func (st *Stack) Front() string {
	if st.Workers != nil {
		return "haproxy"
	}
	return "synapse"
}

// DeviceMaker is the worker without which no device is made, "" where the main process answers in its place. A bridge that encrypts
// makes its device at its start, and gives up after a minute.
func (st *Stack) DeviceMaker() string {
	if st.Workers != nil {
		for _, p := range st.Workers.Processes {
			if slices.Contains(p.Kind.Streams, "device_lists") {
				return p.Role
			}
		}
	}
	return ""
}

// FrontHost is the name of Front on the stack's own network.
func (st *Stack) FrontHost() string { return st.internal(st.Front()) }

// Valkey is a Redis with the service that runs it, for the compose file.
func (st *Stack) Valkey(r *Redis) any {
	return struct {
		Redis   *Redis
		Service Service
	}{r, st.Services[r.Name]}
}

// frontPort is the port of Front.
func (st *Stack) frontPort() int {
	if st.Workers != nil {
		return st.Workers.Port
	}
	return st.Synapse.Port
}

// Processes are the services that run Synapse, as words of a command.
func (st *Stack) Processes() string {
	words := []string{st.Called("synapse")}
	if st.Workers != nil {
		for _, p := range st.Workers.Processes {
			words = append(words, st.Called(p.Role))
		}
	}
	return strings.Join(words, " ")
}

// Alone are the processes in whose place no other one answers, as kinds.
func (w Workers) Alone() (kinds []string) {
	for _, p := range w.Processes {
		name := strings.ReplaceAll(p.Kind.Name, "_", "-")
		backed := slices.ContainsFunc(w.Rules, func(r Rule) bool { return r.Backend == name && !r.Else })
		if backed && !slices.Contains(kinds, p.Kind.Name) {
			kinds = append(kinds, p.Kind.Name)
		}
	}
	return kinds
}

// workerServices say which image each process runs, with what the main one has.
func (st *Stack) workerServices(s *spec.Spec) {
	if st.Workers == nil {
		return
	}
	main := st.Services["synapse"]
	var outside, front []Joined // what others call Synapse in the proxy's network is said to HAProxy
	for _, n := range main.Networks {
		if n.Key == ingressKey {
			front = append(front, n)
		} else {
			outside = append(outside, n)
		}
	}
	main.Networks = outside
	st.Services["synapse"] = main
	main.Networks = slices.Clone(outside)
	for i := range main.Networks { // the names there are the main process's
		main.Networks[i].Aliases = nil
	}
	for _, p := range st.Workers.Processes {
		svc := main
		svc.Name, svc.Container, svc.ConfigHash = s.ServiceOf(component.Synapse)+"-"+p.Name, "", hashMark(p.Role)
		st.Services[p.Role] = svc
	}
	st.valkeyService(s, st.Workers.Redis.Name)
	program, image := component.Of(component.HAProxy), s.HAProxy.Ref(component.HAProxy)
	user := cmp.Or(s.Owner, program.UserOf(image))
	st.Services["haproxy"] = Service{Name: "haproxy", Image: image, User: user, ConfigHash: hashMark("haproxy"), Sandbox: program.Sandbox.For(user), Networks: front}
}
