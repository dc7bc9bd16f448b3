package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"philipp.info/stackgen/pkg/finding"
	"philipp.info/stackgen/pkg/git"
	"philipp.info/stackgen/pkg/render"
	"philipp.info/stackgen/pkg/secret"
	"philipp.info/stackgen/pkg/source"
	"philipp.info/stackgen/pkg/spec"
)

// plainSecrets warns of what looks like a secret in an extra of a spec that git tracks.
func plainSecrets(ctx context.Context, s *spec.Spec, path string) []finding.Finding {
	var plain []source.Value
	for _, extra := range render.Extras(s) {
		plain = append(plain, secretsIn(extra)...)
	}
	if len(plain) == 0 {
		return nil
	}
	tracked, err := git.Tracked(ctx, path)
	if err != nil {
		return []finding.Finding{finding.Unchecked(secret.Rule, "whether git tracks the spec, in which a secret stands in plain text, is not known: `git ls-files` "+err.Error(), plain[0].Site(""))}
	}
	if !tracked {
		return nil
	}
	var found []finding.Finding
	for _, v := range plain {
		keys := v.Keys()
		section := strings.Join(keys[:slices.Index(keys, "extra")], ".")
		name := section + "." + v.Name()
		fix := v.Name() + ": {secret: " + name + "}, then `stackgen secrets set " + name + "`; and renew it, as the history keeps it"
		if slices.ContainsFunc(render.Needs(s), func(n secret.Need) bool { return n.Name == name }) {
			fix = "remove the line, then `stackgen secrets set " + name + "`; and renew it, as the history keeps it"
		}
		found = append(found, finding.Finding{
			Rule: secret.Rule, Severity: finding.Warning,
			Message: v.Name() + " stands in plain text in a file that git tracks; everybody who can read the repository has it", Fix: fix,
			Sites: []source.Site{v.Site("")},
		})
	}
	return found
}

// goneSources warns of what the backup is to keep and what is not on this host, where that is the one that is backed up.
func goneSources(s *spec.Spec, dir string) []finding.Finding {
	if at := s.Backup.Borgmatic.Directory; at != "" && filepath.Clean(at) != dir {
		return nil
	}
	var found []finding.Finding
	for _, v := range s.At("backup", "borgmatic", "sources").Items() {
		if _, err := os.Stat(v.Str()); !errors.Is(err, fs.ErrNotExist) || strings.ContainsAny(v.Str(), "*?[$") { // which borgmatic fills in
			continue
		}
		found = append(found, finding.Finding{
			Rule: "spec", Severity: finding.Warning, Message: v.Path() + " is not on this host; the backup ends with an error, and nothing is kept",
			Fix: "correct the path, or remove the line", Sites: []source.Site{v.Site("")},
		})
	}
	return found
}

// secretsIn gives the texts below v that stand at the key of a secret. Of some the bridges know words instead.
func secretsIn(v source.Value) []source.Value {
	var found []source.Value
	for _, item := range v.Items() {
		found = append(found, secretsIn(item)...)
	}
	for _, val := range v.Entries() {
		if _, ref := val.Ref(); !ref {
			found = append(found, secretsIn(val)...)
		}
	}
	words := []string{"", "generate", "disable", "disabled"}
	if v.IsString() && v.NamesSecret() && !slices.Contains(words, v.Str()) && !strings.HasPrefix(v.Str(), "/") && !strings.Contains(v.Str(), "$") {
		found = append(found, v)
	}
	return found
}
