package compose

import (
	"cmp"
	"io/fs"
	"path"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose/dockerfile"
	"philipp.info/stackgen/pkg/source"
)

// build makes the image that a service is built on that of the service, and what the Dockerfile says of how it is
// started, as far as the compose file does not.
func (p *Project) build(s *deployment.Service, v source.Value) {
	v = v.At("build")
	if !v.Set() {
		return
	}
	src, name, why := p.dockerfile(v)
	if why != "" {
		s.BuildUnread = why
		return
	}
	o := dockerfile.Options{Args: p.buildArgs(v.At("args")), Contexts: pairs(v.At("additional_contexts"))}
	o.Target, _ = p.expand(v.At("target"))
	image, why := dockerfile.Read(src, o)
	if why != "" {
		s.BuildUnread = name + ": " + why
		return
	}
	placed := func(w dockerfile.Word, items ...string) source.Value {
		return source.Placed(name, w.Line, w.Col, w.Text, items...)
	}
	leaf := func(w dockerfile.Word) deployment.Leaf { return deployment.Filled(placed(w), w.Text, !w.Open) }
	if image.Base.Open {
		s.BuildUnread = name + " begins with an image that is known only where it is built"
	}
	if ref := component.Parse(image.Base.Text); ref.Program() != component.Unknown || s.Program == component.Unknown {
		s.Image, s.ImageAt, s.Program = ref, leaf(image.Base), ref.Program()
	}
	if s.Entrypoint.Set() {
		image.Cmd = nil // Docker forgets it
	} else if c := image.Entrypoint; c != nil {
		s.Entrypoint = commandList(placed, *c)
	}
	if c := image.Cmd; c != nil && !s.Cmd.Set() {
		s.Cmd = commandList(placed, *c)
	}
	p.bake(s, v, image.Copies, placed)
	if image.User.Line > 0 && !s.UserAt.Set() {
		s.UserAt = leaf(image.User)
	}
	if image.WorkDir.Line > 0 && !s.WorkingDir.Set() {
		s.WorkingDir = leaf(image.WorkDir)
	}
	if c := image.Health; c != nil && !s.Probe.Off && !s.Probe.Test.Set() {
		s.Probe.Test = healthList(placed, *c)
	}
	for _, e := range slices.Backward(image.Env) {
		is := deployment.Variable{Name: e.Name, Text: e.Text, At: leaf(e.Word)}
		if e.Open {
			is.Hidden = e.Name + " is known only where the image is built"
		}
		s.Variables = append(s.Variables, is)
		p.inImages = append(p.inImages, source.HiddenIn(e.Name, e.Text)...)
	}
	for _, c := range []*dockerfile.Command{image.Entrypoint, image.Cmd} {
		if c != nil {
			p.inImages = append(p.inImages, source.HiddenIn("", strings.Join(c.Words, " "))...)
		}
	}
}

// commandList are the words of a command. Those that a shell takes apart are its script.
func commandList(placed func(dockerfile.Word, ...string) source.Value, c dockerfile.Command) deployment.List {
	words := c.Words
	if c.Shell {
		words = append([]string{"/bin/sh", "-c"}, words...)
	}
	return deployment.ListOf(placed(c.Word, append([]string{}, words...)...))
}

// healthList is a check as Compose writes one.
func healthList(placed func(dockerfile.Word, ...string) source.Value, c dockerfile.Command) deployment.List {
	words := c.Words
	switch {
	case len(words) == 1 && words[0] == "NONE":
	case c.Shell:
		words = append([]string{"CMD-SHELL"}, words...)
	default:
		words = append([]string{"CMD"}, words...)
	}
	return deployment.ListOf(placed(c.Word, words...))
}

