// Package check holds the rules: what has to be true between the files of a deployment. It reads a deployment's
// model and knows nothing of specs or templates: a fresh render and a directory kept by hand are the same to it.
package check

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/source"
)

// Rule is one invariant between the files of a stack. Why is the symptom that a person sees when it is
// broken, Fix what to do about it in general, Source where the fact was read.
type Rule struct {
	ID       string
	Severity finding.Severity
	Summary  string
	Why      string
	Fix      string
	Source   string
	// ComposeOnly says why the rule has no meaning on Kubernetes; "" where it holds there, too.
	ComposeOnly string
	// KubernetesOnly says so of Compose.
	KubernetesOnly string
	Check          func(*deployment.Deployment, *Reporter)
}

// Reporter collects the findings of one rule.
type Reporter struct {
	rule     Rule
	findings []finding.Finding
	partial  bool   // there is more of the deployment than was read
	told     string // why nothing of the proxy's file is known, where proxy-config-read says it of the whole file
}

// Fail reports that the rule is broken. The first site is the one to edit.
func (r *Reporter) Fail(message, fix string, sites ...source.Site) {
	r.report(r.rule.Severity, message, mend{text: fix}, sites)
}

// Warn is Fail for a case of an error rule that only bites under a condition that cannot be seen.
func (r *Reporter) Warn(message, fix string, sites ...source.Site) {
	r.report(finding.Warning, message, mend{text: fix}, sites)
}

// FailMend is Fail where the fix is one certain edit, WarnMend is Warn.
func (r *Reporter) FailMend(message string, fix mend, sites ...source.Site) {
	r.report(r.rule.Severity, message, fix, sites)
}

// WarnMend is FailMend for a case that only bites under a condition.
func (r *Reporter) WarnMend(message string, fix mend, sites ...source.Site) {
	r.report(finding.Warning, message, fix, sites)
}

func (r *Reporter) report(severity finding.Severity, message string, fix mend, sites []source.Site) {
	r.findings = append(r.findings, finding.Finding{Rule: r.rule.ID, Severity: severity, Message: asWritten(message), Fix: asWritten(fix.text), Edits: fix.edits, Sites: once(sites)})
}

// asWritten has a variable of a Caddyfile that is set elsewhere as people write it there: pkg/route/caddy reads {$NAME} as {env.NAME}.
func asWritten(text string) string { return strings.ReplaceAll(text, "{env.", "{$") }

// severally reports several things that are wrong in the same way as one finding: say reports it, of any of them. Whoever answers for
// some of the places, as with a comment, is still told of the others.
func severally[T any](r *Reporter, things []T, places func(T) []source.Site, say func(r *Reporter, things []T)) {
	if len(things) == 0 {
		return
	}
	before := len(r.findings)
	say(r, things)
	if len(r.findings) == before || len(things) == 1 {
		return
	}
	r.findings[before].Some = func(wanted func([]source.Site) bool) (finding.Finding, bool) {
		var some []T
		for _, thing := range things {
			if wanted(places(thing)) {
				some = append(some, thing)
			}
		}
		if len(some) == 0 {
			return finding.Finding{}, false
		}
		part := &Reporter{rule: r.rule, partial: r.partial}
		if say(part, some); len(part.findings) == 0 {
			return finding.Finding{}, false
		}
		return part.findings[0], true
	}
}

// Lack is Fail for something that the deployment does not have. Where a part of it was not read, it may be there.
func (r *Reporter) Lack(message, fix string, sites ...source.Site) {
	if r.partial {
		r.NotChecked("of what was not read; in what was, "+message, sites...)
		return
	}
	r.Fail(message, fix, sites...)
}

// NotChecked reports that the rule cannot see what it needs.
func (r *Reporter) NotChecked(why string, sites ...source.Site) {
	if strings.HasSuffix(why, deployment.IsUndefined) {
		return // Compose starts nothing, and compose-valid says so
	}
	if why == r.told && why != "" {
		return
	}
	r.findings = append(r.findings, finding.Unchecked(r.rule.ID, asWritten(why), once(sites)...))
}

