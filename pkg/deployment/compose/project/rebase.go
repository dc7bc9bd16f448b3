package project

import (
	"path"
	"strings"

	"philipp.info/stackgen/pkg/source"
)

// rebase makes the relative paths below the node, which lead from dir, lead from where dir does.
func rebase(n *source.Node, at *rule, dir string) {
	if n == nil {
		return
	}
	if at.rebase != nil {
		at.rebase(n, dir)
		return
	}
	for _, name := range n.Names() {
		if next := at.at(name); next != nowhere {
			rebase(n.Get(name), next, dir)
		}
	}
	for _, item := range n.Items {
		if next := at.at("*"); next != nowhere {
			rebase(item, next, dir)
		}
	}
}

// below is a path that leads from dir. What is absolute, of a user's home or no path stays.
func below(dir, name string) string {
	if name == "" || path.IsAbs(name) || name == "~" || strings.HasPrefix(name, "~/") {
		return name
	}
	return path.Join(dir, name)
}

func rebasePath(n *source.Node, dir string) {
	if n.Is(source.Scalar) {
		n.Text = below(dir, n.Text)
	}
}

// rebaseList is for a path, a list of them, or of mappings with one.
func rebaseList(n *source.Node, dir string) {
	for _, item := range items(n) {
		if item.Kind == source.Mapping {
			item = item.Get("path")
		}
		rebasePath(item, dir)
	}
}

func rebaseExtends(n *source.Node, dir string) { rebasePath(n.Get("file"), dir) }

// rebaseVolume is for a bind mount in its short or long form.
func rebaseVolume(n *source.Node, dir string) {
	if n.Kind == source.Mapping {
		if n.Get("type").Str() == "bind" {
			rebasePath(n.Get("source"), dir)
		}
		return
	}
	from, rest, ok := strings.Cut(n.Str(), ":")
	if ok && strings.HasPrefix(from, ".") {
		from = below(dir, from)
		if !strings.HasPrefix(from, "../") && from != ".." {
			from = "./" + from
		}
		n.Text = from + ":" + rest
	}
}

func rebaseBuild(n *source.Node, dir string) {
	context := n
	if n.Kind == source.Mapping {
		context = n.Get("context")
		contexts := n.Get("additional_contexts")
		for _, name := range contexts.Names() {
			rebaseContext(contexts.Get(name), dir)
		}
		if contexts.Is(source.Sequence) {
			for _, item := range contexts.Items {
				if name, is, ok := strings.Cut(item.Str(), "="); ok {
					c := source.NewText(item, is)
					rebaseContext(c, dir)
					item.Text = name + "=" + c.Text
				}
			}
		}
		ssh := n.Get("ssh")
		for _, name := range ssh.Names() {
			rebasePath(ssh.Get(name), dir)
		}
	}
	rebaseContext(context, dir)
}

// rebaseContext leaves what BuildKit fetches, and other services.
func rebaseContext(n *source.Node, dir string) {
	text := n.Str()
	for _, prefix := range []string{"http://", "https://", "git://", "ssh://", "github.com/", "git@", "service:"} {
		if strings.HasPrefix(text, prefix) {
			return
		}
	}
	if !strings.Contains(text, "://") {
		rebasePath(n, dir)
	}
}

// rebaseDriver is for a volume that is a bind mount by its driver's options.
func rebaseDriver(n *source.Node, dir string) {
	if options := n.Get("driver_opts"); n.Get("driver").Str() == "local" && options.Get("o").Str() == "bind" {
		rebasePath(options.Get("device"), dir)
	}
}

// defaults says what an included model does not and its directory decides.
func defaults(model *source.Node) {
	for _, section := range []string{"services", "jobs"} {
		for _, name := range model.Get(section).Names() {
			if build := model.Get(section, name, "build"); build.Is(source.Mapping) && build.Get("context") == nil {
				context := source.NewText(build, ".")
				context.Key = source.Value{}
				build.Set("context", context)
			}
		}
	}
}

// settle takes from the environment what a list of a service hands through by its name alone.
func settle(model *source.Node, env *environment) {
	for _, section := range []string{"services", "jobs"} {
		for _, name := range model.Get(section).Names() {
			list := model.Get(section, name, "environment")
			if !list.Is(source.Sequence) {
				continue
			}
			for _, item := range list.Items {
				if val, ok := env.vars[item.Str()]; ok {
					text, unset := fill(val)
					item.Text += "=" + text
					item.Unset = unset
				}
			}
		}
	}
}
