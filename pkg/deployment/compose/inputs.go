package compose

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/source"
)

// inputs are the files and directories that Compose itself reads, besides compose files. What a variable of the shell
// leads to is not among them.
func (p *Project) inputs() (list []deployment.Input) {
	add := func(v source.Value, what string) {
		if text, known := p.expand(v); v.Set() && known && text != "" {
			list = append(list, deployment.Input{Name: text, What: what, At: p.leaf(v)})
		}
	}
	for key, s := range p.File.At("services").Entries() {
		for _, kind := range []string{"env_file", "label_file"} {
			for _, v := range deployment.Listed(s.At(kind)) {
				if required := v.At("required"); v.Kind() == source.Mapping && required.Exists() && !required.True() {
					continue
				}
				if v.Kind() == source.Mapping {
					v = v.At("path")
				}
				add(v, "the "+kind+" of "+key.Str())
			}
		}
		list = append(list, p.built(s, key.Str())...)
	}
	return list
}

// built are the directory and the Dockerfile of an image that Compose builds.
func (p *Project) built(service source.Value, name string) (list []deployment.Input) {
	v := service.At("build")
	if !v.Set() {
		return nil
	}
	at := contextOf(v)
	context, known := p.expand(at)
	if !at.Set() {
		context, known, at = ".", true, v
	}
	if !known || context == "" || fetched(context) {
		return nil
	}
	pulled := service.At("image").Set() // it may be there, or be pulled
	list = append(list, deployment.Input{Name: context, What: "what " + name + " is built from", At: p.leaf(at), Pulled: pulled})
	dockerfile, known := p.expand(v.At("dockerfile"))
	if v.At("dockerfile_inline").Set() || !known || path.IsAbs(dockerfile) {
		return list
	}
	at = v.At("dockerfile")
	if dockerfile == "" {
		dockerfile, at = "Dockerfile", v
	}
	if host := path.Clean(context); !source.Beyond(p.fsys, host) {
		dockerfile = p.spelled(host, dockerfile)
		list = append(list, deployment.Input{Name: path.Join(host, dockerfile), What: "the Dockerfile of " + name, At: p.leaf(at), Pulled: pulled, Within: host})
	}
	return list
}

// spelled is the name of a Dockerfile in a context: where the one of the usual name is missing, buildx takes it in small
// letters (build/opt.go handleLowercaseDockerfile).
func (p *Project) spelled(context, name string) string {
	small := path.Join(path.Dir(name), strings.ToLower(path.Base(name)))
	if path.Base(name) != "Dockerfile" {
		return name
	}
	_, err := fs.Stat(p.fsys, path.Join(context, name))
	if _, other := fs.Stat(p.fsys, path.Join(context, small)); errors.Is(err, fs.ErrNotExist) && other == nil {
		return small
	}
	return name
}

// fetched reports whether the context of a build is fetched from elsewhere, or known there.
func fetched(context string) bool {
	return strings.Contains(context, "://") || strings.HasPrefix(context, "git@") || strings.Contains(context, ".git#") || strings.HasSuffix(context, ".git") ||
		strings.HasPrefix(context, "github.com/") || strings.HasPrefix(context, "service:")
}
