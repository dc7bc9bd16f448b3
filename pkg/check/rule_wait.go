package check

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

// asksReady is pg_isready where it is run, and not told of, with what follows.
var asksReady = regex.Of(`(?:^|[;&|(!{\n]|\b(?:until|while|if|elif|then|do|else|exec)\s|\s-l?c\s)\s*(?:/\S*/)?pg_isready\b([^;|&)\n]*)`)

// checkWaits has what waits for PostgreSQL with pg_isready, such as what runs before a pod's program, ask where it answers.
func checkWaits(r *Reporter, d *deployment.Deployment, s *deployment.Service) {
	g := asksReady().FindStringSubmatch(strings.ReplaceAll(strings.Join(s.Command(), " "), "\\\n", " "))
	if g == nil || s.Absent.Why != "" {
		return
	}
	words := strings.Fields(g[1])
	for i, w := range words {
		words[i] = strings.Trim(w, `"'`)
	}
	at := s.Cmd.Site("")
	if !s.Cmd.Set() {
		at = s.Entrypoint.Site("")
	}
	l := deployment.IsReadyOptions.Read(words)
	if strings.ContainsAny(g[1], "$`>") || strings.ContainsAny(l.Value('d'), "=/") {
		return // it is put together in the container
	}
	const ever = "it waits for ever"
	env := func(name string) string {
		text, _ := s.Env(name)
		return text
	}
	host, port := cmp.Or(l.Value('h'), env("PGHOST")), cmp.Or(l.Value('p'), env("PGPORT"), "5432")
	to, door := d.ServiceAt(host), d.Door(host)
	switch {
	case l.Fault != "":
		r.Fail(fmt.Sprintf("pg_isready in the command of %s %s; %s", s.Name, l.Fault, ever), "pg_isready -q -h HOST -p 5432 -U postgres", at)
	case strange(d, s, host):
		r.Warn(fmt.Sprintf("%s waits for PostgreSQL at %q, and nothing here is called so; unless %s is, %s", s.Name, host, d.Lines.Stranger, ever), unlessNear(d, host), at)
	case door != nil && door.Elsewhere == "" && !door.Direct && len(door.To) > 0 && !leads(door, port):
		r.Fail(fmt.Sprintf("%s waits for port %s of the Service %s, which has %s; %s", s.Name, port, door.Name, portList(door), ever), "-p "+portList(door), at, door.At.Site("the Service"))
	case door == nil && to != nil && slices.Contains(d.PostgresServers(), to) && to.PostgresPort() != "" && to.PostgresPort() != port:
		r.Fail(fmt.Sprintf("%s waits for port %s of %s, which listens on %s; %s", s.Name, port, to.Name, to.PostgresPort(), ever), "-p "+to.PostgresPort(), at)
	case l.Value('U') == "" && env("PGUSER") == "" && s.EnvHidden("PGUSER") == "" && unknownThere(s):
		r.Fail(fmt.Sprintf("%s waits with pg_isready as user %s, of whom PostgreSQL's image knows no name; it gives up before it asks (no attempt), and %s", s.Name, s.UserAt.Str(), ever), "pg_isready -U postgres …", at, s.UserAt.Site("the user"))
	}
}

func leads(door *deployment.Door, port string) bool {
	_, ok := door.Leads(port)
	return ok
}

func unlessNear(d *deployment.Deployment, host string) string {
	if near := d.NearName(host); near != "" {
		return "-h " + near
	}
	return "-h with the name of the database's service"
}

// unknownThere reports whether a container of PostgreSQL's own image runs as a number that its /etc/passwd has no name for: neither one of
// the system, nor postgres (999, of Alpine 70), nor nobody.
func unknownThere(s *deployment.Service) bool {
	user, _, _ := strings.Cut(s.UserAt.Str(), ":")
	n, err := strconv.Atoi(user)
	return err == nil && path.Base(s.Image.Repository) == "postgres" && n >= 200 && n != 999 && n != 65534
}

