package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
)

// traefikFault are the first and the last release of a major version that have a fault.
type traefikFault struct{ first, last component.Version }

// encodedRefused are the releases that refuse encoded characters unless an entrypoint allows them, as read in the
// modules of 3.6.3, 3.6.6 and 3.6.7; dockerOld those that ask Docker in version 1.24 of its API.
var (
	encodedRefused = []traefikFault{{component.Version{2, 11, 32}, component.Version{2, 11, 34}}, {component.Version{3, 6, 3}, component.Version{3, 6, 6}}}
	dockerOld      = []traefikFault{{component.Version{}, component.Version{2, 11, 30}}, {component.Version{3, 0, 0}, component.Version{3, 6, 0}}}
)

var traefikVersionSupports = Rule{
	ID: "traefik-version-supports", Severity: finding.Error,
	Summary:     "Traefik lets encoded slashes and hashes through to Matrix, and its release can ask Docker",
	Why:         "400 Bad Request for every room alias and for the backup of keys, whose ids have %23 and %2F in the path. Or 404 for everything after an update of Docker: \"client version 1.24 is too old. Minimum supported API version is 1.44\".",
	Fix:         "Take a Traefik from 3.6.7 or 2.11.35 on and leave encodedCharacters as they are.",
	Source:      "Traefik 3.6.3, 3.6.6 pkg/server/router/router.go, 3.6.7 pkg/config/static/entrypoints.go; 3.6.0 pkg/provider/docker/pdocker.go",
	ComposeOnly: "the controller and its version are none of the stack",
	Check: func(d *deployment.Deployment, r *Reporter) {
		d.Routes()
		if d.Proxy().Service == nil {
			return
		}
		if v, ok := fullVersion(d.Proxy().Service.Image); ok {
			checkDockerAPI(r, d, v)
			checkEncoded(r, d, v)
		} else {
			checkEncoded(r, d, component.Version{})
		}
	},
}

// fullVersion is the version of a tag that names one release: v3.6 moves on with every patch, and v3.5 has had its last.
func fullVersion(ref component.Ref) (component.Version, bool) {
	v, ok := ref.Version()
	minors := strings.Count(strings.SplitN(ref.Tag, "-", 2)[0], ".")
	floating := minors == 0 || minors == 1 && (v[0] == 2 && v[1] >= 11 || v[0] >= 3 && v[1] >= 6)
	return v, ok && !floating
}

func faulty(v component.Version, list []traefikFault) bool {
	return slices.ContainsFunc(list, func(f traefikFault) bool { return !v.Less(f.first) && !f.last.Less(v) })
}

func checkDockerAPI(r *Reporter, d *deployment.Deployment, v component.Version) {
	if faulty(v, dockerOld) && d.HasRouters() {
		img := d.Proxy().Service.ImageAt
		r.Warn(fmt.Sprintf("Traefik %s asks Docker in version 1.24 of its API, which Docker 29 and later refuse; it finds no container there, and every address answers 404", d.Proxy().Service.Image.Tag),
			d.Proxy().Service.ImageLine(d.Proxy().Newer()), img.Site(""))
	}
}

// checkEncoded has each entrypoint at which Synapse is asked let the two characters through.
func checkEncoded(r *Reporter, d *deployment.Deployment, v component.Version) {
	img := d.Proxy().Service.ImageAt
	told := make(map[string]bool)
	for _, s := range d.Synapses {
		for _, host := range s.Hosts() {
			res := d.Routes().Match("GET", host, "/_matrix/client/v3/directory/room/x")
			if res.Router == nil || res.Router.Dropped != "" {
				continue
			}
			for _, name := range res.Router.EntryPoints {
				name = strings.ToLower(name)
				slash, hash := d.Proxy().Encoded[name+".allowencodedslash"], d.Proxy().Encoded[name+".allowencodedhash"]
				refuses := faulty(v, encodedRefused)
				switch {
				case told[name]:
				case slash == "false" || hash == "false":
					r.Fail(fmt.Sprintf("the entrypoint %s refuses encoded slashes or hashes; room aliases and the backup of keys get 400", name),
						"allowEncodedSlash: true and allowEncodedHash: true", d.Proxy().Service.Site(""), res.Router.Site)
				case refuses && d.Proxy().EntryPoints == nil:
					r.NotChecked("the settings of Traefik's entrypoints cannot be seen; "+d.Proxy().Service.Image.Tag+" refuses encoded slashes unless they allow them", img.Site(""))
				case refuses && (slash != "true" || hash != "true"):
					r.Fail(fmt.Sprintf("Traefik %s refuses encoded slashes and hashes; room aliases and the backup of keys get 400", d.Proxy().Service.Image.Tag),
						d.Proxy().Service.ImageLine(d.Proxy().Newer()), img.Site(""), res.Router.Site)
				}
				told[name] = true
			}
		}
	}
}
