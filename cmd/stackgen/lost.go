package main

import (
	"fmt"
	"path/filepath"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/output"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/shell"
	"philipp.info/stackgen/pkg/source"
)

// lostFinding says which secrets are lost, as prove.Lost names them, and how to get them back.
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
