package compare

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The list that README.md shows has the reasons, and the ways to keep what there is, that are said.
func TestReadme(t *testing.T) {
	src, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(src), "### What changes\n")
	_, text, _ = strings.Cut(text, "```\n")
	text, _, _ = strings.Cut(text, "```")
	filled := regexp.MustCompile(`\\\{(old|new|key|section|service|about)\\\}`)
	says := func(pattern, text string) bool {
		return pattern != "" && regexp.MustCompile("^"+filled.ReplaceAllString(regexp.QuoteMeta(pattern), ".+")+"$").MatchString(text)
	}
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		said, reason := strings.CutPrefix(line, "      ")
		if !reason || strings.HasPrefix(said, "/srv/") || strings.HasPrefix(said, "rendered ") {
			continue
		}
		n++
		keep, kept := strings.CutPrefix(said, "to keep it: ")
		if !slices.ContainsFunc(slices.Concat(verdicts, configured), func(v verdict) bool { return kept && says(v.keep, keep) || !kept && says(v.why, said) }) {
			t.Errorf("nothing says %q", said)
		}
	}
	if n < 5 {
		t.Errorf("only %d lines were read", n)
	}
}
