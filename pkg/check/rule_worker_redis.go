package check

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var redisTakesSynapse = Rule{
	ID: "redis-takes-synapse", Severity: finding.Error,
	Summary: "Synapse asks its Redis or Valkey where that listens, with the password that it wants",
	Why:     "Redis refuses the connection (NOAUTH, WRONGPASS, or AUTH without a password being configured): workers hear nothing of each other, and Synapse tries again for ever.",
	Fix:     "The same password in requirepass and in redis.password_path, or in neither.",
	Source:  "Redis and Valkey: AUTH, requirepass; Synapse 1.163.2 config/redis.py, replication/tcp/redis.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			at := s.Config.At("redis")
			server := d.ServiceAt(at.At("host").Str())
			if host := at.At("host"); at.At("enabled").True() && strange(d, s.Service, host.Str()) {
				r.Warn(fmt.Sprintf("Synapse looks for Redis at %q, and nothing here is called so; unless %s is, its processes hear nothing of each other", host.Str(), d.Lines.Stranger), "host: the service that runs Redis or Valkey", host.Site(""))
			}
			if !at.At("enabled").True() || server == nil || server.Absent.Why != "" {
				continue
			}
			wants, where, reason := wantsPassword(d, server)
			checkRedisPort(r, d, s, server, reason)
			has, v, hidden := d.SecretOf(s.Service, at, "password", "password_path")
			switch {
			case reason != "":
				r.NotChecked("which password "+server.Name+" wants: "+reason, server.Site(""))
			case hidden != "" || strings.Contains(wants+has, "$") || s.Partial() || at.At("username").Set():
			case wants == "" && has != "":
				r.Fail(fmt.Sprintf("Synapse logs in to %s with a password, and that has none; it refuses the connection", server.Name), "requirepass for "+server.Name+", or no password in redis", v.Site(""), server.Site(""))
			case wants != "" && has == "":
				r.Fail(fmt.Sprintf("%s wants a password, and Synapse has none for it; it refuses the connection", server.Name), "password_path: the file with that password, in redis", at.Site(""), where)
			case wants != has:
				r.Fail(fmt.Sprintf("Synapse logs in to %s with another password than that wants; it refuses the connection", server.Name), "one password in both", v.Site(""), where)
			}
		}
	},
}

// strange reports whether a name that a service calls is none of a container here, nor one of the world's. A cluster has more Services than
// those of the manifests: there it is one that differs from one of these by a slip.
func strange(d *deployment.Deployment, s *deployment.Service, host string) bool {
	slips := func(o *deployment.Door) bool { return finding.Nearest(host, []string{o.Name}) != "" }
	return (d.Target == deployment.Compose || slices.ContainsFunc(d.Doors, slips)) && host != "" && !strings.ContainsAny(host, ".:/$") && !deployment.Loopback(host) && host != "localhost" &&
		d.ServiceAt(host) == nil && d.Door(host) == nil && !s.MoreNames && !s.NetworkMode.Set()
}

// wantsPassword is the password that a Redis or Valkey wants, "" for none, and where it stands; reason says why that cannot
// be told.
func wantsPassword(d *deployment.Deployment, s *deployment.Service) (password string, at source.Site, reason string) {
	words := s.Command()
	for i, word := range words {
		switch {
		case word == "--requirepass" && i+1 < len(words):
			password, at = words[i+1], s.Site("")
		case strings.HasPrefix(word, "--requirepass="), strings.HasPrefix(word, "--aclfile"), strings.HasPrefix(word, "--user"), word == "-c", word == "sh", strings.HasSuffix(word, ".sh"):
			return "", at, "its command is not plain"
		case strings.HasSuffix(word, ".conf"):
			text, host, why := d.Text(s, word)
			if why != "" {
				return "", at, why
			}
			for n, line := range slices.Collect(strings.Lines(text)) {
				key, val, _ := strings.Cut(strings.TrimSpace(line), " ")
				switch strings.ToLower(key) {
				case "requirepass":
					password, at = strings.Trim(strings.TrimSpace(val), `"'`), source.Site{Pos: source.Pos{File: host, Line: n + 1, Col: 1}}
				case "user", "aclfile", "include":
					return "", at, host + " has users of its own, or reads other files"
				}
			}
		}
	}
	repo := s.Image.Repository
	if password == "" && repo != "redis" && repo != "valkey" && !strings.HasSuffix(repo, "/library/redis") && !strings.HasSuffix(repo, "valkey/valkey") {
		return "", at, "its image may set one"
	}
	return password, at, ""
}