// dockerfile is the text that an image is built by, and the file that it stands in; why says what keeps it from being
// read.
func (p *Project) dockerfile(v source.Value) (src []byte, name, why string) {
	if at := v.At("dockerfile_inline"); at.Set() {
		text, known := p.expand(at)
		if !known {
			return nil, "", "its dockerfile_inline holds variables that are set elsewhere"
		}
		return at.Inside(text), at.File().Path, ""
	}
	context, file := ".", "Dockerfile"
	for _, part := range []struct {
		at source.Value
		to *string
	}{{contextOf(v), &context}, {v.At("dockerfile"), &file}} {
		text, known := p.expand(part.at)
		switch {
		case !known:
			return nil, "", "where it is built from stands behind a variable that is set elsewhere"
		case text != "":
			*part.to = text
		}
	}
	if fetched(context) {
		return nil, "", "it is built from " + shown(context) + ", which was not fetched"
	}
	name = path.Join(context, p.spelled(context, file))
	if path.IsAbs(file) {
		name = file
	}
	if path.IsAbs(name) || strings.HasPrefix(name, "~") || p.beyond(name) {
		return nil, "", name + " is outside of the directory"
	}
	src, err := source.ReadFS(p.fsys, name)
	switch {
	case err == nil:
		p.dockerfiles = append(p.dockerfiles, &source.File{Path: name, Src: src})
		return src, name, ""
	case p.options.Alone:
		return nil, "", name + " may lie in the directory, which was not looked at"
	}
	if info, statErr := fs.Stat(p.fsys, name); statErr == nil && info.IsDir() {
		return nil, "", name + " is a directory"
	}
	return nil, "", name + " cannot be read"
}

// shown is an address without the user and password that it may have.
func shown(address string) string {
	scheme, rest, ok := strings.Cut(address, "://")
	if _, behind, has := strings.Cut(rest, "@"); ok && has {
		return scheme + "://" + behind
	}
	return address
}

func contextOf(v source.Value) source.Value {
	if v.Kind() == source.Mapping {
		return v.At("context")
	}
	return v
}

// buildArgs are the arguments of a build that have a value here.
func (p *Project) buildArgs(v source.Value) map[string]string {
	args := make(map[string]string)
	for _, item := range v.Items() {
		text, known := p.expand(item)
		name, val, has := strings.Cut(text, "=")
		if !has {
			val, has = p.Env[name]
		}
		if known && has {
			args[name] = val
		}
	}
	for name, at := range v.Entries() {
		text, known := p.expand(at)
		if !at.Set() {
			text, known = p.Env[name.Str()]
		}
		if known {
			args[name.Str()] = text
		}
	}
	return args
}

// pairs are the entries of a mapping, or of a list of NAME=VALUE.
func pairs(v source.Value) map[string]string {
	all := make(map[string]string)
	for _, item := range v.Items() {
		name, val, _ := strings.Cut(item.Str(), "=")
		all[name] = val
	}
	for name, val := range v.Entries() {
		all[name.Str()] = val.Str()
	}
	return all
}

// bake gives a service what its image has of the files here.
func (p *Project) bake(s *deployment.Service, build source.Value, copies []dockerfile.Copy, placed func(dockerfile.Word, ...string) source.Value) {
	context, known := p.expand(contextOf(build))
	if context == "" {
		context = "."
	}
	why := ""
	if !known || fetched(context) || path.IsAbs(context) || strings.HasPrefix(context, "~") {
		why = "what is copied into the image lies outside of the directory"
	}
	for _, c := range copies {
		for _, from := range c.Sources {
			at := deployment.Filled(placed(c.Word), c.Text, true)
			m := deployment.Mount{Container: c.Target, Host: path.Join(context, path.Clean("/"+from)), Source: from, At: at, SourceAt: at}
			info, err := fs.Stat(p.fsys, m.Host)
			isDir := strings.HasSuffix(c.Target, "/") || len(c.Sources) > 1
			if isDir && (err != nil || !info.IsDir()) {
				m.Container = path.Join(c.Target, path.Base(from))
			}
			if strings.ContainsAny(from, "*?[") {
				m.Container, c.Unseen = c.Target, "it is copied by a pattern"
			}
			if reason := cmp.Or(c.Unseen, why); reason != "" {
				m.Host, m.Reason = "", "the image, which is built here, holds it: "+reason
			} else if p.beyond(m.Host) {
				m.Host, m.Reason = "", m.Host+" is outside of the directory"
			}
			s.Baked = append(s.Baked, m)
			if !isDir && m.Host != "" && err == nil && info.Mode().IsRegular() {
				m.Container = path.Join(c.Target, path.Base(from)) // where the image has a directory of that name
				s.Baked = append(s.Baked, m)
			}
		}
	}
}
