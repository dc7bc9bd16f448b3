package check

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/route/traefik"
	"philipp.info/stackgen/pkg/source"
)

var composeUnique = Rule{
	ID: "compose-unique", Severity: finding.Error,
	Summary:     "no two services take the same port of the host or the same container name, and no label stands twice",
	Why:         "\"Bind for 0.0.0.0:8008 failed: port is already allocated\", \"container name … is already in use\": one of the two does not start. Of a label that stands twice Compose keeps the last.",
	Fix:         "Give one of them another port or name.",
	Source:      "docker compose; compose-go v2 does not look at ports",
	ComposeOnly: "the API has one object of a name, and gives each pod an address of its own",
	Check: func(d *deployment.Deployment, r *Reporter) {
		type port struct {
			deployment.Port
			of *deployment.Service
		}
		var ports []port
		names := make(map[string]*deployment.Service)
		for _, s := range d.Services {
			for _, p := range s.Ports {
				i := slices.IndexFunc(ports, func(o port) bool { return p.Clashes(o.Port) })
				if i >= 0 {
					reportClash(r, s, ports[i].of, fmt.Sprintf("%s and %s take the same port %d of the host", ports[i].of.Name, s.Name, max(p.First, ports[i].First)), "another port before the colon", p.At, ports[i].At)
				}
				ports = append(ports, port{p, s})
			}
			v := s.ContainerName
			name, ok := v.Text()
			if !v.Set() || !ok {
				continue
			}
			if other, taken := names[name]; taken {
				reportClash(r, s, other, fmt.Sprintf("two services are called %s as containers", name), d.Lines.OtherContainer, v, other.ContainerName)
			}
			names[name] = s
		}
		for _, s := range d.Services {
			doubleLabels(r, *d.Container(s))
		}
	},
}

// reportClash reports two services that cannot run together; those behind a profile may never do so.
func reportClash(r *Reporter, s, o *deployment.Service, fact, fix string, v, other deployment.Leaf) {
	sites := []source.Site{v.Site(s.Name), other.Site(o.Name)}
	if len(s.Profiles)+len(o.Profiles) > 0 {
		r.Warn(fact+"; when both run, the second does not start", fix, sites...)
	} else {
		r.Fail(fact+"; the second does not start", fix, sites...)
	}
}

func doubleLabels(r *Reporter, c traefik.Container) {
	first := make(map[string]traefik.Label)
	for _, l := range c.Labels {
		if before, ok := first[l.Key]; ok && before.Value != l.Value {
			r.Warn(fmt.Sprintf("the label %s of %s stands twice; Compose keeps the last", l.Key, c.Name), "remove one of them", before.Site, l.Site)
		}
		first[l.Key] = l
	}
}

var composeImagePinned = Rule{
	ID: "compose-image-pinned", Severity: finding.Warning,
	Summary: "every image has a tag, one that there is, and not latest",
	Why:     "`docker compose pull` brings whatever is new that day: a PostgreSQL that refuses the data of the old one, a Telegram bridge that does not read its configuration, a Synapse that cannot go back.",
	Fix:     "Write the tag of a release.",
	Source:  "mautrix docs, Docker setup: latest is the newest commit; docker-library/postgres",
	Check: func(d *deployment.Deployment, r *Reporter) {
		var loose []pin
		var strange []*deployment.Service
		for _, s := range d.Services {
			v := s.ImageAt
			checkTagForm(r, s)
			if s.BuildUnread != "" && s.Program == component.Unknown {
				strange = append(strange, s)
			}
			// What somebody builds of a program that is not looked at is theirs.
			built := s.Build.Set() && (s.BuildUnread != "" || s.Program == component.Unknown)
			if _, ok := v.Text(); !ok || !v.Set() || built || s.Image.Digest != "" || s.Image.Tag != "" && s.Image.Tag != "latest" {
				continue
			}
			p := pin{service: s, fix: s.ImageLine(component.Ref{Repository: s.Image.Repository, Tag: "…"})}
			e := s.Component().Entry
			others := e != nil && len(e.Images) > 0 && !s.OwnImage()                                        // whose tags are not known
			if tested := s.Component().Tested; tested.Repository != "" && s.Program != component.Postgres { // whose data is of one major version
				p.known = true
				others = others || e == nil && s.Component().Bridge == nil && s.Program != component.Element && !ofMaker(s.Image.Repository, tested.Repository)
				if path.Base(s.Image.Repository) != "riot-web" { // which has no release of today's
					tested.Repository = s.Image.Repository
				}
				if !others {
					p.fix = s.ImageLine(tested)
				}
			}
			if i := slices.IndexFunc(d.Bridges, func(b *deployment.Bridge) bool { return b.Service == s && b.Dialect == component.Python }); i >= 0 {
				p.fix = d.Bridges[i].ImageFor() // the newest release does not read its file
			}
			loose = append(loose, p)
		}
		severally(r, strange, func(s *deployment.Service) []source.Site { return []source.Site{s.Build.Site("")} }, reportStrange)
		severally(r, loose, func(p pin) []source.Site { return []source.Site{p.service.ImageAt.Site("")} }, reportPins)
	},
}