// once names each place one time, in the order in which they come: two users of one line, or a tag that is set for two containers, show
// it twice otherwise. What is said of it stays, each once.
func once(sites []source.Site) (each []source.Site) {
	at := make(map[source.Pos]int, len(sites))
	placed := slices.ContainsFunc(sites, func(s source.Site) bool { return s.Pos.File != "" })
	for _, s := range sites {
		i, told := at[s.Pos]
		switch {
		case placed && s.Pos.File == "": // of a file that is empty
		case !told:
			at[s.Pos] = len(each)
			each = append(each, s)
		case each[i].Note == "":
			each[i].Note = s.Note
		case s.Note != "" && !slices.Contains(strings.Split(each[i].Note, "; "), s.Note):
			each[i].Note += "; " + s.Note
		}
	}
	return each
}

// On reports whether the rule has a meaning on a target.
func (r Rule) On(t deployment.Target) bool {
	if t == deployment.Kubernetes {
		return r.ComposeOnly == ""
	}
	return r.KubernetesOnly == ""
}

// Find gives the rule with that id.
func Find(id string) (Rule, bool) {
	i := slices.IndexFunc(Rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		return Rule{}, false
	}
	return Rules[i], true
}

// Run holds every rule against the deployment and gives the sorted findings and the number of files that were read.
// The judge, without whom compose-valid is not checked, runs at the same time as the rules. A rule that cannot cope with what it meets does not take the others with it.
func Run(d *deployment.Deployment, judge *deployment.Judge) (findings []finding.Finding, files int) {
	var judged []finding.Finding
	var beside sync.WaitGroup
	if d.File != "" && d.Target == deployment.Compose {
		beside.Go(func() {
			judged = guarded(d, composeValid, func(r *Reporter) {
				if judge == nil {
					r.NotChecked("compose-go is not part of this")
					return
				}
				if d.Accepted != judge.Verdict(d) {
					r.findings = judge.Refuses(d)
				}
			})
		})
	}
	if d.File != "" {
		for _, rule := range Rules {
			if !rule.On(d.Target) {
				continue
			}
			findings = append(findings, started(d, guarded(d, rule, func(r *Reporter) { rule.Check(d, r) }))...)
		}
		findings = besideVariables(d, findings)
	}
	beside.Wait()
	// Last, for rules read files as well.
	return finding.Sort(d.Hide(d.Mendable(d.Unless(slices.Concat(findings, judged, d.Problems()))))), d.FilesRead()
}

// started leaves out the errors of services behind a profile that is off, but for those that are run by hand. Docker Compose
// reads of them what compose-valid holds against it.
func started(d *deployment.Deployment, findings []finding.Finding) []finding.Finding {
	return slices.DeleteFunc(findings, func(f finding.Finding) bool {
		if f.Severity != finding.Error || len(f.Sites) == 0 {
			return false
		}
		keys := d.KeysAt(f.Pos())
		if len(keys) < 2 || keys[0] != "services" {
			return false
		}
		s := d.Service(keys[1])
		if s == nil || len(s.Absent.Profiles) == 0 {
			return false
		}
		kind, _, _ := s.Launch()
		return kind != deployment.Tool && s.Program != component.Postgres
	})
}

// guarded gives what a rule finds, and says so where it cannot go on.
func guarded(d *deployment.Deployment, rule Rule, check func(*Reporter)) (findings []finding.Finding) {
	r := &Reporter{rule: rule, partial: len(d.Unread) > 0 || d.Lacks}
	defer func() {
		if p := recover(); p != nil {
			r.NotChecked(fmt.Sprintf("of a fault in stackgen (%v); please report it", p))
			findings = r.findings
		}
	}()
	if front := d.Front(); len(front.Unread) > 0 {
		r.told = front.Unseen
	}
	check(r)
	return r.findings
}
