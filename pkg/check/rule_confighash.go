package check

import (
	"fmt"
	"slices"

	"philipp.info/stackgen/pkg/confighash"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/manifest"
	"philipp.info/stackgen/pkg/source"
)

var composeConfigHash = Rule{
	ID: "compose-config-hash", Severity: finding.Error,
	Summary:     "the label " + confighash.Label + " is the digest of the files that the service reads",
	Why:         "A setting was changed, `docker compose up -d` says \"Running\", and nothing happens: Compose does not look into mounted files, and the container keeps what it read when it started.",
	Fix:         "Render the stack anew; or put the change into the spec first, if it was made by hand.",
	Source:      "docker compose internal/confighash/hash.go, observed with docker compose v5.6.0",
	ComposeOnly: "what has a pod start anew is an annotation that whoever applies the manifests makes in a way of their own",
	Check: func(d *deployment.Deployment, r *Reporter) {
		written := written(d)
		// A file that somebody put beside the rendered ones is not part of the label.
		counts := func(name string) bool { return written == nil || written[name] != "" }
		for _, s := range d.Services {
			label := deployment.LabelOf(d.Container(s).Labels, confighash.Label).Value
			if label == "" {
				continue
			}
			site := s.LabelSite(confighash.Label, s.Site(""))
			sum, err := confighash.Of(d.FS, s.Reads, counts)
			switch {
			case err != nil:
				r.NotChecked("the files of "+s.Name+" cannot be read: "+deployment.Cause(err), site)
			case sum != label:
				r.Fail(fmt.Sprintf("the files that %s reads are not those of its label; `docker compose up -d` does not restart it for them", s.Name),
					"make the change in the spec and render again", append([]source.Site{site}, edited(d, s, written)...)...)
			}
		}
	},
}

// written gives the digests of the files in the manifest; nil when it lists none.
func written(d *deployment.Deployment) map[string]string {
	m, err := manifest.Read(d.FS)
	if err != nil || len(m.Files) == 0 {
		return nil
	}
	files := make(map[string]string)
	for name, e := range m.Files {
		files[name] = e.SHA256
	}
	return files
}

// edited are the files below the mounts of a service that are no longer what was written.
func edited(d *deployment.Deployment, s *deployment.Service, written map[string]string) []source.Site {
	var names []string
	for name, digest := range written {
		src, err := source.ReadFS(d.FS, name)
		if err == nil && manifest.Digest(src) != digest && s.Sees(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var sites []source.Site
	for _, name := range names {
		sites = append(sites, source.Site{Pos: source.Pos{File: name}, Note: "changed since it was rendered"})
	}
	return sites
}