// checkRedisPort has Synapse ask where the server listens; what it asks by a socket has no port.
func checkRedisPort(r *Reporter, d *deployment.Deployment, s *deployment.Synapse, server *deployment.Service, unseen string) {
	port, host, at := s.Config.At("redis", "port"), s.Config.At("redis", "host"), redisPort(d, server)
	asks := cmp.Or(port.Str(), "6379")
	if unseen != "" || at == "" || s.Config.At("redis", "path").Set() || strings.Contains(asks, "$") || d.Inner(host.Str(), asks) == at {
		return
	}
	site := port.Site("")
	if !port.Set() {
		site = host.Site("")
	}
	if at == "0" {
		r.Fail(fmt.Sprintf("Synapse asks %s at port %s, and it is told to listen at none; the connection is refused", server.Name, asks), "redis: {path: …}, with the socket of "+server.Name+" in a directory that both have; or leave its port", site, server.Site(""))
		return
	}
	r.Fail(fmt.Sprintf("Synapse asks %s at port %s, and it listens at %s; the connection is refused", server.Name, asks, at), "port: "+at, site, server.Site(""))
}

// redisPort is where a Redis or Valkey listens, "" where that cannot be told.
func redisPort(d *deployment.Deployment, s *deployment.Service) string {
	port, words := "6379", s.Command()
	for i, word := range words {
		switch {
		case word == "--port" && i+1 < len(words):
			port = words[i+1]
		case strings.HasPrefix(word, "--port="), s.NetworkMode.Set():
			return ""
		case strings.HasSuffix(word, ".conf"):
			text, _, why := d.Text(s, word)
			if why != "" {
				return ""
			}
			for line := range strings.Lines(text) {
				if f := strings.Fields(line); len(f) == 2 && strings.EqualFold(f[0], "port") {
					port = f[1]
				}
			}
		}
	}
	return port
}

var replicationPrivate = Rule{
	ID: "replication-private", Severity: finding.Error,
	Summary: "the listener by which the processes of Synapse speak to each other is not published",
	Why:     "Who reaches it acts as any user of the homeserver: requests to it are not encrypted, and without worker_replication_secret nobody is asked who they are.",
	Fix:     "No ports: for it, and a worker_replication_secret that all processes read.",
	Source:  "Synapse 1.163.2 docs/workers.md, replication/http/_base.py",
	Check: func(d *deployment.Deployment, r *Reporter) {
		for _, s := range d.Synapses {
			checkReplication(r, d, s.Service, s.Config)
		}
		for _, w := range d.Workers {
			checkReplication(r, d, w.Service, w.Config)
		}
	},
}

func checkReplication(r *Reporter, d *deployment.Deployment, s *deployment.Service, config *source.File) {
	ls, _ := d.Listeners(s)
	open := !config.At("worker_replication_secret").Set() && !config.At("worker_replication_secret_path").Set() && !s.Partial()
	for _, l := range ls {
		port, err := strconv.Atoi(l.Port)
		if err != nil || l.Loopback || !slices.Contains(l.Resources, "replication") {
			continue
		}
		for _, p := range s.Ports {
			if p.Inner > port || port > p.Inner+p.Last-p.First || deployment.Loopback(p.IP) {
				continue
			}
			report, what := r.Warn, "; what goes there is not encrypted"
			if open {
				report, what = r.Fail, ", and nothing asks for a secret: they act as any user"
			}
			report(fmt.Sprintf("the listener for replication of %s, port %s, is published to whoever reaches this host%s", s.Name, l.Port, what), "remove the port", p.At.Site(""), l.PortAt().Site("listens"))
		}
	}
}
