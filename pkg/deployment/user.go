package deployment

import (
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/image"
	"philipp.info/stackgen/pkg/source"
)

// Root reports whether the container is not told to run as somebody else. The images of all bridges begin as root.
func (s *Service) Root() bool {
	user, _, _ := strings.Cut(s.Value.At("user").Str(), ":")
	return user == "" || user == "0" || user == "root"
}

// Writable reports whether the container can make a file at a path, as far as the compose file says. Who owns
// a directory on the host does not stand there.
func (s *Service) Writable(file string) bool {
	if m := s.MountAt(file); m != nil {
		return !m.ReadOnly
	}
	return !s.Value.At("read_only").True() && (s.Root() || strings.HasPrefix(file, "/tmp/"))
}

// imageUsers are the users as which programs read their files unless the compose file says otherwise. Synapse
// starts as root and then becomes this one; the bridges' start script hands /data to theirs; PostgreSQL's
// entrypoint reads as root what it is handed.
var imageUsers = map[image.Program]int{image.Synapse: 991, image.MAS: 65532}

// User is whom the program of a service reads its files as; ok is false where that cannot be told.
func (s *Service) User() (uid, gid int, at source.Value, ok bool) {
	at = s.Value.At("user")
	if text, known := s.D.Expand(at); at.Set() {
		u, g, both := strings.Cut(text, ":")
		uid, err := strconv.Atoi(u)
		gid, errGroup := strconv.Atoi(g)
		if u == "root" {
			uid, err = 0, nil
		}
		if !both || errGroup != nil {
			gid = -1
		}
		return uid, gid, at, known && err == nil
	}
	uid, ok = imageUsers[s.Program]
	gid, at = uid, s.Value.At("image")
	if s.Program == image.Synapse {
		for _, e := range []struct {
			name string
			id   *int
		}{{"UID", &uid}, {"GID", &gid}} {
			if text, v := s.Env(e.name); text != "" {
				n, err := strconv.Atoi(text)
				*e.id, at, ok = n, v, ok && err == nil
			}
		}
	}
	return uid, gid, at, ok
}

// Switches are the images whose start script changes from root to a user of its own.
func (s *Service) Switches(server bool) bool {
	words := s.Command()
	switch {
	case server, s.Program == image.Synapse:
		return !s.Value.At("entrypoint").Set()
	case s.Program == image.MAS, s.Program == image.Unknown, s.Program == image.Traefik, s.Program == image.Postgres:
		return false
	}
	return len(words) == 0
}
