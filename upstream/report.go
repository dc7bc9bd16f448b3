package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"philipp.info/stackgen/pkg/output"
)

// report prints what was found, and last what a person has to look at; false when a registry failed.
func report(w io.Writer, results []result) bool {
	width, ours := 0, len("not compared")
	for _, r := range results {
		width, ours = max(width, len(r.name)), max(ours, len(bare(r.ours)))
	}
	row := func(r result, text string) {
		fmt.Fprintln(w, output.Line("%-*s  %-*s  %s", width, r.name, ours, cmp.Or(bare(r.ours), "-"), text))
	}
	complete := true
	var hand []result
	for _, r := range results {
		var absent notThere
		switch {
		case r.from == nil || errors.As(r.err, &absent):
			hand = append(hand, r)
			continue
		case r.err != nil:
			complete = false
			row(r, "failed: "+r.err.Error())
			continue
		}
		row(r, standing(r))
		for _, c := range r.changes {
			fmt.Fprintln(w, output.Line("%*s  %-*s  %s", width, "", ours, c.kind, c.text))
		}
	}
	if len(hand) > 0 {
		fmt.Fprintln(w, "\nLook at by hand:")
	}
	for _, r := range hand {
		text := r.hand
		if r.err != nil {
			text += " (" + r.err.Error() + ")"
		}
		row(r, text)
	}
	return complete
}

// standing says how the newest release stands to ours.
func standing(r result) string {
	text := bare(r.newest.version)
	if r.newest.date != "" {
		text += " of " + r.newest.date
	}
	switch {
	case r.ours == "":
		return text + " is the newest; there is no table yet"
	case sameVersion(r.ours, r.newest.version):
		return "is the newest"
	case older(r.newest.version, r.ours):
		return "the registry has nothing later than " + text
	}
	return text + " is the newest"
}
