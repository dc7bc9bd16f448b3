package deployment

import "philipp.info/stackgen/pkg/finding"

// Judge is the program that starts a deployment, asked whether it accepts the files. It knows more than any rule, takes
// longer than all of them, and needs its own code: who can do without has none.
type Judge struct {
	// Refuses gives what it does not accept, as findings of the rule compose-valid.
	Refuses func(*Deployment) []finding.Finding
	// Verdict names the judge and what it is asked, to remember that one accepted the other: where it is the
	// deployment's Accepted, it need not be asked again.
	Verdict func(*Deployment) string
}
