package deployment

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// Whereabouts is where a path of the container is kept: PATH in the deployment, /PATH of the machine, volume
// NAME/PATH; "" inside the container only.
func (s *Service) Whereabouts(container string) string {
	m := s.MountAt(container)
	switch {
	case m == nil || m.Fleeting:
		return ""
	case m.Host != "" && !path.IsAbs(m.Source):
		return path.Join(m.Host, strings.TrimPrefix(inImage(container), inImage(m.Container)))
	}
	at := path.Join(m.Source, strings.TrimPrefix(inImage(container), inImage(m.Container)))
	if strings.HasPrefix(m.Source, "/") {
		return at
	}
	return "volume " + at
}

// place is where a path of the container is kept, cleaned, for comparing.
func (s *Service) place(container string) string {
	if container == "" {
		return ""
	}
	at := s.Whereabouts(path.Clean(container))
	if m := s.MountAt(path.Clean(container)); m != nil && at != "" {
		at = m.apart(at)
	}
	return at
}

// apart tells an external volume from the one that Compose makes under that name.
func (m Mount) apart(at string) string {
	if m.External {
		return at + " (external)"
	}
	return at
}

// Sees reports whether a file on the host is seen in the container.
func (s *Service) Sees(host string) bool {
	return slices.ContainsFunc(s.holdings(), func(m Mount) bool { return m.Host != "" && Within(host, m.Host) })
}

// MountAt is the deepest mount that holds a path of the container; nil when none does.
func (s *Service) MountAt(container string) *Mount {
	container = inImage(container)
	var best *Mount
	for i, m := range s.Mounts {
		if Under(container, inImage(m.Container)) && (best == nil || len(inImage(m.Container)) > len(inImage(best.Container))) {
			best = &s.Mounts[i]
		}
	}
	return best
}

// inImage is a clean path of a container without the link that /var/run is to /run, in the images of Debian and Alpine.
func inImage(name string) string {
	name = path.Clean(name)
	if Under(name, "/var/run") {
		name = strings.TrimPrefix(name, "/var")
	}
	return name
}

// BakedAt is what was put last where the image holds a path of the container; nil where nothing was.
func (s *Service) BakedAt(container string) *Mount {
	for i, m := range slices.Backward(s.Baked) {
		if container = path.Clean(container); container == path.Clean(m.Container) || Under(container, m.Container) && !s.d.isFile(m.Host) {
			return &s.Baked[i]
		}
	}
	return nil
}

// isFile reports whether a path of the deployment is a file, below which nothing is.
func (d *Deployment) isFile(host string) bool {
	info, err := fs.Stat(d.FS, host)
	return host != "" && err == nil && info.Mode().IsRegular()
}

// holdings are the mounts and what the image has of the files here.
func (s *Service) holdings() []Mount { return slices.Concat(s.Mounts, s.Baked) }

// Under reports whether a clean path is dir or below it.
func Under(name, dir string) bool {
	dir = path.Clean(dir)
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, "/")+"/")
}

// Within is under for paths of the deployment, which lie below "." unless they begin with "..".
func Within(name, dir string) bool {
	return dir == "." && name != ".." && !strings.HasPrefix(name, "../") || Under(name, dir)
}

// HostPath follows a path in the container to the deployment's files by the deepest mount that holds it;
// otherwise it says why not.
func (s *Service) HostPath(container string) (host, reason string) {
	m := s.MountAt(container)
	if m == nil {
		m = s.BakedAt(container)
	}
	switch {
	case m == nil && s.Build.Set():
		return "", "the image, which is built here, may hold it"
	case m == nil:
		return "", NothingMounted + path.Clean(container)
	case m.Host == "":
		return "", m.Reason
	}
	host = path.Join(m.Host, strings.TrimPrefix(inImage(container), inImage(m.Container)))
	if reason = s.d.Hidden(host); reason != "" {
		return "", reason
	}
	return host, ""
}

// What a reason why a file cannot be seen begins or ends with where it is simply not there.
const (
	NothingMounted = "nothing is mounted at "
	IsUndefined    = " is nowhere defined"
)

// LeadsNowhere reports whether the reason why a file cannot be read is that it is not there at all.
func LeadsNowhere(reason string) bool {
	return strings.HasPrefix(reason, NothingMounted) || strings.HasSuffix(reason, unreadable)
}

// MountSites are where the mount that is missing for a path of the container would stand.
func (s *Service) MountSites(container string) []source.Site {
	if strings.HasPrefix(inImage(container), "/run/secrets/") {
		return s.HandedSites()
	}
	return s.VolumeSites()
}

// HandedSites are the secrets that a service is handed, to be looked at where one is missing: their list, and
// the entries that name none.
func (s *Service) HandedSites() []source.Site {
	if !s.Handed.Exists() {
		return []source.Site{s.Site("it is handed no secrets")}
	}
	sites := []source.Site{s.Handed.Site("the secrets that " + s.Name + " is handed")}
	for _, item := range s.Unhanded {
		sites = append(sites, item.Site("there is no such secret"))
	}
	return sites
}

// Inside is a path of the program's configuration as an absolute one of the container. The images of Synapse
// and MAS run in the root directory (their Dockerfiles).
func (s *Service) Inside(name string) string {
	if path.IsAbs(name) {
		return path.Clean(name)
	}
	return path.Join("/", s.WorkingDir.Str(), name)
}

// VolumeSites are the volumes of the service, or where they would stand.
func (s *Service) VolumeSites() []source.Site {
	if len(s.Volumes.Items) == 0 {
		return []source.Site{s.Volumes.Site("nothing is mounted")}
	}
	var sites []source.Site
	for _, v := range s.Volumes.Items {
		sites = append(sites, v.Site("mounted"))
	}
	return sites
}
