package compose

import (
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/deployment/compose/project"
)

// byEnvFile reads the project anew with the environment files that scripts name to Compose, where they are the same in all of them and
// set what is set nowhere else; by is such a script. Where it is not clear which are meant, elsewhere are those that set a variable.
func (p *Project) byEnvFile(scripts *deployment.Scripts) (by string, elsewhere map[string][]string) {
	unset := p.Unset()
	if p.File == nil || scripts == nil || len(p.options.EnvFiles) > 0 || len(unset) == 0 {
		return "", nil
	}
	lists, by := scripts.EnvFiles()
	elsewhere = make(map[string][]string)
	for _, list := range lists {
		o := p.options
		o.EnvFiles = list
		one := &Project{Project: project.Load(p.fsys, o), options: o}
		if one.File == nil {
			continue
		}
		left := one.Unset()
		for _, name := range unset {
			if !slices.Contains(left, name) {
				elsewhere[name] = append(elsewhere[name], strings.Join(list, " with "))
			}
		}
		if more := slices.ContainsFunc(left, func(name string) bool { return !slices.Contains(unset, name) }); len(lists) == 1 && len(left) < len(unset) && !more {
			p.Project, p.options = one.Project, one.options
			return by, nil
		}
	}
	return "", elsewhere
}
