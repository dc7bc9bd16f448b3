package check

import (
	"fmt"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/component"
	"philipp.info/stackgen/pkg/deployment"
	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/regex"
	"philipp.info/stackgen/pkg/source"
)

var configVariables = Rule{
	ID: "config-variables", Severity: finding.Error,
	Summary: "no configuration still holds a variable or a placeholder in the place of a value",
	Why:     "Synapse, MAS and the bridges read their files as they stand: the secret is the text ${SECRET}, which anybody can guess, or the server is called {{ domain }}.",
	Fix:     "Write the value, or the file that holds it where there is such a key (…_path, …_file).",
	Source:  "Synapse config/_base.py, MAS figment Yaml, mautrix-go configupgrade: none of them replaces anything",
	Check: func(d *deployment.Deployment, r *Reporter) {
		variables(d, func(s *deployment.Service, f *source.File, values []source.Value) { checkVariables(r, d, s, f, values) })
	},
}

// variables visits each configuration that holds some, with the values that do.
func variables(d *deployment.Deployment, visit func(s *deployment.Service, f *source.File, values []source.Value)) {
	told := make(map[*source.File]bool)
	look := func(s *deployment.Service, f *source.File) {
		if f == nil || told[f] {
			return
		}
		told[f] = true
		if values := variablesOf(d, s, f); len(values) > 0 {
			visit(s, f, values)
		}
	}
	for _, s := range d.Synapses {
		look(s.Service, s.Config)
		for _, reg := range s.Registrations {
			look(s.Service, reg.File)
		}
	}
	for _, m := range d.MASs {
		look(m.Service, m.Config)
	}
	for _, b := range d.Bridges {
		look(b.Service, b.Config)
	}
}

// besideVariables leaves out what other rules find of a value that is a variable: config-variables says the cause, or why it is not
// checked.
func besideVariables(d *deployment.Deployment, findings []finding.Finding) []finding.Finding {
	if !slices.ContainsFunc(findings, func(f finding.Finding) bool { return f.Rule == configVariables.ID }) {
		return findings // none holds one: the files are not gone through again
	}
	told := make(map[source.Pos]bool)
	variables(d, func(_ *deployment.Service, _ *source.File, values []source.Value) {
		for _, v := range values {
			told[v.KeyPos()] = true
		}
	})
	return slices.DeleteFunc(findings, func(f finding.Finding) bool {
		return f.Rule != configVariables.ID && f.Status != finding.NotChecked && slices.ContainsFunc(f.Sites, func(s source.Site) bool { return told[s.Pos] })
	})
}

var (
	shellVariable = regex.Of(`\$\{[A-Za-z_][A-Za-z0-9_]*(?:[:?+-][^}]*)?\}|^\$[A-Z][A-Z0-9_]+$|^\$\([A-Z][A-Z0-9_]*\)$|^%[A-Z][A-Z0-9_]+%$|^@@?[A-Z][A-Z0-9_]+@@?$|^__[A-Z][A-Z0-9_]+__$|^<%= *[\w.]+ *%>$`)
	doubleBraces  = regex.Of(`\{\{-? *[A-Za-z_.][A-Za-z0-9_.]*(?: *\|[^}]*)? *-?\}\}`)
	placeholders  = regex.Of(`^(?:REPLACE|CHANGE|FILL|INSERT)[_ -]?(?:ME|THIS|IT|WITH)(?:[_ -][A-Z0-9_ -]*)?$|^<[A-Za-z][A-Za-z0-9_. -]+>$` +
		`|^(?i:your|votre|dein)(?:[_-][A-Za-z0-9]+)+$|^(?:GENERATE|REPLACE|INSERT)(?:_[A-Z0-9]+)+$` +
		`|^(?:[A-Z0-9]+_)+PLACEHOLDER$|^PLACEHOLDER(?:_[A-Z0-9]+)+$`)
)

// unfilled reports whether a text stands for a value that nobody has put there, which config-variables or secret-strength says.
func unfilled(text string) bool {
	return shellVariable().FindString(text) != "" || doubleBraces().FindString(text) == text && text != "" || placeholders().MatchString(text)
}

// unfilledIn reports whether a text of a proxy, which replaces nothing in it, holds a variable.
func unfilledIn(text string) bool {
	return shellVariable().MatchString(text) || doubleBraces().MatchString(text) || strings.Contains(text, "{env.")
}

// variablesOf are the values of a configuration that stand there for others.
func variablesOf(d *deployment.Deployment, s *deployment.Service, f *source.File) (values []source.Value) {
	bridge := slices.ContainsFunc(d.Bridges, func(b *deployment.Bridge) bool { return b.Service == s })
	visit(f.Root(), func(v source.Value) {
		text := v.Str()
		found := shellVariable().FindString(text)
		// A template is written with braces, and in a bridge's configuration much more.
		if found == "" && !bridge && !strings.Contains(strings.Join(v.Keys(), "."), "template") {
			// In the middle of a text for people they may be meant; in an address they are not.
			found = doubleBraces().FindString(text)
			if found != text && (s.Program != component.Synapse || !strings.ContainsAny(strings.Replace(text, found, "", 1), "@/:.")) {
				found = ""
			}
		}
		if found == "" && !v.Secret() { // of a secret, secret-strength says so
			found = placeholders().FindString(text)
		}
		if found == "" {
			return
		}
		values = append(values, v)
	})
	return values
}

// checkVariables names all of one file in one finding.
func checkVariables(r *Reporter, d *deployment.Deployment, s *deployment.Service, f *source.File, values []source.Value) {
	if kind, word, at := s.Launch(); kind == deployment.Script {
		r.NotChecked(fmt.Sprintf("%s may put values in the place of the variables in %s", word, f.Path), at)
		return
	}
	if o := d.Rewrites(s, f.Path); o != nil {
		r.NotChecked(fmt.Sprintf("%s may put values in the place of the variables in %s", o.Name, f.Path), o.Self.Site(""))
		return
	}
	if by := d.Scripts.Write(f.Path); by != "" {
		r.NotChecked(fmt.Sprintf("%s may put values in the place of the variables in %s", by, f.Path), values[0].Site(""))
		return
	}
	severally(r, values, func(v source.Value) []source.Site { return []source.Site{v.Site("")} }, func(r *Reporter, values []source.Value) {
		failVariables(r, s, values)
	})
}

// failVariables says which values hold one. Whether a person fills them in before, as a README may say, cannot be seen.
func failVariables(r *Reporter, s *deployment.Service, values []source.Value) {
	var names []string
	var sites []source.Site
	for _, v := range values {
		names, sites = append(names, v.Path()), append(sites, v.Site(""))
	}
	marks := 0
	for _, v := range values {
		if placeholders().MatchString(v.Str()) {
			marks++
		}
	}
	holds := " still holds a variable; "
	switch several := len(values) > 1; {
	case several && marks == len(values):
		holds = " still hold placeholders; "
	case several && marks > 0:
		holds = " still hold variables and placeholders; "
	case several:
		holds = " still hold variables; "
	case marks > 0:
		holds = " still holds a placeholder; "
	}
	r.Fail(finding.Sentence(deployment.AtMost(names, 3), "and")+holds+s.Name+" takes the text as it stands", "write the value", sites...)
}

// visit calls f for every scalar below a value.
func visit(v source.Value, f func(source.Value)) {
	if v.Kind() == source.Scalar {
		f(v)
		return
	}
	for _, val := range v.Entries() {
		visit(val, f)
	}
	for _, item := range v.Items() {
		visit(item, f)
	}
}
