package main

import (
	"fmt"
	"path/filepath"

	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// lost names the secrets that were made anew although the stack was rendered with another value that it has
// to keep. before is what its manifest remembers.
func (p *proof) lost(s *spec.Spec, before map[string]string) []string {
	made := make(map[string]bool)
	for _, name := range p.made {
		made[name] = true
	}
	remembered := make(map[string]bool)
	for name := range before {
		remembered[name] = true
	}
	for name, u := range s.Auth.Upstream {
		remembered["auth.upstream."+name+".id"] = remembered["auth.upstream.id of "+u.ClientID+" at "+u.Issuer]
	}
	var lost []string
	for _, n := range p.needs {
		// What stood in the code of the program before is no loss.
		inherited := n.Inherit != "" && before[n.Name] == deployment.OfForerunner
		if n.Kept && made[n.Name] && remembered[n.Name] && !inherited {
			lost = append(lost, n.Name)
		}
	}
	return lost
}

func (p *proof) lostFinding(lost []string, r request) finding.Finding {
	what := lost[0]
	if n := len(p.made) - 1; n > 0 {
		what = fmt.Sprintf("%s and %s", what, output.Plural(n, "other secret"))
	}
	message := fmt.Sprintf("%s of the stack in %s have no value any more; with new ones the running stack would lose what they protect", what, r.dir)
	if len(p.made) == 1 {
		message = fmt.Sprintf("%s of the stack in %s has no value any more; with a new one the running stack would lose what it protects", what, r.dir)
	}
	path := secretsPath(r.spec, r.secrets)
	if from := p.set.PlainBeside(); from != "" || p.set.Target() != filepath.Base(path) {
		message += "; neither the command of secrets.command nor " + path + " has it"
	} else if !p.set.Existed() {
		message = path + " is gone: " + message
	}
	fix := "put it back from the backup, or read the values from the rendered files: `stackgen secrets recover -o " + shell.Word(r.dir)
	if r.spec != "stack.yaml" {
		fix += " --spec " + shell.Word(r.spec)
	}
	if r.secrets != "" {
		fix += " --secrets " + shell.Word(r.secrets)
	}
	fix += "`; for a stack that has never run: `stackgen render --i-know-what-this-breaks`"
	return finding.Finding{
		Rule: secret.Rule, Severity: finding.Error, Message: message, Fix: fix,
		Sites: []source.Site{{Pos: source.Pos{File: filepath.ToSlash(path)}}},
	}
}
