package deployment

import (
	"fmt"
	"strconv"
	"strings"

	"philipp.info/stackgen/pkg/component"
)

// Root reports whether the container is not told to run as somebody else. The images of all bridges begin as root.
func (s *Service) Root() bool {
	user, _, _ := strings.Cut(s.UserAt.Str(), ":")
	return user == "" || user == "0" || user == "root"
}

// Writable reports whether the container can make a file at a path, as far as the compose file says. Who owns
// a directory on the host does not stand there.
func (s *Service) Writable(file string) bool {
	if m := s.MountAt(file); m != nil {
		return !m.ReadOnly
	}
	return !s.ReadOnly.True() && (s.Root() || strings.HasPrefix(file, "/tmp/"))
}

// User is whom the program of a service reads its files as; ok is false where that cannot be told.
func (s *Service) User() (uid, gid int, at Leaf, ok bool) {
	at = s.UserAt
	if text, known := at.Text(); at.Set() {
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
	c := s.Component()
	name, _, _ := strings.Cut(c.User, ":")
	if c.ReadsAsUser {
		uid, _ = strconv.Atoi(name)
	}
	// What takes the place of a start script that changes to User may change to somebody else, or stay root.
	gid, at, ok = uid, s.ImageAt, c.ReadsAsUser && (c.Start != component.FromEntrypoint || s.Switches(true))
	if s.Program == component.Synapse {
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

// RunsAs is the uid:gid that the program ends up as, as far as the compose file says: that of `user`, which has the group of root
// where it names none and the image does not know it, or those that the start script of the image takes from UID and GID when
// it drops root. "" where only the image knows.
func (s *Service) RunsAs() string {
	usual := s.Component().UserOf(s.Image)
	own, group, _ := strings.Cut(usual, ":")
	if s.UserAt.Set() && !s.Root() {
		uid, gid, _, ok := s.User()
		switch {
		case !ok:
			return ""
		case gid < 0 && strconv.Itoa(uid) == own:
			return usual
		}
		return fmt.Sprintf("%d:%d", uid, max(gid, 0))
	}
	uid, given := s.Env("UID")
	gid, more := s.Env("GID")
	if !given.Set() && !more.Set() || !s.Switches(false) {
		return ""
	}
	if uid == "" {
		uid = own
	}
	if gid == "" {
		if gid = group; s.Component().Bridge != nil && uid != own {
			gid = uid
		}
	}
	if _, err := strconv.Atoi(uid + gid); err != nil || strings.Trim(uid, "0") == "" {
		return ""
	}
	return uid + ":" + gid
}

// Switches are the images whose start script changes from root to a user of its own.
func (s *Service) Switches(server bool) bool {
	switch start := s.Component().Start; {
	case server, start == component.FromEntrypoint:
		return !s.Entrypoint.Set()
	case start == component.FromCommand:
		return len(s.Command()) == 0
	}
	return false
}