// checkPassfile has libpq take the password file that a program is given: one that others can read it passes over, in a pod with a group for
// its files every one (PostgreSQL 18 src/interfaces/libpq/fe-connect.c passwordFromFile).
func checkPassfile(r *Reporter, d *deployment.Deployment, s *deployment.Service) {
	say := func(file string, at source.Site) {
		var best *deployment.Mount
		for i, m := range s.Mounts {
			inside := file == m.Container || strings.HasPrefix(file, strings.TrimSuffix(m.Container, "/")+"/")
			if inside && (best == nil || len(m.Container) > len(best.Container)) {
				best = &s.Mounts[i]
			}
		}
		if best != nil && best.Shown.Exists() {
			r.Fail(fmt.Sprintf("others than its owner can read the password file %s of %s, and libpq passes over such a file; no password is supplied, and nobody logs in", file, s.Name),
				"the password as a variable, PGPASSWORD, of the same Secret", at, best.Shown.Site("has others read it"))
		}
	}
	if file, at := s.Env("PGPASSFILE"); file != "" {
		if _, given := s.Env("PGPASSWORD"); !given.Exists() && s.EnvHidden("PGPASSWORD") == "" {
			say(file, at.Site(""))
		}
	}
	for _, h := range d.Synapses {
		args := h.Config.At("database", "args")
		if h.Service == s && args.At("passfile").Set() && !args.At("password").Set() {
			say(args.At("passfile").Str(), args.At("passfile").Site(""))
		}
	}
}

// workOf is what Synapse has that one process do, by its name; "" for a worker that has no duty.
func workOf(w *deployment.Worker) string {
	name, config := w.Named().Str(), w.Config
	if name == "" {
		return ""
	}
	for stream, list := range config.At("stream_writers").Entries() {
		for _, v := range oneOrMore(list) {
			if v.Str() == name {
				return "writes the stream " + stream.Str()
			}
		}
	}
	for _, work := range duties {
		for _, v := range oneOrMore(config.At(work.key)) {
			if v.Str() == name {
				return "is named in " + work.key
			}
		}
	}
	return ""
}

// checkTwins has a process that others know by its name be started once.
func checkTwins(r *Reporter, d *deployment.Deployment) {
	for _, w := range d.Workers {
		if work := workOf(w); w.Copies > 1 && work != "" && w.Absent.Why == "" {
			r.FailMend(fmt.Sprintf("%s starts %d containers of %s, and each is called %s, which %s; they do the same work twice, and what they write is in disorder", d.Target, w.Copies, w.Name, w.Named().Str(), work),
				set(w.CopiesAt, "1"), w.CopiesAt.Site(""), w.Named().Site("its name"))
		}
	}
	for _, l := range d.LiveKits {
		s := l.Service
		env, _ := s.Env("REDIS_HOST")
		redis := l.Config.At("redis")
		told := redis.At("address").Str() != "" || len(redis.At("sentinel_addresses").Items())+len(redis.At("cluster_addresses").Items()) > 0 || env != "" || s.EnvHidden("REDIS_HOST") != "" || s.EnvUnread != "" || strings.Contains(strings.Join(s.Command(), " "), "redis")
		if s.Copies > 1 && s.Absent.Why == "" && l.Config.Root().Set() && !told {
			r.FailMend(fmt.Sprintf("%s starts %d containers of %s, which know nothing of each other without Redis; who is in one call may be in two rooms", d.Target, s.Copies, s.Name), set(s.CopiesAt, "1"), s.CopiesAt.Site(""))
		}
	}
	for _, h := range d.Synapses {
		s := d.ServiceAt(h.Config.At("redis", "host").Str())
		if s != nil && h.Config.At("redis", "enabled").True() && s.Copies > 1 && s.Absent.Why == "" && (s.Program == component.Valkey || path.Base(s.Image.Repository) == "redis") {
			r.Warn(fmt.Sprintf("%s starts %d containers of %s, and each process of Synapse speaks to one of them; unless they replicate, they hear nothing of each other", d.Target, s.Copies, s.Name), "replicas: 1", s.CopiesAt.Site(""))
		}
	}
}
