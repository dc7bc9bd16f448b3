package spec

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
)

// Pinned is the image of a program that a stack has for its own ends, and that nobody sets otherwise.
type Pinned struct {
	// Image without the tag, for a mirror or a build of your own.
	Image string `yaml:"image,omitempty"`
	// Version is the image's tag.
	Version string `yaml:"version,omitempty"`
}

// Ref is the image that the keys stand for.
func (p Pinned) Ref(of component.Program) component.Ref {
	return Component{Image: p.Image, Version: p.Version}.Ref(of)
}

func (s *Spec) checkImages(d *decoder) {
	for _, program := range component.All {
		if c, on := s.Component(program.Program); on {
			s.checkImage(d, program.Program, c)
		}
	}
	s.checkPinned(d, component.HAProxy, s.HAProxy, s.Synapse.Workers != nil, "synapse.workers, before which it stands,", "synapse: {workers: small}")
	redis := slices.ContainsFunc(s.Containers(), func(c Named) bool { return c.Redis })
	s.checkPinned(d, component.Valkey, s.Valkey, redis || s.Synapse.Workers != nil, "synapse.workers or redis of a container", "redis: true")
	if v := s.HAProxy.Version; v != "" && s.HAProxy.Image == "" && !strings.Contains(v, "alpine") {
		release, _, _ := strings.Cut(v, "@")
		d.fail(s.At("haproxy", "version"), fmt.Sprintf("haproxy.version %s is an image without wget, with which its health is asked; it would never be healthy", v), "version: "+release+"-alpine")
	}
}

// checkPinned looks at the image of a program that is there only for others, and refuses one that nobody wants.
func (s *Spec) checkPinned(d *decoder, p component.Program, c Pinned, wanted bool, by, fix string) {
	at := s.At(Section(p)...)
	s.checkImage(d, p, Component{Image: c.Image, Version: c.Version})
	if at.Exists() && !wanted && len(d.findings) == 0 {
		d.fail(at, at.Path()+" is rendered for "+by+" only, and there is none; it would do nothing", fix+", or remove the section")
	}
}

// Ref is the image that a component's image and version keys stand for.
func (c Component) Ref(p component.Program) component.Ref {
	ref := component.Of(p).Tested
	ref.Repository = cmp.Or(c.Image, ref.Repository)
	if c.Version != "" {
		ref.Tag, ref.Digest, _ = strings.Cut(c.Version, "@")
	}
	return ref
}

func (s *Spec) checkImage(d *decoder, p component.Program, c Component) {
	at, program := s.At(Section(p)...), component.Of(p)
	switch given := component.Parse(c.Image); {
	case c.Image == "":
	case given.Tag != "" || given.Digest != "":
		what := "a tag"
		if given.Tag == "" {
			what = "a digest"
		}
		d.fail(at.At("image"), at.Path()+".image holds "+what+"; the tag decides what is rendered and has a key of its own",
			fmt.Sprintf("image: %s, and on the next line version: %s", given.Repository, cmp.Or(c.Version, given.Tag, program.Tested.Tag)))
	case !repository().MatchString(c.Image):
		d.fail(at.At("image"), at.Path()+".image is not the name of an image; Docker could not pull it", "image: "+program.Tested.Repository)
	}
	if c.Version == "" {
		return
	}
	// What a tag means is judged by the program, whatever mirror the image comes from.
	release, _, _ := strings.Cut(c.Version, "@")
	ref := component.Ref{Repository: program.Tested.Repository, Tag: release}
	v, known := ref.Version()
	known = known && tag().MatchString(c.Version)
	tested := program.Tested.Tag
	other := component.Of(ref.Program()) // in the same repository, told apart by the tag
	switch {
	case !known:
		d.fail(at.At("version"), fmt.Sprintf("%s.version %s names no release; what its program accepts cannot be known", at.Path(), quote(c.Version)), "version: "+tested)
	case other != program && program.TagPrefix != "":
		d.fail(at.At("version"), fmt.Sprintf("%s.version is a tag of the %s bridge; those of %s begin with %s", at.Path(), other.Title, program.Title, program.TagPrefix),
			"version: "+program.TagPrefix+c.Version)
	case other != program:
		d.fail(at.At("version"), fmt.Sprintf("%s.version is a tag of the %s bridge; it would bridge another network", at.Path(), other.Title),
			"version: "+strings.TrimPrefix(c.Version, other.TagPrefix))
	case v.Less(program.Oldest):
		d.fail(at.At("version"), fmt.Sprintf("%s.version %s is too old; %s", at.Path(), c.Version, program.OldestWhy), "version: "+tested)
	case program.Bridge != nil && unplaced(ref):
		d.fail(at.At("version"), fmt.Sprintf("%s.version %s is no release whose configuration is known; %s", at.Path(), c.Version, program.Bridge.Gap), "version: "+tested)
	default:
		// A mirror may call them otherwise.
		if instead := program.TagProblem(release); instead != "" && c.Image == "" {
			d.fail(at.At("version"), fmt.Sprintf("%s.version %s is not what %s calls this release; Docker could not pull it", at.Path(), release, program.Tested.Repository),
				"version: "+instead+strings.TrimPrefix(c.Version, release))
		}
	}
}

func unplaced(ref component.Ref) bool {
	_, ok := ref.Dialect()
	return !ok
}
