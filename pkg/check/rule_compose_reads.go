package check

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

var composeReadsExist = Rule{
	ID: "compose-reads-exist", Severity: finding.Error,
	Summary: "every file that Compose itself reads exists",
	Why:     "\"env file … not found\", \"failed to read\", \"unable to prepare context\": one env_file, label_file, included file or build context that is not there, and `docker compose up` starts nothing at all.",
	Fix:     "Correct the path, or make the file. In a stack that is rendered, compose.files brings it along.",
	Source:  "compose-go v2.16.2 types/project.go, loader/include.go, loader/extends.go; Docker Compose 5.6.0 pkg/compose/build.go",
	Check: func(d *deployment.Deployment, r *Reporter) {
		c := reads{d, r}
		for key, s := range d.Compose.At("services").Entries() {
			for _, kind := range []string{"env_file", "label_file"} {
				for _, item := range deployment.Listed(s.At(kind)) {
					v := item
					if item.Kind() == source.Mapping {
						if required := item.At("required"); required.Exists() && !required.True() {
							continue
						}
						v = item.At("path")
					}
					c.file(v, fmt.Sprintf("the %s of %s", kind, key.Str()))
				}
			}
			c.file(s.At("extends", "file"), "what "+key.Str()+" extends")
			c.build(s, key.Str())
		}
		for _, item := range deployment.Listed(d.Compose.At("include")) {
			if item.Kind() != source.Mapping {
				c.file(item, "an included file")
				continue
			}
			for _, kind := range []string{"path", "env_file"} {
				for _, v := range deployment.Listed(item.At(kind)) {
					c.file(v, "an included file")
				}
			}
		}
	},
}

// reads looks for what Compose reads.
type reads struct {
	d *deployment.Deployment
	r *Reporter
}

// file has a file exist, or a directory. What a variable of the shell leads to is none of this rule.
func (c reads) file(v source.Value, what string) {
	text, known := c.d.Expand(v)
	if !v.Set() || !known || text == "" {
		return
	}
	c.exists(text, what, v, finding.Error)
}

func (c reads) exists(name, what string, v source.Value, severity finding.Severity) {
	host := path.Clean(name)
	if strings.Contains(name, "://") || strings.HasPrefix(name, "git@") || strings.HasPrefix(name, "oci:") {
		return // Compose fetches it
	}
	if !fs.ValidPath(host) || strings.HasPrefix(name, "~") {
		c.r.NotChecked(what+", "+name+", is outside of the directory", v.Site(""))
		return
	}
	switch _, err := fs.Stat(c.d.FS, host); {
	case err == nil:
	case !errors.Is(err, fs.ErrNotExist):
		c.r.NotChecked(what+" cannot be seen: "+deployment.Cause(err), v.Site(""))
	case c.d.Unseen(err) != "":
		c.r.NotChecked(what+", "+host+","+c.d.Unseen(err), v.Site(""))
	case severity == finding.Error:
		c.r.Fail(fmt.Sprintf("%s, %s, does not exist%s; Compose stops at it and starts nothing", what, host, similar(c.d, host)), "correct the path, or make the file", v.Site(""))
	default:
		c.r.Warn(fmt.Sprintf("%s, %s, does not exist%s; Compose starts nothing where it has no image yet and cannot pull one", what, host, similar(c.d, host)), "correct the path, or remove build", v.Site(""))
	}
}

// build has the directory and the Dockerfile of an image exist that Compose builds.
func (c reads) build(service source.Value, name string) {
	v := service.At("build")
	if !v.Set() {
		return
	}
	severity := finding.Error
	if service.At("image").Set() { // it may be there, or be pulled
		severity = finding.Warning
	}
	at := v
	if v.Kind() == source.Mapping {
		at = v.At("context")
	}
	context, known := c.d.Expand(at)
	if !at.Set() {
		context, known, at = ".", true, v
	}
	if !known || context == "" || strings.Contains(context, "://") || strings.HasPrefix(context, "git@") || strings.Contains(context, ".git#") || strings.HasSuffix(context, ".git") || strings.HasPrefix(context, "github.com/") || strings.HasPrefix(context, "service:") {
		return // fetched, or known elsewhere
	}
	c.exists(context, "what "+name+" is built from", at, severity)
	dockerfile, known := c.d.Expand(v.At("dockerfile"))
	if v.At("dockerfile_inline").Set() || !known || path.IsAbs(dockerfile) {
		return
	}
	at = v.At("dockerfile")
	if dockerfile == "" {
		dockerfile, at = "Dockerfile", v
	}
	if host := path.Clean(context); fs.ValidPath(host) {
		if _, err := fs.Stat(c.d.FS, host); err == nil {
			c.exists(path.Join(host, dockerfile), "the Dockerfile of "+name, at, severity)
		}
	}
}
