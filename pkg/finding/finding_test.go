package finding

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"philipp.info/stackgen/pkg/source"
)

func TestSort(t *testing.T) {
	at := func(rule, msg, file string, line, col int) Finding {
		return Finding{Rule: rule, Message: msg, Sites: []source.Site{{Pos: source.Pos{File: file, Line: line, Col: col}}}}
	}
	got := Sort([]Finding{
		at("r", "m", "b", 1, 1), at("r", "m", "a", 10, 1), at("r", "m", "a", 9, 2), at("r", "m", "a", 9, 1),
		at("q", "z", "a", 9, 1), at("r", "a", "a", 9, 1), at("r", "m", "a", 9, 1),
		{Rule: "none"},
	})
	want := []Finding{
		{Rule: "none"},
		at("q", "z", "a", 9, 1), at("r", "a", "a", 9, 1), at("r", "m", "a", 9, 1),
		at("r", "m", "a", 9, 2), at("r", "m", "a", 10, 1), at("r", "m", "b", 1, 1),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestHasErrors(t *testing.T) {
	if HasErrors([]Finding{{Severity: Warning}, {Severity: Info}}) || !HasErrors([]Finding{{}, {Severity: Error}}) {
		t.Error("only errors count")
	}
}