// ofMaker reports whether an image is the one that is tested, in whatever registry: coturn/coturn, and no other coturn.
func ofMaker(repository, tested string) bool {
	maker, name := path.Base(path.Dir(tested)), path.Base(tested)
	return strings.HasSuffix("/"+repository, "/"+maker+"/"+name) || maker == "library" && repository == name
}

// tagged are the programs whose makers give every image of a release a tag of one form, with a v or without.
var taggedAlike = []component.Program{component.LiveKit, component.LkJwt, component.Element, component.Synapse}

// checkTagForm has a tag of a release in the form that others use.
func checkTagForm(r *Reporter, s *deployment.Service) {
	tested := s.Component().Tested
	if s.Build.Set() || s.Image.Repository != tested.Repository || s.Image.Digest != "" || !slices.Contains(taggedAlike, s.Program) && s.Component().Bridge == nil {
		return
	}
	bare, had := strings.CutPrefix(s.Image.Tag, "v")
	_, has := strings.CutPrefix(tested.Tag, "v")
	if parts := strings.Split(bare, "."); had == has || len(parts) != 3 || strings.Trim(bare, "0123456789.") != "" {
		return
	}
	form, right := "begin with a v", "v"+bare
	if !has {
		form, right = "have no v", bare
	}
	r.Warn(fmt.Sprintf("the tags of %s %s, and there is most likely none called %s; the pull fails", s.Image.Repository, form, s.Image.Tag),
		s.ImageLine(component.Ref{Repository: s.Image.Repository, Tag: right}), s.ImageAt.Site(""))
}

// reportStrange names the services that are built from what cannot be read.
func reportStrange(r *Reporter, strange []*deployment.Service) {
	var names []string
	var sites []source.Site
	for _, s := range strange {
		names, sites = append(names, s.Name), append(sites, s.Build.Site(""))
	}
	what, verb := "which program "+names[0], " runs is not known: "+strange[0].BuildUnread
	if len(names) > 1 {
		what, verb = "which programs "+finding.Sentence(deployment.AtMost(names, 5), "and"), " run is not known; of "+names[0]+", "+strange[0].BuildUnread
	}
	r.NotChecked(what+verb, sites...)
}

// pin is an image without a tag that stays, and the line that gives it one; known says that what its versions can do is.
type pin struct {
	service *deployment.Service
	fix     string
	known   bool
}

func reportPins(r *Reporter, pins []pin) {
	var names, fixes []string
	var sites []source.Site
	tagless, known := 0, false
	for _, p := range pins {
		names, fixes = append(names, p.service.Name), append(fixes, p.service.Name+": "+p.fix)
		sites, known = append(sites, p.service.ImageAt.Site("")), known || p.known
		if p.service.Image.Tag == "" {
			tagless++
		}
	}
	images, fact, consequence, cannot := "the image of ", " is whatever is latest", "an update comes unasked", ", and what its version can do cannot be checked"
	if len(pins) > 1 {
		images, fact, consequence, cannot = "the images of ", " are whatever is latest", "updates come unasked", ", and what their versions can do cannot be checked"
	}
	switch {
	case tagless == 1 && len(pins) == 1:
		fact = " has no tag"
	case tagless == len(pins):
		fact = " have no tag"
	case tagless > 0:
		fact = " have no tag, or are whatever is latest"
	}
	if known {
		consequence += cannot
	}
	fix := strings.Join(fixes, "\n")
	if len(pins) == 1 {
		fix = pins[0].fix
	}
	r.Fail(images+finding.Sentence(names, "and")+fact+"; "+consequence, fix, sites...)
}
